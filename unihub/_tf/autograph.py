"""Keeping AutoGraph, which rewrites what a traced function calls, out of unihub's own code."""

from __future__ import annotations

from typing import Any

from unihub._tf.packages import import_tensorflow


def as_written(function: Any) -> Any:
    """The function as it stands in its file.

    While TensorFlow traces a user's function, AutoGraph rewrites all that is called from there. It mistakes generator
    expressions in TensorFlow 1.15, and has nothing to gain here in any version. TensorFlow 1.14 has no way to say so.
    """
    return function if import_tensorflow().executing_eagerly() else not_converted(function)


def not_converted(function: Any) -> Any:
    """The same for good, as a decorator."""
    keep = getattr(import_tensorflow().autograph.experimental, "do_not_convert", None)
    return function if keep is None else keep(function)
