"""Which of the concrete functions of a restored function a call means.

TensorFlow takes the first trace whose shapes could fit. A function traced for [2, 8] and for [None, 8] thus gets a
[None, 8] placeholder in its [2, 8] trace, and fails in the gradient. Here a trace that certainly fits is preferred, and
arguments that fit no trace are reported by the names of the model's arguments, before TensorFlow is called.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Sequence

from unihub import errors
from unihub._call import inputs as _tensors
from unihub._tf import packages
from unihub._tf.functions import is_self, is_spec
from unihub._tf.types import ConcreteFunction, Inputs, SpecNest, TensorNest, TfFunction, TfShape, TfTensor, TypeSpec


class Match(NamedTuple):
    """A concrete function and the arguments of a call, converted to what it takes.

    ``arguments`` are those that the caller gave, ``all_arguments`` has the trace's own values for the others too.
    """

    concrete: ConcreteFunction
    inputs: TensorNest
    arguments: Dict[str, TensorNest]
    all_arguments: Dict[str, TensorNest]
    tensors: List[TfTensor]
    is_first: bool = True

    def call(self, function: TfFunction) -> TensorNest:
        """Calls the restored function, or this trace of it where TensorFlow would take another one."""
        if self.is_first:
            return function(self.inputs, **self.arguments)
        return self.concrete(self.inputs, **self.all_arguments)


def match(
    path: str,
    names: Sequence[str],
    concretes: Sequence[ConcreteFunction],
    inputs: Inputs,
    arguments: Mapping[str, Inputs],
) -> Match:
    """Find the trace that a call means.

    Args:
        path: The model, for the error.
        names: The names of the function's arguments; the first one takes the inputs.
        concretes: The concrete functions.
        inputs: The inputs, any nest.
        arguments: Further arguments by name, such as ``training``.

    Returns:
        The concrete function and the converted arguments.

    Raises:
        InputError: The arguments fit none of them.
    """
    fitting = []
    for concrete in concretes:
        try:
            fitting.append(_fit_trace(names, concrete, inputs, arguments))
        except _tensors.Mismatch:
            continue
    if fitting:
        certain = next((match for match in fitting if _fits_for_certain(match)), fitting[0])
        return certain._replace(is_first=certain is fitting[0])
    given = ", ".join([_tensors.describe(inputs)] + ["{}={}".format(*item) for item in arguments.items()])
    raise errors.InputError.fits_no_trace(path, given, [_describe_trace(names, concrete) for concrete in concretes])


def _fit_trace(
    names: Sequence[str], concrete: ConcreteFunction, inputs: Inputs, arguments: Mapping[str, Inputs]
) -> Match:
    specs = _specs_by_name(names, concrete)
    if not specs:
        raise _tensors.Mismatch
    first, *others = specs
    if not set(arguments) <= set(others):
        raise _tensors.Mismatch
    fitted = {first: _fit(specs[first], inputs)}
    for name in others:
        if name in arguments:
            fitted[name] = _fit(specs[name], arguments[name])
        elif is_spec(specs[name]):
            raise _tensors.Mismatch
        else:
            fitted[name] = specs[name]
    flatten = packages.import_tensorflow().nest.flatten
    tensors = [
        tensor
        for name, spec in specs.items()
        for leaf, tensor in zip(flatten(spec, expand_composites=True), flatten(fitted[name], expand_composites=True))
        if is_spec(leaf)
    ]
    inputs = fitted.pop(first)
    return Match(concrete, inputs, {name: fitted[name] for name in arguments}, fitted, tensors)


def _specs_by_name(names: Sequence[str], concrete: ConcreteFunction) -> Dict[str, SpecNest]:
    """What a trace takes, by argument name: specs, and Python values as they are."""
    args, kwargs = concrete.structured_input_signature
    # A method's signature may begin with its self, which is no argument of the call.
    args = [arg for index, arg in enumerate(args) if index or not is_self(arg)]
    labels = list(names) + ["argument {}".format(index) for index in range(len(names), len(args))]
    specs = dict(zip(labels, args))
    specs.update((name, kwargs[name]) for name in sorted(kwargs))
    return specs


def _fit(spec: SpecNest, value: Inputs) -> TensorNest:
    """The value converted to what a spec describes; raises ``Mismatch`` if it does not fit."""
    tf = packages.import_tensorflow()
    if isinstance(spec, tf.TensorSpec):
        return _tensors.convert(value, spec.dtype, spec.shape)
    if isinstance(spec, Mapping):
        if not isinstance(value, Mapping) or set(value) != set(spec):
            raise _tensors.Mismatch
        return {key: _fit(part, value[key]) for key, part in spec.items()}
    if isinstance(spec, (list, tuple)):
        if not isinstance(value, (list, tuple)) or len(value) != len(spec):
            raise _tensors.Mismatch
        parts = [_fit(part, given) for part, given in zip(spec, value)]
        return type(spec)(*parts) if hasattr(spec, "_fields") else type(value)(parts)
    if not (_takes(spec, value) if is_spec(spec) else type(spec) is type(value) and spec == value):
        raise _tensors.Mismatch
    return value


def _takes(spec: TypeSpec, value: Inputs) -> bool:
    """Whether a spec of a composite tensor describes a value; TensorFlow raises for values that are not tensors."""
    try:
        return bool(spec.is_compatible_with(value))
    except (TypeError, ValueError):
        return False


def _fits_for_certain(match: Match) -> bool:
    """Whether the tensors are known to have every size that the trace fixes."""
    return all(
        _known(placeholder.shape, tensor.shape) for placeholder, tensor in zip(match.concrete.inputs, match.tensors)
    )


def _known(fixed: TfShape, given: TfShape) -> bool:
    if fixed.rank is None:
        return True
    if given.rank is None:
        return False
    return all(size is None or size == have for size, have in zip(fixed.as_list(), given.as_list()))


def _describe_trace(names: Sequence[str], concrete: ConcreteFunction) -> str:
    parts = ["{}: {}".format(name, _describe_spec(spec)) for name, spec in _specs_by_name(names, concrete).items()]
    return ", ".join(parts)


def _describe_spec(spec: SpecNest) -> str:
    if isinstance(spec, Mapping):
        return "{{{}}}".format(", ".join("{!r}: {}".format(key, _describe_spec(part)) for key, part in spec.items()))
    if isinstance(spec, (list, tuple)):
        return "[{}]".format(", ".join(_describe_spec(part) for part in spec))
    return _tensors.describe(spec) if hasattr(spec, "dtype") else str(spec)
