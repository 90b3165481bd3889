"""The command that rewrites programs."""

from __future__ import annotations

import argparse

from unihub._cli import exit_status
from unihub._cli.command import Argument, Command, existing
from unihub._cli.report import BAD, GOOD, LABEL, PLAIN, Exact, Report

# Of the lines of a diff.
_STYLES = {"-": BAD, "+": GOOD, "@": LABEL}


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
        [Exact(line, _STYLES.get(line[:1], PLAIN)) for line in change.split("\n")[:-1]],
        report.to_json(migrations, arguments.write),
        exit_status.INCOMPLETE if any(migration.findings for migration in migrations) else 0,
        [Exact(report.to_text(migrations, arguments.write))],
    )


COMMANDS = (
    Command(
        ("migrate",),
        _migrate,
        (
            Argument("path", {"type": existing, "help": "a Python file, a notebook, or a directory"}),
            Argument("--write", {"action": "store_true", "help": "change the files, and do not show the change"}),
        ),
    ),
)
