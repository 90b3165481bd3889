"""A subclassed Keras model around two layers from the hub, one of which is given by the caller.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub

tf.keras.utils.set_random_seed(4)
MODELS = sys.argv[1]


class Recommender(tf.keras.Model):
    """Scores an item, described by a text and some numbers."""

    def __init__(self, text_handle, layer=tensorflow_hub.KerasLayer):
        super().__init__()
        self.text = layer(text_handle, dtype=tf.string, trainable=True)
        self.numbers = tensorflow_hub.KerasLayer(
            os.path.join(MODELS, "encoder_with_losses"),
            trainable=True,
        )
        self.score = tf.keras.layers.Dense(1, kernel_initializer="ones")

    def call(self, inputs, training=False):
        text = self.text(inputs["text"])
        numbers = self.numbers(inputs["numbers"], training=training)
        return self.score(tf.concat([text, numbers], axis=-1))


model = Recommender(os.path.join(MODELS, "text"))
model.compile(tf.keras.optimizers.SGD(0.01), "mse")
features = {
    "text": np.array(["the fox", "quick", "brown fox", "jumps"]),
    "numbers": np.random.RandomState(1).randn(4, 4).astype(np.float32),
}
print(model.predict(features, verbose=0))
print(model.fit(features, np.arange(4.0), batch_size=2, epochs=3, shuffle=False, verbose=0).history)
print(model.predict(features, verbose=0), len(model.trainable_variables), len(model.losses))
