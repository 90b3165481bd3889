"""What was done to some files, for people and for machines."""

from __future__ import annotations

from typing import Dict, List, Sequence

from unihub._migrate.edit import Finding
from unihub._migrate.files import FileMigration


def to_text(migrations: Sequence[FileMigration], is_written: bool) -> str:
    """The findings, one a line as compilers write them, and a summary."""
    lines = [
        "{}:{}".format(migration.path, _location(finding)) for migration in migrations for finding in migration.findings
    ]
    left = "{} left alone, listed above".format(len(lines)) if lines else "nothing is left"
    done = "replaced" if is_written else "would be replaced (--write does it)"
    lines.append(
        "{} in {} {}; {}; {} looked at".format(
            _count(sum(migration.replaced for migration in migrations), "use"),
            _count(sum(migration.is_changed for migration in migrations), "file"),
            done,
            left,
            _count(len(migrations), "file"),
        )
    )
    return "\n".join(lines)


def _location(finding: Finding) -> str:
    position = "{}:{}: ".format(finding.line, finding.column)
    if finding.cell is not None:
        position = "cell {}:{}".format(finding.cell, position)
    return position + ("{}: {}".format(finding.name, finding.reason) if finding.name else finding.reason)


def _count(number: int, noun: str) -> str:
    return "{} {}{}".format(number, noun, "" if number == 1 else "s")


def to_json(migrations: Sequence[FileMigration], is_written: bool) -> Dict[str, object]:
    """The same for machines; docs/migrate.md describes its shape."""
    files: List[Dict[str, object]] = [
        {
            "path": migration.path,
            "changed": migration.is_changed,
            "replaced": migration.replaced,
            "left": [
                {
                    "cell": finding.cell,
                    "line": finding.line,
                    "column": finding.column,
                    "name": finding.name,
                    "reason": finding.reason,
                }
                for finding in migration.findings
            ],
        }
        for migration in migrations
        if migration.is_changed or migration.findings
    ]
    return {
        "written": is_written,
        "looked_at": len(migrations),
        "changed": sum(migration.is_changed for migration in migrations),
        "replaced": sum(migration.replaced for migration in migrations),
        "left": sum(len(migration.findings) for migration in migrations),
        "files": files,
    }
