"""Fine-tunes a TF1 Hub module in an Estimator: train_and_evaluate, then predictions of what was trained.

Runs on TensorFlow 1.14 to 2.15 (Estimator is gone from TensorFlow 2.16); anywhere else it ends with an error that says
so.

    python examples/estimator_model_fn.py

Training loads the variant of the module that is made for it, with update ops and regularization losses; evaluation and
prediction load the plain one, and take the trained variables from the checkpoint. It fails when the error does not
fall, a weight or a moving statistic stays what it was, the L2 is not in the loss, or the predictions are not those of
the trained model.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile

import numpy as np
import tensorflow as tf

import unihub

MODULE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models", "convnet")
STEPS = 60

v1 = tf.compat.v1


class Recorder(v1.train.SessionRunHook):
    """Keeps what some tensors are in each step."""

    def __init__(self):
        self.tensors = {}
        self.steps = []

    def before_run(self, run_context):
        """Asks for them."""
        return v1.train.SessionRunArgs(self.tensors)

    def after_run(self, run_context, run_values):
        """Keeps them."""
        self.steps.append(run_values.results)


def make_data():
    """Images, and a number for each that the pretrained module does not know of."""
    random = np.random.RandomState(0)
    x = random.uniform(-1.0, 1.0, (64, 32, 32, 3)) + random.uniform(-1.0, 1.0, (64, 1, 1, 1))
    return x.astype(np.float32), x.mean(axis=(1, 2, 3))[:, np.newaxis].astype(np.float32)


def make_dataset(features, labels=None, training=False):
    """Batches, without end for training."""
    data = tf.data.Dataset.from_tensor_slices(features if labels is None else (features, labels))
    return (data.repeat() if training else data).batch(32)


def model_fn(features, labels, mode, recorder):
    """The module with a linear head, trained by what it puts into the collections of the graph."""
    training = mode == tf.estimator.ModeKeys.TRAIN
    module = unihub.load(MODULE, trainable=training)
    head = v1.get_variable("head", [64, 1], initializer=v1.constant_initializer(0.1))
    predictions = tf.matmul(module(features), head)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, {"predictions": predictions})
    error = tf.reduce_mean(tf.square(predictions - labels))
    if not training:
        return tf.estimator.EstimatorSpec(mode, loss=error)
    l2 = tf.add_n(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES))
    with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
        loss = tf.identity(error + l2)
        train_op = v1.train.GradientDescentOptimizer(0.05).minimize(loss, v1.train.get_global_step())
    recorder.tensors = {"error": error, "loss": loss}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, training_hooks=[recorder])


def predict(estimator, x):
    """The predictions for all images."""
    return np.stack([part["predictions"] for part in estimator.predict(lambda: make_dataset(x))])


def train(estimator, x, y):
    """Trains, and gives what the Estimator's own evaluation then says."""
    return tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(lambda: make_dataset(x, y, training=True), max_steps=STEPS),
        tf.estimator.EvalSpec(lambda: make_dataset(x, y), steps=None, throttle_secs=0),
    )[0]


def distance_moved(estimator, name):
    """How far a variable is from its value in the module."""
    pretrained = tf.train.load_variable(os.path.join(MODULE, "variables", "variables"), name)
    return float(np.abs(estimator.get_variable_value("module/" + name) - pretrained).max())


def main():
    """Trains and predicts; gives what ``sys.exit`` takes."""
    v1.logging.set_verbosity(v1.logging.ERROR)
    if not hasattr(tf, "estimator"):
        return "TensorFlow {} has no Estimator; 2.15 is the last that has.".format(tf.__version__)
    x, y = make_data()
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as directory:
        estimator = tf.estimator.Estimator(functools.partial(model_fn, recorder=recorder), directory)
        try:
            before = float(np.mean((predict(estimator, x) - y) ** 2))
        except unihub.errors.UnihubError as error:
            return "{}: {}".format(type(error).__name__, error)
        evaluated = float(train(estimator, x, y)["loss"])
        after = float(np.mean((predict(estimator, x) - y) ** 2))
        weight, statistic = (distance_moved(estimator, name) for name in ("c0/kernel", "bn0/moving_mean"))
    l2 = [float(step["loss"] - step["error"]) for step in recorder.steps]
    print("error of the predictions {:.5f} -> {:.5f} (evaluated: {:.5f})".format(before, after, evaluated))
    print("L2 in the loss           {:.5f} -> {:.5f}".format(l2[0], l2[-1]))
    print("weight moved by          {:.5f}".format(weight))
    print("statistic moved by       {:.5f}".format(statistic))
    wrong = [
        claim
        for claim, holds in (
            ("the error falls", after < 0.5 * before),
            ("the predictions are those of the trained model", abs(after - evaluated) < 1e-5),
            ("the L2 is in the loss", min(l2) > 1e-3),
            ("the weights change", weight > 1e-4),
            ("the moving statistics move", statistic > 1e-4),
        )
        if not holds
    ]
    return "does not hold: " + ", ".join(wrong) if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
