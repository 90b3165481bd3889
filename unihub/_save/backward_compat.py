"""Remove what newer TensorFlows add to a SavedModel without effect on results, and older ones refuse to read.

TensorFlow does not guarantee forward compatibility. Ops that a model needs must stay, but these can go. Without them
TensorFlow 1.15 reads the models that TensorFlow 2.22 writes in the tests.
"""

from __future__ import annotations

import itertools
import os
from typing import Iterator, MutableSequence

from unihub._tf import saved_model
from unihub._tf.types import FunctionDef, GraphDef, NodeDef

# Attributes by op. TensorFlow has debug_name, a name for messages, since 2.15 (2.10 lacks it). It has validate_shape,
# which repeats a check made when a function is traced, since 2.10 (2.4 lacks it).
_ATTRIBUTES = {"VarHandleOp": "debug_name", "AssignVariableOp": "validate_shape"}

# Ops without outputs. DisableCopyOnRead saves a copy of a variable; TensorFlow 2.15 writes it, and 2.10 lacks it.
_OPS = frozenset(["DisableCopyOnRead"])


def drop_from(directory: str) -> None:
    """Remove them from the SavedModel in a directory, and its fingerprint if it changes: fingerprints are optional."""
    path = os.path.join(directory, "saved_model.pb")
    message = saved_model.saved_model_message()()
    with open(path, "rb") as file:
        message.ParseFromString(file.read())
    changed = [_drop_from_graph(meta_graph.graph_def) for meta_graph in message.meta_graphs]
    if not any(changed):
        return
    with open(path, "wb") as file:
        file.write(message.SerializeToString(deterministic=True))
    fingerprint = os.path.join(directory, "fingerprint.pb")
    if os.path.exists(fingerprint):
        os.remove(fingerprint)


def _drop_from_graph(graph_def: GraphDef) -> bool:
    changed = [_drop(nodes) for nodes in _node_lists(graph_def)]
    # A function also lists the ops that it runs for their side effects.
    changed += [_drop_returns(function) for function in graph_def.library.function]
    return any(changed)


def _node_lists(graph_def: GraphDef) -> Iterator[MutableSequence[NodeDef]]:
    return itertools.chain([graph_def.node], (function.node_def for function in graph_def.library.function))


def _drop(nodes: MutableSequence[NodeDef]) -> bool:
    removed = {node.name for node in nodes if node.op in _OPS}
    changed = [_drop_attributes(node) for node in nodes]
    if not removed:
        return any(changed)
    control_inputs = {"^" + name for name in removed}
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes if node.name not in removed]
    for node in kept:
        inputs = [source for source in node.input if source not in control_inputs]
        del node.input[:]
        node.input.extend(inputs)
    del nodes[:]
    nodes.extend(kept)
    return True


def _drop_attributes(node: NodeDef) -> bool:
    name = _ATTRIBUTES.get(node.op)
    if name is None or name not in node.attr:
        return False
    del node.attr[name]
    return True


def _drop_returns(function: FunctionDef) -> bool:
    nodes = {node.name for node in function.node_def}
    gone = [name for name, node in function.control_ret.items() if node not in nodes]
    for name in gone:
        del function.control_ret[name]
        function.signature.control_output.remove(name)
    return bool(gone)
