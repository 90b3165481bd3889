"""Trains models by hand: minimize() over the collections of a graph, and a GradientTape in eager TensorFlow 2.

    python examples/low_level_training.py

    ====================================================  ==================================================
    environment                                           what is trained
    ====================================================  ==================================================
    TensorFlow 1.15                                       a TF1 Hub module and a TF2 SavedModel, in graphs
    TensorFlow 2 with ``--v1`` (v2 behaviour off)         the same
    TensorFlow 2                                          the TF2 SavedModel, with a GradientTape
    TensorFlow 1.14                                       the TF1 Hub module
    ====================================================  ==================================================

The training loop for graphs is the one that was written for hub.Module, for both formats. What cannot be trained is
refused with the error that says why; it fails when nothing could be trained, a loss does not fall, or a weight or a
moving statistic stays what it was.
"""

from __future__ import annotations

import os
import sys

import numpy as np
import tensorflow as tf

import unihub

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
SHAPES = {"convnet": (64, 32, 32, 3), "reusable": (64, 8)}
# For a training loop of one's own a Keras layer, which would be the first choice for a TF2 SavedModel, is not needed.
APIS = {"convnet": "auto", "reusable": "load"}
# Biases right before batch normalization, which takes them out again, have no gradient.
IDLE = {"convnet": 3, "reusable": 1}
STEPS = 30
RATE = 0.05

v1 = tf.compat.v1


def make_data(name):
    """Inputs, and a number for each that the pretrained model does not know of."""
    shape = SHAPES[name]
    random = np.random.RandomState(0)
    x = random.uniform(-1.0, 1.0, shape) + random.uniform(-1.0, 1.0, shape[:1] + (1,) * (len(shape) - 1))
    return x.astype(np.float32), x.reshape(len(x), -1).mean(axis=1, keepdims=True).astype(np.float32)


def train_in_graph(name):
    """The losses of each step, and the model's variables before and after."""
    x, y = make_data(name)
    with tf.Graph().as_default(), v1.Session() as session:
        model = unihub.load(os.path.join(MODELS, name), trainable=True, api=APIS[name])
        features = model(tf.constant(x), training=True)
        head = v1.get_variable("head", [features.shape[-1], 1], initializer=v1.constant_initializer(0.1))
        error = tf.reduce_mean(tf.square(tf.matmul(features, head) - y))
        loss = error + tf.add_n(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES))
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            train_op = v1.train.GradientDescentOptimizer(RATE).minimize(loss)
        model.initialize(session)
        before = session.run(model.variables)
        losses = [session.run([loss, train_op])[0] for _ in range(STEPS)]
        return losses, before, session.run(model.variables)


def train_eagerly(name):
    """The same with a GradientTape; statistics move by themselves."""
    x, y = make_data(name)
    model = unihub.load(os.path.join(MODELS, name), trainable=True, api=APIS[name])
    head = tf.Variable(tf.fill([4, 1], 0.1))
    weights = model.trainable_variables + [head]
    before = [variable.numpy() for variable in model.variables]
    losses = []
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            error = tf.reduce_mean(tf.square(tf.matmul(model(x, training=True), head) - y))
            loss = error + tf.add_n([regularizer() for regularizer in model.regularization_losses])
        for weight, gradient in zip(weights, tape.gradient(loss, weights)):
            weight.assign_sub(RATE * gradient)
        losses.append(loss.numpy())
    return losses, before, [variable.numpy() for variable in model.variables]


def train(name):
    """Prints how the training went; gives whether the model could be trained, and what of the claims does not hold."""
    print("\n== {} ==".format(name))
    try:
        losses, before, after = (train_eagerly if tf.executing_eagerly() else train_in_graph)(name)
    except (unihub.errors.UnsupportedError, unihub.errors.RuntimeUnavailableError) as error:
        print("refused:\n{}: {}".format(type(error).__name__, error))
        return False, []
    moved = [float(np.abs(new - old).max()) for old, new in zip(before, after)]
    print("loss         {:.5f} -> {:.5f} in {} steps".format(losses[0], losses[-1], len(losses)))
    idle = sum(distance < 1e-4 for distance in moved)
    print("variables    {} moved, {} did not".format(len(moved) - idle, idle))
    claims = (("the loss falls", losses[-1] < 0.75 * losses[0]), ("the variables move", idle == IDLE[name]))
    return True, ["{}: {}".format(name, claim) for claim, holds in claims if not holds]


def main():
    """Trains each model; gives what ``sys.exit`` takes."""
    if "--v1" in sys.argv[1:]:
        v1.disable_v2_behavior()
    print("TensorFlow", tf.__version__, "eager" if tf.executing_eagerly() else "graph")
    results = [train(name) for name in SHAPES]
    if not any(trained for trained, _ in results):
        return "nothing could be trained"
    wrong = [claim for _, claims in results for claim in claims]
    return "does not hold: " + ", ".join(wrong) if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
