"""What any engine needs of a model: rows are put together to a batch, and what comes out is taken apart again.

A row that the model cannot take must not cost the others their result: a batch that fails is halved until the bad rows
stand alone.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, TypeVar, cast

from unihub import errors
from unihub._tf import packages

_Row = TypeVar("_Row")


class Source(NamedTuple):
    """What is loaded, and how: plain values, which can be sent to another process.

    Attributes:
        handle: The handle.
        signature: The signature that is called.
        options: The other arguments of ``unihub.load``.
    """

    handle: str
    signature: Optional[str]
    options: Dict[str, Any]


def name_source(handle: object, signature: Optional[str], **options: Any) -> Source:
    """Names a model so that another process finds it.

    Args:
        handle: A handle. A directory or archive is made absolute, for a worker may be somewhere else.
        signature: As for ``unihub.load``.
        **options: As for ``unihub.load``.

    Returns:
        What a worker loads.

    Raises:
        HandleError: The handle is an object of this process, and names no place.
    """
    if not isinstance(handle, (str, bytes, os.PathLike)):
        raise errors.HandleError.not_a_place(handle)
    # A model that is to be trained would become a Keras layer.
    options["api"] = "load" if options.get("trainable") else "auto"
    if options.get("tags") is not None:
        options["tags"] = tuple(options["tags"]) if not isinstance(options["tags"], str) else options["tags"]
    name = os.fsdecode(handle)
    return Source(os.path.abspath(name) if os.path.exists(name) else name, signature, options)


class BatchModel:
    """A model in a worker, which takes a list of rows, each without the dimension of the batch.

    Where each row is a batch already, it is a call by itself, and its result has the dimension of the batch, too.
    """

    def __init__(self, source: Source, batched: bool = False) -> None:
        from unihub import _api

        self.source = source
        self._predict = self._predict_each if batched else self._predict_together
        self.model = _api.load(source.handle, signature=source.signature, **source.options)

    def __call__(self, rows: Sequence[object], arguments: Mapping[str, object], isolate: bool = False) -> List[object]:
        """Runs the model on rows.

        Args:
            rows: The rows: values, or dicts of values by the name of the input.
            arguments: What all rows share: inputs of the signature, or arguments of the call such as ``training``.
            isolate: Whether a row that fails is answered by its error, and the others by their results.

        Returns:
            For each row the outputs, as numpy arrays in the structure in which the model gives them.

        Raises:
            UnihubError: A row does not fit, or TensorFlow failed at it, and it is not to be isolated.
        """
        return self.run(rows, lambda some: self._predict(some, arguments), isolate)

    def run(
        self, rows: Sequence[_Row], predict: Callable[[Sequence[_Row]], List[object]], isolate: bool
    ) -> List[object]:
        """Predicts rows; with ``isolate`` those that fail are found by halving, and answered by their errors."""
        try:
            return predict(rows)
        except errors.UnihubError as error:
            if not isolate:
                raise
            if len(rows) == 1:
                return [_bare(error)]
        half = len(rows) // 2
        return self.run(rows[:half], predict, True) + self.run(rows[half:], predict, True)

    def _predict_together(self, rows: Sequence[object], arguments: Mapping[str, object]) -> List[object]:
        return split(self._call(stack(rows), arguments), len(rows))

    def _predict_each(self, batches: Sequence[object], arguments: Mapping[str, object]) -> List[object]:
        return [_as_arrays(self._call(_unstacked(batch), arguments)) for batch in batches]

    def _call(self, inputs: object, arguments: Mapping[str, object]) -> object:
        inputs, others = self._bind(inputs, arguments)
        # Arguments of the call, such as training, are of types of their own.
        return self.model(inputs, **cast("Dict[str, Any]", others))

    def _bind(self, inputs: object, arguments: Mapping[str, object]) -> Tuple[object, Mapping[str, object]]:
        """Inputs and further arguments of a call: what has the name of an input of the signature is one."""
        signature = self.model.plan.signature
        if signature is None:
            return inputs, arguments
        names = {tensor.name for tensor in signature.inputs}
        shared = {name: value for name, value in arguments.items() if name in names}
        others = {name: value for name, value in arguments.items() if name not in names}
        if not isinstance(inputs, Mapping):
            free = sorted(names - set(shared))
            inputs = {free[0]: inputs} if len(free) == 1 else inputs
        if isinstance(inputs, Mapping):
            shapes = {tensor.name: tensor.shape for tensor in signature.inputs}
            inputs = {name: _as_column(value, shapes.get(name)) for name, value in inputs.items()}
            inputs = {**inputs, **shared}
        return inputs, others


def _bare(error: errors.UnihubError) -> errors.UnihubError:
    """The error without its traceback and cause, which would keep the whole batch alive, and cannot be pickled."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def _as_column(values: Any, shape: Optional[Tuple[Optional[int], ...]]) -> object:
    """Single values for an input that wants rows of one each, as models of texts do that Keras wrote."""
    if shape is None or len(shape) != 2 or shape[1] != 1:
        return values
    if isinstance(values, list):
        return [[value] for value in values] if not isinstance(values[0], (list, tuple)) else values
    return values.reshape(-1, 1) if values.ndim == 1 else values


def stack(rows: Sequence[object]) -> object:
    """Makes one input of many rows: an array or a list with the rows in its first dimension, or a dict of these.

    Args:
        rows: Values: arrays, tensors, numbers, texts, lists; or dicts of these, or rows with names.

    Returns:
        What the model is called with.

    Raises:
        InputError: The rows have different names, dtypes or shapes.
    """
    first = _named(rows[0])
    if not isinstance(first, Mapping):
        return _stack_values(rows)
    named: List[Mapping[str, object]] = []
    for row in map(_named, rows):
        if not isinstance(row, Mapping) or set(row) != set(first):
            given = sorted(row) if isinstance(row, Mapping) else type(row).__name__
            raise errors.InputError.rows_differ("names", sorted(first), given)
        named.append(row)
    return {name: _stack_values([row[name] for row in named]) for name in first}


def _named(row: object) -> object:
    """A dict of a row of named values: a named tuple, or a Row of the engine."""
    return row._asdict() if hasattr(row, "_asdict") else row


def _unstacked(batch: object) -> object:
    """A row that is a batch already, as ``stack`` gives one."""
    import numpy as np

    batch = _named(batch)
    if isinstance(batch, Mapping):
        return {name: _unstacked(values) for name, values in batch.items()}
    if hasattr(batch, "__array__"):
        return np.asarray(batch)
    return list(batch) if isinstance(batch, tuple) else batch


def _stack_values(values: Sequence[object]) -> object:
    import numpy as np

    # Python's own values are converted with the dtype of the model in mind, as unihub.load does it.
    texts = sum(isinstance(value, (str, bytes)) for value in values)
    if texts or not any(hasattr(value, "__array__") for value in values):
        if texts not in (0, len(values)):
            # numpy would make texts of the others.
            raise errors.InputError.rows_differ("types", *_first_and_other(values))
        return list(values)
    arrays = [np.asarray(value) for value in values]
    first = arrays[0]
    for array in arrays:
        if array.shape != first.shape:
            raise errors.InputError.rows_differ("shapes", first.shape, array.shape)
        if (array.dtype.kind in "USO") != (first.dtype.kind in "USO"):
            raise errors.InputError.rows_differ("dtypes", first.dtype, array.dtype)
    return np.stack(arrays)


def _first_and_other(values: Sequence[object]) -> List[str]:
    """The name of the first value's type, and of that of one that is no text where it is one, or the reverse."""
    names = [type(value).__name__ for value in values]
    is_text = [isinstance(value, (str, bytes)) for value in values]
    return [names[0], names[is_text.index(not is_text[0])]]


def split(outputs: object, count: int) -> List[object]:
    """Takes the outputs of a batch apart.

    Args:
        outputs: Tensors in a nest.
        count: The number of rows.

    Returns:
        For each row the same nest of numpy arrays.

    Raises:
        InputError: An output has not one row for each that went in.
    """
    nest = packages.import_tensorflow().nest
    columns = [_rows_of(tensor, count) for tensor in nest.flatten(outputs)]
    if not nest.is_nested(outputs):
        return columns[0]
    if type(outputs) is dict and not any(map(nest.is_nested, outputs.values())):
        # As signatures give them; TensorFlow sorts the names of a dict, and takes longer for a row than a small model.
        names = sorted(outputs)
        return [dict(zip(names, row)) for row in zip(*columns)]
    return [nest.pack_sequence_as(outputs, list(row)) for row in zip(*columns)]


def _as_arrays(outputs: object) -> object:
    return packages.import_tensorflow().nest.map_structure(lambda tensor: _filled(tensor).numpy(), outputs)


def _filled(tensor: Any) -> Any:
    """The tensor itself, or the dense one of a sparse one."""
    tf = packages.import_tensorflow()
    return tf.sparse.to_dense(tensor) if isinstance(tensor, tf.SparseTensor) else tensor


def _rows_of(tensor: Any, count: int) -> List[object]:
    tensor = _filled(tensor)
    if not tensor.shape.rank or tensor.shape[0] != count:
        raise errors.InputError.not_by_rows(str(tensor.shape), count)
    if isinstance(tensor, packages.import_tensorflow().RaggedTensor):
        return [row.numpy() for row in tensor]
    return list(tensor.numpy())
