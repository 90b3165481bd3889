"""What was fetched or unpacked once, kept between processes.

An entry is a directory that appears whole or not at all: it is filled in a private place beside its own and then
renamed, which every file system does in one step. So no lock is needed; of two processes that fill the same entry one
wins and the other uses the winner's. A process that is killed leaves its private place behind, and a later one
removes it.
"""
from __future__ import annotations

import os
import shutil
import tempfile
import time
from typing import Callable

_PRIVATE = ".filling-"
# No honest filling takes that long.
_ABANDONED_AFTER_SECONDS = 24 * 60 * 60


def root() -> str:
    """The cache's directory: ``UNIHUB_CACHE_DIR``, else where this operating system keeps caches."""
    chosen = os.environ.get("UNIHUB_CACHE_DIR")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    import platformdirs

    return platformdirs.user_cache_dir("unihub")


def entry(group: str, name: str, fill: Callable[[str], None]) -> str:
    """The directory of an entry, filled first if it is not there.

    Args:
        group: The kind of entry, a directory below the root.
        name: What tells the entry from all others of its group.
        fill: Is given an empty directory to fill; what it raises is raised here, and nothing is kept.

    Returns:
        The absolute path of the entry.
    """
    shelf = os.path.join(root(), group)
    place = os.path.join(shelf, name)
    if not os.path.isdir(place):
        os.makedirs(shelf, exist_ok=True)
        _remove_abandoned(shelf)
        _fill(shelf, place, fill)
    return place


def _fill(shelf: str, place: str, fill: Callable[[str], None]) -> None:
    private = tempfile.mkdtemp(prefix=_PRIVATE, dir=shelf)
    try:
        # A directory inside it, for mkdtemp's own can be read by nobody else, and a cache may be shared.
        content = os.path.join(private, "content")
        os.mkdir(content)
        fill(content)
        _publish(content, place)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _publish(content: str, place: str) -> None:
    try:
        os.rename(content, place)
    except OSError:
        if not os.path.isdir(place):
            raise


def _remove_abandoned(shelf: str) -> None:
    oldest = time.time() - _ABANDONED_AFTER_SECONDS
    for name in os.listdir(shelf):
        private = os.path.join(shelf, name)
        if name.startswith(_PRIVATE) and _modified(private) < oldest:
            shutil.rmtree(private, ignore_errors=True)


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        # Its owner has just finished.
        return time.time()
