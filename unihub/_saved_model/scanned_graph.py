"""The nodes of a graph and of its functions, read from the file one by one, as TensorFlow reads them."""

from __future__ import annotations

import functools
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Tuple, TypeVar, cast

from unihub._saved_model.byte_search import at
from unihub._saved_model.wire import Message

_S = TypeVar("_S", bound="Keeper")
_T = TypeVar("_T")


class Keeper:
    """An object that keeps the results of its methods that are marked with ``once``."""

    def __init__(self) -> None:
        self.kept: Dict[str, object] = {}


def once(method: Callable[[_S], _T]) -> Callable[[_S], _T]:
    """Keep what a method without arguments returns, as long as its object lives."""

    @functools.wraps(method)
    def kept(self: _S) -> _T:
        if method.__name__ not in self.kept:
            self.kept[method.__name__] = method(self)
        return cast(_T, self.kept[method.__name__])

    return kept


class Node(Keeper):
    """A node; its op and inputs are read on first use, because most nodes only need their names."""

    def __init__(self, message: Message) -> None:
        super().__init__()
        self.message = message
        (names,) = message.all_texts("name")
        self.name = names[-1] if names else ""

    @property
    def ops(self) -> List[str]:
        """All values of the field; TensorFlow uses the last, and only a forged node has several."""
        return self._texts()[0]

    @property
    def op(self) -> str:
        return self.ops[0] if len(self.ops) == 1 else ""

    @property
    def inputs(self) -> List[str]:
        return self._texts()[1]

    @property
    def data(self) -> List[str]:
        """Its inputs without control dependencies."""
        return [text for text in self.inputs if not text.startswith("^")]

    @once
    def _texts(self) -> List[List[str]]:
        return self.message.all_texts("op", "input")


class Body(Keeper):
    """The nodes of the graph or of a function."""

    def __init__(self, name: str, field: str, parts: Iterable[Message]) -> None:
        super().__init__()
        self.name = name
        self._field = field
        self._parts = list(parts)

    def messages(self, positions: Optional[List[int]] = None) -> Iterable[Message]:
        """All nodes, not read yet; or those that contain one of the positions."""
        return at(self._all(), positions)

    @once
    def _all(self) -> List[Message]:
        return [node for part in self._parts for node in part.messages(self._field)]

    @once
    def nodes(self) -> Dict[str, Node]:
        """All nodes by name."""
        return {node.name: node for node in map(Node, self.messages())}

    @once
    def arguments(self) -> List[str]:
        """The names of a function's inputs."""
        signatures = [signature for part in self._parts for signature in part.messages("signature")]
        return [argument.text("name") for signature in signatures for argument in signature.messages("input_arg")]


def attributes(node: Node) -> Iterator[Tuple[str, Message]]:
    for entry in node.message.messages("attr"):
        for key in entry.texts("key"):
            for value in entry.messages("value"):
                yield key, value


def texts_of_attribute(node: Node, name: str) -> Iterator[str]:
    for key, value in attributes(node):
        if key == name:
            for part in value.messages("s"):
                yield text_of(part)
            for listed in value.messages("list"):
                for part in listed.messages("s"):
                    yield text_of(part)


def text_of(part: Message) -> str:
    return part.source.read(part.start, part.end).decode("utf-8", "replace")


def functions_of(node: Node) -> Iterator[Tuple[str, str]]:
    """The functions that a node names, by the attributes."""
    for key, value in attributes(node):
        for function in value.messages("func"):
            yield key, function.text("name")


def lists_functions(node: Node) -> bool:
    return any(value.has("list") for _, value in attributes(node))
