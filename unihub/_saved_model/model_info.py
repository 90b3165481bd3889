"""What a model is: its graphs, signatures, variables and ops, read from its files without TensorFlow.

Everything that is decided later rests on this, so it says what the files say and nothing more. Only names and
headers are read, never constants or variables, and read once more where a file is another one the next time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, Optional, Set, Tuple, Union

from unihub._saved_model import conversion_report, formats, keras_lambda, schema, unsafe_scan
from unihub._saved_model.checkpoint_index import Shape, read_shape
from unihub._saved_model.totals import Totals
from unihub._saved_model.unsafe_scan import UnsafeOp
from unihub._saved_model.wire import Message
from unihub._types import Format, Signature, Tensor

# TensorFlow 2 keeps its initialisers as signatures that nobody calls.
_PSEUDO_SIGNATURES = frozenset(("__saved_model_init_op", "__saved_model_train_op"))

_VARIABLE_OPS = frozenset(("VarHandleOp", "VariableV2", "Variable"))
_VARIABLE_COLLECTIONS = ("variables", "trainable_variables", "local_variables")

_TYPE_SPEC_KINDS = {"SparseTensorSpec": "sparse", "RaggedTensorSpec": "ragged"}


@dataclass(frozen=True)
class Variable:
    """A variable of a model.

    Attributes:
        name: As in the graph, without the ``:0``.
        dtype: The TensorFlow name of the dtype.
        shape: The shape, ``None`` as a whole when the rank is unknown.
        trainable: Whether training changes it.
    """

    name: str
    dtype: str
    shape: Shape
    trainable: bool

    @property
    def parameters(self) -> Optional[int]:
        """How many numbers its value has; ``None`` where the files do not tell the shape."""
        if self.shape is None or None in self.shape:
            return None
        number = 1
        for dimension in self.shape:
            number *= dimension or 0
        return number

    @property
    def nbytes(self) -> int:
        """The size of its value; 0 where the files do not tell, as for strings."""
        return (self.parameters or 0) * schema.ITEM_BYTES.get(self.dtype, 0)

    @property
    def has_known_size(self) -> bool:
        """Whether the files tell how large it is."""
        return self.parameters is not None and self.dtype in schema.ITEM_BYTES


@dataclass(frozen=True)
class Call:
    """How the ``__call__`` of a TF2 model is called.

    Attributes:
        arguments: The names of its arguments, keyword-only ones last, without ``self``.
        traces: The number of concrete functions it has, each for other shapes, dtypes or Python values.
    """

    arguments: Tuple[str, ...]
    traces: int

    @property
    def takes_training(self) -> bool:
        """Whether it has an argument named ``training``."""
        return "training" in self.arguments

    def __str__(self) -> str:
        traces = "1 trace" if self.traces == 1 else "{} traces".format(self.traces)
        return "__call__({}), {}".format(", ".join(self.arguments), traces)


@dataclass(frozen=True)
class Contents:
    """What a variant of a model is made of.

    Attributes:
        ops: The types of the ops in its graph and its functions.
        variables: Its variables, without the slots of an optimizer.
        type_specs: The classes of the composite types in its functions' signatures.
        node_count: The number of nodes in its graph, those in functions left out.
        function_count: The number of functions in its library, which is what loading it takes time for.
        unsafe_ops: Its ops that do more than compute.
        registered_types: Those of the composite types that a package has to register by their names.
    """

    ops: FrozenSet[str] = frozenset()
    variables: Tuple[Variable, ...] = ()
    type_specs: FrozenSet[str] = frozenset()
    node_count: int = 0
    function_count: int = 0
    unsafe_ops: Tuple[UnsafeOp, ...] = ()
    registered_types: FrozenSet[str] = frozenset()

    def has_nodes(self, number: int) -> bool:
        """Whether it has at least so many nodes."""
        return self.node_count >= number

    def has_functions(self, number: int) -> bool:
        """Whether it has at least so many functions."""
        return self.function_count >= number


class _LaterContents:
    """The same, each read when it is first asked for: all of it takes longer than what loading a model needs."""

    def __init__(self, file: formats.GraphFile, number: int) -> None:
        self._file = file
        self._number = number
        self._known: Dict[Tuple[str, int], bool] = {}

    def __getattr__(self, name: str) -> Any:
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

    def __eq__(self, other: Any) -> bool:
        return all(getattr(self, name) == getattr(other, name, None) for name in _READERS)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in _READERS))


@dataclass(frozen=True)
class MetaGraph:
    """One variant of a model.

    Attributes:
        tags: The tags it is chosen by.
        signatures: The named ways to call it, by name.
        contents: What it is made of; of what lies in a file, each part is read when it is first asked for.
        tensorflow_version: The TensorFlow that wrote it.
        assets: The names of the files it reads, in ``assets/``.
        collections: The names of the graph's collections and how many items each has (0 for bare numbers).
        has_object_graph: Whether it holds Python objects, as TensorFlow 2 writes them.
        call: How the root object is called; ``None`` when it cannot be.
        attributes: The names of the root object's attributes.
    """

    tags: FrozenSet[str]
    signatures: Tuple[Signature, ...]
    contents: Any = Contents()
    tensorflow_version: str = ""
    assets: Tuple[str, ...] = ()
    collections: Tuple[Tuple[str, int], ...] = ()
    has_object_graph: bool = False
    call: Optional[Call] = None
    attributes: FrozenSet[str] = frozenset()

    @property
    def ops(self) -> FrozenSet[str]:
        """The types of the ops in its graph and its functions."""
        return self.contents.ops  # type: ignore[no-any-return]

    @property
    def variables(self) -> Tuple[Variable, ...]:
        """Its variables, without the slots of an optimizer."""
        return self.contents.variables  # type: ignore[no-any-return]

    def collection_size(self, name: str) -> int:
        """How many items a collection has, 0 when there is none of the name."""
        return dict(self.collections).get(name, 0)

    def to_dict(self) -> Dict[str, Any]:
        """The same as plain lists, dicts, texts and numbers."""
        return {
            "tags": sorted(self.tags),
            "signatures": {signature.name: _signature_dict(signature) for signature in self.signatures},
            "ops": sorted(self.ops),
            "tensorflow_version": self.tensorflow_version,
            "assets": list(self.assets),
            "variables": [_variable_dict(variable) for variable in self.variables],
            "collections": dict(self.collections),
            "has_object_graph": self.has_object_graph,
            "call": {"arguments": list(self.call.arguments), "traces": self.call.traces} if self.call else None,
            "attributes": sorted(self.attributes),
            "type_specs": sorted(self.contents.type_specs),
            "node_count": self.contents.node_count,
            "function_count": self.contents.function_count,
        }


@dataclass(frozen=True)
class ModelInfo:
    """What was found at a path. The properties speak of the plain variant, which is what inference uses.

    Attributes:
        path: The directory.
        format: How the model is stored.
        meta_graphs: Its variants, in the order of the file.
        notes: What else is known of it, from the conversion that wrote it.
    """

    path: str
    format: Format
    meta_graphs: Tuple[MetaGraph, ...]
    notes: Tuple[str, ...] = ()

    @property
    def plain(self) -> MetaGraph:
        """The variant without tags of a tf1-hub model, the one tagged ``serve`` of another; else the first."""
        tags = () if self.format is Format.TF1_HUB else ("serve",)
        return self.meta_graph(tags) or self.meta_graphs[0]

    def meta_graph(self, tags: Iterable[str]) -> Optional[MetaGraph]:
        """The variant with exactly these tags, ``None`` when there is none."""
        wanted = frozenset(tags)
        return next((meta_graph for meta_graph in self.meta_graphs if meta_graph.tags == wanted), None)

    @property
    def tag_sets(self) -> Tuple[FrozenSet[str], ...]:
        """The tags of each variant."""
        return tuple(meta_graph.tags for meta_graph in self.meta_graphs)

    @property
    def signatures(self) -> Tuple[Signature, ...]:
        """The named ways to call it."""
        return self.plain.signatures

    @property
    def ops(self) -> FrozenSet[str]:
        """The types of its ops."""
        return self.plain.ops

    @property
    def variables(self) -> Tuple[Variable, ...]:
        """Its variables."""
        return self.plain.variables

    @property
    def variable_count(self) -> int:
        """The number of its variables."""
        return len(self.variables)

    @property
    def variable_bytes(self) -> int:
        """The size of its variables, strings left out."""
        return sum(variable.nbytes for variable in self.variables)

    @property
    def trainable_totals(self) -> Totals:
        """How many variables, parameters and bytes training changes."""
        return Totals.of(variable for variable in self.variables if variable.trainable)

    @property
    def frozen_totals(self) -> Totals:
        """How many it does not."""
        return Totals.of(variable for variable in self.variables if not variable.trainable)

    @property
    def assets(self) -> Tuple[str, ...]:
        """The names of the files it reads."""
        return self.plain.assets

    @property
    def unsafe_ops(self) -> Tuple[UnsafeOp, ...]:
        """The ops of all its variants that do more than compute, and Keras layers that are Python code."""
        # Read once, as all else here: a load asks for it twice.
        if "_unsafe_ops" not in vars(self):
            found = [op for meta_graph in self.meta_graphs for op in meta_graph.contents.unsafe_ops]
            found += [UnsafeOp(*layer) for layer in keras_lambda.in_directory(self.path)]
            vars(self)["_unsafe_ops"] = tuple(dict.fromkeys(found))
        return vars(self)["_unsafe_ops"]  # type: ignore[no-any-return]

    @property
    def tensorflow_version(self) -> str:
        """The TensorFlow that wrote it."""
        return self.plain.tensorflow_version

    @property
    def has_object_graph(self) -> bool:
        """Whether it holds Python objects."""
        return self.plain.has_object_graph

    @property
    def callable(self) -> bool:
        """Whether it can be called without a signature."""
        return self.plain.call is not None

    @property
    def takes_training(self) -> bool:
        """Whether such a call takes ``training=``."""
        return self.plain.call is not None and self.plain.call.takes_training

    def to_dict(self) -> Dict[str, Any]:
        """The same as plain lists, dicts, texts and numbers, fit for JSON. Keys are only ever added to it."""
        return {
            "path": self.path,
            "format": str(self.format),
            "tensorflow_version": self.tensorflow_version,
            "tag_sets": [sorted(tags) for tags in self.tag_sets],
            "signatures": {signature.name: _signature_dict(signature) for signature in self.signatures},
            "has_object_graph": self.has_object_graph,
            "callable": self.callable,
            "takes_training": self.takes_training,
            "variable_count": self.variable_count,
            "variable_bytes": self.variable_bytes,
            "trainable": self.trainable_totals.to_dict(),
            "frozen": self.frozen_totals.to_dict(),
            "assets": list(self.assets),
            "ops": sorted(self.ops),
            "unsafe_ops": [dataclasses.asdict(op) for op in self.unsafe_ops],
            "meta_graphs": [meta_graph.to_dict() for meta_graph in self.meta_graphs],
            "notes": list(self.notes),
        }

    def rows(self) -> List[Tuple[str, List[str]]]:
        """The same as a table: labels, and the lines beside each."""
        call = self.plain.call
        return [
            ("format", [str(self.format)]),
            ("written by", ["TensorFlow {}".format(self.tensorflow_version or "of an unknown version")]),
            ("variants", [_tags_text(tags) for tags in self.tag_sets]),
            ("signatures", [str(signature) for signature in self.signatures] or ["none"]),
            ("callable", [str(call) if call else "no"]),
            ("trainable", [str(self.trainable_totals)]),
            ("frozen", [str(self.frozen_totals)]),
            ("assets", list(self.assets) or ["none"]),
            ("ops", ["{} types".format(len(self.ops))]),
            ("unsafe ops", [str(op) for op in self.unsafe_ops] or ["none"]),
            ("notes", list(self.notes)),
        ]

    def __str__(self) -> str:
        lines = [self.path]
        for label, values in self.rows():
            lines += ["  {:<12}{}".format(label if not number else "", text) for number, text in enumerate(values)]
        return "\n".join(lines)


def inspect(path: Union[str, os.PathLike[str]]) -> ModelInfo:
    """Reads what a model is.

    Args:
        path: The directory of the model.

    Returns:
        What its files say.

    Raises:
        ModelNotFoundError: Nothing is there.
        UnknownFormatError: It is no model of ours; the error says what it is, where that can be seen.
        IntegrityError: It was a model, but files are missing, cut short or damaged.
    """
    path = os.fspath(path)
    return _inspect(path, formats.model_files(path))


@functools.lru_cache(maxsize=32)
def _inspect(path: str, files: Any) -> ModelInfo:
    """The same, kept for as long as the files stay the same: it takes longer than what else loading a model needs."""
    with formats.saved_model(path) as (message, file):
        variants = enumerate(message.messages("meta_graphs"))
        meta_graphs = tuple(_read_meta_graph(each, _LaterContents(file, number)) for number, each in variants)
    kind = formats.name_format(path, any(meta_graph.has_object_graph for meta_graph in meta_graphs))
    # TensorFlow 2 restores even the checkpoint of a model that has no variables.
    has_variables = any(meta_graph.has_object_graph or meta_graph.variables for meta_graph in meta_graphs)
    assets = dict.fromkeys(name for meta_graph in meta_graphs for name in meta_graph.assets)
    formats.check_whole(path, has_variables, assets)
    return ModelInfo(path, kind, meta_graphs, conversion_report.read_notes(path))


def _read_meta_graph(message: Message, contents: _LaterContents) -> MetaGraph:
    information = message.message("meta_info_def")
    collections = _read_collections(message)
    objects = _object_graph(message)
    call, attributes = (objects.call(), objects.attributes()) if objects else (None, frozenset())
    return MetaGraph(
        tags=frozenset(information.texts("tags")),
        signatures=_read_signatures(message),
        contents=contents,
        tensorflow_version=information.text("tensorflow_version"),
        assets=_read_assets(message, collections),
        collections=tuple(sorted((name, len(collection)) for name, collection in collections.items())),
        has_object_graph=objects is not None,
        call=call,
        attributes=attributes,
    )


def _object_graph(message: Message) -> Optional[_ObjectGraph]:
    return _ObjectGraph(message.message("object_graph_def").load()) if message.has("object_graph_def") else None


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
    """A type describes itself by a tuple, of which the first shape and dtype are those of the whole."""
    class_name = _type_spec_class(type_spec)
    state = list(type_spec.message("type_state").message("tuple_value").messages("values"))
    shapes = [value.message("tensor_shape_value") for value in state if value.has("tensor_shape_value")]
    dtypes = [value.number("tensor_dtype_value") for value in state if value.has("tensor_dtype_value")]
    return Tensor(
        name,
        schema.dtype_name(dtypes[0] if dtypes else 0),
        read_shape(shapes[0]) if shapes else None,
        _TYPE_SPEC_KINDS.get(class_name, class_name),
    )


def _type_spec_class(message: Message) -> str:
    # Before TensorFlow 2.3 the number alone told it.
    return message.text("type_spec_class_name") or schema.TYPE_SPECS.get(message.number("type_spec_class"), "unknown")


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
_READERS: Dict[str, Callable[[Message], Any]] = {
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
        """The items that are messages, which stand as bytes or within an ``Any``."""
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


# The objects of TensorFlow 2.


class _ObjectGraph:
    """The Python objects of a model, of which the first is what loading it gives."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._root = self._node(0)
        # In the order of the children; there may be thousands, of which one matters.
        self._names = list(self._root.texts_within("children", "local_name")) if self._root is not None else []

    def attributes(self) -> FrozenSet[str]:
        return frozenset(self._names)

    def call(self) -> Optional[Call]:
        if "__call__" not in self._names:
            return None
        place = self._names.index("__call__")
        child = next(itertools.islice(self._children(self._root), place, None))
        node = self._node(child.number("node_id") or -1)
        return _read_call(node) if node is not None else None

    def variables(self) -> Tuple[Variable, ...]:
        nodes = list(self._message.messages("nodes"))
        slots: Set[int] = set()
        variables: Dict[int, Message] = {}
        for number, node in enumerate(nodes):
            for field, part in node.walk("slot_variables", "variable"):
                if field == "variable":
                    variables[number] = part
                else:
                    slots.add(part.number("slot_variable_node_id"))
        is_plain = not slots and all(variable.has("name") for variable in variables.values())
        paths = {} if is_plain else self._paths(nodes)
        return tuple(
            _read_saved_variable(variable, paths.get(number, ""))
            for number, variable in variables.items()
            if number in paths or number not in slots
        )

    def type_specs(self, kind: Optional[int] = None) -> FrozenSet[str]:
        """The classes of the composite types, or those of one kind."""
        found: Set[str] = set()
        for function in self._message.messages("concrete_functions"):
            if not function.may_mention("StructuredValue", "type_spec_value"):
                continue
            function = function.message("value")
            found |= _type_specs_in(function.message("canonicalized_input_signature"), kind)
            found |= _type_specs_in(function.message("output_signature"), kind)
        return frozenset(found)

    def _node(self, number: int) -> Optional[Message]:
        # Those before it are only counted, and those behind it not even that.
        return next(itertools.islice(self._message.messages("nodes"), number, None), None) if number >= 0 else None

    def _children(self, node: Optional[Message]) -> Iterator[Message]:
        return node.messages("children") if node is not None else iter(())

    def _paths(self, nodes: List[Message]) -> Dict[int, str]:
        """The way by attributes from the root to each object that has one; slots of an optimizer have none."""
        paths = {0: ""}
        queue = [0]
        for number in queue:
            for child in self._children(nodes[number] if number < len(nodes) else None):
                found = child.number("node_id")
                if found not in paths and 0 <= found < len(nodes):
                    paths[found] = "{}/{}".format(paths[number], child.text("local_name")).lstrip("/")
                    queue.append(found)
        return paths


def _read_saved_variable(message: Message, path: str) -> Variable:
    return Variable(
        # Before TensorFlow 2.1 variables were saved without their names.
        message.text("name") or path,
        schema.dtype_name(message.number("dtype")),
        read_shape(message.message("shape")),
        bool(message.number("trainable")),
    )


def _read_call(node: Message) -> Optional[Call]:
    if node.has("bare_concrete_function"):
        return Call(tuple(node.message("bare_concrete_function").texts("argument_keywords")), traces=1)
    if not node.has("function"):
        return None
    function = node.message("function")
    specification = function.message("function_spec")
    fields = specification.message("fullargspec").message("named_tuple_value").entries("values")
    arguments = _texts_in(fields.get("args"))
    # Some exporters drop ``self`` and say that it is no method any more, others keep it.
    if arguments[:1] == ["self"] or specification.number("is_method"):
        arguments = arguments[1:]
    return Call(tuple(arguments + _texts_in(fields.get("kwonlyargs"))), function.count("concrete_functions"))


def _texts_in(value: Optional[Message]) -> List[str]:
    """The texts of a list or a tuple."""
    lists = [value.message(field) for field in ("list_value", "tuple_value")] if value is not None else []
    return [item.text("string_value") for part in lists for item in part.messages("values")]


def _type_specs_in(value: Message, kind: Optional[int]) -> Set[str]:
    """The classes of the types anywhere within a structured value."""
    found: Set[str] = set()
    open_values = [value]
    for message in open_values:
        for field, part in message.walk():
            if field == "type_spec_value" and kind in (None, part.number("type_spec_class")):
                found.add(_type_spec_class(part))
            if field != "tensor_shape_value":
                open_values.append(part)
    return found


# What JSON gets.


def _signature_dict(signature: Signature) -> Dict[str, Any]:
    return {
        "inputs": [_tensor_dict(tensor) for tensor in signature.inputs],
        "outputs": [_tensor_dict(tensor) for tensor in signature.outputs],
        "method_name": signature.method_name,
    }


def _tensor_dict(tensor: Tensor) -> Dict[str, Any]:
    shape = None if tensor.shape is None else list(tensor.shape)
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": shape, "kind": tensor.kind}


def _variable_dict(variable: Variable) -> Dict[str, Any]:
    return {
        "name": variable.name,
        "dtype": variable.dtype,
        "shape": None if variable.shape is None else list(variable.shape),
        "trainable": variable.trainable,
        "nbytes": variable.nbytes,
    }


def _tags_text(tags: FrozenSet[str]) -> str:
    return "{{{}}}".format(", ".join(sorted(tags))) if tags else "{} (plain)"
