"""What ``hub.KerasLayer`` stands for: a model as a layer of Keras 2.

The layer is a subclass of ``hub.KerasLayer`` around what ``HubLoad`` loaded, by the public interface that a callable
has to offer, so it is a real Keras layer and behaves as every other api does.
"""

from __future__ import annotations

import functools
from typing import Any, Dict, Type

from unihub._call import tf_errors
from unihub._plan.plan import Plan
from unihub._strategies import layer_mixin
from unihub._strategies.hub_load import HubLoad
from unihub._strategies.layer_mixin import (
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
from unihub._types import Keras


class HubKerasLayer:
    """Makes the layers."""

    @classmethod
    def load(cls, plan: Plan) -> Model:
        """Loads the model of a plan as a layer."""
        layer: Model = layer_class()(plan, HubLoad.load(plan))
        return layer


class _Callable:
    """A loaded model with the interface that ``hub.KerasLayer`` takes."""

    def __init__(self, model: WrappedModel) -> None:
        self.model = model
        self.variables = model.variables
        self.trainable_variables = model.weights_to_train
        self.regularization_losses = model.losses_to_train

    def __call__(self, inputs: Any, **arguments: Any) -> Any:
        with tf_errors.calling(self.model.plan):
            return self.model.apply(inputs, False, arguments)


class _TrainingCallable(_Callable):
    """The same for a model that takes ``training``: upstream passes it to what has an argument of the name."""

    def __call__(self, inputs: Any, training: bool = False, **arguments: Any) -> Any:
        with tf_errors.calling(self.model.plan):
            return self.model.apply(inputs, training, arguments)


@functools.lru_cache(maxsize=None)
def layer_class() -> Type[Any]:
    """The layer's class; made late, because its base imports TensorFlow."""
    as_written = autograph.not_converted
    base: Any = packages.find_hub_attribute("KerasLayer")

    class KerasLayer(LayerOfModel, base, Model):  # type: ignore[misc, override]
        """A TensorFlow Hub model as a Keras layer; has also what every model of unihub offers."""

        def __init__(self, plan: Plan, model: WrappedModel) -> None:
            callable_type = _TrainingCallable if takes_training(plan) else _Callable
            super().__init__(
                callable_type(model), trainable=plan.request.trainable, name=plan.request.name, **_layer_options(plan)
            )
            # Tracked by Keras, so that a saved layer carries the tables and assets of the model.
            self._native = model.native
            self._model = model

        # AutoGraph would rewrite what is called from here on, and hide typed errors in its own.
        @as_written
        def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            check_kerases(Keras.KERAS2, self.name, inputs)
            return super().__call__(inputs, *args, **kwargs)

        @as_written
        def call(self, inputs: Any, training: Any = None) -> Any:
            check_may_train(self.plan, self.trainable)
            self._model.check_strategy(self.trainable)
            return cast_floating(super().call(inputs, training=training), keras.compute_dtype(self))

        def get_config(self) -> Dict[str, Any]:
            # Not hub.KerasLayer's own, which knows handles of other kinds and options of other names.
            config: Dict[str, Any] = super(base, self).get_config()
            config.update(config_of(self.plan))
            return config

        @classmethod
        def from_config(cls, config: Dict[str, Any]) -> Any:
            return layer_mixin.from_config(Keras.KERAS2, config)

    registered: Type[Any] = keras.register_keras_serializable("unihub")(KerasLayer)
    return registered


def _layer_options(plan: Plan) -> Dict[str, Any]:
    """What the caller gave for Keras; the dtype, which Keras would take to be float32, from the model's only input."""
    options = dict(plan.request.layer_options)
    signatures = [plan.signature] if plan.signature else list(plan.meta_graph.signatures)
    dtypes = {tensor.dtype for signature in signatures if signature for tensor in signature.inputs}
    if "dtype" not in options and len(dtypes) == 1 and dtypes != {"float32"}:
        options["dtype"] = dtypes.pop()
    return options
