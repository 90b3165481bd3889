"""Fine-tunes a TF1 Hub module in TensorFlow 2: what TF2 refuses to train is converted to a TF2 SavedModel first.

Runs on TensorFlow 2, in Keras 2 and Keras 3:

    python examples/convert_and_fine_tune.py

It fails when the original is not refused, when training does no better than it does on the frozen model, or when
statistics move outside of training. On TensorFlow 1, and with ``--v1``, which switches TensorFlow 2's behaviour off,
the module can be fine-tuned as it is; there converting ends with the typed error that says where it can be done.
"""

from __future__ import annotations

import os
import sys
import tempfile

import numpy as np
import tensorflow as tf

import unihub

MODULE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models", "convnet")
EPOCHS = 8


def make_data(rows, seed):
    """Noisy images with faint diagonal stripes, and the direction of these."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, 2, rows)
    i, j = np.mgrid[0:32, 0:32]
    waves = [np.sin(1.2 * (i + j if label else i - j) + random.uniform(0, 6)) for label in labels]
    return (random.rand(rows, 32, 32, 3) + 0.25 * np.stack(waves)[..., None]).astype(np.float32), labels


def convert(directory):
    """Asks for what TF2 refuses, and does what the error says."""
    try:
        unihub.load(MODULE, trainable=True)
    except unihub.errors.UnsupportedError as error:
        print("UnsupportedError: {}".format(error))
    else:
        print("the module can be fine-tuned as it is here")
    return unihub.convert(MODULE, os.path.join(directory, "out"))


def train(path, trainable):
    """Trains a classifier on top of the model, and the model itself if it is trainable; gives the held-out accuracy."""
    layer = unihub.load(path, trainable=trainable, api="keras")
    print(layer.plan)
    model = tf.keras.Sequential([tf.keras.layers.InputLayer((32, 32, 3)), layer, tf.keras.layers.Dense(2)])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf.keras.optimizers.Adam(3e-3), loss, metrics=["accuracy"])
    model.fit(*make_data(256, seed=0), batch_size=32, epochs=EPOCHS, verbose=0)
    trained = layer.get_weights()
    accuracy = model.evaluate(*make_data(256, seed=1), verbose=0)[1]
    changed = any(not np.array_equal(*pair) for pair in zip(trained, layer.get_weights()))
    print("held-out accuracy, {}: {:.2f}".format("fine-tuned" if trainable else "frozen", accuracy))
    return accuracy, changed


def main():
    """Converts and trains; gives what ``sys.exit`` takes."""
    if "--v1" in sys.argv[1:]:
        tf.compat.v1.disable_v2_behavior()
    with tempfile.TemporaryDirectory() as directory:
        try:
            report = convert(directory)
        except unihub.errors.UnihubError as error:
            return "{}: {}".format(type(error).__name__, error)
        print(report)
        (frozen, changed_frozen), (tuned, changed_tuned) = (train(report.path, each) for each in (False, True))
    wrong = []
    if tuned < frozen + 0.2:
        wrong.append("training the model makes it better")
    if changed_frozen or changed_tuned:
        wrong.append("statistics move only in training")
    return "does not hold: " + ", ".join(wrong) if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
