"""A TF2 Estimator whose model_fn holds a Keras layer from the hub.

Runs on TensorFlow 2.15.
"""
import os
import sys
import tempfile

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

v1 = tf.compat.v1
HANDLE = os.path.join(sys.argv[1], "encoder_with_losses")
FEATURES = np.random.RandomState(0).randn(8, 4).astype(np.float32)
TARGETS = FEATURES.sum(1, keepdims=True)


def model_fn(features, labels, mode):
    training = mode == tf.estimator.ModeKeys.TRAIN
    encoder = hub.KerasLayer(HANDLE, trainable=training)
    dense = tf.keras.layers.Dense(1, kernel_initializer=tf.keras.initializers.GlorotUniform(seed=1))
    outputs = dense(encoder(features, training=training))
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"y": outputs})
    loss = tf.reduce_mean(tf.square(outputs - labels))
    optimizer = v1.train.GradientDescentOptimizer(0.02)
    variables = encoder.trainable_variables + dense.trainable_variables
    train_op = optimizer.minimize(loss, v1.train.get_or_create_global_step(), var_list=variables)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


def input_fn():
    return tf.data.Dataset.from_tensors((FEATURES, TARGETS)).repeat(4)


estimator = tf.estimator.Estimator(model_fn, tempfile.mkdtemp())
estimator.train(input_fn)
print(sorted(estimator.evaluate(input_fn).items()))
for row in list(estimator.predict(input_fn))[:8]:
    print(row["y"])
