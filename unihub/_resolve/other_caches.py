"""What was fetched before: by unihub, by tensorflow_hub or by kagglehub. The caches of the others are never changed."""

from __future__ import annotations

import hashlib
import os
from typing import Iterator, List, Optional

from unihub._resolve import entries, redirects
from unihub._resolve.handle import Handle, KaggleModel, Kind
from unihub._resolve.source import Source
from unihub._saved_model.reader import inspect

_FETCHED = (Kind.URL, Kind.BUCKET, Kind.KAGGLE)


class Cached(Source):
    """The cache of unihub."""

    def recognises(self, handle: Handle) -> bool:
        """Whether it is fetched from elsewhere."""
        return handle.kind in _FETCHED

    def locate(self, handle: Handle) -> Optional[str]:
        """The model's directory, if it is there and whole."""
        moved = redirects.known(handle)
        for each in [handle] + ([moved] if moved else []):
            directory = entries.find(entries.MODELS, each.entry)
            if directory:
                return directory
        return None


class HubCache(Source):
    """The cache of tensorflow_hub, where ``TFHUB_CACHE_DIR`` names it."""

    def recognises(self, handle: Handle) -> bool:
        """Whether there is one, and tensorflow_hub could have fetched it."""
        return bool(os.environ.get("TFHUB_CACHE_DIR")) and handle.kind in _FETCHED

    def locate(self, handle: Handle) -> Optional[str]:
        """The model's directory, if it is there.

        Raises:
            IntegrityError, UnknownFormatError: It is there, but not whole.
        """
        for text in _spellings(handle):
            name = hashlib.sha1(text.encode("utf-8", "surrogateescape")).hexdigest()
            directory = os.path.abspath(os.path.join(os.environ["TFHUB_CACHE_DIR"], name))
            if os.path.isdir(directory):
                # Its files have no manifest, and temporary directories lose some of theirs.
                inspect(directory)
                return entries.pinned(handle, directory)
        return None


class KaggleCache(Source):
    """The cache of kagglehub."""

    def recognises(self, handle: Handle) -> bool:
        """Whether it is a model on Kaggle, or has moved there."""
        return _kaggle_model(handle) is not None

    def locate(self, handle: Handle) -> Optional[str]:
        """The model's directory, if kagglehub has finished it."""
        model = _kaggle_model(handle)
        assert model is not None, handle
        home = os.environ.get("KAGGLEHUB_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "kagglehub")
        variation = os.path.join(home, "models", *model[:4])
        for version in [model.version] if model.version else _versions(variation):
            directory = os.path.abspath(os.path.join(variation, version))
            if os.path.isdir(directory) and os.path.exists(directory + ".complete"):
                return entries.pinned(handle, directory)
        return None


def _versions(variation: str) -> List[str]:
    """The versions that are there, the newest first."""
    names = os.listdir(variation) if os.path.isdir(variation) else []
    return sorted((name for name in names if name.isdigit()), key=int, reverse=True)


def _kaggle_model(handle: Handle) -> Optional[KaggleModel]:
    moved = redirects.known(handle)
    return moved.kaggle if moved else handle.kaggle


def _spellings(handle: Handle) -> Iterator[str]:
    """What tensorflow_hub may have been asked for."""
    yield handle.location
    model = _kaggle_model(handle)
    if model is not None:
        yield from model.pages
