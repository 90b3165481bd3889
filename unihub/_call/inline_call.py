"""Calls a function by putting its ops into the current graph, instead of an op that calls it.

In a graph, TensorFlow changes a call op when its gradient is asked for. A session that has run in between does not see
the change ("Connecting to invalid output 1 of source node"), so that Keras' fit() after predict(), and every training
loop that first evaluates, fails. Plain ops have plain gradients; and variables, update ops and losses are in sight.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Sequence, Set

from unihub._tf import functions, packages
from unihub._tf.ops import optimize_graph


class Inlined(NamedTuple):
    """What a call put into the graph: the outputs, flat, and the ops that assign to variables."""

    outputs: List[Any]
    updates: List[Any]


def call_inlined(concrete: Any, tensors: Sequence[Any], name: str) -> Inlined:
    """Calls a concrete function with ops of its own in the current graph.

    Args:
        concrete: A ``ConcreteFunction`` whose captured tensors belong to the current graph.
        tensors: Its inputs, flat, without the captured ones.
        name: The name scope of the ops.

    Returns:
        Its outputs, flat, and its update ops.
    """
    tf = packages.import_tensorflow()
    graph_def = _inline(concrete)
    _wait_for_no_input(graph_def, {tensor.op.name for tensor in concrete.inputs})
    held = {node.name: node.op for node in graph_def.node}
    inner = list(concrete.outputs) + _inner_tensors(concrete, held)
    inputs = zip(concrete.inputs, list(tensors) + functions.captured_tensors(concrete))
    graph = tf.compat.v1.get_default_graph()
    before = graph.version
    outer = tf.compat.v1.import_graph_def(
        graph_def,
        input_map={place.name: tensor for place, tensor in inputs if place.op.name in held},
        return_elements=[tensor.name for tensor in inner],
        name=name,
    )
    _restore_shapes(inner, outer)
    added = graph.get_operations()[before:] if graph.version > before else []
    return Inlined(outer[: len(concrete.outputs)], [op for op in added if op.type.startswith("Assign")])


def _inline(concrete: Any) -> Any:
    """The function's graph, with the bodies of the functions it calls in place of the calls."""
    v1 = packages.import_tensorflow().compat.v1
    meta_graph = v1.MetaGraphDef()
    meta_graph.graph_def.CopyFrom(concrete.graph.as_graph_def())
    _keep_control_flow(meta_graph.graph_def)
    # Grappler learns from this collection which tensors must keep their names.
    ends = [tensor.name for tensor in list(concrete.inputs) + list(concrete.outputs)]
    meta_graph.collection_def["train_op"].node_list.value.extend(ends)
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.min_graph_nodes = -1
    config.graph_options.rewrite_options.optimizers.append("function")
    return optimize_graph(config, meta_graph)


def _keep_control_flow(graph_def: Any) -> None:
    """Leaves loops and conditions as they are: taken apart into TF1 control flow they would have no gradients."""
    for function in graph_def.library.function:
        # A second implementation for other devices would be taken for the body.
        function.attr.pop("api_implements", None)
        _mark_whole(function.node_def)
    _mark_whole(graph_def.node)


def _mark_whole(nodes: Any) -> None:
    for node in nodes:
        if "_lower_using_switch_merge" in node.attr:
            node.attr["_lower_using_switch_merge"].b = False


def _wait_for_no_input(graph_def: Any, inputs: Set[str]) -> None:
    """Drops control edges from the function's inputs: these are replaced by tensors, and nobody would feed them."""
    waits = {"^" + name for name in inputs}
    for node in graph_def.node:
        kept = [source for source in node.input if source not in waits]
        if len(kept) < len(node.input):
            del node.input[:]
            node.input.extend(kept)


def _inner_tensors(concrete: Any, held: Dict[str, str]) -> List[Any]:
    """What a function computes on the way, as far as that is there still, by the names and types of its ops."""
    inputs = {tensor.op.name for tensor in concrete.inputs}
    ops = [op for op in concrete.graph.get_operations() if held.get(op.name) == op.type and op.name not in inputs]
    return [tensor for op in ops for tensor in op.outputs]


def _restore_shapes(inner: Sequence[Any], outer: Sequence[Any]) -> None:
    """Tells tensors the shapes that the author of a function set by hand; gradients ask for them."""
    for known, tensor in zip(inner, outer):
        if known.shape.rank is not None and tensor.shape.rank is None:
            tensor.set_shape(known.shape)


def pack_outputs(concrete: Any, flat: Sequence[Any]) -> Any:
    """Gives flat outputs the structure that the function returns."""
    nest = packages.import_tensorflow().nest
    structure = concrete.structured_outputs
    leaves = iter(flat)
    filled = [None if leaf is None else next(leaves) for leaf in nest.flatten(structure, expand_composites=True)]
    return nest.pack_sequence_as(structure, filled, expand_composites=True)
