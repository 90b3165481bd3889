"""The command line's grammar, made of the commands; what does not fit it is an error like the others."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Dict, Iterable, NoReturn, Optional, Sequence, Tuple

from unihub._cli import exit_status
from unihub._cli.command import Command
from unihub._version import __version__
from unihub.errors import DOCS

_Subparsers = Any  # argparse has no public name for it


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that tells its errors to machines, too."""

    # It is set for the line that is parsed, and by then all parsers are made.
    is_for_machines = False

    # argparse makes the parsers of subcommands by this class, too.
    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, **dict(options, allow_abbrev=False))

    def parse_args(  # type: ignore[override]  # argparse has overloads for other classes of namespaces
        self, args: Optional[Sequence[str]] = None, namespace: Optional[argparse.Namespace] = None
    ) -> argparse.Namespace:
        """Parses a line."""
        words = sys.argv[1:] if args is None else list(args)
        Parser.is_for_machines = "--json" in (words[: words.index("--")] if "--" in words else words)
        return super().parse_args(words, namespace)

    def error(self, message: str) -> NoReturn:
        """Ends the process, and says why."""
        if Parser.is_for_machines:
            hint = "{} --help says what it takes.".format(self.prog)
            page = DOCS + "command-line/"
            print(error_json("UsageError", message, self.format_usage().strip(), hint, page, exit_status.USAGE))
            sys.exit(exit_status.USAGE)
        super().error(message)


def error_json(name: str, what: str, why: str, hint: str, docs: str, ended: int) -> str:
    """An error as JSON."""
    facts = {"type": name, "what": what, "why": why, "hint": hint, "docs": docs, "status": ended}
    return json.dumps({"error": facts}, indent=1)


def make_parser(commands: Iterable[Command]) -> Parser:
    """The parser of all commands."""
    parser = Parser("unihub", description="Any TensorFlow Hub model, from anywhere.")
    parser.add_argument("--version", action="version", version="unihub {}".format(__version__))
    groups: Dict[Tuple[str, ...], _Subparsers] = {(): _subparsers(parser, "command")}
    for command in commands:
        above = command.words[:-1]
        if above not in groups:
            what = "the commands for the {}".format(above[-1])
            groups[above] = _subparsers(groups[()].add_parser(above[-1], help=what, description=what), "subcommand")
        _add(groups[above], command)
    return parser


def _subparsers(parser: argparse.ArgumentParser, dest: str) -> _Subparsers:
    group = parser.add_subparsers(metavar="command", dest=dest)
    group.required = True
    return group


def _add(group: _Subparsers, command: Command) -> None:
    what = command.run.__doc__
    own = group.add_parser(command.words[-1], help=what, description=what)
    own.add_argument("--json", action="store_true", help="print data for machines")
    own.set_defaults(run=command.run)
    # Python cannot print the usage of an empty group.
    is_exclusive = any(argument.excludes_others for argument in command.arguments)
    one_of = own.add_mutually_exclusive_group() if is_exclusive else own
    for argument in command.arguments:
        action = (one_of if argument.excludes_others else own).add_argument(argument.name, **argument.options)
        if argument.completer is not None:
            # argcomplete reads it.
            action.completer = argument.completer
