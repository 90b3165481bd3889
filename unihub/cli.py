"""The command line: ``unihub COMMAND``, or ``python -m unihub COMMAND``.

Each command is one function that adds its arguments, and one that carries it out and returns the exit code. What a
command needs is imported when it runs.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any, List, Optional

from unihub.errors import UnihubError

# Beside these, argparse ends with 2 where the arguments are wrong.
EXIT_DONE = 0
EXIT_LEFT = 1
EXIT_ERROR = 3


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs a command.

    Args:
        arguments: The words after ``unihub``; by default those of the process.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="unihub", description="Load any TensorFlow Hub model in any TensorFlow.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    add_migrate(commands)
    parsed = parser.parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except UnihubError as exc:
        print("{}: {}".format(type(exc).__name__, exc), file=sys.stderr)
        return EXIT_ERROR


def add_migrate(commands: Any) -> None:
    """``unihub migrate``."""
    parser = commands.add_parser(
        "migrate",
        help="rewrite programs that call tensorflow_hub",
        description="Rewrites programs that call tensorflow_hub to call unihub: Python files and notebooks. Shows the "
        "change; what cannot be decided is left alone and listed.",
        epilog="exit codes: 0, nothing is left to be decided; 1, something is, and is listed; 2, wrong arguments; "
        "3, an error",
    )
    parser.add_argument("path", metavar="PATH", type=_existing, help="a Python file, a notebook, or a directory")
    parser.add_argument("--write", action="store_true", help="change the files, and do not show the change")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON instead")
    parser.set_defaults(run=migrate)


def migrate(parsed: argparse.Namespace) -> int:
    """Runs ``unihub migrate``."""
    from unihub._migrate import files, report

    migrations = [files.migrate_file(path) for path in files.find_programs(parsed.path)]
    if parsed.write:
        for migration in migrations:
            if migration.is_changed:
                migration.write()
    if parsed.json:
        print(json.dumps(report.to_json(migrations, parsed.write), indent=2))
    else:
        if not parsed.write:
            sys.stdout.write("".join(migration.diff() for migration in migrations))
            sys.stdout.flush()
        print(report.to_text(migrations, parsed.write), file=sys.stderr)
    return EXIT_LEFT if any(migration.findings for migration in migrations) else EXIT_DONE


def _existing(path: str) -> str:
    if not os.path.exists(path):
        raise argparse.ArgumentTypeError("there is no {}".format(path))
    return path
