"""Silent wrong answers that upstream gives, and unihub must not; each is run where upstream falls into it.

The numbers are those of upstream's measured failures: S1 stale weights, S2 a module inside a function, S3 training what
TF2 does not load, S4 empty collections, S5 the wrong trace, S6 a session before the gradients, S7 nothing to train, S8 a
``.keras`` file that never loads, S9 assets and names of TF1's loader, S10 the wrong variant; OP a model that is newer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

import unihub
from live_runtime import DATA, RUNTIME, live_context, load_golden
from training import GRAPH_MODES, TF, keras2, needs_estimator, regression, sgd
from unihub import errors

v1 = tf.compat.v1
REUSABLE = str(DATA / "saved_model" / "reusable")
HALF = str(DATA / "tf1_saved_model" / "half_plus_two")
CONVNET = str(DATA / "tf1_hub" / "convnet")
TEXT = str(DATA / "tf1_hub" / "text_embedding")

tf2_saved_models = pytest.mark.skipif(TF < Version("1.15"), reason="a refused cell; test_contract.py proves it")
eager_only = pytest.mark.skipif(RUNTIME != "tf2", reason="speaks of eager TensorFlow 2")
graph_modes = pytest.mark.parametrize("mode", GRAPH_MODES)


class TestS1StaleWeights:
    @graph_modes
    def test_tables_initializer_leaves_variables_alone(self, mode):
        with live_context(mode) as live:
            model = unihub.load(HALF)
            outputs = model([[1.0]])
            live.initialize(model)
            np.testing.assert_allclose(live.run(outputs), [[2.5]])
            (half,) = model.variables
            live.run(v1.assign(half, 10.0))
            live.session.run(v1.tables_initializer())
            np.testing.assert_allclose(live.run(outputs), [[12.0]])

    @graph_modes
    def test_tables_are_initialized_still(self, mode):
        path = DATA / "tf1_saved_model" / "classifier"
        inputs, expected = load_golden(path)["predict"]
        with live_context(mode) as live:
            model = unihub.load(str(path), signature="predict", as_dict=True)
            outputs = model(inputs)
            live.session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            np.testing.assert_array_equal(live.run(outputs)["class_ids"], expected["class_ids"])

    @graph_modes
    def test_initialize_keeps_trained_weights(self, mode):
        with live_context(mode) as live:
            model = unihub.load(HALF)
            live.initialize(model)
            live.run(v1.assign(model.variables[0], 10.0))
            other = v1.get_variable("other", [], initializer=v1.ones_initializer())
            live.initialize(model)
            assert live.run(model.variables[0]) == 10.0
            assert live.run(other) == 1.0

    @graph_modes
    def test_initialize_of_some_keeps_the_others(self, mode):
        """All variables of a TF1-style model share the op that restores them."""
        with live_context(mode) as live:
            model = unihub.load(str(DATA / "tf1_saved_model" / "classifier"))
            assert len(model.variables) == 3
            first = model.variables[0]
            trained = np.full(first.shape.as_list(), 7, np.float32)
            live.session.run(v1.assign(first, trained))
            live.initialize(model)
            np.testing.assert_array_equal(live.run(first), trained)
            assert live.session.run(v1.report_uninitialized_variables()).size == 0

    @needs_estimator
    def test_estimator_predicts_what_was_trained(self, tmp_path):
        def model_fn(features, labels, mode):
            model = unihub.load(HALF)
            predictions = model(features["x"])
            train_op = tf.group(
                v1.assign(model.variables[0], 10.0), v1.assign_add(v1.train.get_or_create_global_step(), 1)
            )
            return tf.estimator.EstimatorSpec(
                mode, predictions={"y": predictions}, loss=tf.reduce_sum(predictions), train_op=train_op
            )

        def input_fn():
            return tf.data.Dataset.from_tensors({"x": np.ones([1, 1], np.float32)})

        estimator = tf.estimator.Estimator(model_fn, str(tmp_path))
        estimator.train(input_fn, steps=1)
        (row,) = estimator.predict(input_fn)
        np.testing.assert_allclose(row["y"], [12.0])


class TestS2InsideFunction:
    @eager_only
    def test_tf1_hub_gives_the_right_numbers(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        inputs, expected = load_golden(CONVNET)["default"]

        @tf.function
        def run(images):
            return unihub.load(CONVNET)(images)

        images = inputs["images"] if isinstance(inputs, dict) and "images" in inputs else next(iter(inputs.values()))
        for _ in range(2):
            np.testing.assert_allclose(run(tf.constant(images)).numpy(), expected["default"], rtol=1e-5, atol=1e-5)
        assert os.listdir(str(tmp_path)) == []

    @eager_only
    @tf2_saved_models
    def test_tf2_saved_model_outlives_the_trace(self):
        inputs, expected = load_golden(REUSABLE)["call"]

        @tf.function
        def run(x):
            return unihub.load(REUSABLE)(x)

        for _ in range(2):
            np.testing.assert_allclose(run(tf.constant(inputs["x"])).numpy(), expected, rtol=1e-5, atol=1e-5)

    @graph_modes
    def test_module_is_refused(self, mode, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with live_context(mode):
            dataset = tf.data.Dataset.from_tensors(np.zeros([1, 32, 32, 3], np.float32))
            with pytest.raises(errors.UnsupportedError, match="traces a function"):
                dataset.map(lambda images: unihub.load(CONVNET, api="module")(images))
        assert os.listdir(str(tmp_path)) == []

    @eager_only
    def test_module_call_is_refused(self):
        with live_context("tf2-graph"):
            model = unihub.load(TEXT)
            with pytest.raises(errors.UnsupportedError, match="traces a function"):
                tf.cond(tf.constant(True), lambda: model(["a"]), lambda: tf.zeros([1, 20]))


class TestS3Tf1HubInTf2:
    @pytest.mark.keras2
    @eager_only
    def test_fine_tuning_is_refused_at_load(self):
        with pytest.raises(errors.UnsupportedError, match="fine-tuning a tf1-hub model in the tf2 runtime"):
            unihub.load(CONVNET, trainable=True)

    @pytest.mark.parametrize("api", ["auto", "load", "keras", "module"])
    def test_train_variant_is_never_frozen(self, api):
        """S7 too: upstream keeps dropout active."""
        with live_context(RUNTIME), pytest.raises((errors.TagsError, errors.UnsupportedError)) as caught:
            unihub.load(CONVNET, tags={"train"}, api=api, keras="keras2")
        if api == "auto":
            assert isinstance(caught.value, errors.TagsError)


class TestS4Collections:
    @graph_modes
    def test_frozen_models_add_nothing_to_train(self, mode):
        with live_context(mode):
            model = unihub.load(HALF)
            assert len(model.variables) == 1
            assert model.trainable_variables == []
            assert model.regularization_losses == []
            assert v1.trainable_variables() == []

    @graph_modes
    def test_frozen_module(self, mode):
        with live_context(mode):
            model = unihub.load(CONVNET)
            model(np.zeros([1, 32, 32, 3], np.float32))
            assert model.variables
            assert model.trainable_variables == []
            for key in ("TRAINABLE_VARIABLES", "REGULARIZATION_LOSSES", "UPDATE_OPS"):
                assert v1.get_collection(getattr(v1.GraphKeys, key)) == []

    @graph_modes
    def test_module_leaves_collections_alone_when_asked(self, mode):
        with live_context(mode):
            model = unihub.load(CONVNET, trainable=True, collections=False)
            model(np.zeros([2, 32, 32, 3], np.float32))
            for key in ("TRAINABLE_VARIABLES", "REGULARIZATION_LOSSES", "UPDATE_OPS"):
                assert v1.get_collection(getattr(v1.GraphKeys, key)) == []
            assert len(model.trainable_variables) == 12
            assert len(model.update_ops) == 6
            assert len(model.regularization_losses) == 3


@tf2_saved_models
class TestS5Traces:
    @graph_modes
    @pytest.mark.parametrize("api", ["keras", "load"])
    @pytest.mark.parametrize("training", [False, True])
    def test_unknown_batch_takes_the_trace_for_it(self, mode, api, training):
        path = str(DATA / "saved_model" / "two_traces")
        with live_context(mode) as live:
            model = unihub.load(path, trainable=True, api=api, keras="keras2")
            place = v1.placeholder(tf.float32, [None, 8])
            loss = tf.reduce_sum(tf.square(model(place, training=training)))
            gradients = tf.gradients(loss, [v.handle if hasattr(v, "handle") else v for v in model.trainable_variables])
            live.initialize(model)
            values = live.session.run([loss] + gradients, {place: np.ones([4, 8], np.float32)})
            assert all(np.all(np.isfinite(value)) for value in values)

    @eager_only
    @pytest.mark.parametrize("training", [False, True])
    def test_inside_a_function(self, training):
        model = unihub.load(str(DATA / "saved_model" / "two_traces"), trainable=True, api="load")

        @tf.function(input_signature=[tf.TensorSpec([None, 8])])
        def gradients(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.square(model(x, training=training)))
            return tape.gradient(loss, model.trainable_variables)

        for rows in (4, 2):
            assert all(np.all(np.isfinite(g)) for g in gradients(tf.ones([rows, 8])))


@tf2_saved_models
class TestS6SessionBeforeGradients:
    @graph_modes
    @pytest.mark.parametrize("name", ["reusable", "no_training"])
    def test_gradients_after_a_run(self, mode, name):
        with live_context(mode) as live:
            model = unihub.load(str(DATA / "saved_model" / name), trainable=True, api="load")
            outputs = model(np.ones([4, 8], np.float32), training=True)
            loss = tf.reduce_sum(outputs)
            for term in model.regularization_losses:
                loss += term()
            live.initialize(model)
            live.run(loss)
            step = v1.train.GradientDescentOptimizer(0.01).minimize(loss)
            before = live.run(model.trainable_variables)
            live.session.run(step)
            after = live.run(model.trainable_variables)
            assert any(not np.array_equal(old, new) for old, new in zip(before, after))


@tf2_saved_models
class TestS7NothingToTrain:
    def test_variables_are_found_through_functions(self):
        with live_context(RUNTIME):
            model = unihub.load(str(DATA / "saved_model" / "bare"), trainable=True, api="load")
            assert len(model.variables) == 6
            assert len(model.trainable_variables) == 4
            layer = unihub.load(str(DATA / "saved_model" / "bare"), trainable=True, keras="keras2")
            assert len(layer.weights) == 6
            assert len(layer.trainable_weights) == 4

    def test_bare_model_learns(self):
        inputs, targets = regression()
        keras = keras2()
        with live_context(RUNTIME):
            layer = unihub.KerasLayer(str(DATA / "saved_model" / "bare"), True, keras="keras2", input_shape=[8])
            model = keras.Sequential([layer])
            model.compile(sgd(0.1), "mse")
            losses = model.fit(inputs, targets, epochs=30, batch_size=64, verbose=0).history["loss"]
            assert losses[-1] < 0.5 * losses[0]

    @pytest.mark.parametrize("api", ["keras", "load"])
    def test_nothing_to_train_is_an_error(self, api):
        with live_context(RUNTIME), pytest.raises(errors.UnsupportedError, match="nothing to train"):
            unihub.load(str(DATA / "saved_model" / "frozen"), trainable=True, api=api, keras="keras2")

    def test_training_a_frozen_model_is_an_error(self):
        with live_context(RUNTIME):
            model = unihub.load(REUSABLE, api="load")
            with pytest.raises(errors.InputError, match="loaded with trainable=False"):
                model(np.ones([2, 8], np.float32), training=True)

    @pytest.mark.keras2
    def test_frozen_layer_never_trains(self):
        inputs, _ = regression()
        with live_context(RUNTIME) as live:
            layer = unihub.KerasLayer(REUSABLE, keras="keras2")
            trained, plain = layer(inputs, training=True), layer(inputs, training=False)
            if live.graph is not None:
                live.initialize(layer)
            np.testing.assert_array_equal(live.run(trained), live.run(plain))
            assert layer.trainable_weights == []

    @pytest.mark.keras2
    def test_signature_layer_made_trainable_is_an_error(self):
        with live_context(RUNTIME):
            layer = unihub.KerasLayer(REUSABLE, signature="serving_default", keras="keras2")
            layer.trainable = True
            with pytest.raises(errors.UnsupportedError, match="through its signature"):
                layer(np.ones([2, 8], np.float32))


RELOAD = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf, unihub
from unihub._tf.keras import keras2
keras = keras2()
place = keras.Input([8])
layer = unihub.KerasLayer(sys.argv[1], trainable=True, keras="keras2")
model = keras.Model(place, layer(place))
layer.trainable_variables[0].assign_add(tf.ones_like(layer.trainable_variables[0]))
inputs = np.ones([2, 8], np.float32)
expected = model.predict(inputs, verbose=0)
model.save(sys.argv[2])
found = keras.models.load_model(sys.argv[2])
np.testing.assert_allclose(found.predict(inputs, verbose=0), expected, rtol=1e-6)
print("same after reload")
"""


@eager_only
@pytest.mark.skipif(TF < Version("2.12"), reason="the .keras format came with Keras 2.12")
class TestS8KerasFile:
    @pytest.mark.keras2
    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    @pytest.mark.slow
    def test_a_saved_model_with_the_layer_loads(self, tmp_path, suffix):
        """In a process with a time limit: upstream's never returned. No custom_objects are needed."""
        done = subprocess.run(
            [sys.executable, "-c", RELOAD, REUSABLE, str(tmp_path / ("model" + suffix))],
            timeout=180,
            capture_output=True,
            text=True,
        )
        assert "same after reload" in done.stdout, done.stderr[-3000:]


class TestS9NamesAndAssets:
    def test_names_of_the_surrounding_graph_do_not_matter(self):
        """The signatures' tensors are named x:0 and y:0; so are these."""
        for name in ("half_plus_two", "unliftable"):
            path = DATA / "tf1_saved_model" / name
            inputs, expected = load_golden(path)["serving_default"]
            with live_context(RUNTIME) as live:
                if live.graph is not None:
                    v1.placeholder(tf.float32, name="x")
                    tf.constant(99.0, name="y")
                model = unihub.load(str(path), as_dict=True)
                outputs = live.run(model(inputs), model)
                for key, value in expected.items():
                    np.testing.assert_allclose(outputs[key], value, rtol=1e-5)

    def test_assets_are_read_from_where_the_model_is_now(self, tmp_path):
        for folder, name in (("tf1_saved_model", "classifier"), ("saved_model", "text"), ("tf1_hub", "text_embedding")):
            source = DATA / folder / name
            call = "call" if folder == "saved_model" else sorted(load_golden(source))[-1]
            if folder == "saved_model" and TF < Version("1.15"):
                continue
            moved = tmp_path / name
            shutil.copytree(str(source), str(moved))
            inputs, expected = load_golden(source)[call]
            value = next(iter(inputs.values())) if isinstance(inputs, dict) else inputs
            with live_context(RUNTIME) as live:
                model = unihub.load(moved, signature=None if call == "call" else call, as_dict=call != "call")
                outputs = live.run(model(value), model)
            for key, wanted in (expected if isinstance(expected, dict) else {"": expected}).items():
                got = outputs[key] if key else outputs
                if wanted.dtype.kind == "f":
                    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
                else:
                    np.testing.assert_array_equal(np.asarray(got).astype(wanted.dtype), wanted)


class TestS10Variant:
    @pytest.mark.keras2
    @graph_modes
    def test_fine_tuning_takes_the_train_variant(self, mode):
        with live_context(mode):
            model = unihub.load(CONVNET, trainable=True)
            model(np.zeros([2, 32, 32, 3], np.float32))
            assert model.plan.tags == {"train"}
            assert len(model.update_ops) == len(v1.get_collection(v1.GraphKeys.UPDATE_OPS)) == 6

    @graph_modes
    def test_a_contradiction_is_an_error(self, mode):
        with live_context(mode):
            model = unihub.load(CONVNET, trainable=True)
            with pytest.raises(errors.InputError, match="graph variant {'train'}"):
                model(np.zeros([2, 32, 32, 3], np.float32), training=False)


class TestOtherModels:
    """OP: what this TensorFlow lacks is told, whichever of its four exception types TensorFlow chose."""

    # Measured: 2.4 reads neither; 2.8 and 2.9 read the attribute only, and 2.10 and later both.
    FIRST = {"new_op": Version("2.10"), "new_attribute": Version("2.5")}

    @tf2_saved_models
    @pytest.mark.parametrize("name", ["new_op", "new_attribute"])
    def test_newer_model(self, name):
        with live_context(RUNTIME) as live:
            if TF >= self.FIRST[name]:
                model = unihub.load(str(DATA / name))
                assert live.run(model(np.ones([1, 8], np.float32)), model).shape[0] == 1
                return
            with pytest.raises(errors.MissingOpsError, match="was written by TensorFlow 2.21") as caught:
                unihub.load(str(DATA / name))
            assert caught.value.__cause__ is not None

    @tf2_saved_models
    def test_missing_op(self):
        with live_context(RUNTIME), pytest.raises(errors.MissingOpsError) as caught:
            unihub.load(str(DATA / "saved_model_missing_op"))
        assert caught.value.ops == ("CaseFoldUTF8",)
        assert caught.value.package == "tensorflow-text"

    @tf2_saved_models
    def test_missing_type_spec(self):
        with live_context(RUNTIME), pytest.raises(errors.MissingOpsError) as caught:
            unihub.load(str(DATA / "saved_model_type_spec"))
        assert caught.value.type_spec == "unihub_tests.PairSpec"
        assert caught.value.package == "unihub_tests"

    @pytest.mark.parametrize("name", ["counter", "unliftable", "unfed_placeholder"])
    def test_graph_that_cannot_be_lifted_runs_whole(self, name):
        path = DATA / "tf1_saved_model" / name
        with live_context(RUNTIME) as live:
            for call, (inputs, expected) in load_golden(path).items():
                model = unihub.load(str(path), signature=call, as_dict=True)
                outputs = live.run(model(inputs or None), model)
                for key, value in expected.items():
                    np.testing.assert_allclose(outputs[key], value, rtol=1e-5)


class TestWrongGraph:
    def test_model_of_another_graph(self):
        with live_context(GRAPH_MODES[0]):
            model = unihub.load(HALF)
        with live_context(GRAPH_MODES[0]), pytest.raises(errors.InputError, match="loaded in another graph"):
            model([[1.0]])

    @eager_only
    def test_eager_model_in_a_graph(self):
        model = unihub.load(HALF)
        with tf.Graph().as_default(), pytest.raises(errors.InputError, match="loaded in another graph"):
            model([[1.0]])

    @graph_modes
    def test_finalized_graph(self, mode):
        with live_context(mode) as live:
            model = unihub.load(HALF)
            live.graph.finalize()
            with pytest.raises(errors.InputError, match="finalized graph"):
                live.initialize(model)
