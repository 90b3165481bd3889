"""Whether a converted signature gives what the original gives, on inputs that are made up.

The inputs fit the signature and nothing else is known of them: a text may have to be an image file, a size large enough
for a convolution. So several are tried, until the original takes one.
"""

from __future__ import annotations

import itertools
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional

import numpy as np

from unihub import errors
from unihub._call import tf_errors
from unihub._tf import packages
from unihub._types import Signature, Tensor

# For dimensions that the signature leaves open, but for the first, which is the batch.
_SIZES = (2, 32, 128, 224, 299)
_LARGEST = 4096
_BATCHES = (2, 1, 4)
# For inputs of which not even the rank is told.
_RANKS = (1, 0, 2, 4)


class Comparison(NamedTuple):
    """What was found.

    Attributes:
        difference: The largest one, relative to the original's value where that is larger than 1; ``None`` if nothing
            could be compared.
        output: The output that has it.
        reason: Why nothing could be compared.
        failure: What the converted model raised for inputs that the original takes.
    """

    difference: Optional[float]
    output: str = ""
    reason: str = ""
    failure: Optional[Exception] = None


def compare(
    original: Any, converted: Any, signature: Signature, sizes: Iterable[int], examples: Iterable[bytes]
) -> Comparison:
    """Runs both on the first inputs that the original takes, twice, for a signature may change what it reads.

    Args:
        original: A ``Tf1Session``.
        converted: The signature of the TF2 SavedModel.
        signature: What it takes.
        sizes: What dimensions that the signature leaves open may have to be, by the shapes of the variables.
        examples: Texts to be tried first.

    Returns:
        The comparison.
    """
    refusals: List[Exception] = []
    for inputs in _make_inputs(signature, sizes, examples):
        try:
            wanted = [_flatten(original.run(signature.name, inputs)) for _ in range(2)]
        except Exception as exc:  # What is no input for this model is said in as many ways as there are ops.
            if tf_errors.is_lacking(exc):
                raise
            refusals.append(exc)
            continue
        try:
            found = [{name: value.numpy() for name, value in converted(**_tensors(inputs)).items()} for _ in range(2)]
        except Exception as exc:
            return Comparison(None, failure=exc)
        result = max(map(_find_difference, wanted, found))
        if result.difference and _find_difference(*wanted).difference:
            return Comparison(None, reason="the original gives other numbers each time.")
        return result
    said = errors.LoadError.calling(signature.name, refusals[0]).why
    return Comparison(None, reason="the original takes none of the inputs that were made up ({})".format(said))


def make_examples(graph_def: Any) -> List[bytes]:
    """A serialized ``tf.train.Example`` for each op that reads such, with the features that it must have."""
    tf = packages.import_tensorflow()
    nodes = {node.name: node for node in graph_def.node}
    found = []
    for node in graph_def.node:
        if node.op not in ("ParseExample", "ParseExampleV2"):
            continue
        # The keys are one input each; or, in the later op, all in one.
        first = 2 + node.attr["Nsparse"].i if node.op == "ParseExample" else 3
        sources = node.input[first : first + node.attr["Ndense"].i] if node.op == "ParseExample" else node.input[3:4]
        constants = [nodes[source] for source in sources if source in nodes and nodes[source].op == "Const"]
        keys = [key for each in constants for key in tf.make_ndarray(each.attr["value"].tensor).ravel()]
        declared = zip(keys, node.attr["Tdense"].list.type, node.attr["dense_shapes"].list.shape)
        features = {key.decode(): _make_feature(tf.as_dtype(dtype), shape) for key, dtype, shape in declared}
        found.append(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return found


def _make_feature(dtype: Any, shape: Any) -> Any:
    train = packages.import_tensorflow().train
    count = 1
    for dimension in shape.dim:
        count *= max(1, dimension.size)
    if dtype.is_floating:
        return train.Feature(float_list=train.FloatList(value=[0.5] * count))
    if dtype.is_integer:
        return train.Feature(int64_list=train.Int64List(value=[1] * count))
    return train.Feature(bytes_list=train.BytesList(value=[b"hello world"] * count))


def _make_inputs(signature: Signature, sizes: Iterable[int], examples: Iterable[bytes]) -> Iterator[Dict[str, Any]]:
    is_text = any(tensor.dtype == "string" for tensor in signature.inputs)
    texts = list(examples) + _make_texts() if is_text else [b""]
    is_open = any(tensor.shape is None or None in tensor.shape[1:] for tensor in signature.inputs)
    tried = dict.fromkeys(_SIZES + tuple(size for size in sorted(sizes) if size <= _LARGEST))
    ranks = _RANKS if any(tensor.shape is None for tensor in signature.inputs) else _RANKS[:1]
    for rank, batch, size, text in itertools.product(ranks, _BATCHES, list(tried) if is_open else _SIZES[:1], texts):
        yield {tensor.name: _make_value(tensor, rank, batch, size, text) for tensor in signature.inputs}


def _make_texts() -> List[bytes]:
    tf = packages.import_tensorflow()
    picture = tf.zeros([32, 32, 3], tf.uint8)
    return [
        b"hello world",
        tf.train.Example().SerializeToString(),
        tf.io.encode_png(picture).numpy(),
        tf.io.encode_jpeg(picture).numpy(),
    ]


def _make_value(tensor: Tensor, rank: int, batch: int, size: int, text: bytes) -> Any:
    told = (None,) * rank if tensor.shape is None else tensor.shape
    shape = [size if known is None else known for known in told]
    if told and told[0] is None:
        shape[0] = batch
    if tensor.kind == "sparse":
        return _make_sparse(tensor, shape if tensor.shape else [batch, size], text)
    if tensor.kind == "ragged":
        return [_fill(tensor, [3], text), np.array([0, 1, 3], "int64")]
    return _fill(tensor, shape, text)


def _make_sparse(tensor: Tensor, shape: List[int], text: bytes) -> List[Any]:
    last = [size - 1 for size in shape]
    indices = np.array(sorted({tuple([0] * len(shape)), tuple(last)}), "int64")
    return [indices, _fill(tensor, [len(indices)], text), np.array(shape, "int64")]


def _fill(tensor: Tensor, shape: List[int], text: bytes) -> Any:
    """Small values of every kind: whole numbers are 0 or 1, so that they are indices of anything."""
    count = int(np.prod(shape))
    if tensor.dtype == "string":
        return np.full(shape, text, dtype=object)
    dtype = packages.import_tensorflow().as_dtype(tensor.dtype)
    if dtype.is_floating or dtype.is_complex:
        return np.random.RandomState(0).rand(count).reshape(shape).astype(dtype.as_numpy_dtype)
    return (np.arange(count) % 2).reshape(shape).astype(dtype.as_numpy_dtype)


def _tensors(inputs: Mapping[str, Any]) -> Dict[str, Any]:
    from unihub._convert.tf2_model import input_names

    flat = _flatten(inputs)
    names = input_names(flat)
    return {names[name]: packages.import_tensorflow().constant(value) for name, value in flat.items()}


def _flatten(values: Mapping[str, Any]) -> Dict[str, Any]:
    """Composites by their parts, under the names that the converted signature has for these."""
    from unihub._convert.tf2_model import part_names

    flat: Dict[str, Any] = {}
    for name, value in values.items():
        parts = value if isinstance(value, list) else None
        flat.update({name: value} if parts is None else zip(part_names(name, len(parts), len(parts) == 3), parts))
    return flat


def _find_difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Comparison:
    differences = [(_difference(value, found[name]), name) for name, value in wanted.items()]
    difference, name = max(differences, default=(0.0, ""))
    return Comparison(difference, name)


def _difference(wanted: Any, found: Any) -> float:
    if isinstance(wanted, list):
        return max(_difference(*pair) for pair in zip(wanted, found))
    wanted, found = np.asarray(wanted), np.asarray(found)
    if wanted.shape != found.shape:
        return float("inf")
    if not np.issubdtype(wanted.dtype, np.inexact):
        return 0.0 if np.array_equal(wanted, found) else float("inf")
    with np.errstate(invalid="ignore"):
        apart = np.abs(wanted - found) / np.maximum(1, np.abs(wanted))
    same = (wanted == found) | (np.isnan(wanted) & np.isnan(found))
    # What is a number in one and none in the other is as far apart as can be.
    apart = np.where(same, 0, np.where(np.isnan(apart), np.inf, apart))
    return float(apart.max()) if apart.size else 0.0
