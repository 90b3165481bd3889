"""The cache: whole or not there, whoever is killed, whoever else is at work, and whatever happens to its files."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
import timeit

import pytest

import unihub
from processes import printed, start
from servers import FILES, Held, files_in, in_turn, serve, status, tar_of, wait_until
from unihub._resolve import cache, lock, manifest
from unihub.errors import DownloadError, IntegrityError

PATH = "/model.tar.gz"
# In the background, shells let processes ignore interrupts.
PROGRAM = (
    "import signal, sys, unihub; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "print(unihub.resolve(sys.argv[1]))"
)
# The same, killed before a certain change of the file system; prints how many there were.
KILLED_AT = """
import os, signal, sys, unihub
changes = 0
def counted(function):
    def count(*arguments, **options):
        global changes
        changes += 1
        if changes == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return count
for name in ("mkdir", "rename", "replace", "remove", "rmdir", "unlink", "fsync", "utime", "chmod"):
    setattr(os, name, counted(getattr(os, name)))
unihub.resolve(sys.argv[1])
print(changes)
"""


def left_over(own_cache):
    return [path.name for path in own_cache.glob("*/.*")] + [path.name for path in (own_cache / "locks").glob("*")]


def received(own_cache):
    """How much of an unfinished download is on the disk."""
    return sum(path.stat().st_size for path in own_cache.glob("models/.*/download/*"))


def entry_of(model):
    return os.path.dirname(model)


# Killed


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows kills otherwise")
@pytest.mark.slow
def test_killed_at_30_moments(plain_site, own_cache):
    """At ten places of the download, and before twenty changes of the file system."""
    files = {"saved_model.pb": b"graph", "variables/data": os.urandom(2 * 2**20), "assets/words": bytes(5 * 2**20)}
    model = tar_of(files)
    plain_site.answers[PATH] = serve(model)
    changes = int(printed(KILLED_AT, plain_site.url + PATH + "?whole", 0)[-1])
    assert changes >= 20
    for number in range(30):
        # Another entry each time, of the same file.
        url = "{}{}?{}".format(plain_site.url, PATH, number)
        if number < 10:
            held = plain_site.answers[PATH] = Held(model, 2**18 + number * (len(model) - 2**18) // 10)
            process = start(PROGRAM, url)
            held.reached.wait()
            wait_until(lambda: received(own_cache) >= 2**16)
            process.kill()
            process.communicate()
            held.release()
            plain_site.answers[PATH] = serve(model)
        else:
            process = start(KILLED_AT, url, 1 + (number - 10) * changes // 20)
            process.communicate()
        assert process.returncode == -signal.SIGKILL
        shelf = own_cache / "models"
        entries = [path for path in shelf.iterdir() if not path.name.startswith(".")]
        assert all(files_in(str(entry / "model")) == files for entry in entries), "a half entry"
        before = len(plain_site.asked)
        assert files_in(unihub.resolve(url)) == files
        if number < 10:
            assert any("Range" in headers for _, headers in plain_site.asked[before:]), "it began anew"
        # One that was killed after its entry was there may leave its place, which goes with the next download.
        if len(plain_site.asked) > before:
            assert left_over(own_cache) == []
    unihub.resolve("{}{}?last".format(plain_site.url, PATH))
    assert left_over(own_cache) == []


def test_what_a_dead_process_left_of_another_model_is_kept_for_a_day(plain_site, own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_RETRIES", "0")
    plain_site.answers[PATH] = serve(tar_of(), cut_at=200000)
    plain_site.answers["/other.tar.gz"] = serve(tar_of())
    with pytest.raises(DownloadError):
        unihub.resolve(plain_site.url + PATH)
    unihub.resolve(plain_site.url + "/other.tar.gz")
    (kept,) = (own_cache / "models").glob(".*")
    day_ago = time.time() - 24 * 60 * 60 - 10
    for each in [kept, *kept.rglob("*")]:
        os.utime(str(each), (day_ago, day_ago))
    unihub.resolve(plain_site.url + "/other.tar.gz?again")
    assert left_over(own_cache) == []


@pytest.mark.parametrize("left", [(".lock", ".owner"), (".lock",)])
def test_a_lock_of_a_dead_process_goes_with_the_next_download(plain_site, own_cache, left):
    locks = own_cache / "locks"
    locks.mkdir(parents=True)
    for kind in left:
        (locks / ("other" + kind)).write_text("")
    plain_site.answers[PATH] = serve(tar_of())
    unihub.resolve(plain_site.url + PATH)
    # One without a name may be that of a process that has just begun.
    assert left_over(own_cache) == ([] if ".owner" in left else ["other.lock"])
    day_ago = time.time() - 24 * 60 * 60 - 10
    for each in locks.iterdir():
        os.utime(str(each), (day_ago, day_ago))
    unihub.resolve(plain_site.url + PATH + "?again")
    assert left_over(own_cache) == []


def test_a_lock_that_is_held_is_left(plain_site, own_cache):
    plain_site.answers[PATH] = serve(tar_of())
    with lock.held("other", "it"):
        unihub.resolve(plain_site.url + PATH)
        assert sorted(left_over(own_cache)) == ["other.lock", "other.owner"]
    assert left_over(own_cache) == []


# Together


class Listener:
    """Reads what a process writes to stderr as it comes."""

    def __init__(self, process):
        self.text = ""
        self._process = process
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stderr:
            self.text += line

    def end(self):
        """Waits for the process; gives what it printed."""
        printed = self._process.stdout.read()
        assert self._process.wait() == 0, self.text
        self._thread.join()
        return printed.strip()


@pytest.mark.parametrize("patience", ["600", "0"], ids=["with locks", "without"])
@pytest.mark.slow
def test_16_processes_at_once(plain_site, own_cache, patience):
    held = plain_site.answers[PATH] = Held(tar_of())
    listeners = [Listener(start(PROGRAM, plain_site.url + PATH, UNIHUB_LOCK_TIMEOUT=patience)) for _ in range(16)]
    waiting = "is being fetched by process"
    if patience == "0":
        plain_site.wait_for(16)
    else:
        wait_until(lambda: sum(waiting in listener.text for listener in listeners) == 15)
    held.release()
    (place,) = {listener.end() for listener in listeners}
    assert files_in(place) == FILES
    assert left_over(own_cache) == []
    assert plain_site.count(PATH) == (16 if patience == "0" else 1)
    waited = [listener.text for listener in listeners if waiting in listener.text]
    assert len(waited) == (0 if patience == "0" else 15)
    assert all(" on {} since ".format(socket.gethostname()) in text for text in waited)


def test_a_wait_has_a_bound(plain_site, own_cache, monkeypatch, caplog):
    plain_site.answers[PATH] = serve(tar_of())
    monkeypatch.setenv("UNIHUB_LOCK_TIMEOUT", "1")
    name = unihub._resolve.Handle.parse(plain_site.url + PATH).entry
    done = threading.Event()

    def hold():
        with lock.held(name, "it"):
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        wait_until((own_cache / "locks" / (name + ".owner")).exists)
        assert files_in(unihub.resolve(plain_site.url + PATH)) == FILES
    finally:
        done.set()
        holder.join()
    assert "is being fetched by process {} on".format(os.getpid()) in caplog.text
    assert "Waited 1 s" in caplog.text


def test_where_there_are_no_locks(plain_site, own_cache, monkeypatch):
    import filelock

    def fail(*_, **__):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", fail)
    plain_site.answers[PATH] = serve(tar_of())
    assert files_in(unihub.resolve(plain_site.url + PATH)) == FILES


# Damaged


def spoil(chance, model):
    """Deletes, cuts short or changes a file."""
    path = os.path.join(model, chance.choice(sorted(FILES)))
    size = os.path.getsize(path)
    how = chance.choice(["delete", "cut", "change", "grow"])
    if how == "delete":
        os.remove(path)
    else:
        with open(path, "r+b") as file:
            if how == "cut":
                file.truncate(chance.randrange(size))
            elif how == "grow":
                file.seek(0, os.SEEK_END)
                file.write(b"x")
            else:
                place = chance.randrange(size)
                file.seek(place)
                old = file.read(1)
                file.seek(place)
                file.write(bytes([old[0] ^ 1]))
    return how


def test_files_spoiled_at_random_are_repaired_100_of_100(plain_site, own_cache, caplog):
    plain_site.answers[PATH] = serve(tar_of())
    chance = random.Random(1)
    model = unihub.resolve(plain_site.url + PATH)
    seen, repaired = set(), 0
    for _ in range(100):
        caplog.clear()
        seen.add(spoil(chance, model))
        assert unihub.resolve(plain_site.url + PATH) == model
        assert "is damaged" in caplog.text and "is replaced" in caplog.text
        repaired += files_in(model) == FILES
    assert repaired == 100 and seen == {"delete", "cut", "change", "grow"}
    assert plain_site.count(PATH) == 101 and left_over(own_cache) == []


def test_files_spoiled_where_nothing_can_be_fetched_are_told(plain_site, own_cache, monkeypatch):
    plain_site.answers[PATH] = in_turn(serve(tar_of()), status(404))
    model = unihub.resolve(plain_site.url + PATH)
    os.remove(os.path.join(model, "saved_model.pb"))
    for offline in (True, False):
        with pytest.raises(IntegrityError) as caught:
            unihub.resolve(plain_site.url + PATH, offline=offline)
        assert caught.value.problems == ("saved_model.pb is missing",)
    assert isinstance(caught.value.__cause__, DownloadError) and caught.value.__cause__.status == 404


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": []}'])
def test_a_manifest_that_is_spoiled(plain_site, own_cache, text):
    plain_site.answers[PATH] = serve(tar_of())
    model = unihub.resolve(plain_site.url + PATH)
    with open(os.path.join(entry_of(model), "manifest.json"), "w") as file:
        file.write(text)
    assert files_in(unihub.resolve(plain_site.url + PATH)) == FILES
    assert plain_site.count(PATH) == 2


def test_an_unpacked_archive_is_repaired_too(own_cache, tmp_path, caplog):
    path = tmp_path / "m.tgz"
    path.write_bytes(tar_of())
    model = unihub.resolve(path)
    os.remove(os.path.join(model, "saved_model.pb"))
    assert files_in(unihub.resolve(path)) == FILES and "saved_model.pb is missing" in caplog.text


def test_files_with_other_times_are_looked_at_once(plain_site, own_cache, monkeypatch):
    plain_site.answers[PATH] = serve(tar_of())
    model = unihub.resolve(plain_site.url + PATH)
    os.utime(os.path.join(model, "saved_model.pb"), (1, 1))
    hashed = []
    real = manifest.hash_file
    monkeypatch.setattr(manifest, "hash_file", lambda path, *more: hashed.append(path) or real(path, *more))
    for _ in range(2):
        unihub.resolve(plain_site.url + PATH)
    assert [os.path.basename(path) for path in hashed] == ["saved_model.pb"] and plain_site.count(PATH) == 1


def cheapest(call):
    """The least processor time of a call; the least, and not of the clock, for others are at work."""
    return min(timeit.repeat(call, number=10, repeat=20, timer=time.thread_time)) / 10


def test_a_use_reads_no_file_and_takes_no_time(plain_site, own_cache, monkeypatch):
    plain_site.answers[PATH] = serve(tar_of())
    url = plain_site.url + PATH
    unihub.resolve(url)
    monkeypatch.setattr(manifest, "hash_file", lambda *_: pytest.fail("hashed"))
    assert cheapest(lambda: unihub.resolve(url)) < 0.01
    part = own_cache / "parts" / "p"
    part.mkdir(parents=True)
    assert cheapest(lambda: cache.entry("parts", "p", None)) < 0.002


def test_the_manifest_says_what_is_there_and_where_from(plain_site, own_cache):
    plain_site.answers[PATH] = serve(tar_of())
    model = unihub.resolve(plain_site.url + PATH)
    with open(os.path.join(entry_of(model), "manifest.json")) as file:
        found = json.load(file)
    assert found["handle"] == found["url"] == plain_site.url + PATH
    assert found["source"] == "web" and found["time"].endswith("+00:00")
    assert {name: size for name, size, _, _ in found["files"]} == {name: len(data) for name, data in FILES.items()}


def test_what_is_fetched_is_on_the_disk_before_it_is_an_entry(plain_site, own_cache, monkeypatch):
    plain_site.answers[PATH] = serve(tar_of())
    happened = []
    real_sync, real_rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda file: happened.append("sync") or real_sync(file))
    monkeypatch.setattr(os, "rename", lambda old, new: happened.append("rename") or real_rename(old, new))
    unihub.resolve(plain_site.url + PATH)
    # The files, the manifest, and the directories: entry, model, variables, assets.
    assert happened == ["sync"] * (len(FILES) + 1 + 4) + ["rename"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupt_stops_the_download_and_keeps_it(plain_site, own_cache):
    plain_site.answers[PATH] = Held(tar_of(), 2**17)
    process = start(PROGRAM, plain_site.url + PATH)
    wait_until(lambda: received(own_cache) >= 2**16)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate()[1]
    assert [path.name for path in (own_cache / "models").glob(".*/*")] == ["download"]
