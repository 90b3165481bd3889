"""Reads what a model is from its files, without TensorFlow.

Only names and headers are read, never constants or variables. What was read is kept while the files stay the same.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from typing import Callable, Dict, FrozenSet, Iterator, List, Optional, Set, Tuple, Union, cast

from unihub._saved_model import conversion_report, files, formats, schema, unsafe_scan
from unihub._saved_model.checkpoint_index import read_shape
from unihub._saved_model.model_info import Contents, MetaGraph, ModelInfo, Variable
from unihub._saved_model.object_graph import ObjectGraph, type_spec_class
from unihub._saved_model.wire import Message
from unihub._types import Signature, Tensor

# TensorFlow 2 keeps its initializers as signatures that are not meant to be called.
_PSEUDO_SIGNATURES = frozenset(("__saved_model_init_op", "__saved_model_train_op"))

_VARIABLE_OPS = frozenset(("VarHandleOp", "VariableV2", "Variable"))
_VARIABLE_COLLECTIONS = ("variables", "trainable_variables", "local_variables")

_TYPE_SPEC_KINDS = {"SparseTensorSpec": "sparse", "RaggedTensorSpec": "ragged"}


def inspect(path: Union[str, os.PathLike[str]]) -> ModelInfo:
    """Inspect a model without TensorFlow.

    Args:
        path: The directory of the model.

    Returns:
        What its files describe.

    Raises:
        ModelNotFoundError: The path does not exist.
        UnknownFormatError: It is not a supported model; the error names the actual format if it is known.
        IntegrityError: Files of the model are missing, truncated or damaged.
    """
    path = os.fspath(path)
    return _inspect(path, files.model_files(path))


@functools.lru_cache(maxsize=32)
def _inspect(path: str, versions: Tuple[files.FileVersion, ...]) -> ModelInfo:
    """The same, kept while the files stay the same: reading takes longer than the other steps before a load."""
    with formats.saved_model(path) as (message, file):
        variants = enumerate(message.messages("meta_graphs"))
        meta_graphs = tuple(_read_meta_graph(each, _DeferredContents(file, number)) for number, each in variants)
    kind = formats.name_format(path, any(meta_graph.has_object_graph for meta_graph in meta_graphs))
    # TensorFlow 2 restores even the checkpoint of a model that has no variables.
    has_variables = any(meta_graph.has_object_graph or meta_graph.variables for meta_graph in meta_graphs)
    assets = dict.fromkeys(name for meta_graph in meta_graphs for name in meta_graph.assets)
    files.check_complete(path, has_variables, assets)
    return ModelInfo(path, kind, meta_graphs, conversion_report.read_notes(path))


def _read_meta_graph(message: Message, contents: _DeferredContents) -> MetaGraph:
    information = message.message("meta_info_def")
    collections = _read_collections(message)
    objects = _object_graph(message)
    call, attributes = (objects.call(), objects.attributes()) if objects else (None, frozenset())
    return MetaGraph(
        tags=frozenset(information.texts("tags")),
        signatures=_read_signatures(message),
        contents=cast(Contents, contents),
        tensorflow_version=information.text("tensorflow_version"),
        assets=_read_assets(message, collections),
        collections=tuple(sorted((name, len(collection)) for name, collection in collections.items())),
        has_object_graph=objects is not None,
        call=call,
        attributes=attributes,
    )


def _object_graph(message: Message) -> Optional[ObjectGraph]:
    return ObjectGraph(message.message("object_graph_def").load()) if message.has("object_graph_def") else None


class _DeferredContents:
    """``Contents`` whose attributes are read on first use: reading them all takes longer than loading needs."""

    def __init__(self, file: files.FileVersion, number: int) -> None:
        self._file = file
        self._number = number
        self._known: Dict[Tuple[str, int], bool] = {}

    def __getattr__(self, name: str) -> object:
        if name not in _READERS:
            raise AttributeError(name)
        with self._meta_graph() as message:
            value = _READERS[name](message)
        setattr(self, name, value)
        return value

    def has_nodes(self, number: int) -> bool:
        return self._has("node", number, lambda graph: graph)

    def has_functions(self, number: int) -> bool:
        return self._has("function", number, lambda graph: graph.message("library"))

    def _has(self, field: str, number: int, part: Callable[[Message], Message]) -> bool:
        if (field, number) not in self._known:
            with self._meta_graph() as message:
                self._known[field, number] = part(message.message("graph_def")).has(field, number)
        return self._known[field, number]

    @contextlib.contextmanager
    def _meta_graph(self) -> Iterator[Message]:
        with formats.same_model(self._file) as message:
            yield next(itertools.islice(message.messages("meta_graphs"), self._number, None))

    def __eq__(self, other: object) -> bool:
        return all(getattr(self, name) == getattr(other, name, None) for name in _READERS)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in _READERS))


# Signatures.


def _read_signatures(message: Message) -> Tuple[Signature, ...]:
    signatures = message.entries("signature_def")
    return tuple(
        Signature(name, _read_tensors(value, "inputs"), _read_tensors(value, "outputs"), value.text("method_name"))
        for name, value in sorted(signatures.items())
        if name not in _PSEUDO_SIGNATURES
    )


def _read_tensors(message: Message, field: str) -> Tuple[Tensor, ...]:
    return tuple(_read_tensor(name, value) for name, value in sorted(message.entries(field).items()))


def _read_tensor(name: str, message: Message) -> Tensor:
    if message.has("composite_tensor"):
        return _read_composite(name, message.message("composite_tensor").message("type_spec"))
    kind = "sparse" if message.has("coo_sparse") else "dense"
    dtype = schema.dtype_name(message.number("dtype"))
    return Tensor(name, dtype, read_shape(message.message("tensor_shape")), kind)


def _read_composite(name: str, type_spec: Message) -> Tensor:
    """A type spec is a tuple; its first shape and dtype are those of the composite tensor."""
    class_name = type_spec_class(type_spec)
    state = list(type_spec.message("type_state").message("tuple_value").messages("values"))
    shapes = [value.message("tensor_shape_value") for value in state if value.has("tensor_shape_value")]
    dtypes = [value.number("tensor_dtype_value") for value in state if value.has("tensor_dtype_value")]
    return Tensor(
        name,
        schema.dtype_name(dtypes[0] if dtypes else 0),
        read_shape(shapes[0]) if shapes else None,
        _TYPE_SPEC_KINDS.get(class_name, class_name),
    )


# The graph.


def _read_ops(message: Message) -> FrozenSet[str]:
    graph = message.message("graph_def").load()
    ops = set(graph.texts_within("node", "op"))
    functions: Set[str] = set()
    for function in graph.message("library").messages("function"):
        functions.add(function.message("signature").text("name"))
        ops.update(function.texts_within("node_def", "op"))
    # TensorFlow 1 calls a function by a node whose op is the function's name.
    return frozenset(ops - functions)


def _read_variables(message: Message) -> Tuple[Variable, ...]:
    objects = _object_graph(message)
    if objects is not None:
        return objects.variables()
    nodes = (node for node in message.message("graph_def").messages("node") if node.text("op") in _VARIABLE_OPS)
    made = (_read_variable_node(node) for node in nodes)
    return _collected_variables(_read_collections(message), {variable.name: variable for variable in made})


def _read_type_specs(message: Message) -> FrozenSet[str]:
    objects = _object_graph(message)
    return objects.type_specs() if objects is not None else frozenset()


def _read_registered_types(message: Message) -> FrozenSet[str]:
    objects = _object_graph(message)
    return objects.type_specs(schema.REGISTERED_TYPE_SPEC) if objects is not None else frozenset()


def _count_nodes(message: Message) -> int:
    return message.message("graph_def").count("node")


def _count_functions(message: Message) -> int:
    return message.message("graph_def").message("library").count("function")


# What reads each attribute of ``Contents``.
_READERS: Dict[str, Callable[[Message], object]] = {
    "ops": _read_ops,
    "variables": _read_variables,
    "type_specs": _read_type_specs,
    "node_count": _count_nodes,
    "function_count": _count_functions,
    "unsafe_ops": unsafe_scan.find,
    "registered_types": _read_registered_types,
}


def _read_variable_node(node: Message) -> Variable:
    attributes = node.entries("attr")
    dtype = attributes["dtype"].number("type") if "dtype" in attributes else 0
    shape = read_shape(attributes["shape"].message("shape")) if "shape" in attributes else None
    # Without a collection to say otherwise a variable is trainable, as it is to TensorFlow.
    return Variable(node.text("name"), schema.dtype_name(dtype), shape, trainable=True)


def _read_collections(message: Message) -> Dict[str, _Collection]:
    return {name: _Collection(value) for name, value in message.entries("collection_def").items()}


class _Collection:
    """A collection of a graph, of whatever kind its items are."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def __len__(self) -> int:
        return sum(part.count("value") for field, part in self._message.walk() if field.endswith("_list"))

    def items(self, kind: str) -> Iterator[Message]:
        """The items that are messages, as bytes or in an ``Any`` message."""
        for item in self._message.message("bytes_list").messages("value"):
            yield item.read_as(kind)
        for item in self._message.message("any_list").messages("value"):
            if item.text("type_url").endswith("." + kind):
                yield item.message("value").read_as(kind)

    def variable_names(self) -> List[str]:
        return [_node_of(item.text("variable_name")) for item in self.items("VariableDef")]


def _node_of(tensor: str) -> str:
    return tensor.rpartition(":")[0] or tensor


def _collected_variables(collections: Dict[str, _Collection], nodes: Dict[str, Variable]) -> Tuple[Variable, ...]:
    if not any(name in collections for name in _VARIABLE_COLLECTIONS):
        return tuple(nodes.values())
    # A variable that is in no more than another collection is local: it has no value in the checkpoint.
    names = collections["variables"].variable_names() if "variables" in collections else []
    training = collections.get("trainable_variables")
    trainable = frozenset(training.variable_names() if training is not None else ())
    unknown = Variable("", schema.dtype_name(0), None, False)
    described = [(name, nodes.get(name, unknown)) for name in names]
    return tuple(Variable(name, node.dtype, node.shape, name in trainable) for name, node in described)


def _read_assets(message: Message, collections: Dict[str, _Collection]) -> Tuple[str, ...]:
    """TensorFlow 1 keeps them in a collection, TensorFlow 2 in a field."""
    assets = list(message.messages("asset_file_def"))
    if "saved_model_assets" in collections:
        assets += collections["saved_model_assets"].items("AssetFileDef")
    return tuple(dict.fromkeys(asset.text("filename") for asset in assets))
