"""What a call of a saved model takes, and the traces of it that are written.

A function is traced once for each training mode it knows, for nothing but traces is in a SavedModel. Whatever the
traces take and give that a signature can express has a signature, with the names that TensorFlow would choose.
"""

from __future__ import annotations

import inspect
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from unihub import errors
from unihub._tf import functions, packages


def read_specs(inputs: Any) -> Any:
    """What a call takes, as specs.

    Args:
        inputs: A nest of specs, which are taken as they are, and of examples: arrays and tensors, which give their
            dtype and their shape without the batch.

    Returns:
        The nest with a ``tf.TypeSpec`` in each place.

    Raises:
        InputError: Something in it is neither.
    """
    return packages.import_tensorflow().nest.map_structure(_read_spec, inputs)


def _read_spec(value: Any) -> Any:
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


def without_batch_size(shape: Any) -> Any:
    """The shape with any size in its first dimension."""
    return [None] + shape.as_list()[1:] if shape.rank else shape


def trace(function: Any, specs: Any) -> Any:
    """Traces a function for what it takes.

    Args:
        function: A ``tf.function``, or a Python function of tensors.
        specs: A nest of specs for its only argument; for several arguments a dict of them by name.

    Returns:
        The ``tf.function``, with a trace each for ``training=False`` and ``True`` if it has an argument of that name.

    Raises:
        InputError: It has several arguments, and the specs are not given by their names.
    """
    parameters = _parameters(function)
    needed = [name for name, one in parameters.items() if _is_needed(one) and name != "training"]
    args, kwargs = [specs], {}
    if len(needed) > 1:
        if not isinstance(specs, Mapping) or set(specs) != set(needed):
            raise errors.InputError.inputs_by_name(needed)
        args, kwargs = [], dict(specs)
    traced = function if functions.is_function(function) else packages.import_tensorflow().function(_routine(function))
    for mode in (False, True) if "training" in parameters else (None,):
        traced.get_concrete_function(*args, **kwargs, **({} if mode is None else {"training": mode}))
    return traced


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    try:
        found = inspect.signature(function if _is_restored(function) else _python_function(function)).parameters
    except (TypeError, ValueError):  # A builtin has none that could be read.
        return {}
    return {name: parameter for name, parameter in found.items() if name != "self"}


def _python_function(function: Any) -> Any:
    return function.python_function if functions.is_function(function) else function


def _routine(function: Any) -> Any:
    """The method behind a call of an object; TensorFlow 1.15 takes the object's first argument to be called self."""
    call = function.__call__
    return call if inspect.ismethod(call) else function


def _is_restored(function: Any) -> bool:
    return isinstance(function, functions.restored_function_type())


def _is_needed(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind in (
        parameter.POSITIONAL_ONLY,
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    )


def default_signature(function: Any) -> Optional[Any]:
    """The signature that does what a call does, outside of training.

    Args:
        function: A traced ``tf.function``.

    Returns:
        A concrete function that takes tensors by name and returns them so; ``None`` if no signature can express what
        the function takes or returns: nests in nests, sparse and ragged tensors.
    """
    names = list(_parameters(function))
    for concrete in functions.traces_of(function):
        args, kwargs = concrete.structured_input_signature
        # A method's trace may begin with its self.
        args = [arg for arg in args if not functions.is_self(arg)]
        given = dict(zip(names, args), **kwargs)
        if given.get("training") is not True:
            return _make_signature(function, names, args, kwargs, concrete.structured_outputs)
    return None


def _make_signature(
    function: Any, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any], outputs: Any
) -> Optional[Any]:
    tf = packages.import_tensorflow()
    labels = list(names) + ["argument_{}".format(index) for index in range(len(names), len(args))]
    arguments = list(zip(labels, args)) + [(name, kwargs[name]) for name in sorted(kwargs)]
    specs = _name_specs(arguments)
    if specs is None or not _is_flat(outputs):
        return None

    def serve(**tensors: Any) -> Dict[str, Any]:
        waiting = [tensors[name] for name, _ in specs]
        filled = {label: _fill(argument, waiting) for label, argument in arguments}
        return _name_outputs(function(*[filled[label] for label in labels[: len(args)]], **_only(filled, kwargs)))

    given = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in specs}
    return tf.function(serve, autograph=False).get_concrete_function(**given)


def _only(values: Mapping[str, Any], names: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: values[name] for name in names}


def _fill(argument: Any, waiting: List[Any]) -> Any:
    """An argument with the next of the waiting tensors in the place of each spec; Python values stay."""
    nest = packages.import_tensorflow().nest
    return nest.map_structure(lambda part: waiting.pop(0) if hasattr(part, "dtype") else part, argument)


def _name_specs(arguments: Sequence[Tuple[str, Any]]) -> Optional[List[Tuple[str, Any]]]:
    """The tensors among the arguments by the names of inputs; ``None`` where there are no such names."""
    named: List[Tuple[str, Any]] = []
    for label, argument in arguments:
        if _is_flat(argument):
            named.extend(_name_parts(label, argument))
        elif _holds_specs(argument):
            return None
    return named if len(dict(named)) == len(named) else None


def _is_flat(value: Any) -> bool:
    """Whether it is a tensor, or a list or dict of tensors; or a spec of such."""
    parts = _parts(value)
    return bool(parts) and all(functions.is_dense(part) for part in parts)


def _parts(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)] if all(isinstance(key, str) for key in value) else []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _holds_specs(value: Any) -> bool:
    tf = packages.import_tensorflow()
    return any(isinstance(part, tf.TypeSpec) for part in tf.nest.flatten(value))


def _name_parts(label: str, argument: Any) -> List[Tuple[str, Any]]:
    parts = _parts(argument)
    if isinstance(argument, Mapping):
        return list(zip(sorted(argument), parts))
    names = [(part.name or "").split(":")[0] for part in parts]
    if not all(names) or len(set(names)) < len(names):
        names = [label if not index else "{}_{}".format(label, index) for index in range(len(parts))]
    return list(zip(names, parts))


def _name_outputs(outputs: Any) -> Dict[str, Any]:
    """Outputs by name; those without one get TensorFlow's own."""
    if isinstance(outputs, Mapping):
        return dict(outputs)
    return {"output_{}".format(index): output for index, output in enumerate(_parts(outputs))}
