"""The mutants of a module: small changes of its source, each of which a test should notice.

Changes are made at source positions, so everything else in the file stays as it is. Some places are left alone, because
a change there has no effect or none that a test on one machine could see: decorators (mostly caches), messages of the
debug log, ``encoding=``, sizes of buffers, and ``return False``, which would become ``return None``.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Set, Tuple

# A range of bytes in the source, and what takes its place.
Edit = Tuple[int, int, str]

_COMPARISONS = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SIMPLE = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
_LOG = re.compile(r"_?log(ger)?\.debug\(")


@dataclass(frozen=True)
class Mutant:
    """One changed module.

    Attributes:
        module: The path of the module below the package, such as ``_resolve/cache``.
        line: The first line that differs.
        before: The changed lines as they were.
        after: The changed lines as they are now.
        source: The whole changed source.
    """

    module: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return "unihub/{}.py:{}  {}  ->  {}".format(self.module, self.line, self.before, self.after)


def of_module(module: str, source: str) -> List[Mutant]:
    """All mutants of a module, in the order of its lines; ``choose`` leaves out those that Python cannot compile."""
    edits = sorted(set(_Finder(source).edits()))
    return [_apply(module, source, edit) for edit in edits]


def choose(mutants: List[Mutant], count: int, seed: int) -> List[Mutant]:
    """Picks mutants at random; all of them if ``count`` is 0.

    The choice depends on the changed lines only, so that an edit elsewhere in the module does not shuffle it.
    """
    seen: Dict[Tuple[str, str], int] = {}
    ranked = []
    for mutant in mutants:
        change = (mutant.before, mutant.after)
        seen[change] = seen.get(change, 0) + 1
        rank = hashlib.sha256(repr((seed, change, seen[change])).encode()).hexdigest()
        ranked.append((rank, mutant))
    valid = (mutant for _, mutant in sorted(ranked, key=lambda pair: pair[0]) if _compiles(mutant.source))
    return sorted(itertools.islice(valid, count or None), key=lambda mutant: mutant.line)


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _apply(module: str, source: str, edit: Edit) -> Mutant:
    start, end, text = edit
    data = source.encode()
    changed = (data[:start] + text.encode() + data[end:]).decode()
    first = data.count(b"\n", 0, start)
    last = data.count(b"\n", 0, end)
    tail = len(source.splitlines()) - last
    before, after = source.splitlines(), changed.splitlines()
    lines = before[first : last + 1], after[first : len(after) - tail + 1]
    return Mutant(module, first + 1, *(" ".join(" ".join(part).split()) for part in lines), source=changed)


def _ends_of(body: List[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements after which a function, or one turn of a loop, ends in any case."""
    last = body[-1]
    yield last
    if isinstance(last, ast.If):
        yield from _ends_of(last.body)
        if last.orelse:
            yield from _ends_of(last.orelse)
    elif isinstance(last, ast.Try) and not last.finalbody:
        for part in [last.body if not last.orelse else last.orelse, *(handler.body for handler in last.handlers)]:
            yield from _ends_of(part)


class _Finder(ast.NodeVisitor):
    """Finds the places where a source can be changed."""

    def __init__(self, source: str) -> None:
        self._data = source.encode()
        self._tree = ast.parse(source)
        self._starts = [0]
        for line in self._data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._found: List[Edit] = []
        self._ends: Set[ast.stmt] = set()

    def edits(self) -> List[Edit]:
        """All changes of single places."""
        self.visit(self._tree)
        return self._found

    # Where something is.

    def _start(self, node: ast.AST) -> int:
        return self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]

    def _end(self, node: ast.AST) -> int:
        return self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def _text(self, node: ast.AST) -> str:
        return self._data[self._start(node) : self._end(node)].decode()

    def _replace(self, node: ast.AST, text: str) -> None:
        self._found.append((self._start(node), self._end(node), text))

    def _insert(self, place: int, text: str) -> None:
        self._found.append((place, place, text))

    def _replace_between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> None:
        start, end = self._end(left), self._start(right)
        between = self._data[start:end].decode()
        word = re.search(r"\s+".join(re.escape(part) for part in old.split()), between)
        if word:
            before = len(between[: word.start()].encode())
            self._found.append((start + before, start + before + len(word.group().encode()), new))

    # What is changed.

    def generic_visit(self, node: ast.AST) -> None:
        """Leaves out annotations and decorators."""
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    self.visit(child)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:]):
            old, changes = _COMPARISONS[type(operator)]
            for new in changes:
                self._replace_between(left, right, old, new)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:]):
            self._replace_between(left, right, old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._found.append((self._start(node), self._start(node) + len("not "), ""))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value))
        elif isinstance(node.value, int):
            self._replace(node, "({} + 1)".format(self._text(node)))
            self._replace(node, "({} - 1)".format(self._text(node)))

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Powers of two, such as ``2**20`` and ``1 << 18``, are sizes of buffers: about as much does as well."""
        operands = (node.left, node.right)
        is_size = isinstance(node.op, (ast.Pow, ast.LShift)) and all(
            isinstance(each, ast.Constant) for each in operands
        )
        if not is_size:
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Positions in formatted strings are those of the whole string in older Pythons."""

    def _visit_test(self, node: ast.If | ast.While | ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def _negate(self, test: ast.expr) -> None:
        if isinstance(test, _SIMPLE):
            self._insert(self._start(test), "not ")

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in self._text(node.test):
            self._visit_test(node)

    visit_IfExp = _visit_test

    def visit_Expr(self, node: ast.Expr) -> None:
        text = self._text(node)
        if isinstance(node.value, ast.Constant) or _LOG.match(text):
            return
        if not isinstance(node.value, (ast.Yield, ast.YieldFrom)):
            self._replace(node, "pass")
        self.generic_visit(node)

    def _visit_removable(self, node: ast.stmt) -> None:
        if node not in self._ends or not isinstance(node, ast.Continue):
            self._replace(node, "pass")
        self.generic_visit(node)

    visit_AugAssign = visit_Continue = visit_Break = visit_Delete = _visit_removable

    def visit_Raise(self, node: ast.Raise) -> None:
        # Methods that each subclass overrides.
        if self._text(node) != "raise NotImplementedError":
            self._visit_removable(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._ends.update(_ends_of(node.body))
        self.generic_visit(node)

    def _visit_loop(self, node: ast.For | ast.While) -> None:
        self._ends.update(each for each in _ends_of(node.body) if isinstance(each, ast.Continue))
        self.generic_visit(node)

    visit_For = _visit_loop

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self._visit_loop(node)

    def visit_Return(self, node: ast.Return) -> None:
        value = node.value
        if value is None or (isinstance(value, ast.Constant) and value.value is None):
            if node not in self._ends:
                self._replace(node, "pass")
        # Callers mostly ask whether a value is false, which None is too.
        elif self._text(value) not in ("False", '""', "[]", "()", "{}"):
            self._replace(node, "return None")
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        bounds = node.slice
        if isinstance(bounds, ast.Slice):
            for bound in (bounds.lower, bounds.upper):
                if bound is not None and not isinstance(bound, ast.Constant):
                    self._insert(self._end(bound), " + 1")
            if bounds.lower is None:
                self._insert(self._end(node.value) + 1, "1")
            if bounds.upper is None and bounds.step is None:
                self._insert(self._end(node) - 1, "-1")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if self._text(node.func) == "TypeVar":
            return
        if isinstance(node.func, ast.Name) and node.func.id in _SWAPPED:
            self._replace(node.func, _SWAPPED[node.func.id])
        for start, end in self._keywords(node):
            self._found.append((start, end, ""))
        self.generic_visit(node)

    def _keywords(self, node: ast.Call) -> Iterator[Tuple[int, int]]:
        """The keyword arguments, each with the comma before it, or behind it where it is the first argument."""
        parts: List[ast.AST] = sorted([*node.args, *node.keywords], key=self._start)
        for index, part in enumerate(parts):
            if not isinstance(part, ast.keyword) or part.arg in (None, "encoding"):
                continue
            if index:
                yield self._end(parts[index - 1]), self._end(part)
            else:
                following = parts[1] if len(parts) > 1 else None
                yield self._start(part), self._start(following) if following else self._end(part)
