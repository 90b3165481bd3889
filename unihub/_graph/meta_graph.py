"""The graph of a TF1 Hub module, cut to what one purpose needs and made ready to be put into another graph.

A module's MetaGraph holds everything its author's graph held. What gives it its state (variables, tables) is put into
the user's graph once, what computes a signature at each call; the rest (savers, other signatures) never, so that no op
of it can run by accident. Names are kept, which is what makes checkpoints fit.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, List, Sequence, Set

from unihub._tf import packages, saved_model

_LOOPS_AND_CONDITIONS = ("while_context", "cond_context")
_VARIABLES = ("variables", "trainable_variables", "model_variables")
_ASSETS = "saved_model_assets"


def read_variant(path: str, tags: Iterable[str]) -> Any:
    """Reads the MetaGraph with exactly these tags, its assets where they are now."""
    wanted = set(tags)
    meta_graph = next(each for each in saved_model.read_meta_graphs(path) if set(each.meta_info_def.tags) == wanted)
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    for name, place in asset_files(meta_graph, path).items():
        nodes[name].attr["value"].tensor.string_val[:] = [place.encode()]
    return meta_graph


def _read_assets(meta_graph: Any) -> List[Any]:
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
    """The name of the node in the name of a tensor or in a node's input."""
    return tensor_name.split(":")[0].lstrip("^")


def cut_to_state(meta_graph: Any, trainable: bool) -> Any:
    """What a module's state needs: variables, tables, and the losses that depend on nothing else."""
    keys = ["variables", "model_variables", "table_initializer", "asset_filepaths"]
    if trainable:
        keys += ["trainable_variables", "regularization_losses"]
    roots = [node_of(name) for key in keys for name in names_in(meta_graph, key)]
    return _cut(meta_graph, roots, (), keys)


def cut_to_call(meta_graph: Any, outputs: Iterable[str], inputs: Iterable[str], updates: Sequence[str]) -> Any:
    """What one call needs: from the inputs to the outputs and the update ops."""
    keys = ["asset_filepaths"] + (["update_ops"] if updates else [])
    cut = _cut(meta_graph, [node_of(name) for name in list(outputs) + list(updates)], inputs, keys)
    if updates:
        cut.collection_def["update_ops"].node_list.value[:] = updates
    return cut


def find_updates(meta_graph: Any, inputs: Iterable[str]) -> List[str]:
    """The update ops that a call can run: those that wait for no placeholder but its own inputs."""
    nodes = {node.name: node for node in meta_graph.graph_def.node}
    fed = {node_of(name) for name in inputs}
    found = []
    for name in names_in(meta_graph, "update_ops"):
        reached = reach(nodes, [node_of(name)], fed)
        if not any(nodes[each].op.startswith("Placeholder") for each in reached - fed):
            found.append(name)
    return found


def read_variables(meta_graph: Any, key: str) -> List[str]:
    """The names of the variables in a collection of variables."""
    if key not in meta_graph.collection_def:
        return []
    packed = meta_graph.collection_def[key].bytes_list.value
    return [node_of(saved_model.variable_message().FromString(each).variable_name) for each in packed]


def asset_files(meta_graph: Any, path: str) -> Dict[str, str]:
    """The files that a graph reads, by the names of the nodes that name them."""
    directory = os.path.join(os.path.abspath(path), "assets")
    assets = _read_assets(meta_graph)
    return {node_of(asset.tensor_info.name): os.path.join(directory, asset.filename) for asset in assets}


def names_in(meta_graph: Any, key: str) -> List[str]:
    """The names of ops and tensors that the items of a collection speak of."""
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


def _cut(meta_graph: Any, roots: Sequence[str], fed: Iterable[str], keys: Sequence[str]) -> Any:
    """A copy with only what the roots need, and the collections named."""
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
        held = [name for name in names_in(cut, "asset_filepaths") if node_of(name) in reached]
        cut.collection_def["asset_filepaths"].node_list.value[:] = held
    copy_loops(meta_graph, cut, reached)
    return cut


def reach_loops(meta_graph: Any, reached: Set[str], stops: Set[str]) -> Set[str]:
    """What is needed of the loops and conditions that were touched.

    TensorFlow rebuilds a loop from the names of all its tensors, so a loop is kept whole or not at all.
    """
    contexts = _read_contexts(meta_graph)
    nodes = {node.name: node for node in meta_graph.graph_def.node} if contexts else {}
    found = set(reached)
    touched: Set[int] = set()
    for _ in contexts:
        for index, (_, _, members) in enumerate(contexts):
            if index not in touched and members & found:
                touched.add(index)
                found |= reach(nodes, sorted(members & set(nodes)), stops)
    return found


def copy_loops(meta_graph: Any, cut: Any, reached: Set[str]) -> None:
    """Describes in a cut MetaGraph the loops and conditions that it has."""
    for key, packed, members in _read_contexts(meta_graph):
        if members & reached:
            cut.collection_def[key].bytes_list.value.append(packed)


def reach(nodes: Dict[str, Any], roots: Iterable[str], stops: Set[str]) -> Set[str]:
    """The names of the nodes that the roots need, themselves included; not what only the stops need."""
    reached: Set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in reached or name not in nodes:
            continue
        reached.add(name)
        if name not in stops:
            waiting += [node_of(source) for source in nodes[name].input]
    return reached


def _read_contexts(meta_graph: Any) -> List[Any]:
    """Each loop and condition: the collection, its message, and the nodes that it names, nested ones included."""
    found = []
    for key, message in saved_model.control_flow_contexts().items():
        if key in meta_graph.collection_def:
            for packed in meta_graph.collection_def[key].bytes_list.value:
                found.append((key, packed, {node_of(name) for name in _names_of_context(message.FromString(packed))}))
    return found


def _names_of_context(context: Any) -> List[str]:
    names = [context.pivot_name] + list(context.values_def.values)
    names += list(context.values_def.external_values) + list(context.values_def.external_values.values())
    for field in ("pred_name", "maximum_iterations_name", "pivot_for_pred_name", "pivot_for_body_name"):
        names.append(getattr(context, field, ""))
    for field in ("loop_exit_names", "loop_enter_names"):
        names += list(getattr(context, field, ()))
    for nested in context.nested_contexts:
        names += _names_of_context(nested.cond_ctxt if nested.HasField("cond_ctxt") else nested.while_ctxt)
    return [name for name in names if name]


def drop_colocations(graph_def: Any) -> None:
    """Forgets the wish to be placed beside a node that is not here any more."""
    held = {b"loc:@" + node.name.encode() for node in graph_def.node}
    for node in graph_def.node:
        if "_class" in node.attr:
            kept = [place for place in node.attr["_class"].list.s if place in held or not place.startswith(b"loc:@")]
            del node.attr["_class"].list.s[:]
            node.attr["_class"].list.s.extend(kept)


def share_names_below(meta_graph: Any, scope: str) -> None:
    """Puts the names by which resources are shared below a scope, so that no two modules share one."""
    for node in meta_graph.graph_def.node:
        if "shared_name" in node.attr and node.attr["shared_name"].s:
            node.attr["shared_name"].s = scope.encode() + b"/" + node.attr["shared_name"].s


def component_names(info: Any) -> List[str]:
    """The names of the tensors that a TensorInfo stands for: one, or the parts of a composite."""
    kind = info.WhichOneof("encoding")
    if kind == "coo_sparse":
        sparse = info.coo_sparse
        return [sparse.indices_tensor_name, sparse.values_tensor_name, sparse.dense_shape_tensor_name]
    if kind == "composite_tensor":
        return [part.name for part in info.composite_tensor.components]
    return [info.name]


def assemble(info: Any, find: Callable[[str], Any]) -> Any:
    """The tensor of an output, put together from the parts that ``find`` finds by their names."""
    tf = packages.import_tensorflow()
    parts = [find(name) for name in component_names(info)]
    kind = info.WhichOneof("encoding")
    if kind == "coo_sparse":
        return tf.SparseTensor(*parts)
    if kind == "composite_tensor":
        return tf.RaggedTensor.from_nested_row_splits(parts[0], parts[1:])
    return parts[0]
