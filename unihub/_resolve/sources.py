"""The places a model can come from, asked in the order of ``SOURCES``; the first that has it wins.

What exists on this machine comes first, so that a name never means less than it says; then what was fetched before;
then where it can be fetched from. One that does not have the model, or does not give it, leaves it to the next.
"""

from __future__ import annotations

import shlex
from typing import List, Tuple

from unihub._resolve import cache, entries, redirects
from unihub._resolve.bucket import Bucket
from unihub._resolve.handle import Handle
from unihub._resolve.http import Hosted
from unihub._resolve.kaggle import Kaggle
from unihub._resolve.local import Archive, Directory, MissingPath, OtherFormat
from unihub._resolve.other_caches import Cached, HubCache, KaggleCache
from unihub._resolve.source import Source
from unihub.errors import DownloadError, IntegrityError, RuntimeUnavailableError, UnihubError, UnknownFormatError

SOURCES: Tuple[Source, ...] = (
    Directory(),
    Archive(),
    OtherFormat(),
    Cached(),
    HubCache(),
    KaggleCache(),
    Kaggle(),
    Hosted(),
    Bucket(),
    MissingPath(),
)

_FAILURES = (DownloadError, IntegrityError, RuntimeUnavailableError, UnknownFormatError)


def locate(handle: Handle, offline: bool) -> str:
    """The directory of a model, from the first source that has it.

    Args:
        handle: The handle.
        offline: Whether to leave out the sources that open connections.

    Raises:
        UnihubError: None has it; the error says what each answered.
    """
    failures: List[UnihubError] = []
    for source in SOURCES:
        if source.recognises(handle) and not (offline and source.online):
            try:
                directory = source.locate(handle)
            except _FAILURES as error:
                if source.final:
                    raise
                failures.append(error)
            else:
                if directory:
                    return directory
    raise _failure(handle, offline, failures)


def _failure(handle: Handle, offline: bool, failures: List[UnihubError]) -> UnihubError:
    """The error for a handle that no source has."""
    command = "unihub resolve {}".format(shlex.quote(str(handle)))
    wrong = [failure for failure in failures if isinstance(failure, IntegrityError)]
    if wrong or (len(failures) == 1 and not isinstance(failures[0], DownloadError)):
        error = (wrong or failures)[-1]
    elif offline:
        error = DownloadError.offline(str(handle), cache.entry_path(entries.MODELS, handle.entry), command)
    else:
        moved = redirects.known(handle)
        kaggle = str((moved or handle).kaggle or "")
        error = DownloadError.nowhere(str(handle), failures, kaggle, command)
    if failures and failures[-1] is not error:
        error.__cause__ = failures[-1]
    return error
