"""Trace the function that a call of a saved model runs, and make a signature of it.

A SavedModel holds traces only, so a function is traced for each training mode it has. If a signature can express the
inputs and outputs of the trace, it gets one, with the names that TensorFlow would choose.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from unihub import errors
from unihub._tf import functions, packages
from unihub._tf.types import ConcreteFunction, SpecNest, TensorNest, TfFunction, TfShape, TfTensor, TypeSpec


def read_specs(inputs: Union[SpecNest, TensorNest]) -> SpecNest:
    """Turn the caller's specs and examples into specs.

    Args:
        inputs: A nested structure of specs, which are kept, and of examples. The spec of an example, an array or a
            tensor, has its dtype and its shape, with a free batch size.

    Returns:
        The same structure with a ``tf.TypeSpec`` for each value.

    Raises:
        InputError: A value is neither a spec nor an example.
    """
    return packages.import_tensorflow().nest.map_structure(_read_spec, inputs)


def _read_spec(value: Any) -> TypeSpec:
    tf = packages.import_tensorflow()
    if isinstance(value, tf.TypeSpec):
        return value
    if isinstance(value, tf.SparseTensor):
        return tf.SparseTensorSpec(without_batch_size(value.shape), value.dtype)
    if isinstance(value, tf.RaggedTensor):
        shape = without_batch_size(value.shape)
        return tf.RaggedTensorSpec(shape, value.dtype, value.ragged_rank, value.row_splits.dtype)
    if tf.is_tensor(value):
        return tf.TensorSpec(without_batch_size(value.shape), value.dtype.base_dtype)
    if isinstance(value, (np.ndarray, np.generic)):
        dtype = tf.string if value.dtype.kind in "SUO" else value.dtype
        return tf.TensorSpec(without_batch_size(tf.TensorShape(value.shape)), dtype)
    raise errors.InputError.no_example(value)


def without_batch_size(shape: TfShape) -> Union[TfShape, List[Optional[int]]]:
    """The shape with an unknown first dimension."""
    return [None] + shape.as_list()[1:] if shape.rank else shape


def trace(function: TfFunction, specs: SpecNest) -> TfFunction:
    """Trace a function for inputs.

    Args:
        function: A ``tf.function``, or a Python function of tensors.
        specs: The specs of its only argument; a dict by name if it has several.

    Returns:
        The ``tf.function``. If it has an argument ``training``, it is traced for ``training=False`` and ``True``.

    Raises:
        InputError: The function has several arguments, and ``specs`` does not name them.
    """
    parameters = _parameters(function)
    required = [name for name, each in parameters.items() if _is_required(each) and name != "training"]
    args, kwargs = [specs], {}
    if len(required) > 1:
        if not isinstance(specs, Mapping) or set(specs) != set(required):
            raise errors.InputError.inputs_by_name(required)
        args, kwargs = [], dict(specs)
    traced = (
        function if functions.is_function(function) else packages.import_tensorflow().function(_method_of(function))
    )
    for mode in (False, True) if "training" in parameters else (None,):
        traced.get_concrete_function(*args, **kwargs, **({} if mode is None else {"training": mode}))
    return traced


def _parameters(function: TfFunction) -> Mapping[str, inspect.Parameter]:
    try:
        parameters = inspect.signature(function if _is_restored(function) else _python_function(function)).parameters
    except (TypeError, ValueError):  # A builtin function has no signature that Python can read.
        return {}
    return {name: parameter for name, parameter in parameters.items() if name != "self"}


def _python_function(function: TfFunction) -> Callable[..., Any]:
    python: Callable[..., Any]
    python = function.python_function if functions.is_function(function) else function
    return python


def _method_of(function: TfFunction) -> Callable[..., Any]:
    """The ``__call__`` of an object: TensorFlow 1.15 drops the first argument of a callable object as its self."""
    call: Callable[..., Any] = function.__call__
    return call if inspect.ismethod(call) else function


def _is_restored(function: TfFunction) -> bool:
    return isinstance(function, functions.restored_function_type())


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind in (
        parameter.POSITIONAL_ONLY,
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    )


def default_signature(function: TfFunction) -> Optional[ConcreteFunction]:
    """Make the signature that does what a call does, outside of training.

    Args:
        function: A traced ``tf.function``.

    Returns:
        A concrete function with inputs and outputs by name; ``None`` if no signature can express those of the function:
        structures in structures, sparse and ragged tensors.
    """
    names = list(_parameters(function))
    for concrete in functions.traces_of(function):
        args, kwargs = concrete.structured_input_signature
        # The first argument of a method's trace may be its self.
        args = [arg for arg in args if not functions.is_self(arg)]
        given = dict(zip(names, args), **kwargs)
        if given.get("training") is not True:
            return _make_signature(function, names, args, kwargs, concrete.structured_outputs)
    return None


def _make_signature(
    function: TfFunction,
    names: Sequence[str],
    args: Sequence[SpecNest],
    kwargs: Mapping[str, SpecNest],
    outputs: TensorNest,
) -> Optional[ConcreteFunction]:
    tf = packages.import_tensorflow()
    labels = list(names) + ["argument_{}".format(index) for index in range(len(names), len(args))]
    arguments = list(zip(labels, args)) + [(name, kwargs[name]) for name in sorted(kwargs)]
    specs = _name_specs(arguments)
    if specs is None or not _is_flat(outputs):
        return None

    def serve(**tensors: TfTensor) -> Dict[str, TfTensor]:
        remaining = [tensors[name] for name, _ in specs]
        filled = {label: _fill(argument, remaining) for label, argument in arguments}
        return _name_outputs(function(*[filled[label] for label in labels[: len(args)]], **_only(filled, kwargs)))

    given = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in specs}
    return tf.function(serve, autograph=False).get_concrete_function(**given)


def _only(values: Mapping[str, TensorNest], names: Iterable[str]) -> Dict[str, TensorNest]:
    return {name: values[name] for name in names}


def _fill(argument: SpecNest, remaining: List[TfTensor]) -> TensorNest:
    """Replace each spec in an argument by the next of the remaining tensors, and keep Python values."""
    nest = packages.import_tensorflow().nest
    return nest.map_structure(lambda value: remaining.pop(0) if hasattr(value, "dtype") else value, argument)


def _name_specs(arguments: Sequence[Tuple[str, SpecNest]]) -> Optional[List[Tuple[str, TypeSpec]]]:
    """The specs in the arguments with the names of inputs; ``None`` if a signature cannot express them."""
    named: List[Tuple[str, TypeSpec]] = []
    for label, argument in arguments:
        if _is_flat(argument):
            named.extend(_name_elements(label, argument))
        elif _holds_specs(argument):
            return None
    return named if len(dict(named)) == len(named) else None


def _is_flat(value: Union[SpecNest, TensorNest]) -> bool:
    """Whether a value is a dense tensor, or a list or dict of dense tensors; or specs of these."""
    elements = _elements(value)
    return bool(elements) and all(map(functions.is_dense, elements))


def _elements(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)] if all(isinstance(key, str) for key in value) else []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _holds_specs(value: SpecNest) -> bool:
    tf = packages.import_tensorflow()
    return any(isinstance(each, tf.TypeSpec) for each in tf.nest.flatten(value))


def _name_elements(label: str, argument: SpecNest) -> List[Tuple[str, TypeSpec]]:
    specs = _elements(argument)
    if isinstance(argument, Mapping):
        return list(zip(sorted(argument), specs))
    names = [(spec.name or "").split(":")[0] for spec in specs]
    if not all(names) or len(set(names)) < len(names):
        names = [label if not index else "{}_{}".format(label, index) for index in range(len(specs))]
    return list(zip(names, specs))


def _name_outputs(outputs: TensorNest) -> Dict[str, TfTensor]:
    """Outputs by name; outputs without a name get the names that TensorFlow would give them."""
    if isinstance(outputs, Mapping):
        return dict(outputs)
    return {"output_{}".format(index): output for index, output in enumerate(_elements(outputs))}
