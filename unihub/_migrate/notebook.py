"""Notebooks: the code of their cells as one program, and edits to it as edits to the file.

The JSON is read for where each string of a cell's source stands, and never written anew: an edit changes the characters
of these strings, so that everything else in the file stays as it is, to the byte.

Lines that are IPython's and not Python's (``%matplotlib inline``, ``!pip install``) have blanks of the same length in
the program, so that places in both are the same; what they had is looked at for names only.
"""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecoder, py_scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from unihub._migrate.edit import Edit, Span

# One character in a JSON string: a pair of surrogates is one in Python.
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)
# Cell magics whose cell is Python all the same.
_PYTHON_CELL = re.compile(r"\s*%%(time|timeit|capture|prun|memit|mprun|skip)\b")
_MAGIC_LINE = re.compile(r"[ \t]*(%{1,2}[A-Za-z]|!|\?)")
_TIMED_LINE = re.compile(r"([ \t]*)(%time(?:it)?[ \t]+)(?=[A-Za-z_(])")
_HELP_LINE = re.compile(r"[ \t]*%*[\w.*]+\?{1,2}\s*$")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_ASSIGNED_MAGIC = re.compile(r"[ \t]*[A-Za-z_][\w.,\[\] \t]*=[ \t]*(?=[!%][A-Za-z!])")


class _Located(str):
    """A string of a JSON text that knows where its characters begin and where it ends."""

    begin: int
    end: int
    starts: List[int]


class Notebook:
    """The code of a notebook.

    Attributes:
        text: The program that its cells are.
        opaque: What in the cells is no Python that can be read.
    """

    def __init__(self, source: str, is_valid: Callable[[str], bool]) -> None:
        """Reads the code.

        Args:
            source: The file.
            is_valid: Tells whether a text is Python.

        Raises:
            ValueError: It is no JSON.
        """
        self.opaque: List[Span] = []
        self._cells: List[_Cell] = []
        # Of each character of the program where its own begins and ends in the file.
        self._starts: List[int] = []
        self._ends: List[int] = []
        parts: List[str] = []
        line = 1
        for number, strings, separator in _code_cells(source, _parse(source)):
            text = "".join(strings)
            self._cells.append(_Cell(number, len(self._starts), line, separator))
            parts.append(self._read(text, is_valid) + "\n")
            line += len(_NEWLINE.findall(parts[-1]))
            for string in strings:
                self._starts += string.starts
                self._ends += string.starts[1:] + [string.end] if string else []
            # The line break between two cells is at the end of the first.
            end = strings[-1].end if strings else 0
            self._starts.append(end)
            self._ends.append(end)
        self.text = "".join(parts)

    def _read(self, text: str, is_valid: Callable[[str], bool]) -> str:
        if is_valid(text):
            return text
        code, hidden = _without_magics(text)
        if not is_valid(code):
            code, hidden = _blank(text), [(0, text)]
        self.opaque += [Span(len(self._starts) + start, part) for start, part in hidden]
        return code

    def cell_and_line(self, line: int) -> Tuple[int, int]:
        """The cell of a line of the program, and the line in it, both from 1."""
        cell = [cell for cell in self._cells if cell.line <= line][-1]
        return cell.number, line - cell.line + 1

    def edit(self, edit: Edit) -> Edit:
        """The edit of the file that an edit of the program is."""
        cell = [cell for cell in self._cells if cell.offset <= edit.start][-1]
        text = json.dumps(edit.text)[1:-1]
        if cell.separator is not None:
            # Each line is a string of its own.
            text = text.replace("\\n", '\\n"{}"'.format(cell.separator))
        if edit.end > edit.start:
            return Edit(self._starts[edit.start], self._ends[edit.end - 1], text)
        # What is inserted follows the character before it, unless that is in another cell.
        offset = self._starts[edit.start] if edit.start == cell.offset else self._ends[edit.start - 1]
        return Edit(offset, offset, text)


class _Cell(NamedTuple):
    """Where a cell is in the program, and what stands in the file between two of its strings."""

    number: int
    offset: int
    line: int
    separator: Optional[str]


def _parse(source: str) -> object:
    """The JSON, its strings with their places."""
    decoder: Any = JSONDecoder()

    def parse_string(text: str, begin: int, strict: bool = True) -> Tuple[str, int]:
        value, end = py_scanstring(text, begin, strict)
        located = _Located(value)
        located.begin, located.end = begin, end - 1
        return located, end

    decoder.parse_string = parse_string
    decoder.scan_once = py_make_scanner(decoder)
    return decoder.decode(source)


def _code_cells(source: str, document: object) -> Iterator[Tuple[int, List[_Located], Optional[str]]]:
    """Of each cell of Python its number, its strings, and what separates two of them; ``None`` for no list of them."""
    if not isinstance(document, dict) or _language(document.get("metadata", {})) != "python":
        return
    for number, cell in enumerate(document.get("cells", ()), 1):
        if cell.get("cell_type") == "code" and cell.get("source"):
            lines: Union[_Located, List[_Located]] = cell["source"]
            strings = lines if isinstance(lines, list) else [lines]
            for string in strings:
                characters = _CHARACTER.finditer(source, string.begin, string.end)
                string.starts = [character.start() for character in characters]
            yield number, strings, None if strings[0] is lines else _separator(source, strings)


def _separator(source: str, strings: List[_Located]) -> str:
    if len(strings) > 1:
        return source[strings[0].end + 1 : strings[1].begin - 1]
    opening = source.rindex("[", 0, strings[0].begin) + 1
    return "," + source[opening : strings[0].begin - 1]


def _language(metadata: Dict[str, Any]) -> str:
    names = ((metadata.get("kernelspec") or {}).get("language"), (metadata.get("language_info") or {}).get("name"))
    return str(next(filter(None, names), "python")).lower()


def _without_magics(text: str) -> Tuple[str, List[Tuple[int, str]]]:
    """A cell with blanks in the places of magics, and what these were with their places."""
    if text.lstrip().startswith("%%") and not _PYTHON_CELL.match(text):
        return _blank(text), [(0, text)]
    lines, hidden = [], []
    offset, goes_on = 0, False
    for line in text.split("\n"):
        kept, start = (_blank(line), 0) if goes_on else _without_magic(line)
        goes_on = start is not None and line.endswith("\\")
        lines.append(kept)
        if start is not None:
            hidden.append((offset + start, line[start:]))
        offset += len(line) + 1
    return "\n".join(lines), hidden


def _without_magic(line: str) -> Tuple[str, Optional[int]]:
    """A line of Python in the place of another, and where in that begins what is none."""
    timed = _TIMED_LINE.match(line)
    if timed:
        # A statement before the one that is timed.
        return timed.group(1) + "0;".ljust(len(timed.group(2))) + line[timed.end() :], None
    assigned = _ASSIGNED_MAGIC.match(line)
    indent = assigned.end() if assigned else len(line) - len(line.lstrip())
    if assigned or _MAGIC_LINE.match(line) or _HELP_LINE.match(line):
        return line[:indent] + "0".ljust(len(line) - indent, "#"), indent
    return line, None


def _blank(text: str) -> str:
    """A text with the same lines and nothing in them but comments."""
    return re.sub(r"[^\n]", "#", text)
