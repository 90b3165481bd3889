"""What an entry's manifest promises: it is on the disk, and each change of a file is seen."""

import errno
import hashlib
import json
import os

import pytest

from unihub._resolve import manifest
from unihub._resolve.manifest import Manifest

FILES = {"b/c": b"cc", "a": b"aaa", "empty": b""}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def entry(tmp_path):
    for name, data in FILES.items():
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


def described(entry):
    return Manifest("h", "archive", "u", "", "t", "model", manifest.describe(str(entry / "model")))


def problems(entry, found, **options):
    return list(found.problems(str(entry), **options))


def test_what_it_describes(entry):
    files = described(entry).files
    assert [(file.name, file.size, file.sha256) for file in files] == [
        (name, len(FILES[name]), sha256(FILES[name])) for name in ("a", "b/c", "empty")
    ]
    assert [file.modified for file in files] == [(entry / "model" / file.name).stat().st_mtime_ns for file in files]


def test_its_digest_and_size(entry):
    found = described(entry)
    lines = "".join("{}  {}\n".format(sha256(FILES[name]), name) for name in ("a", "b/c", "empty"))
    assert found.digest == sha256(lines.encode()) == manifest.digest_of(tuple(reversed(found.files)))
    assert found.size == 5


def test_it_is_read_as_it_was_written(entry):
    found = described(entry)
    found.write(str(entry))
    assert manifest.read(str(entry)) == found
    assert found.model(str(entry)) == str(entry / "model")
    assert Manifest(*[""] * 5, ".", ()).model(str(entry)) == str(entry)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1}', '{"files": [[1]]}', '{"files": []}', "\udcff"])
def test_one_that_cannot_be_read_is_none(entry, text):
    (entry / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert manifest.read(str(entry)) is None


def test_one_with_more_than_it_should_have(entry):
    described(entry).write(str(entry))
    fields = json.loads((entry / "manifest.json").read_text())
    (entry / "manifest.json").write_text(json.dumps(dict(fields, other=1)))
    assert manifest.read(str(entry)) is None


def test_hashes_of_large_files(tmp_path):
    data = os.urandom(2**20) + b"end"
    (tmp_path / "f").write_bytes(data)
    assert manifest.hash_file(str(tmp_path / "f")) == sha256(data)
    assert manifest.hash_file(str(tmp_path / "f"), "md5") == hashlib.md5(data).hexdigest()


class TestProblems:
    def test_none(self, entry):
        assert problems(entry, described(entry)) == problems(entry, described(entry), thorough=True) == []

    def test_a_missing_file(self, entry):
        found = described(entry)
        (entry / "model" / "b" / "c").unlink()
        assert problems(entry, found) == ["b/c is missing"]

    def test_another_size(self, entry):
        found = described(entry)
        (entry / "model" / "a").write_bytes(b"x" * 1234)
        assert problems(entry, found) == ["a has 1,234 bytes, not 3"]

    def test_another_content(self, entry):
        found = described(entry)
        (entry / "model" / "a").write_bytes(b"xxx")
        os.utime(str(entry / "model" / "a"), ns=(0, found.files[0].modified + 1))
        assert problems(entry, found) == ["a was changed"]

    def test_another_content_of_the_same_time_is_seen_when_asked_for(self, entry):
        found = described(entry)
        (entry / "model" / "a").write_bytes(b"xxx")
        os.utime(str(entry / "model" / "a"), ns=(0, found.files[0].modified))
        assert problems(entry, found) == []
        assert problems(entry, found, thorough=True) == ["a was changed"]

    def test_another_time_alone_is_put_right(self, entry):
        found = described(entry)
        path = entry / "model" / "a"
        os.utime(str(path), ns=(123000, found.files[0].modified - 10**9))
        assert problems(entry, found) == []
        assert (path.stat().st_mtime_ns, path.stat().st_atime_ns) == (found.files[0].modified, 123000)

    def test_a_time_that_cannot_be_put_right(self, entry, monkeypatch):
        found = described(entry)
        os.utime(str(entry / "model" / "a"), ns=(0, 0))

        def refuse(*_, **__):
            raise PermissionError(errno.EPERM, "no")

        monkeypatch.setattr(os, "utime", refuse)
        assert problems(entry, found) == []

    def test_a_file_that_cannot_be_read(self, entry, monkeypatch):
        found = described(entry)

        def refuse(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(manifest, "hash_file", refuse)
        assert problems(entry, found) == []
        assert problems(entry, found, thorough=True)[0] == "a cannot be read (Permission denied)"

    def test_a_file_where_a_directory_was(self, entry):
        found = described(entry)
        (entry / "model" / "b" / "c").unlink()
        (entry / "model" / "b").rmdir()
        (entry / "model" / "b").write_bytes(b"")
        (problem,) = problems(entry, found)
        assert problem.startswith("b/c cannot be read (")


class TestDurable:
    @pytest.fixture
    def synced(self, monkeypatch):
        """The names of what ``os.fsync`` brought to the disk; it is never slow here."""
        names = []
        monkeypatch.setattr(os, "fsync", lambda number: names.append(os.readlink("/proc/self/fd/{}".format(number))))
        return names

    @pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the name of an open file is read from /proc")
    def test_files_are_brought_to_the_disk_if_asked_for(self, entry, synced):
        manifest.describe(str(entry / "model"))
        assert synced == []
        manifest.describe(str(entry / "model"), durable=True)
        assert sorted(synced) == sorted(str(entry / "model" / name) for name in FILES)

    @pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the name of an open file is read from /proc")
    def test_the_manifest_and_then_all_directories(self, entry, synced):
        described(entry).write(str(entry))
        assert synced[0] == str(entry / "manifest.json")
        assert sorted(synced[1:]) == sorted(map(str, [entry, entry / "model", entry / "model" / "b"]))

    def test_the_manifest_is_whole_when_it_is_brought_to_the_disk(self, entry, monkeypatch):
        sizes = []
        monkeypatch.setattr(os, "fsync", lambda number: sizes.append(os.fstat(number).st_size))
        described(entry).write(str(entry))
        assert sizes[0] == (entry / "manifest.json").stat().st_size

    def test_a_disk_that_fails_is_told(self, entry, monkeypatch):
        def fail(_):
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "fsync", fail)
        assert manifest.describe(str(entry / "model"))
        with pytest.raises(OSError, match="Input/output error"):
            manifest.describe(str(entry / "model"), durable=True)
        with pytest.raises(OSError, match="Input/output error"):
            Manifest(*[""] * 6, ()).write(str(entry))

    def test_directories_that_cannot_be_synced_are_left(self, entry, monkeypatch):
        def fail(_):
            raise OSError(errno.EINVAL, "Invalid argument")

        closed = []
        close = os.close
        monkeypatch.setattr(os, "fsync", fail)
        monkeypatch.setattr(os, "close", lambda number: closed.append(number) or close(number))
        manifest.sync_directories(str(entry))
        assert len(closed) == 3
