"""Find unsafe ops anywhere in the file of a model: in each of its graphs and functions.

Forged files are read as TensorFlow reads them: a message that occurs twice counts twice, and lengths may be overlong.
Whether an op belongs to the model's own saver, or reads its own assets, depends on the graph around it, never on its
name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import (
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Optional,
    Set,
    Tuple,
)

from unihub._saved_model import keras_lambda
from unihub._saved_model.byte_search import at, find_unsafe_ops, finder, positions_of
from unihub._saved_model.call_ops import CALLS
from unihub._saved_model.scanned_graph import (
    Body,
    Keeper,
    Node,
    attributes,
    functions_of,
    lists_functions,
    once,
    text_of,
    texts_of_attribute,
)
from unihub._saved_model.unsafe_ops import UNSAFE_OPS, Rule
from unihub._saved_model.wire import Message, WireError

GRAPH = "graph"

# Ops that return the path of their first input, and ops that make a path of that input and more.
_SAME = ("Identity", "ExpandDims", "Reshape", "Squeeze", "StridedSlice")
_JOINS = ("StringJoin", "ShardedFilename")
_CHOICES = ("Select", "SelectV2")
_PLACEHOLDERS = ("Placeholder", "PlaceholderWithDefault")
_MAX_STEPS = 64


@dataclass(frozen=True)
class UnsafeOp:
    """An op of a model that does more than compute.

    Attributes:
        op: The type of the op; ``Lambda`` for a Keras layer of that class.
        node: The name of its node.
        where: ``graph``, or the name of the function it is in.
        reason: What it does.
    """

    op: str
    node: str
    where: str
    reason: str

    def __str__(self) -> str:
        where = "the graph" if self.where == GRAPH else self.where
        return "{} {} ({}, in {})".format(self.op, self.reason, self.node, where)


def find(meta_graph: Message) -> Tuple[UnsafeOp, ...]:
    """The unsafe ops of one variant of a model.

    Args:
        meta_graph: Its ``MetaGraphDef``.

    Returns:
        The ops in the order of the file.
    """
    hits = positions_of(meta_graph, find_unsafe_ops)
    unsafe_ops = list(_Judge(meta_graph, hits).unsafe()) if hits != [] else []
    for objects in meta_graph.messages("object_graph_def"):
        unsafe_ops += [UnsafeOp(*layer) for layer in keras_lambda.in_object_graph(objects)]
    return tuple(dict.fromkeys(unsafe_ops))


class _Judge(Keeper):
    """One variant of a model, and which of its ops are harmless."""

    def __init__(self, message: Message, hits: Optional[List[int]]) -> None:
        super().__init__()
        self._message = message
        self._hits = hits
        self._uses: Dict[str, Tuple[Optional[List[Tuple[Body, Node]]], Optional[List[int]]]] = {}
        self._graph = Body(GRAPH, "node", message.messages("graph_def"))
        self._libraries = [library for graph in message.messages("graph_def") for library in graph.messages("library")]

    def unsafe(self) -> Iterator[UnsafeOp]:
        """The unsafe ops that are not harmless in this graph."""
        for body in self._bodies(self._hits):
            for node in map(Node, body.messages(self._hits)):
                for op in node.ops:
                    rule = UNSAFE_OPS.get(op)
                    if rule is not None and not self._is_harmless(body, node, rule):
                        yield UnsafeOp(op, node.name, body.name, rule.reason)

    def _bodies(self, positions: Optional[List[int]]) -> Iterator[Body]:
        """The graph, and the functions that contain one of the positions."""
        yield self._graph
        for function in at(self._functions(), positions):
            yield Body(function.message("signature").text("name"), "node_def", [function])

    @once
    def _functions(self) -> List[Message]:
        return [function for library in self._libraries for function in library.messages("function")]

    def _is_harmless(self, body: Body, node: Node, rule: Rule) -> bool:
        if node.op == "":
            return False
        if rule.attribute:
            return not any(text.startswith(rule.starts) for text in texts_of_attribute(node, rule.attribute) if text)
        if rule.switch is not None:
            return self._constant(body, node.data[rule.switch :]) == ""
        target = _Saver(self) if rule.is_saver else _Assets(self)
        return bool(rule.path) and self._all_lead(body, node, rule.path, target)

    # Where a path comes from.

    def _all_lead(self, body: Body, node: Node, indices: Iterable[int], target: _Target) -> bool:
        """Whether the inputs at these indices can only be files of the target."""
        inputs = node.data
        if not target.allows(body, node):
            return False
        return all(index < len(inputs) and self._leads(body, inputs[index], target, _MAX_STEPS) for index in indices)

    def _leads(self, body: Body, text: str, target: _Target, steps: int) -> bool:
        name = text.split(":")[0]
        if steps <= 0 or text.startswith("^"):
            return False
        if body is not self._graph and name in body.arguments():
            return self._argument_leads(body, body.arguments().index(name), target, steps - 1)
        node = body.nodes().get(name)
        if node is None:
            return False
        if body is self._graph and target.is_source(node):
            return True
        if node.op == "ReadVariableOp":
            paths = self._assigned(body, node)
            return bool(paths) and all(self._leads(body, each, target, steps - 1) for each in paths)
        if node.op in _SAME:
            return bool(node.data) and self._leads(body, node.data[0], target, steps - 1)
        if node.op == "Pack":
            return all(self._leads(body, each, target, steps - 1) for each in node.data)
        if node.op in _JOINS:
            first, more = node.data[:1], node.data[1:]
            ends = more if node.op == "StringJoin" else []
            is_first = bool(first) and self._leads(body, first[0], target, steps - 1)
            return is_first and all(self._is_end(body, each, steps - 1) for each in ends)
        return False

    def _assigned(self, body: Body, read: Node) -> List[str]:
        """The possible values of a variable, if all are certain; TensorFlow 2 keeps an asset's path in one for TF1."""
        handle = body.nodes().get(read.data[0]) if read.data else None
        if body is not self._graph or handle is None or handle.op != "VarHandleOp" or self._hides_variables():
            return []
        name = list(texts_of_attribute(handle, "shared_name"))
        handles = [node for node in body.nodes().values() if node.op == "VarHandleOp"]
        if not name or [node for node in handles if list(texts_of_attribute(node, "shared_name")) == name] != [handle]:
            return []
        uses = [node for node in body.nodes().values() if handle.name in map(_node_of, node.data)]
        if any(node.op not in ("ReadVariableOp", "AssignVariableOp", "VarIsInitializedOp") for node in uses):
            return []
        return [node.data[1] for node in uses if node.op == "AssignVariableOp" and len(node.data) == 2]

    @once
    def _hides_variables(self) -> bool:
        """Whether a function may access a variable by its name alone."""
        positions = positions_of(self._message, finder("VarHandleOp"))
        return any(True for _ in at(self._functions(), positions))

    def _is_end(self, body: Body, text: str, steps: int) -> bool:
        """Whether a suffix cannot lead a path out of its directory."""
        node = body.nodes().get(text.split(":")[0])
        if steps > 0 and node is not None and node.op in _CHOICES:
            return all(self._is_end(body, each, steps - 1) for each in node.data[1:])
        value = self._constant(body, [text])
        return value is not None and ".." not in value

    def _constant(self, body: Body, texts: List[str]) -> Optional[str]:
        """The value of an input that is a constant string."""
        node = body.nodes().get(texts[0].split(":")[0]) if texts else None
        if node is None or node.op != "Const" or (body is not self._graph and node.name in body.arguments()):
            return None
        values = [value for key, value in attributes(node) if key == "value"]
        tensors = [tensor for value in values for tensor in value.messages("tensor")]
        constants = [text_of(part) for tensor in tensors for part in tensor.messages("string_val")]
        return constants[0] if len(constants) == 1 and len(values) == 1 else None

    def _argument_leads(self, body: Body, index: int, target: _Target, steps: int) -> bool:
        """The same for an input of a function: every caller must pass such a file."""
        if body.name not in self._uses:
            positions = positions_of(self._message, finder(body.name))
            self._uses[body.name] = self._calls(body.name, positions), self._bound_inputs(body.name, positions)
        calls, bound = self._uses[body.name]
        if calls is None or (not calls and bound is None):
            return False
        if bound is not None and not target.is_bound(bound, index - len(body.arguments()) + len(bound)):
            return False
        return all(
            target.allows(caller, node)
            and len(node.data) > index
            and self._leads(caller, node.data[index], target, steps)
            for caller, node in calls
        )

    def _calls(self, name: str, positions: Optional[List[int]]) -> Optional[List[Tuple[Body, Node]]]:
        """The calls of a function; ``None`` if it is used in another way, such as the body of a loop."""
        callers: List[Tuple[Body, Node]] = []
        for body in self._bodies(positions):
            for node in map(Node, body.messages(positions)):
                used = list(functions_of(node))
                if node.op == name or (node.op in CALLS and used == [("f", name)]):
                    callers.append((body, node))
                elif name in [function for _, function in used] or lists_functions(node):
                    return None
        return callers

    # What the model says of itself.

    def _bound_inputs(self, name: str, positions: Optional[List[int]]) -> Optional[List[int]]:
        """The objects that a concrete function captures; ``None`` if it is not in the object graph."""
        entries = at(self._concrete_functions(), positions)
        matching = [entry for entry in entries if entry.text("key") == name]
        return matching[-1].message("value").repeated_numbers("bound_inputs") if matching else None

    @once
    def _concrete_functions(self) -> List[Message]:
        graphs = self._message.messages("object_graph_def")
        return [entry for objects in graphs for entry in objects.messages("concrete_functions")]

    @once
    def asset_tensors(self) -> FrozenSet[str]:
        """The nodes with the paths of the model's own assets."""
        named = [(_node_of(asset.message("tensor_info").text("name")), asset) for asset in self._assets()]
        return frozenset(name for name, _ in named) - self.other_files()

    @once
    def other_files(self) -> FrozenSet[str]:
        """The nodes of assets whose files are outside the model."""
        others = [asset for asset in self._assets() if not _is_own_file(asset)]
        tensors = [tensor for asset in others for tensor in asset.messages("tensor_info")]
        return frozenset(_node_of(name) for tensor in tensors for name in tensor.texts("name"))

    @once
    def asset_objects(self) -> FrozenSet[int]:
        """The numbers of the objects for the model's own assets."""
        assets = list(self._message.messages("asset_file_def"))
        objects_of_assets = set()
        for objects in self._message.messages("object_graph_def"):
            for number, node in enumerate(objects.messages("nodes")):
                for asset in node.messages("asset"):
                    index = asset.number("asset_file_def_index")
                    if index < len(assets) and _is_own_file(assets[index]):
                        objects_of_assets.add(number)
        return frozenset(objects_of_assets)

    def _assets(self) -> Iterator[Message]:
        yield from self._message.messages("asset_file_def")
        for entry in self._message.messages("collection_def"):
            if entry.text("key") == "saved_model_assets":
                for item in entry.message("value").message("any_list").messages("value"):
                    yield item.message("value").read_as("AssetFileDef")

    @once
    def saver_tensors(self) -> FrozenSet[str]:
        """The node with the checkpoint's path."""
        return frozenset(_node_of(saver.text("filename_tensor_name")) for saver in self._message.messages("saver_def"))

    @once
    def called(self) -> FrozenSet[str]:
        """The nodes of the graph that run when a signature is called."""
        return self._behind(self._signature_tensors(only_calls=True))

    @once
    def running(self) -> FrozenSet[str]:
        """The nodes of the graph that run when the model is loaded or called, where the loader names no file."""
        return self._behind(list(self._signature_tensors()) + list(self._collected()))

    @once
    def inputs(self) -> FrozenSet[str]:
        """The nodes of the graph that are fed when a signature is called."""
        signatures = [entry.message("value") for entry in self._message.messages("signature_def")]
        fed = [each.message("value") for signature in signatures for each in signature.messages("inputs")]
        return frozenset(_node_of(name) for tensor in fed for name in _names_of(tensor))

    def _behind(self, tensors: Iterable[str]) -> FrozenSet[str]:
        nodes = self._graph.nodes()
        open_names = [_node_of(tensor) for tensor in tensors]
        seen: Set[str] = set(open_names)
        for name in open_names:
            for text in nodes[name].inputs if name in nodes else ():
                source = _node_of(text.lstrip("^"))
                if source not in seen:
                    seen.add(source)
                    open_names.append(source)
        return frozenset(seen)

    def _signature_tensors(self, only_calls: bool = False) -> Iterator[str]:
        for entry in self._message.messages("signature_def"):
            if only_calls and entry.text("key").startswith("__saved_model_"):
                continue
            for output in entry.message("value").messages("outputs"):
                yield from _names_of(output.message("value"))

    def _collected(self) -> Iterator[str]:
        """The nodes in the graph's collections: initializers, update ops, losses."""
        for entry in self._message.messages("collection_def"):
            value = entry.message("value")
            yield from value.message("node_list").texts("value")
            if entry.text("key") != "savers":
                for item in value.message("bytes_list").messages("value"):
                    yield from _names_in_variable(item.read_as("VariableDef"))


class _Target:
    """A kind of file that a model may use safely."""

    def __init__(self, judge: _Judge) -> None:
        self._judge = judge

    def allows(self, body: Body, node: Node) -> bool:
        """Whether a node that takes such a path is harmless in its place."""
        raise NotImplementedError

    def is_source(self, node: Node) -> bool:
        """Whether a node of the graph is the path of such a file."""
        raise NotImplementedError

    def is_bound(self, bound: List[int], index: int) -> bool:
        """Whether what a function captures at an index is such a file."""
        raise NotImplementedError


class _Saver(_Target):
    """The checkpoint of the model, whose path the caller passes when saving or restoring."""

    def allows(self, body: Body, node: Node) -> bool:
        return body.name != GRAPH or node.name not in self._judge.running()

    def is_source(self, node: Node) -> bool:
        return node.name in self._judge.saver_tensors() or node.op in _PLACEHOLDERS

    def is_bound(self, bound: List[int], index: int) -> bool:
        return False


class _Assets(_Target):
    """The files in ``assets/``. A constant holds such a path only during initialization, when it is fed."""

    def __init__(self, judge: _Judge) -> None:
        super().__init__(judge)
        self._is_called = False

    def allows(self, body: Body, node: Node) -> bool:
        self._is_called = self._is_called or (body.name == GRAPH and node.name in self._judge.called())
        return True

    def is_source(self, node: Node) -> bool:
        if node.op == "Placeholder" and node.name not in self._judge.inputs() | self._judge.other_files():
            # Only a caller who feeds it chooses the file, not the author of the model.
            return True
        return node.name in self._judge.asset_tensors() and not self._is_called

    def is_bound(self, bound: List[int], index: int) -> bool:
        return 0 <= index < len(bound) and bound[index] in self._judge.asset_objects()


def _is_own_file(asset: Message) -> bool:
    """Whether the name of an asset stays in the model's own directory."""
    names = list(asset.texts("filename"))
    parts = [part for name in names for part in re.split(r"[/\\]", name)]
    return len(names) == 1 and asset.count("tensor_info") == 1 and ".." not in parts and parts[0] != ""


def _node_of(tensor: str) -> str:
    return tensor.split(":")[0]


def _names_of(tensor: Message) -> Iterator[str]:
    """The tensors of an output of a signature."""
    yield from tensor.texts("name")
    for sparse in tensor.messages("coo_sparse"):
        for field in ("values_tensor_name", "indices_tensor_name", "dense_shape_tensor_name"):
            yield from sparse.texts(field)
    for composite in tensor.messages("composite_tensor"):
        for part in composite.messages("components"):
            yield from _names_of(part)


def _names_in_variable(variable: Message) -> Iterator[str]:
    try:
        for field in ("initializer_name", "snapshot_name", "initial_value_name"):
            yield from list(variable.texts(field))
    except WireError:  # The items of some collections are other messages.
        return
