"""``unihub.save(format="tf2-saved-model")``: what is written calls, trains and serves as the object it was written from.

Each on real TensorFlow, in each runtime; read by TensorFlow itself, by ``hub.KerasLayer`` and by ``unihub.load``.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import saved_objects
import unihub
from live_runtime import DATA, HAS_HUB, HAS_KERAS2, MODES, RUNTIME, TENSORFLOW, assert_close, hub, live_context
from saved_objects import (
    INPUTS,
    KERAS_MODELS,
    TEXTS,
    Nested,
    Normalized,
    Python,
    Words,
    spec,
    variable,
    write_vocabulary,
)
from unihub import errors
from unihub._tf import packages, saved_model
from unihub._tf.keras import keras2 as import_keras2
from unihub._tf.keras import keras3

pytestmark = pytest.mark.slow

v1, v2 = tf.compat.v1, tf.compat.v2
REUSABLE = str(DATA / "saved_model" / "reusable")
HAS_TF_KERAS = HAS_KERAS2 or packages.installed_version("tf_keras") is not None

reads_saved_models = pytest.mark.skipif(TENSORFLOW < (1, 15), reason="refused cells; TestRefusal proves it")
eager_only = pytest.mark.skipif(RUNTIME != "tf2", reason="eager TensorFlow only")
needs_keras2 = pytest.mark.skipif(not HAS_TF_KERAS, reason="there is no Keras 2 here")
needs_keras_layer = pytest.mark.skipif(not (HAS_HUB and HAS_TF_KERAS), reason="there is no hub.KerasLayer here")

# Which Keras can be used in which runtime: Keras 3 builds no graphs.
KERASES = [("keras2", mode) for mode in MODES if HAS_TF_KERAS] + [("keras3", "tf2")] * (
    RUNTIME == "tf2" and TENSORFLOW >= (2, 16) and not HAS_KERAS2
)


def keras_named(name):
    return import_keras2() if name == "keras2" else keras3()


@contextlib.contextmanager
def current_session(live):
    """What a user has around a model in a graph: its session; and in TensorFlow 1 variables that can be saved."""
    if live.graph is None:
        yield
        return
    with live.session.as_default(), v1.variable_scope("", use_resource=True):
        yield


@contextlib.contextmanager
def context(mode):
    with live_context(mode) as live, current_session(live):
        yield live


@pytest.fixture
def inside(place):
    """A place to make, call and save a model in."""
    with current_session(place):
        yield place


def initialize(live):
    if live.graph is not None:
        live.session.run([v1.global_variables_initializer(), v1.tables_initializer()])


def run(live, outputs):
    """Values, after the variables that are new were initialized and no others."""
    if live.graph is not None:
        unready = live.session.run(v1.report_uninitialized_variables()).astype("U")
        new = [one for one in v1.global_variables() if one.op.name in unready]
        live.session.run([one.initializer for one in new] + [v1.tables_initializer()])
    return live.run(outputs)


def save(obj, target, **options):
    return unihub.save(obj, target, format="tf2-saved-model", **options)


def tensors(example):
    return tf.nest.map_structure(tf.constant, example)


def load_plain(path):
    """What TensorFlow gives by itself; which would end a process of TensorFlow 2.4 when it is collected."""
    loaded = v1.saved_model.load_v2(path)
    saved_model.leave_to_sessions(loaded)
    return loaded


def load_hub_layer(path):
    layer = hub.KerasLayer(path, trainable=True)
    saved_model.leave_to_sessions(layer.resolved_object)
    return layer


def load_unihub(path):
    return unihub.load(path, trainable=True, api="load")


def load_unihub_layer(path):
    return unihub.load(path, trainable=True, keras="keras2")


def load_unihub_keras3(path):
    return unihub.load(path, trainable=True, keras="keras3")


READERS = {"plain": load_plain, "load": load_unihub}
if HAS_HUB and HAS_TF_KERAS:
    READERS.update({"hub.KerasLayer": load_hub_layer, "layer": load_unihub_layer})
HAS_KERAS3 = ("keras3", "tf2") in KERASES


def call_once(path, mode, example, reader=load_plain, **options):
    """What the model at a path gives for an example, in a place of its own."""
    with context(mode) as live:
        return run(live, reader(path)(tensors(example), **options))


class TestRefusal:
    def test_tensorflow_1_14_writes_none(self, place, tmp_path):
        if TENSORFLOW >= (1, 15):
            assert os.path.exists(os.path.join(save(doubled, tmp_path / "model", inputs=spec()), "saved_model.pb"))
            return
        with pytest.raises(
            errors.UnsupportedError, match="creating a tf2-saved-model model in the tf1 runtime"
        ) as caught:
            save(lambda x: x, tmp_path / "model", inputs=INPUTS)
        assert "1.15" in str(caught.value)
        assert list(tmp_path.iterdir()) == []


@reads_saved_models
class TestModule:
    @pytest.mark.parametrize("cls", [Normalized, Python])
    def test_interface(self, inside, tmp_path, cls):
        obj = cls()
        initialize(inside)
        wanted = run(inside, obj(tensors(INPUTS)))
        losses = run(inside, [loss() for loss in getattr(obj, "inner", obj).regularization_losses])
        path = save(obj, tmp_path / "model", inputs=spec())
        with context(inside.mode) as live:
            found = load_plain(path)
            assert sorted(short(one) for one in found.variables) == ["bias", "kernel", "mean"]
            assert sorted(short(one) for one in found.trainable_variables) == ["bias", "kernel"]
            assert_close(run(live, found(tensors(INPUTS), training=False)), wanted)
            assert_close(run(live, found(tensors(INPUTS))), wanted)
            np.testing.assert_allclose(run(live, [loss() for loss in found.regularization_losses]), losses, rtol=1e-6)
            served = run(live, found.signatures["serving_default"](x=tensors(INPUTS)))
            assert_close(served, {"output_0": wanted})
            # Another batch size than any that was seen.
            assert run(live, found(tensors(INPUTS[:1]))).shape == (1, 4)

    def test_statistics_move_in_training_only(self, inside, tmp_path):
        path = save_ready(inside, Normalized(), tmp_path, inputs=spec())
        with context(inside.mode) as live:
            found = load_plain(path)
            run(live, found(tensors(INPUTS)))
            mean = next(one for one in found.variables if short(one) == "mean")
            np.testing.assert_array_equal(run(live, mean), np.zeros(4))
            run(live, found(tensors(INPUTS), training=True))
            np.testing.assert_allclose(run(live, mean), 0.1 * INPUTS.mean(0), rtol=1e-5)

    def test_nested(self, inside, tmp_path):
        obj = Nested()
        initialize(inside)
        wanted = run(inside, obj(tensors(INPUTS)))
        features = run(inside, obj.features(tensors(INPUTS)))
        path = save(obj, tmp_path / "model")
        with context(inside.mode) as live:
            found = load_plain(path)
            assert_close(run(live, found(tensors(INPUTS))), wanted)
            assert_close(run(live, found.features(tensors(INPUTS))), features)
            # A shared variable is one.
            assert len(found.variables) == len(obj.variables) == 8
            assert len({id(one) for one in found.variables}) == 8
            assert sum(one is found.first.kernel for one in found.variables) == 1
            assert found.second.kernel is found.first.kernel
            assert [short(one) for one in found.scales] == ["scale_0", "scale_1"]
            assert short(found.offsets["a"]) == "a"

    def test_table_and_its_file(self, inside, tmp_path):
        (tmp_path / "made").mkdir()
        vocabulary = write_vocabulary(tmp_path / "made")
        obj = Words(vocabulary)
        initialize(inside)
        wanted = run(inside, obj(tensors(TEXTS)))
        path = save(obj, tmp_path / "model")
        os.remove(vocabulary)
        assert os.listdir(os.path.join(path, "assets")) == ["vocabulary.txt"]
        for reader in (load_plain, load_unihub):
            assert_close(call_once(path, inside.mode, TEXTS, reader), wanted)

    def test_without_a_call(self, inside, tmp_path):
        obj = tf.Module()
        obj.kernel = variable("kernel", [2.0])
        obj.scale = tf.function(lambda x: x * obj.kernel, input_signature=[spec(1)])
        path = save_ready(inside, obj, tmp_path)
        with context(inside.mode) as live:
            found = load_plain(path)
            assert_close(run(live, found.scale(tf.constant([[3.0]]))), np.float32([[6.0]]))
            assert_close(run(live, unihub.load(path)([[3.0]])), np.float32([[6.0]]))

    def test_what_was_traced_is_enough(self, inside, tmp_path):
        obj = Normalized()
        initialize(inside)
        wanted = run(inside, obj(tensors(INPUTS)))
        path = save(obj, tmp_path / "model")
        assert_close(call_once(path, inside.mode, INPUTS), wanted)

    def test_it_goes_on_after_it_was_saved(self, inside, tmp_path):
        obj = Normalized()
        path = save_ready(inside, obj, tmp_path, inputs=spec())
        run(inside, obj(tensors(INPUTS), training=True))
        again = save(obj, tmp_path / "again", inputs=spec())
        before, after = (call_once(one, inside.mode, INPUTS) for one in (path, again))
        np.testing.assert_allclose(
            before - after, np.broadcast_to(0.1 * INPUTS.mean(0) @ kernel_of(path), (6, 4)), rtol=1e-4, atol=1e-4
        )


def short(variable):
    return variable.name.split(":")[0].split("/")[-1]


def kernel_of(path):
    reader = tf.train.load_checkpoint(os.path.join(path, "variables", "variables"))
    (name,) = {key for key in reader.get_variable_to_shape_map() if key.startswith("kernel/")}
    return reader.get_tensor(name)


def save_ready(live, obj, tmp_path, **options):
    initialize(live)
    return save(obj, tmp_path / "model", **options)


def from_closure(factor):
    return lambda x: x * factor


class Caller:
    """A Python object that can be called."""

    def __init__(self):
        self.factor = variable("factor", 3.0)

    def __call__(self, x):
        return x * self.factor

    def method(self, x, training=False):
        return x * (self.factor + 1.0 if training else self.factor)


def doubled(x):
    return {"doubled": x * 2.0}


def named(first, second, training=False):
    return [first + second["a"], second["b"] * (2.0 if training else 1.0)]


@reads_saved_models
class TestFunction:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: from_closure(variable("factor", 3.0)),
            lambda: tf.function(from_closure(variable("factor", 3.0)), autograph=False),
            lambda: functools.partial(lambda factor, x: x * factor, variable("factor", 3.0)),
            lambda: Caller(),
            lambda: Caller().method,
        ],
        ids=["closure", "tf.function", "partial", "callable", "method"],
    )
    def test_variable_is_found(self, inside, tmp_path, make):
        path = save_ready(inside, make(), tmp_path, inputs=spec())
        with context(inside.mode) as live:
            found = load_plain(path)
            assert [short(one) for one in found.trainable_variables] == ["factor"]
            assert [short(one) for one in found.variables] == ["factor"]
            assert_close(run(live, found(tensors(INPUTS))), INPUTS * 3)

    @pytest.mark.parametrize(
        "inputs",
        [spec(), INPUTS, lambda: tf.constant(INPUTS), INPUTS[0]],
        ids=["spec", "array", "tensor", "vector"],
    )
    def test_inputs(self, inside, tmp_path, inputs):
        path = save_ready(inside, doubled, tmp_path, inputs=inputs() if callable(inputs) else inputs)
        example = INPUTS[0] if getattr(inputs, "ndim", 2) == 1 else INPUTS[:2]
        assert_close(call_once(path, inside.mode, example), {"doubled": example * 2})

    def test_texts(self, inside, tmp_path):
        path = save_ready(inside, lambda x: tf.strings.length(x), tmp_path, inputs=np.array(["a", "bc"]))
        np.testing.assert_array_equal(call_once(path, inside.mode, np.array([b"alpha"])), [5])

    def test_arguments_by_name(self, inside, tmp_path):
        inputs = {"first": spec(), "second": {"a": spec(), "b": INPUTS}}
        path = save_ready(inside, named, tmp_path, inputs=inputs)
        with context(inside.mode) as live:
            found = load_plain(path)
            x = tensors(INPUTS)
            for training, factor in ((False, 1), (True, 2)):
                outputs = run(live, found(x, {"a": x, "b": x}, training=training))
                assert_close(dict(enumerate(outputs)), {0: INPUTS * 2, 1: INPUTS * factor})
            served = found.signatures["serving_default"]
            assert sorted(served.structured_input_signature[1]) == ["a", "b", "first"]
            assert sorted(run(live, served(first=x, a=x, b=x))) == ["output_0", "output_1"]

    def test_input_signature(self, inside, tmp_path):
        function = tf.function(lambda x: x + 1.0, input_signature=[spec()])
        path = save_ready(inside, function, tmp_path)
        assert_close(call_once(path, inside.mode, INPUTS), INPUTS + 1)

    def test_sparse_and_ragged(self, inside, tmp_path):
        path = save_ready(
            inside, lambda x: tf.sparse.to_dense(x), tmp_path, inputs=tf.SparseTensorSpec([None, 3], tf.int64)
        )
        with context(inside.mode) as live:
            dense = load_plain(path)(tf.SparseTensor([[0, 1]], np.array([7], np.int64), [1, 3]))
            np.testing.assert_array_equal(run(live, dense), [[0, 7, 0]])
        path = save_ready(
            inside, lambda x: tf.reduce_sum(x, 1), tmp_path / "ragged", inputs=tf.ragged.constant([[1, 2], [3]])
        )
        with context(inside.mode) as live:
            sums = load_plain(path)(tf.ragged.constant([[1], [2, 3], [4]]))
            np.testing.assert_array_equal(run(live, sums), [1, 5, 4])

    def test_table_is_found(self, inside, tmp_path):
        (tmp_path / "made").mkdir()
        table = Words(write_vocabulary(tmp_path / "made")).table
        path = save_ready(inside, lambda words: table.lookup(words), tmp_path, inputs=tf.TensorSpec([None], tf.string))
        np.testing.assert_array_equal(call_once(path, inside.mode, TEXTS), [1, 4, 3])

    def test_no_session_for_what_has_no_variables(self, place, tmp_path):
        path = save(doubled, tmp_path / "model", inputs=spec())
        assert_close(call_once(path, place.mode, INPUTS), {"doubled": INPUTS * 2})


@reads_saved_models
class TestSignatures:
    def test_given(self, inside, tmp_path):
        obj = Normalized()
        initialize(inside)
        twice = tf.function(lambda x: {"y": 2.0 * obj(x)}, input_signature=[spec()])
        plus = tf.function(lambda x: {"y": obj(x) + 1.0}).get_concrete_function(
            tf.TensorSpec([None, 4], tf.float32, name="x")
        )
        wanted = run(inside, obj(tensors(INPUTS)))
        path = save(obj, tmp_path / "model", inputs=spec(), signatures={"twice": twice, "plus": plus})
        assert sorted(one.name for one in unihub.inspect(path).meta_graphs[0].signatures) == [
            "plus",
            "serving_default",
            "twice",
        ]
        for name, value in (("twice", 2 * wanted), ("plus", wanted + 1)):
            with context(inside.mode) as live:
                assert_close(run(live, unihub.load(path, signature=name)(INPUTS)), value)

    def test_serving_default_is_what_is_given(self, inside, tmp_path):
        given = tf.function(lambda x: {"y": 3.0 * x}, input_signature=[spec()])
        path = save_ready(inside, doubled, tmp_path, inputs=spec(), signatures={"serving_default": given})
        with context(inside.mode) as live:
            assert_close(run(live, unihub.load(path, signature="serving_default")(INPUTS)), INPUTS * 3)

    def test_variables_of_a_signature(self, inside, tmp_path):
        """A signature that captures what the call does not."""
        offset = variable("offset", 5.0)
        given = tf.function(lambda x: {"y": x + offset}, input_signature=[spec()])
        path = save_ready(inside, doubled, tmp_path, inputs=spec(), signatures={"plus": given})
        with context(inside.mode) as live:
            assert [short(one) for one in load_plain(path).variables] == ["offset"]
            assert_close(run(live, unihub.load(path, signature="plus")(INPUTS)), INPUTS + 5)


def build(name, keras, live):
    """A Keras model, with values in it that training left there; its example; and the options to save it with."""
    make, example, is_known = KERAS_MODELS[name]
    model = make(keras_named(keras))
    run(live, call(model, example))
    random = np.random.RandomState(9)
    values = [np.float32(random.rand(*map(int, one.shape)) + 0.5) for one in model.weights]
    if live.graph is None:
        model.set_weights(values)
    else:
        live.session.run([one.assign(value) for one, value in zip(model.weights, values)])
    return model, example, {} if is_known else {"inputs": tf.nest.map_structure(lambda _: spec(), example)}


def call(model, example, training=None):
    if training is None or not takes_training(model):
        return model(tensors(example))
    return model(tensors(example), training=training)


def takes_training(model):
    return type(model).__name__ != "Dense"


@reads_saved_models
@pytest.mark.parametrize("keras, mode", KERASES)
class TestKeras:
    @pytest.mark.parametrize("name", sorted(KERAS_MODELS))
    def test_interface(self, keras, mode, name, tmp_path):
        with context(mode) as live:
            model, example, options = build(name, keras, live)
            wanted = run(live, call(model, example, training=False))
            losses = run(live, list(model.losses))
            counts = len(model.weights), len(model.trainable_weights)
            path = save(model, tmp_path / "model", **options)
        with context(mode) as live:
            found = load_plain(path)
            assert (len(found.variables), len(found.trainable_variables)) == counts
            assert {id(one) for one in found.trainable_variables} <= {id(one) for one in found.variables}
            flat = tf.nest.flatten(run(live, found(tensors(example), training=False)))
            for one, value in zip(flat, tf.nest.flatten(wanted)):
                assert_close(one, value)
            # Which loss is whose cannot be told.
            np.testing.assert_allclose(
                sorted(run(live, [loss() for loss in found.regularization_losses])), sorted(losses), rtol=1e-5
            )
            assert list(found.signatures) == ["serving_default"]
        with context(mode) as live:
            loaded = run(live, load_unihub(path)(example))
            for one, value in zip(tf.nest.flatten(loaded), tf.nest.flatten(wanted)):
                assert_close(one, value)

    def test_dropout_in_training_only(self, keras, mode, tmp_path):
        with context(mode) as live:
            layers = keras_named(keras).layers
            model = keras_named(keras).Sequential([layers.Dense(64, input_shape=[4]), layers.Dropout(0.5)])
            run(live, model(tensors(INPUTS)))
            path = save(model, tmp_path / "model")
        with context(mode) as live:
            found = load_plain(path)
            calm, dropped = (run(live, found(tensors(INPUTS), training=mode)) for mode in (False, True))
            assert np.count_nonzero(calm) == calm.size
            assert 0.3 < np.count_nonzero(dropped) / dropped.size < 0.7
            kept = dropped != 0
            np.testing.assert_allclose(dropped[kept], 2 * calm[kept], rtol=1e-5)

    def test_a_frozen_layer_stays_frozen(self, keras, mode, tmp_path):
        with context(mode) as live:
            model, _, options = build("sequential", keras, live)
            model.layers[0].trainable = False
            path = save(model, tmp_path / "model", **options)
        with context(mode):
            found = load_plain(path)
            assert (len(found.variables), len(found.trainable_variables)) == (7, 4)

    def test_the_model_goes_on(self, keras, mode, tmp_path):
        """Saving leaves losses and updates as they were, and says the same again."""
        with context(mode) as live:
            model, example, options = build("sequential", keras, live)
            before = len(model.losses), len(getattr(model, "updates", ()))
            paths = [save(model, tmp_path / name, **options) for name in ("first", "second")]
            assert (len(model.losses), len(getattr(model, "updates", ()))) == before
            run(live, call(model, example, training=False))
        first, second = (call_once(path, mode, example) for path in paths)
        np.testing.assert_array_equal(first, second)


@reads_saved_models
@pytest.mark.parametrize("keras", sorted({keras for keras, mode in KERASES if mode == "tf2"}))
class TestPreprocessing:
    """Layers that bring tables and statistics of their own."""

    def test_words(self, keras, tmp_path):
        library = keras_named(keras)
        layers = preprocessing(library)
        words = layers.StringLookup(vocabulary=["alpha", "beta"], num_oov_indices=1)
        inputs = library.Input([], dtype="string")
        model = library.Model(inputs, library.layers.Embedding(4, 5)(words(inputs)))
        self.check(model, np.array(["beta", "unknown", "alpha"]), tmp_path)

    def test_statistics(self, keras, tmp_path):
        library = keras_named(keras)
        scale = preprocessing(library).Normalization()
        scale.adapt(np.random.RandomState(0).rand(20, 3).astype("f"))
        model = library.Sequential([library.Input([3]), scale, library.layers.Dense(2)])
        self.check(model, np.random.RandomState(1).rand(4, 3).astype("f"), tmp_path)

    @staticmethod
    def check(model, example, tmp_path):
        wanted = model(tf.constant(example)).numpy()
        save(model, tmp_path / "out")
        for reader in (tf.saved_model.load, unihub.load):
            loaded = reader(str(tmp_path / "out"))
            np.testing.assert_array_equal(loaded(tf.constant(example)).numpy(), wanted)
            (served,) = loaded.signatures["serving_default"](tf.constant(example)).values()
            np.testing.assert_array_equal(served.numpy(), wanted)


def preprocessing(keras):
    """Where the layers are; in Keras 2.4 they were on trial."""
    return keras.layers if hasattr(keras.layers, "StringLookup") else keras.layers.experimental.preprocessing


@reads_saved_models
@needs_keras2
class TestKeras2Session:
    @pytest.mark.keras2
    @pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "tf2"])
    def test_keras_has_a_session_of_its_own(self, mode, tmp_path):
        with live_context(mode), v1.variable_scope("", use_resource=True):
            keras = keras_named("keras2")
            model = KERAS_MODELS["sequential"][0](keras)
            wanted = model.predict(INPUTS)
            path = save(model, tmp_path / "model")
        assert_close(call_once(path, mode, INPUTS), wanted)


RATE, STEPS = 0.05, 3


def targets_like(outputs, live):
    random = np.random.RandomState(11)
    shapes = [
        [int(size) if size is not None else 6 for size in one.shape.as_list()] for one in tf.nest.flatten(outputs)
    ]
    return [np.float32(random.randn(6, *shape[1:])) for shape in shapes]


def train(live, forward, weights, find_losses, find_updates=lambda: ()):
    """Some steps of gradient descent; returns each step's task and regularization losses."""
    if live.graph is None:
        return [train_eagerly(forward, weights, find_losses) for _ in range(STEPS)]
    outputs = forward()
    task, regularization = measure(outputs, find_losses())
    with tf.control_dependencies(list(find_updates())):
        step = v1.train.GradientDescentOptimizer(RATE).minimize(task + regularization, var_list=list(weights))
    run(live, tf.constant(0))
    return [live.session.run([task, regularization, step])[:2] for _ in range(STEPS)]


def train_eagerly(forward, weights, find_losses):
    with tf.GradientTape() as tape:
        outputs = forward()
        task, regularization = measure(outputs, find_losses())
        loss = task + regularization
    weights = list(weights)
    for weight, gradient in zip(weights, tape.gradient(loss, weights)):
        weight.assign_sub(RATE * gradient)
    return task.numpy(), regularization.numpy()


def measure(outputs, losses):
    flat = tf.nest.flatten(outputs)
    task = tf.add_n([tf.reduce_mean(tf.square(one - target)) for one, target in zip(flat, targets_like(outputs, None))])
    return task, tf.add_n([loss() if callable(loss) else loss for loss in losses])


def values_of(live, variables):
    return [run(live, one) for one in tf_variables(variables)]


def tf_variables(weights):
    """The variables of TensorFlow; those of Keras 3 have them inside."""
    return [one if isinstance(one, tf.Variable) else one.value for one in weights]


def train_loaded(live, reader, path, example):
    """Trains what was loaded; returns the losses of each step, and the weights and statistics after the last."""
    model = READERS[reader](path)
    is_layer = hasattr(model, "trainable_weights")
    model(tensors(example))
    found = train(
        live,
        functools.partial(model, tensors(example), training=True),
        model.trainable_variables,
        lambda: model.losses if is_layer else model.regularization_losses,
        lambda: getattr(model, "update_ops", ()),
    )
    return found, trained_values(live, model.trainable_variables, model.variables)


def trained_values(live, weights, variables):
    weights = tf_variables(weights)
    known = {id(one) for one in weights}
    return values_of(live, weights), values_of(live, [one for one in tf_variables(variables) if id(one) not in known])


def compare(found, wanted, before):
    """Losses and values after training are the same; all weights and all statistics moved."""
    (losses, (weights, statistics)), (wanted_losses, (wanted_weights, wanted_statistics)) = found, wanted
    np.testing.assert_allclose(losses, wanted_losses, rtol=1e-4)
    assert min(regularization for _, regularization in losses) > 0
    assert (len(weights), len(statistics)) == (len(wanted_weights), len(wanted_statistics))
    for one, value in zip(weights + statistics, wanted_weights + wanted_statistics):
        np.testing.assert_allclose(one, value, rtol=1e-4, atol=1e-5)
    for one, value in zip(weights + statistics, before[0] + before[1]):
        assert not np.allclose(one, value, rtol=1e-6)


@reads_saved_models
@pytest.mark.thorough
class TestFineTuning:
    """Steps of gradient descent on what was loaded are those on the object that was saved."""

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("cls", [Normalized, Python])
    def test_module(self, mode, cls, tmp_path):
        with context(mode) as live:
            obj = cls()
            initialize(live)
            before = trained_values(live, obj.trainable_variables, obj.variables)
            path = save(obj, tmp_path / "model", inputs=spec())
            losses = lambda: getattr(obj, "inner", obj).regularization_losses  # noqa: E731
            steps = train(live, lambda: obj(tensors(INPUTS), training=True), obj.trainable_variables, losses)
            wanted = steps, trained_values(live, obj.trainable_variables, obj.variables)
        for reader in READERS:
            with context(mode) as live:
                compare(train_loaded(live, reader, path, INPUTS), wanted, before)

    @pytest.mark.parametrize("name", ["sequential", "functional", "subclassed"])
    @pytest.mark.parametrize("keras, mode", KERASES)
    def test_keras(self, keras, mode, name, tmp_path):
        with context(mode) as live:
            model, example, options = build(name, keras, live)
            path = save(model, tmp_path / "model", **options)
            before = trained_values(live, model.trainable_weights, model.weights)
            # Those of earlier calls have other inputs.
            done = len(getattr(model, "updates", ()))
            steps = train(
                live,
                lambda: call(model, example, training=True),
                tf_variables(model.trainable_weights),
                lambda: model.losses,
                lambda: model.updates[done:],
            )
            wanted = steps, trained_values(live, model.trainable_weights, model.weights)
        for reader in READERS:
            with context(mode) as live:
                compare(train_loaded(live, reader, path, example), wanted, before)

    @eager_only
    @pytest.mark.skipif(not HAS_KERAS3, reason="there is no Keras 3 here")
    def test_in_keras_3(self, tmp_path):
        """What Keras 3 wrote goes on in Keras 3, and what it trained there can be written again."""
        with context("tf2") as live:
            model, example, options = build("sequential", "keras3", live)
            path = save(model, tmp_path / "model", **options)
            before = trained_values(live, model.trainable_weights, model.weights)
            layer = load_unihub_keras3(path)
            keras = keras_named("keras3")
            around = keras.Sequential([keras.Input([4]), layer])
            around.compile(keras.optimizers.SGD(RATE), "mse")
            (target,) = targets_like(layer(tensors(example)), live)
            history = around.fit(example, target, epochs=20, batch_size=6, verbose=0).history["loss"]
            assert history[-1] < history[0]
            assert len(around.losses) == 1
            after = trained_values(live, layer.trainable_weights, layer.weights)
            for one, value in zip(sum(after, []), sum(before, [])):
                assert not np.allclose(one, value)
            again = save(around, tmp_path / "again")
            wanted = around.predict(example, verbose=0)
            assert_close(call_once(again, "tf2", example), wanted)
            assert len(load_plain(again).regularization_losses) == 1

    @eager_only
    @needs_keras_layer
    @pytest.mark.parametrize("keras", sorted({keras for keras, _ in KERASES}))
    def test_keras_2_fit(self, keras, tmp_path):
        """The real ``hub.KerasLayer`` in the real ``fit``."""
        with context("tf2") as live:
            model, example, options = build("sequential", keras, live)
            path = save(model, tmp_path / "model", **options)
            layer = load_hub_layer(path)
            keras2 = import_keras2()
            around = keras2.Sequential([layer])
            optimizers = getattr(keras2.optimizers, "legacy", keras2.optimizers)
            around.compile(optimizers.SGD(RATE), "mse")
            (target,) = targets_like(layer(tensors(example)), live)
            before = [one.numpy() for one in layer.weights]
            around.predict(example)
            for one, value in zip(layer.weights, before):
                np.testing.assert_array_equal(one.numpy(), value)
            history = around.fit(example, target, epochs=20, batch_size=6, verbose=0).history["loss"]
            assert history[-1] < history[0]
            assert len(layer.losses) == 2 and len(layer.trainable_weights) == 5 and len(layer.weights) == 7
            for one, value in zip(layer.weights, before):
                assert not np.allclose(one.numpy(), value)


@reads_saved_models
class TestLoaded:
    """What was loaded can be written again."""

    @pytest.mark.parametrize("reader", sorted(READERS))
    @pytest.mark.parametrize("origin", ["module", "reusable"])
    def test_again(self, inside, tmp_path, reader, origin):
        if origin == "module":
            path, example = save_ready(inside, Normalized(), tmp_path, inputs=spec()), INPUTS
        else:
            path, example = REUSABLE, np.ones([3, 8], np.float32)
        with context(inside.mode) as live:
            model = READERS[reader](path)
            model(tensors(example))
            wanted = run(live, model(tensors(example)))
            losses = len(load_plain(path).regularization_losses)
            # Keras 2 does not tell what a layer was called with in a graph, and this one is not ours to ask.
            asked = {"inputs": example} if reader == "hub.KerasLayer" and live.graph is not None else {}
            again = save(model, tmp_path / "again", **asked)
        assert_close(call_once(again, inside.mode, example), wanted)
        assert_close(call_once(again, inside.mode, example, load_unihub), wanted)
        with context(inside.mode) as live:
            first, second = load_plain(path), load_plain(again)
            assert losses == 1 == len(second.regularization_losses)
            assert len(second.trainable_variables) == len(first.trainable_variables) > 0
            assert len(second.variables) == len(first.variables)
            assert sorted(second.signatures) == sorted({"serving_default", *first.signatures})

    def test_table_again(self, inside, tmp_path):
        (tmp_path / "made").mkdir()
        vocabulary = write_vocabulary(tmp_path / "made")
        path = save_ready(inside, Words(vocabulary), tmp_path)
        os.remove(vocabulary)
        with context(inside.mode) as live:
            model = unihub.load(path)
            wanted = run(live, model(TEXTS))
            again = save(model, tmp_path / "again")
        os.rename(path, str(tmp_path / "gone"))
        assert_close(call_once(again, inside.mode, TEXTS), wanted)

    def test_trained_values_are_written(self, inside, tmp_path):
        path = save_ready(inside, Normalized(), tmp_path, inputs=spec())
        with context(inside.mode) as live:
            model = load_unihub(path)
            train(
                live,
                lambda: model(tensors(INPUTS), training=True),
                model.trainable_variables,
                lambda: model.regularization_losses,
                lambda: model.update_ops,
            )
            wanted = run(live, model(tensors(INPUTS)))
            again = save(model, tmp_path / "again")
        assert_close(call_once(again, inside.mode, INPUTS), wanted)
        assert np.abs(wanted - call_once(path, inside.mode, INPUTS)).max() > 0.01


READ_ALL = """
import sys
sys.modules["unihub"] = None
import numpy as np, tensorflow as tf
v1 = tf.compat.v1
if sys.argv[1] == "tf1-compat":
    v1.disable_v2_behavior()
count = 0
for path in sys.argv[2:]:
    records = np.load(path + ".golden.npz")
    if sys.argv[1] == "tf2":
        found = tf.saved_model.load(path)(tf.constant(records["in"])).numpy()
    else:
        with tf.Graph().as_default(), v1.Session() as session:
            outputs = v1.saved_model.load_v2(path)(tf.constant(records["in"]))
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            found = session.run(outputs)
    np.testing.assert_allclose(found, records["out"], rtol=1e-5, atol=1e-6)
    count += 1
print("read", count)
"""


@reads_saved_models
def test_plain_tensorflow_reads_it(tmp_path):
    """In a process that has no unihub."""
    saved_objects.write_all(str(tmp_path), RUNTIME != "tf2")
    paths = sorted(str(path)[: -len(".golden.npz")] for path in tmp_path.glob("*.golden.npz"))
    assert len(paths) == 5
    env = dict(os.environ, PYTHONPATH="")
    command = [sys.executable, "-c", READ_ALL, RUNTIME, *paths]
    printed = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert printed.split() == ["read", "5"]
    assert max(saved_objects.check_all(str(tmp_path), RUNTIME != "tf2").values()) <= 1e-6


@reads_saved_models
class TestTarget:
    def test_overwritten_only_when_asked(self, inside, tmp_path):
        target = tmp_path / "model"
        save(doubled, target, inputs=spec())
        with pytest.raises(errors.HandleError, match="exists already"):
            save(lambda x: x, target, inputs=spec())
        assert_close(call_once(str(target), inside.mode, INPUTS), {"doubled": INPUTS * 2})
        assert save(lambda x: x, str(target), inputs=spec(), overwrite=True) == str(target)
        assert_close(call_once(str(target), inside.mode, INPUTS), INPUTS)
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    def test_what_is_there_survives_a_failure(self, inside, tmp_path):
        target = tmp_path / "model"
        save(doubled, target, inputs=spec())
        with pytest.raises(errors.LoadError, match="could not be written"):
            save(broken, target, inputs=spec(), overwrite=True)
        assert_close(call_once(str(target), inside.mode, INPUTS), {"doubled": INPUTS * 2})
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    def test_a_file_is_something(self, inside, tmp_path):
        (tmp_path / "model").write_text("mine")
        with pytest.raises(errors.HandleError, match="exists already"):
            save(doubled, tmp_path / "model", inputs=spec())
        assert (tmp_path / "model").read_text() == "mine"

    def test_an_empty_directory_is_filled(self, inside, tmp_path):
        save(doubled, tmp_path, inputs=spec())
        assert (tmp_path / "saved_model.pb").exists()

    @pytest.mark.parametrize("target", [3, "", None])
    def test_no_path(self, inside, target):
        with pytest.raises(errors.HandleError, match="is not a directory"):
            save(doubled, target, inputs=spec())


def broken(x):
    raise ZeroDivisionError("of the user")


def unbuilt(keras):
    return keras_named(keras).Sequential([keras_named(keras).layers.Dense(2)])


@reads_saved_models
class TestFailures:
    """Each is told in our words, and leaves nothing."""

    @pytest.mark.parametrize(
        "obj, options, error, words",
        [
            (3, {}, errors.InputError, "an int cannot be written as a tf2-saved-model"),
            (Normalized, {}, errors.InputError, "the class Normalized cannot be written"),
            (tf.Module, {}, errors.InputError, "the class Module cannot be written"),
            (lambda: tf.Module(), {"make": True}, errors.InputError, "a Module cannot be written"),
            (doubled, {}, errors.InputError, "the inputs of a function are unknown"),
            (lambda: tf.function(doubled), {"make": True}, errors.InputError, "the inputs of a"),
            (lambda: Python(), {"make": True}, errors.InputError, "the inputs of a method are unknown"),
            (
                doubled,
                {"inputs": "a text"},
                errors.InputError,
                "inputs= has a str where a spec or an example is needed",
            ),
            (doubled, {"inputs": [1.0]}, errors.InputError, "inputs= has a float"),
            (named, {"inputs": spec()}, errors.InputError, "the function has 2 arguments"),
            (named, {"inputs": {"first": spec()}}, errors.InputError, "the function has 2 arguments"),
            (doubled, {"inputs": spec(), "variants": [(set(), {})]}, errors.InputError, "variants= does not go with"),
            (doubled, {"inputs": spec(), "checkpoint": "x"}, errors.InputError, "checkpoint= does not go with"),
            (
                doubled,
                {"inputs": spec(), "signatures": {"a": doubled}},
                errors.SignatureError,
                "'a' among the signatures",
            ),
            (doubled, {"inputs": spec(), "signatures": {"a": None}}, errors.SignatureError, "'a' among the signatures"),
            (broken, {"inputs": spec()}, errors.LoadError, "could not be written"),
        ],
    )
    def test_object(self, inside, tmp_path, obj, options, error, words):
        options = dict(options)
        obj = obj() if options.pop("make", False) else obj
        initialize(inside)
        with pytest.raises(error, match=words):
            save(obj, tmp_path / "model", **options)
        assert list(tmp_path.iterdir()) == []

    def test_signature_of_two_traces(self, inside, tmp_path):
        function = tf.function(lambda x: {"y": x})
        function.get_concrete_function(spec())
        function.get_concrete_function(spec(3))
        with pytest.raises(errors.SignatureError, match="is not one function of known inputs") as caught:
            save(doubled, tmp_path / "model", inputs=spec(), signatures={"two": function})
        assert "with 2 traces" in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("format", ["tf1-saved-model", "tf2_saved_model"])
    def test_format(self, inside, tmp_path, format):
        with pytest.raises((errors.UnsupportedError, errors.InputError)):
            unihub.save(doubled, tmp_path / "model", inputs=spec(), format=format)
        assert list(tmp_path.iterdir()) == []

    def test_inside_of_a_function(self, inside, tmp_path):
        def trace():
            with pytest.raises(errors.UnsupportedError, match="cannot be written inside a tf.function"):
                save(doubled, tmp_path / "model", inputs=spec())
            return tf.constant(1)

        tf.function(trace, autograph=False).get_concrete_function()
        assert list(tmp_path.iterdir()) == []

    def test_untracked_table(self, inside, tmp_path):
        hidden = hide_table()
        with pytest.raises(errors.InputError, match="a table or variable that nothing keeps"):
            save_ready(inside, hidden, tmp_path, inputs=tf.TensorSpec([None], tf.string))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("keras, mode", KERASES)
    def test_keras_that_was_not_built(self, keras, mode, tmp_path):
        with context(mode), pytest.raises(errors.InputError, match="the inputs of a Sequential are unknown"):
            save(unbuilt(keras), tmp_path / "model")
        assert list(tmp_path.iterdir()) == []


def hide_table():
    """A function of a table that is reached through a global dict only, which nothing can track."""
    initializer = v2.lookup.KeyValueTensorInitializer(tf.constant(["a"]), tf.constant([1], tf.int64))
    HIDDEN["table"] = [v2.lookup.StaticHashTable(initializer, 0)]
    return lambda words: look_up(words)


HIDDEN = {}


def look_up(words):
    return HIDDEN["table"][0].lookup(words)


@reads_saved_models
class TestSession:
    """In a graph the values are in a session, and each way not to have one is told."""

    @pytest.fixture(params=[mode for mode in MODES if mode != "tf2"])
    def graph(self, request):
        with live_context(request.param) as live:
            yield live

    def test_passed(self, graph, tmp_path):
        obj = Normalized()
        initialize(graph)
        path = save(obj, tmp_path / "model", inputs=spec(), session=graph.session)
        assert call_once(path, graph.mode, INPUTS).shape == (6, 4)

    def test_none(self, graph, tmp_path):
        with pytest.raises(errors.InputError, match="there is no session to read the variable '"):
            save(Normalized(), tmp_path / "model", inputs=spec())
        assert list(tmp_path.iterdir()) == []

    def test_of_another_graph(self, graph, tmp_path):
        obj = Normalized()
        with v1.Session(graph=tf.Graph()) as other, pytest.raises(errors.InputError) as caught:
            save(obj, tmp_path / "model", inputs=spec(), session=other)
        assert "is not in the graph of the session" in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_uninitialized(self, graph, tmp_path):
        obj = Normalized()
        with graph.session.as_default(), pytest.raises(errors.InputError, match="has no value in the session"):
            save(obj, tmp_path / "model", inputs=spec())
        assert list(tmp_path.iterdir()) == []

    def test_reference_variable(self, graph, tmp_path):
        with v1.variable_scope("", use_resource=False):
            kernel = v1.get_variable("kernel", [4])
        initialize(graph)
        with graph.session.as_default(), pytest.raises(errors.InputError, match="'kernel.* is of reference type"):
            save(lambda x: x * kernel, tmp_path / "model", inputs=spec())
        assert list(tmp_path.iterdir()) == []

    @eager_only
    def test_eager_variable(self, tmp_path):
        obj = Normalized()
        with context("tf2-graph"), pytest.raises(errors.InputError, match="is not in the graph of the session"):
            save(obj, tmp_path / "model", inputs=spec())
        assert list(tmp_path.iterdir()) == []

    def test_new_graph_of_the_session(self, graph, tmp_path):
        """The session decides which graph is used, and not what happens to be the default."""
        obj = Normalized()
        initialize(graph)
        with tf.Graph().as_default():
            path = save(obj, tmp_path / "model", inputs=spec(), session=graph.session)
        assert call_once(path, graph.mode, INPUTS).shape == (6, 4)
