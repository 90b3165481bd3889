"""What a kind of place that models come from has to offer."""

from __future__ import annotations

import abc
import os
from typing import Callable, Optional

from unihub._resolve import cache, entries
from unihub._resolve.entries import Origin
from unihub._resolve.handle import Handle
from unihub.errors import DownloadError, UnihubError


class Source(abc.ABC):
    """A kind of place.

    Attributes:
        online: Whether it opens a connection.
        final: Whether no other is asked when it fails, because the model can be nowhere else.
    """

    online = False
    final = False

    @abc.abstractmethod
    def recognises(self, handle: Handle) -> bool:
        """Whether the handle may name something there; looks at the disk at most."""

    @abc.abstractmethod
    def locate(self, handle: Handle) -> Optional[str]:
        """The absolute path of the model's directory, fetched first where needed; ``None`` if it is not there.

        Raises:
            DownloadError: It could not be fetched, and why.
            IntegrityError: What is there is not right.
            RuntimeUnavailableError: A package is missing for that.
        """


def fetch(handle: Handle, fill: Callable[[str, str], Origin]) -> str:
    """The model's directory in the cache, filled first if it is not there or not whole.

    Args:
        handle: The handle.
        fill: As for ``entries.fetched``.

    Raises:
        DownloadError: It cannot be fetched, or the cache not be written.
        IntegrityError: What came is not right.
    """
    try:
        return entries.fetched(entries.MODELS, handle.entry, fill, str(handle), handle.pin)
    except OSError as error:
        if isinstance(error, UnihubError):
            raise
        raise DownloadError.cannot_write(str(handle), cache.root(), str(error)) from error


def empty(directory: str) -> None:
    """Removes what is in a directory."""
    import shutil

    shutil.rmtree(directory)
    os.mkdir(directory)
