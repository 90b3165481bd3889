"""Writes the models under ``tests/data``, and checks what TensorFlow makes of them.

The models are committed, because no single TensorFlow can write them all; this script says how each came to be.
What must stay true: TensorFlow 1.15 wrote every model in ``saved_model`` and ``tf1_saved_model`` and later versions
read them (``counter``, ``unliftable`` and ``unfed_placeholder`` only by the loader of TensorFlow 1), with weights from
a seeded generator, and golden outputs that 1.15 computed from the saved files.

Run from anywhere:

    =========  ===============  ==========================================================================
    command    TensorFlow
    =========  ===============  ==========================================================================
    ``write``  1.15             ``saved_model``, ``tf1_saved_model``, ``saved_model_missing_op``
    ``write``  2.21             ``new_op``, ``new_attribute``, ``saved_model_type_spec``
    ``check``  1.15 and later   goldens within 1e-5, and what ``tf.saved_model.load`` says to the others
    =========  ===============  ==========================================================================

Names after the command restrict it to these models. ``tests/data/tf1_hub`` is not written here: those are modules that
tensorflow_hub 0.12 exported on TensorFlow 1.15, with golden outputs from ``hub.Module``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from typing import Any, Callable, Dict, List, Mapping, Sequence

import numpy as np
import tensorflow.compat.v2 as tf

tf1 = tf.compat.v1

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")
TOLERANCE = 1e-5
MOMENTUM = 0.9
WORDS = ["the", "quick", "brown", "fox", "jumps"]
TEXTS = [b"the quick brown fox", b"the unheard of fox", b"", b"jumps"]
CLASSES = ["cat", "dog", "fish"]

Arrays = Dict[str, Any]


def uniform(random: Any, *shape: int) -> Any:
    return random.uniform(-1.0, 1.0, shape).astype(np.float32)


def rows(*shape: int) -> Any:
    """The inputs of the goldens; seeded apart from the weights."""
    return uniform(np.random.RandomState(1), *shape)


# ---------------------------------------------------------------------------------------------------------------------
# saved_model: TF2 SavedModels.


class Root(tf.Module):
    """A module whose lists of variables are saved when it sets them: properties, as tf.Module has, never are.

    A tf.train.Checkpoint would take such attributes too, but adds a variable of its own, the save counter.
    """

    variables = None
    trainable_variables = None


class Normalised(Root):
    """A dense layer, batch normalisation with a moving statistic, and dropout."""

    def __init__(self, trainable: bool = True) -> None:
        super().__init__()
        random = np.random.RandomState(0)
        self.kernel = tf.Variable(uniform(random, 8, 4), trainable=trainable, name="kernel")
        self.bias = tf.Variable(uniform(random, 4), trainable=trainable, name="bias")
        self.gamma = tf.Variable(1.0 + 0.1 * uniform(random, 4), trainable=trainable, name="gamma")
        self.beta = tf.Variable(uniform(random, 4), trainable=trainable, name="beta")
        self.moving_mean = tf.Variable(uniform(random, 4), trainable=False, name="moving_mean")
        self.moving_variance = tf.Variable(1.0 + uniform(random, 4) ** 2, trainable=False, name="moving_variance")

    def apply(self, x: Any, training: bool) -> Any:
        dense = tf.matmul(x, self.kernel) + self.bias
        mean, variance = self.moving_mean.read_value(), self.moving_variance.read_value()
        if training:
            mean, variance = tf.nn.moments(dense, axes=[0])
            self.moving_mean.assign_sub((1.0 - MOMENTUM) * (self.moving_mean - mean))
            self.moving_variance.assign_sub((1.0 - MOMENTUM) * (self.moving_variance - variance))
        normal = self.gamma * (dense - mean) * tf.math.rsqrt(variance + 1e-3) + self.beta
        return tf.nn.dropout(normal, rate=0.1) if training else normal

    @tf.function
    def __call__(self, x: Any, training: bool = False) -> Any:
        return self.apply(x, training)

    def trace(self, *shapes: Sequence[Any]) -> None:
        for shape in shapes:
            for training in (False, True):
                self.__call__.get_concrete_function(tf.TensorSpec(shape, tf.float32, "x"), training=training)

    def list_variables(self, trainable: bool = True) -> None:
        """Adds the lists that the Reusable SavedModel interface asks for."""
        weights = [self.kernel, self.bias, self.gamma, self.beta]
        self.variables = weights + [self.moving_mean, self.moving_variance]
        self.trainable_variables = weights if trainable else []


class Regularised(Normalised):
    @tf.function(input_signature=[])
    def l2(self) -> Any:
        return 1e-2 * tf.reduce_sum(tf.square(self.kernel))


class NormalisedWithoutDefault(Normalised):
    """Its caller must say whether it trains."""

    @tf.function
    def __call__(self, x: Any, training: bool) -> Any:
        return self.apply(x, training)


def reusable(path: str) -> None:
    model = Regularised()
    model.list_variables()
    model.regularization_losses = [model.l2]
    model.trace([None, 8])
    serve = model.__call__.get_concrete_function(tf.TensorSpec([None, 8], tf.float32, "x"), training=False)
    tf.saved_model.save(model, path, signatures={"serving_default": serve})


def bare(path: str) -> None:
    model = Normalised()
    model.trace([None, 8])
    # None would let TensorFlow look for a function to make a signature of.
    tf.saved_model.save(model, path, signatures={})


def two_traces(path: str) -> None:
    model = Normalised()
    model.list_variables()
    # The order is the point: a placeholder [None, 8] fits both, and loaders try the concrete shape first.
    model.trace([2, 8], [None, 8])
    tf.saved_model.save(model, path, signatures={})


def frozen(path: str) -> None:
    model = NormalisedWithoutDefault(trainable=False)
    model.list_variables(trainable=False)
    model.trace([None, 8])
    tf.saved_model.save(model, path, signatures={})


class Untrained(Root):
    """A dense layer without a ``training`` argument."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.RandomState(0)
        self.kernel = tf.Variable(uniform(random, 8, 4), name="kernel")
        self.bias = tf.Variable(uniform(random, 4), name="bias")
        self.variables = [self.kernel, self.bias]
        self.trainable_variables = [self.kernel, self.bias]

    @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32, "x")])
    def __call__(self, x: Any) -> Any:
        return tf.tanh(tf.matmul(x, self.kernel) + self.bias)


def no_training(path: str) -> None:
    tf.saved_model.save(Untrained(), path, signatures={})


class DictOutput(Root):
    """From a dict of two tensors to a dict of three."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(uniform(np.random.RandomState(0), 3), name="weight")
        self.variables = [self.weight]
        self.trainable_variables = [self.weight]

    @tf.function(input_signature=[{key: tf.TensorSpec([None, 3], tf.float32, key) for key in "ab"}])
    def __call__(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        a, b = inputs["a"] * self.weight, inputs["b"]
        return {"sum": a + b, "difference": a - b, "dot": tf.reduce_sum(a * b, axis=1)}


def dict_output(path: str) -> None:
    tf.saved_model.save(DictOutput(), path, signatures={})


class Text(Root):
    """The mean of the words' embeddings; unknown words share the last row."""

    def __init__(self, vocabulary: str) -> None:
        super().__init__()
        self.embedding = tf.Variable(uniform(np.random.RandomState(0), len(WORDS) + 1, 6), name="embedding")
        self.variables = [self.embedding]
        self.trainable_variables = [self.embedding]
        line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        initializer = tf.lookup.TextFileInitializer(vocabulary, tf.string, line, tf.int64, number)
        self.table = tf.lookup.StaticHashTable(initializer, default_value=len(WORDS))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def __call__(self, text: Any) -> Any:
        words = tf.strings.split(text)
        vectors = words.with_values(tf.gather(self.embedding, self.table.lookup(words.values)))
        count = tf.cast(words.row_lengths(), tf.float32)[:, tf.newaxis]
        mean = tf.reduce_sum(vectors, axis=1) / tf.maximum(count, 1.0)
        return tf.ensure_shape(mean, [None, 6])


def text(path: str) -> None:
    model = Text(write_lines("vocabulary.txt", WORDS))
    tf.saved_model.save(model, path, signatures={"serving_default": model.__call__})


class Composite(Root):
    """Takes what is no plain tensor: TensorFlow 1.15 flattens it in a signature, to ``x``, ``x_1``, ``x_2``."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(uniform(np.random.RandomState(0), 5, 3), name="kernel")
        self.variables = [self.kernel]
        self.trainable_variables = [self.kernel]

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 5], tf.float32)])
    def __call__(self, x: Any) -> Any:
        return tf.sparse.sparse_dense_matmul(x, self.kernel)

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 5], tf.float32)])
    def sparse(self, x: Any) -> Mapping[str, Any]:
        return {"product": tf.sparse.sparse_dense_matmul(x, self.kernel)}

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.float32, 1, tf.int64)])
    def ragged(self, x: Any) -> Mapping[str, Any]:
        return {"sum": tf.reduce_sum(x, axis=1) * self.kernel[0, 0]}


def ragged_sparse(path: str) -> None:
    model = Composite()
    tf.saved_model.save(model, path, signatures={"sparse": model.sparse, "ragged": model.ragged})


class Coder(Root):
    """Cannot be called but by signature, and none has the name that is looked for first."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = tf.Variable(uniform(np.random.RandomState(0), 8, 4), name="matrix")

    @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32, "x")])
    def encode(self, x: Any) -> Mapping[str, Any]:
        return {"code": tf.matmul(x, self.matrix)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "code")])
    def decode(self, code: Any) -> Mapping[str, Any]:
        return {"x": tf.matmul(code, self.matrix, transpose_b=True)}


def signatures_only(path: str) -> None:
    model = Coder()
    tf.saved_model.save(model, path, signatures={"encode": model.encode, "decode": model.decode})


# ---------------------------------------------------------------------------------------------------------------------
# tf1_saved_model: graphs written in a session.


def signature(inputs: Mapping[str, Any], outputs: Mapping[str, Any], method: str = "predict") -> Any:
    build = tf1.saved_model.build_tensor_info
    return tf1.saved_model.build_signature_def(
        {name: build(tensor) for name, tensor in inputs.items()},
        {name: build(tensor) for name, tensor in outputs.items()},
        "tensorflow/serving/" + method,
    )


def write_graph(path: str, build: Callable[[], Mapping[str, Any]], initialize_tables: bool = False) -> None:
    """Writes the graph that ``build`` makes, with the signatures that it returns."""
    with tf.Graph().as_default(), tf1.Session() as session:
        signatures = build()
        session.run(tf1.global_variables_initializer())
        builder = tf1.saved_model.Builder(path)
        builder.add_meta_graph_and_variables(
            session,
            [tf.saved_model.SERVING],
            signature_def_map=signatures,
            assets_collection=tf1.get_collection(tf1.GraphKeys.ASSET_FILEPATHS),
            main_op=tf1.tables_initializer() if initialize_tables else None,
            strip_default_attrs=True,
        )
        builder.save()


def variable(name: str, value: Any, resource: bool = True) -> Any:
    return tf1.get_variable(name, initializer=value, use_resource=resource)


def half_plus_two(path: str) -> None:
    def build() -> Mapping[str, Any]:
        x = tf1.placeholder(tf.float32, [None, 1], "x")
        y = tf.add(x * variable("half", np.float32(0.5)), 2.0, "y")
        return {
            "serving_default": signature({"x": x}, {"y": y}),
            "regress": signature({"inputs": x}, {"outputs": y}, "regress"),
        }

    write_graph(path, build)


def classifier(path: str) -> None:
    """As an Estimator exports one: strings in, every class with its score out."""

    def build() -> Mapping[str, Any]:
        random = np.random.RandomState(0)
        vocabulary = write_lines("vocabulary.txt", WORDS)
        inputs = tf1.placeholder(tf.string, [None], "inputs")
        line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        initializer = tf.lookup.TextFileInitializer(vocabulary, tf.string, line, tf.int64, number)
        table = tf1.lookup.StaticHashTable(initializer, default_value=len(WORDS))
        words = table.lookup(tf1.string_split(inputs))
        embedding = variable("embedding", uniform(random, len(WORDS) + 1, 6))
        mean = tf1.nn.safe_embedding_lookup_sparse(embedding, words, combiner="mean")
        logits = tf.matmul(mean, variable("kernel", uniform(random, 6, 3))) + variable("bias", uniform(random, 3))
        scores = tf.nn.softmax(logits, name="scores")
        classes = tf.tile(tf.constant([CLASSES]), [tf.shape(scores)[0], 1], name="classes")
        outputs = {"classes": classes, "scores": scores}
        predictions = {"class_ids": tf.argmax(scores, axis=1), "probabilities": scores}
        return {
            "serving_default": signature({"inputs": inputs}, outputs, "classify"),
            "predict": signature({"inputs": inputs}, predictions),
        }

    write_graph(path, build, initialize_tables=True)


def counter(path: str) -> None:
    """The variable is a reference, and so are the outputs: TensorFlow 2 cannot make functions of these signatures."""

    def build() -> Mapping[str, Any]:
        count = variable("counter", np.float32(0.0), resource=False)
        delta = tf1.placeholder(tf.float32, [], "delta")
        return {
            "get_counter": signature({}, {"output": count}),
            "incr_counter": signature({}, {"output": tf1.assign_add(count, 1.0)}),
            "incr_counter_by": signature({"delta": delta}, {"output": tf1.assign_add(count, delta)}),
            "reset_counter": signature({}, {"output": tf1.assign(count, 0.0)}),
        }

    write_graph(path, build)


def unliftable(path: str) -> None:
    """As early TensorFlow Transform wrote them: a table whose vocabulary file is a placeholder that nobody feeds.

    TensorFlow 2 lifts every initializer in the collection out of the graph, the loader of TensorFlow 1 runs none.
    """

    def build() -> Mapping[str, Any]:
        x = tf1.placeholder(tf.float32, [None, 1], "x")
        filename = tf1.placeholder(tf.string, [], "vocabulary")
        line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        initializer = tf.lookup.TextFileInitializer(filename, tf.string, line, tf.int64, number)
        tf1.lookup.StaticHashTable(initializer, default_value=-1)
        # TextFileInitializer calls the file name an asset; a placeholder is none.
        del tf1.get_collection_ref(tf1.GraphKeys.ASSET_FILEPATHS)[:]
        return {"serving_default": signature({"x": x}, {"y": x * variable("half", np.float32(0.5))})}

    write_graph(path, build)


def unfed_placeholder(path: str) -> None:
    """One signature can be run, the other needs a keep rate that is not among its inputs."""

    def build() -> Mapping[str, Any]:
        x = tf1.placeholder(tf.float32, [None, 1], "x")
        keep = tf1.placeholder(tf.float32, [], "keep_prob")
        y = x * variable("half", np.float32(0.5))
        return {"serving_default": signature({"x": x}, {"y": y}), "train": signature({"x": x}, {"y": y * keep})}

    write_graph(path, build)


# ---------------------------------------------------------------------------------------------------------------------
# Models that fail to load.


class Scale(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = tf.Variable(2.0, name="scale")

    @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32, "x")])
    def __call__(self, x: Any) -> Any:
        return x * self.scale


def new_op(path: str) -> None:
    """Reads its variable with an op that older versions do not register, as every model that 2.21 writes does."""
    model = Scale()
    tf.saved_model.save(model, path, signatures={"serving_default": model.__call__})


class Product(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32, "x")])
    def __call__(self, x: Any) -> Any:
        # An attribute that has its default value is not written.
        return tf.matmul(x, tf.ones([8, 4]), grad_a=True)


def new_attribute(path: str) -> None:
    """Its MatMul has an attribute that older versions do not know. With a variable it would fail as ``new_op`` does."""
    model = Product()
    tf.saved_model.save(model, path, signatures={"serving_default": model.__call__})


class LowerCase(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def __call__(self, text: Any) -> Any:
        return tf.strings.lower(text)


def missing_op(path: str) -> None:
    """Uses ``CaseFoldUTF8``, which tensorflow_text registers: written with another op, and the name replaced."""
    model = LowerCase()
    tf.saved_model.save(model, path, signatures={"serving_default": model.__call__})
    filename = os.path.join(path, "saved_model.pb")
    with open(filename, "rb") as file:
        proto = saved_model_proto().FromString(file.read())
    replaced = 0
    for function in proto.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "StringLower":
                node.op = "CaseFoldUTF8"
                node.attr.clear()
                replaced += 1
    if not replaced:
        raise AssertionError("no function of the model holds a StringLower")
    with open(filename, "wb") as file:
        file.write(proto.SerializeToString())


def saved_model_proto() -> Any:
    # The messages have no public name in any version.
    from tensorflow.core.protobuf import saved_model_pb2

    return saved_model_pb2.SavedModel


def type_spec(path: str) -> None:
    """Takes a type that is registered here only, as the policies of TF-Agents do."""
    # No version has public names for these. An ExtensionType, which is public, would load as an anonymous one.
    from tensorflow.python.framework import composite_tensor, type_spec_registry

    class Pair(composite_tensor.CompositeTensor):
        def __init__(self, first: Any, second: Any) -> None:
            self.first, self.second = first, second

        _type_spec = property(lambda self: PairSpec())

    @type_spec_registry.register("unihub_tests.PairSpec")
    class PairSpec(tf.TypeSpec):
        value_type = property(lambda self: Pair)
        _component_specs = property(lambda self: [tf.TensorSpec([None, 8], tf.float32)] * 2)

        def _serialize(self) -> Any:
            return ()

        def _to_components(self, value: Any) -> List[Any]:
            return [value.first, value.second]

        def _from_components(self, components: Sequence[Any]) -> Any:
            return Pair(*components)

    class Sum(tf.Module):
        @tf.function(input_signature=[PairSpec()])
        def __call__(self, pair: Any) -> Any:
            return pair.first + pair.second

    tf.saved_model.save(Sum(), path, signatures={})


# ---------------------------------------------------------------------------------------------------------------------
# Goldens: what goes in is data here, what comes out is computed from the saved files. Keys are
# CALL/in/NAME and CALL/out/NAME, or CALL/out for an output without a name. CALL is ``call`` (with training=False) or a
# signature; ``train`` (the statistics after one call with training=True); ``regularization`` (the loss). The sparse
# tensor of ``ragged_sparse`` is x: indices, x_1: values, x_2: dense shape; its ragged one x: values, x_1: row splits.


ROWS = {"x": rows(6, 8)}
HALVES = {"x": rows(5, 1)}
SPARSE = {"x": np.array([[0, 1], [0, 4], [2, 0]], np.int64), "x_1": rows(3), "x_2": np.array([3, 5], np.int64)}
RAGGED = {"x": rows(5), "x_1": np.array([0, 2, 2, 5], np.int64)}
INPUTS = {
    "saved_model/reusable": {"call": ROWS, "serving_default": ROWS, "train": ROWS, "regularization": {}},
    "saved_model/bare": {"call": ROWS, "train": ROWS},
    "saved_model/two_traces": {"call": ROWS, "train": ROWS},
    "saved_model/frozen": {"call": ROWS, "train": ROWS},
    "saved_model/no_training": {"call": ROWS},
    "saved_model/dict_output": {"call": {"a": rows(4, 3), "b": 1.0 - rows(4, 3)}},
    "saved_model/text": {"call": {"text": np.array(TEXTS)}, "serving_default": {"text": np.array(TEXTS)}},
    "saved_model/ragged_sparse": {"call": SPARSE, "sparse": SPARSE, "ragged": RAGGED},
    "saved_model/signatures_only": {"encode": ROWS, "decode": {"code": rows(6, 4)}},
    "tf1_saved_model/half_plus_two": {"serving_default": HALVES, "regress": {"inputs": HALVES["x"]}},
    "tf1_saved_model/classifier": {
        "serving_default": {"inputs": np.array(TEXTS)},
        "predict": {"inputs": np.array(TEXTS)},
    },
    "tf1_saved_model/counter": {
        "get_counter": {},
        "incr_counter": {},
        "incr_counter_by": {"delta": np.float32(3.0)},
        "reset_counter": {},
    },
    "tf1_saved_model/unliftable": {"serving_default": HALVES},
    "tf1_saved_model/unfed_placeholder": {"serving_default": HALVES},
}
WRITERS = {
    "1.15": {
        "saved_model/reusable": reusable,
        "saved_model/bare": bare,
        "saved_model/two_traces": two_traces,
        "saved_model/frozen": frozen,
        "saved_model/no_training": no_training,
        "saved_model/dict_output": dict_output,
        "saved_model/text": text,
        "saved_model/ragged_sparse": ragged_sparse,
        "saved_model/signatures_only": signatures_only,
        "tf1_saved_model/half_plus_two": half_plus_two,
        "tf1_saved_model/classifier": classifier,
        "tf1_saved_model/counter": counter,
        "tf1_saved_model/unliftable": unliftable,
        "tf1_saved_model/unfed_placeholder": unfed_placeholder,
        "saved_model_missing_op": missing_op,
    },
    "2.21": {"new_op": new_op, "new_attribute": new_attribute, "saved_model_type_spec": type_spec},
}
STATISTICS = ("moving_mean", "moving_variance")
TAKES_TRAINING = ("reusable", "bare", "two_traces", "frozen")


def outputs(name: str, calls: Mapping[str, Arrays]) -> Arrays:
    """What the saved model answers to every call, each from the weights as saved."""
    run = run_graph if name.startswith("tf1_saved_model/") else run_object
    found = {}
    for call, inputs in calls.items():
        result = run(name, call, inputs)
        if isinstance(result, dict):
            found.update({"{}/out/{}".format(call, key): value for key, value in result.items()})
        else:
            found[call + "/out"] = result
    return found


def run_object(name: str, call: str, inputs: Arrays) -> Any:
    model = tf.saved_model.load(os.path.join(DATA, name))
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    if call == "regularization":
        return model.regularization_losses[0]().numpy()
    if call == "train":
        # Dropout makes the outputs random, but comes after the statistics.
        model(tensors["x"], training=True)
        return {key: getattr(model, key).numpy() for key in STATISTICS}
    if call != "call":
        return {key: value.numpy() for key, value in model.signatures[call](**tensors).items()}
    if name.endswith("/ragged_sparse"):
        result = model(tf.SparseTensor(tensors["x"], tensors["x_1"], tensors["x_2"]))
    elif name.endswith("/dict_output"):
        result = model(tensors)
    else:
        options = {"training": False} if name.split("/")[-1] in TAKES_TRAINING else {}
        (sole,) = tensors.values()
        result = model(sole, **options)
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), result)


def run_graph(name: str, call: str, inputs: Arrays) -> Any:
    with tf.Graph().as_default(), tf1.Session() as session:
        loaded = tf1.saved_model.loader.load(session, [tf.saved_model.SERVING], os.path.join(DATA, name))
        told = loaded.signature_def[call]
        feeds = {told.inputs[key].name: value for key, value in inputs.items()}
        return session.run({key: info.name for key, info in told.outputs.items()}, feeds)


def write_golden(name: str) -> None:
    arrays = {
        "{}/in/{}".format(call, key): value for call, inputs in INPUTS[name].items() for key, value in inputs.items()
    }
    for key, value in outputs(name, INPUTS[name]).items():
        value = np.asarray(value)
        # Arrays of objects could only be read back by unpickling them.
        arrays[key] = value.astype(bytes) if value.dtype == object else value
    np.savez_compressed(os.path.join(DATA, name + ".golden.npz"), **arrays)


def check_golden(name: str) -> str:
    with np.load(os.path.join(DATA, name + ".golden.npz")) as file:
        golden = dict(file)
    found = outputs(name, INPUTS[name])
    given = {"{}/in/{}".format(call, key) for call, inputs in INPUTS[name].items() for key in inputs}
    if set(golden) != given | set(found):
        raise AssertionError("{}: the keys are {}, not {}".format(name, sorted(golden), sorted(given | set(found))))
    worst = 0.0
    for key, value in found.items():
        if golden[key].dtype.kind == "S":
            np.testing.assert_array_equal(golden[key], np.asarray(value).astype(bytes), key)
        else:
            np.testing.assert_allclose(golden[key], value, rtol=TOLERANCE, atol=TOLERANCE, err_msg=key)
            worst = max(worst, float(np.max(np.abs(golden[key] - value))))
    return "{} arrays, largest difference {:.1e}".format(len(found), worst)


def write_lines(filename: str, lines: Sequence[str]) -> str:
    with open(filename, "w") as file:
        file.write("".join(line + "\n" for line in lines))
    return filename


def write(names: Sequence[str]) -> None:
    version = ".".join(tf.__version__.split(".")[:2])
    if version not in WRITERS:
        sys.exit("TensorFlow {} writes no model; {} do.".format(version, " and ".join(sorted(WRITERS))))
    # File names get into the graphs, so they must be relative ones.
    os.chdir(tempfile.mkdtemp())
    for name, writer in WRITERS[version].items():
        if names and name not in names:
            continue
        path = os.path.join(DATA, name)
        shutil.rmtree(path, ignore_errors=True)
        writer(path)
        # git keeps no empty directory; what is checked here must be what a clone has.
        assets = os.path.join(path, "assets")
        if os.path.isdir(assets) and not os.listdir(assets):
            os.rmdir(assets)
        if name in INPUTS:
            write_golden(name)
        print("wrote", name)


def check(names: Sequence[str]) -> None:
    for name in [name for writers in WRITERS.values() for name in writers]:
        if names and name not in names:
            continue
        print("{:34}".format(name), check_golden(name) if name in INPUTS else "no golden", flush=True)
        if name.startswith("saved_model/"):
            continue
        try:
            tf.saved_model.load(os.path.join(DATA, name))
        # Whatever TensorFlow raises is what is asked for.
        except Exception as error:  # noqa: B902
            print("  tf.saved_model.load: {}: {}".format(type(error).__name__, error))
        else:
            print("  tf.saved_model.load: loads")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    tf1.enable_v2_behavior()
    {"write": write, "check": check}[sys.argv[1]](sys.argv[2:])
