"""What was fetched or unpacked once, kept between processes.

An entry is a directory that appears whole or not at all: it is filled in a private place beside its own and then
renamed, which every file system does in one step. So no lock is needed; of two processes that fill the same entry one
wins and the other uses the winner's. A process that is killed leaves its private place behind, and the next one that
fills an entry removes it; what was downloaded of the same entry it takes over.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import os
import shutil
import socket
import tempfile
import time
from typing import Callable, Iterator, List

from unihub._resolve import settings

# The kinds of entries: archives on this machine, models from elsewhere, and parts of models.
GROUPS = ("archives", "models", "parts")

_PRIVATE = ".filling-"
# In the place of the owner's name, where a process left what it downloaded for the next one.
_NOBODY = "nobody"
_DOWNLOAD = "download"
# No honest filling takes that long.
_ABANDONED_AFTER_SECONDS = 24 * 60 * 60


def root() -> str:
    """The cache's directory: ``UNIHUB_CACHE_DIR``, else where this operating system keeps caches."""
    chosen = os.environ.get(settings.CACHE_DIR)
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    import platformdirs

    return platformdirs.user_cache_dir("unihub")


def place_of(group: str, name: str) -> str:
    """Where an entry is, or would be."""
    return os.path.join(root(), group, name)


def entry(group: str, name: str, fill: Callable[[str], None]) -> str:
    """The directory of an entry, filled first if it is not there.

    Args:
        group: The kind of entry, a directory below the root.
        name: What tells the entry from all others of its group.
        fill: Is given an empty directory to fill; what it raises is raised here, and nothing is kept.

    Returns:
        The absolute path of the entry.
    """
    place = place_of(group, name)
    if not os.path.isdir(place):
        with private(place) as own:
            fill(own.entry)
            own.publish(os.path.isdir)
    return place


def remove(path: str) -> None:
    """Removes an entry, or a private place that is nobody's: at once, for whoever looks."""
    shelf, name = os.path.split(path)
    if not name.startswith(_PRIVATE):
        private_path = _make_private(shelf, name)
        os.rename(path, os.path.join(private_path, "removed"))
        path = private_path
    shutil.rmtree(path)


class Private:
    """The private place of one process beside that of an entry.

    Attributes:
        entry: The directory that becomes the entry.
        download: A directory for what is on its way, made by who uses it. Where a process fails in the middle it is
            kept a while, for the next one to go on with.
    """

    def __init__(self, path: str, place: str) -> None:
        self._path = path
        self._place = place
        # A directory inside, for mkdtemp's own can be read by nobody else, and a cache may be shared.
        self.entry = os.path.join(path, "entry")
        self.download = os.path.join(path, _DOWNLOAD)

    def publish(self, is_whole: Callable[[str], bool]) -> None:
        """Makes it the entry; unless another process was faster, and its entry is whole."""
        for attempt in range(3):
            try:
                os.rename(self.entry, self._place)
                return
            except OSError as error:
                if is_whole(self._place):
                    return
                refused = error
            # What is there is damaged, or another process is just replacing it too.
            with contextlib.suppress(FileNotFoundError):
                os.rename(self._place, "{}-replaced-{}".format(self.entry, attempt))
        raise refused


@contextlib.contextmanager
def private(place: str) -> Iterator[Private]:
    """A private place to fill an entry in; at the end all of it goes but what was not wholly downloaded."""
    shelf, name = os.path.split(place)
    os.makedirs(shelf, exist_ok=True)
    path = _make_private(shelf, name)
    own = Private(path, place)
    try:
        os.mkdir(own.entry)
        same = "{}{}-".format(_PRIVATE, name)
        _take_over(own, [other for other in _private_places(shelf) if os.path.basename(other).startswith(same)])
        _remove_abandoned(shelf)
        yield own
    finally:
        _leave(path)


def abandoned(shelf: str) -> List[str]:
    """The private places on a shelf that are nobody's any more."""
    return [path for path in _private_places(shelf) if _is_abandoned(path)]


def is_recent(path: str) -> bool:
    """Whether something was written at a place within the last day, longer than which nobody fills one."""
    times = [_modified(path)]
    for parent, _, names in os.walk(path):
        times += [_modified(os.path.join(parent, name)) for name in names]
    return max(times) > time.time() - _ABANDONED_AFTER_SECONDS


def _make_private(shelf: str, name: str) -> str:
    """A new private place, whose name says whose it is: a process can be killed at any moment, also at the first."""
    process = os.getpid()
    owner = "{}.{}.{}".format(_machine(), process, _start_of(process))
    return tempfile.mkdtemp(prefix="{}{}-{}-".format(_PRIVATE, name, owner), dir=shelf)


def _private_places(shelf: str) -> List[str]:
    return [os.path.join(shelf, name) for name in os.listdir(shelf) if name.startswith(_PRIVATE)]


def _is_abandoned(path: str) -> bool:
    owner = _owner(path)
    return owner is _Owner.GONE or (owner is _Owner.ELSEWHERE and not is_recent(path))


def _remove_abandoned(shelf: str) -> None:
    for path in abandoned(shelf):
        if is_recent(path):
            _leave(path)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _take_over(own: Private, others: List[str]) -> None:
    """Goes on with what a process that is no more has downloaded of the same entry."""
    for path in others:
        if _owner(path) is _Owner.GONE:
            # Of several processes that try, one has it.
            with contextlib.suppress(OSError):
                os.rename(os.path.join(path, _DOWNLOAD), own.download)
                shutil.rmtree(path, ignore_errors=True)
                return


def _leave(path: str) -> None:
    """Removes a private place, but not a download to go on with."""
    if not os.path.isdir(os.path.join(path, _DOWNLOAD)):
        shutil.rmtree(path, ignore_errors=True)
        return
    # Another process may do the same, or have taken the download already.
    with contextlib.suppress(OSError):
        for name in set(os.listdir(path)) - {_DOWNLOAD}:
            shutil.rmtree(os.path.join(path, name), ignore_errors=True)
        shelf, name = os.path.split(path)
        entry_name, _, random = name.rsplit("-", 2)
        os.rename(path, os.path.join(shelf, "-".join((entry_name, _NOBODY, random))))


def _machine() -> str:
    """Where process numbers mean the same: containers may share a name and a disk."""
    name = socket.gethostname()
    with contextlib.suppress(OSError):
        name += os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(name.encode()).hexdigest()[:16]


class _Owner(enum.Enum):
    """What is known of the process that fills a private place."""

    RUNS = 1
    GONE = 2
    ELSEWHERE = 3


def _owner(path: str) -> _Owner:
    owner = os.path.basename(path).split("-")[-2:][0]
    if owner == _NOBODY:
        return _Owner.GONE
    machine, _, process = owner.partition(".")
    if machine != _machine():
        return _Owner.ELSEWHERE
    number, _, start = process.partition(".")
    return _Owner.RUNS if _runs(int(number)) and _start_of(int(number)) == start else _Owner.GONE


def _runs(process: int) -> bool:
    if os.name == "nt":
        return True  # os.kill() would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _start_of(process: int) -> str:
    """When a process was started, as numbers of processes come again; nothing where the system does not say."""
    try:
        with open("/proc/{}/stat".format(process), encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        # Its owner has just finished.
        return time.time()
