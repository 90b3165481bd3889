"""A corpus of hostile archives, tar and zip: each is refused, and nothing is written outside of the cache."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
import zlib

import pytest

import unihub
from servers import FILES, files_in, serve
from unihub._resolve.gzip_reader import Gunzip
from unihub.errors import IntegrityError


def tar(*members, **options):
    """A tar file with a graph, and such members: names, data and attributes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", **options) as archive:
        for name, data, attributes in [("saved_model.pb", b"graph", {}), *members]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    """A zip file with a graph, and such members: names, data, and modes of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("saved_model.pb", b"graph")
        for name, data, mode in members:
            info = zipfile.ZipInfo(name)
            info.filename = info.orig_filename = name  # as it is, for zipfile would mend it
            info.external_attr = mode << 16
            info.compress_type = method
            archive.writestr(info, data)
    return packed.getvalue()


def patched(data, old, new):
    assert old in data and len(old) == len(new)
    return data.replace(old, new)


def link(target, type=tarfile.SYMTYPE):
    return {"type": type, "linkname": target}


ZEROS = bytes(70 * 2**20)
WHOLE = zipped(("variables/data", os.urandom(5000), 0))

CORPUS = {
    "absolute.tar": tar(("/{outside}/evil", b"x", {})),
    "parent.tar": tar(("../evil", b"x", {})),
    "parent inside.tar": tar(("a/b/../../../evil", b"x", {})),
    "parent at the end.tar": tar(("a/..", b"x", {})),
    "parent directory.tar": tar(("../evil/", b"", {"type": tarfile.DIRTYPE})),
    "backslashes.tar": tar(("..\\..\\evil", b"x", {})),
    "drive.tar": tar(("C:/evil", b"x", {})),
    "drive, relative.tar": tar(("C:evil", b"x", {})),
    "share.tar": tar(("//host/share/evil", b"x", {})),
    "link.tar": tar(("evil", b"", link("/etc/passwd"))),
    "link out, written through.tar": tar(("a", b"", link("{outside}")), ("a/evil", b"x", {})),
    "link to parent, written through.tar": tar(("a", b"", link("..")), ("a/evil", b"x", {})),
    "hard link.tar": tar(("evil", b"", link("/etc/passwd", tarfile.LNKTYPE))),
    "fifo.tar": tar(("evil", b"", {"type": tarfile.FIFOTYPE})),
    "character device.tar": tar(("evil", b"", {"type": tarfile.CHRTYPE})),
    "block device.tar": tar(("evil", b"", {"type": tarfile.BLKTYPE})),
    "unknown type.tar": tar(("evil", b"x", {"type": b"Z"})),
    "name from a header.tar": tar(("a", b"x", {"pax_headers": {"path": "../../evil"}}), format=tarfile.PAX_FORMAT),
    "NUL from a header.tar": tar(("a", b"x", {"pax_headers": {"path": "a\0/../evil"}}), format=tarfile.PAX_FORMAT),
    "sparse.tar": tar(
        ("a", b"x", {"pax_headers": {"GNU.sparse.size": str(2**40), "GNU.sparse.map": "0,1"}}),
        format=tarfile.PAX_FORMAT,
    ),
    "file over a directory.tar": tar(("a/b", b"x", {}), ("a", b"x", {})),
    "bomb.tar.gz": gzip.compress(tar(("zeros", ZEROS, {}))),
    "bomb behind the end.tar.gz": gzip.compress(tar() + ZEROS),
    "bomb of members.tar.gz": b"".join(gzip.compress(part) for part in (tar(), ZEROS)),
    "absolute.zip": zipped(("/{outside}/evil", b"x", 0)),
    "parent.zip": zipped(("../evil", b"x", 0)),
    "parent inside.zip": zipped(("a/../../evil", b"x", 0)),
    "backslashes.zip": zipped(("..\\..\\evil", b"x", 0)),
    "drive.zip": zipped(("C:\\evil", b"x", 0)),
    "link.zip": zipped(("evil", b"/etc/passwd", stat.S_IFLNK | 0o777)),
    "link, written through.zip": zipped(("a", b"{outside}", stat.S_IFLNK | 0o777), ("a/evil", b"x", 0)),
    "device.zip": zipped(("evil", b"", stat.S_IFCHR)),
    "fifo.zip": zipped(("evil", b"", stat.S_IFIFO)),
    "NUL.zip": patched(zipped(("a_/../evil", b"x", 0)), b"a_/", b"a\0/"),
    "file over a directory.zip": zipped(("a/b", b"x", 0), ("a", b"x", 0)),
    "bomb.zip": zipped(("zeros", ZEROS, 0)),
    "bomb that lies.zip": patched(
        zipped(("zeros", ZEROS, 0)), len(ZEROS).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    ),
    "cut off.zip": WHOLE[:-30],
    "cut off in the middle.zip": WHOLE[:3000],
    "changed.zip": WHOLE[:1000] + bytes(100) + WHOLE[1100:],
    "only the beginning.zip": b"PK\x03\x04" + bytes(100),
}


def test_the_corpus_is_large():
    assert len(CORPUS) >= 25


@pytest.mark.parametrize("where", ["disk", "web"])
@pytest.mark.parametrize("name", sorted(CORPUS))
def test_a_hostile_archive_is_refused_and_writes_nothing(name, where, own_cache, plain_site, tmp_path, monkeypatch):
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.chdir(str(outside))
    data = CORPUS[name].replace(b"{outside}", str(outside).encode()[-9:])
    path = "/m" + name[name.rindex(".tar" if ".tar" in name else ".zip") :]
    plain_site.answers[path] = serve(data)
    packed = tmp_path / path.strip("/")
    packed.write_bytes(data)
    before = sorted(each for each in tmp_path.rglob("*") if own_cache not in each.parents and each != own_cache)
    with pytest.raises(IntegrityError):
        unihub.resolve(packed if where == "disk" else plain_site.url + path)
    after = sorted(each for each in tmp_path.rglob("*") if own_cache not in each.parents and each != own_cache)
    assert after == before, "something was written outside"
    assert [each for each in own_cache.rglob("*") if each.parent != own_cache] == [], "something was kept"


def test_the_bounds_can_be_set(own_cache, tmp_path, monkeypatch):
    for name in ("bomb.tar.gz", "bomb.zip"):
        packed = tmp_path / name
        packed.write_bytes(CORPUS[name])
        with pytest.raises(IntegrityError) as caught:
            unihub.resolve(packed)
        assert "UNIHUB_MAX_ARCHIVE_RATIO" in caught.value.hint
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_RATIO", "2000")
        assert files_in(unihub.resolve(packed))["zeros"] == ZEROS
        monkeypatch.delenv("UNIHUB_MAX_ARCHIVE_RATIO")
        monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", "1000")
        packed.write_bytes(CORPUS[name] + bytes(name.endswith("gz")))
        with pytest.raises(IntegrityError) as caught:
            unihub.resolve(packed)
        assert "UNIHUB_MAX_ARCHIVE_BYTES" in str(caught.value) or "more than 1000 bytes" in str(caught.value)
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
