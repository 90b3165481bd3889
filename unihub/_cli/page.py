"""Where reports are printed: how wide it is, whether it has colours, and the text that fits it.

Nothing is wrapped in a file or a pipe, so that lines can be searched and cut. A package that draws tables (rich, say)
takes as long to import as ``unihub inspect`` takes as a whole, so the little that is needed of one stands here.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import IO, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from unihub._cli.report import BAD, FAINT, GOOD, LABEL, TITLE, Block, Fields, Line, Table

_CODES = {TITLE: "1", LABEL: "36", GOOD: "32", BAD: "31", FAINT: "2"}
_GAP = 2
_NARROWEST = 12


class Page(NamedTuple):
    """What text has to fit.

    Attributes:
        width: In columns; ``None`` where nothing is wrapped.
        colour: Whether escape sequences are understood.
    """

    width: Optional[int] = None
    colour: bool = False

    @classmethod
    def of(cls, stream: IO[str]) -> Page:
        """What a stream writes to."""
        is_terminal = stream.isatty()
        return cls(shutil.get_terminal_size().columns if is_terminal else None, _wants_colour(is_terminal))

    def render(self, block: Block) -> List[str]:
        """The lines of a block."""
        if isinstance(block, Fields):
            return list(self._render_fields(block))
        if isinstance(block, Table):
            return list(self._render_table(block))
        if isinstance(block, Line):
            return [self._paint(text, block.style) for text in _wrap(block.text, self.width)]
        return [self._paint(block.text, block.style)]

    def _render_fields(self, block: Fields) -> Iterator[str]:
        if block.title.text:
            yield self._paint(block.title.text, block.title.style)
        size = max((len(label) for label, _ in block.rows), default=0)
        rest = None if self.width is None else max(self.width - _GAP - size - block.gap, _NARROWEST)
        for label, values in block.rows:
            first = self._paint(label.ljust(size), LABEL)
            for line in values:
                for text in _wrap(line.text, rest):
                    yield " " * _GAP + first + " " * block.gap + self._paint(text, line.style)
                    first = " " * size

    def _render_table(self, block: Table) -> Iterator[str]:
        header = [[Line(name, LABEL)] for name in block.header]
        widths = self._widths([header, *block.rows])
        for row in [header, *block.rows]:
            cells = [
                [Line(text, line.style) for line in cell for text in _wrap(line.text, width)]
                for cell, width in zip(row, widths)
            ]
            for number in range(max(map(len, cells))):
                parts = [cell[number] if number < len(cell) else Line("") for cell in cells]
                yield self._row(parts, widths, block.numbers)

    def _row(self, parts: Sequence[Line], widths: Sequence[int], numbers: Sequence[int]) -> str:
        texts = []
        for column, (part, width) in enumerate(zip(parts, widths)):
            # Nothing trails behind the last column.
            rest = " " * (width - len(part.text))
            text = self._paint(part.text, part.style)
            texts.append(rest + text if column in numbers else text + rest)
        return (" " * _GAP).join(texts).rstrip(" ")

    def _widths(self, rows: Sequence[Sequence[Sequence[Line]]]) -> List[int]:
        """That of each column: what it needs, less what the widest have to give; the last has the sentences."""
        widths = [max(len(line.text) for cell in column for line in cell or [Line("")]) for column in zip(*rows)]
        if self.width is not None:
            room = self.width - _GAP * (len(widths) - 1)
            wanting = [*widths[:-1], widths[-1] / 2]
            while sum(widths) > room and max(widths) > _NARROWEST:
                widest = wanting.index(max(wanting))
                widths[widest] -= 1
                wanting[widest] -= 1 if widest < len(widths) - 1 else 0.5
        return widths

    def _paint(self, text: str, style: str) -> str:
        code = _CODES.get(style)
        return "\033[{}m{}\033[0m".format(code, text) if self.colour and code and text else text


def _wrap(text: str, width: Optional[int]) -> Iterable[str]:
    if width is None or len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_on_hyphens=False, subsequent_indent="  ") or [""]


def _wants_colour(is_terminal: bool) -> bool:
    """By the customs of https://no-color.org, https://force-color.org and https://bixense.com/clicolors."""
    setting = os.environ.get
    if setting("NO_COLOR"):
        return False
    if setting("FORCE_COLOR") or setting("CLICOLOR_FORCE", "0") != "0":
        return True
    is_able = os.name != "nt" or bool(setting("WT_SESSION") or setting("TERM"))
    return is_terminal and is_able and setting("CLICOLOR") != "0" and setting("TERM") != "dumb"
