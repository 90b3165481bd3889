"""The command line: ``unihub inspect``, ``plan``, ``matrix``, ``resolve``, ``export``, ``convert``, ``cache`` and more.

Each command is one function that takes the parsed arguments and gives back what is to be printed, a ``Report``. Its
arguments stand beside it in the ``COMMANDS`` of its module; a new command is a function and an entry there. What takes
long to import is imported in the function, so that no command waits for what another one needs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import IO, Iterable, Optional, Sequence

from unihub import errors
from unihub._cli import cache_commands, environment, exit_status, matrix, migration, model_commands
from unihub._cli.page import Page
from unihub._cli.parser import Parser, error_json, make_parser
from unihub._cli.report import BAD, Block, Fields, Line, Report, lines

COMMANDS = (
    *model_commands.COMMANDS,
    *matrix.COMMANDS,
    *cache_commands.COMMANDS,
    *environment.COMMANDS,
    *migration.COMMANDS,
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
    parser = make_parser(COMMANDS)
    _offer_completions(parser)
    arguments = parser.parse_args(words)
    try:
        return _run(arguments)
    except errors.UnihubError as error:
        return _tell(error, arguments.json)
    except KeyboardInterrupt:
        return exit_status.INTERRUPTED
    except BrokenPipeError:
        # Python would fail once more when it flushes the stream at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_status.BROKEN_PIPE


def _offer_completions(parser: Parser) -> None:
    if "_ARGCOMPLETE" in os.environ:
        from unihub._cli import completion

        completion.offer(parser)


def _run(arguments: argparse.Namespace) -> int:
    report: Report = arguments.run(arguments)
    if arguments.json:
        print(json.dumps(report.data, indent=1))
    else:
        _print(report.blocks, sys.stdout)
        _print(report.notes, sys.stderr)
    sys.stdout.flush()
    return report.status


def _tell(error: errors.UnihubError, for_machines: bool) -> int:
    name, ended = type(error).__name__, exit_status.status_of(error)
    if for_machines:
        print(error_json(name, error.what, error.why, error.hint, error.docs, ended))
    else:
        parts = [("Why: ", lines(*error.why.splitlines())), ("Hint:", lines(*error.hint.splitlines()))]
        parts.append(("Docs:", lines(error.docs)))
        _print([Line("{}: {}".format(name, error.what), BAD), Fields(Line(""), parts, gap=1)], sys.stderr)
    return ended


def _print(blocks: Iterable[Block], stream: IO[str]) -> None:
    page = Page.of(stream)
    for block in blocks:
        stream.writelines(line + "\n" for line in page.render(block))
    stream.flush()
