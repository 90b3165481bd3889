"""Archives, unpacked into the cache.

An archive comes from strangers: nothing in it may name a place outside its own directory, be anything but a file or a
directory, or fill the disk; and one that is cut off or damaged must never pass for a whole one. tarfile and zipfile by
themselves promise none of this on every Python we serve.
"""

from __future__ import annotations

import ntpath
import os
import re
import stat
import tarfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Callable, List, NamedTuple, Union, cast

from unihub._resolve import cache, entries, manifest, settings
from unihub._resolve.entries import Origin
from unihub._resolve.gzip_reader import Gunzip
from unihub._resolve.handle import entry_name
from unihub.errors import DownloadError, IntegrityError, UnihubError

if TYPE_CHECKING:
    from unihub._resolve.download import Download

    # A file, or one that is still being downloaded.
    Packed = Union[IO[bytes], Download]

_CHUNK = 2**20
_CHUNKS_TO_SYNC = 32
# What tarfile asks for at once beyond our own chunks are names and attributes, which it keeps in memory.
_MAX_HEADER = 16 * 2**20
_END_MARK = bytes(tarfile.BLOCKSIZE)
_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
_ENCRYPTED = 0x1
# Weights that are all zero are honest, and a model of a few megabytes fills no disk.
_ANY_RATIO_BELOW = 64 * 2**20


class _Damaged(Exception):
    """The reason why an archive is not whole."""


class _Member(NamedTuple):
    """A member of an archive of either kind."""

    name: str
    is_directory: bool
    harm: str
    open: Callable[[], IO[bytes]]


class _Bounds:
    """How much an archive may become."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._limit = settings.number(settings.MAX_ARCHIVE_BYTES)
        self._ratio = settings.number(settings.MAX_ARCHIVE_RATIO)

    def check(self, unpacked: int, packed: int) -> None:
        """Refuses what has become more than an honest archive does."""
        if unpacked > self._limit:
            raise IntegrityError.archive_too_large(self._path, self._limit, settings.MAX_ARCHIVE_BYTES)
        if unpacked > max(_ANY_RATIO_BELOW, packed * self._ratio):
            raise IntegrityError.archive_inflates(self._path, self._ratio, settings.MAX_ARCHIVE_RATIO)


class _Stream:
    """The bytes of a tar file, of which no more are read than an honest archive has."""

    def __init__(self, file: Union[Packed, Gunzip], packed: Packed, bounds: _Bounds) -> None:
        self._file = file
        self._packed = packed
        self._bounds = bounds
        # Of what gzip unpacks it also says whether it is right.
        self.checked = file is not packed
        self.last = b""
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        """Reads up to ``size`` bytes and remembers them."""
        if size > _MAX_HEADER:
            raise _Damaged("a header claims to be {} bytes long".format(size))
        self.last = self._file.read(size)
        self._bounds.check(self.tell(), self._packed.tell())
        return self.last


def is_archive(path: str) -> bool:
    """Whether a file begins as an archive, whatever its name; not a zip file, which many other formats are."""
    try:
        with open(path, "rb") as file, _tar(_plain(file, _Bounds(path))) as tar:
            return tar.next() is not None
    except (_Damaged, tarfile.TarError, EOFError, zlib.error, OSError):
        return False


def extract(path: str, pin: str = "") -> str:
    """Unpacks an archive on this machine into the cache, or finds it there.

    Args:
        path: The archive: a tar file, a gzipped one, or a zip file.
        pin: The SHA-256 digest that it, or its content, must have; any if empty.

    Returns:
        The absolute path of its content; where that is one directory and nothing else, of that directory.

    Raises:
        IntegrityError: The archive is damaged or too large, or a member may do harm. Nothing is kept of it.
        DownloadError: The archive cannot be read, or the cache not be written.
        HandleError: A variable that sets a bound is no number.
    """

    def fill(content: str, _: str) -> Origin:
        with open(path, "rb") as file:
            unpack(file, path, content)
        return Origin("archive", path, manifest.hash_file(path) if pin else "")

    try:
        return entries.fetched(entries.ARCHIVES, _entry_name(path, pin), fill, path, pin)
    except OSError as error:
        if isinstance(error, UnihubError):
            raise
        raise DownloadError.cannot_unpack(path, cache.root(), str(error)) from error


def unpack(file: Packed, path: str, into: str) -> None:
    """Unpacks an archive into an empty directory.

    Args:
        file: The archive, at its start, to be read from any place.
        path: What it is called in errors.
        into: The directory.

    Raises:
        IntegrityError: The archive is damaged or too large, or a member may do harm.
        OSError: It cannot be read, or the directory not be written.
    """
    bounds = _Bounds(path)
    try:
        if file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC:
            _unpack_zip(file, path, into, bounds)
        else:
            file.seek(0)
            _unpack_tar(file, path, into, bounds)
    except (_Damaged, tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise IntegrityError.broken_archive(path, str(error) or "it ends early") from error
    except OSError as error:
        # gzip's own complaints are OSErrors too, but not the operating system's.
        if isinstance(error, UnihubError) or error.errno is not None:
            raise
        raise IntegrityError.broken_archive(path, str(error)) from error


def _entry_name(path: str, pin: str) -> str:
    """The archive's name for people, and a digest of what changes when another archive is put in its place."""
    status = os.stat(path)
    identity = (os.path.abspath(path), str(status.st_size), str(status.st_mtime_ns)) + ((pin,) if pin else ())
    return entry_name(os.path.basename(path), "\0".join(identity))


def _plain(file: Packed, bounds: _Bounds) -> _Stream:
    compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    file.seek(0)
    return _Stream(Gunzip(file) if compressed else file, file, bounds)


def _tar(stream: _Stream) -> tarfile.TarFile:
    # tarfile only reads, seeks and tells.
    return tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:")


def _unpack_tar(file: Packed, path: str, into: str, bounds: _Bounds) -> None:
    stream = _plain(file, bounds)
    with _tar(stream) as tar:
        for info in tar:
            _unpack_member(path, _member_of_tar(tar, info), into)
    _check_end(stream)


def _check_end(stream: _Stream) -> None:
    """Tells an archive that ends from one that tarfile merely stopped reading.

    A broken header after the first member is an end to tarfile. The mark that ends an archive may only be missing
    where gzip vouches for the bytes; and gzip does so only once they have all been read.
    """
    ended = stream.last
    while stream.read(_CHUNK):
        pass
    if ended != _END_MARK and (ended or not stream.checked):
        raise _Damaged("it is cut off, or a member's header is damaged")


def _unpack_zip(file: Packed, path: str, into: str, bounds: _Bounds) -> None:
    # Its table stands at the end.
    size = file.seek(0, os.SEEK_END)
    unpacked = 0
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            unpacked += info.file_size
            # zipfile reads no more of a member than the table says.
            bounds.check(unpacked, size)
            _unpack_member(path, _member_of_zip(archive, info), into)


def _unpack_member(path: str, member: _Member, into: str) -> None:
    parts = _parts(path, member)
    if not parts:
        return
    target = os.path.join(into, *parts)
    try:
        os.makedirs(target if member.is_directory else os.path.dirname(target), exist_ok=True)
        if not member.is_directory:
            _copy(member, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise _Damaged("{!r} is a file and a directory at once".format(member.name)) from None


def _copy(member: _Member, target: str) -> None:
    # Neither the member's mode nor its owner or time: they are the packer's, not ours.
    with member.open() as source, open(target, "wb") as file, ThreadPoolExecutor(1) as pool:
        synced = []
        for number, chunk in enumerate(iter(lambda: source.read(_CHUNK), b""), start=1):
            file.write(chunk)
            if number % _CHUNKS_TO_SYNC == 0:
                # All has to be on the disk in the end; it begins while the rest is still coming.
                synced.append(pool.submit(os.fsync, file.fileno()))
        for each in synced:
            each.result()


def _member_of_tar(tar: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    harm = ""
    if info.issym() or info.islnk():
        harm = "It is a link."
    elif not (info.isfile() or info.isdir()):
        harm = "It is neither a file nor a directory."
    elif info.issparse():
        harm = "It is a sparse file, which may unpack to any size."

    def open_member() -> IO[bytes]:
        source = tar.extractfile(info)
        assert source is not None, info
        return source

    return _Member(info.name, info.isdir(), harm, open_member)


def _member_of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    # Nothing, if it was packed where files have no modes.
    kind = stat.S_IFMT(info.external_attr >> 16)
    harm = ""
    if kind == stat.S_IFLNK:
        harm = "It is a link."
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        harm = "It is neither a file nor a directory."
    elif info.flag_bits & _ENCRYPTED:
        harm = "It is encrypted."
    # The name as it stands in the archive: zipfile cuts it at a NUL byte, and replaces what Windows separates by.
    return _Member(info.orig_filename, info.is_dir(), harm, lambda: archive.open(info))


def _parts(path: str, member: _Member) -> List[str]:
    """The steps from the archive's directory to a member; none for that directory itself."""
    if member.harm:
        raise IntegrityError.harmful_member(path, member.name, member.harm)
    parts = safe_parts(path, member.name)
    if not parts and not member.is_directory:
        raise IntegrityError.harmful_member(path, member.name, "It is a file in the place of the archive's directory.")
    return parts


def safe_parts(path: str, name: str) -> List[str]:
    """The steps from a directory to a file that a stranger has named.

    Args:
        path: What the file comes in.
        name: Its name there.

    Raises:
        IntegrityError: They would lead elsewhere.
    """
    for harmful, reason in (
        (_is_absolute(name), "Its name is an absolute path."),
        (".." in re.split(r"[\\/]", name), "Its name leads out of the archive's directory."),
        ("\0" in name or "\\" in name, "Its name holds a backslash or a NUL byte."),
    ):
        if harmful:
            raise IntegrityError.harmful_member(path, name, reason)
    return [part for part in name.split("/") if part not in ("", ".")]


def _is_absolute(name: str) -> bool:
    # By the rules of Windows, which know the others' absolute paths and drives too.
    return name.startswith("/") or ntpath.isabs(name) or bool(ntpath.splitdrive(name)[0])
