"""What is done to a text: edits at places in it, and findings where nothing is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Optional, Tuple


@dataclass(frozen=True)
class Edit:
    """The text from ``start`` to ``end`` becomes another one; an insertion where both are the same."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Span:
    """A part of the original text that is not read as Python."""

    start: int
    text: str


@dataclass(frozen=True)
class Finding:
    """A use of tensorflow_hub that was left alone.

    Attributes:
        line: Its line, from 1; in a notebook that of the cell.
        column: Its column, from 1.
        name: What is used, such as ``hub.load``; empty for a whole file.
        reason: Why it is left, and what to do.
        cell: In a notebook the cell, from 1.
    """

    line: int
    column: int
    name: str
    reason: str
    cell: Optional[int] = None


@dataclass(frozen=True)
class Decision:
    """What is to be done to one program.

    Attributes:
        edits: The edits.
        replaced: How many uses of tensorflow_hub they replace.
        findings: What is left alone, in the order of the text.
    """

    edits: Tuple[Edit, ...]
    replaced: int
    findings: Tuple[Finding, ...]


@dataclass(frozen=True)
class Migration:
    """What became of one program.

    Attributes:
        text: The new source.
        replaced: How many uses of tensorflow_hub were replaced.
        findings: What was left alone, in the order of the text.
    """

    text: str
    replaced: int
    findings: Tuple[Finding, ...]


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits; none may overlap another, and two at one place come in the order given."""
    parts = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < done:
            raise ValueError("the edits at {} and {} overlap".format(done, edit.start))
        parts += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join(parts) + text[done:]
