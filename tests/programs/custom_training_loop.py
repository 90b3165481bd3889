"""Fine-tunes what hub.load gives in a loop with a GradientTape: its variables, its losses, its training mode.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

tf.random.set_seed(0)
encoder = hub.load(os.path.join(sys.argv[1], "encoder_with_losses"))
head = tf.Variable(np.random.RandomState(3).randn(4, 1).astype(np.float32))
optimizer = tf.keras.optimizers.SGD(0.05)

random = np.random.RandomState(0)
dataset = tf.data.Dataset.from_tensor_slices((
    random.randn(16, 4).astype(np.float32),
    random.randn(16, 1).astype(np.float32),
)).batch(8)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = tf.matmul(encoder(x, training=True), head)
        loss = tf.reduce_mean(tf.square(logits - y))
        loss += tf.add_n([regularizer() for regularizer in encoder.regularization_losses])
    variables = encoder.trainable_variables + [head]
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for epoch in range(3):
    for x, y in dataset:
        print(epoch, train_step(x, y).numpy())
print(encoder(tf.ones([1, 4]), training=False).numpy(), len(encoder.variables))
for variable in encoder.trainable_variables:
    print(variable.name, variable.numpy().sum())

# What was loaded, as a layer.
layer = hub.KerasLayer(hub.load(os.path.join(sys.argv[1], "encoder_with_losses")), trainable=True)
model = tf.keras.Sequential([tf.keras.layers.InputLayer([4]), layer])
model.compile(tf.keras.optimizers.SGD(0.1), "mse")
x = random.randn(8, 4).astype(np.float32)
print(model.fit(x, x, batch_size=4, epochs=2, shuffle=False, verbose=0).history, model.predict(x[:2], verbose=0))
