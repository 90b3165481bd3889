"""Where the models of tfhub.dev have gone: the name each has on Kaggle, as tfhub.dev says, remembered in the cache."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from typing import Optional
from urllib.parse import urljoin

from unihub._resolve import cache
from unihub._resolve.handle import Handle, KaggleModel, parse_kaggle_page

_MOST = 10


def known(handle: Handle) -> Optional[Handle]:
    """The handle of the same model on Kaggle, if it was looked up before."""
    if not handle.is_tfhub:
        return None
    with contextlib.suppress(OSError, ValueError, KeyError), open(_note_path(handle), encoding="utf-8") as file:
        return _on_kaggle(handle, json.load(file)["kaggle"])
    return None


def look_up(handle: Handle) -> Optional[Handle]:
    """The handle of the same model on Kaggle; ``None`` if tfhub.dev does not know that it has moved.

    Raises:
        DownloadError: tfhub.dev does not answer.
    """
    moved = known(handle)
    if moved is None:
        model = _follow(handle.location)
        if model is None:
            return None
        moved = _on_kaggle(handle, str(model))
        _remember(handle, moved)
    return moved


def _follow(url: str) -> Optional[KaggleModel]:
    """Follows redirects up to the page on Kaggle, which is not asked for."""
    import requests

    from unihub._resolve import requests_client

    for _ in range(_MOST):
        try:
            with requests_client.get(url, follow=False) as response:
                response.raise_for_status()
                target = response.headers.get("Location") if response.is_redirect else None
        except requests.RequestException as error:
            raise requests_client.failure(url, error) from error
        if target is None:
            return None
        url = urljoin(url, target)
        model = parse_kaggle_page(url)
        if model is not None:
            return model
    return None


def _on_kaggle(handle: Handle, name: str) -> Handle:
    return Handle.parse("kaggle:" + name + ("@sha256:" + handle.pin if handle.pin else ""))


def _note_path(handle: Handle) -> str:
    # Where it has gone does not depend on the pin.
    return cache.entry_path("redirects", Handle.parse(handle.location).entry + ".json")


def _remember(handle: Handle, moved: Handle) -> None:
    """Writes it down, if the cache can be written."""
    note = _note_path(handle)
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(note), exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=os.path.dirname(note))
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump({"handle": handle.location, "kaggle": str(moved.kaggle)}, file)
        os.replace(path, note)
