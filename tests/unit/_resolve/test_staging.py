"""The cache's staging directories: whose they are, what the next process takes over, and what is removed when."""

import errno
import os
import platform
import subprocess
import sys
import time

import pytest

from unihub._resolve import cache

DAY = 24 * 60 * 60
on_linux = pytest.mark.skipif(
    not os.path.exists("/proc/self/stat"), reason="only Linux says when a process was started"
)


@pytest.fixture
def shelf(own_cache):
    path = own_cache / "models"
    path.mkdir(parents=True)
    return path


@pytest.fixture(scope="module")
def gone():
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def owner_name(process, start=None):
    return "{}.{}.{}".format(cache._machine(), process, cache._start_of(process) if start is None else start)


def make(shelf, name, owner, download=None, age=0):
    """A staging directory with a file, and what it downloaded."""
    path = shelf / ".filling-{}-{}-abc".format(name, owner)
    (path / "entry").mkdir(parents=True)
    (path / "entry" / "f").write_text("x")
    if download is not None:
        (path / "download").mkdir()
        (path / "download" / "part").write_text(download)
    for each in [*path.rglob("*"), path]:
        os.utime(str(each), (time.time() - age,) * 2)
    return path


def refuse(*_, **__):
    raise PermissionError(errno.EACCES, "no")


def names_in(shelf):
    return sorted(path.name for path in shelf.iterdir())


class TestRoot:
    def test_what_is_chosen(self, monkeypatch, tmp_path):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        monkeypatch.setenv("UNIHUB_CACHE_DIR", os.path.join("~", "c"))
        assert cache.root() == str(tmp_path / "c")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("UNIHUB_CACHE_DIR", "here")
        assert cache.root() == str(tmp_path / "here")
        assert cache.entry_path("models", "e") == str(tmp_path / "here" / "models" / "e")

    @pytest.mark.parametrize("value", [None, ""])
    def test_what_is_usual(self, monkeypatch, tmp_path, value):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.delenv("UNIHUB_CACHE_DIR", raising=False)
        if value is not None:
            monkeypatch.setenv("UNIHUB_CACHE_DIR", value)
        found = cache.root()
        assert "unihub" in found.split(os.sep)
        assert platform.system() != "Linux" or found == str(tmp_path / "unihub")


class TestEntry:
    def test_filled_once(self, own_cache):
        filled = []

        def fill(directory):
            filled.append(os.listdir(directory))
            with open(os.path.join(directory, "f"), "w") as file:
                file.write("x")

        for _ in range(2):
            place = cache.entry("parts", "e", fill)
            assert place == str(own_cache / "parts" / "e") and os.listdir(place) == ["f"]
        assert filled == [[]]
        assert names_in(own_cache / "parts") == ["e"]

    def test_nothing_is_kept_of_a_failure(self, own_cache):
        def fill(directory):
            os.mkdir(os.path.join(directory, "half"))
            raise ValueError

        with pytest.raises(ValueError):
            cache.entry("parts", "e", fill)
        assert names_in(own_cache / "parts") == []

    def test_removed(self, shelf):
        (shelf / "e" / "d").mkdir(parents=True)
        (shelf / "f").mkdir()
        cache.remove(str(shelf / "e"))
        assert names_in(shelf) == ["f"]

    def test_an_entry_goes_at_once_for_whoever_looks(self, shelf, monkeypatch):
        (shelf / "e").mkdir()
        seen = []
        rmtree = cache.shutil.rmtree
        monkeypatch.setattr(cache.shutil, "rmtree", lambda path: seen.append(names_in(shelf)) or rmtree(path))
        cache.remove(str(shelf / "e"))
        ((name,),) = seen
        assert name.startswith(".filling-e-" + cache._machine())
        assert names_in(shelf) == []

    def test_a_staging_directory_is_removed(self, shelf):
        path = make(shelf, "e", "nobody", "x")
        cache.remove(str(path))
        assert names_in(shelf) == []


class TestPublish:
    def staged(self, shelf):
        own = cache.Staging(str(shelf / "own"), str(shelf / "e"))
        os.makedirs(own.entry)
        (shelf / "own" / "entry" / "f").write_text("new")
        return own

    def put(self, shelf, text="old"):
        (shelf / "e").mkdir()
        (shelf / "e" / "f").write_text(text)

    def test_where_nothing_is(self, shelf):
        self.staged(shelf).publish(lambda path: pytest.fail("nothing is there"))
        assert (shelf / "e" / "f").read_text() == "new"

    def test_where_another_was_faster(self, shelf):
        self.put(shelf)
        asked = []
        self.staged(shelf).publish(lambda path: asked.append(path) or True)
        assert (shelf / "e" / "f").read_text() == "old" and asked == [str(shelf / "e")]

    def test_where_a_damaged_one_is(self, shelf):
        self.put(shelf)
        self.staged(shelf).publish(lambda path: False)
        assert (shelf / "e" / "f").read_text() == "new"
        # It goes with the staging directory.
        assert names_in(shelf / "own") == ["entry-replaced-0"]

    @pytest.mark.parametrize("times, published", [(1, True), (2, True), (3, False)])
    def test_where_others_put_damaged_ones_again(self, shelf, monkeypatch, times, published):
        self.put(shelf)
        own = self.staged(shelf)
        rename = os.rename
        left = [times - 1]

        def interfere(source, target):
            rename(source, target)
            if source == str(shelf / "e") and left[0]:
                left[0] -= 1
                self.put(shelf, "again")

        monkeypatch.setattr(os, "rename", interfere)
        if published:
            own.publish(lambda path: False)
            assert (shelf / "e" / "f").read_text() == "new"
            return
        with pytest.raises(OSError) as caught:
            own.publish(lambda path: False)
        assert caught.value.errno in (errno.ENOTEMPTY, errno.EEXIST)

    def test_where_the_damaged_one_goes_meanwhile(self, shelf):
        own = self.staged(shelf)
        self.put(shelf)

        def look(path):
            (shelf / "e" / "f").unlink()
            (shelf / "e").rmdir()
            return False

        own.publish(look)
        assert (shelf / "e" / "f").read_text() == "new"


class TestStaging:
    def test_its_name_says_whose_it_is(self, shelf):
        with cache.staging(str(shelf / "e")) as own:
            (name,) = names_in(shelf)
            assert name.startswith(".filling-e-{}-".format(owner_name(os.getpid())))
            assert os.listdir(own.entry) == [] and not os.path.exists(own.download)
            assert os.path.dirname(own.entry) == os.path.dirname(own.download) == str(shelf / name)
            assert cache.abandoned(str(shelf)) == []
        assert names_in(shelf) == []

    def test_the_shelf_is_made(self, own_cache):
        for _ in range(2):
            with cache.staging(str(own_cache / "new" / "e")):
                pass
        assert names_in(own_cache / "new") == []

    def test_a_download_is_kept_for_the_next(self, shelf):
        with pytest.raises(ValueError), cache.staging(str(shelf / "e-1")) as own:
            os.mkdir(own.download)
            with open(os.path.join(own.download, "part"), "w") as file:
                file.write("begun")
            with open(os.path.join(own.entry, "f"), "w") as file:
                file.write("x")
            raise ValueError
        (name,) = names_in(shelf)
        assert name.startswith(".filling-e-1-nobody-") and names_in(shelf / name) == ["download"]
        with cache.staging(str(shelf / "e-1")) as own:
            with open(os.path.join(own.download, "part")) as file:
                assert file.read() == "begun"
            assert len(names_in(shelf)) == 1

    def test_what_is_of_another_entry_is_kept_too(self, shelf):
        make(shelf, "e2", "nobody", "begun")
        with cache.staging(str(shelf / "e")) as own:
            assert not os.path.exists(own.download)
        assert names_in(shelf) == [".filling-e2-nobody-abc"]

    def test_it_is_taken_from_one_that_is_gone(self, shelf, gone):
        make(shelf, "e", owner_name(gone, "1"), "begun")
        with cache.staging(str(shelf / "e")) as own:
            assert os.listdir(own.download) == ["part"]
            assert len(names_in(shelf)) == 1

    def test_it_is_not_taken_from_one_that_runs(self, shelf):
        make(shelf, "e", owner_name(os.getpid()), "begun")
        with cache.staging(str(shelf / "e")) as own:
            assert not os.path.exists(own.download)
        assert len(names_in(shelf)) == 1

    def test_it_is_not_taken_from_another_machine(self, shelf):
        make(shelf, "e", "machine.1.1", "begun")
        with cache.staging(str(shelf / "e")) as own:
            assert not os.path.exists(own.download)
        assert len(names_in(shelf)) == 1

    @pytest.mark.parametrize("can_remove", [True, False])
    def test_one_of_several_is_taken(self, shelf, monkeypatch, can_remove):
        paths = [make(shelf, "e", "nobody"), make(shelf, "e", "nobody-x", "1"), make(shelf, "e", "y-nobody", "2")]
        paths[1].rename(shelf / ".filling-e-nobody-b")
        paths[2].rename(shelf / ".filling-e-nobody-c")
        own = cache.Staging(str(shelf / "own"), str(shelf / "e"))
        os.mkdir(str(shelf / "own"))
        others = [str(shelf / ".filling-e-nobody-{}".format(end)) for end in ("abc", "b", "c")]
        tried = []
        rename = os.rename
        monkeypatch.setattr(os, "rename", lambda *paths: tried.append(paths[0]) or rename(*paths))
        # That the rest of it cannot be removed is no reason to go on.
        with monkeypatch.context() as patch:
            if not can_remove:
                patch.setattr(os, "rmdir", refuse)
            cache._take_over(own, others)
        assert [os.path.dirname(path) for path in tried] == others[:2]
        assert names_in(shelf / "own" / "download") == ["part"]
        left = [".filling-e-nobody-abc", *[".filling-e-nobody-b"][can_remove:], ".filling-e-nobody-c", "own"]
        assert names_in(shelf) == left

    def test_what_cannot_be_given_up_is_left(self, shelf, monkeypatch):
        def refuse(*_):
            raise OSError

        path = make(shelf, "e", owner_name(1), "x")
        monkeypatch.setattr(os, "rename", refuse)
        cache._leave(str(path))
        assert names_in(path) == ["download"]

    def test_what_cannot_be_removed_is_left(self, shelf, monkeypatch, gone):
        make(shelf, "a", owner_name(gone, "1"))
        make(shelf, "b", owner_name(gone, "1"), age=2 * DAY)
        make(shelf, "c", owner_name(gone, "1"), "x")
        make(shelf, "e", owner_name(gone, "1"), "x")
        monkeypatch.setattr(os, "rmdir", refuse)
        with cache.staging(str(shelf / "e")) as own:
            assert os.path.exists(own.download)
        names = names_in(shelf)
        assert ".filling-a-{}-abc".format(owner_name(gone, "1")) in names and ".filling-c-nobody-abc" in names


class TestAbandoned:
    def test_whose_is_left(self, shelf, gone):
        make(shelf, "a", "nobody")
        make(shelf, "b", owner_name(gone, "1"))
        make(shelf, "c", owner_name(os.getpid()))
        make(shelf, "d", owner_name(os.getpid()), age=2 * DAY)
        make(shelf, "e", "machine.1.1")
        make(shelf, "f", "machine.1.1", age=2 * DAY)
        (shelf / "entry").mkdir()
        found = sorted(os.path.basename(path).split("-")[1] for path in cache.abandoned(str(shelf)))
        assert found == ["a", "b", "f"]

    def test_what_becomes_of_it(self, shelf, gone):
        make(shelf, "a", owner_name(gone, "1"))
        make(shelf, "b", owner_name(gone, "1"), "begun")
        make(shelf, "c", owner_name(gone, "1"), "begun", age=2 * DAY)
        make(shelf, "d", "machine.1.1", "begun", age=2 * DAY)
        make(shelf, "e", "machine.1.1", "begun")
        with cache.staging(str(shelf / "new")):
            pass
        assert names_in(shelf) == [".filling-b-nobody-abc", ".filling-e-machine.1.1-abc"]
        assert names_in(shelf / ".filling-b-nobody-abc") == ["download"]

    @pytest.mark.parametrize("age, recent", [(0, True), (DAY - 60, True), (DAY + 60, False)])
    def test_what_is_recent(self, shelf, age, recent):
        path = make(shelf, "a", "nobody", "x", age=age)
        assert cache.is_recent(str(path)) == recent
        assert cache.is_recent(str(path / "entry" / "f")) == recent

    @pytest.mark.parametrize("seconds, recent", [(DAY - 1, True), (DAY, False)])
    def test_a_day_to_the_second(self, shelf, monkeypatch, seconds, recent):
        path = make(shelf, "a", "nobody") / "entry" / "f"
        os.utime(str(path), (10**9, 10**9))
        monkeypatch.setattr(cache.time, "time", lambda: 10**9 + seconds)
        assert cache.is_recent(str(path)) is recent

    def test_the_newest_file_counts(self, shelf):
        path = make(shelf, "a", "nobody", "x", age=2 * DAY)
        os.utime(str(path / "download" / "part"), (time.time() - 60,) * 2)
        assert cache.is_recent(str(path))
        path = make(shelf, "b", "nobody", "x", age=2 * DAY)
        os.utime(str(path), (time.time() - 60,) * 2)
        assert cache.is_recent(str(path))

    def test_what_has_just_gone_is_recent(self, shelf):
        assert cache.is_recent(str(shelf / "gone"))


class TestOwner:
    def owner(self, name):
        return cache._owner("/shelf/.filling-e-with-dashes-{}-abc".format(name))

    def test_who_runs(self, gone):
        assert self.owner("nobody") is cache._Owner.GONE
        assert self.owner(owner_name(os.getpid())) is cache._Owner.RUNS
        assert self.owner(owner_name(gone, "1")) is cache._Owner.GONE
        assert self.owner("machine.1.1") is cache._Owner.ELSEWHERE

    @on_linux
    def test_another_process_of_the_same_number(self):
        assert self.owner(owner_name(os.getpid(), "1")) is cache._Owner.GONE

    def test_a_number_that_is_gone_where_no_start_is_told(self, gone, monkeypatch):
        monkeypatch.setattr(cache, "_start_of", lambda process: "")
        assert self.owner(owner_name(gone)) is cache._Owner.GONE
        assert self.owner(owner_name(os.getpid())) is cache._Owner.RUNS

    def test_a_process_is_only_asked_for(self, monkeypatch):
        signals = []
        monkeypatch.setattr(os, "kill", lambda *arguments: signals.append(arguments))
        assert cache._runs(7) and signals == [(7, 0)]

    def test_processes_of_others_run(self, monkeypatch):
        def refuse(*_):
            raise PermissionError

        monkeypatch.setattr(os, "kill", refuse)
        assert cache._runs(1)

    def test_the_machine(self, monkeypatch):
        first = cache._machine()
        assert len(first) == 16 and int(first, 16) >= 0 and cache._machine() == first
        monkeypatch.setattr(cache.socket, "gethostname", lambda: "other")
        assert cache._machine() != first

    @on_linux
    def test_containers_that_share_a_name(self, monkeypatch):
        first = cache._machine()
        monkeypatch.setattr(os, "readlink", lambda path: "pid:[1]")
        assert cache._machine() != first

    def test_where_there_are_no_containers(self, monkeypatch):
        def fail(_):
            raise OSError

        monkeypatch.setattr(os, "readlink", fail)
        assert len(cache._machine()) == 16

    @on_linux
    def test_when_a_process_was_started(self, gone):
        start = int(cache._start_of(os.getpid()))
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            assert int(cache._start_of(child.pid)) >= start
            with open("/proc/{}/stat".format(child.pid)) as file:
                assert cache._start_of(child.pid) == file.read().split()[21]
        finally:
            child.communicate(b"\n")
        assert cache._start_of(gone) == ""
