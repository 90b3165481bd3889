"""What the user names a model by, read once and never changed.

Only the spelling is looked at here: no disk, no network, so that a handle reads the same on every machine. Whether
something is there is for the sources to find out; a handle prints as it was written, in errors and in saved models.
"""
from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from unihub._vocabulary import Word
from unihub.errors import HandleError

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar")

# Two letters at least: "C:/models" is a path on Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FILE_URL = re.compile(r"file:(?://([^/]*)|(?!//))(/.*)", re.IGNORECASE | re.DOTALL)
# What is left of a URL that went through pathlib.Path().
_ONE_SLASH = re.compile(r"(https?|gs|s3):/(?!/)", re.IGNORECASE)
# By its framework, or every path of four names would be taken for a model on Kaggle.
_KAGGLE = re.compile(
    r"[\w-]+/[\w.-]+/(tensorflow[12]|tfjs|tflite|keras|jax|flax|pytorch|onnx|transformers|scikitlearn|other)"
    r"/[\w.-]+(/\d+)?",
    re.IGNORECASE,
)


class Kind(Word):
    """What a handle is, by its spelling."""

    DIRECTORY = "directory"
    ARCHIVE = "archive"
    URL = "url"
    BUCKET = "bucket"
    KAGGLE = "kaggle"


_KINDS_OF_SCHEMES = {"http": Kind.URL, "https": Kind.URL, "gs": Kind.BUCKET, "s3": Kind.BUCKET}


@dataclass(frozen=True)
class Handle:
    """A parsed handle.

    Attributes:
        kind: What it is, by its spelling.
        text: What the user wrote.
    """

    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, handle: Any) -> Handle:
        """Reads a handle.

        Args:
            handle: A ``str``, ``bytes`` or ``os.PathLike``, or a ``Handle``, which is given back.

        Returns:
            The parsed handle; printed, it is the text that was parsed.

        Raises:
            HandleError: It can name no model, whatever lies on the disk.
        """
        if isinstance(handle, cls):
            return handle
        text = _text(handle)
        return cls(_kind(text), text)

    @property
    def scheme(self) -> str:
        """The lower-case scheme of a URL, or nothing."""
        return _scheme(self.text)

    @property
    def path(self) -> str:
        """The absolute path this may be on disk; nothing for what can be none."""
        return "" if self.kind in (Kind.URL, Kind.BUCKET) else os.path.abspath(_path(self.text))


def _text(handle: Any) -> str:
    if not isinstance(handle, (str, bytes, os.PathLike)):
        raise HandleError.not_a_place(handle)
    text = os.fsdecode(handle)
    if not text.strip():
        raise HandleError.empty(text)
    return text


def _kind(text: str) -> Kind:
    if _ONE_SLASH.match(text):
        raise HandleError.one_slash(text)
    scheme = _scheme(text)
    if scheme and scheme != "file":
        if scheme not in _KINDS_OF_SCHEMES:
            raise HandleError.unknown_scheme(text, scheme)
        path, kind = text, _KINDS_OF_SCHEMES[scheme]
    else:
        path = _path(text)
        kind = _kind_of_path(path)
    if "\0" in path:
        raise HandleError.nul(text)
    return kind


def _kind_of_path(path: str) -> Kind:
    if path.lower().endswith(ARCHIVE_SUFFIXES):
        return Kind.ARCHIVE
    return Kind.KAGGLE if _KAGGLE.fullmatch(path) else Kind.DIRECTORY


def _scheme(text: str) -> str:
    match = _SCHEME.match(text)
    return match.group(1).lower() if match else ""


def _path(text: str) -> str:
    url = _FILE_URL.fullmatch(text)
    if url is None:
        if _scheme(text) == "file":
            raise HandleError.file_url_without_path(text)
        return os.path.expanduser(text)
    host, path = url.groups()
    if host and host.lower() != "localhost":
        raise HandleError.other_machine(text, host)
    return _unquoted(path)


def _unquoted(path: str) -> str:
    if os.name == "nt":
        # Drive letters; imported here for it brings the whole of the HTTP client.
        from urllib.request import url2pathname

        return url2pathname(path)
    # As bytes, for a file's name need not be UTF-8.
    return os.fsdecode(unquote_to_bytes(path))
