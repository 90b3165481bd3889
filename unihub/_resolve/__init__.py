"""The first step of the way: from what the user names a model by to a directory on this machine.

The result is always an absolute path of a directory that exists. What lies in it is not looked at: naming the
formats is the next step's work.
"""

from __future__ import annotations

from typing import Optional

from unihub._resolve import settings
from unihub._resolve.handle import Handle
from unihub._resolve.sources import locate

__all__ = ["resolve"]


def resolve(handle: object, *, offline: Optional[bool] = None) -> str:
    """Finds the directory of a model, fetching or unpacking it first where needed.

    Args:
        handle: A directory or an archive (``.tar.gz``, ``.tgz``, ``.tar``, ``.zip``), as ``str``, ``bytes``,
            ``os.PathLike`` or ``file://`` URL; an ``http://`` or ``https://`` URL of an archive, or of a model on
            tfhub.dev, Kaggle or any server that follows the hosting protocol of TensorFlow Hub; the name of a model
            on Kaggle, ``owner/model/framework/variation[/version]``; or a URL that fsspec reads, such as ``gs://`` and
            ``s3://``. With ``@sha256:...`` behind it, it must have that content.
        offline: Whether to use what is on this machine only; by default, whether ``UNIHUB_OFFLINE`` is set.

    Returns:
        The absolute path of the directory.

    Raises:
        HandleError: The handle names no model.
        ModelNotFoundError: Nothing is at that path.
        UnknownFormatError: The handle, or the file at that path, is something else; the error says what.
        IntegrityError: What is there is damaged, too large, would write outside its directory, or is not what was
            pinned; or it is only the pointer to a file that was not fetched.
        DownloadError: The model could not be fetched, or not be put into the cache.
        RuntimeUnavailableError: A package that reads such a URL is missing.

    Example:
        >>> import tempfile
        >>> directory = tempfile.mkdtemp()
        >>> resolve("file://" + directory) == directory
        True
    """
    return locate(Handle.parse(handle), settings.flag(settings.OFFLINE) if offline is None else offline)
