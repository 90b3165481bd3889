"""Write Keras models, modules and functions as Reusable SavedModels, with ``tf.saved_model.save``.

The result can be called, fine-tuned and served wherever TF2 SavedModels can be loaded. In a graph, a session gives the
values of the variables. Common mistakes are checked first, because TensorFlow's own errors do not name the argument.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Iterator, Optional, Sequence

from unihub import errors
from unihub._graph import reusable_saved_model
from unihub._save import backward_compat, collected, keras_models, trackables
from unihub._save.collected import Contents
from unihub._save.save import SaveRequest
from unihub._strategies.model import Model
from unihub._tf import keras, packages, tracking
from unihub._tf.functions import graph_of, is_function
from unihub._tf.types import Session, SpecNest, TfVariable
from unihub._types import RuntimeMode

_UNTRACKED = re.compile(r"untracked")


def write(request: SaveRequest, directory: str) -> None:
    """Write a model.

    Args:
        request: What to write.
        directory: An empty directory.

    Raises:
        UnsupportedError: ``unihub.save`` was called inside a ``tf.function``.
        InputError, SignatureError: The arguments do not describe a model.
    """
    if request.runtime.inside_function:
        raise errors.UnsupportedError.saving_inside_function()
    for argument in ("variants", "checkpoint"):
        if getattr(request, argument):
            raise errors.InputError.only_for_modules(argument)
    # TensorFlow may trace a function again while it writes it.
    with keras.keeping_losses_and_updates(collected.reachable(_unwrap(request.obj))):
        _write(request, directory)


def _write(request: SaveRequest, directory: str) -> None:
    if request.runtime.mode is RuntimeMode.TF2:
        _save(_find_contents(request), directory)
        return
    session = _find_session(request)
    # Without variables, any session will do.
    with _current(session or packages.import_tensorflow().compat.v1.Session()) as current:
        contents = _find_contents(request)
        _check_variables(contents, session)
        _check_values(contents.variables, current)
        _save(contents, directory)


def _find_contents(request: SaveRequest) -> Contents:
    contents = collected.complete(_contents_of(_unwrap(request.obj), request.inputs), request.signatures)
    if contents.call is None and not contents.signatures and not collected.find_traces(contents.attributes.values()):
        raise errors.InputError.not_savable(request.obj)
    return contents


def _unwrap(obj: Any) -> Any:
    """The object that TensorFlow loaded, for a model or layer of unihub; other objects as they are."""
    return obj.native if isinstance(obj, Model) else obj


def _contents_of(obj: Any, inputs: Optional[SpecNest]) -> Contents:
    # A class is not an instance of itself, and a hub.Module is written in the other format.
    is_object = not isinstance(obj, type) and not hasattr(obj, "variable_map")
    if is_object and keras.keras_of_layer(obj) is not None:
        return keras_models.of_layer(obj, inputs)
    if is_object and tracking.is_tracking(obj) and not is_function(obj):
        return trackables.of_object(obj, inputs)
    if is_object and callable(obj):
        return trackables.of_function(obj, inputs)
    raise errors.InputError.not_savable(obj)


def _save(contents: Contents, directory: str) -> None:
    tf = packages.import_tensorflow()
    root = reusable_saved_model.build(
        contents.call,
        contents.variables,
        contents.trainable_variables,
        contents.regularization_losses,
        contents.attributes,
    )
    # With None, TensorFlow makes one of the functions a signature. With a call, that would be an arbitrary one.
    signatures = contents.signatures or (None if contents.call is None else {})
    try:
        tf.saved_model.save(root, directory, signatures=signatures)
    except (AssertionError, ValueError) as exc:
        if _UNTRACKED.search(str(exc)):
            raise errors.InputError.untracked(str(exc)) from exc
        raise
    backward_compat.drop_from(directory)


def _find_session(request: SaveRequest) -> Optional[Session]:
    """The session that holds the variables: the caller's, or that of Keras 2."""
    if request.session is None and keras.keras_of_layer(request.obj) == "keras2":
        return keras.keras2_session(request.obj)
    return request.session


@contextlib.contextmanager
def _current(session: Session) -> Iterator[Session]:
    with session.graph.as_default(), session.as_default():
        yield session


def _check_variables(contents: Contents, session: Optional[Session]) -> None:
    """Raise an error for variables whose values the session cannot read."""
    reference = collected.find_reference(contents)
    if reference is not None:
        raise errors.InputError.reference_variable(reference)
    for variable in contents.variables:
        if session is None:
            raise errors.InputError.needs_session(variable.name)
        if graph_of(variable.handle) is not session.graph:
            raise errors.InputError.variable_elsewhere(variable.name)


def _check_values(variables: Sequence[TfVariable], session: Session) -> None:
    v1 = packages.import_tensorflow().compat.v1
    if not variables:
        return
    are_initialized = session.run([v1.is_variable_initialized(variable) for variable in variables])
    missing = [variable.name for variable, done in zip(variables, are_initialized) if not done]
    if missing:
        raise errors.InputError.uninitialized(missing[0])
