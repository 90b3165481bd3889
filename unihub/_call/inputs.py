"""Converts what a caller passes to a tensor, if it fits what the model takes.

The rule is the same in every runtime, while TensorFlow's own rules differ: a tensor must have the model's dtype
(floating dtypes are cast, so mixed precision works). An array or list may have any dtype that converts without
changing its kind.
"""

from __future__ import annotations

from typing import Mapping, Optional, Sequence

import numpy as np

from unihub._tf import packages
from unihub._tf.types import ArrayValue, Inputs, TfDType, TfShape, TfTensor


class Mismatch(Exception):
    """A value does not fit; the text describes the value."""


def convert(value: Inputs, dtype: TfDType, shape: TfShape) -> TfTensor:
    """Convert a value to a tensor.

    Args:
        value: A tensor, an array, a number, a text or a nested list of these.
        dtype: The ``tf.DType`` the model takes.
        shape: The ``tf.TensorShape`` the model takes.

    Returns:
        A tensor of that dtype with a compatible shape.

    Raises:
        Mismatch: The value does not fit.
    """
    tf = packages.import_tensorflow()
    if not tf.is_tensor(value):
        value = tf.constant(_to_array(value, dtype), dtype=dtype)
    elif not hasattr(value, "dtype") or is_composite(value):
        raise Mismatch(describe(value))
    elif value.dtype.base_dtype != dtype:
        if not (value.dtype.is_floating and dtype.is_floating):
            raise Mismatch(describe(value))
        value = tf.cast(value, dtype)
    if not shape.is_compatible_with(value.shape):
        raise Mismatch(describe(value))
    # A variable is read: the function would take its handle for what it holds.
    return tf.convert_to_tensor(value) if isinstance(value, tf.Variable) else value


def _to_array(value: Inputs, dtype: TfDType) -> ArrayValue:
    try:
        # numpy would cut texts in a list to the longest, and make texts of numbers beside them.
        is_list = dtype.name == "string" and isinstance(value, (list, tuple))
        array = np.asarray(value, dtype=object) if is_list else np.asarray(value)
    except ValueError as exc:  # Lists of unequal lengths.
        raise Mismatch(describe(value)) from exc
    if dtype.name == "string":
        fits = array.dtype.kind in "US" or all(isinstance(part, (str, bytes)) for part in array.reshape(-1))
    else:
        wanted = dtype.as_numpy_dtype
        fits = array.dtype.kind not in "USO" and np.can_cast(array.dtype, wanted, "same_kind")
        fits = fits and (array.dtype.kind not in "iu" or _in_range(array, wanted))
    if not fits:
        # An array of objects does not tell what the value held.
        raise Mismatch(describe(value) if array.dtype.kind == "O" else _describe_array(array))
    return array if dtype.name == "string" else array.astype(dtype.as_numpy_dtype)


def _in_range(array: ArrayValue, wanted: type) -> bool:
    if not array.size or np.dtype(wanted).kind not in "iu":
        return True
    return bool(np.iinfo(wanted).min <= array.min() and array.max() <= np.iinfo(wanted).max)


def is_composite(value: object) -> bool:
    """Whether a value is a tensor of several parts: sparse, ragged."""
    tf = packages.import_tensorflow()
    return isinstance(value, (tf.SparseTensor, tf.RaggedTensor))


def describe(value: Inputs) -> str:
    """What a value is, as errors say it: ``float32[2,8]``, ``{'a': int64[3]}``."""
    if isinstance(value, Mapping):
        return "{{{}}}".format(", ".join("{!r}: {}".format(key, describe(part)) for key, part in value.items()))
    if isinstance(value, (list, tuple)) and not _is_flat(value):
        return "[{}]".format(", ".join(describe(part) for part in value[:4]) + (", ..." if len(value) > 4 else ""))
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        kind = "" if not hasattr(value, "dense_shape") else "sparse "
        return "{}{}[{}]".format(kind, _dtype_name(value.dtype), _shape_text(value.shape))
    if isinstance(value, (list, tuple, int, float, str, bytes)):
        return _describe_array(np.asarray(value))
    return type(value).__name__


def _is_flat(values: Sequence[object]) -> bool:
    """Whether all values are numbers, or all are texts."""
    return any(all(isinstance(value, kind) for value in values) for kind in ((int, float), (str, bytes)))


def _describe_array(array: ArrayValue) -> str:
    return "{}[{}]".format("string" if array.dtype.kind in "USO" else array.dtype, _shape_text(array.shape))


def _dtype_name(dtype: object) -> str:
    return str(getattr(dtype, "name", dtype))


def _shape_text(shape: TfShape) -> str:
    sizes: Optional[Sequence[object]] = shape if isinstance(shape, tuple) else _static_sizes(shape)
    return "?" if sizes is None else ",".join(str(size) for size in sizes)


def _static_sizes(shape: TfShape) -> Optional[Sequence[Optional[int]]]:
    return None if shape.rank is None else shape.as_list()
