"""Fine-tunes an image module with batch normalization and regularization in a training loop of its own.

Runs on TensorFlow 1.15 and 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

tf = tf.compat.v1
tf.disable_v2_behavior()

HANDLE = os.path.join(sys.argv[1], "convnet64")


def build(images, labels):
    module = hub.Module(HANDLE, trainable=True, tags={"train"})
    features = module(images)
    weights = tf.get_variable("head", [8, 1], tf.float64, tf.random_normal_initializer(stddev=0.05, seed=11))
    error = tf.reduce_mean(tf.square(tf.matmul(features, weights) - labels))
    regularization = tf.add_n(tf.losses.get_regularization_losses())
    update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(update_ops):
        train_op = tf.train.GradientDescentOptimizer(0.01).minimize(error + regularization)
    return module, error, regularization, train_op


random = np.random.RandomState(0)
data = random.rand(8, 12, 12, 3)
target = data.mean((1, 2, 3))[:, None]

module, error, regularization, train_op = build(tf.constant(data), tf.constant(target))
print(len(module.variables), "variables,", len(tf.trainable_variables()), "trained")
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(4):
        print(step, *sess.run([error, regularization]))
        sess.run(train_op)
    moved = {name: value for name, value in module.variable_map.items() if "moving_mean" in name}
    for name, value in sorted(sess.run(moved).items()):
        print(name, float(np.sum(value)))
    module.export(os.path.join(os.getcwd(), "fine_tuned"), sess)

with tf.Graph().as_default(), tf.Session() as sess:
    again = hub.Module("fine_tuned")(data)
    sess.run(tf.global_variables_initializer())
    print(sess.run(again).sum(axis=1))
