"""Registers unihub's layer with Keras 3, so that ``load_model`` finds it after ``import unihub`` alone.

Importing unihub must import neither Keras nor TensorFlow, and Keras may be imported before or after. A stand-in is
registered as soon as both are imported; it imports the real class when a file asks for it.
``UNIHUB_NO_KERAS_HOOK=1`` switches the registration off.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict

from unihub._tf.keras_import import when_keras3_is_imported

if TYPE_CHECKING:
    from unihub._tf.types import KerasModule


class KerasLayer:
    """Stands for the layer in the registry of Keras until the layer is used."""

    def get_config(self) -> Dict[str, object]:
        """Required by Keras of a class that it registers."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: Dict[str, object]) -> KerasLayer:
        """Makes the real layer."""
        from unihub._strategies import keras3_layer

        layer: KerasLayer = keras3_layer.layer_class().from_config(config)
        return layer


def register() -> None:
    """Registers the layer now, or when Keras 3 is imported."""
    if os.environ.get("UNIHUB_NO_KERAS_HOOK") != "1":
        when_keras3_is_imported(_register)


def _register(keras: KerasModule) -> None:
    keras.saving.register_keras_serializable("unihub", "KerasLayer")(KerasLayer)
