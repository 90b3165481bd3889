"""The examples of the documentation do what they show: the Python in docs/*.md, and the docstrings of unihub.

``<!-- runs on: tf2, tensorflow>=2.16 -->`` in a page begins a program of all Python blocks below it, up to the next
such line, and says where it runs. It is run in a directory with ``models/`` in it. A block ``text title="Output"`` is what
the block before it prints, and ``text title="Error"`` the error with which it ends; ``...`` stands for any text. A block
with ``<!-- not run: why -->`` above it is not run.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import re
import shutil

import pytest
import tensorflow as tf
from packaging.specifiers import SpecifierSet

import unihub
from live_runtime import DATA, RUNTIME, live_context

pytestmark = pytest.mark.thorough

ROOT = DATA.parent.parent
MODELS = [*sorted((ROOT / "examples" / "models").iterdir()), DATA / "tf1_saved_model" / "half_plus_two"]

PART = re.compile(
    r"^<!-- runs on: (?P<runtimes>[\w-]+(?:, tf[\w-]+)*), tensorflow(?P<versions>\S+) -->$"
    r"|^(?P<skipped><!-- not run: [^\n]+ -->\n\n?)?```(?P<language>python|text)(?P<title>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def programs_of(page):
    """The programs of a page: the line that says where each runs, and its blocks, as matches of ``PART``."""
    programs = []
    for part in PART.finditer(page.read_text(encoding="utf-8")):
        if part.group("versions"):
            programs.append((part, []))
        # That each block is in a program is a matter of tests/unit/test_docs.py.
        elif programs and not part.group("skipped"):
            programs[-1][1].append(part)
    return programs


def runs_here(part):
    versions = SpecifierSet(part.group("versions"), prereleases=True)
    # Pages are written for the Keras that tf.keras is by itself.
    asks_for_keras2 = "TF_USE_LEGACY_KERAS" in os.environ
    return RUNTIME in part.group("runtimes").split(", ") and tf.__version__ in versions and not asks_for_keras2


def programs_here():
    for page in sorted((ROOT / "docs").glob("*.md")):
        for number, (part, blocks) in enumerate(programs_of(page), 1):
            if runs_here(part):
                yield pytest.param(page, blocks, id="{}-{}".format(page.stem, number))


def run(page, block, names):
    """Runs a block; gives what it printed, and its error or ``None``."""
    # As many lines before it as in the page, so that a traceback names the line there.
    code = "\n" * block.string.count("\n", 0, block.start("text")) + block.group("text")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, str(page), "exec"), names)
        except unihub.errors.UnihubError as error:
            return printed.getvalue(), error
    return printed.getvalue(), None


def check(block, found):
    wanted = block.group("text")
    assert doctest.OutputChecker().check_output(wanted, found.rstrip() + "\n", SAME), "wanted:\n{}\nfound:\n{}".format(
        wanted, found
    )


@pytest.fixture
def beside_models(tmp_path, monkeypatch):
    """A directory as the pages describe it, to work in."""
    for model in MODELS:
        shutil.copytree(str(model), str(tmp_path / "models" / model.name))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UNIHUB_NO_PROGRESS", "1")
    return tmp_path


@pytest.mark.parametrize("page, blocks", list(programs_here()))
def test_a_page(page, blocks, beside_models):
    names = {"__name__": "__main__"}
    with live_context(RUNTIME):
        for block, following in zip(blocks, [*blocks[1:], None]):
            if block.group("language") != "python":
                continue
            title = following.group("title") if following and following.group("language") == "text" else ""
            printed, error = run(page, block, names)
            if error is not None and "Error" not in title:
                raise error
            if "Output" in title:
                check(following, printed)
            if "Error" in title:
                assert error is not None, "no error"
                check(following, "{}: {}".format(type(error).__name__, error))


def docstrings():
    """The docstrings with examples, of all modules but those that need what is not here."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in [unihub, *map(importlib.import_module, sorted(module_names()))]:
        for test in finder.find(module, module.__name__):
            if test.examples:
                yield test


def module_names():
    for found in pkgutil.walk_packages(unihub.__path__, "unihub."):
        # integrations are for engines that are not installed here, and have tests of their own.
        if not found.name.endswith("__main__") and ".integrations" not in found.name:
            yield found.name


@pytest.mark.parametrize("test", list(docstrings()) if RUNTIME == "tf2" else [], ids=lambda test: test.name)
def test_a_docstring(test, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UNIHUB_NO_PROGRESS", "1")
    report = io.StringIO()
    failed = doctest.DocTestRunner(optionflags=SAME).run(test, out=report.write).failed
    assert not failed, report.getvalue()
