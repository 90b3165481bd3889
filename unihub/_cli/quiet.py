"""TensorFlow, without what it says while it is imported and used: a user of a command did not call it."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Iterator

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Asked before it is set here.
_LOGS_ARE_WANTED = _LEVEL in os.environ


@contextlib.contextmanager
def everything() -> Iterator[None]:
    """Lets nothing reach the standard error stream, which TensorFlow's C++ writes to whatever its level of logs is.

    Not if the user has set that level: then the logs are wanted.
    """
    if _LOGS_ARE_WANTED:
        with tensorflow():
            yield
        return
    import tempfile

    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            with tensorflow():
                yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def tensorflow() -> Iterator[None]:
    """Keeps TensorFlow's logs to errors, and Python's warnings silent, unless the user has asked for them."""
    import logging
    import warnings

    os.environ.setdefault(_LEVEL, "3")
    # Of the packages' own loggers: TensorFlow 1.15 and 2 name theirs so.
    loggers = [logging.getLogger(name) for name in ("tensorflow", "absl")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels):
                logger.setLevel(level)
