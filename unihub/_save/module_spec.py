"""Write module functions in the TF1 Hub format where tensorflow_hub has no ``hub.create_module_spec``.

``hub.Module`` must read the result, also on TensorFlow 1.15. So attributes with default values are stripped, because an
older TensorFlow may not know them, and so are the paths of the machine that writes the module.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, List, Mapping, MutableSequence, Tuple

from unihub import errors
from unihub._graph import module_variables
from unihub._graph.meta_graph import node_of
from unihub._graph.module_variables import Variant
from unihub._save import module_function
from unihub._tf import packages
from unihub._tf.saved_model import any_message, asset_message, saved_model_message
from unihub._tf.types import Graph, MetaGraphDef, NodeDef

# ModuleDef{format: FORMAT_V3}, the only format that tensorflow_hub ever wrote.
_MODULE_DEF = b"\x08\x03"
_MODULE_DEF_NAME = "tfhub_module.pb"

_ASSET_NODES = "asset_filepaths"
_ASSETS = "saved_model_assets"
_ASSET_PATH = b"set when the module is loaded"
_ATTACHMENTS = "hub_module_attachments"

# The collections that hub.Module supports; it rejects a module with any other collection.
_COLLECTIONS = frozenset(
    [
        "variables",
        "trainable_variables",
        "model_variables",
        "table_initializer",
        "update_ops",
        "regularization_losses",
        "cond_context",
        "while_context",
        _ASSET_NODES,
    ]
)


class ModuleSpec:
    """The graphs of a module.

    Args:
        function: The module function, which builds the graph of a variant.
        variants: The tags of each variant, and the arguments that the function gets for it.

    Attributes:
        variants: The variants, built.
    """

    def __init__(
        self, function: Callable[..., Any], variants: Iterable[Tuple[Iterable[str], Mapping[str, Any]]]
    ) -> None:
        tf = packages.import_tensorflow()
        self.variants: List[Variant] = []
        self._meta_graphs: List[MetaGraphDef] = []
        for tags, arguments in variants:
            with tf.Graph().as_default() as graph:
                with tf.compat.v1.variable_scope("", use_resource=True):
                    notes = module_function.call(function, arguments)
                check_graph(graph, notes.signatures, tags)
                self._meta_graphs.append(_describe(notes, tags))
            self.variants.append(Variant(frozenset(tags), graph, module_variables.partitions_of(graph)))

    def write(self, directory: str) -> None:
        """Write the module without the values of its variables.

        Args:
            directory: An empty directory.
        """
        saved_model = saved_model_message()(saved_model_schema_version=1)
        saved_model.meta_graphs.extend(self._meta_graphs)
        _write_assets(_take_assets(saved_model.meta_graphs), os.path.join(directory, "assets"))
        _write(os.path.join(directory, "saved_model.pb"), saved_model.SerializeToString(deterministic=True))
        _write(os.path.join(directory, _MODULE_DEF_NAME), _MODULE_DEF)


def check_graph(graph: Graph, signatures: Iterable[str], tags: Iterable[str]) -> None:
    """Check that a graph can be a module.

    Args:
        graph: A graph that a module function built.
        signatures: The names of the signatures that the function added.
        tags: The tags of the variant.

    Raises:
        SignatureError: There are no signatures.
        InputError: The graph contains something that ``hub.Module`` cannot load.
    """
    if not list(signatures):
        raise errors.SignatureError.none_added(tags)
    filled = {key for key in graph.get_all_collection_keys() if graph.get_collection(key)}
    if filled - _COLLECTIONS:
        raise errors.InputError.unsupported_collections(sorted(filled - _COLLECTIONS), sorted(_COLLECTIONS))
    stateful = {op.name for op in graph.get_operations() if op.op_def.is_stateful and not op.inputs}
    for name in sorted(stateful):
        # hub.Module imports stateful ops on their own, so they can be colocated with each other only.
        groups = [group.decode() for group in graph.get_operation_by_name(name).colocation_groups()]
        if not {group.replace("loc:@", "", 1) for group in groups} <= stateful:
            raise errors.InputError.colocated("{!r}, which holds state,".format(name), groups)


def _describe(notes: module_function.Notes, tags: Iterable[str]) -> MetaGraphDef:
    """The current graph as a message."""
    v1 = packages.import_tensorflow().compat.v1
    meta_graph = v1.train.export_meta_graph(strip_default_attrs=True)
    meta_graph.meta_info_def.tags.extend(sorted(tags))
    for name, sides in notes.signatures.items():
        inputs, outputs = ({key: v1.saved_model.build_tensor_info(side[key]) for key in side} for side in sides)
        meta_graph.signature_def[name].CopyFrom(v1.saved_model.build_signature_def(inputs, outputs))
    # tensorflow_hub's ModuleAttachment has the same wire format as an Any: a text and bytes.
    attachment = any_message()
    for key, message in notes.messages.items():
        packed = attachment(type_url=key, value=message.SerializeToString()).SerializeToString()
        meta_graph.collection_def[_ATTACHMENTS].bytes_list.value.append(packed)
    return meta_graph


def _take_assets(meta_graphs: Iterable[MetaGraphDef]) -> Dict[str, str]:
    """Replace the paths of assets in the graphs by entries of the collection where SavedModels list assets.

    Returns:
        The paths by the names of the files in the module.
    """
    names: Dict[str, str] = {}
    for meta_graph in meta_graphs:
        if _ASSET_NODES not in meta_graph.collection_def:
            continue
        nodes = {node.name: node for node in meta_graph.graph_def.node}
        for tensor in sorted(set(meta_graph.collection_def[_ASSET_NODES].node_list.value)):
            text = _text_of(nodes[node_of(tensor)])
            asset = asset_message()(filename=_name_asset(text[0].decode(), names))
            asset.tensor_info.name = tensor
            meta_graph.collection_def[_ASSETS].any_list.value.add().Pack(asset)
            text[0] = _ASSET_PATH
    return {name: path for path, name in names.items()}


def _text_of(node: NodeDef) -> MutableSequence[bytes]:
    text: MutableSequence[bytes] = node.attr["value"].tensor.string_val
    if node.op != "Const" or len(text) != 1:
        raise errors.InputError.asset_is_no_constant(node.name)
    return text


def _name_asset(path: str, names: Dict[str, str]) -> str:
    """A unique name for each file."""
    stem, extension = os.path.splitext(os.path.basename(path))
    free = "{}{}".format(stem, extension)
    count = 0
    while path not in names and free in names.values():
        count += 1
        free = "{}_{}{}".format(stem, count, extension)
    return names.setdefault(path, free)


def _write_assets(paths: Mapping[str, str], directory: str) -> None:
    gfile = packages.import_tensorflow().io.gfile
    os.mkdir(directory)
    for name, path in paths.items():
        gfile.copy(path, os.path.join(directory, name))


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
