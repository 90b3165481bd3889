"""Decide whether a model with unsafe ops may be loaded: who named it, where it came from, and what the caller trusts.

A directory or an archive on this machine is the user's own: its unsafe ops cause a warning. A model that was fetched
from the network, or is in a cache of fetched models, is refused unless the caller trusts it.
"""

from __future__ import annotations

import inspect
import os
import warnings
from typing import FrozenSet, Tuple, Union

from unihub import errors
from unihub._resolve import provenance
from unihub._saved_model.unsafe_scan import UnsafeOp

VARIABLE = "UNIHUB_TRUST"

Trust = Union[None, bool, FrozenSet[str]]

_WORDS = {"1": True, "true": True, "0": False, "false": False}
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def parse(value: object) -> Trust:
    """Parse the argument ``trust``, or the environment variable if it is not given.

    Args:
        value: A bool, the name of an op, several, or ``None``.

    Returns:
        A bool, the names, or ``None`` if neither is given.

    Raises:
        InputError: The value is something else.
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
        names = list(value)  # type: ignore[call-overload]
    except TypeError:
        names = [None]
    if not all(isinstance(name, str) for name in names):
        raise errors.InputError.not_trust(value)
    return frozenset(names)


def not_trusted(unsafe_ops: Tuple[UnsafeOp, ...], trust: Trust) -> Tuple[UnsafeOp, ...]:
    """The unsafe ops of a model that the caller does not trust."""
    if isinstance(trust, frozenset):
        return tuple(op for op in unsafe_ops if op.op not in trust)
    return () if trust else unsafe_ops


def check(handle: object, path: str, unsafe_ops: Tuple[UnsafeOp, ...], trust: Trust) -> Tuple[UnsafeOp, ...]:
    """Refuse a model that may not be loaded.

    Args:
        handle: The handle that the user gave.
        path: Its directory.
        unsafe_ops: Its unsafe ops.
        trust: The result of ``parse``.

    Returns:
        The ops to warn of.

    Raises:
        UnsafeModelError: It was fetched and is not trusted, or must not have such ops at all.
    """
    untrusted = not_trusted(unsafe_ops, trust)
    if not untrusted:
        return ()
    if trust is False:
        raise errors.UnsafeModelError.refused(str(handle), untrusted)
    if provenance.is_fetched(path):
        raise errors.UnsafeModelError.untrusted(str(handle), untrusted)
    return untrusted


def warn(path: str, unsafe_ops: Tuple[UnsafeOp, ...]) -> None:
    """Warn of the unsafe ops in a user's own model, at the line that called unihub."""
    if unsafe_ops:
        warnings.warn(errors.UnsafeModelWarning.local(path, unsafe_ops), stacklevel=_level_of_caller() + 1)


def _level_of_caller() -> int:
    """How far up the stack unihub was called; wrappers of TensorFlow may be in between."""
    level, outermost, frame = 0, 0, inspect.currentframe()
    frame = frame and frame.f_back
    while frame is not None:
        level, frame = level + 1, frame.f_back
        if frame is not None and os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
            outermost = level + 1
    return max(outermost, 1)
