"""Keeping AutoGraph, which rewrites what a traced function calls, out of unihub's own code.

AutoGraph mistakes generator expressions in TensorFlow 1.15, and brings nothing to unihub in any version.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable, TypeVar, cast

from unihub._tf.packages import import_tensorflow

_F = TypeVar("_F", bound=Callable[..., Any])


def outside_autograph(function: _F) -> _F:
    """Decorate a function that AutoGraph must leave as it is, with all that it calls.

    TensorFlow is not imported for it: where it is not there yet, or runs eagerly, no function is being traced.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        tensorflow = sys.modules.get("tensorflow")
        if not hasattr(tensorflow, "executing_eagerly") or tensorflow.executing_eagerly():  # type: ignore[union-attr]
            return function(*args, **kwargs)
        return not_converted(function)(*args, **kwargs)

    return cast(_F, call)


def not_converted(function: _F) -> _F:
    """Mark a function for AutoGraph for good; TensorFlow 1.14 has no such mark."""
    mark = getattr(import_tensorflow().autograph.experimental, "do_not_convert", None)
    return function if mark is None else cast(_F, mark(function))
