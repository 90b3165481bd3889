"""A parsed program: its nodes, and for each where it stands, what is around it and what its names mean."""

from __future__ import annotations

import bisect
import re
import threading
from typing import TYPE_CHECKING, Iterator, List, Optional, Sequence, Tuple, Type, TypeVar, Union

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider, ScopeProvider

if TYPE_CHECKING:
    from libcst.metadata import Scope

_N = TypeVar("_N", bound=cst.CSTNode)

# Python's own lines; str.splitlines() knows more ways to end one.
_NEWLINE = re.compile(r"\r\n|\r|\n")
# The native parser of libcst tells the place in its message only.
_POSITION = re.compile(r"error at (\d+):")
# The native parser ends the process where its stack is at its end, which deeply nested programs reach soon.
_STACK_BYTES = 256 * 1024 * 1024
_STACK = threading.Lock()
_TOO_DEEP = "it is nested too deeply"


class Program:
    """A program in one text.

    Attributes:
        text: The source.
        nodes: All nodes, in the order of the text.
    """

    def __init__(self, text: str) -> None:
        module = _parse(text)
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self.text = text
        self.nodes: List[cst.CSTNode] = list(_walk(module))
        self._newline = module.default_newline
        self._lines = [0] + [newline.end() for newline in _NEWLINE.finditer(text)]
        try:
            if module.code != text:
                raise SyntaxError("it cannot be parsed without loss")
            self._positions = wrapper.resolve(PositionProvider)
            self._parents = wrapper.resolve(ParentNodeProvider)
            self._scopes = wrapper.resolve(ScopeProvider)
        except RecursionError:
            raise SyntaxError(_TOO_DEEP) from None

    def all(self, kind: Type[_N]) -> Iterator[_N]:
        """The nodes of a kind."""
        return (node for node in self.nodes if isinstance(node, kind))

    @property
    def scopes(self) -> Sequence[Scope]:
        """All scopes; each once."""
        return list({id(scope): scope for scope in self._scopes.values() if scope is not None}.values())

    def scope(self, node: cst.CSTNode) -> Scope:
        """The scope in which a node stands."""
        scope = self._scopes.get(node)
        while scope is None:
            node = self._parents[node]
            scope = self._scopes.get(node)
        return scope

    def parent(self, node: cst.CSTNode) -> Optional[cst.CSTNode]:
        """The node around another one."""
        return self._parents.get(node)

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """All nodes around another one, the innermost first."""
        outer = self.parent(node)
        while outer is not None:
            yield outer
            outer = self.parent(outer)

    def start(self, node: cst.CSTNode) -> int:
        """Where a node begins."""
        position = self._positions[node].start
        return self._lines[position.line - 1] + int(position.column)

    def end(self, node: cst.CSTNode) -> int:
        """Where a node ends."""
        position = self._positions[node].end
        return self._lines[position.line - 1] + int(position.column)

    def source(self, node: cst.CSTNode) -> str:
        """The text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def line_and_column(self, offset: int) -> Tuple[int, int]:
        """The line and the column of an offset, both from 1."""
        line = bisect.bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins."""
        return self._lines[bisect.bisect_right(self._lines, offset) - 1]

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends, before what ends it."""
        newline = _NEWLINE.search(self.text, offset)
        return newline.start() if newline else len(self.text)

    def newline(self, offset: int) -> str:
        """How the line of an offset ends, or else the others do."""
        newline = _NEWLINE.search(self.text, offset)
        return newline.group() if newline else str(self._newline)

    def next_line(self, offset: int) -> int:
        """Where the line after that of an offset begins."""
        newline = _NEWLINE.search(self.text, offset)
        return newline.end() if newline else len(self.text)


def is_valid(text: str) -> bool:
    """Whether a text is a program."""
    try:
        _parse(text)
    except SyntaxError:
        return False
    return True


def _parse(text: str) -> cst.Module:
    outcome: List[Union[cst.Module, Exception]] = []

    def parse() -> None:
        try:
            outcome.append(cst.parse_module(text))
        # Whatever it is has to be raised in the thread that asked.
        except Exception as exc:
            outcome.append(exc)

    with _STACK:
        before = threading.stack_size(_STACK_BYTES)
        thread = threading.Thread(target=parse)
        thread.start()
        threading.stack_size(before)
    thread.join()
    (result,) = outcome
    if isinstance(result, cst.ParserSyntaxError):
        position = _POSITION.search(result.message)
        line = int(position.group(1)) if position else result.raw_line
        raise SyntaxError("it is not valid Python", (None, line, 1, None)) from result
    if isinstance(result, RecursionError):
        raise SyntaxError(_TOO_DEEP) from result
    if isinstance(result, Exception):
        raise SyntaxError("it cannot be parsed: {}".format(result)) from result
    return result


def _walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.children))
