"""The layer of Keras 3: it trains, saves and reloads as Keras' own layers do, and the model in it stays one.

What needs a process of its own (another Keras backend, two devices, a file that is read where nothing else was loaded)
gets one.
"""

from __future__ import annotations

import shutil
import threading
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

import unihub
from choices import also_slow
from live_runtime import DATA, HAS_HUB, RUNTIME, assert_close, load_golden
from processes import printed
from unihub._plan.runtime import detect_runtime
from unihub._tf.keras import keras2 as import_keras2
from unihub._tf.keras import keras3
from unihub._types import Keras
from unihub.errors import (
    InputError,
    IntegrityError,
    RuntimeUnavailableError,
    UnsafeModelError,
    UnsupportedError,
)

if detect_runtime().keras is not Keras.KERAS3:
    pytest.skip("tf.keras is Keras 2 here", allow_module_level=True)

import keras  # noqa: E402

eager_only = pytest.mark.skipif(RUNTIME != "tf2", reason="refused in graphs; TestRefusals proves it")

SAVED_MODELS = DATA / "saved_model"
REUSABLE = str(SAVED_MODELS / "reusable")
SIZE, CLASSES = 8, 3


needs_keras2 = pytest.mark.skipif(not HAS_HUB, reason="speaks of the Keras 2 layer, which needs tensorflow_hub")


class Classifier(tf.Module):
    """A home-made image model in the Reusable SavedModel interface: convolution, batch normalization, L2."""

    def __init__(self):
        super().__init__()
        random = np.random.RandomState(0)
        self.kernel = tf.Variable(random.randn(3, 3, 3, 4).astype(np.float32) * 0.3, name="conv/kernel")
        self.gamma = tf.Variable(np.ones(4, np.float32), name="bn/gamma")
        self.beta = tf.Variable(np.zeros(4, np.float32), name="bn/beta")
        self.mean = tf.Variable(np.zeros(4, np.float32), trainable=False, name="bn/mean")
        self.variance = tf.Variable(np.ones(4, np.float32), trainable=False, name="bn/variance")
        self.regularization_losses = [self.l2, self.l1]

    @tf.function(input_signature=[])
    def l2(self):
        return 1e-3 * tf.reduce_sum(tf.square(self.kernel))

    @tf.function(input_signature=[])
    def l1(self):
        return 1e-4 * tf.reduce_sum(tf.abs(self.gamma))

    @tf.function
    def __call__(self, images, training=False):
        features = tf.nn.conv2d(images, self.kernel, 1, "SAME")
        mean, variance = self.mean.read_value(), self.variance.read_value()
        if training:
            mean, variance = tf.nn.moments(features, [0, 1, 2])
            self.mean.assign_sub(0.1 * (self.mean - mean))
            self.variance.assign_sub(0.1 * (self.variance - variance))
        normal = tf.nn.batch_normalization(features, mean, variance, self.beta, self.gamma, 1e-3)
        return tf.reduce_mean(tf.nn.relu(normal), [1, 2])


def write_classifier(path):
    model = Classifier()
    for training in (False, True):
        model.__call__.get_concrete_function(tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32, "images"), training)
    # Lists, which are saved; the properties of tf.Module are not.
    holder = tf.train.Checkpoint(model=model)
    holder.variables = [model.kernel, model.gamma, model.beta, model.mean, model.variance]
    holder.trainable_variables = holder.variables[:3]
    holder.regularization_losses = model.regularization_losses
    holder.__call__ = model.__call__
    tf.saved_model.save(holder, str(path))
    return str(path)


def write_module(path, call, *signature, **attributes):
    """A SavedModel of one function."""
    module = tf.Module()
    for name, value in attributes.items():
        setattr(module, name, value)
    module.__call__ = tf.function(lambda *inputs: call(module, *inputs), input_signature=signature)
    tf.saved_model.save(module, str(path))
    return str(path)


def images_and_labels(rows=48):
    random = np.random.RandomState(0)
    labels = np.arange(rows) % CLASSES
    images = random.rand(rows, SIZE, SIZE, 3).astype(np.float32) * 0.3
    for row, label in enumerate(labels):
        images[row, ..., label] += 0.7
    return images, labels


def build_classifier(handle, **options):
    """The whole classifier: the model, and a head."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((SIZE, SIZE, 3))
    features = unihub.KerasLayer(handle, trainable=True, name="features", **options)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(CLASSES, name="head")(features))
    model.compile(keras.optimizers.Adam(0.03), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@pytest.fixture
def classifier(tmp_path):
    return write_classifier(tmp_path / "classifier")


@pytest.fixture
def regression():
    """Inputs of ``reusable``, and targets that it does not give yet."""
    inputs = np.random.RandomState(1).randn(64, 8).astype(np.float32) + 2
    return inputs, np.tanh(inputs[:, :4])


def values(layer):
    return {variable.name: variable.numpy() for variable in layer.variables}


def run(code, *arguments, **variables):
    """Runs a program in a process of its own; what it prints, by lines."""
    return printed(code, *arguments, **variables)


@eager_only
class TestCalls:
    """Inputs and outputs of all kinds, in each kind of Keras model, symbolically and for real."""

    def test_is_a_layer_and_a_model_of_unihub(self):
        layer = unihub.KerasLayer(REUSABLE, trainable=True)
        assert isinstance(layer, keras.layers.Layer)
        assert (str(layer.plan.keras), str(layer.plan.backend)) == ("keras3", "unihub")
        assert layer.info.path == layer.plan.info.path
        assert set(layer.signatures) == {"serving_default"}
        assert layer.resolved_object is layer.native
        assert layer.update_ops == []
        assert [float(loss()) for loss in layer.regularization_losses] == [float(layer.native.l2())]
        assert layer.initialize(None) is None

    def test_load_gives_it_for_fine_tuning(self):
        assert isinstance(unihub.load(REUSABLE, trainable=True), keras.layers.Layer)
        assert isinstance(unihub.load(REUSABLE, api="keras"), keras.layers.Layer)
        assert not isinstance(unihub.load(REUSABLE), keras.layers.Layer)

    @pytest.mark.parametrize("name", ["reusable", "bare", "no_training", "two_traces", "dict_output", "frozen"])
    def test_goldens(self, name):
        layer = unihub.KerasLayer(str(SAVED_MODELS / name))
        golden = load_golden(SAVED_MODELS / name)
        inputs, outputs = golden["call"]
        inputs = inputs if len(inputs) > 1 else next(iter(inputs.values()))
        assert_close(tf.nest.map_structure(np.asarray, layer(inputs)), outputs)

    def test_sequential_functional_subclassed(self, regression):
        inputs, _ = regression
        wanted = unihub.load(REUSABLE)(inputs).numpy()

        class Subclassed(keras.Model):
            def __init__(self):
                super().__init__()
                self.layer = unihub.KerasLayer(REUSABLE)

            def call(self, inputs):
                return self.layer(inputs)

        place = keras.Input((8,))
        for model in (
            keras.Sequential([keras.Input((8,)), unihub.KerasLayer(REUSABLE)]),
            keras.Sequential([unihub.KerasLayer(REUSABLE)]),
            keras.Model(place, unihub.KerasLayer(REUSABLE)(place)),
            Subclassed(),
        ):
            np.testing.assert_allclose(model.predict(inputs, verbose=0), wanted, rtol=1e-5, atol=1e-6)
            assert len(model.weights) == 6

    def test_input_shape_makes_a_sequential_model_at_once(self):
        with pytest.warns(UserWarning, match="input_shape"):
            layer = unihub.KerasLayer(REUSABLE, input_shape=[8])
        assert keras.Sequential([layer]).output_shape == (None, 4)

    def test_texts(self):
        layer = unihub.KerasLayer(str(SAVED_MODELS / "text"))
        texts = ["the quick brown fox", "jumps"]
        wanted = layer(texts).numpy()
        place = keras.Input((), dtype="string")
        features = layer(place)
        assert (features.shape, features.dtype) == ((None, 6), "float32")
        np.testing.assert_array_equal(keras.Model(place, features).predict(tf.constant(texts), verbose=0), wanted)

    def test_dicts_and_several_outputs(self):
        layer = unihub.KerasLayer(str(SAVED_MODELS / "dict_output"))
        places = {key: keras.Input((3,), name=key) for key in "ab"}
        outputs = layer(places)
        assert {key: output.shape for key, output in outputs.items()} == {
            "sum": (None, 3), "difference": (None, 3), "dot": (None,)
        }  # fmt: skip
        inputs = {"a": np.ones((2, 3), np.float32), "b": np.full((2, 3), 2, np.float32)}
        assert_close(keras.Model(places, outputs).predict(inputs, verbose=0),
                     tf.nest.map_structure(np.asarray, layer(inputs)))  # fmt: skip

    def test_one_of_several_outputs(self):
        inputs = {"a": np.ones((2, 3), np.float32), "b": np.full((2, 3), 2, np.float32)}
        everything = unihub.KerasLayer(str(SAVED_MODELS / "dict_output"))(inputs)
        one = unihub.KerasLayer(str(SAVED_MODELS / "dict_output"), output_key="dot")
        np.testing.assert_array_equal(one(inputs), everything["dot"])
        assert one.get_config()["output_key"] == "dot"
        named = unihub.KerasLayer(REUSABLE, signature="serving_default", as_dict=True)
        assert list(named(np.ones((2, 8), np.float32))) == ["output_0"]

    def test_a_list_of_inputs(self, tmp_path):
        specs = [[tf.TensorSpec([None, 2]), tf.TensorSpec([None, 3])]]
        path = write_module(tmp_path / "pair", lambda module, pair: tf.concat(pair, 1), *specs)
        layer = unihub.KerasLayer(path)
        places = [keras.Input((2,)), keras.Input((3,))]
        model = keras.Model(places, layer(places))
        assert model.output_shape == (None, 5)
        assert model.predict([np.ones((4, 2)), np.ones((4, 3))], verbose=0).shape == (4, 5)

    def test_sparse_inputs(self):
        layer = unihub.KerasLayer(str(SAVED_MODELS / "ragged_sparse"))
        place = keras.Input((5,), sparse=True)
        sparse = tf.sparse.from_dense(np.eye(3, 5, dtype=np.float32))
        np.testing.assert_allclose(keras.Model(place, layer(place))(sparse), layer(sparse))

    def test_arguments(self, tmp_path):
        module = tf.Module()
        module.__call__ = tf.function(lambda x, factor=1.0: x * factor)
        for factor in (1.0, 3.0):
            module.__call__.get_concrete_function(tf.TensorSpec([None, 2]), factor=factor)
        tf.saved_model.save(module, str(tmp_path / "scale"))
        layer = unihub.KerasLayer(str(tmp_path / "scale"), arguments={"factor": 3.0})
        np.testing.assert_array_equal(layer(np.ones((1, 2), np.float32)), [[3, 3]])
        again = type(layer).from_config(layer.get_config())
        np.testing.assert_array_equal(again(np.ones((1, 2), np.float32)), [[3, 3]])

    def test_output_shape(self, tmp_path):
        def forget_shape(module, x):
            return tf.numpy_function(lambda value: value, [x], tf.float32)

        path = write_module(tmp_path / "no_rank", forget_shape, tf.TensorSpec([None, 2]))
        place = keras.Input((2,))
        with pytest.raises(InputError, match="has no known rank"):
            unihub.KerasLayer(path)(place)
        layer = unihub.KerasLayer(path, output_shape=(2,))
        assert layer(place).shape == (None, 2)
        again = type(layer).from_config(layer.get_config())
        assert again(place).shape == (None, 2)

    def test_a_python_object(self):
        layer = unihub.KerasLayer(Classifier(), trainable=True)
        assert layer(keras.Input((SIZE, SIZE, 3))).shape == (None, 4)
        assert len(layer.trainable_weights) == 3

    def test_unknown_option(self):
        with pytest.raises(InputError, match="(?s)no argument 'output_shapes'.*Did you mean 'output_shape'"):
            unihub.KerasLayer(REUSABLE, output_shapes=(4,))

    def test_wrong_inputs_are_told_by_unihub(self):
        layer = unihub.KerasLayer(REUSABLE)
        with pytest.raises(InputError, match="do not match any way"):
            layer(np.ones((2, 7), np.float32))
        with pytest.raises(InputError, match="do not match any way"):
            layer(keras.Input((7,)))


@eager_only
class TestTraining:
    def test_variables_are_the_model_s_own(self):
        layer = unihub.KerasLayer(REUSABLE, trainable=True)
        own = {variable.name.split(":")[0]: variable for variable in layer.native.variables}
        assert {variable.name: id(variable.value) for variable in layer.variables} == {
            name: id(variable) for name, variable in own.items()
        }
        assert [variable.name for variable in layer.trainable_variables] == ["kernel", "bias", "gamma", "beta"]
        layer.variables[0].assign(np.zeros((8, 4)))
        assert not own["kernel"].numpy().any()

    def test_fit(self, classifier):
        images, labels = images_and_labels()
        model = build_classifier(classifier)
        layer = model.get_layer("features")
        before = values(layer)
        logits = model.predict(images, verbose=0)
        cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        l2, l1 = 1e-3 * np.sum(before["conv_kernel"] ** 2), 1e-4 * np.sum(np.abs(before["bn_gamma"]))
        np.testing.assert_allclose(
            model.evaluate(images, labels, batch_size=len(images), verbose=0),
            float(cross_entropy(labels, logits)) + l2 + l1,
            rtol=1e-5,
        )
        np.testing.assert_allclose(float(sum(model.losses)), l2 + l1, rtol=1e-5)
        assert values(layer)["bn_mean"] == pytest.approx(before["bn_mean"])
        losses = model.fit(images, labels, epochs=20, batch_size=16, verbose=0).history["loss"]
        assert losses[-1] < 0.5 * losses[0]
        after = values(layer)
        assert all(not np.allclose(before[name], after[name]) for name in before)
        assert np.argmax(model.predict(images, verbose=0), 1).tolist() == labels.tolist()

    @pytest.mark.parametrize("run_eagerly", also_slow([False, True], 1))
    def test_train_on_batch_follows_plain_tensorflow(self, classifier, run_eagerly):
        """Ten steps, against the same steps on the loaded object without any layer."""
        images, _ = images_and_labels()
        targets = np.random.RandomState(2).rand(len(images), 4).astype(np.float32)
        model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), unihub.KerasLayer(classifier, trainable=True)])
        model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=run_eagerly)
        plain = tf.saved_model.load(classifier)
        for _ in range(10):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((plain(images, training=True) - targets) ** 2)
                loss += tf.add_n([term() for term in plain.regularization_losses])
            for variable, gradient in zip(
                plain.trainable_variables, tape.gradient(loss, list(plain.trainable_variables))
            ):
                variable.assign_sub(0.1 * gradient)
            model.train_on_batch(images, targets)
        for variable, wanted in zip(model.variables[:5], plain.variables):
            np.testing.assert_allclose(variable.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-6)

    def test_frozen(self, classifier):
        images, labels = images_and_labels()
        model = build_classifier(classifier)
        layer = model.get_layer("features")
        layer.trainable = False
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        before = values(layer)
        model.fit(images, labels, verbose=0)
        assert_close(values(layer), before)
        assert layer.trainable_variables == model.losses == layer.regularization_losses == []

    @pytest.mark.slow
    def test_two_phases(self, classifier):
        """First the head alone, then the whole: a layer that is made trainable later."""
        images, labels = images_and_labels()
        layer = unihub.KerasLayer(classifier)
        model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), layer, keras.layers.Dense(CLASSES)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        before = values(layer)
        model.fit(images, labels, verbose=0)
        assert_close(values(layer), before)
        assert model.losses == [] and len(model.trainable_weights) == 2
        layer.trainable = True
        model.compile("adam", loss)
        model.fit(images, labels, verbose=0)
        assert len(model.trainable_weights) == 5
        assert all(not np.allclose(before[name], value) for name, value in values(layer).items())
        assert float(sum(model.losses)) > 0

    @pytest.mark.slow
    def test_training_moves_statistics_only_when_trainable_and_asked(self, classifier):
        images, _ = images_and_labels()
        layer = unihub.KerasLayer(classifier, trainable=True)
        for trainable, training, moves in [
            (True, None, False),
            (True, False, False),
            (False, True, False),
            (True, True, True),
        ]:
            layer.trainable = trainable
            before = values(layer)["bn_mean"]
            layer(images, training=training)
            assert (not np.array_equal(before, values(layer)["bn_mean"])) == moves, (trainable, training)
        with pytest.raises(InputError, match="training="):
            layer(images, training=tf.constant(True))

    @pytest.mark.parametrize("traced", also_slow([True, False], 1))
    def test_gradient_tape(self, regression, traced):
        inputs, targets = regression
        layer = unihub.KerasLayer(REUSABLE, trainable=True)
        optimizer = keras.optimizers.SGD(0.1)

        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(layer(inputs, training=True) - targets)) + sum(layer.losses)
            gradients = tape.gradient(loss, layer.trainable_variables)
            optimizer.apply_gradients(zip(gradients, layer.trainable_variables))
            return loss

        optimizer.build(layer.trainable_variables)
        step = tf.function(step) if traced else step
        losses = [float(step()) for _ in range(20)]
        assert losses[-1] < 0.5 * losses[0]

    def test_nothing_to_train(self):
        with pytest.raises(UnsupportedError, match="no trainable variables"):
            unihub.KerasLayer(str(SAVED_MODELS / "frozen"), trainable=True)

    def test_two_layers_of_one_model_are_two(self):
        first, second = (unihub.KerasLayer(REUSABLE, trainable=True) for _ in range(2))
        first.variables[0].assign(np.zeros((8, 4)))
        assert second.variables[0].numpy().any()


READ_AND_PREDICT = """
import sys, numpy as np
{imports}
file, images, predictions, safe = sys.argv[1:]
model = keras.models.load_model(file, safe_mode=safe == "safe")
np.save(predictions, model.predict(np.load(images), verbose=0))
print(model.get_layer("features").plan.handle)
print(len(model.losses), len(model.trainable_weights), type(model.optimizer).__name__)
"""


def read_and_predict(file, images, tmp_path, safe="safe", imports="import keras, unihub"):
    """The predictions of a model that another process reads, and what it prints."""
    np.save(tmp_path / "images.npy", images)
    printed = run(READ_AND_PREDICT.format(imports=imports), file, tmp_path / "images.npy", tmp_path / "out.npy", safe)
    return np.load(tmp_path / "out.npy"), printed


@eager_only
@pytest.mark.slow
class TestFiles:
    """A trained classifier, saved in both ways and read again."""

    @pytest.fixture
    def trained(self, classifier):
        def train(**options):
            model = build_classifier(classifier, **options)
            model.fit(*images_and_labels(), epochs=3, batch_size=16, verbose=0)
            return model

        return train

    @pytest.mark.parametrize("imports", ["import keras, unihub", "import unihub, keras",
                                         "import unihub; from tensorflow import keras"])  # fmt: skip
    def test_by_handle(self, trained, classifier, tmp_path, imports):
        images, _ = images_and_labels()
        model = trained()
        model.save(tmp_path / "m.keras")
        assert (tmp_path / "m.keras").stat().st_size < 100_000
        assert not any("saved_model" in name for name in zipfile.ZipFile(tmp_path / "m.keras").namelist())
        predictions, printed = read_and_predict(tmp_path / "m.keras", images, tmp_path, imports=imports)
        np.testing.assert_allclose(predictions, model.predict(images, verbose=0), atol=1e-6, rtol=0)
        assert printed == [classifier, "1 5 Adam"]

    def test_self_contained(self, trained, classifier, tmp_path):
        images, labels = images_and_labels()
        model = trained(self_contained=True)
        model.save(tmp_path / "m.keras")
        shutil.rmtree(classifier)
        predictions, printed = read_and_predict(tmp_path / "m.keras", images, tmp_path, safe="unsafe")
        np.testing.assert_allclose(predictions, model.predict(images, verbose=0), atol=1e-6, rtol=0)
        assert printed == [classifier, "1 5 Adam"]

    def test_self_contained_is_refused_in_safe_mode(self, trained, tmp_path):
        trained(self_contained=True).save(tmp_path / "m.keras")
        with pytest.raises(UnsafeModelError, match="safe_mode=False"):
            keras.models.load_model(tmp_path / "m.keras")
        keras.config.enable_unsafe_deserialization()
        try:
            keras.models.load_model(tmp_path / "m.keras")
        finally:
            keras.src.backend.common.global_state.set_global_attribute("safe_mode_saving", None)

    def test_self_contained_is_saved_again(self, trained, classifier, tmp_path):
        images, _ = images_and_labels()
        model = trained(self_contained=True)
        model.save(tmp_path / "first.keras")
        shutil.rmtree(classifier)
        keras.models.load_model(tmp_path / "first.keras", safe_mode=False).save(tmp_path / "second.keras")
        again = keras.models.load_model(tmp_path / "second.keras", safe_mode=False)
        np.testing.assert_allclose(
            again.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-6, rtol=0
        )
        layer = again.get_layer("features")
        assert {id(variable.value) for variable in layer.variables} == {id(v) for v in layer.native.variables}

    @pytest.mark.parametrize("self_contained", [False, True])
    def test_training_goes_on_where_it_stopped(self, trained, tmp_path, self_contained):
        images, labels = images_and_labels()
        model = trained(self_contained=self_contained)
        model.save(tmp_path / "m.keras")
        again = keras.models.load_model(tmp_path / "m.keras", safe_mode=not self_contained)
        for _ in range(3):
            model.train_on_batch(images, labels)
            again.train_on_batch(images, labels)
        for variable, other in zip(model.variables, again.variables):
            np.testing.assert_allclose(variable.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)

    def test_self_contained_with_a_table_and_a_subclassed_model(self, tmp_path):
        source = shutil.copytree(str(SAVED_MODELS / "text"), str(tmp_path / "text"))
        place = keras.Input((), dtype="string")
        layer = unihub.KerasLayer(source, self_contained=True, trainable=True)
        model = keras.Sequential([place, layer, keras.layers.Dense(2)])
        texts = tf.constant(["the quick brown fox", "jumps"])
        wanted = model.predict(texts, verbose=0)
        model.save(tmp_path / "m.keras")
        shutil.rmtree(source)
        again = keras.models.load_model(tmp_path / "m.keras", safe_mode=False)
        np.testing.assert_allclose(again.predict(texts, verbose=0), wanted, rtol=1e-6)

    def test_self_contained_file_without_its_model(self, trained, tmp_path):
        trained(self_contained=True).save(tmp_path / "m.keras")
        with zipfile.ZipFile(tmp_path / "m.keras") as whole, zipfile.ZipFile(tmp_path / "cut.keras", "w") as cut:
            for name in whole.namelist():
                if "assets" not in name:
                    cut.writestr(name, whole.read(name))
        model = keras.models.load_model(tmp_path / "cut.keras", safe_mode=False)
        images = np.ones((1, SIZE, SIZE, 3), np.float32)
        for call in (model.get_layer("features"), model, model.predict):
            with pytest.raises(IntegrityError, match="which is missing"):
                call(images)

    def test_config_names_the_handle(self, classifier, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        layer = unihub.KerasLayer("classifier", trainable=True, name="hub", tags={"serve"})
        config = layer.get_config()
        assert {name: config[name] for name in ("handle", "tags", "trainable", "name")} == {
            "handle": "classifier", "tags": ["serve"], "trainable": True, "name": "hub"
        }  # fmt: skip
        again = type(layer).from_config(config)
        assert again.get_config() == config
        assert_close(values(again), values(layer))

    @pytest.mark.parametrize("self_contained", [False, True])
    def test_clone_and_weights(self, trained, tmp_path, self_contained):
        images, _ = images_and_labels()
        model = trained(self_contained=self_contained)
        model.save_weights(tmp_path / "m.weights.h5")
        clone = keras.models.clone_model(model)
        assert clone.get_layer("features").native is not model.get_layer("features").native
        assert not np.allclose(clone.predict(images, verbose=0), model.predict(images, verbose=0))
        clone.load_weights(tmp_path / "m.weights.h5")
        np.testing.assert_allclose(
            clone.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-6, rtol=0
        )
        clone.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        assert not clone.get_layer("features").native.variables[0].numpy().any()

    def test_a_frozen_layer_stays_frozen(self, classifier, tmp_path):
        place = keras.Input((SIZE, SIZE, 3))
        model = keras.Model(place, keras.layers.Dense(2)(unihub.KerasLayer(classifier, name="features")(place)))
        model.save(tmp_path / "m.keras")
        again = keras.models.load_model(tmp_path / "m.keras")
        assert not again.get_layer("features").trainable
        assert len(again.trainable_weights) == 2

    def test_export(self, trained, tmp_path):
        images, _ = images_and_labels()
        model = trained()
        model.export(str(tmp_path / "exported"))
        exported = tf.saved_model.load(str(tmp_path / "exported"))
        np.testing.assert_allclose(exported.serve(images), model.predict(images, verbose=0), atol=1e-6)

    @pytest.mark.skipif(
        Version(keras.__version__) < Version("3.9"), reason="exports the tables of Keras' own text layers only"
    )
    def test_export_of_tables(self, tmp_path):
        place = keras.Input((), dtype="string")
        model = keras.Model(place, unihub.KerasLayer(str(SAVED_MODELS / "text"))(place))
        model.export(str(tmp_path / "exported"))
        exported = tf.saved_model.load(str(tmp_path / "exported"))
        texts = tf.constant(["the quick brown fox", "jumps"])
        np.testing.assert_allclose(exported.serve(texts), model.predict(texts, verbose=0), atol=1e-6)

    def test_a_python_object_has_no_config(self, tmp_path):
        model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), unihub.KerasLayer(Classifier())])
        with pytest.raises(NotImplementedError, match="has no handle"):
            model.save(tmp_path / "m.keras")


# Against a layer of Keras' own that computes the same, so that what Keras does with two devices is in both.
TWO_DEVICES = """
import sys, numpy as np, tensorflow as tf, keras, unihub
cpus = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
plain, classifier, file = sys.argv[1:]
random = np.random.RandomState(0)
inputs, targets = random.randn(32, 8).astype(np.float32), random.rand(32, 4).astype(np.float32)
images = random.rand(32, 8, 8, 3).astype(np.float32)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def train(make_layer, inputs):
    with strategy.scope():
        layer = make_layer()
        model = keras.Sequential([keras.Input(inputs.shape[1:]), layer])
        model.compile(keras.optimizers.SGD(0.1), "mse")
    weights = layer.get_weights()
    model.fit(inputs, targets, epochs=5, batch_size=16, shuffle=False, verbose=0)
    return model, weights

model, weights = train(lambda: unihub.KerasLayer(plain, trainable=True), inputs)
print(type(model.layers[0].variables[0].value).__name__, strategy.num_replicas_in_sync)

def make_dense():
    dense = keras.layers.Dense(4, "tanh")
    dense.build((None, 8))
    dense.set_weights(weights)
    return dense

wanted, _ = train(make_dense, inputs)
for one, two, before in zip(model.get_weights(), wanted.get_weights(), weights):
    print(np.abs(one - two).max() < 1e-6, np.abs(one - before).max() > 1e-3)

model, before = train(lambda: unihub.KerasLayer(classifier, trainable=True), images)
print(all(np.abs(one - other).max() > 1e-6 for one, other in zip(model.get_weights(), before)))

def agree(model):
    first, second = (replica.numpy() for replica in model.layers[0].trainable_variables[0].value.values)
    return np.abs(first - second).max() == 0

# Before version 3.4 Keras did not add up what the devices learned.
print(agree(model) == agree(wanted))
model.save(file)
with strategy.scope():
    again = keras.models.load_model(file)
print(all((one == other).all() for one, other in zip(model.get_weights(), again.get_weights())))
"""


@eager_only
class TestEnvironments:
    """What Keras does around the layer: precision, compilation, devices, threads."""

    @pytest.mark.slow
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    def test_mixed_precision(self, regression, policy):
        inputs, targets = regression
        layer = unihub.KerasLayer(REUSABLE, trainable=True, dtype=policy)
        compute = policy.split("_")[1]
        assert layer(keras.Input((8,))).dtype == compute
        assert layer(inputs).dtype == compute
        assert layer(tf.cast(inputs, compute)).dtype == compute
        assert {str(variable.dtype) for variable in layer.variables} == {"float32"}
        model = keras.Sequential([keras.Input((8,)), layer, keras.layers.Activation("linear", dtype="float32")])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        losses = model.fit(inputs, targets, epochs=20, batch_size=64, verbose=0).history["loss"]
        assert losses[-1] < 0.5 * losses[0]
        again = type(layer).from_config(layer.get_config())
        assert again(inputs).dtype == compute

    def test_float64(self, tmp_path):
        path = write_module(tmp_path / "double", lambda module, x: x * 2, tf.TensorSpec([None, 2], tf.float64))
        layer = unihub.KerasLayer(path)
        assert layer(np.ones((1, 2), np.float32)).dtype == tf.float64
        place = keras.Input((2,))
        assert keras.Model(place, layer(place)).predict(np.ones((1, 2)), verbose=0).tolist() == [[2, 2]]

    @pytest.mark.slow
    def test_jit_compile(self, classifier, tmp_path):
        images, labels = images_and_labels()
        model = build_classifier(classifier)
        assert model.get_layer("features").supports_jit
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=True)
        first = model.evaluate(images, labels, verbose=0)
        model.fit(images, labels, epochs=3, verbose=0)
        assert model.jit_compile and model.evaluate(images, labels, verbose=0) < first

    @pytest.mark.slow
    def test_what_xla_cannot_compile_is_not_compiled(self):
        text = unihub.KerasLayer(str(SAVED_MODELS / "text"), trainable=True)
        assert not text.supports_jit
        place = keras.Input((), dtype="string")
        model = keras.Model(place, keras.layers.Dense(1)(text(place)))
        model.compile("sgd", "mse", jit_compile="auto")
        texts = tf.constant(["the fox", "jumps"])
        first = model.evaluate(texts, np.ones((2, 1)), verbose=0)
        model.fit(texts, np.ones((2, 1)), epochs=3, verbose=0)
        assert not model.jit_compile and model.evaluate(texts, np.ones((2, 1)), verbose=0) < first
        assert not unihub.KerasLayer(str(DATA / "tf1_saved_model" / "unliftable")).supports_jit

    @pytest.mark.slow
    def test_two_devices(self, classifier, tmp_path):
        plain = str(SAVED_MODELS / "no_training")
        printed = run(TWO_DEVICES, plain, classifier, tmp_path / "m.keras", CUDA_VISIBLE_DEVICES="-1")
        assert printed == ["MirroredVariable 2"] + 2 * ["True True"] + 3 * ["True"]

    @pytest.mark.slow
    def test_predict_in_threads(self, regression):
        inputs, _ = regression
        model = keras.Sequential([keras.Input((8,)), unihub.KerasLayer(REUSABLE, trainable=True)])
        wanted = model.predict(inputs, verbose=0)
        found = []
        threads = [threading.Thread(target=lambda: found.append(model.predict(inputs, verbose=0))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        for output in found:
            np.testing.assert_array_equal(output, wanted)


@eager_only
class TestFormats:
    """TF1 models, by signature and for inference."""

    @pytest.mark.parametrize("name", ["convnet", "text_embedding", "multi_signature", "mobilenet", "recurrent"])
    def test_tf1_hub(self, name, tmp_path):
        path = DATA / "tf1_hub" / name
        for call, (inputs, outputs) in load_golden(path).items():
            signature = call.split("@")[0]
            if signature not in {each.name for each in unihub.inspect(path).signatures}:
                continue
            layer = unihub.KerasLayer(str(path), signature=signature, as_dict=True)
            assert_close(tf.nest.map_structure(np.asarray, layer(inputs)), outputs)
            assert layer.trainable_variables == []

    def test_in_a_model_that_is_saved(self, tmp_path):
        place = keras.Input((32, 32, 3))
        model = keras.Model(place, unihub.KerasLayer(str(DATA / "tf1_hub" / "convnet"))(place))
        images = np.random.RandomState(0).rand(2, 32, 32, 3).astype(np.float32)
        model.save(tmp_path / "m.keras")
        again = keras.models.load_model(tmp_path / "m.keras")
        np.testing.assert_allclose(again.predict(images, verbose=0), model.predict(images, verbose=0), rtol=1e-6)

    @pytest.mark.parametrize("name", ["half_plus_two", "unliftable"])
    def test_tf1_saved_model(self, name):
        path = DATA / "tf1_saved_model" / name
        layer = unihub.KerasLayer(str(path), as_dict=True)
        inputs, outputs = load_golden(path)[layer.plan.signature.name]
        assert_close(tf.nest.map_structure(np.asarray, layer(inputs)), outputs)

    def test_is_not_fine_tuned(self):
        with pytest.raises(UnsupportedError, match="fine-tuning"):
            unihub.KerasLayer(str(DATA / "tf1_hub" / "convnet"), trainable=True)
        layer = unihub.KerasLayer(str(DATA / "tf1_hub" / "convnet"))
        layer.trainable = True
        with pytest.raises(UnsupportedError, match="through its signature"):
            layer(np.ones((1, 32, 32, 3), np.float32))


# Whether or not the other backend is installed.
OTHER_BACKEND = """
import unihub
try:
    unihub.KerasLayer({!r}, keras="keras3")
except unihub.errors.RuntimeUnavailableError as error:
    print(error.backend)
"""

LEGACY = """
import unihub, tensorflow as tf, keras
assert tf.keras.__name__.startswith("tf_keras"), tf.keras
print(isinstance(unihub.KerasLayer({0!r}), tf.keras.layers.Layer))
print(isinstance(unihub.KerasLayer({0!r}, keras="keras3"), keras.layers.Layer))
"""


class TestRefusals:
    @pytest.mark.skipif(RUNTIME != "tf1-compat", reason="the other runtimes have a graph only on request, as below")
    @pytest.mark.parametrize("handle", [REUSABLE, str(SAVED_MODELS / "text")])
    def test_in_tf1_compat(self, handle):
        with pytest.raises(RuntimeUnavailableError, match="no keras3 layer in the tf1-compat runtime"):
            unihub.KerasLayer(handle)
        with pytest.raises(RuntimeUnavailableError, match='api="load"'):
            unihub.plan(handle, api="keras")

    @eager_only
    def test_in_a_graph(self):
        with tf.Graph().as_default(), pytest.raises(RuntimeUnavailableError, match="no keras3 layer in the tf2-graph"):
            unihub.KerasLayer(REUSABLE)

    @eager_only
    @needs_keras2
    def test_a_mix_of_two_kerases(self):
        keras2 = import_keras2()
        with pytest.raises(InputError, match="is a keras3 layer.*tensor of keras2") as caught:
            unihub.KerasLayer(REUSABLE)(keras2.Input([8]))
        assert 'keras="keras2"' in caught.value.hint
        with pytest.raises(InputError, match="is a keras2 layer.*tensor of keras3") as caught:
            unihub.KerasLayer(REUSABLE, keras="keras2")(keras.Input([8]))
        assert 'keras="keras3"' in caught.value.hint

    @eager_only
    @needs_keras2
    def test_the_other_keras_refuses_the_layer_itself(self):
        """Keras looks at the layer before it calls it, so these words are its own."""
        with pytest.raises(ValueError, match="Only instances of"):
            keras.Sequential([unihub.KerasLayer(REUSABLE, keras="keras2")])
        with pytest.raises(TypeError, match="must be an instance of"):
            import_keras2().Sequential([unihub.KerasLayer(REUSABLE)])

    @eager_only
    def test_another_backend(self, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(keras.config, "backend", lambda: "torch")
            with pytest.raises(RuntimeUnavailableError, match="Keras 3 on torch") as caught:
                keras3()
        assert "KERAS_BACKEND=tensorflow" in caught.value.hint

    @eager_only
    @pytest.mark.slow
    def test_another_backend_in_a_process_of_its_own(self):
        assert run(OTHER_BACKEND.format(REUSABLE), KERAS_BACKEND="jax")[0] == "jax"

    @eager_only
    @needs_keras2
    @pytest.mark.slow
    def test_legacy_keras(self):
        assert run(LEGACY.format(REUSABLE), TF_USE_LEGACY_KERAS="1") == ["True", "True"]
