"""The lock of an entry: who has it, who waits for how long, and what is left of a process that was killed."""

import logging
import os
import re
import threading
import time

import filelock
import pytest

from unihub._resolve import lock

DAY = 24 * 60 * 60


@pytest.fixture(autouse=True)
def locks(own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_LOCK_TIMEOUT", "600")
    return own_cache / "locks"


def names_in(locks):
    return sorted(path.name for path in locks.iterdir())


def make(locks, *names, age=0):
    locks.mkdir(parents=True, exist_ok=True)
    for name in names:
        (locks / name).write_text("")
        os.utime(str(locks / name), (time.time() - age,) * 2)


@pytest.fixture
def held_elsewhere(locks):
    """A lock that another holder has."""
    make(locks)
    other = filelock.FileLock(str(locks / "e.lock"))
    with other:
        yield other


def test_it_is_held_and_names_its_owner(locks):
    with lock.held("e", "it"):
        assert names_in(locks) == ["e.lock", "e.owner"]
        wanted = r"process {} on .+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d".format(os.getpid())
        assert re.fullmatch(wanted, (locks / "e.owner").read_text())
        with pytest.raises(filelock.Timeout):
            filelock.FileLock(str(locks / "e.lock")).acquire(timeout=0)
    assert names_in(locks) == []


def test_it_is_given_up_after_a_failure(locks):
    with pytest.raises(ValueError), lock.held("e", "it"):
        raise ValueError
    assert names_in(locks) == []
    with filelock.FileLock(str(locks / "e.lock")).acquire(timeout=0):
        pass


def test_it_is_released_before_its_file_is_removed(locks, monkeypatch):
    files = []
    release = filelock.FileLock.release
    monkeypatch.setattr(filelock.FileLock, "release", lambda self: files.append(names_in(locks)) or release(self))
    with lock.held("e", "it"):
        pass
    assert files == [["e.lock"]]


def test_without_patience_there_are_no_locks(locks, monkeypatch):
    monkeypatch.setenv("UNIHUB_LOCK_TIMEOUT", "0")
    with lock.held("e", "it"):
        assert not locks.exists()
    assert not locks.exists()


@pytest.mark.parametrize("error", [OSError(37, "No locks available"), NotImplementedError()])
def test_where_there_are_no_locks_the_work_is_done_all_the_same(locks, monkeypatch, error):
    def fail(*_, **__):
        raise error

    make(locks, "other.lock", "other.owner")
    monkeypatch.setattr(filelock.FileLock, "acquire", fail)
    done = []
    with lock.held("e", "it"):
        done.append(1)
    assert done == [1] and names_in(locks) == ["other.lock", "other.owner"]


class Clock:
    """Time that passes only while a lock is waited for."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        self.waits = []
        monkeypatch.setattr(lock.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(filelock.FileLock, "acquire", self._acquire)
        self.free_after = 10**9

    def _acquire(self, timeout=None, poll_interval=None):
        self.waits.append(timeout)
        self.now += timeout
        if self.now < 1000 + self.free_after:
            raise filelock.Timeout("e.lock")


def test_how_long_is_waited(locks, monkeypatch, caplog):
    clock = Clock(monkeypatch)
    monkeypatch.setenv("UNIHUB_LOCK_TIMEOUT", "70")
    make(locks)
    (locks / "e.owner").write_text("process 7 on there")
    with lock.held("e", "it"):
        pass
    assert clock.waits == [0, 30, 30, 10]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "Waiting for it, which is being fetched by process 7 on there; for 70 s at most.",
        "Waiting for it, which is being fetched by process 7 on there; for 40 s at most.",
        "Waiting for it, which is being fetched by process 7 on there; for 10 s at most.",
        "Waited 70 s for it; it is fetched here too.",
    ]
    # What is another's is left.
    assert (locks / "e.owner").read_text() == "process 7 on there"


def test_one_that_is_given_up_in_time(locks, monkeypatch, caplog):
    clock = Clock(monkeypatch)
    clock.free_after = 30
    with lock.held("e", "it"):
        assert (locks / "e.owner").exists()
    assert clock.waits == [0, 30]
    assert "being fetched by another process; for 600 s" in caplog.text and "Waited" not in caplog.text


@pytest.mark.parametrize(
    "text, owner", [("process 7", "process 7"), ("", "another process"), (None, "another process")]
)
def test_who_has_it(tmp_path, text, owner):
    if text is not None:
        (tmp_path / "e.owner").write_text(text)
    assert lock._read(str(tmp_path / "e.owner")) == owner


def test_a_wait_for_another_thread(locks):
    order = []
    started = threading.Event()
    end = threading.Event()

    def hold():
        with lock.held("e", "it"):
            started.set()
            end.wait(10)
            order.append("first")

    holder = threading.Thread(target=hold)
    holder.start()
    started.wait(10)
    threading.Timer(0.1, end.set).start()
    with lock.held("e", "it"):
        order.append("second")
    holder.join()
    assert order == ["first", "second"]


class TestAbandoned:
    def found(self, locks):
        return sorted(os.path.basename(path) for path in lock.abandoned())

    def test_nothing(self, locks):
        assert lock.abandoned() == []
        make(locks)
        assert lock.abandoned() == []

    def test_one_of_a_killed_process(self, locks):
        make(locks, "e.lock", "e.owner", "other.txt")
        assert self.found(locks) == ["e.lock", "e.owner"]

    def test_one_that_may_be_being_made(self, locks):
        make(locks, "e.lock")
        assert self.found(locks) == []

    def test_an_old_one_without_an_owner(self, locks):
        make(locks, "e.lock", age=DAY + 10)
        assert self.found(locks) == ["e.lock"]

    def test_one_that_is_held(self, locks, held_elsewhere):
        make(locks, "e.owner")
        assert self.found(locks) == []
        os.utime(str(locks / "e.lock"), (time.time() - DAY - 10,) * 2)
        assert self.found(locks) == []

    def test_one_whose_owner_ends_meanwhile(self, locks, monkeypatch):
        make(locks, "e.lock", "e.owner")
        acquire = filelock.FileLock.acquire

        def end(self, *args, **kwargs):
            (locks / "e.owner").unlink()
            return acquire(self, *args, **kwargs)

        monkeypatch.setattr(filelock.FileLock, "acquire", end)
        assert self.found(locks) == []

    def test_it_can_be_taken_afterwards(self, locks):
        make(locks, "e.lock", "e.owner")
        assert len(lock.abandoned()) == 2
        with filelock.FileLock(str(locks / "e.lock")).acquire(timeout=0):
            pass

    def test_nothing_is_waited_for(self, locks, monkeypatch):
        calls = []
        acquire, release = filelock.FileLock.acquire, filelock.FileLock.release
        monkeypatch.setattr(
            filelock.FileLock, "acquire", lambda self, timeout=None: calls.append(timeout) or acquire(self, timeout)
        )
        monkeypatch.setattr(filelock.FileLock, "release", lambda self: calls.append("release") or release(self))
        make(locks, "e.lock", "e.owner")
        assert len(lock.abandoned()) == 2 and calls == [0, "release"]

    @pytest.mark.parametrize("error", [OSError(37, "No locks available"), NotImplementedError()])
    def test_where_there_are_no_locks(self, locks, monkeypatch, error):
        def fail(*_, **__):
            raise error

        make(locks, "e.lock", "e.owner")
        monkeypatch.setattr(filelock.FileLock, "acquire", fail)
        assert self.found(locks) == []

    def test_it_goes_when_another_lock_is_given_up(self, locks):
        make(locks, "e.lock", "e.owner", "f.lock")
        with lock.held("other", "it"):
            assert "e.lock" in names_in(locks)
        assert names_in(locks) == ["f.lock"]

    def test_one_that_cannot_be_removed_is_left(self, locks, monkeypatch):
        make(locks, "e.lock", "e.owner")
        remove = os.remove

        def refuse(path):
            if os.path.basename(path).startswith("e."):
                raise PermissionError(13, "no")
            remove(path)

        monkeypatch.setattr(os, "remove", refuse)
        with lock.held("other", "it"):
            pass
        assert names_in(locks) == ["e.lock", "e.owner"]
