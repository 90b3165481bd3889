"""What is in an entry of the cache, written beside it when it is whole, so that anything missing later is seen.

Names, sizes and times are compared at each use, which reads none of the files; a file with another time is hashed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

_NAME = "manifest.json"
_CHUNK = 2**20


class File(NamedTuple):
    """One file of a model."""

    name: str
    size: int
    sha256: str
    modified: int


@dataclass(frozen=True)
class Manifest:
    """What is in an entry, and where it came from.

    Attributes:
        handle: What was asked for.
        source: The kind of place it came from.
        url: Where it came from in the end, without what may be secret.
        archive: The SHA-256 digest of the archive, where it was computed.
        time: When it came, in UTC.
        directory: Where the model is in the entry.
        files: Its files.
    """

    handle: str
    source: str
    url: str
    archive: str
    time: str
    directory: str
    files: Tuple[File, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the content, which is that of what ``sha256sum`` prints for its files in order."""
        return digest_of(self.files)

    @property
    def size(self) -> int:
        """How many bytes the files have."""
        return sum(file.size for file in self.files)

    def write(self, entry: str) -> None:
        """Puts the manifest into an entry, to stay."""
        with open(os.path.join(entry, _NAME), "w", encoding="utf-8") as file:
            json.dump(dict(asdict(self), files=[list(each) for each in self.files]), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        sync_directories(entry)

    def model(self, entry: str) -> str:
        """The model's directory in an entry."""
        return os.path.normpath(os.path.join(entry, self.directory))

    def problems(self, entry: str, thorough: bool = False) -> Iterator[str]:
        """What is wrong with an entry, a sentence each.

        Args:
            entry: Where it is.
            thorough: Whether to hash all files, and not only those whose time has changed.
        """
        for file in self.files:
            problem = _problem(os.path.join(self.model(entry), *file.name.split("/")), file, thorough)
            if problem:
                yield "{} {}".format(file.name, problem)


def read(entry: str) -> Optional[Manifest]:
    """The manifest of an entry; ``None`` if there is none that can be read."""
    try:
        with open(os.path.join(entry, _NAME), encoding="utf-8") as file:
            fields: Dict[str, Any] = json.load(file)
        return Manifest(**dict(fields, files=tuple(File(*each) for each in fields["files"])))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def describe(directory: str, durable: bool = False) -> Tuple[File, ...]:
    """The files below a directory, each read.

    Args:
        directory: The directory.
        durable: Whether to make sure, meanwhile, that they are on the disk.
    """
    from concurrent.futures import ThreadPoolExecutor

    named = _files_below(directory)
    paths = [path for _, path in named]
    with ThreadPoolExecutor(2) as pool:
        synced = pool.map(_sync, paths if durable else [])
        digests = list(pool.map(hash_file, paths))
        list(synced)
    return tuple(_describe(name, path, digest) for (name, path), digest in zip(named, digests))


def digest_of(files: Tuple[File, ...]) -> str:
    """The SHA-256 digest of all files together."""
    lines = ["{}  {}\n".format(file.sha256, file.name) for file in sorted(files)]
    return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()


def sync_directories(top: str) -> None:
    """Makes sure that the names below a directory are on the disk, where the system can."""
    for parent, _, _ in os.walk(top):
        with contextlib.suppress(OSError):
            descriptor = os.open(parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _files_below(directory: str) -> List[Tuple[str, str]]:
    paths = [os.path.join(parent, name) for parent, _, names in os.walk(directory) for name in names]
    return sorted((os.path.relpath(path, directory).replace(os.sep, "/"), path) for path in paths)


def _describe(name: str, path: str, digest: str) -> File:
    status = os.stat(path)
    return File(name, status.st_size, digest, status.st_mtime_ns)


def _sync(path: str) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def hash_file(path: str, algorithm: str = "sha256") -> str:
    """The digest of a file."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _problem(path: str, file: File, thorough: bool) -> str:
    try:
        status = os.stat(path)
        if status.st_size != file.size:
            return "has {:,} bytes, not {:,}".format(status.st_size, file.size)
        if (thorough or status.st_mtime_ns != file.modified) and hash_file(path) != file.sha256:
            return "was changed"
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else "cannot be read ({})".format(error.strerror)
    if status.st_mtime_ns != file.modified:
        # A copy of the cache, say; so that it is not hashed again the next time.
        with contextlib.suppress(OSError):
            os.utime(path, ns=(status.st_atime_ns, file.modified))
    return ""
