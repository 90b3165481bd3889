"""Small SavedModels of all that a part of a model must keep, and random ones; written by the TensorFlow that runs."""

import os

import numpy as np
import tensorflow as tf

WORDS = ["apple", "banana", "cherry", "date"]


def spec(*shape, dtype=tf.float32, name="x"):
    return tf.TensorSpec(shape, dtype, name)


def values(seed, *shape):
    return np.random.RandomState(seed).uniform(-1.0, 1.0, shape).astype(np.float32)


def write_words(directory, name, words):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(word + "\n" for word in words))
    return path


def vocabulary(path):
    line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    initializer = tf.lookup.TextFileInitializer(path, tf.string, line, tf.int64, number)
    return tf.lookup.StaticHashTable(initializer, default_value=len(WORDS))


class Tables(tf.Module):
    """Two tables from two assets, of which the call needs one, and a constant."""

    def __init__(self, directory):
        super().__init__()
        self.table = vocabulary(write_words(directory, "used.txt", WORDS))
        self.other = vocabulary(write_words(directory, "other.txt", WORDS[::-1]))
        self.vectors = tf.Variable(values(0, len(WORDS) + 1, 3), name="vectors")
        self.unused = tf.Variable(values(1, 7), name="unused")
        self.offset = tf.constant(values(2, 3))

    @tf.function(input_signature=[spec(None, dtype=tf.string)])
    def __call__(self, x):
        return tf.gather(self.vectors, self.table.lookup(x)) + self.offset

    @tf.function(input_signature=[spec(None, dtype=tf.string)])
    def number(self, x):
        return {"number": self.other.lookup(x)}


class Gradients(tf.Module):
    """A gradient of its own in a function in a function."""

    def __init__(self, directory):
        super().__init__()
        self.weight = tf.Variable(values(0, 4), name="weight")
        self.unused = tf.Variable(values(1, 4), name="unused")

    @tf.function
    def swish(self, x):
        @tf.custom_gradient
        def inner(x):
            sigmoid = tf.sigmoid(x)
            return x * sigmoid, lambda dy: 3.0 * dy * (sigmoid + x * sigmoid * (1.0 - sigmoid))

        return inner(x)

    @tf.function(input_signature=[spec(None, 4)])
    def __call__(self, x):
        return self.swish(x * self.weight)

    @tf.function(input_signature=[spec(None, 4)])
    def twice(self, x):
        return {"y": self.swish(self.swish(x) * self.weight)}


class Activations(tf.Module):
    """Gradients of their own that take nothing but the inputs of their ops, as those of activations do."""

    def __init__(self, directory):
        super().__init__()
        self.weight = tf.Variable(values(0, 4), name="weight")
        self.beta = tf.Variable(1.5, name="beta")

    @staticmethod
    @tf.custom_gradient
    def swish(x, beta):
        def gradient(dy):
            sigmoid = tf.sigmoid(beta * x)
            slope = sigmoid * (1.0 - sigmoid)
            return dy * (sigmoid + beta * x * slope), tf.reduce_sum(dy * x * x * slope)

        return x * tf.sigmoid(beta * x), gradient

    @staticmethod
    @tf.custom_gradient
    def rounded(x):
        return tf.round(10.0 * x) / 10.0, lambda dy: dy

    @staticmethod
    @tf.custom_gradient
    def split(x, size):
        def gradient(first, second):
            return 2.0 * tf.concat([first, 3.0 * second], 1) + 0.0 * x, None

        return (x[:, : size[0]], x[:, size[0] :]), gradient

    @tf.function(input_signature=[spec(None, 4)])
    def __call__(self, x):
        return self.rounded(self.swish(x * self.weight, self.beta))

    @tf.function(input_signature=[spec(None, 4)])
    def twice(self, x):
        return {"y": self.swish(self.swish(x, self.beta) * self.weight, tf.constant(0.5))}

    @tf.function(input_signature=[spec(None, 4)])
    def third(self, x):
        """Of one op there is a gradient for the first output only."""
        size = tf.constant([3])
        return {"y": self.split(x, size)[0], "z": self.split(self.rounded(x), size)[1]}


class Control(tf.Module):
    """Loops and conditions, whose bodies are functions."""

    def __init__(self, directory):
        super().__init__()
        self.weight = tf.Variable(values(0, 4), name="weight")
        self.count = tf.Variable(0, trainable=False, dtype=tf.int32, name="count")

    @tf.function(input_signature=[spec(None, 4)])
    def __call__(self, x):
        total = tf.reduce_sum(x)
        for _ in tf.range(3):
            x = x * self.weight
        return tf.cond(total > 0.0, lambda: x + 1.0, lambda: x * self.weight)

    @tf.function(input_signature=[spec(None, 4)])
    def counted(self, x):
        self.count.assign_add(tf.shape(x)[0])
        return {"y": tf.while_loop(lambda y: tf.reduce_sum(y) < 1e3, lambda y: (y + 1.0,), [x])[0]}


class Composites(tf.Module):
    """Sparse and ragged inputs."""

    def __init__(self, directory):
        super().__init__()
        self.kernel = tf.Variable(values(0, 5, 3), name="kernel")

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 5], tf.float32)])
    def __call__(self, x):
        return tf.sparse.sparse_dense_matmul(x, self.kernel)

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.float32, 1, tf.int64)])
    def ragged(self, x):
        return tf.reduce_sum(x, axis=1) * self.kernel[0, 0]

    @tf.function(input_signature=[spec(None, 5)])
    def dense(self, x):
        return {"y": x @ self.kernel}


class Inner(tf.Module):
    def __init__(self, seed, shared=None):
        super().__init__()
        self.weight = tf.Variable(values(seed, 4), name="weight")
        self.shared = shared

    @tf.function
    def __call__(self, x):
        y = x * self.weight
        return y if self.shared is None else y + self.shared


class Nested(tf.Module):
    """Modules in lists, dicts and modules, of which a signature needs one in the middle; a shared variable."""

    def __init__(self, directory):
        super().__init__()
        self.shared = tf.Variable(values(9, 4), name="shared")
        self.layers = [Inner(seed, self.shared if seed % 2 else None) for seed in range(4)]
        self.by_name = {"a": Inner(5), "b": {"c": Inner(6, self.shared)}}
        self.inner = Inner(7)
        self.inner.again = self.layers[3]

    @tf.function(input_signature=[spec(None, 4)])
    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.by_name["a"](x)

    @tf.function(input_signature=[spec(None, 4)])
    def third(self, x):
        return {"y": self.layers[2](x), "z": self.by_name["b"]["c"](x)}


class Statistics(tf.Module):
    """A statistic that moves in training, a loss, and the lists of the Reusable SavedModel interface."""

    variables = None
    trainable_variables = None

    def __init__(self, directory):
        super().__init__()
        self.kernel = tf.Variable(values(0, 4, 3), name="kernel")
        self.mean = tf.Variable(values(1, 3), trainable=False, name="mean")
        self.variables = [self.kernel, self.mean]
        self.trainable_variables = [self.kernel]
        self.regularization_losses = [self.loss]
        for shape in ([2, 4], [None, 4]):
            for training in (False, True):
                self.__call__.get_concrete_function(spec(*shape), training=training)

    @tf.function
    def project(self, x):
        return x @ self.kernel

    @tf.function
    def __call__(self, x, training=False):
        y = self.project(x)
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(y, axis=0))
        return y - self.mean

    @tf.function(input_signature=[])
    def loss(self):
        return 0.1 * tf.reduce_sum(self.kernel**2)

    @tf.function(input_signature=[spec(None, 4)])
    def serve(self, x):
        return {"y": self(x, training=False)}


class Random(tf.Module):
    """A random tree of modules, and functions that use random parts of it and each other."""

    def __init__(self, choose):
        """``choose(n)`` gives a number below n."""
        super().__init__()
        self._found = []
        self.tree = self._grow(choose, 0)
        self.constant = tf.constant(values(choose(100), 3))
        self.functions = []
        for _ in range(3 + choose(4)):
            self.functions.append(self._make(choose))
        first = choose(len(self.functions))
        second = (first + 1 + choose(len(self.functions) - 1)) % len(self.functions)
        self.f0, self.f1 = self.functions[first], self.functions[second]

    def _grow(self, choose, depth):
        node = tf.Module()
        for index in range(1 + choose(3)):
            trainable = bool(choose(2))
            name = "v{}_{}".format(depth, index)
            variable = tf.Variable(values(choose(100), 3), trainable=trainable, name=name)
            setattr(node, name, variable)
            self._found.append(variable)
        if depth < 3:
            children = [self._grow(choose, depth + 1) for _ in range(choose(3))]
            kind = choose(3)
            if kind == 0:
                node.children = children
            elif kind == 1:
                node.children = {"k{}".format(index): child for index, child in enumerate(children)}
            else:
                for index, child in enumerate(children):
                    setattr(node, "child{}".format(index), child)
        return node

    def _make(self, choose):
        used = [self._found[choose(len(self._found))] for _ in range(choose(4))]
        called = [self.functions[choose(len(self.functions))] for _ in range(2 if self.functions else 0)]
        kind = choose(5)
        moved = [variable for variable in used if not variable.trainable][:1]
        constant = self.constant if choose(2) else tf.constant(1.0)

        @tf.custom_gradient
        def scaled(x):
            y = tf.tanh(x)
            return y, lambda dy: 2.0 * dy * (1.0 - y * y)

        def body(x):
            for variable in used:
                x = x * variable
            if kind == 0:
                x = scaled(x)
            elif kind == 1:
                x = tf.cond(tf.reduce_sum(x) > 0.0, lambda: x + constant, lambda: x - constant)
            elif kind == 2:
                x = tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y * constant), [0, x])[1]
            elif kind == 3:
                for variable in moved:
                    variable.assign(0.5 * variable + 0.1)
            for function in called:
                x = x + function(x)["y"]
            return {"y": x}

        return tf.function(body, input_signature=[spec(None, 3)])

    def save(self, path):
        last = self.functions[-1]

        @tf.function(input_signature=[spec(None, 3)])
        def call(x):
            return last(x)

        root = tf.Module()
        root.tree, root.functions, root.constant, root.f0, root.f1 = (
            self.tree, self.functions, self.constant, self.f0, self.f1,
        )  # fmt: skip
        root.__call__ = call
        tf.saved_model.save(root, path, signatures={"f0": self.f0, "f1": self.f1})


def write(kind, directory):
    """Writes a model of a kind below a directory, and returns its path."""
    path = os.path.join(directory, kind.__name__.lower())
    model = kind(directory)
    signatures = {
        name: getattr(model, name)
        for name in ("number", "twice", "counted", "ragged", "dense", "third", "serve")
        if hasattr(model, name) and name != "ragged"
    }
    tf.saved_model.save(model, path, signatures=signatures)
    return path


KINDS = [Tables, Gradients, Activations, Control, Composites, Nested, Statistics]
