"""Models on Kaggle, through Kaggle's own client, which knows its API and its logins."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Iterator, Optional

from unihub._resolve import progress, redirects, settings
from unihub._resolve.entries import Origin
from unihub._resolve.handle import Handle, KaggleModel
from unihub._resolve.source import Source, fetch
from unihub.errors import DownloadError, RuntimeUnavailableError

if TYPE_CHECKING:
    from types import ModuleType

# What the client leaves in the directory it downloads to.
_MARKS = ".complete"


class Kaggle(Source):
    """A model on Kaggle, or one of tfhub.dev that has moved there."""

    online = True

    def recognises(self, handle: Handle) -> bool:
        """Whether it is spelled so."""
        return handle.kaggle is not None or handle.is_tfhub

    def locate(self, handle: Handle) -> Optional[str]:
        """The model's directory in the cache."""
        target = redirects.look_up(handle) if handle.is_tfhub else handle
        if target is None or target.kaggle is None:
            return None
        model = target.kaggle
        client = _import_client(model)
        return fetch(target, lambda content, _: _fill(client, model, content))


def _import_client(model: KaggleModel) -> ModuleType:
    try:
        import kagglehub
    except ImportError as error:
        raise RuntimeUnavailableError.no_kagglehub(str(model), error, sys.version_info >= (3, 10)) from error
    client: ModuleType = kagglehub
    return client


def _fill(client: ModuleType, model: KaggleModel, content: str) -> Origin:
    failures = 0
    while True:
        try:
            with _quiet():
                client.model_download(str(model), output_dir=content, force_download=True)
            break
        except Exception as error:  # It lets through whatever its own parts raise.
            failures += 1
            _wait_before_retry(model, error, failures)
    shutil.rmtree(os.path.join(content, _MARKS), ignore_errors=True)
    return Origin("kaggle", model.pages[0])


def _wait_before_retry(model: KaggleModel, error: Exception, failures: int) -> None:
    import requests

    from unihub._resolve import requests_client

    wait = requests_client.wait_before_retry(error, failures)
    if wait is not None and failures <= settings.number(settings.RETRIES):
        time.sleep(wait)
        return
    if isinstance(error, requests.RequestException):
        raise requests_client.failure(model.pages[0], error) from error
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    raise DownloadError.through_kagglehub(str(model), error) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the client from writing to the output of a program, and from drawing bars that nobody sees."""
    logger = logging.getLogger("kagglehub")
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        if not progress.is_watched():
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        try:
            yield
        finally:
            logger.setLevel(level)
