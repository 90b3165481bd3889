"""The graph of a TF1 Hub module, cut to what one purpose needs, to be imported into another graph.

A module's MetaGraph holds everything that its author's graph held. Its state (variables, tables) is imported into the
user's graph once, and the ops of a signature at each call. The rest (savers, other signatures) is never imported, so no
op of it can run by accident. Names stay the same, so checkpoints fit.
"""

from __future__ import annotations

import os
from typing import Callable, Dict, Iterable, List, Sequence, Set, Tuple

from unihub._tf import packages, saved_model
from unihub._tf.types import GraphDef, Message, MetaGraphDef, NodeDef, TensorInfo, TfTensor

_LOOPS_AND_CONDITIONS = ("while_context", "cond_context")
_VARIABLES = ("variables", "trainable_variables", "model_variables")
_ASSETS = "saved_model_assets"


def read_variant(path: str, tags: Iterable[str]) -> MetaGraphDef:
    """Read the MetaGraph with exactly these tags, with the current paths of its assets."""
    wanted = set(tags)
    meta_graph = next(each for each in saved_model.read_meta_graphs(path) if set(each.meta_info_def.tags) == wanted)
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for name, file in asset_files(meta_graph, path).items():
        nodes[name].attr["value"].tensor.string_val[:] = [file.encode()]
    return meta_graph


def _read_assets(meta_graph: MetaGraphDef) -> List[Message]:
    if meta_graph.asset_file_def:
        return list(meta_graph.asset_file_def)
    message = saved_model.asset_message()
    assets = []
    for packed in meta_graph.collection_def[_ASSETS].any_list.value if _ASSETS in meta_graph.collection_def else ():
        asset = message()
        packed.Unpack(asset)
        assets.append(asset)
    return assets


def node_of(tensor_name: str) -> str:
    """The name of the node in the name of a tensor, or in an input of a node."""
    return tensor_name.split(":")[0].lstrip("^")


def cut_to_state(meta_graph: MetaGraphDef, trainable: bool) -> MetaGraphDef:
    """Cut a MetaGraph to the module's state: variables, tables, and the losses that depend on nothing else."""
    keys = ["variables", "model_variables", "table_initializer", "asset_filepaths"]
    if trainable:
        keys += ["trainable_variables", "regularization_losses"]
    roots = [node_of(name) for key in keys for name in names_in(meta_graph, key)]
    return _cut(meta_graph, roots, (), keys)


def cut_to_call(
    meta_graph: MetaGraphDef, outputs: Iterable[str], inputs: Iterable[str], updates: Sequence[str]
) -> MetaGraphDef:
    """Cut a MetaGraph to one call: what is between the inputs, and the outputs and update ops."""
    keys = ["asset_filepaths"] + (["update_ops"] if updates else [])
    cut = _cut(meta_graph, [node_of(name) for name in list(outputs) + list(updates)], inputs, keys)
    if updates:
        cut.collection_def["update_ops"].node_list.value[:] = updates
    return cut


def find_updates(meta_graph: MetaGraphDef, inputs: Iterable[str]) -> List[str]:
    """The update ops that a call can run: those that need no placeholder except the inputs of the call."""
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    fed = {node_of(name) for name in inputs}
    updates = []
    for name in names_in(meta_graph, "update_ops"):
        reached = reach(nodes, [node_of(name)], fed)
        if not any(nodes[each].op.startswith("Placeholder") for each in reached - fed):
            updates.append(name)
    return updates


def read_variables(meta_graph: MetaGraphDef, key: str) -> List[str]:
    """The names of the variables in a collection of variables."""
    if key not in meta_graph.collection_def:
        return []
    packed = meta_graph.collection_def[key].bytes_list.value
    return [node_of(saved_model.variable_message().FromString(each).variable_name) for each in packed]


def asset_files(meta_graph: MetaGraphDef, path: str) -> Dict[str, str]:
    """The files that a graph reads, by the names of the nodes that hold their paths."""
    directory = os.path.join(os.path.abspath(path), "assets")
    assets = _read_assets(meta_graph)
    return {node_of(asset.tensor_info.name): os.path.join(directory, asset.filename) for asset in assets}


def names_in(meta_graph: MetaGraphDef, key: str) -> List[str]:
    """The names of the ops and tensors in a collection."""
    if key not in meta_graph.collection_def:
        return []
    collection = meta_graph.collection_def[key]
    if key not in _VARIABLES:
        return list(collection.node_list.value)
    message = saved_model.variable_message()
    names = []
    for packed in collection.bytes_list.value:
        variable = message.FromString(packed)
        names += [variable.variable_name, variable.initializer_name]
        names += [variable.snapshot_name, variable.initial_value_name]
    return [name for name in names if name]


def _cut(meta_graph: MetaGraphDef, roots: Sequence[str], fed: Iterable[str], keys: Sequence[str]) -> MetaGraphDef:
    """Copy what the roots need, and the collections with these keys."""
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    stops = {node_of(name) for name in fed}
    reached = reach(nodes, [root for root in roots if root in nodes], stops)
    reached |= reach_loops(meta_graph, reached, stops)
    cut = type(meta_graph)()
    cut.meta_info_def.CopyFrom(meta_graph.meta_info_def)
    cut.graph_def.versions.CopyFrom(meta_graph.graph_def.versions)
    cut.graph_def.library.CopyFrom(meta_graph.graph_def.library)
    cut.graph_def.node.extend(node for node in meta_graph.graph_def.node if node.name in reached)
    drop_colocations(cut.graph_def)
    for key in keys:
        if key in meta_graph.collection_def:
            cut.collection_def[key].CopyFrom(meta_graph.collection_def[key])
    if "asset_filepaths" in cut.collection_def:
        kept = [name for name in names_in(cut, "asset_filepaths") if node_of(name) in reached]
        cut.collection_def["asset_filepaths"].node_list.value[:] = kept
    copy_loops(meta_graph, cut, reached)
    return cut


def reach_loops(meta_graph: MetaGraphDef, reached: Set[str], stops: Set[str]) -> Set[str]:
    """Add all nodes of the loops and conditions that contain a reached node, and what these need.

    TensorFlow rebuilds a loop from the names of all its tensors, so a loop is kept completely or not at all.
    """
    contexts = _read_contexts(meta_graph)
    nodes = {node.name: node for node in meta_graph.graph_def.node} if contexts else {}
    extended = set(reached)
    touched: Set[int] = set()
    for _ in contexts:
        for index, (_, _, members) in enumerate(contexts):
            if index not in touched and members & extended:
                touched.add(index)
                extended |= reach(nodes, sorted(members & set(nodes)), stops)
    return extended


def copy_loops(meta_graph: MetaGraphDef, cut: MetaGraphDef, reached: Set[str]) -> None:
    """Copy the descriptions of the reached loops and conditions to a cut MetaGraph."""
    for key, packed, members in _read_contexts(meta_graph):
        if members & reached:
            cut.collection_def[key].bytes_list.value.append(packed)


def reach(nodes: Dict[str, NodeDef], roots: Iterable[str], stops: Set[str]) -> Set[str]:
    """The names of the roots and of the nodes that they need, without what only the stops need."""
    reached: Set[str] = set()
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name in reached or name not in nodes:
            continue
        reached.add(name)
        if name not in stops:
            pending += [node_of(source) for source in nodes[name].input]
    return reached


def _read_contexts(meta_graph: MetaGraphDef) -> List[Tuple[str, bytes, Set[str]]]:
    """The collection key, the packed message and the node names of each loop and condition, with nested ones."""
    contexts = []
    for key, message in saved_model.control_flow_contexts().items():
        if key in meta_graph.collection_def:
            for packed in meta_graph.collection_def[key].bytes_list.value:
                names = _names_of_context(message.FromString(packed))
                contexts.append((key, packed, {node_of(name) for name in names}))
    return contexts


def _names_of_context(context: Message) -> List[str]:
    names = [context.pivot_name] + list(context.values_def.values)
    names += list(context.values_def.external_values) + list(context.values_def.external_values.values())
    for field in ("pred_name", "maximum_iterations_name", "pivot_for_pred_name", "pivot_for_body_name"):
        names.append(getattr(context, field, ""))
    for field in ("loop_exit_names", "loop_enter_names"):
        names += list(getattr(context, field, ()))
    for nested in context.nested_contexts:
        names += _names_of_context(nested.cond_ctxt if nested.HasField("cond_ctxt") else nested.while_ctxt)
    return [name for name in names if name]


def drop_colocations(graph_def: GraphDef) -> None:
    """Remove colocations with nodes that are no longer in the graph."""
    present = {b"loc:@" + node.name.encode() for node in graph_def.node}
    for node in graph_def.node:
        if "_class" in node.attr:
            groups = node.attr["_class"].list.s
            kept = [group for group in groups if group in present or not group.startswith(b"loc:@")]
            del node.attr["_class"].list.s[:]
            node.attr["_class"].list.s.extend(kept)


def share_names_below(meta_graph: MetaGraphDef, scope: str) -> None:
    """Prefix the names by which resources are shared with a scope, so that no two modules share one."""
    for node in meta_graph.graph_def.node:
        if "shared_name" in node.attr and node.attr["shared_name"].s:
            node.attr["shared_name"].s = scope.encode() + b"/" + node.attr["shared_name"].s


def component_names(info: TensorInfo) -> List[str]:
    """The names of the tensors in a TensorInfo: one, or the components of a composite tensor."""
    kind = info.WhichOneof("encoding")
    if kind == "coo_sparse":
        sparse = info.coo_sparse
        return [sparse.indices_tensor_name, sparse.values_tensor_name, sparse.dense_shape_tensor_name]
    if kind == "composite_tensor":
        return [component.name for component in info.composite_tensor.components]
    return [info.name]


def assemble(info: TensorInfo, find: Callable[[str], TfTensor]) -> TfTensor:
    """Build the tensor of an output from its components, which ``find`` returns by name."""
    tf = packages.import_tensorflow()
    components = [find(name) for name in component_names(info)]
    kind = info.WhichOneof("encoding")
    if kind == "coo_sparse":
        return tf.SparseTensor(*components)
    if kind == "composite_tensor":
        return tf.RaggedTensor.from_nested_row_splits(components[0], components[1:])
    return components[0]
