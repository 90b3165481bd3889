"""Keeping AutoGraph, which rewrites what a traced function calls, out of unihub's own code.

AutoGraph mistakes generator expressions in TensorFlow 1.15, and brings nothing to unihub in any version.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, Callable, TypeVar, cast

from unihub._tf.packages import import_tensorflow

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")


def outside_autograph(function: _F) -> _F:
    """Decorate a function that AutoGraph must leave as it is, with all that it calls."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return call_outside_autograph(function, *args, **kwargs)

    # For tools that do not follow ``__wrapped__``.
    call.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return cast(_F, call)


def call_outside_autograph(function: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
    """Call a function that AutoGraph must leave as it is.

    TensorFlow is not imported for it: where it is not there yet, or runs eagerly, no function is being traced.
    """
    tensorflow = sys.modules.get("tensorflow")
    if not hasattr(tensorflow, "executing_eagerly") or tensorflow.executing_eagerly():  # type: ignore[union-attr]
        return function(*args, **kwargs)
    return not_converted(function)(*args, **kwargs)


def not_converted(function: _F) -> _F:
    """Mark a function for AutoGraph for good; TensorFlow 1.14 has no such mark."""
    mark = getattr(import_tensorflow().autograph.experimental, "do_not_convert", None)
    return function if mark is None else cast(_F, mark(function))
