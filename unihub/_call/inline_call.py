"""Calls a function by putting its ops into the current graph, instead of an op that calls it.

In a graph, TensorFlow changes a call op when it builds the op's gradient. A session that ran before does not see the
change and fails ("Connecting to invalid output 1 of source node"): so does Keras' fit() after predict(), and every
training loop that evaluates first. Plain ops have plain gradients, and their update ops and losses can be collected.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence, Set

from unihub._tf import functions, packages
from unihub._tf.ops import optimize_graph
from unihub._tf.types import ConcreteFunction, GraphDef, NodeDef, Op, TensorNest, TfTensor


class Inlined(NamedTuple):
    """What a call adds to the graph: the outputs, flat, and the ops that assign to variables."""

    outputs: List[TfTensor]
    updates: List[Op]


def call_inlined(concrete: ConcreteFunction, tensors: Sequence[TfTensor], name: str) -> Inlined:
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
    kept = {node.name: node.op for node in graph_def.node}
    inner_tensors = list(concrete.outputs) + _inner_tensors(concrete, kept)
    inputs = zip(concrete.inputs, list(tensors) + functions.captured_tensors(concrete))
    graph = tf.compat.v1.get_default_graph()
    before = graph.version
    outer_tensors = tf.compat.v1.import_graph_def(
        graph_def,
        input_map={inner.name: outer for inner, outer in inputs if inner.op.name in kept},
        return_elements=[tensor.name for tensor in inner_tensors],
        name=name,
    )
    _restore_shapes(inner_tensors, outer_tensors)
    added = graph.get_operations()[before:] if graph.version > before else []
    return Inlined(outer_tensors[: len(concrete.outputs)], [op for op in added if op.type.startswith("Assign")])


def _inline(concrete: ConcreteFunction) -> GraphDef:
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


def _keep_control_flow(graph_def: GraphDef) -> None:
    """Keeps loops and conditions: lowered to TF1 control flow they would have no gradients."""
    for function in graph_def.library.function:
        # A second implementation for other devices would be taken for the body.
        function.attr.pop("api_implements", None)
        _keep_whole(function.node_def)
    _keep_whole(graph_def.node)


def _keep_whole(nodes: Iterable[NodeDef]) -> None:
    for node in nodes:
        if "_lower_using_switch_merge" in node.attr:
            node.attr["_lower_using_switch_merge"].b = False


def _wait_for_no_input(graph_def: GraphDef, inputs: Set[str]) -> None:
    """Drops control edges from the function's inputs, which are replaced by tensors and never run."""
    waits = {"^" + name for name in inputs}
    for node in graph_def.node:
        kept = [source for source in node.input if source not in waits]
        if len(kept) < len(node.input):
            del node.input[:]
            node.input.extend(kept)


def _inner_tensors(concrete: ConcreteFunction, kept: Dict[str, str]) -> List[TfTensor]:
    """The function's intermediate tensors that Grappler kept, recognized by the names and types of their ops."""
    inputs = {tensor.op.name for tensor in concrete.inputs}
    ops = [op for op in concrete.graph.get_operations() if kept.get(op.name) == op.type and op.name not in inputs]
    return [tensor for op in ops for tensor in op.outputs]


def _restore_shapes(inner: Sequence[TfTensor], outer: Sequence[TfTensor]) -> None:
    """Gives tensors the shapes that the function's author set by hand; gradients need them."""
    for known, tensor in zip(inner, outer):
        if known.shape.rank is not None and tensor.shape.rank is None:
            tensor.set_shape(known.shape)


def pack_outputs(concrete: ConcreteFunction, flat: Sequence[TfTensor]) -> TensorNest:
    """Packs flat outputs into the structure that the function returns."""
    nest = packages.import_tensorflow().nest
    structure = concrete.structured_outputs
    leaves = iter(flat)
    filled = [None if leaf is None else next(leaves) for leaf in nest.flatten(structure, expand_composites=True)]
    return nest.pack_sequence_as(structure, filled, expand_composites=True)
