"""Errors that TensorFlow raised."""

from __future__ import annotations

from unihub.errors._base import UnihubError
from unihub.errors._wording import brief


class LoadError(UnihubError, RuntimeError):
    """TensorFlow failed to load, run or write the model; its exception is the ``__cause__``."""

    @classmethod
    def loading(cls, path: str, exc: BaseException) -> LoadError:
        return cls(
            "TensorFlow failed to load {}.".format(path),
            why="{}: {}".format(type(exc).__name__, brief(exc)),
            hint="unihub.inspect({!r}) shows what the model holds; the exception above has TensorFlow's own "
            "message.".format(path),
            path=path,
        )

    @classmethod
    def calling(cls, path: str, exc: BaseException) -> LoadError:
        return cls(
            "TensorFlow failed while it ran {}.".format(path),
            why="{}: {}".format(type(exc).__name__, brief(exc)),
            hint="compare the inputs with model.info; the exception above has TensorFlow's own message.",
            path=path,
        )

    @classmethod
    def saving(cls, path: str, exc: BaseException) -> LoadError:
        return cls(
            "the model could not be written to {}.".format(path),
            why="{}: {}".format(type(exc).__name__, brief(exc)),
            hint="nothing was written; the exception above has the original message.",
            path=path,
        )

    @classmethod
    def unfed_placeholder(cls, path: str, placeholder: str) -> LoadError:
        return cls(
            "{} needs a value for {!r}, which is not an input of the signature.".format(path, placeholder),
            why="The outputs depend on a placeholder that the signature does not list, so no call can feed it.",
            hint="have the model exported again with the placeholder as an input, or with a constant in its place.",
            path=path,
            placeholder=placeholder,
        )

    @classmethod
    def uninitialized_table(cls, path: str, exc: BaseException, eager: bool) -> LoadError:
        return cls(
            "{} uses a lookup table that is not initialized.".format(path),
            why="The model holds no initializer that could be run when it was loaded."
            if eager
            else "{}: {}".format(type(exc).__name__, brief(exc)),
            hint="have the model exported again, with the table's initializer as its main op."
            if eager
            else "in graph runtimes call model.initialize(session) once, before the first run.",
            path=path,
        )
