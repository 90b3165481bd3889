"""What is written of a function or of an object with functions: its call, its variables, and all that these need.

A SavedModel keeps what its root object tracks. Variables and tables that the traces capture are found here, wherever
the function has them from, so that they are tracked.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from unihub import errors
from unihub._graph.reusable_saved_model import INTERFACE
from unihub._save.tracing import default_signature, read_specs, trace
from unihub._tf import keras, packages, tracking
from unihub._tf.functions import graph_of, is_concrete_function, is_function, traces_of

_REFERENCES = ("Variable", "VariableV2")


class Parts(NamedTuple):
    """What is written.

    Attributes:
        call: The traced ``tf.function`` that a call of the model runs, ``None`` without one.
        variables: The variables that are known.
        trainable_variables: Those that training changes.
        regularization_losses: Traced functions without arguments.
        attributes: What else is kept, by name.
        signatures: Concrete functions by name.
        owners: Where captured variables and tables may be found.
        trains_captured: Whether captured variables that are marked as trainable are trained, too.
    """

    call: Optional[Any]
    variables: List[Any]
    trainable_variables: List[Any]
    regularization_losses: List[Any]
    attributes: Dict[str, Any]
    signatures: Dict[str, Any]
    owners: Sequence[Any] = ()
    trains_captured: bool = True


def of_function(function: Any, inputs: Any) -> Parts:
    """What is written of a function of tensors.

    Args:
        function: A ``tf.function`` or a Python function.
        inputs: What it takes; ``None`` for a ``tf.function`` that was traced, whose traces are taken as they are.
    """
    return Parts(_traced(function, inputs), [], [], [], {}, {}, owners=referenced(function))


def of_object(obj: Any, inputs: Any) -> Parts:
    """What is written of a ``tf.Module`` or of an object that was loaded: all that it tracks, and its functions.

    What it has of the interface by itself is kept as it is.

    Args:
        obj: The object.
        inputs: What its ``__call__`` takes; ``None`` if that is a traced ``tf.function``, or if there is none.
    """
    children = tracking.tracked_children(obj)
    attributes = {**children, **_functions_of(obj)}
    return Parts(
        call=_traced(obj.__call__, inputs) if callable(obj) else None,
        variables=list(getattr(obj, "variables", ())),
        trainable_variables=list(getattr(obj, "trainable_variables", ())),
        regularization_losses=[trace_loss(loss) for loss in _find_losses(obj)],
        attributes={name: value for name, value in attributes.items() if name not in INTERFACE},
        signatures=dict(getattr(obj, "signatures", {})),
        owners=[obj],
        trains_captured="trainable_variables" not in children,
    )


def _find_losses(obj: Any) -> List[Any]:
    """The regularization losses of an object: those that it lists, else those of the objects in it."""
    from unihub._save.keras_models import weight_losses

    found: Dict[int, Any] = {}
    seen = {id(obj)}
    waiting = [obj]
    for one in waiting:
        if keras.keras_of_layer(one) is not None:
            found.update((id(loss), loss) for loss in weight_losses(one))
        elif hasattr(one, "regularization_losses"):
            found.update((id(loss), loss) for loss in one.regularization_losses)
        else:
            children = [child for child in tracking.tracked_children(one).values() if id(child) not in seen]
            seen.update(map(id, children))
            waiting.extend(children)
    return list(found.values())


def complete(parts: Parts, signatures: Mapping[str, Any]) -> Parts:
    """Adds the signatures, and what the traces capture: variables, and tables with their files.

    Args:
        parts: What is known.
        signatures: What the caller gave, by name.

    Raises:
        SignatureError: A signature is no function whose inputs are known.
    """
    own = {} if parts.call is None else {"serving_default": default_signature(parts.call)}
    named = {**own, **parts.signatures, **{name: _read_signature(name, one) for name, one in signatures.items()}}
    named = {name: concrete for name, concrete in named.items() if concrete is not None}
    captured = _find_captured(_functions(parts._replace(signatures=named)), parts.owners)
    known = {id(variable) for variable in parts.variables}
    added = [one for one in captured if is_variable(one) and id(one) not in known]
    trained = [one for one in added if parts.trains_captured and one.trainable]
    tables = [one for one in captured if not is_variable(one)]
    resources = tables + [one for table in tables for one in tracking.untracked_children(table)]
    return parts._replace(
        variables=parts.variables + added,
        trainable_variables=parts.trainable_variables + trained,
        attributes=dict(parts.attributes, **({"resources": resources} if resources else {})),
        signatures=named,
    )


def trace_loss(loss: Any) -> Any:
    """A loss without arguments as a traced function."""
    function = loss if is_function(loss) else packages.import_tensorflow().function(loss)
    if not traces_of(function):
        function.get_concrete_function()
    return function


def descendants(obj: Any) -> List[Any]:
    """An object and all that it tracks, at any depth."""
    found = {id(obj): obj}
    waiting = [obj]
    for parent in waiting:
        new = [child for child in tracking.tracked_children(parent).values() if id(child) not in found]
        found.update((id(child), child) for child in new)
        waiting.extend(new)
    return list(found.values())


def reached_from(obj: Any) -> List[Any]:
    """All that an object tracks, or that a function uses from outside of itself."""
    owners = [obj] if tracking.is_tracking(obj) and not is_function(obj) else referenced(obj) if callable(obj) else []
    return [one for owner in owners for one in descendants(owner)]


def is_variable(value: Any) -> bool:
    return isinstance(value, packages.import_tensorflow().Variable)


def find_traces(functions: Iterable[Any]) -> List[Any]:
    """The concrete functions of functions; whatever else is among them has none."""
    return [concrete for function in functions for concrete in _traces(function)]


def find_reference(parts: Parts) -> Optional[str]:
    """The name of a variable of TF1's reference type that is to be written; ``None`` where all are resources."""
    names = [variable.name for variable in parts.variables if not tracking.is_resource_variable(variable)]
    tensors = [tensor for concrete in find_traces(_functions(parts)) for tensor in concrete.captured_inputs]
    sources = [_source(tensor) for tensor in tensors if graph_of(tensor) is not None]
    names += [op.name for op in sources if op.type in _REFERENCES]
    return names[0] if names else None


def _source(tensor: Any) -> Any:
    """The op that a tensor comes from, through the ops that read variables."""
    op = tensor.op
    while op.type == "Identity":
        op = op.inputs[0].op
    return op


def _functions(parts: Parts) -> List[Any]:
    return [parts.call, *parts.regularization_losses, *parts.signatures.values(), *parts.attributes.values()]


def _find_captured(functions: Iterable[Any], owners: Iterable[Any]) -> List[Any]:
    """The variables and tables that traces capture, each once, in the order of the traces."""
    traces = find_traces(functions)
    by_handle: Dict[int, Any] = {}
    for concrete in traces:
        for variable in concrete.graph.variables:
            by_handle.setdefault(id(variable.handle), variable)
    # A trace tells the variables that it reads, and no others.
    for one in (one for owner in owners for one in descendants(owner)):
        handle = tracking.handle_of(one)
        if handle is not None:
            by_handle.setdefault(id(handle), one)
    handles = {id(tensor): None for concrete in traces for tensor in concrete.captured_inputs}
    return [by_handle[handle] for handle in handles if handle in by_handle]


def _traces(function: Any) -> Sequence[Any]:
    if is_concrete_function(function):
        return [function]
    return traces_of(function) if is_function(function) else []


def _traced(function: Any, inputs: Any) -> Any:
    """The function with traces of what it takes; those it has are enough."""
    if inputs is not None:
        return trace(function, read_specs(inputs))
    if not is_function(function) or not traces_of(function):
        raise errors.InputError.needs_inputs(function)
    return function


def _functions_of(obj: Any) -> Dict[str, Any]:
    """The functions among an object's attributes, those of its class included, as TensorFlow keeps them."""
    names = [name for name in dir(obj) if not isinstance(getattr(type(obj), name, None), property)]
    found = {name: getattr(obj, name, None) for name in names}
    return {name: one for name, one in found.items() if is_function(one) or is_concrete_function(one)}


def referenced(function: Any) -> List[Any]:
    """The objects that a function uses from outside of itself, as far as Python tells."""
    python = getattr(function, "python_function", function)
    if isinstance(python, functools.partial):
        return [*python.args, *python.keywords.values(), *referenced(python.func)]
    if not inspect.isfunction(python) and not inspect.ismethod(python):
        return list(getattr(python, "__dict__", {}).values())
    used = inspect.getclosurevars(python)
    values = [getattr(python, "__self__", None), *used.nonlocals.values(), *used.globals.values()]
    return [value for value in values if value is not None and not inspect.ismodule(value)]


def _read_signature(name: str, function: Any) -> Any:
    traces = _traces(function)
    if len(traces) != 1:
        raise errors.SignatureError.not_traced(name, function, len(traces))
    return traces[0]
