"""What ``hub.KerasLayer`` stands for: a model as a layer of Keras 2.

The layer is a subclass of ``hub.KerasLayer`` around what ``HubLoad`` loaded, by the public interface that a callable
has to offer, so it is a real Keras layer and behaves as every other api does.
"""
from __future__ import annotations

import functools
import os
from typing import Any, Callable, Dict, List, Type

from unihub import _boundary, _compat, errors
from unihub._model import Model
from unihub._plan import Plan
from unihub._strategies.hub_load import HubLoad


class HubKerasLayer:
    """Makes the layers."""

    @classmethod
    def load(cls, plan: Plan) -> Any:
        """Loads the model of a plan as a layer."""
        return layer_class()(plan, HubLoad.load(plan))


class _Callable:
    """A loaded model with the interface that ``hub.KerasLayer`` takes."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.variables = model.variables
        self.trainable_variables = getattr(model, "weights_to_train", [])
        self.regularization_losses = getattr(model, "losses_to_train", [])

    def __call__(self, inputs: Any, **arguments: Any) -> Any:
        with _boundary.calling(self.model.plan):
            return self.model.apply(inputs, False, arguments)


class _TrainingCallable(_Callable):
    """The same for a model that takes ``training``: upstream passes it to what has an argument of the name."""

    def __call__(self, inputs: Any, training: bool = False, **arguments: Any) -> Any:
        with _boundary.calling(self.model.plan):
            return self.model.apply(inputs, training, arguments)


@functools.lru_cache(maxsize=None)
def layer_class() -> Type[Any]:
    """The layer's class; made late, because its base imports TensorFlow."""
    hub = _compat.import_tensorflow_hub()
    as_written: Any = _compat.import_tensorflow().autograph.experimental.do_not_convert

    base: Any = hub.KerasLayer

    class KerasLayer(base):  # type: ignore[misc]
        """A TensorFlow Hub model as a Keras layer; has also what every model of unihub offers."""

        def __init__(self, plan: Plan, model: Model) -> None:
            callable_type = _TrainingCallable if _takes_training(plan) else _Callable
            super().__init__(
                callable_type(model),
                trainable=plan.request.trainable,
                name=plan.request.name,
                **_layer_options(plan)
            )
            # Tracked by Keras, so that a saved layer carries the tables and assets of the model.
            self._native = model.native
            self._model = model

        @property
        def plan(self) -> Plan:
            return self._model.plan

        @property
        def info(self) -> Any:
            return self._model.info

        @property
        def native(self) -> Any:
            return self._model.native

        @property
        def resolved_object(self) -> Any:
            return self._model.native

        @property
        def signatures(self) -> Any:
            return self._model.signatures

        @property
        def update_ops(self) -> List[Any]:
            return self._model.update_ops

        @property
        def regularization_losses(self) -> List[Callable[[], Any]]:
            return getattr(self._model, "losses_to_train", []) if self.trainable else []

        def initialize(self, session: Any) -> None:
            self._model.initialize(session)

        # AutoGraph would rewrite what is called from here on, and hide typed errors in its own.
        @as_written
        def call(self, inputs: Any, training: Any = None) -> Any:
            self._check_may_train()
            return _cast_floating(super().call(inputs, training=training), getattr(self, "compute_dtype", None))

        def _check_may_train(self) -> None:
            """A layer may be made trainable after it was loaded, by itself or with the model around it."""
            signature = self.plan.signature
            if self.trainable and signature is not None:
                raise errors.UnsupportedError.signature_is_not_trainable(self.info.path, signature.name)

        def get_config(self) -> Dict[str, Any]:
            # Not hub.KerasLayer's own, which knows handles of other kinds and options of other names.
            config: Dict[str, Any] = super(base, self).get_config()
            config.update(_options_of(self.plan))
            return config

        @classmethod
        def from_config(cls, config: Dict[str, Any]) -> Any:
            from unihub import _facade

            return _facade.load(api="keras", keras="keras2", **config)

    registered: Type[Any] = _compat.register_keras_serializable("unihub")(KerasLayer)
    return registered


def _takes_training(plan: Plan) -> bool:
    call = plan.meta_graph.call
    return plan.signature is None and call is not None and call.takes_training


def _layer_options(plan: Plan) -> Dict[str, Any]:
    """What the caller gave for Keras; the dtype, which Keras would take to be float32, from the model's only input."""
    options = dict(plan.request.layer_options)
    signatures = [plan.signature] if plan.signature else list(plan.meta_graph.signatures)
    dtypes = {tensor.dtype for signature in signatures if signature for tensor in signature.inputs}
    if "dtype" not in options and len(dtypes) == 1 and dtypes != {"float32"}:
        options["dtype"] = dtypes.pop()
    return options


def _options_of(plan: Plan) -> Dict[str, Any]:
    """The arguments that load this layer again, with the handle as the user wrote it and no path of a cache."""
    if plan.source is not plan.info.path:
        # The type that makes Keras go on without a config.
        raise NotImplementedError("a layer around a Python object has no handle to be loaded from again")
    request = plan.request
    options = {
        "handle": os.fspath(plan.handle),
        "signature": request.signature,
        "tags": None if request.tags is None else sorted(request.tags),
        "output_key": request.output_key,
        "as_dict": request.as_dict,
        "arguments": request.layer_options.get("arguments"),
        "output_shape": request.layer_options.get("output_shape"),
    }
    return {name: value for name, value in options.items() if value not in (None, False)}


def _cast_floating(outputs: Any, compute_dtype: Any) -> Any:
    """Gives floating outputs the dtype of a mixed precision policy."""
    if compute_dtype not in ("float16", "bfloat16"):
        return outputs
    tf = _compat.import_tensorflow()
    return tf.nest.map_structure(lambda part: tf.cast(part, compute_dtype) if part.dtype.is_floating else part, outputs)
