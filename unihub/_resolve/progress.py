"""The bar that shows how far a download has come, where somebody is looking."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Optional

from unihub._resolve import settings


class _Nobody:
    """Stands for the bar where nobody is looking."""

    def update(self, count: int) -> None:
        """Shows nothing."""

    def close(self) -> None:
        """Leaves nothing."""


def bar(name: str, total: Optional[int], done: int) -> Any:
    """A progress bar in a terminal or a notebook; silent where there is neither, or ``UNIHUB_NO_PROGRESS`` is set.

    Args:
        name: What is downloaded.
        total: How many bytes it has, if that is known.
        done: How many of them are there.
    """
    if not is_watched():
        return _Nobody()
    from tqdm.auto import tqdm

    return tqdm(desc=name, total=total, initial=done, unit="B", unit_scale=True, unit_divisor=1024)


def is_watched() -> bool:
    """Whether somebody sees a bar, and wants to."""
    if settings.flag(settings.NO_PROGRESS):
        return False
    if "ipykernel" in sys.modules:
        return True
    with contextlib.suppress(AttributeError, ValueError):  # none, or closed
        return sys.stderr.isatty()
    return False
