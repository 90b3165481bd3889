"""Collect the contents of a SavedModel from a function, or from an object with functions."""

from __future__ import annotations

from typing import Dict, List, Optional

from unihub import errors
from unihub._graph.reusable_saved_model import INTERFACE
from unihub._save.collected import Contents, referenced, trace_loss
from unihub._save.keras_models import weight_losses
from unihub._save.tracing import read_specs, trace
from unihub._tf import keras, tracking
from unihub._tf.functions import is_concrete_function, is_function, traces_of
from unihub._tf.types import SpecNest, TfFunction, Trackable


def of_function(function: TfFunction, inputs: Optional[SpecNest]) -> Contents:
    """The contents for a function of tensors.

    Args:
        function: A ``tf.function`` or a Python function.
        inputs: Specs or examples of its inputs; ``None`` for a traced ``tf.function``, to keep its traces.
    """
    return Contents(_traced(function, inputs), [], [], [], {}, {}, owners=referenced(function))


def of_object(obj: Trackable, inputs: Optional[SpecNest]) -> Contents:
    """The contents for a ``tf.Module`` or a loaded object: everything it tracks, and its functions.

    Attributes of the interface of Reusable SavedModels that the object has are kept.

    Args:
        obj: The object.
        inputs: Specs or examples of the inputs of its ``__call__``; ``None`` if that is a traced ``tf.function``, or
            if there is none.
    """
    children = tracking.tracked_children(obj)
    attributes = {**children, **_functions_of(obj)}
    return Contents(
        call=_traced(obj.__call__, inputs) if callable(obj) else None,
        variables=list(getattr(obj, "variables", ())),
        trainable_variables=list(getattr(obj, "trainable_variables", ())),
        regularization_losses=[trace_loss(loss) for loss in _find_losses(obj)],
        attributes={name: value for name, value in attributes.items() if name not in INTERFACE},
        signatures=dict(getattr(obj, "signatures", {})),
        owners=[obj],
        trains_captured="trainable_variables" not in children,
    )


def _find_losses(obj: Trackable) -> List[TfFunction]:
    """The regularization losses of an object: those it lists, or else those of the objects it tracks."""
    losses: Dict[int, TfFunction] = {}
    seen = {id(obj)}
    pending = [obj]
    for each in pending:
        if keras.keras_of_layer(each) is not None:
            losses.update((id(loss), loss) for loss in weight_losses(each))
        elif hasattr(each, "regularization_losses"):
            losses.update((id(loss), loss) for loss in each.regularization_losses)
        else:
            children = [child for child in tracking.tracked_children(each).values() if id(child) not in seen]
            seen.update(map(id, children))
            pending.extend(children)
    return list(losses.values())


def _traced(function: TfFunction, inputs: Optional[SpecNest]) -> TfFunction:
    """The function, traced for the inputs; without inputs it must be traced already."""
    if inputs is not None:
        return trace(function, read_specs(inputs))
    if not is_function(function) or not traces_of(function):
        raise errors.InputError.needs_inputs(function)
    return function


def _functions_of(obj: Trackable) -> Dict[str, TfFunction]:
    """The functions among the attributes of an object and of its class, which TensorFlow saves too."""
    names = [name for name in dir(obj) if not isinstance(getattr(type(obj), name, None), property)]
    attributes = {name: getattr(obj, name, None) for name in names}
    return {name: value for name, value in attributes.items() if is_function(value) or is_concrete_function(value)}
