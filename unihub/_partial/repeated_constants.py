"""Constants that a function holds several times over, of which one does for all.

Keras writes the same axes, epsilons and ones anew for each layer: in BERT they are a quarter of all nodes, and
TensorFlow makes a Python object of each. What is computed stays the same to the last bit, for a constant has no
gradient.
"""

from __future__ import annotations

from typing import Any, Dict, Set

from unihub._graph.meta_graph import node_of

_COLOCATION = "loc:@"


def merge(function: Any, known: Set[str]) -> None:
    """Leaves one of each kind of constant in a function.

    Args:
        function: A ``FunctionDef``, which is changed.
        known: The nodes that are known by name outside of it, and so must stay.
    """
    names = _find_same(function, known | _colocated(function))
    if not names:
        return
    for node in function.node_def:
        if any(node_of(source) in names for source in node.input):
            sources = [_renamed(source, names) for source in node.input]
            # Two constants that a node waited for may be one now.
            controls = dict.fromkeys(source for source in sources if source.startswith("^"))
            node.input[:] = [source for source in sources if not source.startswith("^")] + list(controls)
    for output, source in list(function.ret.items()):
        function.ret[output] = _renamed(source, names)
    for output, source in list(function.control_ret.items()):
        function.control_ret[output] = names.get(source, source)
    for place in reversed(range(len(function.node_def))):
        if function.node_def[place].name in names:
            del function.node_def[place]


def _find_same(function: Any, stays: Set[str]) -> Dict[str, str]:
    """For each constant that can go, the one that says the same."""
    first: Dict[bytes, str] = {}
    same: Dict[str, str] = {}
    for node in function.node_def:
        if node.op == "Const" and not node.input:
            one = first.setdefault(_contents(node), node.name)
            if one != node.name and node.name not in stays:
                same[node.name] = one
    return same


def _contents(node: Any) -> bytes:
    """What a constant says, but for its name and where it came from."""
    contents = type(node).FromString(node.SerializeToString())
    contents.ClearField("name")
    contents.ClearField("experimental_debug_info")
    return bytes(contents.SerializeToString(deterministic=True))


def _colocated(function: Any) -> Set[str]:
    """The nodes that others name as the ones they must be beside."""
    nodes = (node for node in function.node_def if "_class" in node.attr)
    texts = (text.decode() for node in nodes for text in node.attr["_class"].list.s)
    return {text[len(_COLOCATION) :] for text in texts if text.startswith(_COLOCATION)}


def _renamed(source: str, names: Dict[str, str]) -> str:
    name = node_of(source)
    return source.replace(name, names[name], 1) if name in names else source
