"""How a signature is called: inputs bound to its names before the call, outputs chosen after it.

The rules are those of every runtime and api, so they stand here once: one value for a sole input, else a dict by name;
the output asked for, else the one named ``default``, else the only one, else the dict.
"""

from __future__ import annotations

import functools
from typing import Any, Dict, Mapping, Optional, Tuple

from unihub import errors
from unihub._call import inputs as _tensors
from unihub._tf import packages
from unihub._types import Signature, Tensor


def bind_inputs(signature: Signature, inputs: Any) -> Dict[str, Any]:
    """Binds what the caller passed to the inputs of a signature, as tensors.

    Args:
        signature: What is called.
        inputs: One value for a sole input, or a dict by input name; ``None`` for no inputs.

    Returns:
        The inputs by name.

    Raises:
        InputError: Names, dtypes or shapes are not those of the signature.
    """
    given = _name_inputs(signature, inputs)
    if set(given) != {tensor.name for tensor in signature.inputs}:
        raise errors.InputError.wrong_names(signature, given)
    return {tensor.name: _convert(tensor, given[tensor.name]) for tensor in signature.inputs}


def _name_inputs(signature: Signature, inputs: Any) -> Mapping[str, Any]:
    if isinstance(inputs, Mapping):
        return inputs
    if inputs is None and not signature.inputs:
        return {}
    if len(signature.inputs) != 1:
        raise errors.InputError.needs_dict(signature)
    return {signature.inputs[0].name: inputs}


def _convert(expected: Tensor, value: Any) -> Any:
    dtype, shape = _spec_of(expected.dtype, expected.shape)
    try:
        if expected.kind == "dense":
            return _tensors.convert(value, dtype, shape)
        return _convert_composite(expected, value, dtype)
    except (_tensors.Mismatch, ValueError) as exc:
        given = str(exc) if isinstance(exc, _tensors.Mismatch) else _tensors.describe(value)
        raise errors.InputError.does_not_fit(expected.name, str(expected), given) from exc


@functools.lru_cache(maxsize=1024)
def _spec_of(dtype: str, shape: Any) -> Tuple[Any, Any]:
    """A dtype and a shape as TensorFlow has them; made once, for both are asked for in each call."""
    tf = packages.import_tensorflow()
    return tf.as_dtype(dtype), tf.TensorShape(shape)


def _convert_composite(expected: Tensor, value: Any, dtype: Any) -> Any:
    tf = packages.import_tensorflow()
    if isinstance(value, tf.compat.v1.SparseTensorValue):
        value = tf.SparseTensor.from_value(value)
    wanted = {"sparse": tf.SparseTensor, "ragged": tf.RaggedTensor}.get(expected.kind)
    if wanted is not None and (not isinstance(value, wanted) or value.dtype != dtype):
        raise _tensors.Mismatch(_tensors.describe(value))
    return value


def select_output(outputs: Mapping[str, Any], output_key: Optional[str], as_dict: bool, what: str) -> Any:
    """Chooses what a call returns.

    Args:
        outputs: All outputs by name.
        output_key: The one asked for.
        as_dict: Whether all are asked for.
        what: What was called, for the error.

    Returns:
        The output ``output_key``; with ``as_dict`` the dict; else the output ``default``, the only one, or the dict.

    Raises:
        SignatureError: There is no output of the name.
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
