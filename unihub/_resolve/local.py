"""What is on this machine, and what is told from the handle alone."""

from __future__ import annotations

import os
import stat

from unihub._resolve import entries
from unihub._resolve.handle import Handle, Kind
from unihub._resolve.source import Source
from unihub._saved_model.formats import graph_file
from unihub.errors import HandleError, UnknownFormatError


class Directory(Source):
    """A directory on this machine."""

    final = True

    def recognises(self, handle: Handle) -> bool:
        """Whether it is there."""
        return os.path.isdir(handle.path)

    def locate(self, handle: Handle) -> str:
        """The directory itself."""
        return entries.pinned(handle, handle.path)


class Archive(Source):
    """An archive on this machine, whatever its name."""

    final = True

    def recognises(self, handle: Handle) -> bool:
        """Whether it is there, and either calls itself an archive or is one."""
        if not os.path.isfile(handle.path):
            return False
        # Here, as what reads archives imports much that a directory needs nothing of.
        from unihub._resolve.archive import is_archive

        return handle.kind is Kind.ARCHIVE or is_archive(handle.path)

    def locate(self, handle: Handle) -> str:
        """The model's directory in the cache."""
        from unihub._resolve.archive import extract

        return extract(handle.path, handle.pin)


class OtherFormat(Source):
    """What is no SavedModel, as its handle says."""

    final = True

    def recognises(self, handle: Handle) -> bool:
        """Whether the handle says so."""
        return bool(handle.other_format)

    def locate(self, handle: Handle) -> str:
        """Raises UnknownFormatError, with the call to use instead."""
        name = str(handle.kaggle) if handle.kaggle else ""
        raise UnknownFormatError.named_by_handle(str(handle), handle.other_format, name)


class MissingPath(Source):
    """A path that no other source accepts: a file that is not a model, or no file at all."""

    final = True

    def recognises(self, handle: Handle) -> bool:
        """Whether the handle can only be a path."""
        return handle.kind in (Kind.DIRECTORY, Kind.ARCHIVE)

    def locate(self, handle: Handle) -> str:
        """Raises the error that says what is there instead."""
        try:
            regular = stat.S_ISREG(os.stat(handle.path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            regular = True
        except OSError as error:
            raise HandleError.unusable(handle.text, "{}.".format(error.strerror)) from error
        # Reading a pipe to see what it is could wait forever.
        if not regular:
            raise HandleError.unusable(handle.text, "It is neither a directory nor a regular file.")
        # graph_file raises the error: it recognizes other formats, and suggests names beside a missing one.
        return os.path.dirname(graph_file(handle.path))
