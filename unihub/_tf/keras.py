"""Keras 2 and Keras 3: which one is here, which one a layer belongs to, and private state of both."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import sys
from typing import Callable, Iterable, Iterator, Optional, Sequence, Type

from packaging.version import Version

from unihub import errors
from unihub._tf.packages import import_tensorflow, installed_version, tensorflow_before
from unihub._tf.types import KerasLayer, KerasModule, KerasTensor, Session, SpecNest, TfTensor, TfVariable, TypeSpec


def keras2() -> KerasModule:
    """The Keras that ``hub.KerasLayer`` is a layer of: ``tf.keras`` before TensorFlow 2.16, ``tf_keras`` since."""
    if tensorflow_before("2.16"):
        return import_tensorflow().keras
    return importlib.import_module("tf_keras")


def register_keras_serializable(package: str) -> Callable[[type], type]:
    """The decorator that lets Keras find a class again when it loads a model; TensorFlow 1.14 has none."""
    register = getattr(keras2().utils, "register_keras_serializable", None)
    return (lambda cls: cls) if register is None else register(package=package)


def keras3() -> KerasModule:
    """Keras 3 on TensorFlow, or a typed error that says what is installed instead."""
    import_tensorflow()
    try:
        keras = importlib.import_module("keras")
    except Exception as exc:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        if backend != "tensorflow":
            raise errors.RuntimeUnavailableError.other_keras_backend(backend) from exc
        raise errors.RuntimeUnavailableError.no_keras3(installed_version("keras"), exc) from exc
    if not is_keras3(keras):
        raise errors.RuntimeUnavailableError.no_keras3(str(keras.__version__))
    backend = str(keras.config.backend())
    if backend != "tensorflow":
        raise errors.RuntimeUnavailableError.other_keras_backend(backend)
    return keras


def is_keras3(keras: KerasModule) -> bool:
    """Whether the module ``keras`` is Keras 3; the package had the name before."""
    return Version(getattr(keras, "__version__", "0")) >= Version("3.0.0.dev0")


def keras_of_symbol(value: object) -> Optional[str]:
    """Which Keras a symbolic tensor belongs to, ``keras2`` or ``keras3``; ``None`` for other values.

    Decided by the class's name and module, so that no Keras is imported.
    """
    kind = type(value)
    if kind.__name__ != "KerasTensor":
        return None
    package = kind.__module__.split(".")[0]
    return "keras3" if package == "keras" and is_keras3(sys.modules["keras"]) else "keras2"


def keras3_reads_file() -> bool:
    """Whether ``keras.saving.load_model`` reads a file here; private in Keras 3.0 to 3.15.

    Only it shares objects while it makes layers; ``clone_model`` and ``from_config`` do not.
    """
    from keras.src.backend.common import global_state

    return global_state.get_global_attribute("shared_objects/id_to_obj_map") is not None


def keras3_is_safe() -> bool:
    """Whether Keras must not run code from the file it reads; private in Keras 3.0 to 3.15."""
    from keras.src.saving import serialization_lib

    return serialization_lib.in_safe_mode() is not False


def keras3_is_symbolic() -> bool:
    """Whether Keras calls a layer to learn the shapes of its outputs only; private in Keras 3.0 to 3.15."""
    from keras.src.backend.common import stateless_scope

    return bool(stateless_scope.in_stateless_scope())


def take_any_input(layer: KerasLayer) -> None:
    """Makes a layer of Keras 3.0 to 3.15 pass on its inputs unchanged: lists of strings, arrays, and all dtypes."""
    layer._convert_input_args = False
    layer._allow_non_tensor_positional_args = True


def keras3_variable_class() -> Type[TfVariable]:
    """The class of Keras 3 variables that wrap a variable of TensorFlow without copying it.

    Keras 3.0 to 3.15 make the value in ``_initialize`` and keep it in ``_value``.
    """
    return _keras3_variable_class(keras3())


@functools.lru_cache(maxsize=None)
def _keras3_variable_class(keras: KerasModule) -> Type[TfVariable]:
    class LoadedVariable(keras.Variable):  # type: ignore[misc]
        """A variable of a loaded model, as Keras tracks it; its value is the model's own variable."""

        def __init__(self, variable: TfVariable, trainable: bool) -> None:
            self._loaded = variable
            name = variable.name.split(":")[0].replace("/", "_")
            super().__init__(variable, dtype=variable.dtype.name, trainable=trainable, name=name)

        def _initialize(self, value: TfVariable) -> None:
            self._value = self._loaded

        @property
        def value(self) -> TfVariable:
            """The variable itself, whatever the precision: the model reads it, not Keras."""
            return self._value

        def replace(self, variable: TfVariable) -> None:
            """Wraps another variable, which takes over the value and the identifier that optimizers use."""
            variable.assign(self._value)
            _primary(variable)._unique_id = _primary(self._value)._unique_id
            self._loaded = self._value = variable

    return LoadedVariable


def _primary(variable: TfVariable) -> TfVariable:
    """The variable of the first replica, for one of a ``tf.distribute`` strategy."""
    return getattr(variable, "_primary", variable)


def keras_of_layer(value: object) -> Optional[str]:
    """Which Keras a layer or model belongs to, ``keras2`` or ``keras3``; ``None`` for other objects.

    Decided by the names of its classes, so that no Keras is imported.
    """
    package = _package_of_layer(value)
    if package is None:
        return None
    return "keras3" if package == "keras" and is_keras3(sys.modules["keras"]) else "keras2"


def _package_of_layer(layer: KerasLayer) -> Optional[str]:
    """``keras``, ``tf_keras`` or ``tensorflow``: where the base class of all layers comes from."""
    packages = [cls.__module__.split(".") for cls in type(layer).__mro__ if cls.__name__ == "Layer"]
    return next((parts[0] for parts in packages if {"keras", "tf_keras"} & set(parts)), None)


def keras2_session(layer: KerasLayer) -> Session:
    """The session in which Keras 2 keeps, and initializes, the variables of a layer in a graph.

    ``tf_keras`` 2.16 to 2.21 has it in the API for TensorFlow 1 only.
    """
    if _package_of_layer(layer) == "tf_keras":
        return importlib.import_module("tf_keras.api._v1.keras.backend").get_session()
    return import_tensorflow().compat.v1.keras.backend.get_session()


def compute_dtype(layer: KerasLayer) -> Optional[str]:
    """The dtype a layer computes in; ``None`` for Keras 2 before TensorFlow 2.4, which does not say."""
    return getattr(layer, "compute_dtype", None)


def keras2_input_spec(layer: KerasLayer) -> Optional[SpecNest]:
    """What a layer of Keras 2 was called with, as a nest of specs; private in TensorFlow 1.15 to tf_keras 2.21.

    A subclassed model records it since 2.0, a layer since 2.4; ``None`` before the first call.
    """
    return getattr(layer, "_saved_model_inputs_spec", None)


def own_weight_losses(layer: KerasLayer) -> Sequence[Callable[[], TfTensor]]:
    """The losses of one layer that depend on no input, without those of its sublayers; none for other objects.

    The lists are private in TensorFlow 1.15 to tf_keras 2.21 and in Keras 3.0 to 3.15.
    """
    keras = keras_of_layer(layer)
    if keras == "keras2":
        return list(getattr(layer, "_callable_losses", ()))
    if keras != "keras3":
        return []
    weights = [weight for weight in layer._trainable_variables if weight.trainable and weight.regularizer is not None]
    return [functools.partial(weight.regularizer, weight) for weight in weights]


def spec_of_composite_symbol(symbol: KerasTensor) -> Optional[TypeSpec]:
    """The spec of a symbolic tensor of Keras that is sparse or ragged; ``None`` for a dense one.

    Keras 2 has a ``type_spec`` since 2.4, Keras 3 a flag for sparse tensors.
    """
    tf = import_tensorflow()
    spec = getattr(symbol, "type_spec", None)
    if spec is not None and not isinstance(spec, tf.TensorSpec):
        return spec
    return tf.SparseTensorSpec(symbol.shape, symbol.dtype) if getattr(symbol, "sparse", False) else None


@contextlib.contextmanager
def keeping_losses_and_updates(layers: Iterable[KerasLayer]) -> Iterator[None]:
    """Restores the losses and updates that layers had before unihub called them while tracing a function.

    The new ones would be tensors of that function's graph, which a user's training cannot use. The lists are private
    in Keras 2 (updates: in graphs only) and in Keras 3.0 to 3.15.
    """
    names = ("_losses", "_updates")
    lists = [getattr(layer, name, None) for layer in layers for name in names]
    kept = [(values, set(map(id, values))) for values in lists if isinstance(values, list)]
    try:
        yield
    finally:
        for values, known in kept:
            values[:] = [value for value in values if id(value) in known]
