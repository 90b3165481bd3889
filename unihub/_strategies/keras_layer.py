"""Serves ``api="keras"`` in Keras 2: a model as a layer, as ``hub.KerasLayer``.

The layer is a subclass of ``hub.KerasLayer`` around the model that ``HubLoad`` loaded. The model goes in as a callable
with the public interface that ``hub.KerasLayer`` documents.
"""

from __future__ import annotations

import functools
from typing import Type

from unihub._call import tf_errors
from unihub._plan.plan import Plan
from unihub._strategies import layer_mixin
from unihub._strategies.hub_load import HubLoad
from unihub._strategies.layer_mixin import (
    Config,
    LayerOfModel,
    cast_floating,
    check_kerases,
    check_may_train,
    config_of,
    takes_training,
)
from unihub._strategies.loaded_model import WrappedModel
from unihub._strategies.model import Model
from unihub._tf import autograph, keras, packages
from unihub._tf.types import Inputs, TensorNest
from unihub._tf.types import KerasLayer as Layer
from unihub._types import Keras


class HubKerasLayer:
    """Makes the layers."""

    @classmethod
    def load(cls, plan: Plan) -> Model:
        """Loads the model of a plan as a layer."""
        layer: Model = layer_class()(plan, HubLoad.load(plan))
        return layer


class _Callable:
    """A loaded model with the interface that ``hub.KerasLayer`` requires."""

    def __init__(self, model: WrappedModel) -> None:
        self.model = model
        self.variables = model.variables
        self.trainable_variables = model.weights_to_train
        self.regularization_losses = model.losses_to_train

    def __call__(self, inputs: Inputs, **arguments: Inputs) -> TensorNest:
        with tf_errors.calling(self.model.plan):
            return self.model.apply(inputs, False, arguments)


class _TrainingCallable(_Callable):
    """The same for a model that takes ``training``: upstream passes it to callables with an argument of that name."""

    def __call__(self, inputs: Inputs, training: bool = False, **arguments: Inputs) -> TensorNest:
        with tf_errors.calling(self.model.plan):
            return self.model.apply(inputs, training, arguments)


@functools.lru_cache(maxsize=None)
def layer_class() -> Type[Layer]:
    """The layer's class, made on first use because its base imports TensorFlow."""
    base: Type[Layer] = packages.find_hub_attribute("KerasLayer")

    class KerasLayer(LayerOfModel, base, Model):  # type: ignore[misc, override]
        """A TensorFlow Hub model as a Keras layer and a ``unihub.Model``."""

        def __init__(self, plan: Plan, model: WrappedModel) -> None:
            callable_type = _TrainingCallable if takes_training(plan) else _Callable
            super().__init__(
                callable_type(model), trainable=plan.request.trainable, name=plan.request.name, **_layer_options(plan)
            )
            # Tracked by Keras, so that a saved layer carries the tables and assets of the model.
            self._native = model.native
            self._model = model

        # AutoGraph would rewrite the functions called from here, and wrap typed errors in its own.
        @autograph.not_converted
        def __call__(self, inputs: Inputs, *args: Inputs, **kwargs: Inputs) -> TensorNest:  # type: ignore[override]
            check_kerases(Keras.KERAS2, self.name, inputs)
            return super().__call__(inputs, *args, **kwargs)

        @autograph.not_converted
        def call(self, inputs: Inputs, training: Inputs = None) -> TensorNest:
            check_may_train(self.plan, self.trainable)
            self._model.check_strategy(self.trainable)
            return cast_floating(super().call(inputs, training=training), keras.compute_dtype(self))

        def get_config(self) -> Config:
            # Not that of hub.KerasLayer, which takes other handles and names its options differently.
            config: Config = super(base, self).get_config()
            config.update(config_of(self.plan))
            return config

        @classmethod
        def from_config(cls, config: Config) -> Layer:
            return layer_mixin.from_config(Keras.KERAS2, config)

    registered: Type[Layer] = keras.register_keras_serializable("unihub")(KerasLayer)
    return registered


def _layer_options(plan: Plan) -> Config:
    """The caller's options for Keras, and the dtype of the inputs, which Keras assumes to be float32."""
    options = dict(plan.request.layer_options)
    signatures = [plan.signature] if plan.signature else list(plan.meta_graph.signatures)
    dtypes = {tensor.dtype for signature in signatures if signature for tensor in signature.inputs}
    if "dtype" not in options and len(dtypes) == 1 and dtypes != {"float32"}:
        options["dtype"] = dtypes.pop()
    return options
