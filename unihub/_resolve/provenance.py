"""Whether a model came from the network, told by where it lies: that holds too for one that was fetched long ago."""

from __future__ import annotations

import os
import tempfile
from typing import Iterator

from unihub._resolve import cache, entries, manifest

# An entry of the cache has its model at most so deep.
_DEPTH = 8
_LOCAL = "archive"


def is_fetched(path: str) -> bool:
    """Whether a directory is in a cache of what was fetched: that of unihub, tensorflow_hub or kagglehub.

    Args:
        path: The directory of a model, by whatever name.
    """
    target = os.path.realpath(path)
    return any(_is_below(target, folder) for folder in _caches()) or _has_manifest(target)


def _caches() -> Iterator[str]:
    yield os.path.join(cache.root(), entries.MODELS)
    yield os.environ.get("TFHUB_CACHE_DIR") or os.path.join(tempfile.gettempdir(), "tfhub_modules")
    yield os.environ.get("KAGGLEHUB_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "kagglehub")


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(os.path.realpath(folder), ""))


def _has_manifest(path: str) -> bool:
    """Whether it is in an entry of a cache of unihub that is not the present one."""
    parents = [path]
    for _ in range(_DEPTH):
        parents.append(os.path.dirname(parents[-1]))
    # All of them: a model may bring a file of that name itself.
    manifests = map(manifest.read, dict.fromkeys(parents))
    return any(each is not None and each.source != _LOCAL for each in manifests)
