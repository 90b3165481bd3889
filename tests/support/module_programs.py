"""Training programs written for ``hub.Module``; each takes the class, so that what serves them can be compared.

A program returns the losses of its steps, one row a step, and the values of all variables after the last one.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
STEPS = 10


def _train(loss, parts):
    """Runs the steps: the update ops one by one, for two may move the same statistic, then gradient descent."""
    updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    step = v1.train.GradientDescentOptimizer(0.05).minimize(loss)
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        losses = []
        for _ in range(STEPS):
            losses.append(session.run(parts))
            for op in updates + [step]:
                session.run(op)
        variables = {variable.op.name: session.run(variable) for variable in v1.global_variables()}
    return np.array(losses), variables


def train_loop(module_class, path):
    """A TF1 loop and a condition, two instances in one graph, one applied twice, inside variable and name scopes."""
    random = np.random.RandomState(0)
    x, y = random.randn(6, 4), random.randn(6, 4)
    with tf.Graph().as_default():
        with v1.variable_scope("tower"):
            first = module_class(path, trainable=True, tags={"train"})
        second = module_class(path, trainable=True, tags={"train"}, name="other")
        with v1.name_scope("calls"):
            outputs = first({"x": x, "steps": 3}, as_dict=True)
            again = first({"x": 2 * x, "steps": 2}, as_dict=True)["state"]
        task = tf.reduce_mean(tf.square(outputs["default"] - y)) + tf.reduce_mean(tf.square(again + y))
        task += tf.reduce_mean(tf.square(second({"x": x - 1, "steps": 1}, as_dict=True)["default"] - y))
        l2 = v1.losses.get_regularization_loss()
        return _train(task + l2, [task, l2])


def train_updates(module_class, path):
    """Update ops that depend on both inputs, and one that depends on none."""
    random = np.random.RandomState(0)
    a, b, y = random.randn(6, 3), random.randn(6, 3), random.randn(6, 2)
    with tf.Graph().as_default():
        module = module_class(path, trainable=True, tags={"train"})
        loss = tf.reduce_mean(tf.square(module({"a": a, "b": b}, signature="both") - y))
        return _train(loss, [loss])


def train_mixed(module_class, path):
    """Partitioned variables of reference type, a sparse input and a vocabulary."""
    with tf.Graph().as_default():
        module = module_class(path, trainable=True)
        ids = tf.SparseTensor(np.array([[0, 0], [0, 1], [1, 0]], np.int64), np.array([1, 8, 4], np.int64), [2, 2])
        loss = tf.reduce_mean(tf.square(module({"ids": ids}, signature="sparse") - 1.0))
        loss += tf.reduce_mean(tf.square(module({"words": ["beta", "unknown", "eta"]}) + 1.0))
        return _train(loss, [loss])


def mobilenet_batch():
    """A batch of images, the weights of a head, and targets, for one step of training."""
    random = np.random.RandomState(0)
    arrays = random.rand(4, 96, 96, 3), random.randn(320, 3) / 18, random.randn(4, 3)
    return tuple(values.astype(np.float32) for values in arrays)


def sample(values):
    """Some of many values."""
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // 32)]


PROGRAMS = {"loop": train_loop, "updates": train_updates, "mixed": train_mixed}
