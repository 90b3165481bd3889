"""The places a model can come from, one class each, asked in the order of ``SOURCES``.

The first that recognises a handle serves it; no other is tried after it. Recognising may look at the disk but
never at the network. What exists on this machine comes first, so that a name never means less than it says.
"""
from __future__ import annotations

import abc
import os
import stat
from typing import Tuple

from unihub._formats import graph_file
from unihub._resolve.archive import extract, is_archive
from unihub._resolve.handle import Handle, Kind
from unihub.errors import DownloadError, HandleError


class Source(abc.ABC):
    """A kind of place."""

    @abc.abstractmethod
    def recognises(self, handle: Handle) -> bool:
        """Whether this source is the one to serve the handle."""

    @abc.abstractmethod
    def fetch(self, handle: Handle) -> str:
        """The absolute path of the model's directory."""


class Directory(Source):
    """A directory on this machine."""

    def recognises(self, handle: Handle) -> bool:
        """Whether it is there."""
        return os.path.isdir(handle.path)

    def fetch(self, handle: Handle) -> str:
        """The directory itself."""
        return handle.path


class Archive(Source):
    """An archive on this machine, whatever its name."""

    def recognises(self, handle: Handle) -> bool:
        """Whether it is there, and either calls itself an archive or is one."""
        return os.path.isfile(handle.path) and (handle.kind is Kind.ARCHIVE or is_archive(handle.path))

    def fetch(self, handle: Handle) -> str:
        """The model's directory in the cache."""
        return extract(handle.path)


class Web(Source):
    """A URL, which tensorflow_hub fetches into its own cache."""

    def recognises(self, handle: Handle) -> bool:
        """Whether it is spelled so."""
        return handle.kind is Kind.URL

    def fetch(self, handle: Handle) -> str:
        """The model's directory in the cache of tensorflow_hub."""
        from unihub import _compat

        hub = _compat.import_tensorflow_hub()
        try:
            return os.path.abspath(os.fsdecode(hub.resolve(handle.text)))
        # tensorflow_hub lets through whatever urllib, http, ssl, tarfile and TensorFlow's file system raise.
        except Exception as error:
            raise DownloadError.through_tensorflow_hub(handle.text, error) from error


class Bucket(Source):
    """A cloud bucket."""

    def recognises(self, handle: Handle) -> bool:
        """Whether it is spelled so."""
        return handle.kind is Kind.BUCKET

    def fetch(self, handle: Handle) -> str:
        """Raises HandleError, with the command that copies the model."""
        raise HandleError.bucket(handle.text, handle.scheme)


class Kaggle(Source):
    """A model on Kaggle, by its name there."""

    def recognises(self, handle: Handle) -> bool:
        """Whether it is spelled so."""
        return handle.kind is Kind.KAGGLE

    def fetch(self, handle: Handle) -> str:
        """Raises HandleError, with the call that downloads the model."""
        raise HandleError.kaggle(handle.text)


class Nothing(Source):
    """What is left: a file that is no model, or no file at all."""

    def recognises(self, handle: Handle) -> bool:
        """Always."""
        return True

    def fetch(self, handle: Handle) -> str:
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
        # It knows other formats by sight, and the names beside one that is missing.
        return os.path.dirname(graph_file(handle.path))


SOURCES: Tuple[Source, ...] = (Directory(), Archive(), Web(), Bucket(), Kaggle(), Nothing())
