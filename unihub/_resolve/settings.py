"""What the environment says about fetching models: each variable that is read, and what holds without it.

They are read when they are needed, so that a program may set them after ``import unihub``.
"""

from __future__ import annotations

import os
import re

from unihub.errors import HandleError

CACHE_DIR = "UNIHUB_CACHE_DIR"
OFFLINE = "UNIHUB_OFFLINE"
NO_PROGRESS = "UNIHUB_NO_PROGRESS"
TIMEOUT = "UNIHUB_TIMEOUT"
RETRIES = "UNIHUB_RETRIES"
LOCK_TIMEOUT = "UNIHUB_LOCK_TIMEOUT"
MAX_ARCHIVE_BYTES = "UNIHUB_MAX_ARCHIVE_BYTES"
MAX_ARCHIVE_RATIO = "UNIHUB_MAX_ARCHIVE_RATIO"

# What each number counts, and what it is when the variable is not set.
_NUMBERS = {
    TIMEOUT: ("seconds", 60),
    RETRIES: ("attempts", 5),
    LOCK_TIMEOUT: ("seconds", 60 * 60),
    MAX_ARCHIVE_BYTES: ("bytes", 64 * 2**30),
    MAX_ARCHIVE_RATIO: ("bytes for each byte of the archive", 200),
}


def number(variable: str) -> int:
    """The number that a variable gives.

    Args:
        variable: One of those above that count something.

    Raises:
        HandleError: It is set, but not to a whole number.
    """
    unit, otherwise = _NUMBERS[variable]
    text = os.environ.get(variable)
    if not text:
        return otherwise
    if not re.fullmatch("[0-9]+", text):
        raise HandleError.not_a_number(variable, text, unit, otherwise)
    return int(text)


def flag(variable: str) -> bool:
    """Whether a variable is set, to anything but ``0`` or ``false``."""
    return os.environ.get(variable, "").lower() not in ("", "0", "false")
