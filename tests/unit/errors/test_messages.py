"""Every message that unihub can raise, as a user reads it."""

import inspect
import re
import textwrap

import pytest

import unihub
from error_messages import ELSEWHERE, GOLDEN, REFUSED, REFUSED_BEFORE_1_15, all_texts, constructors, refusal
from paths import PACKAGE, TESTS
from unihub import errors
from unihub._plan import matrix
from unihub.errors import _formats
from words import words_of


@pytest.mark.parametrize("name, error, text", GOLDEN)
def test_text(name, error, text):
    assert words_of(error) == textwrap.dedent(text)
    assert "{}.".format(type(error).__name__) == name[: name.index(".") + 1]


def test_every_constructor_has_its_text_in_a_test():
    covered = [name for name, _, _ in GOLDEN] + list(ELSEWHERE)
    assert sorted(set(covered)) == sorted(constructors())


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_the_text_elsewhere_is_there(name):
    file, words = ELSEWHERE[name]
    constructor = getattr(getattr(errors, name.split(".")[0]), name.split(".")[1])
    source = inspect.getsource(constructor)
    if words not in source:
        # The words of the formats that are known by sight stand in a table, without their verb.
        assert words.replace("is ", "", 1).rstrip(".") in inspect.getsource(_formats)
    assert words in (TESTS / "unit" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", errors.UnknownFormatError.KINDS)
def test_every_format_known_by_sight_has_its_text(kind):
    what = _formats._OTHER_FORMATS[kind][0]
    assert "is {}.\\n".format(what) in (TESTS / "unit" / "_saved_model" / "test_formats.py").read_text(encoding="utf-8")


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
    assert named == {"convert", "inspect", "load"}
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
    assert re.fullmatch(r".*[^.]\.", what) and ".." not in what
    assert sum(line.startswith("  Why:  ") for line in rest) == 1
    assert sum(line.startswith("  Hint: ") for line in rest) == 1
    assert "{" not in re.sub(r"\{('\w+'(, )?)*\}", "", text), "a placeholder was left"
    assert max(map(len, text.split("\n")[1:])) <= 118
