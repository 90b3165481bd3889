"""Whether a model with unsafe ops may be loaded: who named it, where it came from, and what the caller said of it.

A directory or an archive on this machine is the user's own, and such ops are told by a warning. What was fetched from
the network, or is in a cache of what was, is refused unless the caller trusts it.
"""

from __future__ import annotations

import inspect
import os
import warnings
from typing import Any, FrozenSet, Tuple, Union

from unihub import errors
from unihub._resolve import provenance
from unihub._saved_model.unsafe_scan import UnsafeOp

VARIABLE = "UNIHUB_TRUST"

Trust = Union[None, bool, FrozenSet[str]]

_WORDS = {"1": True, "true": True, "0": False, "false": False}
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def parse(value: Any) -> Trust:
    """Reads the argument ``trust``, or the environment where it is not given.

    Args:
        value: A bool, the name of an op, several, or ``None``.

    Returns:
        A bool, the names, or ``None`` where nothing is said.

    Raises:
        InputError: It is something else.
    """
    if value is None:
        text = os.environ.get(VARIABLE, "").strip()
        if not text:
            return None
        return _WORDS.get(text.lower(), frozenset(name.strip() for name in text.split(",") if name.strip()))
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return frozenset([value])
    try:
        names = frozenset(value)
    except TypeError:
        names = frozenset([None])
    if not all(isinstance(name, str) for name in names):
        raise errors.InputError.not_trust(value)
    return names


def not_trusted(found: Tuple[UnsafeOp, ...], trust: Trust) -> Tuple[UnsafeOp, ...]:
    """The ops of a model that the caller has not said to trust."""
    if isinstance(trust, frozenset):
        return tuple(op for op in found if op.op not in trust)
    return () if trust else found


def check(handle: Any, path: str, found: Tuple[UnsafeOp, ...], trust: Trust) -> Tuple[UnsafeOp, ...]:
    """Refuses a model that may not be loaded.

    Args:
        handle: What the user named it by.
        path: Where it is.
        found: Its unsafe ops.
        trust: What ``parse`` gave.

    Returns:
        The ops to warn of.

    Raises:
        UnsafeModelError: It was fetched and is not trusted, or must not have such ops at all.
    """
    left = not_trusted(found, trust)
    if not left:
        return ()
    if trust is False:
        raise errors.UnsafeModelError.refused(str(handle), left)
    if provenance.is_fetched(path):
        raise errors.UnsafeModelError.untrusted(str(handle), left)
    return left


def warn(path: str, found: Tuple[UnsafeOp, ...]) -> None:
    """Tells the user of the unsafe ops in a model of their own, at their line."""
    if found:
        warnings.warn(errors.UnsafeModelWarning.local(path, found), stacklevel=_level_of_caller() + 1)


def _level_of_caller() -> int:
    """How far up the stack the call of unihub stands; wrappers of TensorFlow may be in between."""
    level, found, frame = 0, 0, inspect.currentframe()
    frame = frame and frame.f_back
    while frame is not None:
        level, frame = level + 1, frame.f_back
        if frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
            found = level + 1
    return max(found, 1)
