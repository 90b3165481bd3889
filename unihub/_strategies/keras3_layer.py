"""Serves ``api="keras"`` in Keras 3, for which tensorflow_hub has no layer.

The layer wraps the model that ``HubLoad`` loaded. Keras tracks, trains and saves the model's own variables, not copies.
The model's losses are the regularizer of one variable, so Keras counts them once, and only while it is trained.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
from typing import Any, List, Mapping, Optional, Sequence, Set, Type, Union

from unihub import _resolve, errors
from unihub._call import tf_errors
from unihub._plan.plan import Plan
from unihub._strategies import layer_mixin
from unihub._strategies.hub_load import HubLoad
from unihub._strategies.keras3_file import CallRecord, UnreadModel, describe_variable
from unihub._strategies.layer_mixin import (
    Config,
    LayerOfModel,
    cast_floating,
    check_kerases,
    check_may_train,
    config_of,
    options_of,
)
from unihub._strategies.loaded_model import WrappedModel
from unihub._strategies.model import Loss, Model
from unihub._tf import autograph, ops, packages
from unihub._tf.functions import restored_call
from unihub._tf.keras import keras3, keras3_is_safe, keras3_reads_file, keras3_variable_class, take_any_input
from unihub._tf.types import ConcreteFunction, Inputs, SpecNest, TensorNest, TfTensor, TfVariable
from unihub._tf.types import KerasLayer as Layer
from unihub._types import Keras

# A model, or what stands for it until Keras has unpacked its files.
AnyModel = Union[WrappedModel, UnreadModel]

_OPTIONS_OF_KERAS = ("dtype", "input_shape", "activity_regularizer")
_OPTIONS = _OPTIONS_OF_KERAS + ("arguments", "output_shape", "self_contained")

# The folder of the SavedModel among a layer's files in a .keras file.
_FOLDER = "saved_model"

# Keras' message for an output that it cannot describe.
_NO_RANK = re.compile("unknown (TensorShape|rank)")


class Keras3Layer:
    """Makes the layers."""

    @classmethod
    def load(cls, plan: Plan) -> Model:
        """Loads the model of a plan as a layer."""
        layer = layer_class()
        options = plan.request.layer_options
        for option in options:
            if option not in _OPTIONS:
                raise errors.InputError.unknown_layer_option(option, _OPTIONS)
        made: Model = layer(HubLoad.load(plan), plan.request.trainable, plan.request.name, options)
        return made


@functools.lru_cache(maxsize=None)
def layer_class() -> Type[Layer]:
    """The layer's class, made on first use because its base imports Keras."""
    keras = keras3()
    variable_class = keras3_variable_class()

    base: Type[Layer] = keras.layers.Layer
    regularizer: type = keras.regularizers.Regularizer

    class LossesOfModel(regularizer):  # type: ignore[misc]
        """The regularization losses of a model, which know their variables themselves."""

        def __init__(self, losses: Sequence[Loss]) -> None:
            self._losses = losses

        def __call__(self, x: TfTensor) -> TfTensor:
            return packages.import_tensorflow().add_n([loss() for loss in self._losses])

    class KerasLayer(LayerOfModel, base, Model):  # type: ignore[misc, override]
        """A TensorFlow Hub model as a Keras layer and a ``unihub.Model``."""

        def __init__(self, model: AnyModel, trainable: bool, name: Optional[str], options: Mapping[str, Any]) -> None:
            given = {option: options[option] for option in _OPTIONS_OF_KERAS if options.get(option) is not None}
            super().__init__(trainable=trainable, name=name, **given)
            take_any_input(self)
            self._is_self_contained = bool(options.get("self_contained"))
            self._call_record = model.record if isinstance(model, UnreadModel) else CallRecord()
            # The directory of a SavedModel from a .keras file. It lives as long as the layer, which may be saved again.
            self._unpacked: Optional[tempfile.TemporaryDirectory[str]] = None
            weights = {id(variable) for variable in model.weights_to_train}
            with keras.name_scope(self.name):
                # An attribute that Keras finds variables in.
                self._loaded_variables = [variable_class(v, id(v) in weights) for v in _find_variables(model)]
            for variable in self._loaded_variables:
                # Keras freezes its variables when the layer is frozen, and not when it finds them.
                variable.trainable = variable.trainable and trainable
            self.built = True
            self._take(model)

        def _take(self, model: AnyModel) -> None:
            """Sets the model, whose variables Keras already tracks."""
            # An UnreadModel until Keras has unpacked the files.
            self._model = model  # type: ignore[assignment]
            # An attribute that TensorFlow finds tables and assets in, when the model around is exported.
            self._native = model.native
            self.supports_jit = _supports_jit(model)
            if model.losses_to_train and model.weights_to_train:
                self._loaded_variables[0].regularizer = LossesOfModel(model.losses_to_train)

        # AutoGraph would rewrite the functions called from here, and wrap typed errors in its own.
        @autograph.not_converted
        def __call__(self, inputs: Inputs = None, *args: Inputs, **kwargs: Inputs) -> TensorNest:
            check_kerases(Keras.KERAS3, self.name, inputs)
            return super().__call__(inputs, *args, **kwargs)

        @autograph.not_converted
        def call(self, inputs: Inputs = None, training: Inputs = None) -> TensorNest:
            if isinstance(self._model, UnreadModel):
                return self._model.recall(inputs)
            check_may_train(self.plan, self.trainable)
            self._model.check_strategy(self.trainable)
            options = self.plan.request.layer_options
            training = _parse_training(training) and self.trainable
            with tf_errors.calling(self.plan):
                outputs = self._model.apply(inputs, training, options.get("arguments") or {})
                outputs = _set_shapes(outputs, options.get("output_shape"))
            outputs = cast_floating(outputs, self.compute_dtype)
            if self._is_self_contained:
                self._call_record.add(inputs, outputs)
            return outputs

        def compute_output_spec(self, *args: Inputs, **kwargs: Inputs) -> SpecNest:
            try:
                return super().compute_output_spec(*args, **kwargs)
            except Exception as exc:
                raise _translate(self.name, exc) from exc

        def get_config(self) -> Config:
            config: Config = super().get_config()
            config.update(_without_tuples(config_of(self.plan)))
            if self._is_self_contained:
                config.update(self_contained=True, contents=self._describe_contents())
            return config

        def _describe_contents(self) -> Config:
            """What a layer must know of the model before Keras unpacks its files."""
            weights = {id(variable) for variable in self._model.weights_to_train}
            return {
                "variables": [describe_variable(v, id(v) in weights) for v in _find_variables(self._model)],
                "calls": self._call_record.calls,
                "supports_jit": self.supports_jit,
            }

        @classmethod
        def from_config(cls, config: Config) -> Layer:
            options = options_of(config)
            contents = options.pop("contents", None)
            if contents is None or not keras3_reads_file():
                return layer_mixin.from_config(Keras.KERAS3, options)
            if keras3_is_safe():
                raise errors.UnsafeModelError.self_contained(options["handle"])
            return cls(UnreadModel(options, contents), options["trainable"], options["name"], options)

        def save_assets(self, dir_path: str) -> None:
            if self._is_self_contained:
                shutil.copytree(_resolve.resolve(self.info.path), os.path.join(dir_path, _FOLDER))

        def load_assets(self, dir_path: Optional[str]) -> None:
            if not isinstance(self._model, UnreadModel):
                return
            self._unpacked = tempfile.TemporaryDirectory(prefix="unihub-")
            model = self._model.read(dir_path and os.path.join(dir_path, _FOLDER), self._unpacked.name)
            for variable, loaded in zip(self._loaded_variables, _find_variables(model)):
                variable.replace(loaded)
            self._take(model)

    registered: Type[Layer] = keras.saving.register_keras_serializable("unihub")(KerasLayer)
    return registered


def _find_variables(model: AnyModel) -> List[TfVariable]:
    """The variables that Keras can track, those to train first; none of a model that runs in a session of its own."""
    weights = list(model.weights_to_train)
    known = {id(variable) for variable in weights}
    if not isinstance(model, (HubLoad, UnreadModel)):
        return []
    others = [variable for variable in model.variables if id(variable) not in known]
    return [variable for variable in weights + others if _fits_keras(variable)]


def _fits_keras(variable: TfVariable) -> bool:
    return bool(variable.shape.is_fully_defined() and variable.dtype.name != "string")


def _supports_jit(model: AnyModel) -> bool:
    """Whether XLA can compile the model: not strings, tables or Python functions."""
    if isinstance(model, UnreadModel):
        return model.supports_jit
    if not isinstance(model, HubLoad):
        return False
    functions = _called_functions(model)
    return ops.compiles_with_xla(set().union(*map(_find_ops, functions)))


def _called_functions(model: HubLoad) -> Sequence[ConcreteFunction]:
    """The concrete functions that a call may run; none for a Python object, which Keras traces itself."""
    if model.plan.signature is not None:
        return [model.native.signatures[model.plan.signature.name]]
    function = restored_call(model.native)
    return () if function is None else function.concrete_functions


def _find_ops(concrete: ConcreteFunction) -> Set[str]:
    """The types of the ops of a function and of the functions it calls."""
    graph = concrete.graph.as_graph_def()
    names = {function.signature.name for function in graph.library.function}
    nodes = [node for function in graph.library.function for node in function.node_def] + list(graph.node)
    # The function's inputs stand as placeholders in its graph.
    return {node.op for node in nodes} - names - {"Placeholder"}


def _translate(name: str, exc: BaseException) -> BaseException:
    """The typed error behind the one that Keras raised for a symbolic call."""
    cause: Optional[BaseException] = exc
    while cause is not None and not isinstance(cause, errors.UnihubError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return cause
    return errors.InputError.needs_output_shape(name) if _NO_RANK.search(str(exc)) else exc


def _parse_training(training: Inputs) -> bool:
    """Keras and its users also pass 0 and 1. A tensor is refused: it would need both modes of the model at once."""
    if training is not None and not isinstance(training, int) and type(training).__name__ not in ("bool_", "bool"):
        raise errors.InputError.training_is_no_bool(training)
    return bool(training)


def _set_shapes(outputs: TensorNest, shapes: Any) -> TensorNest:
    """Sets the shapes passed as ``output_shape``: without the batch, and nested as the outputs are."""
    if shapes is None:
        return outputs
    if isinstance(shapes, Mapping):
        return {key: _set_shapes(output, shapes.get(key)) for key, output in outputs.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return packages.import_tensorflow().ensure_shape(outputs, [None] + list(shapes))
    return type(outputs)(_set_shapes(*pair) for pair in zip(outputs, shapes))


def _without_tuples(value: Any) -> Any:
    """The value with lists for tuples, which Keras would write in a form of its own."""
    if isinstance(value, Mapping):
        return {key: _without_tuples(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_tuples(part) for part in value]
    return value
