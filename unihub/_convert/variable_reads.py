"""Hoist the reads of variables out of the loops and branches of a TF1 graph.

If a SavedModel reads a variable in a loop or branch that is nested in another one, its gradient is lost when the model
is loaded: TensorFlow 2.4 to 2.22 either fail or silently return zeros. The gradient of a value that is read outside is
right. Variables that the graph assigns to are left as they are, because there the moment of the read matters.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional

from unihub._graph.meta_graph import node_of
from unihub._tf.types import NodeDef

# Ops that bring a tensor into a loop or branch, or pass it on inside.
_PASSING = frozenset({"Enter", "Identity", "Switch"})


def hoist_reads(nodes: Dict[str, NodeDef], variables: Iterable[str]) -> Dict[str, NodeDef]:
    """Let values enter loops and branches instead of the handles of variables.

    Args:
        nodes: The nodes of a graph by name: those that are needed, and no others.
        variables: The names of the nodes that are variables.

    Returns:
        The nodes by name, with changed copies of those that change, and with the new reads.
    """
    consumers = _Consumers(nodes)
    result = dict(nodes)
    for name in variables:
        for chain in consumers.handle_chains(name) or []:
            _hoist(result, chain)
    return result


def not_hoisted(nodes: Dict[str, NodeDef], variables: Iterable[str]) -> List[str]:
    """The variables whose handles enter loops or branches even so, because the graph assigns to them."""
    consumers = _Consumers(nodes)
    return [name for name in variables if consumers.handle_chains(name) is None]


class _Consumers:
    """The nodes that take the outputs of each node."""

    def __init__(self, nodes: Dict[str, NodeDef]) -> None:
        self._consumers: Dict[str, List[NodeDef]] = {}
        for node in nodes.values():
            for source in {node_of(source) for source in node.input if not source.startswith("^")}:
                self._consumers.setdefault(source, []).append(node)

    def of(self, name: str) -> List[NodeDef]:
        return self._consumers.get(name, [])

    def handle_chains(self, variable: str) -> Optional[List[List[NodeDef]]]:
        """The nodes through which a variable's handle enters loops and branches.

        Returns:
            One list for each entry, with the reads at the ends; ``None`` if the handle enters and is used, inside or
            outside, for more than reads.
        """
        entries = [node for node in self.of(variable) if node.op in _PASSING]
        others = [node for node in self.of(variable) if node.op not in _PASSING]
        chains = [self._follow(entry) for entry in entries]
        ends = others + [node for chain in chains for node in chain if node.op not in _PASSING]
        return None if entries and not all(map(_is_read, ends)) else chains

    def _follow(self, entry: NodeDef) -> List[NodeDef]:
        chain = [entry]
        for node in chain:
            if node.op in _PASSING:
                chain += self.of(node.name)
        return chain


def _is_read(node: NodeDef) -> bool:
    return node.op == "ReadVariableOp" or (node.op == "ResourceGather" and not node.attr["batch_dims"].i)


def _hoist(nodes: Dict[str, NodeDef], chain: List[NodeDef]) -> None:
    entry = chain[0]
    reads = [node for node in chain if _is_read(node)]
    if not reads:
        return
    dtype = reads[0].attr["dtype"]
    value = type(entry)(name=entry.name + "/value_outside", op="ReadVariableOp")
    value.attr["dtype"].CopyFrom(dtype)
    # The read waits for whatever the entry of the handle waited for.
    value.input.extend([entry.input[0]] + [source for source in entry.input if source.startswith("^")])
    nodes[value.name] = value
    for node in chain:
        nodes[node.name] = _take_value(node, dtype)
    nodes[entry.name].input[0] = value.name


def _take_value(node: NodeDef, dtype: object) -> NodeDef:
    """A copy of a node that takes the value of a variable where the node takes its handle."""
    new = type(node)()
    new.CopyFrom(node)
    if node.op in _PASSING:
        new.attr["T"].CopyFrom(dtype)
        return new
    new.attr.clear()
    if node.op == "ReadVariableOp":
        new.op = "Identity"
        new.attr["T"].CopyFrom(dtype)
    else:
        new.op = "Gather"
        new.attr["Tparams"].CopyFrom(dtype)
        new.attr["Tindices"].CopyFrom(node.attr["Tindices"])
    return new
