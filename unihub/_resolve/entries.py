"""The entries of the cache that are models, each with a manifest by which it is seen whether it is whole."""

from __future__ import annotations

import datetime
import logging
import os
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from unihub._resolve import cache, lock, manifest
from unihub._resolve.cache import Staging
from unihub._resolve.handle import Handle
from unihub._resolve.manifest import Manifest
from unihub.errors import IntegrityError

_log = logging.getLogger("unihub")

MODELS = "models"
ARCHIVES = "archives"
_CONTENT = "model"


class Origin(NamedTuple):
    """Where the content of an entry came from: the kind of place, the URL, and the archive's digest if it is known."""

    source: str
    url: str
    archive: str = ""


def find(group: str, name: str) -> Optional[str]:
    """The directory of a model in the cache; ``None`` if it is not there.

    Raises:
        IntegrityError: It is there, but something is missing, cut short or changed.
    """
    entry = cache.entry_path(group, name)
    stored = manifest.read(entry)
    problems = damage(entry, stored)
    if problems:
        raise IntegrityError.damaged_entry(entry, problems)
    return stored.model(entry) if stored else None


def fetched(group: str, name: str, fill: Callable[[str, str], Origin], what: str, pin: str = "") -> str:
    """The directory of a model in the cache, fetched first if it is not there or not whole.

    Args:
        group: ``MODELS`` or ``ARCHIVES``.
        name: The name of its entry.
        fill: Puts the model into the directory it is given, and says where it came from. The second directory it is
            given, it may make, and keep in it what is on its way.
        what: What was asked for, in words.
        pin: The SHA-256 digest that the content, or the archive it came in, must have; any if empty.

    Returns:
        The absolute path of the model.

    Raises:
        IntegrityError: The content is not what was pinned.
        OSError: The cache cannot be written.
    """
    entry = cache.entry_path(group, name)
    if not _is_complete(entry):
        with lock.held(name, what):
            _replace(entry, fill, what, pin)
    model = find(group, name)
    assert model is not None, entry
    return model


def damage(entry: str, stored: Optional[Manifest], thorough: bool = False) -> List[str]:
    """What is wrong with an entry; nothing if it is whole, or not there.

    Args:
        entry: The entry.
        stored: Its manifest, if it could be read.
        thorough: Whether to hash all of it.
    """
    if stored is not None:
        return list(stored.problems(entry, thorough))
    return ["its manifest is missing or damaged"] if os.path.isdir(entry) else []


def pinned(handle: Handle, directory: str) -> str:
    """A directory of which there is no manifest, if its content is what the handle pins or the handle pins nothing.

    Raises:
        IntegrityError: The content is another.
    """
    if handle.pin:
        _check_pin(str(handle), handle.pin, manifest.digest_of(manifest.describe(directory)))
    return directory


def entries(group: str) -> Iterator[Tuple[str, Optional[Manifest]]]:
    """The entries of a group, with their manifests where they can be read."""
    shelf = os.path.join(cache.root(), group)
    for name in sorted(os.listdir(shelf)) if os.path.isdir(shelf) else ():
        entry = os.path.join(shelf, name)
        if not name.startswith(".") and os.path.isdir(entry):
            yield entry, manifest.read(entry)


def _replace(entry: str, fill: Callable[[str, str], Origin], what: str, pin: str) -> None:
    """Fills an entry that is not there, or damaged, if another process has not done so meanwhile."""
    if _is_complete(entry):
        return
    problems = damage(entry, manifest.read(entry))
    if problems:
        _log.warning("The copy of %s at %s is damaged (%s) and is replaced.", what, entry, "; ".join(problems))
    with cache.staging(entry) as own:
        _fill(own, fill, what, pin)
        own.publish(_is_complete)


def _is_complete(entry: str) -> bool:
    stored = manifest.read(entry)
    return stored is not None and not damage(entry, stored)


def _fill(own: Staging, fill: Callable[[str, str], Origin], what: str, pin: str) -> None:
    content = os.path.join(own.entry, _CONTENT)
    os.mkdir(content)
    origin = fill(content, own.download)
    model = _inner(content)
    files = manifest.describe(model, durable=True)
    _check_pin(what, pin, manifest.digest_of(files), origin.archive)
    now = datetime.datetime.now(datetime.timezone.utc)
    Manifest(
        handle=what,
        source=origin.source,
        url=origin.url,
        archive=origin.archive,
        time=now.isoformat(timespec="seconds"),
        directory=os.path.relpath(model, own.entry),
        files=files,
    ).write(own.entry)


def _inner(directory: str) -> str:
    """Where the model is: no model is a directory with a single directory in it."""
    while True:
        # Hidden files are what macOS adds to archives.
        names = [name for name in os.listdir(directory) if not name.startswith(".")]
        inner = os.path.join(directory, names[0]) if len(names) == 1 else ""
        if not os.path.isdir(inner):
            return directory
        directory = inner


def _check_pin(what: str, pin: str, *digests: str) -> None:
    if pin and pin not in digests:
        raise IntegrityError.not_the_pinned(what, pin, [digest for digest in digests if digest])
