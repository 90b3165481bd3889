"""Errors and warnings about models that may do harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import op_lines

if TYPE_CHECKING:
    from unihub._saved_model.unsafe_scan import UnsafeOp


class UnsafeModelError(UnihubError, PermissionError):
    """The model may do harm."""

    @classmethod
    def self_contained(cls, handle: str) -> UnsafeModelError:
        return cls(
            "the file contains a SavedModel (originally {}), and Keras loads it in safe mode.".format(handle),
            why="A SavedModel is a program: loading it runs its author's code, which may read and write files.",
            hint="if you trust the source of the file, load_model(..., safe_mode=False), or call "
            "keras.config.enable_unsafe_deserialization() first; a layer without self_contained=True needs neither.",
            handle=handle,
        )

    @classmethod
    def untrusted(cls, handle: str, ops: Sequence[UnsafeOp]) -> UnsafeModelError:
        """The model was fetched from the network, has unsafe ops, and ``trust`` was not given."""
        return cls(
            "{} was fetched from the network and may do more than compute.".format(handle),
            why="It has these ops:\n" + op_lines(ops),
            hint="unihub.inspect({!r}).unsafe_ops lists all of them. If you trust its author, load it with "
            "trust=True, or with trust={!r} for no other ops than these; or set UNIHUB_TRUST likewise.".format(
                handle, sorted({op.op for op in ops})
            ),
            handle=handle,
            unsafe_ops=tuple(ops),
        )

    @classmethod
    def refused(cls, handle: str, ops: Sequence[UnsafeOp]) -> UnsafeModelError:
        """The model has unsafe ops, and trust=False forbids them."""
        return cls(
            "{} may do more than compute, and trust=False (or UNIHUB_TRUST=0) forbids that.".format(handle),
            why="It has these ops:\n" + op_lines(ops),
            hint="leave trust out to load a model of your own with a warning; or name the ops you accept, as "
            "trust={!r}.".format(sorted({op.op for op in ops})),
            handle=handle,
            unsafe_ops=tuple(ops),
        )


class UnsafeModelWarning(UserWarning):
    """A model on this machine has ops that do more than compute; it is loaded anyway."""

    @classmethod
    def local(cls, path: str, ops: Sequence[UnsafeOp]) -> UnsafeModelWarning:
        """The warning for a model on this machine."""
        return cls(
            "{} may do more than compute; it is loaded anyway, because it is on this machine:\n{}\n"
            "trust=True, or trust={!r}, loads it without this warning, trust=False refuses it.".format(
                path, op_lines(ops), sorted({op.op for op in ops})
            )
        )
