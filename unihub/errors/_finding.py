"""Errors about the handle, and about what it names not being there."""

from __future__ import annotations

import os
from typing import Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import closest, first_few


class HandleError(UnihubError, ValueError):
    """The handle cannot name a model."""

    @classmethod
    def not_a_place(cls, handle: object) -> HandleError:
        """The handle has a type that is not accepted."""
        kind = type(handle).__name__
        return cls(
            "a handle cannot be of type {}.".format(kind),
            why="A handle is a str, bytes, or a path such as pathlib.Path.",
            hint="Pass the directory, archive or URL of the model. A callable or a hub.ModuleSpec is already a "
            "model and needs no resolving: pass it to unihub.load.",
            type=kind,
        )

    @classmethod
    def empty(cls, handle: str) -> HandleError:
        """The handle is empty or blank."""
        return cls(
            "the handle {!r} is empty.".format(handle),
            why="An empty string names no model; most often a variable was never set.",
            hint="Pass the directory, archive or URL of the model; the current directory is '.'.",
            handle=handle,
        )

    @classmethod
    def nul(cls, handle: str) -> HandleError:
        """The handle holds a NUL byte."""
        return cls(
            "the handle {!r} holds a NUL byte.".format(handle),
            why="No path can hold one; the text was probably read from a binary file.",
            hint="Remove it, with handle.replace('\\0', '') for instance.",
            handle=handle,
        )

    @classmethod
    def one_slash(cls, handle: str) -> HandleError:
        """The handle is a URL that lost a slash."""
        return cls(
            "the URL {!r} has lost a slash.".format(handle),
            why="It went through pathlib.Path or os.path.normpath, which collapse two slashes into one.",
            hint="Pass {!r} as a str.".format(handle.replace(":/", "://", 1)),
            handle=handle,
        )

    @classmethod
    def unknown_scheme(cls, handle: str, scheme: str) -> HandleError:
        """The handle is a URL whose scheme unihub cannot read."""
        return cls(
            "unihub cannot read {}:// URLs ({}).".format(scheme, handle),
            why="Supported are file://, http://, https:// and the schemes that fsspec knows.",
            hint="Copy the model to a local directory and pass that.",
            handle=handle,
            scheme=scheme,
        )

    @classmethod
    def other_machine(cls, handle: str, host: str) -> HandleError:
        """The handle is a file URL with the name of another host."""
        return cls(
            "the file URL {} names the host {!r}.".format(handle, host),
            why="The part between file:// and the next slash is a host name, and only local files can be read.",
            hint="Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.",
            handle=handle,
            host=host,
        )

    @classmethod
    def file_url_without_path(cls, handle: str) -> HandleError:
        """The handle is a file URL without a path."""
        return cls(
            "the file URL {} has no path.".format(handle),
            why="The part between file:// and the next slash is a host name, and nothing follows it.",
            hint="Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.",
            handle=handle,
        )

    @classmethod
    def bad_url(cls, handle: str, reason: str) -> HandleError:
        """The handle begins like a URL, but is not a valid one."""
        return cls(
            "{} is not a valid URL.".format(handle),
            why="{}.".format(reason.rstrip(".")),
            hint="Copy the address from a browser, or from the model's page.",
            handle=handle,
            reason=reason,
        )

    @classmethod
    def no_kaggle_model(cls, handle: str) -> HandleError:
        """The handle begins like the name of a model on Kaggle, but is incomplete."""
        return cls(
            "{} does not name a model on Kaggle.".format(handle),
            why="A model there has an owner, a name, a framework and a variation, and may have a version.",
            hint="Open the model's page on www.kaggle.com, choose framework, variation and version, and pass what its "
            "download button shows, as in kaggle:google/nnlm/tensorFlow2/en-dim50/1.",
            handle=handle,
        )

    @classmethod
    def bad_pin(cls, handle: str, digest: str) -> HandleError:
        """The text after @sha256: is not a digest."""
        return cls(
            "the pin of {} is not a SHA-256 digest.".format(handle),
            why="A digest has 64 hexadecimal digits; this one has {} characters.".format(len(digest)),
            hint="Pass what sha256sum prints for the archive, or what unihub cache ls prints for the content.",
            handle=handle,
            digest=digest,
        )

    @classmethod
    def unusable(cls, handle: str, reason: str) -> HandleError:
        """The handle names something on disk that cannot be opened as a model."""
        return cls(
            "{} cannot be used as a model.".format(handle),
            why=reason,
            hint="Pass a directory or an archive that this user may read.",
            handle=handle,
            reason=reason,
        )

    @classmethod
    def not_a_target(cls, target: object) -> HandleError:
        """The directory to be written is not a path."""
        return cls(
            "{!r} is not a directory to write to.".format(target),
            why="A model is written to a directory, named by a str or a pathlib path.",
            hint="Pass the path of a directory that does not exist yet.",
        )

    @classmethod
    def exists(cls, path: str) -> HandleError:
        """The directory to be written already exists."""
        return cls(
            "{} exists already.".format(path),
            why="Writing there would overwrite its content or mix with it.",
            hint="Choose another directory, or delete this one first; unihub.save takes overwrite=True.",
            path=path,
        )

    @classmethod
    def not_a_number(cls, variable: str, value: str, unit: str, otherwise: int) -> HandleError:
        """An environment variable that sets a limit is not a number."""
        return cls(
            "the environment variable {} is {!r}.".format(variable, value),
            why="It has to be a whole number of {}.".format(unit),
            hint="Set it to a whole number, such as the default {}; or unset it.".format(otherwise),
            variable=variable,
            value=value,
        )


class ModelNotFoundError(UnihubError, FileNotFoundError):
    """There is no model at the path that the handle names."""

    @classmethod
    def missing_path(cls, path: str, parent: str, siblings: Sequence[str]) -> ModelNotFoundError:
        """There is no such file or directory.

        Args:
            path: The path that was requested.
            parent: The nearest directory above it that exists.
            siblings: The names in that directory.
        """
        step = os.path.relpath(path, parent).split(os.sep)[0]
        return cls(
            "there is no model at {}.".format(path),
            why="No such file or directory; of the directories above it, {} exists and holds {}.".format(
                parent, first_few(sorted(siblings))
            ),
            hint="Check the path." + closest(step, siblings),
            path=path,
            parent=parent,
        )

    @classmethod
    def not_in_cache(cls, name: str, cache: str) -> ModelNotFoundError:
        """The cache has no such entry."""
        return cls(
            "{} is not in the cache.".format(name),
            why="No entry at {} has that name, or was fetched for that handle.".format(cache),
            hint="unihub cache ls lists the entries.",
            name=name,
            cache=cache,
        )

    @classmethod
    def no_checkpoint(cls, checkpoint: str) -> ModelNotFoundError:
        """There is no such checkpoint."""
        return cls(
            "there is no checkpoint at {}.".format(checkpoint),
            why="Neither {0}.index nor a checkpoint's directory of that name exists.".format(checkpoint),
            hint="Pass what Saver.save returned: the name of the checkpoint's files up to .index and .data-*.",
            checkpoint=checkpoint,
        )
