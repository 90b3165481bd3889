"""Compare a converted signature with the original on generated inputs.

The inputs fit the signature, but a model may need more: a text that is an image file, or a size that is large enough
for its convolutions. Several inputs are tried until the original accepts one.
"""

from __future__ import annotations

import itertools
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional

import numpy as np

from unihub import errors
from unihub._call import tf_errors
from unihub._convert.tf1_session import Tf1Session
from unihub._convert.tf2_model import component_names, input_names
from unihub._tf import packages
from unihub._tf.types import ArrayValue, ConcreteFunction, GraphDef, Message, TfDType, TfTensor
from unihub._types import Signature, Tensor

# Sizes for the unknown dimensions of a signature, except the first, which is the batch.
_SIZES = (2, 32, 128, 224, 299)
_LARGEST = 4096
_BATCHES = (2, 1, 4)
# Ranks for inputs of unknown rank.
_RANKS = (1, 0, 2, 4)

# Inputs or outputs by name; a composite tensor is the list of its components.
_Values = Mapping[str, ArrayValue]


class Comparison(NamedTuple):
    """The result of a comparison.

    Attributes:
        difference: The largest difference, relative to the original's value if that is larger than 1; ``None`` if
            nothing could be compared.
        output: The output with the largest difference.
        reason: Why nothing could be compared.
        failure: What the converted model raised for inputs that the original accepts.
    """

    difference: Optional[float]
    output: str = ""
    reason: str = ""
    failure: Optional[Exception] = None


def compare(
    original: Tf1Session,
    converted: ConcreteFunction,
    signature: Signature,
    sizes: Iterable[int],
    examples: Iterable[bytes],
) -> Comparison:
    """Run both on the first inputs that the original accepts, twice, because a call may change variables it reads.

    Args:
        original: The original model.
        converted: The signature of the TF2 SavedModel.
        signature: The inputs and outputs of the signature.
        sizes: Further sizes for unknown dimensions, read off the shapes of the variables.
        examples: Texts to try first.
    """
    refusals: List[Exception] = []
    for inputs in _make_inputs(signature, sizes, examples):
        try:
            wanted = [_flatten(original.run(signature.name, inputs)) for _ in range(2)]
        except Exception as exc:  # Each op rejects bad inputs with an error of its own.
            if tf_errors.is_lacking(exc):
                raise
            refusals.append(exc)
            continue
        try:
            given = [{name: value.numpy() for name, value in converted(**_tensors(inputs)).items()} for _ in range(2)]
        except Exception as exc:
            return Comparison(None, failure=exc)
        result = max(map(_find_difference, wanted, given))
        if result.difference and _find_difference(*wanted).difference:
            return Comparison(None, reason="the original gives other numbers each time.")
        return result
    reason = errors.LoadError.calling(signature.name, refusals[0]).why
    return Comparison(None, reason="the original accepts none of the generated inputs ({})".format(reason))


def make_examples(graph_def: GraphDef) -> List[bytes]:
    """A serialized ``tf.train.Example`` for each op that parses examples, with the features that op requires."""
    tf = packages.import_tensorflow()
    nodes = {node.name: node for node in graph_def.node}
    examples = []
    for node in graph_def.node:
        if node.op not in ("ParseExample", "ParseExampleV2"):
            continue
        # ParseExample has one input for each key; ParseExampleV2 has one for all.
        first = 2 + node.attr["Nsparse"].i if node.op == "ParseExample" else 3
        sources = node.input[first : first + node.attr["Ndense"].i] if node.op == "ParseExample" else node.input[3:4]
        constants = [nodes[source] for source in sources if source in nodes and nodes[source].op == "Const"]
        keys = [key for each in constants for key in tf.make_ndarray(each.attr["value"].tensor).ravel()]
        declared = zip(keys, node.attr["Tdense"].list.type, node.attr["dense_shapes"].list.shape)
        features = {key.decode(): _make_feature(tf.as_dtype(dtype), shape) for key, dtype, shape in declared}
        examples.append(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return examples


def _make_feature(dtype: TfDType, shape: Message) -> Message:
    train = packages.import_tensorflow().train
    count = 1
    for dimension in shape.dim:
        count *= max(1, dimension.size)
    if dtype.is_floating:
        return train.Feature(float_list=train.FloatList(value=[0.5] * count))
    if dtype.is_integer:
        return train.Feature(int64_list=train.Int64List(value=[1] * count))
    return train.Feature(bytes_list=train.BytesList(value=[b"hello world"] * count))


def _make_inputs(signature: Signature, sizes: Iterable[int], examples: Iterable[bytes]) -> Iterator[_Values]:
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


def _make_value(tensor: Tensor, rank: int, batch: int, size: int, text: bytes) -> ArrayValue:
    declared = (None,) * rank if tensor.shape is None else tensor.shape
    shape = [size if known is None else known for known in declared]
    if declared and declared[0] is None:
        shape[0] = batch
    if tensor.kind == "sparse":
        return _make_sparse(tensor, shape if tensor.shape else [batch, size], text)
    if tensor.kind == "ragged":
        return [_fill(tensor, [3], text), np.array([0, 1, 3], "int64")]
    return _fill(tensor, shape, text)


def _make_sparse(tensor: Tensor, shape: List[int], text: bytes) -> List[ArrayValue]:
    last = [size - 1 for size in shape]
    indices = np.array(sorted({tuple([0] * len(shape)), tuple(last)}), "int64")
    return [indices, _fill(tensor, [len(indices)], text), np.array(shape, "int64")]


def _fill(tensor: Tensor, shape: List[int], text: bytes) -> ArrayValue:
    """Small values of any dtype; integers are 0 or 1, so that they are valid indices."""
    count = int(np.prod(shape))
    if tensor.dtype == "string":
        return np.full(shape, text, dtype=object)
    dtype = packages.import_tensorflow().as_dtype(tensor.dtype)
    if dtype.is_floating or dtype.is_complex:
        return np.random.RandomState(0).rand(count).reshape(shape).astype(dtype.as_numpy_dtype)
    return (np.arange(count) % 2).reshape(shape).astype(dtype.as_numpy_dtype)


def _tensors(inputs: _Values) -> Dict[str, TfTensor]:
    flat = _flatten(inputs)
    names = input_names(flat)
    return {names[name]: packages.import_tensorflow().constant(value) for name, value in flat.items()}


def _flatten(values: _Values) -> Dict[str, ArrayValue]:
    """Composite tensors as their components, under the names that the converted signature gives these."""
    flat: Dict[str, ArrayValue] = {}
    for name, value in values.items():
        if isinstance(value, list):
            flat.update(zip(component_names(name, len(value), len(value) == 3), value))
        else:
            flat[name] = value
    return flat


def _find_difference(wanted: _Values, given: _Values) -> Comparison:
    differences = [(_difference(value, given[name]), name) for name, value in wanted.items()]
    difference, name = max(differences, default=(0.0, ""))
    return Comparison(difference, name)


def _difference(wanted: ArrayValue, given: ArrayValue) -> float:
    if isinstance(wanted, list):
        return max(_difference(*pair) for pair in zip(wanted, given))
    wanted, given = np.asarray(wanted), np.asarray(given)
    if wanted.shape != given.shape:
        return float("inf")
    if not np.issubdtype(wanted.dtype, np.inexact):
        return 0.0 if np.array_equal(wanted, given) else float("inf")
    with np.errstate(invalid="ignore"):
        apart = np.abs(wanted - given) / np.maximum(1, np.abs(wanted))
    same = (wanted == given) | (np.isnan(wanted) & np.isnan(given))
    # A number and NaN differ infinitely.
    apart = np.where(same, 0, np.where(np.isnan(apart), np.inf, apart))
    return float(apart.max()) if apart.size else 0.0
