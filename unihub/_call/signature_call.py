"""How a signature is called: its inputs are bound by name before the call, its outputs selected after it.

The rules are the same in every runtime and api. Inputs: one value for an only input, else a dict by name. Output: the
one asked for, else the one named ``default``, else the only one, else the dict.
"""

from __future__ import annotations

import functools
from typing import Dict, Mapping, Optional, Tuple, Union

from unihub import errors
from unihub._call import inputs as _tensors
from unihub._tf import packages
from unihub._tf.types import Inputs, TfDType, TfShape, TfTensor
from unihub._types import Signature, Tensor


def bind_inputs(signature: Signature, inputs: Inputs) -> Dict[str, TfTensor]:
    """Bind what the caller passed to the inputs of a signature, as tensors.

    Args:
        signature: The signature that is called.
        inputs: One value for an only input, or a dict by input name; ``None`` for no inputs.

    Returns:
        The inputs by name.

    Raises:
        InputError: Names, dtypes or shapes are not those of the signature.
    """
    given = _name_inputs(signature, inputs)
    if set(given) != {tensor.name for tensor in signature.inputs}:
        raise errors.InputError.wrong_names(signature, given)
    return {tensor.name: _convert(tensor, given[tensor.name]) for tensor in signature.inputs}


def _name_inputs(signature: Signature, inputs: Inputs) -> Mapping[str, Inputs]:
    if isinstance(inputs, Mapping):
        return inputs
    if inputs is None and not signature.inputs:
        return {}
    if len(signature.inputs) != 1:
        raise errors.InputError.needs_dict(signature)
    return {signature.inputs[0].name: inputs}


def _convert(expected: Tensor, value: Inputs) -> TfTensor:
    dtype, shape = _spec_of(expected.dtype, expected.shape)
    try:
        if expected.kind == "dense":
            return _tensors.convert(value, dtype, shape)
        return _convert_composite(expected, value, dtype)
    except (_tensors.Mismatch, ValueError) as exc:
        given = str(exc) if isinstance(exc, _tensors.Mismatch) else _tensors.describe(value)
        raise errors.InputError.does_not_fit(expected.name, str(expected), given) from exc


@functools.lru_cache(maxsize=1024)
def _spec_of(dtype: str, shape: Optional[Tuple[Optional[int], ...]]) -> Tuple[TfDType, TfShape]:
    """The TensorFlow objects for a dtype and a shape; cached, because each call needs them."""
    tf = packages.import_tensorflow()
    return tf.as_dtype(dtype), tf.TensorShape(shape)


def _convert_composite(expected: Tensor, value: Inputs, dtype: TfDType) -> TfTensor:
    tf = packages.import_tensorflow()
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        value = tf.SparseTensor.from_value(value)
    wanted = {"sparse": tf.SparseTensor, "ragged": tf.RaggedTensor}.get(expected.kind)
    if wanted is not None and (not isinstance(value, wanted) or value.dtype != dtype):
        raise _tensors.Mismatch(_tensors.describe(value))
    return value


def select_output(
    outputs: Mapping[str, TfTensor], output_key: Optional[str], as_dict: bool, what: str
) -> Union[TfTensor, Dict[str, TfTensor]]:
    """Select what a call returns.

    Args:
        outputs: All outputs by name.
        output_key: The name of the output to return.
        as_dict: Whether to return all outputs.
        what: What was called, for the error.

    Returns:
        The output ``output_key``; with ``as_dict`` the dict; else the output ``default``, the only one, or the dict.

    Raises:
        SignatureError: There is no output with that name.
    """
    if output_key is not None:
        if output_key not in outputs:
            raise errors.SignatureError.unknown_output(what, output_key, list(outputs))
        return outputs[output_key]
    if as_dict:
        return dict(outputs)
    if "default" in outputs:
        return outputs["default"]
    return next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)
