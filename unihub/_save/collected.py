"""The contents of a SavedModel: a call, variables, losses, signatures, and everything these need.

A SavedModel keeps what its root object tracks. ``complete`` finds the variables and tables that the traces capture, so
that the root object tracks them, wherever the functions refer to them.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from unihub import errors
from unihub._save.tracing import default_signature
from unihub._tf import packages, tracking
from unihub._tf.functions import graph_of, is_concrete_function, is_function, traces_of
from unihub._tf.types import ConcreteFunction, Op, TfFunction, TfTensor, TfVariable, Trackable

_REFERENCES = ("Variable", "VariableV2")


class Contents(NamedTuple):
    """What is written to a SavedModel.

    Attributes:
        call: The traced ``tf.function`` that a call of the model runs; ``None`` if the model cannot be called.
        variables: The variables that are known.
        trainable_variables: The variables that training changes.
        regularization_losses: Traced functions without arguments.
        attributes: Further attributes by name.
        signatures: Concrete functions by name.
        owners: The objects among which captured variables and tables are looked for.
        trains_captured: Whether training changes captured variables that are marked as trainable.
    """

    call: Optional[TfFunction]
    variables: List[TfVariable]
    trainable_variables: List[TfVariable]
    regularization_losses: List[TfFunction]
    attributes: Dict[str, Any]
    signatures: Dict[str, ConcreteFunction]
    owners: Sequence[Trackable] = ()
    trains_captured: bool = True


def complete(contents: Contents, signatures: Mapping[str, TfFunction]) -> Contents:
    """Add the signatures and what the traces capture: variables, and tables with their files.

    Args:
        contents: The contents without them.
        signatures: The caller's signatures by name.

    Raises:
        SignatureError: A signature is not a function with exactly one trace.
    """
    own = {} if contents.call is None else {"serving_default": default_signature(contents.call)}
    named = {**own, **contents.signatures, **{name: _only_trace(name, each) for name, each in signatures.items()}}
    named = {name: concrete for name, concrete in named.items() if concrete is not None}
    captured = _find_captured(_functions(contents._replace(signatures=named)), contents.owners)
    known = {id(variable) for variable in contents.variables}
    added = [each for each in captured if is_variable(each) and id(each) not in known]
    trained = [variable for variable in added if contents.trains_captured and variable.trainable]
    tables = [each for each in captured if not is_variable(each)]
    resources = tables + [child for table in tables for child in tracking.untracked_children(table)]
    return contents._replace(
        variables=contents.variables + added,
        trainable_variables=contents.trainable_variables + trained,
        attributes=dict(contents.attributes, **({"resources": resources} if resources else {})),
        signatures=named,
    )


def trace_loss(loss: TfFunction) -> TfFunction:
    """A loss without arguments as a traced function."""
    function = loss if is_function(loss) else packages.import_tensorflow().function(loss)
    if not traces_of(function):
        function.get_concrete_function()
    return function


def descendants(obj: Trackable) -> List[Trackable]:
    """An object and everything it tracks, at any depth."""
    seen = {id(obj)}
    objects = [obj]
    for parent in objects:
        for child in tracking.tracked_children(parent).values():
            if id(child) not in seen:
                seen.add(id(child))
                objects.append(child)
    return objects


def reachable(obj: Trackable) -> List[Trackable]:
    """Everything that an object tracks, or that the objects a function refers to track."""
    owners = [obj] if tracking.is_tracking(obj) and not is_function(obj) else referenced(obj) if callable(obj) else []
    return [each for owner in owners for each in descendants(owner)]


def is_variable(value: object) -> bool:
    """Whether a value is a ``tf.Variable``."""
    return isinstance(value, packages.import_tensorflow().Variable)


def find_traces(functions: Iterable[Any]) -> List[ConcreteFunction]:
    """The concrete functions of the functions among some values."""
    return [concrete for function in functions for concrete in _traces(function)]


def find_reference(contents: Contents) -> Optional[str]:
    """The name of a variable of TF1's reference type in the contents; ``None`` if all variables are resources."""
    names = [variable.name for variable in contents.variables if not tracking.is_resource_variable(variable)]
    tensors = [tensor for concrete in find_traces(_functions(contents)) for tensor in concrete.captured_inputs]
    sources = [_producer(tensor) for tensor in tensors if graph_of(tensor) is not None]
    names += [op.name for op in sources if op.type in _REFERENCES]
    return names[0] if names else None


def _producer(tensor: TfTensor) -> Op:
    """The op that gives a tensor, looking through the ops that read variables."""
    op = tensor.op
    while op.type == "Identity":
        op = op.inputs[0].op
    return op


def _functions(contents: Contents) -> List[Any]:
    return [
        contents.call,
        *contents.regularization_losses,
        *contents.signatures.values(),
        *contents.attributes.values(),
    ]


def _find_captured(functions: Iterable[Any], owners: Iterable[Trackable]) -> List[Trackable]:
    """The variables and tables that traces capture, without duplicates, in the order of the traces."""
    traces = find_traces(functions)
    by_handle: Dict[int, Trackable] = {}
    for concrete in traces:
        for variable in concrete.graph.variables:
            by_handle.setdefault(id(variable.handle), variable)
    # The graph of a trace lists the variables that it reads, but no others.
    for each in (each for owner in owners for each in descendants(owner)):
        handle = tracking.handle_of(each)
        if handle is not None:
            by_handle.setdefault(id(handle), each)
    handles = {id(tensor): None for concrete in traces for tensor in concrete.captured_inputs}
    return [by_handle[handle] for handle in handles if handle in by_handle]


def _traces(function: Any) -> Sequence[ConcreteFunction]:
    if is_concrete_function(function):
        return [function]
    return traces_of(function) if is_function(function) else []


def referenced(function: TfFunction) -> List[Any]:
    """The objects outside of a function that it refers to, as far as Python can list them."""
    python = getattr(function, "python_function", function)
    if isinstance(python, functools.partial):
        return [*python.args, *python.keywords.values(), *referenced(python.func)]
    if not inspect.isfunction(python) and not inspect.ismethod(python):
        return list(getattr(python, "__dict__", {}).values())
    used = inspect.getclosurevars(python)
    values = [getattr(python, "__self__", None), *used.nonlocals.values(), *used.globals.values()]
    return [value for value in values if value is not None and not inspect.ismodule(value)]


def _only_trace(name: str, function: TfFunction) -> ConcreteFunction:
    traces = _traces(function)
    if len(traces) != 1:
        raise errors.SignatureError.not_traced(name, function, len(traces))
    return traces[0]
