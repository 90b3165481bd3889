"""Text classification with movie reviews: an embedding that is fine-tuned in a Sequential model.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

tf.keras.utils.set_random_seed(1)

print("Eager mode: ", tf.executing_eagerly())

train_examples = np.array(
    ["the quick fox", "hello brown world", "lazy dog", "fox jumps", "jumps the fox", "unknown", "brown", "quick quick"]
)
train_labels = np.array([1, 0, 0, 1, 1, 0, 0, 1])
x_val, partial_x_train = train_examples[:2], train_examples[2:]
y_val, partial_y_train = train_labels[:2], train_labels[2:]

model = os.path.join(sys.argv[1], "text")
hub_layer = hub.KerasLayer(model, input_shape=[], dtype=tf.string, trainable=True)
print(hub_layer(train_examples[:3]))

model = tf.keras.Sequential()
model.add(hub_layer)
model.add(tf.keras.layers.Dense(16, activation='relu'))
model.add(tf.keras.layers.Dense(1))

model.compile(optimizer='adam',
              loss=tf.losses.BinaryCrossentropy(from_logits=True),
              metrics=[tf.metrics.BinaryAccuracy(threshold=0.0, name='accuracy')])

history = model.fit(partial_x_train,
                    partial_y_train,
                    epochs=5,
                    batch_size=2,
                    validation_data=(x_val, y_val),
                    verbose=0)
for key, values in history.history.items():
    print(key, values)
results = model.evaluate(x_val, y_val, verbose=0)
print(results, [variable.shape.as_list() for variable in model.trainable_variables])
