"""What shells complete, with argcomplete: https://kislyuk.github.io/argcomplete/."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Iterable, List

if TYPE_CHECKING:
    import argparse


def offer(parser: argparse.ArgumentParser) -> None:
    """Answers a shell that asks for completions, and ends the process; does nothing otherwise."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    import argcomplete

    argcomplete.autocomplete(parser)


def handles(prefix: str, **_: object) -> List[str]:
    """Paths, and the handles of what is in the cache."""
    from argcomplete.completers import FilesCompleter

    return list(FilesCompleter()(prefix)) + [each for each in _cached_handles() if each.startswith(prefix)]


def entries(prefix: str, **_: object) -> List[str]:
    """What ``cache rm`` takes: handles and the names of entries."""
    from unihub._cli import cache_entries

    names = [each.name for each in cache_entries.stored()]
    return [each for each in names + _cached_handles() if each.startswith(prefix)]


def directories(prefix: str, **_: object) -> Iterable[str]:
    """Directories."""
    from argcomplete.completers import DirectoriesCompleter

    return list(DirectoriesCompleter()(prefix))


def _cached_handles() -> List[str]:
    from unihub._cli import cache_entries

    return sorted({each.manifest.handle for each in cache_entries.stored() if each.manifest})
