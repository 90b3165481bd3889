"""A corpus of hostile archives, tar and zip: each is refused for its reason, and nothing is written outside of the cache."""

from __future__ import annotations

import functools
import gzip
import io
import os
import stat
import tarfile
import zlib

import pytest

import archives
import unihub
from servers import FILES, files_in, serve
from unihub._resolve.gzip_reader import Gunzip
from unihub.errors import IntegrityError

# The reasons.
OUTSIDE = "Its name leads out of the archive's directory."
ABSOLUTE = "Its name is an absolute path."
LINK = "It is a link."
SPECIAL = "It is neither a file nor a directory."
SPARSE = "It is a sparse file, which may unpack to any size."
TWICE = "'a' is a file and a directory at once."
BOMB = "it has more than 200 times its size."
CHECKSUM = "Bad CRC-32"
NO_ZIP = "File is not a zip file"


def tar(*members, **options):
    """A tar file with a graph, and such members: names, data and attributes."""
    found = [("saved_model.pb", b"graph", {}), *members]
    return archives.tar([archives.member(name, data, **attributes) for name, data, attributes in found], **options)


def zipped(*members):
    """A zip file with a graph, and such members: names, data, and modes of files."""
    return archives.zipped([("saved_model.pb", b"graph", 0), *members])


def patched(data, old, new):
    assert old in data and len(old) == len(new)
    return data.replace(old, new)


def link(target, type=tarfile.SYMTYPE):
    return {"type": type, "linkname": target}


def pax(name, **headers):
    return tar((name, b"x", {"pax_headers": headers}), format=tarfile.PAX_FORMAT)


def zeros():
    return bytes(70 * 2**20)


@functools.lru_cache(maxsize=None)
def whole():
    return zipped(("variables/data", os.urandom(5000), 0))


def lying():
    packed = zipped(("zeros", zeros(), 0))
    return patched(packed, len(zeros()).to_bytes(4, "little"), (1000).to_bytes(4, "little"))


# Each is made when it is tested, with the path of a directory that it may aim at; beside it the reason.
CORPUS = {
    "absolute.tar": (lambda outside: tar((outside + "/evil", b"x", {})), ABSOLUTE),
    "parent.tar": (lambda _: tar(("../evil", b"x", {})), OUTSIDE),
    "parent inside.tar": (lambda _: tar(("a/b/../../../evil", b"x", {})), OUTSIDE),
    "parent at the end.tar": (lambda _: tar(("a/..", b"x", {})), OUTSIDE),
    "parent directory.tar": (lambda _: tar(("../evil/", b"", {"type": tarfile.DIRTYPE})), OUTSIDE),
    "backslashes.tar": (lambda _: tar(("..\\..\\evil", b"x", {})), OUTSIDE),
    "drive.tar": (lambda _: tar(("C:/evil", b"x", {})), ABSOLUTE),
    "drive, relative.tar": (lambda _: tar(("C:evil", b"x", {})), ABSOLUTE),
    "share.tar": (lambda _: tar(("//host/share/evil", b"x", {})), ABSOLUTE),
    "link.tar": (lambda _: tar(("evil", b"", link("/etc/passwd"))), LINK),
    "link out, written through.tar": (lambda outside: tar(("a", b"", link(outside)), ("a/evil", b"x", {})), LINK),
    "link to parent, written through.tar": (lambda _: tar(("a", b"", link("..")), ("a/evil", b"x", {})), LINK),
    "hard link.tar": (lambda _: tar(("evil", b"", link("/etc/passwd", tarfile.LNKTYPE))), LINK),
    "fifo.tar": (lambda _: tar(("evil", b"", {"type": tarfile.FIFOTYPE})), SPECIAL),
    "character device.tar": (lambda _: tar(("evil", b"", {"type": tarfile.CHRTYPE})), SPECIAL),
    "block device.tar": (lambda _: tar(("evil", b"", {"type": tarfile.BLKTYPE})), SPECIAL),
    "unknown type.tar": (lambda _: tar(("evil", b"x", {"type": b"Z"})), SPECIAL),
    "name from a header.tar": (lambda _: pax("a", path="../../evil"), OUTSIDE),
    "NUL from a header.tar": (lambda _: pax("a", path="a\0/../evil"), OUTSIDE),
    "sparse.tar": (lambda _: pax("a", **{"GNU.sparse.size": str(2**40), "GNU.sparse.map": "0,1"}), SPARSE),
    "file over a directory.tar": (lambda _: tar(("a/b", b"x", {}), ("a", b"x", {})), TWICE),
    "bomb.tar.gz": (lambda _: gzip.compress(tar(("zeros", zeros(), {})), 1), BOMB),
    "bomb behind the end.tar.gz": (lambda _: gzip.compress(tar() + zeros(), 1), BOMB),
    "bomb of members.tar.gz": (lambda _: b"".join(gzip.compress(part, 1) for part in (tar(), zeros())), BOMB),
    "absolute.zip": (lambda outside: zipped((outside + "/evil", b"x", 0)), ABSOLUTE),
    "parent.zip": (lambda _: zipped(("../evil", b"x", 0)), OUTSIDE),
    "parent inside.zip": (lambda _: zipped(("a/../../evil", b"x", 0)), OUTSIDE),
    "backslashes.zip": (lambda _: zipped(("..\\..\\evil", b"x", 0)), OUTSIDE),
    "drive.zip": (lambda _: zipped(("C:\\evil", b"x", 0)), ABSOLUTE),
    "link.zip": (lambda _: zipped(("evil", b"/etc/passwd", stat.S_IFLNK | 0o777)), LINK),
    "link, written through.zip": (
        lambda outside: zipped(("a", outside.encode(), stat.S_IFLNK | 0o777), ("a/evil", b"x", 0)),
        LINK,
    ),
    "device.zip": (lambda _: zipped(("evil", b"", stat.S_IFCHR)), SPECIAL),
    "fifo.zip": (lambda _: zipped(("evil", b"", stat.S_IFIFO)), SPECIAL),
    "NUL.zip": (lambda _: patched(zipped(("a_/../evil", b"x", 0)), b"a_/", b"a\0/"), OUTSIDE),
    "file over a directory.zip": (lambda _: zipped(("a/b", b"x", 0), ("a", b"x", 0)), TWICE),
    "bomb.zip": (lambda _: zipped(("zeros", zeros(), 0)), BOMB),
    "bomb that lies.zip": (lambda _: lying(), CHECKSUM),
    "cut off.zip": (lambda _: whole()[:-30], NO_ZIP),
    "cut off in the middle.zip": (lambda _: whole()[:3000], NO_ZIP),
    "changed.zip": (lambda _: whole()[:1000] + bytes(100) + whole()[1100:], CHECKSUM),
    "only the beginning.zip": (lambda _: b"PK\x03\x04" + bytes(100), NO_ZIP),
}


def test_the_corpus_is_large():
    assert len(CORPUS) >= 25


@pytest.mark.parametrize("where", ["disk", "web"])
@pytest.mark.parametrize("name", sorted(CORPUS))
def test_a_hostile_archive_is_refused_and_writes_nothing(name, where, own_cache, plain_site, tmp_path, monkeypatch):
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(str(outside))
    make, reason = CORPUS[name]
    data = make(str(outside))
    path = "/m" + name[name.rindex(".tar" if ".tar" in name else ".zip") :]
    plain_site.answers[path] = serve(data)
    packed = tmp_path / path.strip("/")
    packed.write_bytes(data)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IntegrityError) as caught:
        unihub.resolve(packed if where == "disk" else plain_site.url + path)
    assert reason in " ".join(str(caught.value).split())
    assert sorted(tmp_path.rglob("*")) == before, "something was written outside"
    assert [each for each in own_cache.rglob("*") if each.parent != own_cache] == [], "something was kept"


def test_the_bounds_can_be_set(own_cache, tmp_path, monkeypatch):
    for name in ("bomb.tar.gz", "bomb.zip"):
        packed = tmp_path / name
        data = CORPUS[name][0]("")
        packed.write_bytes(data)
        with pytest.raises(IntegrityError) as caught:
            unihub.resolve(packed)
        assert "UNIHUB_MAX_ARCHIVE_RATIO" in caught.value.hint
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_RATIO", "2000")
        assert files_in(unihub.resolve(packed))["zeros"] == zeros()
        monkeypatch.delenv("UNIHUB_MAX_ARCHIVE_RATIO")
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", "1000")
        packed.write_bytes(data + bytes(name.endswith("gz")))
        with pytest.raises(IntegrityError) as caught:
            unihub.resolve(packed)
        assert "UNIHUB_MAX_ARCHIVE_BYTES" in caught.value.hint and "more than 1000 bytes" in str(caught.value)
        monkeypatch.delenv("UNIHUB_MAX_ARCHIVE_BYTES")


def test_an_honest_zip_file(own_cache, tmp_path):
    packed = tmp_path / "m.zip"
    packed.write_bytes(zipped(*((name, data, 0) for name, data in FILES.items() if name != "saved_model.pb")))
    assert files_in(unihub.resolve(packed)) == FILES


# The reader of gzip files


@pytest.mark.parametrize("size", [1, 7, 4096, 2**20, 2**30])
def test_gunzip_reads_what_gzip_wrote(size):
    parts = [os.urandom(3000), b"", bytes(5 * 2**20 if size > 7 else 1000), b"end"]
    packed = b"".join(gzip.compress(part) for part in parts) + bytes(700)
    reader = Gunzip(io.BytesIO(packed))
    read = b"".join(iter(lambda: reader.read(size), b""))
    assert read == b"".join(parts) and reader.tell() == len(read)


def test_gunzip_skips_forward_only():
    reader = Gunzip(io.BytesIO(gzip.compress(bytes(range(200)) * 10)))
    assert reader.seek(150) == 150 and reader.read(2) == bytes([150, 151])
    assert reader.seek(10, os.SEEK_CUR) == 162 and reader.read(1) == bytes([162])
    assert reader.seek(10**6) == 2000 and reader.read(1) == b""
    with pytest.raises(EOFError):
        reader.seek(0)


@pytest.mark.parametrize("cut", [1, 5, 12, 100, 2000, -8, -4, -1])
def test_gunzip_sees_what_is_cut_off(cut):
    packed = gzip.compress(os.urandom(3000))
    with pytest.raises((EOFError, zlib.error)):
        Gunzip(io.BytesIO(packed[:cut])).read(10**6)


def test_gunzip_sees_what_is_changed():
    packed = bytearray(gzip.compress(os.urandom(3000)))
    for place in range(0, len(packed), 50):
        changed = bytearray(packed)
        changed[place] ^= 0x10
        with pytest.raises((EOFError, zlib.error)):
            Gunzip(io.BytesIO(bytes(changed))).read(10**6)


def test_gunzip_refuses_what_follows_and_is_no_gzip():
    with pytest.raises(zlib.error):
        Gunzip(io.BytesIO(gzip.compress(b"x") + b"garbage")).read(10**6)
