"""Writes tests/data/keras: one small network, as the Keras of each TensorFlow saves it, with the state of its optimizer.

Run it once in each environment, from anywhere; the archive is named after what wrote it::

    python tests/support/make_keras_models.py            # model.save(), with Keras 2
    python tests/support/make_keras_models.py export     # model.export(), with Keras 3

The weights are random, and trained for a step so that the optimizer has slots.
"""

import os
import sys
import tarfile
import tempfile

import numpy as np
import tensorflow as tf

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "keras")
VERSION = tuple(int(part) for part in tf.__version__.split(".")[:2])


def build(keras):
    layers = keras.layers
    inputs = keras.Input([8, 8, 3], name="images")
    x = layers.Conv2D(4, 3, padding="same", use_bias=False, kernel_regularizer=keras.regularizers.l2(0.1))(inputs)
    x = layers.BatchNormalization()(x)
    # Its gradient is one of Keras's own, and TensorFlow saves such gradients since 2.6.
    x = layers.Activation("swish" if VERSION >= (2, 6) else "relu")(x)
    x = layers.Add()([x, layers.Conv2D(4, 1, use_bias=False)(inputs)])
    dense = layers.Dense(4, activation="tanh")
    x = layers.Reshape([8, 32])(x)
    x = layers.LSTM(4)(x)
    x = dense(dense(x))
    return keras.Model(inputs, layers.Dense(2, name="scores")(x))


def main(export):
    if export:
        import keras
    elif hasattr(tf.keras, "ops"):
        import tf_keras as keras
    else:
        keras = tf.keras
    tf.random.set_seed(0)
    model = build(keras)
    model.compile("adam", "mse")
    random = np.random.RandomState(0)
    model.fit(random.rand(4, 8, 8, 3).astype(np.float32), random.rand(4, 2).astype(np.float32), verbose=0)
    name = "keras{}-tf{}".format(3 if export else 2, ".".join(map(str, VERSION)))
    os.makedirs(DATA, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, name)
        if export:
            model.export(path)
        else:
            model.save(path, save_format="tf")
        with tarfile.open(os.path.join(DATA, name + ".tar.gz"), "w:gz") as archive:
            for folder, _, files in os.walk(path):
                for file in files:
                    place = os.path.join(folder, file)
                    archive.add(place, os.path.relpath(place, path))
    print(name)


if __name__ == "__main__":
    main(sys.argv[1:] == ["export"])
