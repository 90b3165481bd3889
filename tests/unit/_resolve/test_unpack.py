"""Unpacking an archive, member by member: the reason of each refusal, and where each bound is."""

import errno
import gzip
import hashlib
import io
import os
import stat
import tarfile
import zipfile

import pytest

from unihub._resolve import archive, manifest
from unihub.errors import DownloadError, IntegrityError

LINK = "It is a link."
NO_FILE = "It is neither a file nor a directory."
SPARSE = "It is a sparse file, which may unpack to any size."
ENCRYPTED = "It is encrypted."
ABSOLUTE = "Its name is an absolute path."
OUT = "Its name leads out of the archive's directory."
ODD = "Its name holds a backslash or a NUL byte."
TOP = "It is a file in the place of the archive's directory."


@pytest.fixture(autouse=True)
def bounds(monkeypatch):
    for variable in ("UNIHUB_MAX_ARCHIVE_BYTES", "UNIHUB_MAX_ARCHIVE_RATIO"):
        monkeypatch.delenv(variable, raising=False)


def tar(*members, **options):
    """A tar file of names, data, and attributes."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", **options) as packed:
        for name, data, attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in attributes.items():
                setattr(info, key, value)
            packed.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zipped(*members, mode=0, flags=0):
    """A zip file of names and data."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, data in members:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name  # as it is, for zipfile would mend it
            info.external_attr = mode << 16
            packed.writestr(info, data)
            info.flag_bits |= flags
    return file.getvalue()


def unpack(data, into):
    into.mkdir()
    archive.unpack(io.BytesIO(data), "/m", str(into))
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()}


def refusal(data, tmp_path):
    with pytest.raises(IntegrityError) as caught:
        unpack(data, tmp_path / "into")
    assert [path for path in tmp_path.rglob("*") if path.name not in ("into", "whole")] == []
    return caught.value


class TestMembers:
    @pytest.mark.parametrize(
        "name, attributes, reason",
        [
            ("a", {"type": tarfile.SYMTYPE, "linkname": "/x"}, LINK),
            ("a", {"type": tarfile.LNKTYPE, "linkname": "whole"}, LINK),
            ("a", {"type": tarfile.FIFOTYPE}, NO_FILE),
            ("a", {"type": tarfile.CHRTYPE}, NO_FILE),
            ("a", {"type": tarfile.BLKTYPE}, NO_FILE),
            ("/a", {}, ABSOLUTE),
            ("//a/b/c", {}, ABSOLUTE),
            ("C:a", {}, ABSOLUTE),
            ("C:/a", {}, ABSOLUTE),
            ("../a", {}, OUT),
            ("a/../../b", {}, OUT),
            ("a/..", {}, OUT),
            ("a\\..\\b", {}, OUT),
            ("a\\b", {}, ODD),
            (".", {}, TOP),
            ("./.", {}, TOP),
            ("../a", {"type": tarfile.DIRTYPE}, OUT),
            ("/a", {"type": tarfile.DIRTYPE}, ABSOLUTE),
        ],
    )
    def test_of_a_tar_file(self, tmp_path, name, attributes, reason):
        found = refusal(tar(("whole", b"", {}), (name, b"", attributes)), tmp_path)
        assert (found.path, found.member, reason in str(found)) == ("/m", name, True)

    def test_a_sparse_file(self, tmp_path):
        headers = {"pax_headers": {"GNU.sparse.size": str(2**40), "GNU.sparse.map": "0,1"}}
        assert SPARSE in str(refusal(tar(("a", b"x", headers), format=tarfile.PAX_FORMAT), tmp_path))

    def test_a_nul_byte(self, tmp_path):
        headers = {"pax_headers": {"path": "a\0b"}}
        assert ODD in str(refusal(tar(("a", b"x", headers), format=tarfile.PAX_FORMAT), tmp_path))

    @pytest.mark.parametrize(
        "name, mode, reason",
        [
            ("a", stat.S_IFLNK | 0o777, LINK),
            ("a", stat.S_IFIFO, NO_FILE),
            ("a", stat.S_IFCHR, NO_FILE),
            ("/a", 0, ABSOLUTE),
            ("../a", 0, OUT),
            ("a\\b", 0, ODD),
            (".", 0, TOP),
            ("../a/", 0, OUT),
        ],
    )
    def test_of_a_zip_file(self, tmp_path, name, mode, reason):
        found = refusal(zipped((name, b""), mode=mode), tmp_path)
        assert (found.path, found.member, reason in str(found)) == ("/m", name, True)

    def test_an_encrypted_one(self, tmp_path):
        assert ENCRYPTED in str(refusal(zipped(("a", b"x"), flags=0x1), tmp_path))
        # Another bit says how the name is written.
        assert unpack(zipped(("a", b"x"), flags=0x800), tmp_path / "other") == {"a": b"x"}

    @pytest.mark.parametrize("mode", [0, 0o644, stat.S_IFREG | 0o600])
    def test_honest_files_of_a_zip_file(self, tmp_path, mode):
        assert unpack(zipped(("a/b", b"x"), ("c", b""), mode=mode), tmp_path / "into") == {"a/b": b"x", "c": b""}

    def test_honest_directories(self, tmp_path):
        data = zipped(("a/", b""), mode=stat.S_IFDIR | 0o755)
        assert unpack(data, tmp_path / "zip") == {} and (tmp_path / "zip" / "a").is_dir()
        folder = {"type": tarfile.DIRTYPE}
        data = tar((".", b"", folder), ("./", b"", folder), ("a", b"", folder), ("a/b", b"x", {}), ("./a//c", b"y", {}))
        assert unpack(data, tmp_path / "tar") == {"a/b": b"x", "a/c": b"y"}

    @pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
    @pytest.mark.parametrize("packed", [lambda *names: tar(*((name, b"", {}) for name in names)), None])
    def test_a_file_and_a_directory_at_once(self, tmp_path, names, packed):
        data = packed(*names) if packed else zipped(*((name, b"") for name in names))
        with pytest.raises(IntegrityError, match="'{}' is a file and a directory at once".format(names[1])):
            unpack(data, tmp_path / "into")

    def test_a_zip_file_with_a_method_of_tomorrow(self, tmp_path):
        data = zipped(("a", b"x")).replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00"
        )
        with pytest.raises(IntegrityError, match="damaged"):
            unpack(data, tmp_path / "into")


class TestBounds:
    def is_refused(self, monkeypatch, unpacked, packed=10**9, limit=None, ratio=None):
        for name, value in [("BYTES", limit), ("RATIO", ratio)]:
            if value is not None:
                monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_" + name, str(value))
        try:
            archive._Bounds("/m").check(unpacked, packed)
        except IntegrityError as error:
            return (
                "UNIHUB_MAX_ARCHIVE_BYTES" if "UNIHUB_MAX_ARCHIVE_BYTES" in str(error) else "UNIHUB_MAX_ARCHIVE_RATIO"
            )

    def test_bytes(self, monkeypatch):
        assert self.is_refused(monkeypatch, 1000, limit=1000) is None
        assert self.is_refused(monkeypatch, 1001, limit=1000) == "UNIHUB_MAX_ARCHIVE_BYTES"

    def test_ratio(self, monkeypatch):
        small = 64 * 2**20
        assert self.is_refused(monkeypatch, small, packed=1, ratio=5) is None
        assert self.is_refused(monkeypatch, small + 1, packed=1, ratio=5) == "UNIHUB_MAX_ARCHIVE_RATIO"
        assert self.is_refused(monkeypatch, 5 * small, packed=small, ratio=5) is None
        assert self.is_refused(monkeypatch, 5 * small + 1, packed=small, ratio=5) == "UNIHUB_MAX_ARCHIVE_RATIO"

    @pytest.mark.parametrize("excess, refused", [(0, False), (1, True)])
    def test_members_of_a_zip_file_count_together(self, tmp_path, monkeypatch, excess, refused):
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", "100")
        data = zipped(("a", bytes(40)), ("b", bytes(60 + excess)))
        if refused:
            with pytest.raises(IntegrityError, match="UNIHUB_MAX_ARCHIVE_BYTES"):
                unpack(data, tmp_path / "into")
            # Nothing is written of what is too much.
            assert os.listdir(str(tmp_path / "into")) == ["a"]
        else:
            assert sorted(unpack(data, tmp_path / "into")) == ["a", "b"]

    @pytest.mark.parametrize("packed", [bytes, gzip.compress])
    def test_a_tar_file_counts_as_it_is_read(self, tmp_path, monkeypatch, packed):
        data = tar(("a", bytes(10**5), {}))
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", str(len(data)))
        assert list(unpack(packed(data), tmp_path / "enough")) == ["a"]
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", str(len(data) - 1))
        with pytest.raises(IntegrityError, match="UNIHUB_MAX_ARCHIVE_BYTES"):
            unpack(packed(data), tmp_path / "less")

    def test_the_ratio_of_a_zip_file_is_that_to_all_of_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(archive, "_ANY_RATIO_BELOW", 0)
        data = zipped(("a", bytes(1000)))
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_RATIO", "1")
        assert list(unpack(data, tmp_path / "into")) == ["a"]
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("a", bytes(1000))
        with pytest.raises(IntegrityError, match="UNIHUB_MAX_ARCHIVE_RATIO"):
            unpack(file.getvalue(), tmp_path / "other")

    @pytest.mark.parametrize("excess, refused", [(0, False), (1, True)])
    def test_the_ratio_of_a_zip_file_to_the_byte(self, tmp_path, monkeypatch, excess, refused):
        def zeros(count):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.writestr("a", bytes(count))
            return file.getvalue()

        monkeypatch.setattr(archive, "_ANY_RATIO_BELOW", 0)
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_RATIO", "10")
        data = next(data for count in range(500, 5000) for data in [zeros(count)] if 10 * len(data) + excess == count)
        if not refused:
            assert list(unpack(data, tmp_path / "into")) == ["a"]
            return
        with pytest.raises(IntegrityError, match="UNIHUB_MAX_ARCHIVE_RATIO"):
            unpack(data, tmp_path / "into")

    def test_a_header_that_is_too_long(self):
        stream = archive._plain(io.BytesIO(bytes(100)), archive._Bounds("/m"))
        assert stream.read(16 * 2**20) == bytes(100)
        with pytest.raises(archive._Damaged, match="claims to be {} bytes".format(16 * 2**20 + 1)):
            stream.read(16 * 2**20 + 1)


class TestEnd:
    ONE = tar(("a", b"x", {}))

    def test_what_follows_the_end_is_read_for_its_checksum(self, tmp_path):
        damaged = bytearray(gzip.compress(self.ONE + os.urandom(5000)))
        damaged[-5] ^= 1
        with pytest.raises(IntegrityError, match="damaged"):
            unpack(bytes(damaged), tmp_path / "into")

    def test_without_an_end_mark(self, tmp_path):
        for length, whole in [(1024, False), (1536, True), (2048, True)]:
            if whole:
                assert unpack(self.ONE[:length], tmp_path / str(length)) == {"a": b"x"}
                continue
            with pytest.raises(IntegrityError, match="it is cut off, or a member's header is damaged"):
                unpack(self.ONE[:length], tmp_path / str(length))
        assert unpack(gzip.compress(self.ONE[:1024]), tmp_path / "gzip") == {"a": b"x"}

    def test_a_header_that_is_damaged(self, tmp_path):
        two = bytearray(tar(("a", b"x", {}), ("b", b"y", {})))
        two[1024] ^= 1
        for number, data in enumerate([bytes(two), gzip.compress(bytes(two))]):
            with pytest.raises(IntegrityError, match="it is cut off, or a member's header is damaged"):
                unpack(data, tmp_path / str(number))


class TestDisk:
    @pytest.fixture
    def synced(self, monkeypatch):
        numbers = []
        monkeypatch.setattr(archive, "_CHUNK", 1)
        monkeypatch.setattr(os, "fsync", numbers.append)
        return numbers

    @pytest.mark.parametrize("size, times", [(0, 0), (31, 0), (32, 1), (63, 1), (64, 2)])
    def test_large_files_are_brought_to_it_in_between(self, tmp_path, synced, size, times):
        data = os.urandom(size)
        assert unpack(zipped(("a", data)), tmp_path / "into") == {"a": data}
        assert len(synced) == times and all(isinstance(number, int) for number in synced)

    def test_one_that_fails_is_told(self, tmp_path, monkeypatch):
        def fail(_):
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(archive, "_CHUNK", 1)
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output error"):
            unpack(zipped(("a", bytes(32))), tmp_path / "into")

    def test_errors_of_the_system_and_of_the_archive(self, tmp_path, monkeypatch):
        errors = [
            (OSError("odd"), IntegrityError),
            (OSError(errno.ENOSPC, "full"), OSError),
            (EOFError(), IntegrityError),
        ]
        for number, (error, kind) in enumerate(errors):

            def fail(*_, error=error):
                raise error

            monkeypatch.setattr(archive, "_unpack_tar", fail)
            with pytest.raises(kind) as caught:
                unpack(bytes(10), tmp_path / str(number))
            assert type(caught.value) is kind
        assert "it ends early" in str(caught.value)

    def test_what_extract_makes_of_them(self, tmp_path, own_cache, monkeypatch):
        path = tmp_path / "m.tar"
        path.write_bytes(tar(("a", b"x", {})))
        for error, kind in [
            (OSError(errno.ENOSPC, "full"), DownloadError),
            (IntegrityError.broken_archive("/m", "x"), IntegrityError),
        ]:

            def fail(*_, error=error):
                raise error

            monkeypatch.setattr(archive, "unpack", fail)
            with pytest.raises(kind):
                archive.extract(str(path))


class TestPin:
    def test_an_archive_is_hashed_only_for_its_pin(self, tmp_path, own_cache, monkeypatch):
        path = tmp_path / "m.tar"
        path.write_bytes(tar(("a", b"x", {})))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        pinned, plain = archive.extract(str(path), digest), archive.extract(str(path))
        found = [manifest.read(os.path.dirname(place)) for place in (pinned, plain)]
        assert [each.archive for each in found] == [digest, ""]
        # Each has an entry of its own, for what one must be the other need not.
        assert pinned != plain
        with pytest.raises(IntegrityError):
            archive.extract(str(path), "0" * 64)


class TestIsArchive:
    @pytest.mark.parametrize("compress", [bytes, gzip.compress])
    def test_tar_files(self, tmp_path, compress):
        path = tmp_path / "m"
        path.write_bytes(compress(tar(("a", b"x", {}))))
        assert archive.is_archive(str(path)) is True

    @pytest.mark.parametrize(
        "data",
        [b"", b"x", bytes(10240), gzip.compress(b"x" * 600), b"\x1f\x8b" + b"x" * 600, zipped(("a", b"x"))],
        ids=["nothing", "a byte", "zeros", "text", "garbage", "zip"],
    )
    def test_others(self, tmp_path, data):
        path = tmp_path / "m"
        path.write_bytes(data)
        assert archive.is_archive(str(path)) is False
        assert archive.is_archive(str(tmp_path / "nothing")) is False
