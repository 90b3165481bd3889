"""The documentation says what is so: its addresses, the tests and names it speaks of, and where its examples run."""

import ast
import importlib
import re
import sys

import pytest
from packaging.specifiers import SpecifierSet

import unihub
from error_messages import LEAVES, constructors
from paths import ROOT
from unihub import errors
from words import SITE

PAGES = sorted((ROOT / "docs").glob("*.md"))
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def text_of(page):
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def named_tests():
    return sorted({name for page in PAGES for name in re.findall(r"`(tests/[\w/]+\.py::[\w:]+)`", text_of(page.name))})


def environments():
    """The versions of TensorFlow that noxfile.py runs the pages on, each with its runtimes."""
    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    table = text[text.index("ENVIRONMENTS = (") : text.index("\n)\n", text.index("ENVIRONMENTS = ("))]
    (chosen,) = re.findall(r'"doc_examples": \((.+)\)', text)
    names = re.findall(r'"([^"]+)"', chosen)
    assert '"doc_examples"' not in re.search(r"^_ONCE = .+$", text, re.MULTILINE).group(), "not in each runtime"
    versions = [
        re.search(r'"{}", "[^"]+", "tensorflow(?:-cpu)?==([\w.]+)"'.format(re.escape(name)), table).group(1)
        for name in names
    ]
    return [(version, {"tf1"} if version[0] == "1" else {"tf2", "tf1-compat"}) for version in versions]


def test_messages_link_to_the_site():
    assert re.search(r"^site_url: (\S+)$", CONFIG, re.MULTILINE).group(1) == errors.DOCS == SITE


def test_each_class_of_errors_has_its_place_on_the_page():
    headings = re.findall(r"^## (\w+)$", text_of("errors.md"), re.MULTILINE)
    assert sorted(headings) == sorted(["UnihubError", *LEAVES])
    for name in LEAVES:
        place = text_of("errors.md").partition("\n## {}\n".format(name))[2].partition("\n## ")[0]
        assert "\n**Cause.** " in place and "\n**Remedy.** " in place
        assert place.rstrip().endswith("<!-- from the code: errors {} -->".format(name))


def test_each_constructor_of_an_error_is_on_the_page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_site"))
    found = importlib.import_module("error_examples").examples()
    monkeypatch.delitem(sys.modules, "error_examples")
    assert {"{}.{}".format(name, constructor) for name in found for constructor in found[name]} == constructors()
    assert all(text.startswith(name + ": ") for name in found for texts in found[name].values() for text in texts)


@pytest.mark.parametrize("test", named_tests())
def test_a_test_that_is_named_exists(test):
    path, *names = test.split("::")
    scope = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for name in names:
        (scope,) = (node for node in scope.body if getattr(node, "name", None) == name)
    assert isinstance(scope, ast.FunctionDef)


def test_each_promise_names_a_test():
    rows = re.findall(r"^\| (?!promise|---)(.+) \| (.+) \|$", text_of("promises.md"), re.MULTILINE)
    assert len(rows) > 30
    assert [promise for promise, tests in rows if "`tests/" not in tests] == []


def test_the_reference_has_every_public_name():
    headings = set(re.findall(r"heading: unihub\.(\w+)[,}]", text_of("api.md")))
    assert headings == set(unihub.__all__) - {"errors"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_a_page_names_are_there(page):
    """Of this repository; what stands for a file of the user's is written otherwise."""
    named = re.findall(r"`((?:unihub|tests|examples|benchmarks|docs)/[\w/]+\.\w+)[`:]", text_of(page.name))
    assert [name for name in named if not (ROOT / name.replace("NAME", "bucket")).exists() and "NAME" not in name] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_somewhere(page):
    text = text_of(page.name)
    places = re.findall(r"^<!-- runs on: (.+), tensorflow(\S+) -->$", text, re.MULTILINE)
    unplaced = re.sub(
        r"^<!-- not run: .+ -->\n+```python.*?^```", "", text.partition("<!-- runs on: ")[0], flags=re.M | re.S
    )
    assert "```python" not in unplaced, (
        "say where it runs, or why not, as tests/live/documentation/test_doc_examples.py reads it"
    )
    for runtimes, versions in places:
        wanted = SpecifierSet(versions, prereleases=True)
        assert any(version in wanted and known & set(runtimes.split(", ")) for version, known in environments())


def test_no_example_is_skipped():
    skipped = [
        path.name for path in (ROOT / "unihub").rglob("*.py") if "doctest: +SKIP" in path.read_text(encoding="utf-8")
    ]
    assert skipped == []
