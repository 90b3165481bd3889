"""Objects to be written as TF2 SavedModels, one for each thing that such a model can hold.

``write_all`` writes those that TensorFlow 1.15 can make, too, with ``unihub.save``, and records beside each what it
computes; ``check_all`` reads them with ``unihub.load``. Neither needs pytest, so that each can be run by another Python::

    python tests/support/saved_objects.py write DIRECTORY RUNTIME
    python tests/support/saved_objects.py check DIRECTORY ...
"""

from __future__ import annotations

import contextlib
import os
import sys

import numpy as np
import tensorflow as tf

v1, v2 = tf.compat.v1, tf.compat.v2
WORDS = ("alpha", "beta", "gamma", "delta")
INPUTS = np.random.RandomState(5).randn(6, 4).astype(np.float32) + 1
TEXTS = np.array([b"beta", b"unknown", b"delta"])


def variable(name, value, trainable=True):
    # The class of TensorFlow 2, for the other one makes variables of reference type in TensorFlow 1.
    return v2.Variable(np.float32(value), name=name, trainable=trainable)


def spec(size=4):
    return tf.TensorSpec([None, size], tf.float32)


class Normalized(tf.Module):
    """A layer with a statistic that moves in training, and a regularization loss."""

    def __init__(self, seed=0, kernel=None):
        super().__init__()
        random = np.random.RandomState(seed)
        self.kernel = variable("kernel", random.randn(4, 4)) if kernel is None else kernel
        self.bias = variable("bias", random.randn(4))
        self.mean = variable("mean", np.zeros(4), trainable=False)
        self.regularization_losses = [tf.function(lambda: 0.1 * tf.reduce_sum(tf.square(self.kernel)))]

    @tf.function(autograph=False)
    def __call__(self, x, training=False):
        batch = tf.reduce_mean(x, 0)
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * batch)
        return tf.matmul(x - (batch if training else self.mean), self.kernel) + self.bias


class Python(tf.Module):
    """A module whose call is a Python function, without any attribute that a Reusable SavedModel has."""

    def __init__(self):
        super().__init__()
        self.inner = Normalized(3)

    def __call__(self, x, training=False):
        return tf.nn.relu(self.inner(x, training=training))


class Nested(tf.Module):
    """Modules in a module, which share a variable; lists and dicts of variables; a function beside the call."""

    def __init__(self):
        super().__init__()
        self.first = Normalized(1)
        self.second = Normalized(2, kernel=self.first.kernel)
        self.scales = [variable("scale_0", 2.0), variable("scale_1", 3.0)]
        self.offsets = {"a": variable("a", 0.5)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)], autograph=False)
    def __call__(self, x):
        return self.second(self.first(x)) * self.scales[0] * self.scales[1] + self.offsets["a"]

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)], autograph=False)
    def features(self, x):
        return {"first": self.first(x)}


class Words(tf.Module):
    """A vocabulary in a file, the table it fills, and an embedding."""

    def __init__(self, path):
        super().__init__()
        initializer = v2.lookup.TextFileInitializer(path, tf.string, 0, tf.int64, v2.lookup.TextFileIndex.LINE_NUMBER)
        self.table = v2.lookup.StaticHashTable(initializer, len(WORDS))
        self.embedding = variable("embedding", np.random.RandomState(4).randn(len(WORDS) + 1, 3))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def __call__(self, words):
        return tf.gather(self.embedding, self.table.lookup(words))


def write_vocabulary(directory):
    path = os.path.join(str(directory), "vocabulary.txt")
    with open(path, "w") as file:
        file.write("".join(word + "\n" for word in WORDS))
    return path


def sequential(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Dense(4, use_bias=False, input_shape=[4], kernel_regularizer=keras.regularizers.l2(0.05)),
            layers.BatchNormalization(momentum=0.9),
            layers.Dense(3, activation="tanh", bias_regularizer=keras.regularizers.l2(0.1)),
        ]
    )


def functional(keras):
    """Two inputs, two outputs, and a layer that is used twice."""
    layers = keras.layers
    left, right = keras.Input([4], name="left"), keras.Input([4], name="right")
    shared = layers.Dense(4, use_bias=False, kernel_regularizer=keras.regularizers.l2(0.05), name="shared")
    sum_of_both = layers.Add()([shared(left), shared(right)])
    normal = layers.BatchNormalization(momentum=0.9)(sum_of_both)
    return keras.Model([left, right], [layers.Dense(2, name="first")(normal), layers.Dense(3, name="second")(normal)])


def subclassed(keras):
    layers = keras.layers

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(4, use_bias=False, kernel_regularizer=keras.regularizers.l2(0.05))
            self.normal = layers.BatchNormalization(momentum=0.9)

        def call(self, inputs, training=False):
            return {"features": self.normal(self.dense(inputs), training=training)}

    return Own()


def layer(keras):
    return keras.layers.Dense(3, activation="tanh", kernel_regularizer=keras.regularizers.l2(0.05))


# By name: what makes it, an example of its inputs, and whether Keras knows these by itself.
KERAS_MODELS = {
    "sequential": (sequential, INPUTS, True),
    "functional": (functional, [INPUTS, INPUTS + 1], True),
    "subclassed": (subclassed, INPUTS, False),
    "layer": (layer, INPUTS, False),
}


def objects(directory):
    """Objects by name, each with its example and the options to save it with; what they need is in a directory."""
    offset = variable("offset", 3.0)
    return {
        "module": (Normalized(), INPUTS, {"inputs": spec()}),
        "python": (Python(), INPUTS, {"inputs": spec()}),
        "nested": (Nested(), INPUTS, {}),
        "words": (Words(write_vocabulary(directory)), TEXTS, {}),
        "function": (tf.function(lambda x: x * 2.0 + offset, autograph=False), INPUTS, {"inputs": spec()}),
    }


@contextlib.contextmanager
def place(in_graph):
    """A graph with its session, or eager TensorFlow and ``None``."""
    if not in_graph:
        yield None
        return
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        yield session


def value_of(outputs, session):
    """The value of a call, which is run in the session after what is not initialized yet."""
    if session is None:
        return outputs.numpy()
    session.run([v1.global_variables_initializer(), v1.tables_initializer()])
    return session.run(outputs)


def write_all(directory, in_graph):
    """Writes each object, and beside it NAME.golden.npz: the input, and what a call and training gave."""
    import unihub

    os.makedirs(directory, exist_ok=True)
    with place(in_graph) as session:
        for name, (obj, example, options) in objects(directory).items():
            found = {"in": example, "out": value_of(obj(tf.constant(example)), session)}
            unihub.save(obj, os.path.join(directory, name), format="tf2-saved-model", **options)
            if name in ("module", "python"):
                found["loss"] = value_of(getattr(obj, "inner", obj).regularization_losses[0](), session)
            np.savez("{}.golden.npz".format(os.path.join(directory, name)), **found)


def check(directory, name, in_graph):
    """Reads one with ``unihub.load``; returns the largest difference."""
    import unihub

    path = os.path.join(directory, name)
    with np.load(path + ".golden.npz") as records, place(in_graph) as session:
        model = unihub.load(path, api="load", trainable=True)
        found = value_of(model(records["in"]), session)
        assert found.shape == records["out"].shape
        return float(np.max(np.abs(found - records["out"])))


def check_all(directory, in_graph):
    """Reads all that was written there; returns the largest differences by name."""
    names = sorted(file.split(".")[0] for file in os.listdir(directory) if file.endswith(".golden.npz"))
    found = {name: check(directory, name, in_graph) for name in names}
    assert len(found) == 5 and max(found.values()) <= 1e-5, found
    return found


if __name__ == "__main__":
    v1.logging.set_verbosity(v1.logging.ERROR)
    if sys.argv[1] == "write":
        if sys.argv[3] == "tf1-compat":
            v1.disable_v2_behavior()
        write_all(sys.argv[2], sys.argv[3] != "tf2")
    else:
        for target in sys.argv[2:]:
            differences = check_all(target, not tf.executing_eagerly())
            print(
                "{:24} {} models, {:.1e}".format(os.path.basename(target), len(differences), max(differences.values()))
            )
