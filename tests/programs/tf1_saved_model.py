"""TF2 SavedModels in TensorFlow 1: hub.load and hub.KerasLayer in a graph, trained with an optimizer of TensorFlow 1.

Runs on TensorFlow 1.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

models = sys.argv[1]
random = np.random.RandomState(0)
x = random.randn(4, 8).astype(np.float32)

with tf.Graph().as_default(), tf.Session() as sess:
    module = hub.load(os.path.join(models, "reusable"))
    outputs = module(tf.constant(x), training=False)
    signature = module.signatures["serving_default"](tf.constant(x))["output_0"]
    sess.run(tf.global_variables_initializer())
    print(len(module.variables), *sess.run([outputs, signature]))

with tf.Graph().as_default(), tf.Session() as sess:
    layer = hub.KerasLayer(os.path.join(models, "encoder_with_losses"), input_shape=[4], trainable=True)
    encoded = layer(tf.constant(x[:, 4:]))
    loss = tf.reduce_mean(tf.square(encoded - 1.0))
    step = tf.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=layer.trainable_variables)
    sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
    for _ in range(3):
        print(sess.run([loss, step])[0])
    text = hub.KerasLayer(os.path.join(models, "text"), dtype=tf.string, input_shape=[])
    embedded = text(tf.constant(["the quick fox", "hello"]))
    sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
    print(*sess.run([encoded, embedded]))

with tf.Graph().as_default(), tf.Session() as sess:
    encoder = hub.load(os.path.join(models, "encoder_with_losses"))
    y = encoder(tf.constant(x[:, :4]), training=True)
    loss = tf.reduce_mean(tf.square(y)) + tf.add_n([regularizer() for regularizer in encoder.regularization_losses])
    step = tf.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=encoder.trainable_variables)
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        print(sess.run([loss, step])[0])
    print(sess.run(encoder.trainable_variables[0]))

# A layer whose variables are in no collection: only the head is trained.
with tf.Graph().as_default(), tf.Session() as sess:
    layer = hub.KerasLayer(os.path.join(models, "encoder_with_losses"), trainable=True)
    head = tf.get_variable("head", [4, 1], initializer=tf.ones_initializer())
    loss = tf.reduce_mean(tf.square(tf.matmul(layer(tf.constant(x[:, :4])), head)))
    loss += tf.losses.get_regularization_loss()
    step = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        print(sess.run([loss, step])[0])
    print(len(tf.trainable_variables()), *sess.run([head, layer.trainable_variables[0]]))
