"""What a model is: its graphs, signatures, variables and ops.

``reader`` reads it from the files of a model; ``_plan/python_objects.py`` makes it for objects in memory.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterable, List, Optional, Tuple

from unihub._saved_model import keras_lambda, schema
from unihub._saved_model.checkpoint_index import Shape
from unihub._saved_model.unsafe_scan import UnsafeOp
from unihub._types import Format, Signature, Tensor


@dataclass(frozen=True)
class Variable:
    """A variable of a model.

    Attributes:
        name: As in the graph, without the ``:0``.
        dtype: The TensorFlow name of the dtype.
        shape: The shape; ``None`` if the rank is unknown.
        trainable: Whether training changes it.
    """

    name: str
    dtype: str
    shape: Shape
    trainable: bool

    @property
    def parameters(self) -> Optional[int]:
        """The number of elements of its value; ``None`` if the shape is unknown."""
        if self.shape is None or None in self.shape:
            return None
        number = 1
        for dimension in self.shape:
            number *= dimension or 0
        return number

    @property
    def nbytes(self) -> int:
        """The size of its value in bytes; 0 if it is unknown, as for strings."""
        return (self.parameters or 0) * schema.ITEM_BYTES.get(self.dtype, 0)

    @property
    def has_known_size(self) -> bool:
        """Whether its size is known."""
        return self.parameters is not None and self.dtype in schema.ITEM_BYTES


@dataclass(frozen=True)
class Totals:
    """The totals of some variables.

    Attributes:
        variables: The number of variables.
        parameters: The number of their elements, without those of unknown shape.
        nbytes: Their size in bytes, without those of unknown shape and strings.
        unknown_shapes: The number of variables of unknown shape.
        unknown_sizes: The number of variables of unknown size in bytes.
    """

    variables: int = 0
    parameters: int = 0
    nbytes: int = 0
    unknown_shapes: int = 0
    unknown_sizes: int = 0

    @classmethod
    def of(cls, variables: Iterable[Variable]) -> Totals:
        """Adds variables up."""
        counted = list(variables)
        parameters = [variable.parameters for variable in counted]
        return cls(
            variables=len(counted),
            parameters=sum(number or 0 for number in parameters),
            nbytes=sum(variable.nbytes for variable in counted),
            unknown_shapes=parameters.count(None),
            unknown_sizes=sum(not variable.has_known_size for variable in counted),
        )

    def to_dict(self) -> Dict[str, int]:
        """The totals as a dict for JSON."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        if not self.variables:
            return "none"
        text = "{} variable{}, {}{:,} parameters, {}{:,} bytes".format(
            self.variables,
            "" if self.variables == 1 else "s",
            "at least " if self.unknown_shapes else "",
            self.parameters,
            "at least " if self.unknown_sizes else "",
            self.nbytes,
        )
        notes = []
        if self.unknown_shapes:
            notes.append("{} of unknown shape".format(self.unknown_shapes))
        if self.unknown_sizes > self.unknown_shapes:
            notes.append("{} of unknown size".format(self.unknown_sizes - self.unknown_shapes))
        return "{} ({})".format(text, ", ".join(notes)) if notes else text


@dataclass(frozen=True)
class Call:
    """The ``__call__`` of a TF2 model.

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
    """The contents of a variant of a model.

    Attributes:
        ops: The types of the ops in its graph and its functions.
        variables: Its variables, without the slots of an optimizer.
        type_specs: The classes of the composite types in its functions' signatures.
        node_count: The number of nodes in its graph, without those in functions.
        function_count: The number of functions in its library, which determines how long loading takes.
        unsafe_ops: Its ops that do more than compute.
        registered_types: The composite types that a package has to register by name.
    """

    ops: FrozenSet[str] = frozenset()
    variables: Tuple[Variable, ...] = ()
    type_specs: FrozenSet[str] = frozenset()
    node_count: int = 0
    function_count: int = 0
    unsafe_ops: Tuple[UnsafeOp, ...] = ()
    registered_types: FrozenSet[str] = frozenset()

    def has_nodes(self, number: int) -> bool:
        """Whether it has at least this many nodes."""
        return self.node_count >= number

    def has_functions(self, number: int) -> bool:
        """Whether it has at least this many functions."""
        return self.function_count >= number


@dataclass(frozen=True)
class MetaGraph:
    """One variant of a model.

    Attributes:
        tags: The tags that select it.
        signatures: The named ways to call it, by name.
        contents: Its contents; each attribute is read from the file on first use.
        tensorflow_version: The TensorFlow that wrote it.
        assets: The names of its files in ``assets/``.
        collections: The names of the graph's collections and their numbers of items (0 for plain numbers).
        has_object_graph: Whether it holds Python objects, as TensorFlow 2 writes them.
        call: How the root object is called; ``None`` when it cannot be.
        attributes: The names of the root object's attributes.
    """

    tags: FrozenSet[str]
    signatures: Tuple[Signature, ...]
    contents: Contents = Contents()
    tensorflow_version: str = ""
    assets: Tuple[str, ...] = ()
    collections: Tuple[Tuple[str, int], ...] = ()
    has_object_graph: bool = False
    call: Optional[Call] = None
    attributes: FrozenSet[str] = frozenset()

    @property
    def ops(self) -> FrozenSet[str]:
        """The types of the ops in its graph and its functions."""
        return self.contents.ops

    @property
    def variables(self) -> Tuple[Variable, ...]:
        """Its variables, without the slots of an optimizer."""
        return self.contents.variables

    def collection_size(self, name: str) -> int:
        """The number of items of a collection; 0 if it does not exist."""
        return dict(self.collections).get(name, 0)

    def to_dict(self) -> Dict[str, Any]:
        """The variant as lists, dicts, strings and numbers."""
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
    """A model, as its files describe it. Its properties are those of the plain variant, which inference uses.

    Attributes:
        path: The directory.
        format: How the model is stored.
        meta_graphs: Its variants, in the order of the file.
        notes: Notes from the conversion that wrote it.
    """

    path: str
    format: Format
    meta_graphs: Tuple[MetaGraph, ...]
    notes: Tuple[str, ...] = ()

    @property
    def plain(self) -> MetaGraph:
        """The variant without tags of a tf1-hub model, or the one tagged ``serve`` of another; else the first."""
        tags = () if self.format is Format.TF1_HUB else ("serve",)
        return self.meta_graph(tags) or self.meta_graphs[0]

    def meta_graph(self, tags: Iterable[str]) -> Optional[MetaGraph]:
        """The variant with exactly these tags; ``None`` if there is none."""
        wanted = frozenset(tags)
        return next((meta_graph for meta_graph in self.meta_graphs if meta_graph.tags == wanted), None)

    @property
    def tag_sets(self) -> Tuple[FrozenSet[str], ...]:
        """The tags of each variant."""
        return tuple(meta_graph.tags for meta_graph in self.meta_graphs)

    @property
    def signatures(self) -> Tuple[Signature, ...]:
        """Its signatures."""
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
        """The size of its variables in bytes, without strings."""
        return sum(variable.nbytes for variable in self.variables)

    @property
    def trainable_totals(self) -> Totals:
        """The totals of its trainable variables."""
        return Totals.of(variable for variable in self.variables if variable.trainable)

    @property
    def frozen_totals(self) -> Totals:
        """The totals of its other variables."""
        return Totals.of(variable for variable in self.variables if not variable.trainable)

    @property
    def assets(self) -> Tuple[str, ...]:
        """The names of its files in ``assets/``."""
        return self.plain.assets

    @property
    def unsafe_ops(self) -> Tuple[UnsafeOp, ...]:
        """The ops of all variants that do more than compute, and Keras layers that are Python code."""
        # Read once: a load needs it twice.
        if "_unsafe_ops" not in vars(self):
            unsafe_ops = [op for meta_graph in self.meta_graphs for op in meta_graph.contents.unsafe_ops]
            unsafe_ops += [UnsafeOp(*layer) for layer in keras_lambda.in_directory(self.path)]
            vars(self)["_unsafe_ops"] = tuple(dict.fromkeys(unsafe_ops))
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
        """The model as lists, dicts, strings and numbers, for JSON. Later versions only add keys."""
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
        """The model as a table: labels with the lines of each."""
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
