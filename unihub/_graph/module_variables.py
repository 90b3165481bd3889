"""The values of a module's variables: where they come from, and the checkpoint of the module that they go to.

All graph variants of a module share one checkpoint, in which a variable has its name in the graph; of one that is
partitioned the checkpoint has the whole. No ops are added to any graph that holds variables: it may be a user's.
"""

from __future__ import annotations

import os
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from unihub import errors
from unihub._tf import packages, tracking

Parts = Mapping[str, List[Any]]


class Variant(NamedTuple):
    """A graph variant while its module is written.

    Attributes:
        tags: Its tags.
        graph: The ``tf.Graph`` that its variables are in.
        variables: The parts of each variable by the variable's name; most have one.
    """

    tags: FrozenSet[str]
    graph: Any
    variables: Parts


class _Declaration(NamedTuple):
    dtype: Any
    shape: Any
    tags: Optional[FrozenSet[str]]  # of the variant that declares it; None for the checkpoint

    def __str__(self) -> str:
        sizes = "?" if self.shape.ndims is None else ",".join(map(str, self.shape.as_list()))
        return "{}[{}]".format(self.dtype.name, sizes)


def collect(variants: Sequence[Variant], checkpoint: Optional[str]) -> Dict[str, Any]:
    """The values of all variables of all variants.

    Args:
        variants: The variants; variables of the same name are the same variable.
        checkpoint: The prefix of a checkpoint; ``None`` for the variables' initial values.

    Returns:
        The values by the variables' names.

    Raises:
        InputError: Two variants, or a variant and the checkpoint, disagree on a variable, or the checkpoint lacks it.
        ModelNotFoundError: There is no such checkpoint.
    """
    declared: Dict[str, _Declaration] = {}
    for variant in variants:
        for name, parts in variant.variables.items():
            found = _declare(parts, variant.tags)
            _compare(name, declared.setdefault(name, found), found)
    return _initialize(variants) if checkpoint is None else _read(declared, checkpoint)


def fetch(session: Any, variables: Parts) -> Dict[str, Any]:
    """The values that variables have in a session."""
    found = session.run({name: list(parts) for name, parts in variables.items()})
    return {name: _join(parts, found[name]) for name, parts in variables.items()}


def write(values: Mapping[str, Any], directory: str) -> None:
    """Writes the checkpoint of the module in a directory; a module without variables has none."""
    if not values:
        return
    tf = packages.import_tensorflow()
    folder = os.path.join(directory, "variables")
    os.makedirs(folder)
    names = sorted(values)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        places = [tf.compat.v1.placeholder(_dtype_of(values[name])) for name in names]
        save = tf.raw_ops.SaveV2(
            prefix=os.path.join(folder, "variables"),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=places,
        )
        session.run(save, {place: values[name] for place, name in zip(places, names)})


def parts_of(graph: Any) -> Dict[str, List[Any]]:
    """The parts of each variable of a graph."""
    found: Dict[str, List[Any]] = {}
    for variable in graph.get_collection(packages.import_tensorflow().compat.v1.GraphKeys.GLOBAL_VARIABLES):
        part = tracking.slice_of(variable)
        found.setdefault(variable.op.name if part is None else part.full_name, []).append(variable)
    return found


def _declare(parts: Sequence[Any], tags: FrozenSet[str]) -> _Declaration:
    part = tracking.slice_of(parts[0])
    shape = parts[0].shape if part is None else packages.import_tensorflow().TensorShape(list(part.full_shape))
    return _Declaration(parts[0].dtype.base_dtype, shape, tags)


def _compare(name: str, first: _Declaration, second: _Declaration) -> None:
    if first.dtype != second.dtype or not first.shape.is_compatible_with(second.shape):
        raise errors.InputError.variables_disagree(name, str(first), first.tags, str(second), second.tags)


def _read(declared: Mapping[str, _Declaration], checkpoint: str) -> Dict[str, Any]:
    tf = packages.import_tensorflow()
    reader = tf.train.load_checkpoint(_find(checkpoint))
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    missing = sorted(set(declared) - set(shapes))
    if missing:
        raise errors.InputError.missing_in_checkpoint(checkpoint, missing, sorted(shapes))
    for name, declaration in declared.items():
        there = _Declaration(tf.as_dtype(dtypes[name]), tf.TensorShape(shapes[name]), None)
        _compare(name, declaration, there)
    return {name: reader.get_tensor(name) for name in declared}


def _find(checkpoint: str) -> str:
    """The prefix of a checkpoint, which may be told by the directory that training wrote it to."""
    tf = packages.import_tensorflow()
    prefix = tf.train.latest_checkpoint(checkpoint) if tf.io.gfile.isdir(checkpoint) else checkpoint
    if not prefix or not any(tf.io.gfile.exists(prefix + suffix) for suffix in ("", ".index")):
        raise errors.ModelNotFoundError.no_checkpoint(checkpoint)
    return str(prefix)


def _initialize(variants: Sequence[Variant]) -> Dict[str, Any]:
    """The initial values, as many as can be in one session: one initializer may read another variable."""
    v1 = packages.import_tensorflow().compat.v1
    values: Dict[str, Any] = {}
    for variant in sorted(variants, key=lambda each: -len(each.variables)):
        if set(variant.variables) <= set(values):
            continue
        with v1.Session(graph=variant.graph) as session:
            session.run(variant.graph.get_collection(v1.GraphKeys.TABLE_INITIALIZERS))
            session.run([part.initializer for parts in variant.variables.values() for part in parts])
            values = dict(fetch(session, variant.variables), **values)
    return values


def _join(parts: Sequence[Any], values: Sequence[Any]) -> Any:
    if tracking.slice_of(parts[0]) is None:
        return values[0]
    whole = np.empty(list(tracking.slice_of(parts[0]).full_shape), values[0].dtype)
    for part, value in zip(parts, values):
        place = tracking.slice_of(part)
        whole[tuple(slice(start, start + size) for start, size in zip(place.var_offset, place.var_shape))] = value
    return whole


def _dtype_of(value: Any) -> Any:
    # Texts are objects to numpy where they come from a session, and bytes where they come from a checkpoint.
    tf = packages.import_tensorflow()
    kind = np.asarray(value).dtype
    return tf.string if kind.kind in "OSU" else tf.as_dtype(kind)
