"""The cache: whole or not there, whoever is killed, whoever else is at work, and whatever happens to its files."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import timeit

import pytest

import unihub
from paths import PACKAGES
from servers import FILES, drip, files_in, in_turn, serve, status, tar_of
from unihub._resolve import cache, lock, manifest
from unihub.errors import DownloadError, IntegrityError

PATH = "/model.tar.gz"
# In the background, shells let processes ignore interrupts.
PROGRAM = (
    "import signal, sys, unihub; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "print(unihub.resolve(sys.argv[1]))"
)


def start(url, **variables):
    root = str(PACKAGES)
    environment = dict(os.environ, PYTHONPATH=root, **variables)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True
    )  # fmt: skip


def left_over(own_cache):
    return [path.name for path in own_cache.glob("*/.*")] + [path.name for path in (own_cache / "locks").glob("*")]


def entry_of(model):
    return os.path.dirname(model)


# Killed


def slowly(data):
    """In pieces, as a network does, with a validator to go on by."""

    def answer(handler):
        start = int(handler.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        facts = {"Content_Range": "bytes {}-{}/{}".format(start, len(data) - 1, len(data))} if start else {}
        handler.reply(206 if start else 200, Content_Length=str(len(data) - start), ETag='"1"', **facts)
        for place in range(start, len(data), 2**17):
            handler.send_body(data[place : min(place + 2**17, len(data))])
            time.sleep(0.01)

    return answer


def wait_for_question(site, before, process):
    """Until a process asks for something; the time of that."""
    while len(site.asked) == before and process.poll() is None:
        time.sleep(0.002)
    return time.monotonic()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows kills otherwise")
@pytest.mark.slow
def test_killed_at_30_moments(plain_site, own_cache):
    files = {"saved_model.pb": b"graph", "variables/data": os.urandom(2 * 2**20), "assets/words": bytes(5 * 2**20)}
    model = tar_of(files)
    plain_site.answers[PATH] = slowly(model)
    began = time.monotonic()
    whole = start(plain_site.url + PATH)
    until_asked = wait_for_question(plain_site, 0, whole) - began
    assert whole.communicate()[1] == ""
    after = time.monotonic() - began - until_asked
    chance = random.Random(0)
    killed, resumed = 0, 0
    for number in range(30):
        # Another entry each time, of the same file.
        url = "{}{}?{}".format(plain_site.url, PATH, chance.random())
        before = len(plain_site.asked)
        process = start(url)
        if number % 5:
            wait_for_question(plain_site, before, process)
            time.sleep(after * chance.uniform(0, 1.1))
        else:
            time.sleep(until_asked * chance.uniform(0.5, 1))
        process.kill()
        if process.wait() == -signal.SIGKILL:
            killed += 1
        else:
            # It was done sooner than the first was, as others on the machine let it.
            until_asked, after = 0.8 * until_asked, 0.8 * after
        process.communicate()
        shelf = own_cache / "models"
        entries = [path for path in shelf.iterdir() if not path.name.startswith(".")]
        assert all(files_in(str(entry / "model")) == files for entry in entries), "a half entry"
        before = len(plain_site.asked)
        assert files_in(unihub.resolve(url)) == files
        resumed += any("Range" in headers for _, headers in plain_site.asked[before:])
        # One that was killed after its entry was there may leave its place, which goes with the next download.
        if len(plain_site.asked) > before:
            assert left_over(own_cache) == []
    unihub.resolve("{}{}?last".format(plain_site.url, PATH))
    assert left_over(own_cache) == []
    assert killed >= 15 and resumed >= 5


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


def slow_start(answer):
    def later(handler):
        time.sleep(0.5)
        answer(handler)

    return later


@pytest.mark.parametrize("patience, downloads", [("600", 1), ("0", None)], ids=["with locks", "without"])
@pytest.mark.slow
def test_16_processes_at_once(plain_site, own_cache, patience, downloads):
    plain_site.answers[PATH] = slow_start(serve(tar_of()))
    processes = [start(plain_site.url + PATH, UNIHUB_LOCK_TIMEOUT=patience) for _ in range(16)]
    ended = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 16, ended
    (place,) = {printed for printed, _ in ended}
    assert files_in(place.strip()) == FILES
    assert left_over(own_cache) == []
    if downloads:
        assert plain_site.count(PATH) == downloads
        waited = [text for _, text in ended if "is being fetched by process" in text]
        assert waited and all(" on {} since ".format(socket.gethostname()) in text for text in waited)
    else:
        assert plain_site.count(PATH) > 1


def test_a_wait_has_a_bound(plain_site, own_cache, monkeypatch, caplog):
    plain_site.answers[PATH] = serve(tar_of())
    monkeypatch.setenv("UNIHUB_LOCK_TIMEOUT", "1")
    name = unihub._resolve.Handle.parse(plain_site.url + PATH).entry
    done = threading.Event()

    def hold():
        with lock.held(name, "it"):
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    while not (own_cache / "locks" / (name + ".owner")).exists():
        time.sleep(0.01)
    assert files_in(unihub.resolve(plain_site.url + PATH)) == FILES
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


def test_a_use_reads_no_file_and_takes_no_time(plain_site, own_cache, monkeypatch):
    plain_site.answers[PATH] = serve(tar_of())
    url = plain_site.url + PATH
    unihub.resolve(url)
    monkeypatch.setattr(manifest, "hash_file", lambda *_: pytest.fail("hashed"))
    assert min(timeit.repeat(lambda: unihub.resolve(url), number=10, repeat=5)) / 10 < 0.01
    part = own_cache / "parts" / "p"
    part.mkdir(parents=True)
    assert min(timeit.repeat(lambda: cache.entry("parts", "p", None), number=10, repeat=5)) / 10 < 0.002


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
    plain_site.answers[PATH] = drip(tar_of(), seconds=0.01)
    process = start(plain_site.url + PATH)
    while not plain_site.asked:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=10)[1]
    assert [path.name for path in (own_cache / "models").glob(".*/*")] == ["download"]
