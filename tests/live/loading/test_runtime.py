"""``detect_runtime`` is right at the moment of the call, wherever that is made.

Each test says what is true of this process by its declared runtime; none asks TensorFlow again by unihub's own recipe.
"""

import threading

import numpy as np
import pytest
import tensorflow as tf

import unihub
from live_runtime import DATA, HAS_KERAS2, RUNTIME, TENSORFLOW, hub, live_context
from unihub._plan.runtime import detect_runtime

pytestmark = pytest.mark.keras2

v1 = tf.compat.v1
EAGER = RUNTIME == "tf2"
# What a plain graph is in this process.
GRAPH = "tf2-graph" if EAGER else RUNTIME


def seen():
    runtime = detect_runtime()
    return str(runtime.mode), runtime.inside_function


def test_plain():
    assert seen() == (RUNTIME, False)


def test_what_else_it_tells():
    runtime = detect_runtime()
    assert runtime.tensorflow == tf.__version__
    assert runtime.tensorflow_hub == (hub and hub.__version__)
    assert str(runtime.keras) == ("keras2" if HAS_KERAS2 else "keras3")
    assert runtime.distribution is None
    for word in (RUNTIME, tf.__version__, hub.__version__ if hub else "not installed"):
        assert word in str(runtime)


def test_graph():
    with tf.Graph().as_default():
        assert seen() == (GRAPH, False)
        with v1.Session():
            assert seen() == (GRAPH, False)
    assert seen() == (RUNTIME, False)


def test_function():
    found = []

    # Function is what it is called in TensorFlow 1.14 too, where tf.function has no AutoGraph for this file.
    @tf.function(autograph=False)
    def traced(x):
        found.append(seen())
        with tf.init_scope():
            found.append(seen())
        return x

    traced(tf.constant(1.0))
    # In a graph runtime a function belongs to that graph; where init_scope leads from there, TensorFlow does not promise.
    assert found[0] == (RUNTIME, True)
    if EAGER:
        assert found[1] == (RUNTIME, False)


def test_function_inside_a_graph():
    found = []

    @tf.function(autograph=False)
    def traced(x):
        found.append(seen())
        return x

    with tf.Graph().as_default():
        traced(tf.constant(1.0))
    assert found == [(GRAPH, True)]


def test_nested_functions():
    found = []

    @tf.function(autograph=False)
    def inner(x):
        found.append(seen())
        return x

    @tf.function(autograph=False)
    def outer(x):
        return inner(x)

    outer(tf.constant(1.0))
    assert found == [(RUNTIME, True)]


def test_graph_inside_a_function():
    found = []

    @tf.function(autograph=False)
    def traced(x):
        with tf.Graph().as_default():
            found.append(seen())
        return x

    traced(tf.constant(1.0))
    assert found == [(GRAPH, False)]


def test_dataset_map():
    found = []

    def traced(x):
        found.append(seen())
        return x

    tf.data.Dataset.range(1).map(traced)
    assert found == [(RUNTIME, True)]


def test_init_scope():
    with tf.init_scope():
        assert seen() == (RUNTIME, False)
    with tf.Graph().as_default(), tf.init_scope():
        assert seen() == (GRAPH, False)


def test_py_function():
    found = []

    def body(x):
        found.append(seen())
        return x

    with live_context(GRAPH) as place:
        place.run(tf.py_function(body, [tf.constant(1.0)], tf.float32))
    # The body of a py_function is eager in every TensorFlow.
    assert found == [("tf2", False)]


def test_numpy_function():
    found = []

    def body(x):
        found.append(seen()[1])
        return x

    with live_context(GRAPH) as place:
        place.run(v1.py_func(body, [tf.constant(1.0)], tf.float32))
    assert found == [False]


@pytest.mark.parametrize("inherited", ["plain", "graph"])
def test_thread(inherited):
    """A thread inherits no context."""
    found = []
    thread = threading.Thread(target=lambda: found.append(seen()))
    if inherited == "graph":
        with tf.Graph().as_default():
            thread.start()
            thread.join()
    else:
        thread.start()
        thread.join()
    assert found == [(RUNTIME, False)]


def test_distribution_scope():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        runtime = detect_runtime()
    assert (str(runtime.mode), runtime.inside_function) == (RUNTIME, False)
    assert runtime.distribution == type(strategy).__name__
    assert "MirroredStrategy" in str(runtime)
    assert detect_runtime().distribution is None


def test_resource_variables_by_hand():
    """Switching them makes no other runtime of a process."""
    were = v1.resource_variables_enabled()
    try:
        v1.enable_resource_variables()
        assert seen() == (RUNTIME, False)
        with tf.Graph().as_default():
            assert seen() == (GRAPH, False)
    finally:
        (v1.enable_resource_variables if were else v1.disable_resource_variables)()
    assert seen() == (RUNTIME, False)


def test_keras_model_being_built():
    found = []
    layers = tf.keras.layers

    class Probe(layers.Layer):
        def call(self, inputs):
            found.append(str(detect_runtime().mode))
            return inputs

    with live_context(RUNTIME):
        Probe()(layers.Input([1]))
    assert set(found) == {RUNTIME}


# There is a row for each TensorFlow: where Estimators are gone, that they are.
def test_estimator(tmp_path):
    if TENSORFLOW >= (2, 16):
        assert not hasattr(tf, "estimator")
        assert not hasattr(v1, "estimator")
        return
    found, outputs = [], []

    def model_fn(features, labels, mode):
        found.append(seen())
        loaded = unihub.load(DATA / "tf1_saved_model" / "half_plus_two")
        outputs.append(str(loaded.plan.runtime.mode))
        return v1.estimator.EstimatorSpec(mode, predictions={"y": loaded(features["x"])})

    def input_fn():
        return tf.data.Dataset.from_tensors({"x": np.ones([2, 1], np.float32)})

    estimator = v1.estimator.Estimator(model_fn, str(tmp_path))
    predicted = [float(row["y"][0]) for row in estimator.predict(input_fn, checkpoint_path=None)]
    assert predicted == [2.5, 2.5]
    assert found == [(GRAPH, False)]
    assert outputs == [GRAPH]
    assert seen() == (RUNTIME, False)
