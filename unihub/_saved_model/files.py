"""The files of a model: which versions are on the disk, their digests, and whether they are all there."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import re
from typing import Iterable, Iterator, List, NamedTuple, Tuple

from unihub._saved_model import checkpoint_index
from unihub._saved_model.wire import WireError
from unihub.errors import IntegrityError, UnihubError

GRAPH_FILES = ("saved_model.pb", "saved_model.pbtxt")  # TensorFlow, too, takes the first that is there
HUB_FILE = "tfhub_module.pb"
# The folders of a model.
FOLDERS = ("variables", "assets")
_INDEX_FILE = "variables/variables.index"
_SHARD_FILE = "variables/variables.data-{:05d}-of-{:05d}"

# Enough of a file to tell what it is.
HEAD_BYTES = 1024
_BLOCK = 1 << 20

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\r?\n(?:.*?\nsize (\d+))?", re.DOTALL)


class FileVersion(NamedTuple):
    """A file of a model, and the properties that change when it is replaced."""

    name: str
    size: int
    time: int
    number: int


def graph_digest(file: str) -> str:
    """The SHA-256 of a file; an unchanged file is read once in a process."""
    status = os.stat(file)
    return _digest(FileVersion(file, status.st_size, status.st_mtime_ns, status.st_ino))


@functools.lru_cache(maxsize=32)
def _digest(known: FileVersion) -> str:
    digest = hashlib.sha256()
    with open(known.name, "rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def model_files(path: str) -> Tuple[FileVersion, ...]:
    """The current files of a model beside its graph and in ``variables`` and ``assets``; none is opened."""
    beside = [(path, names) for _, _, names in itertools.islice(os.walk(path), 1)]
    below = [(parent, names) for folder in FOLDERS for parent, _, names in os.walk(os.path.join(path, folder))]
    files = (os.path.join(parent, name) for parent, names in beside + below for name in names)
    versions, start = [], len(os.path.join(path, ""))
    for file in files:
        with contextlib.suppress(OSError):  # A broken link.
            status = os.stat(file)
            versions.append(FileVersion(file[start:], status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(sorted(versions))


def check_complete(path: str, has_variables: bool, assets: Iterable[str] = ()) -> None:
    """Check that the variables and assets are complete, as far as files and their lengths show.

    Args:
        path: The directory of a model.
        has_variables: Whether its graphs have variables; their files may be missing.
        assets: The names of its assets.

    Raises:
        IntegrityError: A file is missing, truncated, or a git-lfs pointer.
    """
    index = os.path.join(path, _INDEX_FILE)
    if os.path.isfile(index):
        _check_shards(path, index)
    elif has_variables:
        raise IntegrityError.missing_variables(path, [_INDEX_FILE])
    names = ["assets/" + name for name in assets]
    missing = _missing_files(path, names)
    if missing:
        raise IntegrityError.missing_assets(path, missing)
    for name in names:
        _refuse_pointer(os.path.join(path, name))


def _check_shards(path: str, index: str) -> None:
    with reading(index):
        _refuse_pointer(index)
        contents = checkpoint_index.read_index(index)
        needed = sorted(contents.shard_bytes.items())
        shards = {_SHARD_FILE.format(shard, contents.shard_count): size for shard, size in needed}
        missing = _missing_files(path, shards)
        if missing:
            raise IntegrityError.missing_variables(path, missing)
        for name, size in shards.items():
            file = os.path.join(path, name)
            _refuse_pointer(file)
            if os.path.getsize(file) < size:
                raise IntegrityError.short_file(file, os.path.getsize(file), size)


def _missing_files(path: str, names: Iterable[str]) -> List[str]:
    # Python 3.7 raises an error for a name with a null in it.
    return [name for name in names if "\0" in name or not os.path.isfile(os.path.join(path, name))]


@contextlib.contextmanager
def reading(file: str) -> Iterator[None]:
    """Turn errors of reading a file into errors of unihub."""
    try:
        yield
    except UnihubError:
        raise
    except WireError as error:
        raise IntegrityError.damaged(file, str(error), error.truncated) from error
    except OSError as error:
        raise IntegrityError.unreadable(file, error.strerror or str(error)) from error


def graph_file_in(path: str) -> str:
    files = [os.path.join(path, name) for name in GRAPH_FILES]
    return next((file for file in files if os.path.isfile(file)), "")


def _refuse_pointer(file: str) -> None:
    with reading(file):
        # A pointer is a few lines.
        if os.path.getsize(file) <= HEAD_BYTES:
            with open(file, "rb", buffering=0) as opened:
                refuse_pointer_head(file, opened.read(HEAD_BYTES))


def refuse_pointer_head(file: str, head: bytes) -> None:
    pointer = _POINTER.match(head)
    if pointer:
        raise IntegrityError.git_lfs_pointer(file, int(pointer.group(1) or 0))
