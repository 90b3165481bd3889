"""Every message that unihub can raise, as a user reads it."""

import inspect
import re
import textwrap

import pytest

import unihub
from error_messages import GOLDEN, all_texts, constructors
from error_messages.facts import READ_FILE
from error_messages.refusals import REFUSED, REFUSED_BEFORE_1_15, refusal
from paths import PACKAGE
from unihub import errors
from unihub._plan import matrix
from words import words_of


@pytest.mark.parametrize("name, error, text", GOLDEN, ids=[name for name, _, _ in GOLDEN])
def test_text(name, error, text):
    assert words_of(error) == textwrap.dedent(text)
    assert type(error).__name__ == name.split(".")[0]


def test_every_constructor_has_its_text():
    assert constructors() - {name for name, _, _ in GOLDEN} == set()


def test_every_known_format_has_its_text():
    kinds = {error.kind for name, error, _ in GOLDEN if name == "UnknownFormatError.other_format"}
    assert kinds == set(errors.UnknownFormatError.KINDS)


def test_text_of_the_warning():
    assert str(errors.UnsafeModelWarning.local("models/own", [READ_FILE])) == (
        "models/own may do more than compute; it is loaded anyway, because it is on this machine:\n"
        "  ReadFile reads files (read, in the graph)\n"
        "trust=True, or trust=['ReadFile'], loads it without this warning, trust=False refuses it."
    )


@pytest.mark.parametrize("key", sorted(REFUSED), ids="-".join)
def test_refusal_of_the_matrix(key):
    assert words_of(refusal(key, "2.15.1")) == textwrap.dedent(REFUSED[key])


@pytest.mark.parametrize("key", sorted(REFUSED_BEFORE_1_15), ids="-".join)
def test_refusal_before_tensorflow_1_15(key):
    assert words_of(refusal(key, "1.14.0")) == textwrap.dedent(REFUSED_BEFORE_1_15[key])


def test_every_refusal_of_the_matrix_has_its_text():
    refused = {tuple(map(str, key)) for key, cell in matrix.TABLE.items() if not cell.supported}
    assert set(REFUSED) == refused
    bounded = {(str(cell.format), str(cell.operation)) for cell in matrix.TABLE.values() if cell.since}
    assert {key[:2] for key in REFUSED_BEFORE_1_15} == bounded


# What a hint names is there.


def test_hints_name_functions_of_unihub():
    named = {name for text in all_texts() for name in re.findall(r"\bunihub\.(\w+)\(", text)}
    assert named == {"convert", "inspect", "load", "resolve"}
    assert named <= set(unihub.__all__)


def test_hints_name_arguments_that_are_there():
    # Those of a call, of a layer, and of Keras' load_model.
    known = {"training", "output_shape", "self_contained", "safe_mode"}
    known.update(
        name for call in (unihub.load, unihub.save, unihub.convert) for name in inspect.signature(call).parameters
    )
    # Not what stands within a call, which is another's argument.
    named = {name for text in all_texts() for name in re.findall(r"(?<![\w.(])([a-z][a-z_]*)=(?!=)", text)}
    assert {"signature", "tags", "output_key", "as_dict", "api", "keras", "load_options"} <= named
    assert named <= known


def test_messages_name_environment_variables_that_are_read():
    wording = "".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "errors").glob("*.py"))
    named = set(re.findall(r"\b(UNIHUB_[A-Z_]+|TF_USE_[A-Z_]+)\b", wording))
    sources = "".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.parent.name != "errors"
    )
    assert named == {"UNIHUB_CACHE_DIR", "UNIHUB_OFFLINE", "UNIHUB_TRUST", "TF_USE_LEGACY_KERAS"}
    assert all('"{}"'.format(name) in sources for name in named)


@pytest.mark.parametrize("text", all_texts())
def test_shape_of_a_message(text):
    what, *rest = text.split("\n")
    assert re.fullmatch(r".*[^.]\.", what) and not re.search(r"\w\.\.(\s|$)", what)
    assert sum(line.startswith("  Why:  ") for line in rest) == 1
    assert sum(line.startswith("  Hint: ") for line in rest) == 1
    assert "{" not in re.sub(r"\{('\w+'(, )?)*\}", "", text), "a placeholder was left"
    assert max(map(len, text.split("\n")[1:])) <= 118
