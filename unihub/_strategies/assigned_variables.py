"""Which variables of a TF2 SavedModel its own functions assign to.

A function gets its variables as its last inputs, and hands them on to the functions it calls, so an assignment is
followed back through the calls to the input it came by.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Set, Tuple

from unihub._saved_model.call_ops import BRANCHES
from unihub._tf import packages, saved_model
from unihub._tf.types import FunctionDef, Message, MetaGraphDef, NodeDef, TfDType, TfShape

# Name, dtype and shape identify a variable while it is created.
Key = Tuple[Optional[str], str, Optional[Tuple[Optional[int], ...]]]

_WRITES = ("AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp", "ResourceStridedSliceAssign")
_WRITING_FAMILIES = ("ResourceApply", "ResourceScatter", "ResourceSparseApply")


def find(path: str, tags: Iterable[str]) -> FrozenSet[Key]:
    """The keys of the variables that functions of a SavedModel assign to.

    Args:
        path: The directory of the model.
        tags: The variant.
    """
    meta_graphs = [each for each in saved_model.read_meta_graphs(path) if set(each.meta_info_def.tags) == set(tags)]
    return frozenset(key for meta_graph in meta_graphs[:1] for key in _find_in(meta_graph))


def _find_in(meta_graph: MetaGraphDef) -> Iterator[Key]:
    functions = _Functions(meta_graph.graph_def.library)
    nodes = meta_graph.object_graph_def.nodes
    for name, described in meta_graph.object_graph_def.concrete_functions.items():
        first = functions.count_inputs(name) - len(described.bound_inputs)
        for index in functions.assigned(name):
            if index >= first and nodes[described.bound_inputs[index - first]].WhichOneof("kind") == "variable":
                variable = nodes[described.bound_inputs[index - first]].variable
                yield key_of(variable.name, variable.dtype, variable.shape)


def key_of(name: Optional[str], dtype: TfDType, shape: TfShape) -> Key:
    """The key of a variable, from its dtype and shape in any form that TensorFlow takes."""
    tf = packages.import_tensorflow()
    known = tf.TensorShape(shape)
    return name, tf.as_dtype(dtype).name, None if known.rank is None else tuple(known)


class _Functions:
    """The functions of a library, and which of their inputs they assign to."""

    def __init__(self, library: Message) -> None:
        self._functions = {function.signature.name: function for function in library.function}
        self._assigned: Dict[str, FrozenSet[int]] = {}

    def count_inputs(self, name: str) -> int:
        return len(self._functions[name].signature.input_arg) if name in self._functions else 0

    def assigned(self, name: str) -> FrozenSet[int]:
        """The positions of the inputs that a function assigns to, itself or in the functions it calls."""
        if name not in self._assigned:
            self._assigned[name] = frozenset()  # For one that calls itself.
            if name in self._functions:
                self._assigned[name] = frozenset(self._read(self._functions[name]))
        return self._assigned[name]

    def _read(self, function: FunctionDef) -> Set[int]:
        positions = {argument.name: index for index, argument in enumerate(function.signature.input_arg)}
        same = {node.name: node.input[0] for node in function.node_def if node.op == "Identity" and node.input}
        assigned = set()
        for node in function.node_def:
            for index in self._assigned_by(node):
                source = _node_of(node.input[index]) if index < len(node.input) else ""
                while source in same:
                    source = _node_of(same[source])
                if source in positions:
                    assigned.add(positions[source])
        return assigned

    def _assigned_by(self, node: NodeDef) -> Iterable[int]:
        """The positions of the inputs that a node assigns to."""
        if node.op in _WRITES:
            return (0,)
        if node.op.startswith(_WRITING_FAMILIES):
            return range(len(node.input))
        # The first input of these is the choice, which no function gets.
        shift = 1 if node.op in BRANCHES else 0
        return {index + shift for name in self._called_by(node) for index in self.assigned(name)}

    def _called_by(self, node: NodeDef) -> List[str]:
        names = [node.op] if node.op in self._functions else []
        for attribute in node.attr.values():
            kind = attribute.WhichOneof("value")
            if kind == "func":
                names.append(attribute.func.name)
            elif kind == "list":
                names += [function.name for function in attribute.list.func]
        return names


def _node_of(name: str) -> str:
    return name.split(":")[0]
