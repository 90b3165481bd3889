"""Fine-tuning, for real: weights change, the loss falls, moving averages move, the L2 term is in the loss.

Each way that the matrix promises, in the runtime of this process, and inside a plain graph of TensorFlow 2.
"""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

import unihub
from choices import also_slow
from live_runtime import DATA, RUNTIME, live_context
from training import GRAPH_MODES, TF, keras2, needs_estimator, regression, sgd

pytestmark = pytest.mark.keras2

v1 = tf.compat.v1
REUSABLE = str(DATA / "saved_model" / "reusable")
STEPS = 30

tf2_saved_models = pytest.mark.skipif(TF < Version("1.15"), reason="a refused cell; test_contract.py proves it")


def named(model, session=None):
    """The values of a model's variables by the last part of their names; without a session from that of Keras."""
    variables = list(model.variables)
    values = keras2().backend.batch_get_value(variables) if session is None else session.run(variables)
    return {variable.name.split(":")[0].split("/")[-1]: value for variable, value in zip(model.variables, values)}


def check_trained(before, after, losses, moved=("moving_mean", "moving_variance"), trained=("kernel", "gamma", "beta")):
    assert losses[-1] < 0.5 * losses[0]
    for name in tuple(moved) + tuple(trained):
        assert not np.allclose(before[name], after[name]), name


class TestTf1Hub:
    """The module with its train variant, as hub.Module trains it."""

    @pytest.mark.skipif(TF < Version("1.15"), reason="TensorFlow 1.14 has no gradient for the AddV2 that 1.15 writes")
    @pytest.mark.parametrize("mode", GRAPH_MODES)
    def test_follows_hub_module_step_by_step(self, mode):
        recorded = np.load(str(DATA / "tf1_hub" / "convnet64.finetune.npz"))
        with live_context(mode) as live:
            model = unihub.load(str(DATA / "tf1_hub" / "convnet64"), trainable=True)
            assert model.plan.tags == {"train"}
            features = model(recorded["x"])
            task = tf.reduce_mean(tf.square(tf.matmul(features, recorded["w"]) - recorded["y"]))
            l2 = tf.add_n([loss() for loss in model.regularization_losses])
            assert v1.losses.get_regularization_loss().dtype == tf.float64
            assert set(model.update_ops) == set(v1.get_collection(v1.GraphKeys.UPDATE_OPS))
            with tf.control_dependencies(model.update_ops):
                step = v1.train.GradientDescentOptimizer(0.05).minimize(task + l2)
            live.initialize(model)
            losses = []
            for _ in range(len(recorded["losses"])):
                losses.append(live.session.run([task, l2]))
                live.session.run(step)
            np.testing.assert_allclose(losses, recorded["losses"], rtol=1e-9)
            finals = {key[len("final/") :]: recorded[key] for key in recorded.files if key.startswith("final/")}
            values = dict(zip((name_in_module(v) for v in model.variables), live.run(model.variables)))
            assert set(values) == set(finals)
            for name, value in finals.items():
                np.testing.assert_allclose(values[name], value, rtol=1e-9, err_msg=name)

    @pytest.mark.slow
    @pytest.mark.parametrize("mode", GRAPH_MODES)
    def test_trains(self, mode):
        with live_context(mode) as live:
            model = unihub.load(str(DATA / "tf1_hub" / "convnet"), trainable=True)
            images = np.random.RandomState(0).rand(8, 32, 32, 3).astype(np.float32)
            labels = np.arange(8) % 4
            logits = v1.matmul(model(images), v1.get_variable("head", [64, 4]))
            task = v1.losses.sparse_softmax_cross_entropy(labels, logits)
            with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
                step = v1.train.AdamOptimizer(0.01).minimize(task + v1.losses.get_regularization_loss())
            live.initialize(model)
            l2 = live.run(v1.losses.get_regularization_loss())
            assert l2 > 0
            before = live.run(list(model.variables))
            losses = [live.session.run([task, step])[0] for _ in range(STEPS)]
            after = live.run(list(model.variables))
            assert losses[-1] < 0.7 * losses[0]
            changed = {
                name_in_module(variable)
                for variable, old, new in zip(model.variables, before, after)
                if not np.array_equal(old, new)
            }
            assert {name for name in map(name_in_module, model.variables) if "moving" in name} <= changed
            assert {name_in_module(variable) for variable in model.trainable_variables} <= changed


def name_in_module(variable):
    return variable.name.split(":")[0].split("/", 1)[1]


@tf2_saved_models
class TestTf2SavedModel:
    """The SavedModel in tf.keras with fit(), in a low-level loop, and in a GradientTape."""

    @pytest.mark.parametrize("shape", also_slow(["functional", "sequential"], 1))
    def test_keras_fit(self, shape):
        inputs, targets = regression()
        keras = keras2()
        with live_context(RUNTIME):
            layer = unihub.load(
                REUSABLE, trainable=True, keras="keras2", **({"input_shape": [8]} if shape == "sequential" else {})
            )
            if shape == "sequential":
                model = keras.Sequential([layer])
            else:
                place = keras.Input([8])
                model = keras.Model(place, layer(place))
            model.compile(sgd(0.1), "mse")
            assert len(model.losses) == 1
            # A session that runs before the gradients exist is what upstream breaks on.
            predicted = model.predict(inputs)
            before = named(layer)
            first = model.evaluate(inputs, targets, verbose=0)
            np.testing.assert_allclose(first, np.mean((predicted - targets) ** 2) + l2_of(before), rtol=1e-4)
            losses = model.fit(inputs, targets, epochs=STEPS, batch_size=64, verbose=0).history["loss"]
            check_trained(before, named(layer), losses)

    @pytest.mark.parametrize("mode", GRAPH_MODES)
    @pytest.mark.parametrize("api", also_slow(["keras", "load"], 1))
    def test_collections(self, mode, api):
        """An old training loop: everything it needs is found in the graph's collections."""
        inputs, targets = regression()
        with live_context(mode) as live:
            model = unihub.load(REUSABLE, trainable=True, api=api, keras="keras2")
            outputs = model(inputs, training=True)
            assert {v.name for v in v1.trainable_variables()} == {v.name for v in model.trainable_variables}
            assert len(v1.trainable_variables()) == 4
            assert len(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)) == 1
            updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
            assert len(updates) == 2
            assert updates == model.update_ops
            loss = tf.reduce_mean(tf.square(outputs - targets)) + v1.losses.get_regularization_loss()
            live.initialize(model)
            live.run(loss)
            with tf.control_dependencies(updates):
                step = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
            before = named(model, live)
            losses = [live.session.run([loss, step])[0] for _ in range(STEPS)]
            check_trained(before, named(model, live), losses)

    @pytest.mark.slow
    @pytest.mark.parametrize("mode", GRAPH_MODES)
    def test_collections_left_alone(self, mode):
        with live_context(mode):
            model = unihub.load(REUSABLE, trainable=True, api="load", collections=False)
            model(np.ones([2, 8], np.float32), training=True)
            for key in ("TRAINABLE_VARIABLES", "REGULARIZATION_LOSSES", "UPDATE_OPS"):
                assert v1.get_collection(getattr(v1.GraphKeys, key)) == []
            assert len(model.update_ops) == 2
            assert len(model.trainable_variables) == 4

    @pytest.mark.skipif(RUNTIME != "tf2", reason="GradientTape is how eager TensorFlow trains")
    @pytest.mark.slow
    @pytest.mark.parametrize("traced", [False, True], ids=["eager", "tf.function"])
    @pytest.mark.parametrize("api", ["keras", "load"])
    def test_gradient_tape(self, api, traced):
        inputs, targets = regression()
        with live_context("tf2") as live:
            model = unihub.load(REUSABLE, trainable=True, api=api, keras="keras2")

            def step():
                with tf.GradientTape() as tape:
                    outputs = model(inputs, training=True)
                    task = tf.reduce_mean(tf.square(outputs - targets))
                    loss = task + tf.add_n([term() for term in model.regularization_losses])
                gradients = tape.gradient(loss, model.trainable_variables)
                for variable, gradient in zip(model.trainable_variables, gradients):
                    variable.assign_sub(0.1 * gradient)
                return loss

            step = tf.function(step) if traced else step
            before = named(model, live)
            losses = [step().numpy() for _ in range(STEPS)]
            check_trained(before, named(model, live), losses)

    @pytest.mark.skipif(RUNTIME != "tf2", reason="eager TensorFlow only")
    def test_two_phases(self):
        """First the head alone, then the whole: a layer that is made trainable later."""
        inputs, targets = regression()
        keras = keras2()
        with live_context("tf2") as live:
            layer = unihub.KerasLayer(REUSABLE, keras="keras2", input_shape=[8])
            model = keras.Sequential([layer, keras.layers.Dense(4)])
            model.compile(sgd(0.01), "mse")
            before = named(layer, live)
            model.fit(inputs, targets, epochs=2, verbose=0)
            frozen = named(layer, live)
            assert all(np.array_equal(before[name], frozen[name]) for name in before)
            assert model.losses == [] or float(sum(model.losses)) == 0
            layer.trainable = True
            model.compile(sgd(0.01), "mse")
            assert len(layer.trainable_weights) == 4
            losses = model.fit(inputs, targets, epochs=STEPS, batch_size=64, verbose=0).history["loss"]
            after = named(layer, live)
            assert losses[-1] < losses[0]
            assert not np.allclose(before["kernel"], after["kernel"])
            assert not np.allclose(before["moving_mean"], after["moving_mean"])


@tf2_saved_models
@pytest.mark.parametrize("mode", GRAPH_MODES)
def test_shapes_set_by_hand_reach_gradients(mode):
    """The table's lookup has no shape of its own in TensorFlow 1.15, and the gradient of the sum asks for one."""
    with live_context(mode) as place:
        model = unihub.load(DATA / "saved_model" / "text", trainable=True, api="load")
        (embedding,) = model.trainable_variables
        loss = tf.reduce_sum(model(tf.constant(["the cat", "a"])) ** 2)
        (gradient,) = v1.gradients(loss, [embedding])
        value, found = place.run([loss, tf.convert_to_tensor(gradient)], model)
        # The loss is a square, so along the weights it grows twice as fast as it is.
        weights = place.session.run(embedding)
        assert value > 0.01
        np.testing.assert_allclose((found * weights).sum(), 2 * value, rtol=1e-4)


def l2_of(values):
    """The regularization term of ``reusable``, as tests/support/make_models.py writes it."""
    golden = np.load(REUSABLE + ".golden.npz")
    factor = golden["regularization/out"] / np.sum(load_kernel() ** 2)
    return factor * np.sum(values["kernel"] ** 2)


def load_kernel():
    reader = tf.train.load_checkpoint(REUSABLE + "/variables/variables")
    names = [name for name in reader.get_variable_to_shape_map() if "kernel" in name and "VARIABLE_VALUE" in name]
    return reader.get_tensor(names[0])


@needs_estimator
class TestEstimator:
    """An Estimator whose model_fn loads the model: trains, evaluates, restores, predicts what was trained."""

    @pytest.mark.parametrize("api", ["keras", "load"])
    def test_tf2_saved_model(self, api, tmp_path):
        inputs, targets = regression()

        def model_fn(features, labels, mode):
            training = mode == tf.estimator.ModeKeys.TRAIN
            model = unihub.load(REUSABLE, trainable=True, api=api, keras="keras2")
            predictions = model(features["x"], training=training)
            if mode == tf.estimator.ModeKeys.PREDICT:
                return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})
            task = tf.reduce_mean(tf.square(predictions - labels))
            loss = task + v1.losses.get_regularization_loss()
            with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
                train_op = v1.train.GradientDescentOptimizer(0.1).minimize(
                    loss, global_step=v1.train.get_or_create_global_step()
                )
            return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

        check_estimator(model_fn, inputs, targets, tmp_path)

    def test_tf1_hub(self, tmp_path):
        random = np.random.RandomState(0)
        inputs = random.rand(16, 32, 32, 3).astype(np.float32)
        targets = random.rand(16, 4).astype(np.float32)

        def model_fn(features, labels, mode):
            training = mode == tf.estimator.ModeKeys.TRAIN
            model = unihub.load(str(DATA / "tf1_hub" / "convnet"), trainable=training)
            head = v1.get_variable("head", [64, 4], initializer=v1.zeros_initializer())
            predictions = tf.matmul(model(features["x"]), head)
            if mode == tf.estimator.ModeKeys.PREDICT:
                return tf.estimator.EstimatorSpec(mode, predictions={"y": predictions})
            loss = tf.reduce_mean(tf.square(predictions - labels)) + v1.losses.get_regularization_loss()
            with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
                train_op = v1.train.GradientDescentOptimizer(0.05).minimize(
                    loss, global_step=v1.train.get_or_create_global_step()
                )
            return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

        check_estimator(model_fn, inputs, targets, tmp_path)


def check_estimator(model_fn, inputs, targets, directory):
    def input_fn():
        return tf.data.Dataset.from_tensors(({"x": inputs}, targets)).repeat(STEPS)

    def predict_fn():
        return tf.data.Dataset.from_tensors({"x": inputs})

    config = tf.estimator.RunConfig(tf_random_seed=1, save_checkpoints_steps=STEPS)
    estimator = tf.estimator.Estimator(model_fn, str(directory), config)
    untrained_loss = estimator.train(input_fn, max_steps=1).evaluate(input_fn, steps=1)["loss"]
    results, _ = tf.estimator.train_and_evaluate(
        estimator,
        tf.estimator.TrainSpec(input_fn, max_steps=STEPS),
        tf.estimator.EvalSpec(input_fn, steps=1, start_delay_secs=0, throttle_secs=0),
    )
    assert results["global_step"] == STEPS
    assert results["loss"] < untrained_loss
    # Prediction restores the checkpoint, then runs the table initializers: the trained weights must survive that.
    predictions = np.stack([row["y"] for row in estimator.predict(predict_fn)])
    error = np.mean((predictions - targets) ** 2)
    assert error <= results["loss"] + 1e-6
    names = [name for name in estimator.get_variable_names() if name.endswith("moving_mean")]
    assert names
