"""What the layers of both Kerases share: the attributes of ``Model``, their config, and the checks of a call.

A config names the model by the user's handle, never by a path in a cache.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional

from unihub import errors
from unihub._plan.plan import Plan
from unihub._saved_model.model_info import ModelInfo
from unihub._strategies.loaded_model import WrappedModel
from unihub._strategies.model import Loss, SignatureFunction
from unihub._tf import keras, packages
from unihub._tf.types import Inputs, KerasLayer, Native, Op, Session, TensorNest
from unihub._types import Keras

# What Keras saves of a layer: JSON by name.
Config = Dict[str, Any]

_MIXED = ("float16", "bfloat16")


class LayerOfModel:
    """The attributes of ``Model`` that a Keras layer takes from the model in it.

    Its classes are based on this one, on a layer of Keras, and on ``Model``, in this order: Keras has ``__call__``,
    ``variables`` and ``trainable_variables``. Keras freezes a layer and makes it trainable, so a layer's losses depend
    on ``trainable`` and not on how the model was loaded.
    """

    _model: WrappedModel
    trainable: bool

    @property
    def plan(self) -> Plan:
        """How unihub decided to load the model, and why."""
        return self._model.plan

    @property
    def info(self) -> ModelInfo:
        """The contents of the model's files."""
        return self._model.info

    @property
    def native(self) -> Native:
        """The object that ``tf.saved_model.load`` returned."""
        return self._model.native

    @property
    def resolved_object(self) -> Native:
        """``native``, under the name that ``hub.KerasLayer`` has for it."""
        return self._model.native

    @property
    def signatures(self) -> Mapping[str, SignatureFunction]:
        """The model's signatures by name."""
        return self._model.signatures

    @property
    def update_ops(self) -> List[Op]:
        """In a graph, the ops that update the model's statistics."""
        return self._model.update_ops

    @property
    def regularization_losses(self) -> List[Loss]:
        """Callables that each return a scalar; none while the layer is frozen."""
        return self._model.losses_to_train if self.trainable else []

    def initialize(self, session: Session) -> None:
        """Initializes what is not initialized yet in the graph of a session."""
        self._model.initialize(session)


def takes_training(plan: Plan) -> bool:
    """Whether the model is called itself, with an argument ``training``."""
    call = plan.meta_graph.call
    return plan.signature is None and call is not None and call.takes_training


def config_of(plan: Plan) -> Config:
    """The arguments that load the model of a layer again.

    Args:
        plan: How the model was loaded.

    Returns:
        The arguments that differ from the defaults, with the user's own handle.

    Raises:
        NotImplementedError: The model is a Python object.
    """
    if plan.is_python_object:
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
        "full": request.full,
    }
    return {name: value for name, value in options.items() if value not in (None, False)}


def options_of(config: Config) -> Config:
    """The arguments in a config, except those that a file must not decide: what to trust, which code to load."""
    return {name: value for name, value in config.items() if name not in ("trust", "custom_op_libraries")}


def from_config(keras: Keras, config: Config) -> KerasLayer:
    """Load the model of a layer again and return a new layer around it.

    Args:
        keras: The Keras of the layer.
        config: What ``config_of`` returned when the layer was saved.
    """
    # The only import that runs up the floors: Keras calls the layer's class to make the layer, and a layer is made by
    # loading its model, which starts at the handle.
    from unihub import _api

    return _api.load(api="keras", keras=str(keras), **options_of(config))


def check_may_train(plan: Plan, trainable: bool) -> None:
    """Refuses a layer of a signature that was made trainable after it was loaded."""
    if trainable and plan.signature is not None:
        raise errors.UnsupportedError.signature_is_not_trainable(plan.info.path, plan.signature.name)


def check_kerases(own: Keras, name: str, inputs: Inputs) -> None:
    """Refuse symbolic tensors of the other Keras, which would fail deep inside this one.

    Args:
        own: The Keras of the layer.
        name: The layer's name, for the error.
        inputs: What the layer is called with.

    Raises:
        InputError: A symbolic tensor belongs to the other Keras.
    """
    for value in packages.import_tensorflow().nest.flatten(inputs):
        other = keras.keras_of_symbol(value)
        if other not in (None, own.value):
            raise errors.InputError.other_keras(name, own, Keras(other))


def cast_floating(outputs: TensorNest, compute_dtype: Optional[str]) -> TensorNest:
    """Casts floating outputs to the dtype of a mixed precision policy."""
    if compute_dtype not in _MIXED:
        return outputs
    tf = packages.import_tensorflow()
    return tf.nest.map_structure(lambda part: tf.cast(part, compute_dtype) if part.dtype.is_floating else part, outputs)
