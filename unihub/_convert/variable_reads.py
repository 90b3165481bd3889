"""Variables that a TF1 graph reads inside of loops and branches, read outside of them instead.

A SavedModel that reads a variable in a loop or branch inside of another one has no gradient for it once it is loaded:
TensorFlow 2.4 to 2.22 either fail or give zeros without a word. A value that is read outside has one. What the graph
assigns to is left as it is, for there the moment of reading counts.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional

from unihub._graph.meta_graph import node_of

# What takes a tensor into a loop or branch, or passes it on in there.
_PASSING = frozenset({"Enter", "Identity", "Switch"})


def move_out(nodes: Dict[str, Any], variables: Iterable[str]) -> Dict[str, Any]:
    """Lets values go into the loops and branches where handles did.

    Args:
        nodes: The nodes of a graph by name, all that is needed of it and nothing else.
        variables: The names of those that are variables.

    Returns:
        The nodes with others in the places of those that change, and with those that are new.
    """
    ways = _Ways(nodes)
    found = dict(nodes)
    for name in variables:
        for chain in ways.find_chains(name) or []:
            _replace(found, chain)
    return found


def find_left(nodes: Dict[str, Any], variables: Iterable[str]) -> List[str]:
    """The variables that go into loops or branches by their handles all the same, for they are assigned to."""
    ways = _Ways(nodes)
    return [name for name in variables if ways.find_chains(name) is None]


class _Ways:
    """Which nodes take the outputs of a node."""

    def __init__(self, nodes: Dict[str, Any]) -> None:
        self._consumers: Dict[str, List[Any]] = {}
        for node in nodes.values():
            for source in {node_of(source) for source in node.input if not source.startswith("^")}:
                self._consumers.setdefault(source, []).append(node)

    def consumers(self, name: str) -> List[Any]:
        return self._consumers.get(name, [])

    def find_chains(self, variable: str) -> Optional[List[List[Any]]]:
        """The ways of a variable's handle into loops and branches.

        Returns:
            For each way the nodes that the handle passes through, the reads at the ends; ``None`` if it goes in, and if
            it is more than read, there or outside.
        """
        entries = [node for node in self.consumers(variable) if node.op in _PASSING]
        others = [node for node in self.consumers(variable) if node.op not in _PASSING]
        chains = [self._follow(entry) for entry in entries]
        ends = others + [node for chain in chains for node in chain if node.op not in _PASSING]
        return None if entries and not all(map(_is_read, ends)) else chains

    def _follow(self, entry: Any) -> List[Any]:
        chain = [entry]
        for node in chain:
            if node.op in _PASSING:
                chain += self.consumers(node.name)
        return chain


def _is_read(node: Any) -> bool:
    return node.op == "ReadVariableOp" or (node.op == "ResourceGather" and not node.attr["batch_dims"].i)


def _replace(nodes: Dict[str, Any], chain: List[Any]) -> None:
    entry = chain[0]
    reads = [node for node in chain if _is_read(node)]
    if not reads:
        return
    dtype = reads[0].attr["dtype"]
    value = type(entry)(name=entry.name + "/value_outside", op="ReadVariableOp")
    value.attr["dtype"].CopyFrom(dtype)
    # What has to be done before the handle goes in has to be done before the value is read.
    value.input.extend([entry.input[0]] + [source for source in entry.input if source.startswith("^")])
    nodes[value.name] = value
    for node in chain:
        new = nodes[node.name] = type(node)()
        new.CopyFrom(node)
        if node.op in _PASSING:
            new.attr["T"].CopyFrom(dtype)
        elif node.op == "ReadVariableOp":
            new.op = "Identity"
            new.attr.clear()
            new.attr["T"].CopyFrom(dtype)
        else:
            new.op = "Gather"
            new.attr.clear()
            new.attr["Tparams"].CopyFrom(dtype)
            new.attr["Tindices"].CopyFrom(node.attr["Tindices"])
    nodes[entry.name].input[0] = value.name
