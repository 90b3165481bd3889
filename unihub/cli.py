"""The command line: ``unihub resolve``, ``unihub export``, ``unihub cache``, ``unihub migrate``.

Each command is one function that takes the parsed arguments and gives back what is to be printed: a ``Report``, with
lines for people and, for ``--json``, the same as data. Its arguments stand beside it in ``COMMANDS``; a new command
is a function and an entry there.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from unihub import _export_dir, _resolve, errors
from unihub._resolve import cache, models, redirects
from unihub._resolve.handle import Handle
from unihub._resolve.manifest import Manifest

# The exit status for each kind of error; 1 is what Python itself ends with, and 2 what argparse does.
_STATUS = {
    errors.HandleError: 3,
    errors.ModelNotFoundError: 4,
    errors.DownloadError: 5,
    errors.IntegrityError: 6,
    errors.UnknownFormatError: 7,
    errors.RuntimeUnavailableError: 8,
}
_OTHER_STATUS = 1
# A program is not wholly rewritten, and what is left was listed.
_LEFT_STATUS = 9


class Report(NamedTuple):
    """What a command has to say.

    Attributes:
        lines: For people.
        data: For machines.
        status: The exit status.
        notes: What people get beside the lines, and a file to which these are written does not.
    """

    lines: Sequence[str]
    data: Any
    status: int = 0
    notes: Sequence[str] = ()


class Argument(NamedTuple):
    """An argument of a command, as ``argparse`` takes it."""

    name: str
    options: Any


class Command(NamedTuple):
    """A command: its words, its function, and its arguments."""

    words: Tuple[str, ...]
    run: Callable[[argparse.Namespace], Report]
    arguments: Tuple[Argument, ...] = ()


class _Stored(NamedTuple):
    """An entry of the cache, as the commands see it."""

    group: str
    path: str
    manifest: Optional[Manifest]

    @property
    def name(self) -> str:
        return "{}/{}".format(self.group, os.path.basename(self.path))

    @property
    def size(self) -> int:
        return self.manifest.size if self.manifest else sum(_sizes_below(self.path))

    def describe(self) -> Any:
        """The entry as data."""
        data = {"entry": self.name, "path": self.path, "size": self.size}
        if self.manifest:
            found = self.manifest
            data.update(handle=found.handle, source=found.source, url=found.url, time=found.time, sha256=found.digest)
        return data

    def line(self) -> str:
        """The entry in a line."""
        found = self.manifest
        facts = "{}  {}  {}".format(found.time, found.handle, found.digest) if found else "-"
        return "{:>15,}  {}  {}".format(self.size, self.name, facts)


def _resolve_handle(arguments: argparse.Namespace) -> Report:
    """Fetches a model, and prints its directory."""
    path = _resolve.resolve(arguments.handle, offline=arguments.offline or None)
    return Report([path], {"handle": arguments.handle, "path": path})


def _export(arguments: argparse.Namespace) -> Report:
    """Fetches a model, and copies it to a directory that needs no cache."""
    with _export_dir.writing(arguments.directory, arguments.overwrite) as directory:
        source = _resolve.resolve(arguments.handle, offline=arguments.offline or None)
        os.rmdir(directory)
        shutil.copytree(source, directory)
    return Report([arguments.directory], {"handle": arguments.handle, "path": os.path.abspath(arguments.directory)})


def _list(arguments: argparse.Namespace) -> Report:
    """Lists what is in the cache."""
    found = list(_stored(_group_names()))
    total = sum(each.size for each in found)
    last = "{:>15,}  bytes in {} entries at {}".format(total, len(found), cache.root())
    return Report([each.line() for each in found] + [last], [each.describe() for each in found])


def _verify(arguments: argparse.Namespace) -> Report:
    """Reads all models in the cache, and compares them with their manifests."""
    lines, data = [], []
    for each in _stored((models.MODELS, models.ARCHIVES)):
        problems = models.damage(each.path, each.manifest, thorough=True)
        lines.append("{}  {}".format("damaged" if problems else "whole  ", each.name))
        lines += ["         " + problem for problem in problems]
        data.append({"entry": each.name, "problems": problems})
    return Report(lines, data, _STATUS[errors.IntegrityError] if any(row["problems"] for row in data) else 0)


def _remove(arguments: argparse.Namespace) -> Report:
    """Removes entries, named by their handles or as ``cache ls`` names them."""
    found = list(_stored(_group_names()))
    chosen = []
    for name in arguments.names:
        matching = [each for each in found if name == each.name or _is_of(each, name)]
        if not matching:
            raise errors.ModelNotFoundError.not_in_cache(name, cache.root())
        chosen += matching
    return _removed([each.path for each in chosen], arguments.dry_run)


def _prune(arguments: argparse.Namespace) -> Report:
    """Removes what is of no use: damaged entries, what dead processes left, parts of models that are gone."""
    paths = [each.path for each in _stored((models.MODELS, models.ARCHIVES)) if models.damage(each.path, each.manifest)]
    for group in _group_names():
        paths += cache.abandoned(os.path.join(cache.root(), group))
    paths += [each.path for each in _stored(_group_names()) if each.manifest is None and _leads_nowhere(each.path)]
    return _removed(list(dict.fromkeys(paths)), arguments.dry_run)


def _removed(paths: Sequence[str], dry_run: bool) -> Report:
    for path in [] if dry_run else paths:
        cache.remove(path)
    word = "would remove" if dry_run else "removed"
    return Report(["{} {}".format(word, path) for path in paths], {"removed": not dry_run, "paths": list(paths)})


def _migrate(arguments: argparse.Namespace) -> Report:
    """Rewrites programs that call tensorflow_hub: shows the change, and lists what cannot be decided."""
    from unihub._migrate import files, report

    migrations = [files.migrate_file(path) for path in files.find_programs(arguments.path)]
    if arguments.write:
        for migration in migrations:
            if migration.is_changed:
                migration.write()
    change = "" if arguments.write else "".join(migration.diff() for migration in migrations)
    return Report(
        [change[: -len("\n")]] if change else [],
        report.to_json(migrations, arguments.write),
        _LEFT_STATUS if any(migration.findings for migration in migrations) else 0,
        [report.to_text(migrations, arguments.write)],
    )


def _existing(path: str) -> str:
    if not os.path.exists(path):
        raise argparse.ArgumentTypeError("there is no {}".format(path))
    return path


def _group_names() -> List[str]:
    return [group for group in cache.GROUPS if os.path.isdir(os.path.join(cache.root(), group))]


def _stored(groups: Iterable[str]) -> Iterable[_Stored]:
    for group in groups:
        for path, manifest in models.entries(group):
            yield _Stored(group, path, manifest)


def _is_of(stored: _Stored, handle: str) -> bool:
    parsed = Handle.parse(handle)
    names = [each.entry for each in (parsed, redirects.known(parsed)) if each is not None]
    return os.path.basename(stored.path) in names or (stored.manifest is not None and stored.manifest.handle == handle)


def _leads_nowhere(path: str) -> bool:
    """Whether a link in it does: what a part links to is gone."""
    return any(os.path.islink(inner) and not os.path.exists(inner) for inner in _paths_below(path))


def _paths_below(path: str) -> Iterable[str]:
    return [os.path.join(parent, name) for parent, folders, names in os.walk(path) for name in folders + names]


def _sizes_below(path: str) -> List[int]:
    # A part has links to the files of its model, which are not its own.
    return [os.path.getsize(inner) for inner in _paths_below(path) if not os.path.islink(inner)]


_HANDLE = Argument("handle", {"help": "a directory, an archive, a URL, or owner/model/framework/variation[/version]"})
_OFFLINE = Argument("--offline", {"action": "store_true", "help": "use what is on this machine only"})
_DRY_RUN = Argument("--dry-run", {"action": "store_true", "help": "only say what would be removed"})

COMMANDS = (
    Command(("resolve",), _resolve_handle, (_HANDLE, _OFFLINE)),
    Command(
        ("export",),
        _export,
        (
            _HANDLE,
            Argument("directory", {"help": "where to; it must not be there yet"}),
            Argument("--overwrite", {"action": "store_true", "help": "replace the directory if it is there"}),
            _OFFLINE,
        ),
    ),
    Command(("cache", "ls"), _list),
    Command(("cache", "verify"), _verify),
    Command(("cache", "rm"), _remove, (Argument("names", {"nargs": "+", "help": "handles or entries"}), _DRY_RUN)),
    Command(("cache", "prune"), _prune, (_DRY_RUN,)),
    Command(
        ("migrate",),
        _migrate,
        (
            Argument("path", {"type": _existing, "help": "a Python file, a notebook, or a directory"}),
            Argument("--write", {"action": "store_true", "help": "change the files, and do not show the change"}),
        ),
    ),
)


def main(words: Optional[Sequence[str]] = None) -> int:
    """Runs a command.

    Args:
        words: The command line; that of the process by default.

    Returns:
        The exit status: 0, or one for each kind of error.

    Example:
        >>> main(["cache", "ls", "--json"])
        [...]
        0
    """
    arguments = _parser().parse_args(words)
    try:
        report = arguments.run(arguments)
    except errors.UnihubError as error:
        print("{}: {}".format(type(error).__name__, error), file=sys.stderr)
        return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), _OTHER_STATUS)
    if arguments.json:
        print(json.dumps(report.data, indent=1))
    else:
        sys.stdout.writelines(line + "\n" for line in report.lines)
        sys.stdout.flush()
        sys.stderr.writelines(note + "\n" for note in report.notes)
    return int(report.status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("unihub", description="Any TensorFlow Hub model, from anywhere.")
    groups: Dict[Tuple[str, ...], Any] = {(): parser.add_subparsers(metavar="command", dest="command")}
    groups[()].required = True
    for command in COMMANDS:
        above = command.words[:-1]
        if above not in groups:
            group = groups[()].add_parser(above[-1], help="the commands for the " + above[-1])
            groups[above] = group.add_subparsers(metavar="command", dest="subcommand")
            groups[above].required = True
        what = command.run.__doc__
        own = groups[above].add_parser(command.words[-1], help=what, description=what)
        own.add_argument("--json", action="store_true", help="print data for machines")
        own.set_defaults(run=command.run)
        for argument in command.arguments:
            own.add_argument(argument.name, **argument.options)
    return parser
