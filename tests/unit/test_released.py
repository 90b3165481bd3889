"""What release 0.1.0 offered is still there: names, arguments, attributes, commands, exit statuses and JSON keys.

The list was read off the released package. The JSON keys are those of the blocks on the page about the command line,
which ``test_documented_output`` compares with what the commands print.
"""

import argparse
import dataclasses
import inspect
import json
import re
from pathlib import Path

import pytest

import unihub
from unihub import _cli, errors
from unihub._cli.exit_status import STATUSES
from unihub._cli.parser import make_parser
from unihub._plan.matrix import Cell
from unihub._saved_model.model_info import MetaGraph, Variable
from unihub._strategies.loaded_model import LoadedModel
from unihub._types import Tensor

ROOT = Path(__file__).parent.parent.parent
RELEASED = json.loads((ROOT / "tests" / "data" / "released" / "0.1.0.json").read_text(encoding="utf-8"))
CLASSES = {
    # What loaded models are; unihub.Model is what they have in common with Keras layers.
    "Model": LoadedModel,
    **{name: getattr(unihub, name) for name in ("Conversion", "ModelInfo", "Plan", "Runtime", "Signature")},
    **{cls.__name__: cls for cls in (Cell, MetaGraph, Tensor, Variable)},
}
DOCUMENTED = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def attributes_of(cls):
    """The public attributes of a class: dataclass fields, annotations, methods and properties."""
    fields = {field.name for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    annotated = {name for base in cls.__mro__ for name in getattr(base, "__annotations__", {})}
    return fields | annotated | set(dir(cls))


def options_by_command(parser, words):
    """The options and arguments of each command, by its words."""
    found = {words: set()}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                found.update(options_by_command(child, words + " " + name))
        else:
            found[words].update(action.option_strings or [action.dest])
    return found


def keys_of(value, path=""):
    """The paths of all keys of a JSON value."""
    for key, child in value.items() if isinstance(value, dict) else [("[]", each) for each in value]:
        child_path = path + key if key == "[]" else path + "." + key
        if key != "[]":
            yield child_path
        if isinstance(child, (dict, list)):
            yield from keys_of(child, child_path)


@pytest.mark.parametrize("name", sorted(RELEASED["functions"]))
def test_functions_and_their_arguments(name):
    assert name in unihub.__all__
    assert [
        each for each in inspect.signature(getattr(unihub, name)).parameters if each in RELEASED["functions"][name]
    ] == (RELEASED["functions"][name])


@pytest.mark.parametrize("name", RELEASED["errors"])
def test_errors(name):
    assert getattr(errors, name).__module__ == "unihub.errors"


@pytest.mark.parametrize("name", sorted(RELEASED["attributes"]))
def test_attributes(name):
    assert set(RELEASED["attributes"][name]) - attributes_of(CLASSES[name]) == set()


def test_commands_and_their_options():
    present = options_by_command(make_parser(_cli.COMMANDS), "unihub")
    missing = {words: set(options) - present.get(words, set()) for words, options in RELEASED["commands"].items()}
    assert {words: options for words, options in missing.items() if options} == {}


def test_exit_statuses():
    present = {cls.__name__: status for cls, status in STATUSES.items()}
    released = {name: status for name, status in RELEASED["exit_statuses"].items() if name in present}
    assert released == {name: status for name, status in present.items() if name in released}
    assert set(RELEASED["errors"]) - {"UnsafeModelWarning"} <= set(present)


@pytest.mark.parametrize("command", sorted(RELEASED["json"]))
def test_json_keys(command):
    blocks = re.findall(r"```json\n(.*?)```", DOCUMENTED, flags=re.DOTALL)
    present = {key for block in blocks for key in keys_of(json.loads(block))}
    assert set(RELEASED["json"][command]) - present == set()
