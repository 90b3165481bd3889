"""Archives, unpacked into the cache once.

An archive comes from strangers: nothing in it may name a place outside its own directory, be anything but a file or a
directory, or fill the disk; and one that is cut off or damaged must never pass for a whole one. tarfile by itself
promises none of this on every Python we serve.
"""
from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import ntpath
import os
import re
import tarfile
import zlib
from typing import Any, Iterator, List

from unihub._resolve import cache
from unihub._resolve.handle import ARCHIVE_SUFFIXES
from unihub.errors import DownloadError, HandleError, IntegrityError

_MAX_BYTES_VARIABLE = "UNIHUB_MAX_ARCHIVE_BYTES"
_MAX_BYTES = 64 * 2**30
_CHUNK = 2**20
# What tarfile asks for at once beyond our own chunks are names and attributes, which it keeps in memory.
_MAX_HEADER = 16 * 2**20
_END_MARK = bytes(tarfile.BLOCKSIZE)
_GZIP_MAGIC = b"\x1f\x8b"
# Room for the digest and, in four-byte letters, still less than the 255 bytes that file systems allow.
_MAX_STEM = 48


class _Damaged(Exception):
    """The reason why an archive is not whole."""


class _Stream:
    """The bytes of a tar file, of which no more are read than an honest archive has."""

    def __init__(self, path: str, file: io.BufferedIOBase, limit: int, checked: bool) -> None:
        self._path = path
        self._file = file
        self._limit = limit
        self.checked = checked
        self.last = b""
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        """Reads up to ``size`` bytes and remembers them."""
        if size > _MAX_HEADER:
            raise _Damaged("a header claims to be {} bytes long".format(size))
        self.last = self._file.read(size)
        if self.tell() > self._limit:
            raise IntegrityError.archive_too_large(self._path, self._limit, _MAX_BYTES_VARIABLE)
        return self.last


def is_archive(path: str) -> bool:
    """Whether a file begins as an archive that ``extract`` can read."""
    try:
        with _opened(path, 2 * _MAX_HEADER) as stream, _tar(stream) as tar:
            return tar.next() is not None
    except (_Damaged, tarfile.TarError, EOFError, zlib.error, OSError):
        return False


def extract(path: str) -> str:
    """Unpacks an archive into the cache, or finds it there.

    Args:
        path: The archive, a tar file or a gzipped one.

    Returns:
        The absolute path of its content; where that is one directory and nothing else, of that directory.

    Raises:
        IntegrityError: The archive is damaged or too large, or a member may do harm. Nothing is kept of it.
        DownloadError: The archive cannot be read, or the cache not be written.
        HandleError: ``UNIHUB_MAX_ARCHIVE_BYTES`` is no number.
    """
    limit = _max_bytes()
    try:
        return _content(cache.entry("archives", _entry_name(path), lambda into: _unpack(path, into, limit)))
    except (_Damaged, tarfile.TarError, EOFError, zlib.error) as error:
        raise IntegrityError.broken_archive(path, str(error)) from error
    except IntegrityError:
        raise
    except OSError as error:
        # gzip's own complaints are OSErrors too, but not the operating system's.
        if error.errno is None:
            raise IntegrityError.broken_archive(path, str(error)) from error
        raise DownloadError.cannot_unpack(path, cache.root(), str(error)) from error


def _max_bytes() -> int:
    text = os.environ.get(_MAX_BYTES_VARIABLE)
    if not text:
        return _MAX_BYTES
    if not re.fullmatch("[0-9]+", text):
        raise HandleError.not_a_number(_MAX_BYTES_VARIABLE, text)
    return int(text)


def _entry_name(path: str) -> str:
    """The archive's name for people, and a digest of what changes when another archive is put in its place."""
    status = os.stat(path)
    identity = "\0".join((os.path.abspath(path), str(status.st_size), str(status.st_mtime_ns)))
    digest = hashlib.sha256(os.fsencode(identity)).hexdigest()[:16]
    return "{}-{}".format(_stem(os.path.basename(path)), digest)


def _stem(name: str) -> str:
    for suffix in ARCHIVE_SUFFIXES:
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return name[:_MAX_STEM]


def _content(directory: str) -> str:
    """Where the model is: no model is a directory with a single directory in it."""
    while True:
        # Hidden files are what macOS adds to archives.
        names = [name for name in os.listdir(directory) if not name.startswith(".")]
        inner = os.path.join(directory, names[0]) if len(names) == 1 else ""
        if not os.path.isdir(inner):
            return directory
        directory = inner


@contextlib.contextmanager
def _opened(path: str, limit: int) -> Iterator[_Stream]:
    with open(path, "rb") as file:
        compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(0)
        if not compressed:
            yield _Stream(path, file, limit, checked=False)
            return
        with gzip.open(file, "rb") as plain:
            yield _Stream(path, plain, limit, checked=True)


def _tar(stream: Any) -> tarfile.TarFile:
    return tarfile.open(fileobj=stream, mode="r:")


def _unpack(path: str, into: str, limit: int) -> None:
    with _opened(path, limit) as stream:
        with _tar(stream) as tar:
            for member in tar:
                _unpack_member(path, tar, member, into)
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


def _unpack_member(path: str, tar: tarfile.TarFile, member: tarfile.TarInfo, into: str) -> None:
    parts = _parts(path, member)
    if not parts:
        return
    target = os.path.join(into, *parts)
    try:
        os.makedirs(target if member.isdir() else os.path.dirname(target), exist_ok=True)
        if not member.isdir():
            _copy(tar, member, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise _Damaged("{!r} is a file and a directory at once".format(member.name)) from None


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, target: str) -> None:
    source = tar.extractfile(member)
    assert source is not None, member
    # Neither the member's mode nor its owner or time: they are the packer's, not ours.
    with source, open(target, "wb") as file:
        for chunk in iter(lambda: source.read(_CHUNK), b""):
            file.write(chunk)


def _parts(path: str, member: tarfile.TarInfo) -> List[str]:
    """The steps from the archive's directory to a member; none for that directory itself."""
    for harmful, reason in (
        (member.issym() or member.islnk(), "It is a link."),
        (not (member.isfile() or member.isdir()), "It is neither a file nor a directory."),
        (member.issparse(), "It is a sparse file, which may unpack to any size."),
        (_is_absolute(member.name), "Its name is an absolute path."),
        (".." in re.split(r"[\\/]", member.name), "Its name leads out of the archive's directory."),
        ("\0" in member.name or "\\" in member.name, "Its name holds a backslash or a NUL byte."),
    ):
        if harmful:
            raise IntegrityError.harmful_member(path, member.name, reason)
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if not parts and member.isfile():
        raise IntegrityError.harmful_member(path, member.name, "It is a file in the place of the archive's directory.")
    return parts


def _is_absolute(name: str) -> bool:
    # By the rules of Windows, which know the others' absolute paths and drives too.
    return name.startswith("/") or ntpath.isabs(name) or bool(ntpath.splitdrive(name)[0])
