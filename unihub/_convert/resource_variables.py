"""Rewrite a TF1 graph so that resources hold its state, which TF2 can keep outside of the graph.

TF1 makes variables of reference type by default, and so did its first tables. TF2 has neither. Each op on such a
reference has a counterpart that works on a resource. The counterparts replace the ops, with reads where TF1 read, so
the rest of the graph and its names stay the same.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple

from unihub._graph.meta_graph import node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._tf.types import GraphDef, NodeDef

_VARIABLES = frozenset({"Variable", "VariableV2"})

# The counterpart of each op that changes a variable.
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

# Ops on tables that refer to the table by a string; those that end with V2 take a resource.
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
    """A graph whose state is all in resources.

    Attributes:
        graph_def: The graph.
        values: The node that reads the variable, by each node whose output was the variable's reference.
    """

    graph_def: GraphDef
    values: Dict[str, str]

    def value_of(self, tensor: str) -> str:
        """The tensor with the value that a tensor has in the TF1 graph."""
        node = node_of(tensor)
        return self.values[node] + ":0" if node in self.values else tensor


def use_resources(graph_def: GraphDef) -> Resources:
    """Replace the references in a graph by resources.

    Args:
        graph_def: A ``GraphDef`` of TensorFlow 1.

    Returns:
        A new graph; the same one if there is nothing to change.

    Raises:
        NotUnderstood: An op that takes a variable's reference has no counterpart.
    """
    variables = {node.name: node for node in graph_def.node if node.op in _VARIABLES}
    if not variables and not any(node.op in _TABLES for node in graph_def.node):
        return Resources(graph_def, {})
    return _Rewriter(graph_def, variables).rewrite()


class _Rewriter:
    def __init__(self, graph_def: GraphDef, variables: Dict[str, NodeDef]) -> None:
        self._graph_def = graph_def
        # The variable by each node whose output is its reference: the variable itself, and the ops that change it.
        self._references: Dict[str, NodeDef] = dict(variables)
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

    def _rewrite_node(self, node: NodeDef) -> None:
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

    def _make_variable(self, new: NodeDef, node: NodeDef) -> None:
        new.op = "VarHandleOp"
        new.attr.clear()
        for attribute in ("container", "shape", "dtype"):
            new.attr[attribute].CopyFrom(node.attr[attribute])
        new.attr["shared_name"].s = node.attr["shared_name"].s or node.name.encode()

    def _make_change(self, new: NodeDef, node: NodeDef) -> None:
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

    def _read_references(self, new: NodeDef, first: int) -> None:
        """Read the variables among a node's inputs at the moment when the node would have read them."""
        if new.op.startswith("Ref") and any(node_of(source) in self._references for source in new.input):
            raise NotUnderstood("{} ({}) passes on a reference to a variable.".format(new.name, new.op))
        waits = [source for source in new.input if source.startswith("^")]
        for index, source in enumerate(new.input):
            if index >= first and not source.startswith("^") and node_of(source) in self._references:
                new.input[index] = self._add_read(new.name, "read_{}".format(index), node_of(source), waits)

    def _add_read(self, reader: str, name: str, source: str, waits: List[str]) -> str:
        """Add a node that reads the variable to which a node's output refers."""
        variable = self._references[source]
        read = self._result.node.add()
        read.name = "{}/{}_of_reference".format(reader, name)
        read.op = "ReadVariableOp"
        read.attr["dtype"].CopyFrom(variable.attr["dtype"])
        read.input.append(variable.name)
        # The output of an assignment is the value after the assignment.
        read.input.extend(waits + (["^" + source] if source != variable.name else []))
        return str(read.name)


def _root_of(name: str, changes: Dict[str, NodeDef]) -> str:
    """The variable that an op changes, through the outputs of other ops that change it."""
    while name in changes:
        name = node_of(changes[name].input[0])
    return name
