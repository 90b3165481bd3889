"""Archives and the cache: whole or not at all, once, and never a byte outside."""

from __future__ import annotations

import gzip
import os
import pickle
import signal
import sys
import tarfile
import textwrap
import time
import types
from pathlib import Path

import pytest

import unihub._resolve.archive as archive
from archives import member, tar
from processes import run, start
from unihub._resolve import cache
from unihub._resolve.archive import extract, is_archive
from unihub.errors import DownloadError, HandleError, IntegrityError
from words import words_of

FILES = {"saved_model.pb": b"graph", "variables/variables.index": b"index", "assets/words.txt": b"a\nb\n"}


@pytest.fixture(autouse=True)
def cache_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "cache"))
    # Locks are tested with the sources; here each file in the cache is counted.
    monkeypatch.setenv("UNIHUB_LOCK_TIMEOUT", "0")
    for variable in ("UNIHUB_MAX_ARCHIVE_BYTES", "UNIHUB_MAX_ARCHIVE_RATIO"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path / "cache"


def packed(path, *members, **options):
    """Writes an archive of such members, gzipped if its name says so."""
    Path(str(path)).write_bytes(tar(members, "w" if str(path).endswith(".tar") else "w:gz", **options))
    return str(path)


def model_archive(path, prefix="", **options):
    return packed(path, *(member(prefix + name, data) for name, data in FILES.items()), **options)


def content(directory):
    root = Path(directory)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def everything_in(directory):
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*"))


# Unpacking


@pytest.mark.parametrize("name", ["m.tar.gz", "m.tgz", "m.tar", "m.TGZ"])
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_unpacks_what_was_packed(tmp_path, name, format):
    path = model_archive(tmp_path / name, format=format)
    assert is_archive(path)
    assert content(extract(path)) == FILES


@pytest.mark.parametrize("prefix", ["./", "model/", "./model/", "a/b/c/"])
def test_gives_the_directory_that_holds_the_model(tmp_path, prefix):
    assert content(extract(model_archive(tmp_path / "m.tar.gz", prefix))) == FILES


def test_what_macos_adds_is_no_second_top_directory(tmp_path):
    members = [member("model/" + name, data) for name, data in FILES.items()]
    path = packed(tmp_path / "m.tgz", member("._model", b"x"), *members)
    assert content(extract(path)) == FILES


def test_a_model_beside_another_is_not_chosen(tmp_path):
    path = packed(tmp_path / "m.tgz", member("a/saved_model.pb"), member("b/saved_model.pb"))
    assert sorted(os.listdir(extract(path))) == ["a", "b"]


def test_directories_long_names_and_large_files(tmp_path):
    data = os.urandom(3 * 2**20 + 17)
    name = "d" * 90 + "/" + "e" * 90 + "/" + "ü" * 60
    path = packed(
        tmp_path / "m.tgz", member("empty", type=tarfile.DIRTYPE), member(name, data), format=tarfile.PAX_FORMAT
    )
    into = extract(path)
    assert os.path.isdir(os.path.join(into, "empty"))
    assert content(into) == {name: data}


def test_the_packers_modes_are_not_taken_over(tmp_path):
    members = [member("locked", type=tarfile.DIRTYPE, mode=0), member("f", b"x", mode=0)]
    model = extract(packed(tmp_path / "m.tgz", *members))
    # tests may run as root, who may read anything: so the modes themselves
    assert os.stat(os.path.join(model, "locked")).st_mode & 0o700 == 0o700
    assert os.stat(os.path.join(model, "f")).st_mode & 0o600 == 0o600


def test_a_later_member_of_the_same_name_wins(tmp_path):
    path = packed(tmp_path / "m.tar", member("a", b"old, longer"), member("a", b"new"))
    assert content(extract(path)) == {"a": b"new"}


# The cache


def test_unpacked_once(tmp_path, monkeypatch):
    path = model_archive(tmp_path / "m.tgz")
    first = extract(path)
    monkeypatch.setattr(archive, "unpack", lambda *_: pytest.fail("unpacked again"))
    assert extract(path) == first


def test_the_entry_is_named_after_the_archive_and_shared_with_others(tmp_path, cache_directory):
    model = extract(model_archive(tmp_path / "convnet.tar.gz"))
    place, inner = os.path.split(model)
    assert (os.path.dirname(place), inner) == (str(cache_directory / "archives"), "model")
    name, _, digest = os.path.basename(place).rpartition("-")
    assert name == "convnet" and len(digest) == 16
    sibling = tmp_path / "made"
    sibling.mkdir()
    assert os.stat(place).st_mode == os.stat(str(sibling)).st_mode
    assert everything_in(cache_directory / "archives")[0] == os.path.basename(place)


def test_a_long_name_fits_into_the_file_system(tmp_path):
    assert content(extract(model_archive(tmp_path / ("ü" * 120 + ".tar.gz")))) == FILES


def test_another_archive_in_its_place_is_unpacked_anew(tmp_path):
    path = packed(tmp_path / "m.tar", member("a", b"one"))
    old = os.stat(path)
    assert content(extract(path)) == {"a": b"one"}
    packed(tmp_path / "m.tar", member("a", b"two"))
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns + 1))
    assert os.stat(path).st_size == old.st_size
    assert content(extract(path)) == {"a": b"two"}


def test_equal_names_in_different_places_are_told_apart(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        path = packed(tmp_path / name / "m.tar", member(name))
        os.utime(path, (1, 1))
        assert list(content(extract(path))) == [name]


def test_without_the_variable_the_custom_of_the_system_holds(monkeypatch):
    platformdirs = types.SimpleNamespace(user_cache_dir="/home/me/.cache/{}".format)
    monkeypatch.setitem(sys.modules, "platformdirs", platformdirs)
    monkeypatch.delenv("UNIHUB_CACHE_DIR")
    assert cache.root() == "/home/me/.cache/unihub"
    monkeypatch.setenv("UNIHUB_CACHE_DIR", "~/there")
    assert cache.root() == os.path.join(os.path.expanduser("~"), "there")


def test_a_process_that_loses_the_race_uses_the_winners(tmp_path, cache_directory):
    def overtaken(into):
        Path(into, "mine").write_bytes(b"")
        place = cache_directory / "archives" / "x"
        place.mkdir()
        (place / "winner").write_bytes(b"")

    place = cache.entry("archives", "x", overtaken)
    assert os.listdir(place) == ["winner"]
    assert os.listdir(str(cache_directory / "archives")) == ["x"]


def test_processes_racing_all_find_one_whole_entry(tmp_path, cache_directory):
    data = os.urandom(2**20)
    path = packed(tmp_path / "m.tgz", *(member("f{}".format(i), data) for i in range(8)))
    program = "import sys; from unihub._resolve.archive import extract; print(extract(sys.argv[1]))"
    racers = [start(program, path) for _ in range(6)]
    places = {racer.communicate()[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * 6
    assert len(places) == 1
    assert content(places.pop()) == {"f{}".format(i): data for i in range(8)}
    assert len(os.listdir(str(cache_directory / "archives"))) == 1


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows kills otherwise")
def test_a_killed_process_elsewhere_leaves_no_entry_and_the_next_day_no_trace(tmp_path, cache_directory):
    path = model_archive(tmp_path / "m.tgz")
    program = """
        import os, signal, sys
        import unihub._resolve.archive as archive
        archive._check_end = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        archive.extract(sys.argv[1])
    """
    assert run(textwrap.dedent(program), path).returncode == -signal.SIGKILL
    shelf = cache_directory / "archives"
    (left,) = shelf.iterdir()
    assert left.name.startswith(cache._STAGING) and content(str(left)) != {}
    # of another machine: whether that process still runs cannot be seen from here
    name, _, random = left.name.rsplit("-", 2)
    elsewhere = shelf / "{}-elsewhere.1.-{}".format(name, random)
    left.rename(elsewhere)
    left = elsewhere

    entry = extract(path)
    assert left.exists()
    assert content(entry) == FILES

    day_ago = time.time() - 24 * 60 * 60 - 10
    for each in [left, *left.rglob("*")]:
        os.utime(str(each), (day_ago, day_ago))
    extract(model_archive(tmp_path / "other.tgz"))
    assert not left.exists()
    assert content(entry) == FILES


# Hostile archives


def link(name, target, type):
    return member(name, type=type, linkname=target)


HOSTILE = {
    "absolute": (member("/{outside}/evil", b"x"), "Its name is an absolute path."),
    "parent": (member("../evil", b"x"), "Its name leads out of the archive's directory."),
    "parent inside": (member("a/b/../../../evil", b"x"), "Its name leads out of the archive's directory."),
    "parent directory": (member("..", type=tarfile.DIRTYPE), "Its name leads out of the archive's directory."),
    "windows parent": (member("a\\..\\..\\evil", b"x"), "Its name leads out of the archive's directory."),
    "windows drive": (member("C:/evil", b"x"), "Its name is an absolute path."),
    "windows relative to a drive": (member("C:evil", b"x"), "Its name is an absolute path."),
    "windows share": (member("\\\\host\\share\\evil", b"x"), "Its name is an absolute path."),
    "backslash": (member("a\\evil", b"x"), "Its name holds a backslash or a NUL byte."),
    "symbolic link": (link("evil", "/etc/passwd", tarfile.SYMTYPE), "It is a link."),
    "link within": (link("evil", "saved_model.pb", tarfile.SYMTYPE), "It is a link."),
    "hard link": (link("evil", "/etc/passwd", tarfile.LNKTYPE), "It is a link."),
    "fifo": (member("evil", type=tarfile.FIFOTYPE), "It is neither a file nor a directory."),
    "character device": (member("evil", type=tarfile.CHRTYPE), "It is neither a file nor a directory."),
    "block device": (member("evil", type=tarfile.BLKTYPE), "It is neither a file nor a directory."),
    "unknown type": (member("evil", b"x", type=b"Z"), "It is neither a file nor a directory."),
    "the directory itself": (
        member("./", b"x", type=tarfile.REGTYPE),
        "It is a file in the place of the archive's directory.",
    ),
}


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
@pytest.mark.parametrize("case", sorted(HOSTILE))
def test_a_hostile_member_is_refused_and_writes_nothing(tmp_path, cache_directory, case, suffix):
    (info, data), reason = HOSTILE[case]
    info.name = info.name.replace("{outside}", str(tmp_path / "outside").strip("/"))
    path = packed(tmp_path / ("m" + suffix), member("saved_model.pb", b"graph"), (info, data))
    with pytest.raises(IntegrityError) as caught:
        extract(path)
    assert caught.value.why == reason
    assert caught.value.path == path
    assert everything_in(cache_directory) == ["archives"]
    assert set(os.listdir(str(tmp_path))) == {"cache", "m" + suffix}


def test_a_link_is_refused_before_anything_is_written_through_it(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    path = packed(tmp_path / "m.tgz", link("a", str(outside), tarfile.SYMTYPE), member("a/evil", b"x"))
    with pytest.raises(IntegrityError, match="'a'"):
        extract(path)
    assert os.listdir(str(outside)) == []


def test_a_nul_in_a_name(tmp_path):
    info = member("plain", b"x")[0]
    info.pax_headers = {"path": "evil\0name"}
    path = packed(tmp_path / "m.tgz", (info, b"x"), format=tarfile.PAX_FORMAT)
    with pytest.raises(IntegrityError) as caught:
        extract(path)
    assert caught.value.why == "Its name holds a backslash or a NUL byte."


def test_a_sparse_file(tmp_path):
    info = member("sparse", b"x")[0]
    info.pax_headers = {"GNU.sparse.size": str(2**28), "GNU.sparse.map": "0,1"}
    path = packed(tmp_path / "m.tgz", (info, b"x"), format=tarfile.PAX_FORMAT)
    with pytest.raises(IntegrityError) as caught:
        extract(path)
    assert caught.value.why == "It is a sparse file, which may unpack to any size."


@pytest.mark.parametrize("name", ["m.tar", "m.tar.gz"])
def test_an_archive_may_not_fill_the_disk(tmp_path, cache_directory, monkeypatch, name):
    path = packed(tmp_path / name, member("zeros", bytes(5 * 2**20)))
    monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", str(4 * 2**20))
    with pytest.raises(IntegrityError) as caught:
        extract(path)
    assert caught.value.limit == 4 * 2**20
    assert everything_in(cache_directory) == ["archives"]
    monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", str(6 * 2**20))
    assert content(extract(path)) == {"zeros": bytes(5 * 2**20)}


def test_what_follows_an_archive_counts_too(tmp_path, monkeypatch):
    path = str(tmp_path / "m.tgz")
    plain = Path(model_archive(tmp_path / "m.tar")).read_bytes()
    with gzip.open(path, "wb") as file:
        file.write(plain + bytes(5 * 2**20))
    monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", str(4 * 2**20))
    with pytest.raises(IntegrityError, match="more than 4194304 bytes"):
        extract(path)


def test_a_header_may_not_fill_the_memory(tmp_path):
    info = member("x")[0]
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2**40
    path = tmp_path / "m.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(IntegrityError) as caught:
        extract(str(path))
    assert caught.value.reason == "a header claims to be 1099511627776 bytes long"


def test_a_file_and_a_directory_of_one_name(tmp_path, cache_directory):
    for members in ([member("a"), member("a/b")], [member("a/b"), member("a")]):
        with pytest.raises(IntegrityError, match="is a file and a directory at once"):
            extract(packed(tmp_path / "m.tgz", *members))
    assert everything_in(cache_directory) == ["archives"]


# Damaged archives


@pytest.mark.parametrize("name", ["m.tar", "m.tar.gz"])
def test_cut_off_anywhere(tmp_path, cache_directory, name):
    members = [member("saved_model.pb", os.urandom(700)), member("variables/data", os.urandom(1024))]
    whole = Path(packed(tmp_path / name, *members)).read_bytes()
    # a plain tar is whole once its first block of the end mark is there; a gzip file only at its last byte
    needed = 512 + 1024 + 512 + 1024 + 512 if name == "m.tar" else len(whole)
    path = tmp_path / ("cut-" + name)
    cuts = sorted({*range(0, needed, 61), 512, 1024, 1536, 2048, 3072, needed - 1})
    for cut in (cut for cut in cuts if cut < needed):
        path.write_bytes(whole[:cut])
        with pytest.raises(IntegrityError):
            extract(str(path))
    assert everything_in(cache_directory) == ["archives"]
    path.write_bytes(whole[:needed])
    assert sorted(content(extract(str(path)))) == ["saved_model.pb", "variables/data"]


def test_a_flipped_byte_in_a_gzip_file(tmp_path, cache_directory):
    whole = bytearray(Path(packed(tmp_path / "m.tgz", member("a", os.urandom(4096)))).read_bytes())
    path = tmp_path / "flipped.tgz"
    for position in range(200, len(whole), 97):
        flipped = bytearray(whole)
        flipped[position] ^= 0x10
        path.write_bytes(bytes(flipped))
        with pytest.raises(IntegrityError):
            extract(str(path))
    assert everything_in(cache_directory) == ["archives"]


def test_a_broken_header_in_the_middle(tmp_path):
    whole = bytearray(Path(packed(tmp_path / "m.tar", member("a", b"x"), member("b", b"y"))).read_bytes())
    whole[1024] ^= 0xFF
    path = tmp_path / "broken.tar"
    path.write_bytes(bytes(whole))
    with pytest.raises(IntegrityError) as caught:
        extract(str(path))
    assert caught.value.reason == "it is cut off, or a member's header is damaged"


def test_gzip_vouches_for_an_archive_without_an_end_mark(tmp_path):
    plain = Path(packed(tmp_path / "m.tar", member("a", b"x"))).read_bytes()[:1024]
    path = tmp_path / "m.tgz"
    path.write_bytes(gzip.compress(plain))
    assert content(extract(str(path))) == {"a": b"x"}


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html><html></html>" * 50, b"\x1f\x8b", b"\x89HDF\r\n\x1a\n" * 200])
def test_no_archive_at_all(tmp_path, data):
    path = tmp_path / "m.tar.gz"
    path.write_bytes(data)
    assert not is_archive(str(path))
    with pytest.raises(IntegrityError) as caught:
        extract(str(path))
    assert caught.value.__cause__ is not None


# What the operating system refuses


def test_a_cache_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(DownloadError) as caught:
        extract(model_archive(tmp_path / "m.tgz"))
    assert caught.value.cache == str(tmp_path / "file")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_full_disk(tmp_path, cache_directory, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(DownloadError, match="No space left on device"):
        extract(model_archive(tmp_path / "m.tgz"))
    assert everything_in(cache_directory) == ["archives"]


@pytest.mark.parametrize("value", ["64GiB", "-1", "1e9", " 1", "٣"])
def test_a_bound_that_is_no_number(tmp_path, monkeypatch, value):
    monkeypatch.setenv("UNIHUB_MAX_ARCHIVE_BYTES", value)
    with pytest.raises(HandleError) as caught:
        extract(model_archive(tmp_path / "m.tgz"))
    assert caught.value.value == value


# The words

TEXTS = [
    (
        IntegrityError.broken_archive("/m.tgz", "unexpected end of data"),
        """\
        the archive /m.tgz is damaged.
          Why:  Reading it failed: unexpected end of data.
          Hint: Download or copy it again, and check what it is: a web page or a git-lfs pointer saved under the name of an
                archive fails like this too.""",
    ),
    (
        IntegrityError.harmful_member("/m.tgz", "../evil", "Its name leads out of the archive's directory."),
        """\
        the archive /m.tgz was refused because of its member '../evil'.
          Why:  Its name leads out of the archive's directory.
          Hint: No model needs such a member: get the archive from a source you trust. If you trust this one, unpack it
                yourself and pass the directory.""",
    ),
    (
        IntegrityError.archive_too_large("/m.tgz", 1000, "UNIHUB_MAX_ARCHIVE_BYTES"),
        """\
        the archive /m.tgz was refused: unpacked, it has more than 1000 bytes.
          Why:  A small archive can be made to unpack to any size and fill the disk.
          Hint: If you trust it, set the environment variable UNIHUB_MAX_ARCHIVE_BYTES to more bytes.""",
    ),
    (
        DownloadError.cannot_unpack("/m.tgz", "/cache", "[Errno 28] No space left on device"),
        """\
        /m.tgz could not be unpacked into the cache at /cache.
          Why:  [Errno 28] No space left on device
          Hint: Set UNIHUB_CACHE_DIR to a writable directory with enough space; or unpack the archive yourself and pass the
                directory.""",
    ),
    (
        HandleError.not_a_number("UNIHUB_MAX_ARCHIVE_BYTES", "64GiB", "bytes", 68719476736),
        """\
        the environment variable UNIHUB_MAX_ARCHIVE_BYTES is '64GiB'.
          Why:  It has to be a whole number of bytes.
          Hint: Set it to a whole number, such as the default 68719476736; or unset it.""",
    ),
]


@pytest.mark.parametrize("error, text", TEXTS)
def test_the_words(error, text):
    assert words_of(error) == textwrap.dedent(text)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
