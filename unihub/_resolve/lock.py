"""A lock that spares work: of several processes that want the same model one fetches it, and the others wait.

Nothing depends on it. Where the file system has no locks, or a wait becomes too long, each process fetches by itself.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import socket
import time
from typing import TYPE_CHECKING, Iterator, List

from unihub._resolve import cache, settings

if TYPE_CHECKING:
    from filelock import BaseFileLock

_log = logging.getLogger("unihub")

# After so many seconds of waiting it is said again.
_REMINDER = 30

_LOCK, _OWNER = ".lock", ".owner"


@contextlib.contextmanager
def held(name: str, what: str) -> Iterator[None]:
    """Holds the lock of an entry, after waiting for whoever has it; or not, after ``UNIHUB_LOCK_TIMEOUT`` seconds.

    Args:
        name: The entry.
        what: What is waited for, in words.
    """
    patience = settings.number(settings.LOCK_TIMEOUT)
    if not patience:
        yield
        return
    import filelock

    path = os.path.join(_shelf(), name)
    lock = filelock.FileLock(path + _LOCK)
    try:
        os.makedirs(_shelf(), exist_ok=True)
        _acquire(lock, path + _OWNER, what, patience)
    except (OSError, NotImplementedError, filelock.Timeout) as error:
        _log.debug("%s is fetched without a lock: %s", what, error)
    try:
        yield
    finally:
        if lock.is_locked:
            _remove(path + _OWNER)
            lock.release()
            # Who still waits for it gets the removed one, beside whoever makes another: both find the model there.
            _remove(path + _LOCK)
            with contextlib.suppress(OSError):
                for left in abandoned():
                    os.remove(left)


def abandoned() -> List[str]:
    """The files of locks that processes left when they were killed."""
    names = os.listdir(_shelf()) if os.path.isdir(_shelf()) else []
    paths = [os.path.join(_shelf(), name[: -len(_LOCK)]) for name in names if name.endswith(_LOCK)]
    files = [path + kind for path in paths if _is_abandoned(path) for kind in (_OWNER, _LOCK)]
    return [file for file in files if os.path.exists(file)]


def _shelf() -> str:
    return os.path.join(cache.root(), "locks")


def _is_abandoned(path: str) -> bool:
    """Whether nobody has a lock that somebody had."""
    import filelock

    # For a moment nobody has one that is just being made.
    is_old = not cache.is_recent(path + _LOCK)
    if not is_old and not os.path.exists(path + _OWNER):
        return False
    lock = filelock.FileLock(path + _LOCK)
    try:
        lock.acquire(timeout=0)
    except (OSError, NotImplementedError, filelock.Timeout):
        return False
    # Whoever ends removes the name first, so one that is still there is that of a process that was killed.
    is_left = is_old or os.path.exists(path + _OWNER)
    lock.release()
    return is_left


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.remove(path)


def _acquire(lock: BaseFileLock, owner: str, what: str, patience: int) -> None:
    import filelock

    began = time.monotonic()
    wait = 0.0
    while True:
        try:
            lock.acquire(timeout=wait, poll_interval=0.05)
            break
        except filelock.Timeout:
            left = patience - (time.monotonic() - began)
            if left <= 0:
                _log.warning("Waited %d s for %s; it is fetched here too.", patience, what)
                raise
            _log.warning("Waiting for %s, which is being fetched by %s; for %d s at most.", what, _read(owner), left)
            wait = min(_REMINDER, left)
    now = datetime.datetime.now().isoformat(sep=" ", timespec="seconds")
    with open(owner, "w", encoding="utf-8") as file:
        file.write("process {} on {} since {}".format(os.getpid(), socket.gethostname(), now))


def _read(owner: str) -> str:
    try:
        with open(owner, encoding="utf-8") as file:
            return file.read() or "another process"
    except OSError:
        return "another process"
