"""What a command has to say: for people as blocks of text that fit any width, for machines as data."""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Sequence, Tuple, Union

# How a line is meant; what it looks like is the page's matter.
PLAIN, TITLE, LABEL, GOOD, BAD, FAINT = "plain", "title", "label", "good", "bad", "faint"


class Line(NamedTuple):
    """A text that is wrapped where it does not fit, and what it is meant as."""

    text: str
    style: str = PLAIN


class Exact(NamedTuple):
    """A text that is printed as it is: a path, or a line of a changed file, is something to be copied."""

    text: str
    style: str = PLAIN


class Fields(NamedTuple):
    """Labels, and beside each its lines, with a gap between them."""

    title: Line
    rows: Sequence[Tuple[str, Sequence[Line]]]
    gap: int = 2


class Table(NamedTuple):
    """Columns under their names; a cell has one or more lines.

    Attributes:
        header: The names of the columns.
        rows: The cells of each row.
        numbers: Which columns are numbers, and stand at the right.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Sequence[Line]]]
    numbers: Sequence[int] = ()


Block = Union[Exact, Line, Fields, Table]


class Report(NamedTuple):
    """What a command has to say.

    Attributes:
        blocks: For people.
        data: For machines.
        status: The exit status.
        notes: What people get beside the blocks, and a file to which these are written does not.
    """

    blocks: Sequence[Block]
    data: object
    status: int = 0
    notes: Sequence[Block] = ()


def fields(title: str, rows: Iterable[Tuple[str, Sequence[str]]]) -> Fields:
    """Fields of plain texts."""
    return Fields(Line(title, TITLE), [(label, lines(*values)) for label, values in rows])


def lines(*texts: object) -> List[Line]:
    """A cell, or the lines beside a label."""
    return [Line(str(text)) for text in texts]
