"""The values of a module's variables: read them, and write them to the checkpoint of the module.

All graph variants of a module share one checkpoint, which has each variable under its name in the graph. A partitioned
variable is joined there. No op is added to a graph that holds variables, because the graph may be a user's.
"""

from __future__ import annotations

import os
from typing import Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from unihub import errors
from unihub._tf import packages, tracking
from unihub._tf.types import ArrayValue, Graph, Session, TfDType, TfShape, TfVariable

# The partitions of each variable, by the name of the variable; most variables have one.
Partitions = Mapping[str, List[TfVariable]]


class Variant(NamedTuple):
    """A graph variant while its module is written.

    Attributes:
        tags: Its tags.
        graph: The ``tf.Graph`` that its variables are in.
        variables: The partitions of its variables.
    """

    tags: FrozenSet[str]
    graph: Graph
    variables: Partitions


class _Declaration(NamedTuple):
    dtype: TfDType
    shape: TfShape
    tags: Optional[FrozenSet[str]]  # of the variant that declares the variable; None for the checkpoint

    def __str__(self) -> str:
        sizes = "?" if self.shape.ndims is None else ",".join(map(str, self.shape.as_list()))
        return "{}[{}]".format(self.dtype.name, sizes)


def collect(variants: Sequence[Variant], checkpoint: Optional[str]) -> Dict[str, ArrayValue]:
    """Read the values of all variables of all variants.

    Args:
        variants: The variants. They share variables of the same name.
        checkpoint: The prefix of a checkpoint; ``None`` for the initial values of the variables.

    Returns:
        The values by the names of the variables.

    Raises:
        InputError: Two variants, or a variant and the checkpoint, disagree on a variable, or the checkpoint lacks it.
        ModelNotFoundError: There is no such checkpoint.
    """
    declared: Dict[str, _Declaration] = {}
    for variant in variants:
        for name, partitions in variant.variables.items():
            declaration = _declare(partitions, variant.tags)
            _compare(name, declared.setdefault(name, declaration), declaration)
    return _initialize(variants) if checkpoint is None else _read(declared, checkpoint)


def fetch(session: Session, variables: Partitions) -> Dict[str, ArrayValue]:
    """The values that variables have in a session."""
    values = session.run({name: list(partitions) for name, partitions in variables.items()})
    return {name: _join(partitions, values[name]) for name, partitions in variables.items()}


def write(values: Mapping[str, ArrayValue], directory: str) -> None:
    """Write the checkpoint of the module in a directory; a module without variables has none."""
    if not values:
        return
    tf = packages.import_tensorflow()
    folder = os.path.join(directory, "variables")
    os.makedirs(folder)
    names = sorted(values)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        placeholders = [tf.compat.v1.placeholder(_dtype_of(values[name])) for name in names]
        save = tf.raw_ops.SaveV2(
            prefix=os.path.join(folder, "variables"),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=placeholders,
        )
        session.run(save, {placeholder: values[name] for placeholder, name in zip(placeholders, names)})


def partitions_of(graph: Graph) -> Dict[str, List[TfVariable]]:
    """The partitions of each variable of a graph."""
    partitions: Dict[str, List[TfVariable]] = {}
    for variable in graph.get_collection(packages.import_tensorflow().compat.v1.GraphKeys.GLOBAL_VARIABLES):
        slice_info = tracking.slice_of(variable)
        name = variable.op.name if slice_info is None else slice_info.full_name
        partitions.setdefault(name, []).append(variable)
    return partitions


def _declare(partitions: Sequence[TfVariable], tags: FrozenSet[str]) -> _Declaration:
    first = partitions[0]
    slice_info = tracking.slice_of(first)
    tensor_shape = packages.import_tensorflow().TensorShape
    shape = first.shape if slice_info is None else tensor_shape(list(slice_info.full_shape))
    return _Declaration(first.dtype.base_dtype, shape, tags)


def _compare(name: str, first: _Declaration, second: _Declaration) -> None:
    if first.dtype != second.dtype or not first.shape.is_compatible_with(second.shape):
        raise errors.InputError.variables_disagree(name, str(first), first.tags, str(second), second.tags)


def _read(declared: Mapping[str, _Declaration], checkpoint: str) -> Dict[str, ArrayValue]:
    tf = packages.import_tensorflow()
    reader = tf.train.load_checkpoint(_find_prefix(checkpoint))
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    missing = sorted(set(declared) - set(shapes))
    if missing:
        raise errors.InputError.missing_in_checkpoint(checkpoint, missing, sorted(shapes))
    for name, declaration in declared.items():
        stored = _Declaration(tf.as_dtype(dtypes[name]), tf.TensorShape(shapes[name]), None)
        _compare(name, declaration, stored)
    return {name: reader.get_tensor(name) for name in declared}


def _find_prefix(checkpoint: str) -> str:
    """The prefix of a checkpoint; for a directory, of the latest checkpoint in it."""
    tf = packages.import_tensorflow()
    prefix = tf.train.latest_checkpoint(checkpoint) if tf.io.gfile.isdir(checkpoint) else checkpoint
    if not prefix or not any(tf.io.gfile.exists(prefix + suffix) for suffix in ("", ".index")):
        raise errors.ModelNotFoundError.no_checkpoint(checkpoint)
    return str(prefix)


def _initialize(variants: Sequence[Variant]) -> Dict[str, ArrayValue]:
    """The initial values, from as few sessions as possible, because an initializer may read another variable."""
    v1 = packages.import_tensorflow().compat.v1
    values: Dict[str, ArrayValue] = {}
    for variant in sorted(variants, key=lambda each: -len(each.variables)):
        if set(variant.variables) <= set(values):
            continue
        with v1.Session(graph=variant.graph) as session:
            session.run(variant.graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS))
            session.run([each.initializer for partitions in variant.variables.values() for each in partitions])
            values = dict(fetch(session, variant.variables), **values)
    return values


def _join(partitions: Sequence[TfVariable], values: Sequence[ArrayValue]) -> ArrayValue:
    if tracking.slice_of(partitions[0]) is None:
        return values[0]
    joined = np.empty(list(tracking.slice_of(partitions[0]).full_shape), values[0].dtype)
    for partition, value in zip(partitions, values):
        info = tracking.slice_of(partition)
        joined[tuple(slice(start, start + size) for start, size in zip(info.var_offset, info.var_shape))] = value
    return joined


def _dtype_of(value: ArrayValue) -> TfDType:
    # Texts from a session are NumPy objects; those from a checkpoint are bytes.
    tf = packages.import_tensorflow()
    kind = np.asarray(value).dtype
    return tf.string if kind.kind in "OSU" else tf.as_dtype(kind)
