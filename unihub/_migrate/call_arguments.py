"""What a call gives for the arguments of the function that is called."""

from __future__ import annotations

import ast
from typing import List, Optional

import libcst as cst

from unihub._migrate import reasons
from unihub._migrate.edit import Edit
from unihub._migrate.program import Program

UNKNOWN = object()


def call_of(program: Program, node: cst.CSTNode) -> Optional[cst.Call]:
    """The call of an expression; ``None`` if it is not called here."""
    outer = program.parent(node)
    return outer if isinstance(outer, cst.Call) and outer.func is node else None


def last_name(call: cst.Call) -> str:
    """The last part of the name of what is called; empty where that has none."""
    function = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return function.value if isinstance(function, cst.Name) else ""


def positional(call: cst.Call) -> List[cst.Arg]:
    """The arguments by position, without those behind a star."""
    return [arg for arg in call.args if arg.keyword is None and not arg.star]


def is_starred(call: cst.Call) -> bool:
    """Whether how many arguments there are by position cannot be seen."""
    return any(arg.star == "*" for arg in call.args)


def argument(call: cst.Call, name: str, position: Optional[int] = None) -> Optional[cst.Arg]:
    """An argument by its name, or else by its position."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg
    given = positional(call)
    return given[position] if position is not None and position < len(given) else None


def value_of(program: Program, arg: Optional[cst.Arg]) -> object:
    """The value of an argument that is a literal, ``None`` for one that is not given, else ``UNKNOWN``."""
    if arg is None:
        return None
    source = program.source(arg.value)
    if source in ("set()", "frozenset()"):
        return set()
    try:
        return ast.literal_eval(source)
    # TypeError: a set of lists.
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return UNKNOWN


def train_tag(program: Program, call: cst.Call, tags: Optional[cst.Arg], trainable: Optional[cst.Arg]) -> Optional[str]:
    """Why a call is not understood that may ask for the variant "train" of a model that is not to be trained."""
    if value_of(program, trainable) not in (None, False):
        return None
    value = value_of(program, tags)
    if value is UNKNOWN:
        return reasons.UNKNOWN_TAGS
    tagged = [value] if isinstance(value, str) else value
    return reasons.TRAIN_TAG if isinstance(tagged, (list, tuple, set, dict)) and "train" in tagged else None


def append(program: Program, call: cst.Call, arguments: str) -> Edit:
    """The edit that gives a call further arguments; what stands behind its last one stays there."""
    end = program.end(call.args[-1])
    return Edit(end, end, ", " + arguments)
