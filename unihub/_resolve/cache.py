"""The cache of fetched and unpacked models, shared by processes.

The cache is atomic: every entry is complete or absent. A process fills a staging directory beside the entry and
renames it, which every file system does in one step. So no lock is needed: when two processes fill the same entry, the
first one wins and the other uses its result. A killed process leaves its staging directory behind. The next process
that fills an entry removes it, and takes over a partial download of the same entry.
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

# The kinds of entries: archives on this machine, models from elsewhere, and subsets of models.
GROUPS = ("archives", "models", "parts")

_STAGING = ".filling-"
# Stands for the owner of a partial download that a process left for the next one.
_UNOWNED = "nobody"
_DOWNLOAD = "download"
# Filling an entry never takes that long.
_ABANDONED_AFTER_SECONDS = 24 * 60 * 60


def root() -> str:
    """The cache's directory: ``UNIHUB_CACHE_DIR``, else where this operating system keeps caches."""
    chosen = os.environ.get(settings.CACHE_DIR)
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    import platformdirs

    return platformdirs.user_cache_dir("unihub")


def entry_path(group: str, name: str) -> str:
    """The path of an entry, whether it exists or not."""
    return os.path.join(root(), group, name)


def entry(group: str, name: str, fill: Callable[[str], None]) -> str:
    """The directory of an entry, filled first if it is absent.

    Args:
        group: The kind of entry, a directory below the root.
        name: What tells the entry from all others of its group.
        fill: Is given an empty directory to fill; what it raises is raised here, and nothing is kept.

    Returns:
        The absolute path of the entry.
    """
    path = entry_path(group, name)
    if not os.path.isdir(path):
        with staging(path) as own:
            fill(own.entry)
            own.publish(os.path.isdir)
    return path


def remove(path: str) -> None:
    """Removes an entry, or an abandoned staging directory; to other processes an entry disappears at once."""
    shelf, name = os.path.split(path)
    if not name.startswith(_STAGING):
        staging_path = _make_staging(shelf, name)
        os.rename(path, os.path.join(staging_path, "removed"))
        path = staging_path
    shutil.rmtree(path)


class Staging:
    """The staging directory in which one process fills an entry.

    Attributes:
        entry: The directory that becomes the entry.
        download: A directory for partial downloads, created by the code that needs it. After a failure it is kept for
            24 hours, so that the next process can resume.
    """

    def __init__(self, path: str, target: str) -> None:
        self._path = path
        self._target = target
        # A subdirectory, because only the owner can read what mkdtemp creates, and a cache may be shared.
        self.entry = os.path.join(path, "entry")
        self.download = os.path.join(path, _DOWNLOAD)

    def publish(self, is_complete: Callable[[str], bool]) -> None:
        """Makes this the entry, unless another process was faster and its entry is complete."""
        for attempt in range(3):
            try:
                os.rename(self.entry, self._target)
                return
            except OSError as error:
                if is_complete(self._target):
                    return
                refused = error
            # The existing entry is damaged, or another process is replacing it as well.
            with contextlib.suppress(FileNotFoundError):
                os.rename(self._target, "{}-replaced-{}".format(self.entry, attempt))
        raise refused


@contextlib.contextmanager
def staging(target: str) -> Iterator[Staging]:
    """A staging directory for an entry; at the end everything in it is removed except a partial download."""
    shelf, name = os.path.split(target)
    os.makedirs(shelf, exist_ok=True)
    path = _make_staging(shelf, name)
    own = Staging(path, target)
    try:
        os.mkdir(own.entry)
        same = "{}{}-".format(_STAGING, name)
        _take_over(own, [other for other in _staging_paths(shelf) if os.path.basename(other).startswith(same)])
        _remove_abandoned(shelf)
        yield own
    finally:
        _leave(path)


def abandoned(shelf: str) -> List[str]:
    """The staging directories on a shelf whose process is gone."""
    return [path for path in _staging_paths(shelf) if _is_abandoned(path)]


def is_recent(path: str) -> bool:
    """Whether anything below a path was written within the last 24 hours; filling an entry takes less."""
    times = [_modified(path)]
    for parent, _, names in os.walk(path):
        times += [_modified(os.path.join(parent, name)) for name in names]
    return max(times) > time.time() - _ABANDONED_AFTER_SECONDS


def _make_staging(shelf: str, name: str) -> str:
    """A new staging directory. Its name holds its owner, since a process can be killed right after creating it."""
    process = os.getpid()
    owner = "{}.{}.{}".format(_machine(), process, _start_of(process))
    return tempfile.mkdtemp(prefix="{}{}-{}-".format(_STAGING, name, owner), dir=shelf)


def _staging_paths(shelf: str) -> List[str]:
    return [os.path.join(shelf, name) for name in os.listdir(shelf) if name.startswith(_STAGING)]


def _is_abandoned(path: str) -> bool:
    owner = _owner(path)
    return owner is _Owner.GONE or (owner is _Owner.ELSEWHERE and not is_recent(path))


def _remove_abandoned(shelf: str) -> None:
    for path in abandoned(shelf):
        if is_recent(path):
            _leave(path)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _take_over(own: Staging, others: List[str]) -> None:
    """Takes over the partial download of the same entry that a finished process left."""
    for path in others:
        if _owner(path) is _Owner.GONE:
            # Several processes may try; one succeeds.
            with contextlib.suppress(OSError):
                os.rename(os.path.join(path, _DOWNLOAD), own.download)
                shutil.rmtree(path, ignore_errors=True)
                return


def _leave(path: str) -> None:
    """Removes a staging directory, but keeps a partial download."""
    if not os.path.isdir(os.path.join(path, _DOWNLOAD)):
        shutil.rmtree(path, ignore_errors=True)
        return
    # Another process may do the same, or have taken the download already.
    with contextlib.suppress(OSError):
        for name in set(os.listdir(path)) - {_DOWNLOAD}:
            shutil.rmtree(os.path.join(path, name), ignore_errors=True)
        shelf, name = os.path.split(path)
        entry_name, _, random = name.rsplit("-", 2)
        os.rename(path, os.path.join(shelf, "-".join((entry_name, _UNOWNED, random))))


def _machine() -> str:
    """An id of the process namespace; containers may share a host name and a disk."""
    name = socket.gethostname()
    with contextlib.suppress(OSError):
        name += os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(name.encode()).hexdigest()[:16]


class _Owner(enum.Enum):
    """The state of the process that fills a staging directory."""

    RUNS = 1
    GONE = 2
    ELSEWHERE = 3


def _owner(path: str) -> _Owner:
    owner = os.path.basename(path).split("-")[-2:][0]
    if owner == _UNOWNED:
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
    """The start time of a process, since process ids are reused; empty where the system does not report it."""
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
