"""Fine-tunes a TF2 SavedModel inside a Keras model, with fit().

Runs on TensorFlow 1.15 and later, in Keras 2 and Keras 3; ``--v1`` switches TensorFlow 2's behaviour off first, which
needs Keras 2 (from TensorFlow 2.16 on tf_keras, asked for before TensorFlow is imported):

    python examples/keras_fine_tune.py
    TF_USE_LEGACY_KERAS=1 python examples/keras_fine_tune.py --v1

On TensorFlow 1.14 it ends with the typed error that says so. It fails as well when the loss does not
fall, a weight or a moving statistic stays what it was, or the model's L2 is not in the loss. (The bias stays nearly
what it was by right: batch normalization comes after it and takes it out again.)
"""

from __future__ import annotations

import os
import sys

import numpy as np
import tensorflow as tf

import unihub

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models", "reusable")


def make_data():
    """Points, and a number for each that the pretrained model does not know of."""
    random = np.random.RandomState(0)
    x = random.uniform(-1.0, 1.0, (256, 8)).astype(np.float32)
    return x, np.tanh(x @ random.uniform(-1.0, 1.0, (8, 1))).astype(np.float32)


def make_model():
    """The pretrained layer, and a Keras model of it with a linear head."""
    layer = unihub.load(MODEL, trainable=True, api="keras")
    model = tf.keras.Sequential([layer, tf.keras.layers.Dense(1, kernel_initializer="ones")])
    model.build((None, 8))
    model.compile("sgd", "mse")
    return layer, model


def measure(layer, model, x, y):
    """The loss, the part of it that is not the error, and the layer's weights by name."""
    loss = float(model.evaluate(x, y, batch_size=len(x), verbose=0))
    error = float(np.mean((model.predict(x, verbose=0) - y) ** 2))
    return {
        "loss": loss,
        "l2": loss - error,
        "weights": layer.get_weights(),
        "trained": len(layer.trainable_weights),
    }


def check(before, after):
    """Prints both, and what of the claims does not hold."""
    moved = [float(np.abs(new - old).max()) for old, new in zip(before["weights"], after["weights"])]
    # Keras lists the weights that it trains first.
    weights, statistics = moved[: before["trained"]], moved[before["trained"] :]
    print("loss               {:.5f} -> {:.5f}".format(before["loss"], after["loss"]))
    print("L2 in the loss     {:.5f} -> {:.5f}".format(before["l2"], after["l2"]))
    print("weights moved by   ", " ".join("{:.5f}".format(distance) for distance in weights))
    print("statistics moved by", " ".join("{:.5f}".format(distance) for distance in statistics))
    return [
        claim
        for claim, holds in (
            ("the loss falls", after["loss"] < 0.5 * before["loss"]),
            ("the L2 is in the loss", before["l2"] > 1e-3 and after["l2"] > 1e-3),
            ("three of the four weights change", len(weights) == 4 and sorted(weights)[1] > 1e-3),
            ("both moving statistics move", len(statistics) == 2 and min(statistics) > 1e-3),
        )
        if not holds
    ]


def main():
    """Trains; gives what ``sys.exit`` takes."""
    if "--v1" in sys.argv[1:]:
        tf.compat.v1.disable_v2_behavior()
    x, y = make_data()
    try:
        layer, model = make_model()
    except unihub.errors.UnihubError as error:
        return "{}: {}".format(type(error).__name__, error)
    print(layer.plan)
    before = measure(layer, model, x, y)
    model.fit(x, y, batch_size=32, epochs=20, verbose=0)
    wrong = check(before, measure(layer, model, x, y))
    return "does not hold: " + ", ".join(wrong) if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
