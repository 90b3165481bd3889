"""Image classification with a classifier from the hub: softmax of the logits, and the top five.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
from tensorflow_hub import load, resolve

CLASSES = ["background", "cat", "dog", "fish", "bird", "horse", "sheep"]

model_handle = os.path.join(sys.argv[1], "classifier")
print(sorted(os.listdir(resolve(model_handle)))[0])
classifier = load(
    model_handle,  # the whole of it
)
input_shape = np.random.RandomState(5).rand(1, 16, 16, 3).astype(np.float32)
# Run model on image
warmup = tf.random.uniform(input_shape.shape, 0, 1.0)
classifier(warmup).numpy()
probabilities = tf.nn.softmax(classifier(tf.constant(input_shape))).numpy()

top_5 = tf.argsort(probabilities, axis=-1, direction="DESCENDING")[0][:5].numpy()
for i, item in enumerate(top_5):
    print(f"({i+1}) {item:4} - {CLASSES[item]}: {probabilities[0][top_5][i]}")
