"""The variables of a part, given their values from the checkpoint at once.

TensorFlow restores a model object by object, in Python, after it has rebuilt the functions, and reads most tensors one
after the other. Where nothing but variables has a value, and the keys of these are known, threads read them while the
functions are rebuilt: one op for a share of the bytes. What is read and assigned is the same.
"""

from __future__ import annotations

import contextlib
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from unihub._tf import packages, tracking

# One thread reads as much as this while a model's functions are rebuilt; a second one would only be in the way.
_LEAST_SHARE = 1 << 28


class Value(NamedTuple):
    """Where a variable is, by the names of the attributes from the root to it, and where its value is.

    ``key`` is the name of the value in the checkpoint, ``dtype`` the number of its dtype, and ``size`` how many
    elements it has, 0 where that is not known.
    """

    way: Tuple[str, ...]
    key: str
    dtype: int
    size: int


@contextlib.contextmanager
def reading(prefix: str, values: Sequence[Value]) -> Iterator[Callable[[Any], None]]:
    """Reads values while what is in the block runs.

    Args:
        prefix: The checkpoint.
        values: What is to be read.

    Yields:
        What gives the values to the variables of an object; it waits until they are read. It raises a ``LookupError``
        where the object has not such attributes, and a ``ValueError`` where a value has another shape than its
        variable.
    """
    shares = _divide(values)
    with ThreadPoolExecutor(len(shares)) as threads:
        found = [threads.submit(_read, prefix, share) for share in shares]

        def assign(loaded: Any) -> None:
            for share, tensors in zip(shares, found):
                _assign(loaded, share, tensors.result())

        yield assign


def _divide(values: Sequence[Value]) -> List[List[Value]]:
    """Shares of about as many bytes each, the largest values first."""
    sizes = {value.key: value.size * _dtype(value.dtype).size for value in values}
    count = max(1, min(os.cpu_count() or 1, sum(sizes.values()) // _LEAST_SHARE))
    shares: List[List[Value]] = [[] for _ in range(count)]
    filled = [0] * count
    for value in sorted(values, key=lambda value: -sizes[value.key]):
        place = filled.index(min(filled))
        shares[place].append(value)
        filled[place] += sizes[value.key]
    return shares


@functools.lru_cache(maxsize=None)
def _dtype(number: int) -> Any:
    return packages.import_tensorflow().as_dtype(number)


def _read(prefix: str, share: Sequence[Value]) -> Sequence[Any]:
    if not share:
        return []
    tf = packages.import_tensorflow()
    with tf.device("CPU"):
        tensors: Sequence[Any] = tf.raw_ops.RestoreV2(
            prefix=prefix,
            tensor_names=[value.key for value in share],
            shape_and_slices=[""] * len(share),
            dtypes=[_dtype(value.dtype) for value in share],
        )
    return tensors


def _assign(loaded: Any, share: Sequence[Value], tensors: Sequence[Any]) -> None:
    tf = packages.import_tensorflow()
    for value, variable, tensor in zip(share, _follow(loaded, share), tensors):
        if not variable.shape.is_compatible_with(tensor.shape):
            raise ValueError("the value of {} has the shape {}".format(value.key, tensor.shape))
        tf.raw_ops.AssignVariableOp(resource=variable.handle, value=tensor)


def _follow(loaded: Any, values: Sequence[Value]) -> Iterator[Any]:
    children: Dict[int, Mapping[str, Any]] = {}
    for value in values:
        found = loaded
        for name in value.way:
            if id(found) not in children:
                children[id(found)] = tracking.tracked_children(found)
            found = children[id(found)][name]
        yield found
