"""The tree of errors: which classes there are, what else they are, and that they survive travel."""

import ast
import builtins
import copy
import inspect
import pickle
import re

import pytest

import unihub
from error_messages import BUILTINS, GOLDEN, LEAVES, constructors
from error_messages.facts import REFUSAL
from paths import PACKAGE
from unihub import errors
from unihub.errors import UnihubError
from words import link_of, words_of


def leaf(name, **facts):
    return getattr(errors, name)("it is broken.", why="it fell.", hint="pick it up.", **facts)


@pytest.mark.parametrize("name", LEAVES)
def test_a_leaf_is_also_the_builtin_that_callers_catch(name):
    assert getattr(errors, name).__bases__ == (UnihubError, BUILTINS[name])
    with pytest.raises(BUILTINS[name]):
        raise leaf(name)
    with pytest.raises(unihub.errors.UnihubError):
        raise leaf(name)


def test_there_are_no_other_classes():
    classes = {name for name, cls in vars(errors).items() if inspect.isclass(cls) and issubclass(cls, UnihubError)}
    assert classes == {"UnihubError", *BUILTINS}


def test_the_package_has_these_names_only_and_each_class_says_that_it_is_from_there():
    public = {name for name in vars(errors) if not name.startswith("_")} - {"annotations"}
    assert public == set(errors.__all__) == {"DOCS", "UnihubError", "UnsafeModelWarning", *BUILTINS}
    assert {getattr(errors, name).__module__ for name in public - {"DOCS"}} == {"unihub.errors"}


def test_the_tree_in_the_docstring_is_the_tree():
    drawn = re.findall(r"^    \+-- (\w+) +\((\w+)\) +\S", errors.__doc__, re.MULTILINE)
    assert dict(drawn) == {name: builtin.__name__ for name, builtin in BUILTINS.items()}
    assert [name for name, _ in drawn] == [name for name in errors.__all__ if name in BUILTINS]
    assert all(isinstance(getattr(builtins, name), type) for _, name in drawn)


@pytest.mark.parametrize("name", LEAVES)
def test_the_message_has_three_parts_and_a_link(name):
    error = leaf(name)
    assert words_of(error) == "it is broken.\n  Why:  it fell.\n  Hint: pick it up."
    assert str(error) == words_of(error) + "\n  Docs: https://unihub.readthedocs.io/en/latest/errors/#" + name.lower()
    assert (error.what, error.why, error.hint) == ("it is broken.", "it fell.", "pick it up.")


def test_a_class_that_a_user_derived_links_to_ours():
    class OurLoadError(errors.LoadError):
        pass

    error = OurLoadError("what.", why="why.", hint="hint.")
    assert str(error).splitlines()[-1] == link_of(errors.LoadError)


def test_long_parts_are_wrapped_and_lines_kept():
    error = UnihubError("what.", why="word " * 40 + "\n  indented", hint="")
    lines = str(error).splitlines()
    assert lines[0] == "what."
    assert lines[1] == "  Why:  " + "word " * 21 + "word"
    assert lines[2] == "        " + "word " * 17 + "word"
    assert lines[3:] == ["          indented", "  Hint: ", link_of(UnihubError)]


def test_a_path_is_never_broken():
    path = "/a-directory/" + "x" * 200 + "/of-a-model"
    assert path in str(UnihubError("what.", why="it is at {} still.".format(path), hint="no."))


@pytest.mark.parametrize("name", ["UnihubError"] + LEAVES)
@pytest.mark.parametrize(
    "travel",
    [copy.copy, copy.deepcopy]
    + [
        lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ],
)
def test_survives_travel_with_its_facts(name, travel):
    error = leaf(name, path="/models/it", tags=frozenset({"train"}), size=3)
    arrived = travel(error)
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert (arrived.path, arrived.tags, arrived.size) == ("/models/it", frozenset({"train"}), 3)
    assert vars(arrived) == vars(error)


@pytest.mark.parametrize("error", [error for _, error, _ in GOLDEN], ids=[name for name, _, _ in GOLDEN])
def test_what_constructors_make_survives_pickling(error):
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_facts_of_a_constructor_are_attributes():
    error = errors.SignatureError.unknown("models/it", "one", [])
    assert (error.path, error.signature, error.signatures) == ("models/it", "one", ())


@pytest.mark.parametrize("path", ["models/it", 'say "it"', "C:\\models\\new", "modèle", "it's {it}"])
def test_a_call_in_the_hint_of_a_refusal_is_python(path):
    hint = errors.UnsupportedError.refused(REFUSAL, path).hint
    call = ast.parse(re.match(r"unihub\.convert\(.*, \"out\"\)", hint).group(), mode="eval").body
    assert [ast.literal_eval(argument) for argument in call.args] == [path, "out"]


def test_the_cause_is_kept():
    with pytest.raises(errors.LoadError) as caught:
        try:
            raise KeyError("node")
        except KeyError as exc:
            raise errors.LoadError.loading("models/it", exc) from exc
    assert isinstance(caught.value.__cause__, KeyError)


def test_every_constructor_is_used():
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.parent.name != "errors"]
    used = {name for source in sources for name in re.findall(r"\b[A-Z]\w+Error\.\w+", source)}
    assert constructors() - used == set()


def test_words_of_errors_stand_in_one_place():
    """Elsewhere errors are made by their named constructors only."""
    making = re.compile(r"\b({})\(\s*[^)]".format("|".join(["UnihubError"] + LEAVES)))
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name == "errors":
            continue
        code = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if "class " not in line)
        assert not making.search(code), path
