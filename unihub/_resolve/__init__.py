"""The first step of the way: from what the user names a model by to a directory on this machine.

The result is always an absolute path of a directory that exists. What lies in it is not looked at: naming the
formats is the next step's work.
"""
from __future__ import annotations

from typing import Any

from unihub._resolve.handle import Handle
from unihub._resolve.sources import SOURCES

__all__ = ["resolve"]


def resolve(handle: Any) -> str:
    """Finds the directory of a model, fetching or unpacking it first where needed.

    Args:
        handle: A directory or an archive (``.tar.gz``, ``.tgz``, ``.tar``), as ``str``, ``bytes``, ``os.PathLike`` or
            ``file://`` URL; or an ``http://`` or ``https://`` URL, which tensorflow_hub fetches.

    Returns:
        The absolute path of the directory.

    Raises:
        HandleError: The handle names no model.
        ModelNotFoundError: Nothing is at that path.
        UnknownFormatError: At that path is a file that is no archive; the error says what it is.
        IntegrityError: The archive is damaged, too large, or would write outside its directory; or at that path is
            only the pointer to a file that was not fetched.
        DownloadError: The model could not be fetched, or not be unpacked into the cache.
        RuntimeUnavailableError: A URL needs tensorflow_hub, which cannot be imported.

    Example:
        >>> import tempfile
        >>> directory = tempfile.mkdtemp()
        >>> resolve("file://" + directory) == directory
        True
    """
    parsed = Handle.parse(handle)
    source = next(source for source in SOURCES if source.recognises(parsed))
    return source.fetch(parsed)
