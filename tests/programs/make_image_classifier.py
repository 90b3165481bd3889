"""A small library: builds, trains, saves and loads an image classifier; layers are named, checked and found again.

Runs on TensorFlow 2.15.
"""
import collections
import functools
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

HParams = collections.namedtuple("HParams", ["train_epochs", "do_fine_tuning", "batch_size", "learning_rate"])


def build_model(module_layer, hparams, num_classes):
    """Builds the full classifier model from the given module_layer."""
    return tf.keras.Sequential([
        module_layer(trainable=hparams.do_fine_tuning),
        tf.keras.layers.Dense(num_classes, activation="softmax")
    ])


def has_hub_layer(model):
    return any(isinstance(layer, hub.KerasLayer) for layer in model.layers)


def main(models):
    tf.keras.utils.set_random_seed(6)
    hparams = HParams(2, True, 4, 0.05)
    module_layer = functools.partial(hub.KerasLayer, os.path.join(models, "encoder_with_losses"), input_shape=[4])
    model = build_model(module_layer, hparams, 3)
    model.compile(
        tf.keras.optimizers.SGD(hparams.learning_rate), tf.keras.losses.SparseCategoricalCrossentropy(), ["accuracy"]
    )
    random = np.random.RandomState(0)
    x, y = random.randn(12, 4).astype(np.float32), random.randint(0, 3, 12)
    print(model.fit(x, y, hparams.batch_size, hparams.train_epochs, shuffle=False, verbose=0).history)
    print(has_hub_layer(model), model.predict(x[:2], verbose=0))
    model.save("classifier.h5")
    again = tf.keras.models.load_model("classifier.h5", custom_objects={"KerasLayer": hub.KerasLayer})
    print(has_hub_layer(again), again.predict(x[:2], verbose=0))


if __name__ == "__main__":
    main(sys.argv[1])
