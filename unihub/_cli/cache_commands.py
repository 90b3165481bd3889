"""The commands for the cache."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Iterable, List, Optional, Sequence

from unihub import errors
from unihub._cli import completion
from unihub._cli.command import Argument, Command
from unihub._cli.exit_status import STATUSES
from unihub._cli.report import BAD, FAINT, GOOD, Block, Exact, Line, Report, Table, lines

if TYPE_CHECKING:
    from unihub._cli.cache_entries import Stored
    from unihub._resolve.manifest import Manifest


def _list(arguments: argparse.Namespace) -> Report:
    """Lists what is in the cache."""
    from unihub._cli import cache_entries
    from unihub._resolve import cache

    all_stored = list(cache_entries.stored())
    rows = [[lines("{:,}".format(each.size)), lines(each.name, *_facts(each.manifest))] for each in all_stored]
    total = sum(each.size for each in all_stored)
    table: List[Block] = [Table(("bytes", "entry"), rows, numbers=(0,))] if all_stored else []
    last = Line("{:,} bytes in {} entries at {}".format(total, len(all_stored), cache.root()), FAINT)
    return Report([*table, last], [each.to_dict() for each in all_stored])


def _facts(manifest: Optional[Manifest]) -> Iterable[str]:
    return (manifest.handle, manifest.digest, manifest.time) if manifest else ()


def _verify(arguments: argparse.Namespace) -> Report:
    """Reads all models in the cache, and compares them with their manifests."""
    from unihub._cli import cache_entries
    from unihub._resolve import entries

    blocks: List[Block] = []
    data = []
    for each in cache_entries.stored((entries.MODELS, entries.ARCHIVES)):
        problems = each.damage(thorough=True)
        blocks.append(Line("damaged  " + each.name, BAD) if problems else Line("whole    " + each.name, GOOD))
        blocks += [Line("         " + problem) for problem in problems]
        data.append({"entry": each.name, "problems": problems})
    return Report(blocks, data, STATUSES[errors.IntegrityError] if any(row["problems"] for row in data) else 0)


def _remove(arguments: argparse.Namespace) -> Report:
    """Removes entries, named by their handles or as ``cache ls`` names them."""
    from unihub._cli import cache_entries
    from unihub._resolve import cache

    all_stored = list(cache_entries.stored())
    chosen = []
    for name in arguments.names:
        matching = [each for each in all_stored if name == each.name or _is_of(each, name)]
        if not matching:
            raise errors.ModelNotFoundError.not_in_cache(name, cache.root())
        chosen += matching
    return _removed([each.path for each in chosen], arguments.dry_run)


def _is_of(stored: Stored, handle: str) -> bool:
    from unihub._resolve import redirects
    from unihub._resolve.handle import Handle

    parsed = Handle.parse(handle)
    names = [each.entry for each in (parsed, redirects.known(parsed)) if each is not None]
    return os.path.basename(stored.path) in names or (stored.manifest is not None and stored.manifest.handle == handle)


def _prune(arguments: argparse.Namespace) -> Report:
    """Removes what is of no use: damaged entries, what dead processes left, parts of models that are gone."""
    from unihub._cli import cache_entries
    from unihub._resolve import cache, entries, lock

    paths = [each.path for each in cache_entries.stored((entries.MODELS, entries.ARCHIVES)) if each.damage()]
    for group in cache_entries.present():
        paths += cache.abandoned(os.path.join(cache.root(), group))
    paths += lock.abandoned()
    paths += [each.path for each in cache_entries.stored() if each.manifest is None and each.leads_nowhere]
    return _removed(list(dict.fromkeys(paths)), arguments.dry_run)


def _removed(paths: Sequence[str], dry_run: bool) -> Report:
    from unihub._resolve import cache

    for path in [] if dry_run else paths:
        cache.remove(path)
    word = "would remove" if dry_run else "removed"
    return Report([Exact("{} {}".format(word, path)) for path in paths], {"removed": not dry_run, "paths": list(paths)})


_DRY_RUN = Argument("--dry-run", {"action": "store_true", "help": "only say what would be removed"})
_NAMES = Argument("names", {"nargs": "+", "help": "handles or entries"}, completion.entries)

COMMANDS = (
    Command(("cache", "ls"), _list),
    Command(("cache", "verify"), _verify),
    Command(("cache", "rm"), _remove, (_NAMES, _DRY_RUN)),
    Command(("cache", "prune"), _prune, (_DRY_RUN,)),
)
