"""The imports of a program whose uses of tensorflow_hub were replaced: which go, which stay, where unihub's comes."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Set, cast

import libcst as cst

from unihub._migrate.edit import Edit
from unihub._migrate.program import Program
from unihub._migrate.references import Import, Statement, find_imports


def own_name(program: Program) -> str:
    """The name that unihub has in a program, or will have."""
    names = [each.bound for each in find_imports(program, "unihub") if _is_plain(program, each)]
    return names[0] if names and "unihub" not in names else "unihub"


def _is_plain(program: Program, each: Import) -> bool:
    """Whether it is unihub itself, at the top level of the program."""
    line = program.parent(each.statement)
    return (
        each.member is None
        and each.module == "unihub"
        and isinstance(line, cst.SimpleStatementLine)
        and isinstance(program.parent(line), cst.Module)
    )


def replace_imports(
    program: Program, imports: Sequence[Import], used: Sequence[Import], dropped: Sequence[Import]
) -> List[Edit]:
    """The edits to the imports.

    Args:
        program: The program.
        imports: Its imports of tensorflow_hub.
        used: Those through which something was used that is replaced.
        dropped: Those through which nothing is used any more.

    Returns:
        The edits.
    """
    by_statement: Dict[int, List[Import]] = {}
    for each in imports:
        by_statement.setdefault(id(each.statement), []).append(each)
    known = _Known(program)
    edits: List[Edit] = []
    for group in by_statement.values():
        if any(each in used for each in group):
            statement = group[0].statement
            aliases = [each.alias for each in group if each in dropped]
            wanted = not known.has(statement)
            edits += _replace(program, statement, aliases, wanted)
            known.add(statement)
    return edits


class _Known:
    """Where unihub is imported already."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._blocks: Set[int] = set()
        self._top: Optional[int] = None
        for each in find_imports(program, "unihub"):
            if _is_plain(program, each):
                self._top = min(self._top or program.start(each.alias), program.start(each.alias))

    def has(self, statement: Statement) -> bool:
        """Whether unihub is imported before the statement, at the top level or in its block."""
        if self._top is not None and self._top < self._end_of_imports(statement):
            return True
        return id(self._block(statement)) in self._blocks

    def add(self, statement: Statement) -> None:
        """Notes that it is imported where the statement stands."""
        self._blocks.add(id(self._block(statement)))

    def _block(self, statement: Statement) -> Optional[cst.CSTNode]:
        line = self._program.parent(statement)
        return self._program.parent(line) if isinstance(line, cst.SimpleStatementLine) else line

    def _end_of_imports(self, statement: Statement) -> int:
        """The end of the imports among which a statement stands: sorted imports have unihub behind tensorflow_hub."""
        block = self._block(statement)
        end = self._program.start(statement)
        for line in getattr(block, "body", ()):
            if self._program.start(line) >= end:
                if not _is_imports(line):
                    break
                end = self._program.end(line)
        return end


def _is_imports(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and all(
        isinstance(part, (cst.Import, cst.ImportFrom)) for part in line.body
    )


def _replace(program: Program, statement: Statement, dropped: Sequence[cst.ImportAlias], wanted: bool) -> List[Edit]:
    """The edits to one statement: without the aliases that are dropped, with unihub if that is wanted."""
    names = cast("Sequence[cst.ImportAlias]", statement.names)
    kept = [alias for alias in names if alias not in dropped]
    whole = (program.start(statement), program.end(statement))
    if not kept:
        if wanted:
            return [Edit(whole[0], whole[1], "import unihub")]
        return [_remove(program, statement) or Edit(whole[0], whole[1], "import unihub")]
    edits = []
    inline = wanted and dropped and isinstance(statement, cst.Import)
    if dropped:
        written = ["unihub" if inline and alias is dropped[0] else program.source(alias) for alias in names]
        shown = [index for index, alias in enumerate(names) if alias in kept or (inline and alias is dropped[0])]
        text = written[shown[0]]
        for index in shown[1:]:
            text += program.text[program.end(names[index - 1]) : program.start(names[index])] + written[index]
        edits.append(Edit(program.start(names[0]), program.end(names[-1]), text))
    if wanted and not inline:
        edits.append(_add_after(program, statement))
    return edits


def _remove(program: Program, statement: Statement) -> Optional[Edit]:
    """Takes the line of a statement away, if there is nothing else in it and no block can get empty."""
    line = program.parent(statement)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1 or line.trailing_whitespace.comment:
        return None
    if not isinstance(program.parent(line), cst.Module):
        return None
    return Edit(program.line_start(program.start(line)), program.next_line(program.end(statement)), "")


def _add_after(program: Program, statement: Statement) -> Edit:
    end = program.end(statement)
    if not isinstance(program.parent(statement), cst.SimpleStatementLine):
        return Edit(end, end, "; import unihub")
    start = program.start(program.parent(statement) or statement)
    indent = program.text[program.line_start(start) : start]
    newline, end = program.newline(end), program.line_end(end)
    return Edit(end, end, newline + indent + "import unihub")
