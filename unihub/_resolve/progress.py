"""The progress bar of a download, where there is a terminal or notebook to show it."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, NoReturn, Optional, Union

from unihub._resolve import settings

if TYPE_CHECKING:
    from tqdm.auto import tqdm

    Bar = Union["_NoBar", tqdm[NoReturn]]


class _NoBar:
    """Replaces the bar where no one would see it."""

    total: Optional[int] = None
    n = 0

    def update(self, count: int) -> None:
        """Shows nothing."""

    def close(self) -> None:
        """Does nothing."""


def bar(name: str, total: Optional[int], done: int) -> Bar:
    """A progress bar in a terminal or a notebook; silent where there is neither, or ``UNIHUB_NO_PROGRESS`` is set.

    Args:
        name: What is downloaded.
        total: How many bytes it has, if that is known.
        done: How many of them are there.
    """
    if not is_watched():
        return _NoBar()
    from tqdm.auto import tqdm

    shown: tqdm[NoReturn] = tqdm(desc=name, total=total, initial=done, unit="B", unit_scale=True, unit_divisor=1024)
    return shown


def is_watched() -> bool:
    """Whether a bar would be visible and is wanted."""
    if settings.flag(settings.NO_PROGRESS):
        return False
    if "ipykernel" in sys.modules:
        return True
    with contextlib.suppress(AttributeError, ValueError):  # none, or closed
        return sys.stderr.isatty()
    return False
