"""The variables of a part, given their values from the checkpoint at once.

TensorFlow restores a model object by object, in Python, and reads most tensors one after the other. Where nothing but
variables has a value, and the keys of these are known, one op reads many of them, and a thread for each core has a
share of the bytes. What is read and assigned is the same.
"""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from unihub import _compat

# Less than this is read sooner than a thread is started.
_LEAST_SHARE = 1 << 23


def restore(loaded: Any, prefix: str, values: Sequence[Tuple[Sequence[str], str]]) -> None:
    """Gives variables their values.

    Args:
        loaded: What TensorFlow made of a SavedModel without restoring its checkpoint.
        prefix: The checkpoint.
        values: Of each variable the names of the attributes from ``loaded`` to it, and its key.

    Raises:
        LookupError: There is no such attribute.
        ValueError: A value has another shape than its variable.
    """
    found = list(zip(_follow(loaded, [way for way, _ in values]), [key for _, key in values]))
    shares = _divide(found)
    if len(shares) == 1:
        _read(prefix, shares[0])
    elif shares:
        with ThreadPoolExecutor(len(shares)) as threads:
            list(threads.map(lambda share: _read(prefix, share), shares))


def _follow(loaded: Any, ways: Sequence[Sequence[str]]) -> Iterator[Any]:
    children: Dict[int, Mapping[str, Any]] = {}
    for way in ways:
        found = loaded
        for name in way:
            if id(found) not in children:
                children[id(found)] = _compat.tracked_children(found)
            found = children[id(found)][name]
        yield found


def _divide(found: Sequence[Tuple[Any, str]]) -> List[List[Tuple[Any, str]]]:
    """Shares of about as many bytes each, the largest variables first."""
    sizes = {key: _size(variable) for variable, key in found}
    count = max(1, min(os.cpu_count() or 1, sum(sizes.values()) // _LEAST_SHARE))
    shares: List[List[Tuple[Any, str]]] = [[] for _ in range(count)]
    filled = [0] * count
    for variable, key in sorted(found, key=lambda pair: -sizes[pair[1]]):
        place = filled.index(min(filled))
        shares[place].append((variable, key))
        filled[place] += sizes[key]
    return [share for share in shares if share]


def _size(variable: Any) -> int:
    return int((variable.shape.num_elements() or 0) * variable.dtype.size)


def _read(prefix: str, share: Sequence[Tuple[Any, str]]) -> None:
    tf = _compat.import_tensorflow()
    with tf.device("CPU"):
        tensors = tf.raw_ops.RestoreV2(
            prefix=prefix,
            tensor_names=[key for _, key in share],
            shape_and_slices=[""] * len(share),
            dtypes=[variable.dtype for variable, _ in share],
        )
    for (variable, key), tensor in zip(share, tensors):
        if not variable.shape.is_compatible_with(tensor.shape):
            raise ValueError("the value of {} has the shape {}".format(key, tensor.shape))
        tf.raw_ops.AssignVariableOp(resource=variable.handle, value=tensor)
