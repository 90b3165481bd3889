"""A TF1 graph whose state is held by resources: what TF2 can hold outside of the graph.

TF1 made variables of reference type by default, and its first tables likewise; TF2 has neither. Each op on such a
reference has a twin that works on a resource. Here the twins take their places, reads where TF1 read, so that the rest
of the graph, and the names in it, stay as they are.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple

from unihub._graph.meta_graph import node_of
from unihub._graph.unsupported import NotUnderstood

_VARIABLES = frozenset({"Variable", "VariableV2"})

# The twin of each op that changes a variable, and how many tensors follow the variable.
_CHANGES: Dict[str, str] = {
    "Assign": "AssignVariableOp",
    "AssignAdd": "AssignAddVariableOp",
    "AssignSub": "AssignSubVariableOp",
    "ScatterAdd": "ResourceScatterAdd",
    "ScatterDiv": "ResourceScatterDiv",
    "ScatterMax": "ResourceScatterMax",
    "ScatterMin": "ResourceScatterMin",
    "ScatterMul": "ResourceScatterMul",
    "ScatterNdAdd": "ResourceScatterNdAdd",
    "ScatterNdSub": "ResourceScatterNdSub",
    "ScatterNdUpdate": "ResourceScatterNdUpdate",
    "ScatterSub": "ResourceScatterSub",
    "ScatterUpdate": "ResourceScatterUpdate",
}

# Ops on tables had their handles as references of strings before they had resources.
_TABLES = frozenset(
    {
        "HashTable",
        "InitializeTable",
        "InitializeTableFromTextFile",
        "LookupTableExport",
        "LookupTableFind",
        "LookupTableImport",
        "LookupTableInsert",
        "LookupTableSize",
        "MutableDenseHashTable",
        "MutableHashTable",
        "MutableHashTableOfTensors",
    }
)


class Resources(NamedTuple):
    """A graph in which all state is held by resources.

    Attributes:
        graph_def: The graph.
        values: For each node that gave a variable's reference, the node that gives its value.
    """

    graph_def: Any
    values: Dict[str, str]

    def value_of(self, tensor: str) -> str:
        """The tensor that has the value which another had in the graph of TF1."""
        node = node_of(tensor)
        return self.values[node] + ":0" if node in self.values else tensor


def use_resources(graph_def: Any) -> Resources:
    """Gives a graph resources in the place of references.

    Args:
        graph_def: A ``GraphDef`` of TensorFlow 1.

    Returns:
        A new graph; the same one if there is nothing to change.

    Raises:
        NotUnderstood: An op works on a variable's reference, and has no twin.
    """
    variables = {node.name: node for node in graph_def.node if node.op in _VARIABLES}
    if not variables and not any(node.op in _TABLES for node in graph_def.node):
        return Resources(graph_def, {})
    return _Rewriter(graph_def, variables).rewrite()


class _Rewriter:
    def __init__(self, graph_def: Any, variables: Dict[str, Any]) -> None:
        self._graph_def = graph_def
        # The variable behind each node that gives its reference: itself, and the ops that change it.
        self._references: Dict[str, Any] = dict(variables)
        changes = {node.name: node for node in graph_def.node if node.op in _CHANGES}
        for name in changes:
            variable = variables.get(_root_of(name, changes))
            if variable is not None:
                self._references[name] = variable
        self._result = type(graph_def)()

    def rewrite(self) -> Resources:
        self._result.versions.CopyFrom(self._graph_def.versions)
        self._result.library.CopyFrom(self._graph_def.library)
        for node in self._graph_def.node:
            self._rewrite_node(node)
        values = {name: self._add_read(name, "value", name, []) for name in self._references}
        return Resources(self._result, values)

    def _rewrite_node(self, node: Any) -> None:
        new = self._result.node.add()
        new.CopyFrom(node)
        if node.op in _TABLES:
            new.op += "V2"
        elif node.op in _VARIABLES:
            self._make_variable(new, node)
        elif node.op in _CHANGES and node.name in self._references:
            self._make_change(new, node)
        elif node.op == "IsVariableInitialized":
            new.op = "VarIsInitializedOp"
            new.attr.clear()
        else:
            self._read_references(new, 0)

    def _make_variable(self, new: Any, node: Any) -> None:
        new.op = "VarHandleOp"
        new.attr.clear()
        for attribute in ("container", "shape", "dtype"):
            new.attr[attribute].CopyFrom(node.attr[attribute])
        new.attr["shared_name"].s = node.attr["shared_name"].s or node.name.encode()

    def _make_change(self, new: Any, node: Any) -> None:
        variable = self._references[node.name]
        new.op = _CHANGES[node.op]
        new.attr.clear()
        new.attr["dtype"].CopyFrom(variable.attr["dtype"])
        if node.op.startswith("ScatterNd"):
            new.attr["T"].CopyFrom(new.attr["dtype"])
            del new.attr["dtype"]
        if node.op.startswith("Scatter"):
            new.attr["Tindices"].CopyFrom(node.attr["Tindices"])
        earlier = node_of(node.input[0])
        new.input[0] = variable.name
        if earlier != variable.name:
            new.input.append("^" + earlier)
        self._read_references(new, 1)

    def _read_references(self, new: Any, first: int) -> None:
        """Reads the variables among a node's inputs, when the node would have read them."""
        if new.op.startswith("Ref") and any(node_of(source) in self._references for source in new.input):
            raise NotUnderstood("{} ({}) passes on a reference to a variable.".format(new.name, new.op))
        waits = [source for source in new.input if source.startswith("^")]
        for index, source in enumerate(new.input):
            if index >= first and not source.startswith("^") and node_of(source) in self._references:
                new.input[index] = self._add_read(new.name, "read_{}".format(index), node_of(source), waits)

    def _add_read(self, reader: str, name: str, source: str, waits: List[str]) -> str:
        """Adds a node that reads the variable behind a node."""
        variable = self._references[source]
        read = self._result.node.add()
        read.name = "{}/{}_of_reference".format(reader, name)
        read.op = "ReadVariableOp"
        read.attr["dtype"].CopyFrom(variable.attr["dtype"])
        read.input.append(variable.name)
        # The output of an assignment is the value after it.
        read.input.extend(waits + (["^" + source] if source != variable.name else []))
        return str(read.name)


def _root_of(name: str, changes: Dict[str, Any]) -> str:
    """The node whose reference an op changes; an op may change what another gives."""
    while name in changes:
        name = node_of(changes[name].input[0])
    return name
