"""What newer TensorFlows write that changes nothing, and that an older one refuses to read: it is left out.

TensorFlow promises no older one that it can read what a newer one writes. Ops and values that a model needs cannot be
left out; these can, and without them TensorFlow 1.15 reads what 2.22 writes of the models in the tests.
"""

from __future__ import annotations

import itertools
import os
from typing import Any, Iterator

from unihub._tf import saved_model

# Attributes by the op they are set on: a name for messages, which TensorFlow 2.15 sets and 2.10 does not; and a second
# check, which 2.10 sets and 2.4 does not, of shapes that are checked when a function is traced.
_ATTRIBUTES = {"VarHandleOp": "debug_name", "AssignVariableOp": "validate_shape"}

# Ops without outputs. This one, which TensorFlow 2.15 writes and 2.10 does not, spares a copy of a variable.
_OPS = frozenset(["DisableCopyOnRead"])


def drop_from(directory: str) -> None:
    """Drops them from a SavedModel.

    Args:
        directory: Where it is. The fingerprint of what was changed goes, too: a SavedModel may have none.
    """
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


def _drop_from_graph(graph_def: Any) -> bool:
    changed = [_drop(nodes) for nodes in _node_lists(graph_def)]
    # Functions list the ops that they run for their effect.
    changed += [_drop_returns(function) for function in graph_def.library.function]
    return any(changed)


def _node_lists(graph_def: Any) -> Iterator[Any]:
    return itertools.chain([graph_def.node], (function.node_def for function in graph_def.library.function))


def _drop(nodes: Any) -> bool:
    idle = {node.name for node in nodes if node.op in _OPS}
    changed = [_drop_attributes(node) for node in nodes]
    if not idle:
        return any(changed)
    waits = {"^" + name for name in idle}
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes if node.name not in idle]
    for node in kept:
        inputs = [source for source in node.input if source not in waits]
        del node.input[:]
        node.input.extend(inputs)
    del nodes[:]
    nodes.extend(kept)
    return True


def _drop_attributes(node: Any) -> bool:
    name = _ATTRIBUTES.get(node.op)
    if name is None or name not in node.attr:
        return False
    del node.attr[name]
    return True


def _drop_returns(function: Any) -> bool:
    nodes = {node.name for node in function.node_def}
    gone = [name for name, node in function.control_ret.items() if node not in nodes]
    for name in gone:
        del function.control_ret[name]
        function.signature.control_output.remove(name)
    return bool(gone)
