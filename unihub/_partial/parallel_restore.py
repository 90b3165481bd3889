"""Restore the variables of a subset in parallel with loading its functions.

TensorFlow restores a model after it has rebuilt the functions, object by object in Python, and reads most tensors one
after the other. If only variables have values, and their keys are known, threads read the values while TensorFlow
rebuilds the functions, with one op for each thread. The result is the same.
"""

from __future__ import annotations

import contextlib
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from unihub._tf import packages, tracking
from unihub._tf.types import TfDType, TfTensor, TfVariable, Trackable

# One thread reads this much while a model's functions are rebuilt; more threads would only slow that down.
_LEAST_SHARE = 1 << 28


class Value(NamedTuple):
    """A value in the checkpoint and the variable that gets it.

    Attributes:
        path: The names of the attributes that lead from the root to the variable.
        key: The name of the value in the checkpoint.
        dtype: The number of its dtype.
        size: The number of its elements; 0 if it is unknown.
    """

    path: Tuple[str, ...]
    key: str
    dtype: int
    size: int


@contextlib.contextmanager
def reading(prefix: str, values: Sequence[Value]) -> Iterator[Callable[[Trackable], None]]:
    """Read values while the block runs.

    Args:
        prefix: The checkpoint.
        values: The values to read.

    Yields:
        A function that waits for the values and assigns them to the variables of an object. It raises a ``LookupError``
        if the object has no such attributes, and a ``ValueError`` if a value and its variable differ in shape.
    """
    shares = _divide(values)
    with ThreadPoolExecutor(len(shares)) as threads:
        reads = [threads.submit(_read, prefix, share) for share in shares]

        def assign(loaded: Trackable) -> None:
            for share, tensors in zip(shares, reads):
                _assign(loaded, share, tensors.result())

        yield assign


def _divide(values: Sequence[Value]) -> List[List[Value]]:
    """Divide values into shares of about equal bytes, the largest values first."""
    sizes = {value.key: value.size * _dtype(value.dtype).size for value in values}
    count = max(1, min(os.cpu_count() or 1, sum(sizes.values()) // _LEAST_SHARE))
    shares: List[List[Value]] = [[] for _ in range(count)]
    filled = [0] * count
    for value in sorted(values, key=lambda value: -sizes[value.key]):
        smallest = filled.index(min(filled))
        shares[smallest].append(value)
        filled[smallest] += sizes[value.key]
    return shares


@functools.lru_cache(maxsize=None)
def _dtype(number: int) -> TfDType:
    return packages.import_tensorflow().as_dtype(number)


def _read(prefix: str, share: Sequence[Value]) -> Sequence[TfTensor]:
    if not share:
        return []
    tf = packages.import_tensorflow()
    with tf.device("CPU"):
        tensors: Sequence[TfTensor] = tf.raw_ops.RestoreV2(
            prefix=prefix,
            tensor_names=[value.key for value in share],
            shape_and_slices=[""] * len(share),
            dtypes=[_dtype(value.dtype) for value in share],
        )
    return tensors


def _assign(loaded: Trackable, share: Sequence[Value], tensors: Sequence[TfTensor]) -> None:
    tf = packages.import_tensorflow()
    for value, variable, tensor in zip(share, _follow(loaded, share), tensors):
        if not variable.shape.is_compatible_with(tensor.shape):
            raise ValueError("the value of {} has the shape {}".format(value.key, tensor.shape))
        tf.raw_ops.AssignVariableOp(resource=variable.handle, value=tensor)


def _follow(loaded: Trackable, values: Sequence[Value]) -> Iterator[TfVariable]:
    """The variable of each value."""
    children: Dict[int, Mapping[str, Trackable]] = {}
    for value in values:
        node = loaded
        for name in value.path:
            if id(node) not in children:
                children[id(node)] = tracking.tracked_children(node)
            node = children[id(node)][name]
        yield node
