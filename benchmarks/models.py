"""The models that are measured: written once into a directory, with random weights, by the TensorFlow that runs.

``basic_pitch`` is a package's own model: ``UNIHUB_PACKAGE_MODELS`` names the directory it was unpacked to.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict

import numpy as np
import tensorflow as tf


def keras2() -> Any:
    """The Keras whose models are SavedModels with a function for each layer."""
    if hasattr(tf.keras, "ops"):
        import tf_keras

        return tf_keras
    return tf.keras


def application(name: str) -> Callable[[str], None]:
    """Writes a network of ``keras.applications``."""

    def write(path: str) -> None:
        getattr(keras2().applications, name)(weights=None).save(path, save_format="tf", include_optimizer=False)

    return write


def encoder(path: str, layers: int = 12, width: int = 768, heads: int = 12, length: int = 128) -> None:
    """An encoder of the size of BERT-base."""
    keras = keras2()
    kinds = keras.layers
    words = keras.Input([length], dtype="int32", name="words")
    places = tf.range(length)[tf.newaxis]
    x = kinds.Embedding(30522, width)(words) + kinds.Embedding(512, width)(places)
    x = kinds.LayerNormalization(epsilon=1e-12)(x)
    for _ in range(layers):
        attended = kinds.MultiHeadAttention(heads, width // heads)(x, x)
        x = kinds.LayerNormalization(epsilon=1e-12)(kinds.Add()([x, attended]))
        inner = kinds.Dense(width)(kinds.Dense(4 * width, activation="gelu")(x))
        x = kinds.LayerNormalization(epsilon=1e-12)(kinds.Add()([x, inner]))
    keras.Model(words, x[:, 0]).save(path, save_format="tf", include_optimizer=False)


class Product(tf.Module):
    """One product with a matrix."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.matrix = tf.Variable(np.ones([rows, columns], np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32, "x")])
    def serve(self, x: Any) -> Dict[str, Any]:
        """Uses a corner of it, so that the time is that of loading."""
        return {"y": x @ self.matrix[:8, :8]}


def product(rows: int, columns: int) -> Callable[[str], None]:
    """Writes a product with a matrix of a size."""

    def write(path: str) -> None:
        model = Product(rows, columns)
        tf.saved_model.save(model, path, signatures={"serving_default": model.serve})

    return write


MODELS: Dict[str, Callable[[str], None]] = {
    "MobileNetV2": application("MobileNetV2"),
    "EfficientNetB0": application("EfficientNetB0"),
    "EfficientNetB7": application("EfficientNetB7"),
    "BERT-base": encoder,
    "tiny": product(8, 8),
    "2 GB": product(1 << 15, 1 << 14),
}
PACKAGED = {"basic_pitch": "basic_pitch/saved_models/icassp_2022/nmp"}


def find(name: str, directory: str) -> str:
    """The directory of a model, which is written there if it is not yet."""
    if name in PACKAGED:
        return os.path.join(os.environ["UNIHUB_PACKAGE_MODELS"], PACKAGED[name])
    path = os.path.join(directory, "{}-tf{}".format(name.replace(" ", ""), tf.__version__))
    if not os.path.exists(path):
        MODELS[name](path)
    return path


def example(signature: Any) -> Dict[str, Any]:
    """A value for each input of a signature, of one row."""
    random = np.random.RandomState(0)
    found = {}
    for tensor in signature.inputs:
        shape = [1 if size is None else size for size in tensor.shape]
        found[tensor.name] = random.randint(0, 2, shape).astype(tensor.dtype) * (1 if "int" in tensor.dtype else 0.5)
        found[tensor.name] = found[tensor.name].astype(tensor.dtype)
    return found
