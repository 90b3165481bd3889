"""What a command is: its words, its function and its arguments, as data that the parser is made of."""

from __future__ import annotations

import argparse
import os
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Optional, Tuple

from unihub._cli.report import Report


class Argument(NamedTuple):
    """An argument of a command.

    Attributes:
        name: Its name.
        options: As ``argparse`` takes them.
        completer: Gives shells the words it may be.
        excludes_others: Whether it may not be together with another one that says so.
    """

    name: str
    options: Mapping[str, Any]
    completer: Optional[Callable[..., Iterable[str]]] = None
    excludes_others: bool = False


class Command(NamedTuple):
    """A command: its words, its function, and its arguments."""

    words: Tuple[str, ...]
    run: Callable[[argparse.Namespace], Report]
    arguments: Tuple[Argument, ...] = ()


def existing(path: str) -> str:
    """A path at which there is something."""
    if not os.path.exists(path):
        raise argparse.ArgumentTypeError("there is no {}".format(path))
    return path


def version(text: str) -> str:
    """The version of a package."""
    from packaging.version import InvalidVersion, Version

    try:
        return str(Version(text))
    except InvalidVersion:
        raise argparse.ArgumentTypeError("{!r} is no version, such as 2.15".format(text)) from None
