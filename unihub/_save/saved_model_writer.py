"""What ``tf.saved_model.save`` stands for: Keras models, modules and functions as Reusable SavedModels.

What is written can be called, fine-tuned and served wherever a TF2 SavedModel can be loaded. In a graph the values come
out of a session, and everything that TensorFlow would say in words of its own is checked before it writes.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Iterator, Sequence

from unihub import errors
from unihub._graph import reusable_saved_model
from unihub._save import backward_compat, collected, keras_models
from unihub._save.collected import Parts
from unihub._strategies.model import Model
from unihub._tf import keras, packages, tracking
from unihub._tf.functions import graph_of, is_function
from unihub._types import RuntimeMode

_UNTRACKED = re.compile(r"untracked")


def write(request: Any, directory: str) -> None:
    """Writes a model.

    Args:
        request: The ``SaveRequest``.
        directory: The empty directory to fill.

    Raises:
        UnsupportedError: It is called inside a ``tf.function``.
        InputError, SignatureError: The arguments do not make a model.
    """
    if request.runtime.inside_function:
        raise errors.UnsupportedError.saving_inside_function()
    for argument in ("variants", "checkpoint"):
        if getattr(request, argument):
            raise errors.InputError.only_for_modules(argument)
    # TensorFlow may trace a function once more while it writes it.
    with keras.keeping_losses_and_updates(collected.reached_from(_unwrap(request.obj))):
        _write(request, directory)


def _write(request: Any, directory: str) -> None:
    if request.runtime.mode is RuntimeMode.TF2:
        _save(_find_parts(request), directory)
        return
    session = _find_session(request)
    # What has no variables needs no session of the user's.
    with _current(session or packages.import_tensorflow().compat.v1.Session()) as current:
        parts = _find_parts(request)
        _check_variables(parts, session)
        _check_values(parts.variables, current)
        _save(parts, directory)


def _find_parts(request: Any) -> Parts:
    parts = collected.complete(_find_own_parts(_unwrap(request.obj), request.inputs), request.signatures)
    if parts.call is None and not parts.signatures and not collected.find_traces(parts.attributes.values()):
        raise errors.InputError.not_savable(request.obj)
    return parts


def _unwrap(obj: Any) -> Any:
    """What TensorFlow can write of a loaded model: the object that was loaded."""
    is_layer = keras.keras_of_layer(obj) is not None and hasattr(obj, "plan")
    return obj.native if isinstance(obj, Model) or is_layer else obj


def _find_own_parts(obj: Any, inputs: Any) -> Parts:
    # A class is none of its objects, and a hub.Module belongs to the other format.
    is_object = not isinstance(obj, type) and not hasattr(obj, "variable_map")
    if is_object and keras.keras_of_layer(obj) is not None:
        return keras_models.of_layer(obj, inputs)
    if is_object and tracking.is_tracking(obj) and not is_function(obj):
        return collected.of_object(obj, inputs)
    if is_object and callable(obj):
        return collected.of_function(obj, inputs)
    raise errors.InputError.not_savable(obj)


def _save(parts: Parts, directory: str) -> None:
    tf = packages.import_tensorflow()
    root = reusable_saved_model.build(
        parts.call, parts.variables, parts.trainable_variables, parts.regularization_losses, parts.attributes
    )
    # Without a call, TensorFlow chooses a signature among the functions; with one, none is better than another one.
    signatures = parts.signatures or (None if parts.call is None else {})
    try:
        tf.saved_model.save(root, directory, signatures=signatures)
    except (AssertionError, ValueError) as exc:
        if _UNTRACKED.search(str(exc)):
            raise errors.InputError.untracked(str(exc)) from exc
        raise
    backward_compat.drop_from(directory)


def _find_session(request: Any) -> Any:
    """The session that has the variables, as far as anybody told; Keras 2 has one of its own."""
    if request.session is None and keras.keras_of_layer(request.obj) == "keras2":
        return keras.keras2_session(request.obj)
    return request.session


@contextlib.contextmanager
def _current(session: Any) -> Iterator[Any]:
    with session.graph.as_default(), session.as_default():
        yield session


def _check_variables(parts: Parts, session: Any) -> None:
    """Refuses variables whose values cannot be read here."""
    reference = collected.find_reference(parts)
    if reference is not None:
        raise errors.InputError.reference_variable(reference)
    for variable in parts.variables:
        if session is None:
            raise errors.InputError.needs_session(variable.name)
        if graph_of(variable.handle) is not session.graph:
            raise errors.InputError.variable_elsewhere(variable.name)


def _check_values(variables: Sequence[Any], session: Any) -> None:
    v1 = packages.import_tensorflow().compat.v1
    if not variables:
        return
    known = session.run([v1.is_variable_initialized(variable) for variable in variables])
    missing = [variable.name for variable, done in zip(variables, known) if not done]
    if missing:
        raise errors.InputError.uninitialized(missing[0])
