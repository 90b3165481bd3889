"""``unihub.convert``: the TF2 SavedModel gives the same numbers, and is trained as ``hub.Module`` trains the original."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import tf1_programs
import unihub
from live_runtime import DATA, HAS_HUB, HAS_KERAS2, RUNTIME, TENSORFLOW, live_context, load_golden
from module_programs import mobilenet_batch, sample
from unihub import errors
from unihub._convert import tf1_session
from unihub._tf import keras as kerases

v1 = tf.compat.v1
RATE = float(np.float32(0.05))  # as the optimizer of TensorFlow 1 rounds it
eager = pytest.mark.skipif(RUNTIME != "tf2", reason="refused in graph runtimes; TestRefusal proves it")
# What tf.keras is, and beside Keras 3 the one of before, where there is something to serve its layer.
KERASES = ["keras2"] if HAS_KERAS2 else ["keras3"] + ["keras2"] * HAS_HUB
# What is large takes a minute to convert, so the oldest TensorFlow and the newest do it.
LARGE = "mobilenet"
HAS_TIME = TENSORFLOW < (2, 5) or (TENSORFLOW >= (2, 20) and HAS_HUB)
MODELS = sorted(path.name for path in DATA.glob("tf1_*/*") if path.is_dir() and (HAS_TIME or path.name != LARGE))
# Called with the values of one signature after the other, the state of this one would not be that of the record.
RECORDED = [name for name in MODELS if name != "counter" and list(DATA.glob("*/{}.golden.npz".format(name)))]


def find(name):
    (path,) = DATA.glob("tf1_*/{}".format(name))
    return path


def recorded_outputs(name):
    """Signatures and outputs that the record of a model has."""
    return [(call, output) for call, (_, outputs) in load_golden(find(name)).items() for output in outputs]


def convert(path, target, **options):
    return unihub.convert(str(path), str(target), progress=lambda line: None, **options)


class Reports(dict):
    """The reports of conversions by name, made when they are first asked for; the originals are copies that are gone."""

    def __init__(self, directory):
        super().__init__()
        self._directory = directory

    def __missing__(self, name):
        with tempfile.TemporaryDirectory() as originals:
            shutil.copytree(str(find(name)), os.path.join(originals, name))
            self[name] = convert(os.path.join(originals, name), self._directory / name)
        return self[name]


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The reports of the models that a test asks for."""
    return Reports(tmp_path_factory.mktemp("converted"))


@pytest.fixture
def every_report(reports):
    """Those of all models."""
    return {name: reports[name] for name in MODELS}


PLAIN_LOAD = """
import sys
import tempfile
sys.modules["unihub"] = sys.modules["tensorflow_hub"] = None  # None can be imported no more
import numpy as np, tensorflow as tf
out = sys.argv[1]
for model, golden in zip(sys.argv[2::2], sys.argv[3::2]):
    loaded = tf.saved_model.load(model)
    with np.load(golden) as arrays:
        for signature in sorted({key.split("/")[0] for key in arrays.files}):
            given = {key.split("/", 2)[2]: arrays[key] for key in arrays.files if key.startswith(signature + "/in/")}
            inputs = {key: tf.constant(value) for key, value in given.items()}
            by_name = loaded.signatures[signature](**inputs)
            by_attribute = getattr(loaded, signature)(inputs if len(inputs) > 1 else list(inputs.values())[0])
            wanted = {key.split("/", 2)[2] for key in arrays.files if key.startswith(signature + "/out/")}
            for outputs in (by_name, by_attribute):
                assert wanted <= set(outputs), (model, signature, sorted(outputs))
            for key in sorted(wanted):
                for outputs in (by_name, by_attribute):
                    value, record = outputs[key].numpy(), arrays[signature + "/out/" + key]
                    if record.dtype.kind in "SU":
                        apart = 0.0 if (value.astype("S") == record.astype("S")).all() else 1.0
                    else:
                        assert value.shape == record.shape, (model, signature, key)
                        apart = np.max(np.abs(value - record) / np.maximum(1, np.abs(record)))
                    print("compared", model.replace("\\\\", "/").split("/")[-1], signature, key, float(apart))
"""


@eager
@pytest.mark.slow
class TestEqual:
    def test_plain_load_without_unihub(self, reports):
        """The recorded outputs of hub.Module, in a process that knows neither unihub nor the original."""
        pairs = [part for name in RECORDED for part in (reports[name].path, str(find(name)) + ".golden.npz")]
        printed = subprocess.check_output([sys.executable, "-c", PLAIN_LOAD, "-"] + pairs, universal_newlines=True)
        rows = [line.split()[1:] for line in printed.splitlines() if line.startswith("compared ")]
        outputs = {(name, *row) for name in RECORDED for row in recorded_outputs(name)}
        assert {tuple(row[:3]) for row in rows} == outputs and len(rows) == 2 * len(outputs)
        assert max(float(row[3]) for row in rows) <= 1e-5

    def test_reports(self, every_report):
        """Each signature of each model was compared by the conversion itself."""
        compared = {
            (name, each.name): each.difference for name, report in every_report.items() for each in report.signatures
        }
        found = {(name, each.name) for name in MODELS for each in unihub.inspect(find(name)).meta_graphs[0].signatures}
        assert found - set(compared) == {("unfed_placeholder", "train")}
        assert all(difference is not None and difference <= 1e-5 for difference in compared.values()), compared

    def test_report_is_beside_the_model(self, every_report):
        for name, report in every_report.items():
            written = json.loads((Path(report.path) / "conversion.json").read_text())
            assert written == json.loads(json.dumps(report.to_dict()))
            assert Path(written["source"]).name == name
        printed = str(every_report["unfed_placeholder"]).splitlines()
        assert printed[-1] == (
            "not kept   the signature 'train': it needs a value for 'keep_prob', which is none of its inputs."
        )
        assert (
            every_report["convnet"].training
            == "training=True runs the graph of the {train} variant, with 6 update ops."
        )
        assert (every_report["convnet"].regularization_losses, len(every_report["convnet"].variables)) == (3, 18)
        assert every_report["text_embedding"].assets == ("vocab.txt",)
        assert every_report["mixed"].tables and every_report["counter"].called is None

    def test_states_of_a_counter(self, reports):
        loaded = unihub.load(reports["counter"].path, api="load")
        count = lambda name, *args: float(loaded.signatures[name](*args)["output"])  # noqa: E731
        assert [count("get_counter"), count("incr_counter"), count("incr_counter_by", tf.constant(2.5))] == [0, 1, 3.5]
        assert [count("reset_counter"), count("get_counter")] == [0, 0]

    def test_composite_tensors(self, reports):
        """Sparse and ragged inputs go in whole, through the attribute, and in parts, through the signature."""
        original, loaded = (
            unihub.load(str(find("mixed")), signature="sparse"),
            tf.saved_model.load(reports["mixed"].path),
        )
        ids = tf.SparseTensor(np.array([[0, 0], [1, 1]], np.int64), np.array([1, 8], np.int64), [2, 2])
        wanted = original({"ids": ids}).numpy()
        np.testing.assert_array_equal(loaded.sparse(ids)["default"].numpy(), wanted)
        parts = {"ids_indices": ids.indices, "ids_values": ids.values, "ids_dense_shape": ids.dense_shape}
        np.testing.assert_array_equal(loaded.signatures["sparse"](**parts)["default"].numpy(), wanted)
        rows = tf.ragged.constant([[1, 2], [], [3]], tf.int64)
        outputs = loaded.ragged(rows)["default"]
        assert outputs.to_list() == [[2, 4], [], [6]]


@eager
@pytest.mark.thorough
class TestPrograms:
    """Loops, conditions, arrays and assignments, forward and backward, against TensorFlow 1's own."""

    @pytest.mark.parametrize("program", tf1_programs.PROGRAMS, ids=lambda program: program.__name__)
    def test_same(self, program, tmp_path):
        wanted = tf1_programs.export(program, str(tmp_path / "original"))
        report = convert(tmp_path / "original", tmp_path / "converted")
        assert [each.difference is not None and each.difference <= 1e-12 for each in report.signatures] == [True]
        loaded = tf.saved_model.load(str(tmp_path / "converted"))
        variables = {variable.name.split(":")[0]: variable for variable in loaded.trainable_variables}
        for value, (output, gradients) in zip(tf1_programs.inputs(), wanted):
            with tf.GradientTape() as tape:
                found = loaded(tf.constant(value))
                total = tf.reduce_sum(tf.sin(found))
            np.testing.assert_allclose(found.numpy(), output, rtol=1e-12, atol=1e-12)
            assert set(variables) == set(gradients) and gradients
            slopes = tape.gradient(total, variables)
            for name, slope in gradients.items():
                if slopes[name] is None:  # This input's way through the conditions does not use it.
                    assert not np.any(slope)
                    continue
                np.testing.assert_allclose(tf.convert_to_tensor(slopes[name]).numpy(), slope, rtol=1e-9, atol=1e-12)


def check_finals(values, recorded):
    finals = {key[len("final/") :]: recorded[key] for key in recorded.files if key.startswith("final/")}
    assert set(values) == set(finals)
    for name, value in finals.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-9, err_msg=name)


def named(variables, prefix=""):
    """Values by the names in the original."""
    return {prefix + variable.name.split(":")[0]: variable.numpy() for variable in variables}


def descend(variables, gradients):
    for variable, gradient in zip(variables, gradients):
        variable.assign_sub(tf.cast(RATE, variable.dtype) * gradient)


@contextlib.contextmanager
def in_float64(keras):
    """Lets Keras take data and add up losses in it, and makes it forget that; Keras 3 sets its policy once by it."""
    floatx = keras.backend.floatx()
    policy = keras.config.dtype_policy() if hasattr(keras, "config") else None
    keras.backend.set_floatx("float64")
    try:
        yield
    finally:
        keras.backend.set_floatx(floatx)
        if policy is not None:
            keras.config.set_dtype_policy(policy)


@eager
class TestFineTuning:
    """Step by step what ``hub.Module`` did on TensorFlow 1.15."""

    @pytest.mark.parametrize("load", [tf.saved_model.load, lambda path: unihub.load(path, trainable=True, api="load")])
    def test_convnet64_with_a_gradient_tape(self, reports, load):
        recorded = np.load(str(DATA / "tf1_hub" / "convnet64.finetune.npz"))
        model = load(reports["convnet64"].path)
        before = named(model.variables)
        found = model(tf.constant(recorded["x"]), training=False)
        np.testing.assert_allclose(found.numpy(), recorded["inference/default"], rtol=1e-9)
        for name, value in named(model.variables).items():
            np.testing.assert_array_equal(before[name], value)
        losses = []
        for _ in recorded["losses"]:
            with tf.GradientTape() as tape:
                features = model(tf.constant(recorded["x"]), training=True)
                task = tf.reduce_mean(tf.square(tf.matmul(features, recorded["w"]) - recorded["y"]))
                l2 = tf.add_n([loss() for loss in model.regularization_losses])
                total = task + l2
            losses.append([float(task), float(l2)])
            descend(model.trainable_variables, tape.gradient(total, list(model.trainable_variables)))
        np.testing.assert_allclose(losses, recorded["losses"], rtol=1e-9)
        check_finals(named(model.variables), recorded)

    @pytest.mark.parametrize("run_eagerly", [False, pytest.param(True, marks=pytest.mark.thorough)])
    @pytest.mark.parametrize("keras", KERASES)
    @pytest.mark.slow
    def test_convnet64_with_fit(self, reports, keras, run_eagerly):
        recorded = np.load(str(DATA / "tf1_hub" / "convnet64.finetune.npz"))
        library = getattr(kerases, keras)()
        layers = library.layers
        with in_float64(library):
            layer = unihub.KerasLayer(reports["convnet64"].path, trainable=True, keras=keras, dtype="float64")
            kernel = library.initializers.Constant(recorded["w"])
            head = layers.Dense(2, use_bias=False, trainable=False, kernel_initializer=kernel, dtype="float64")
            model = library.Sequential([layers.InputLayer(recorded["x"].shape[1:], dtype="float64"), layer, head])
            model.compile(library.optimizers.SGD(RATE), "mse", metrics=["mse"], run_eagerly=run_eagerly)
            l2 = []
            note = library.callbacks.LambdaCallback(on_epoch_begin=lambda *_: l2.append(sum(map(float, model.losses))))
            steps = {"batch_size": len(recorded["x"]), "epochs": len(recorded["losses"])}
            seen = model.fit(recorded["x"], recorded["y"], verbose=0, shuffle=False, callbacks=[note], **steps).history
        (task,) = [values for name, values in seen.items() if name in ("mse", "mean_squared_error")]
        np.testing.assert_allclose(np.stack([task, l2], 1), recorded["losses"], rtol=1e-9)
        np.testing.assert_allclose(seen["loss"], recorded["losses"].sum(1), rtol=1e-6)  # Keras 2.4 has it in float32.
        check_finals(named_weights(layer), recorded)

    @pytest.mark.slow
    def test_while_loop(self, reports):
        """Two instances, one of them applied twice in a step."""
        recorded = np.load(str(DATA / "tf1_modules" / "loop.finetune.npz"))
        random = np.random.RandomState(0)
        x, y = random.randn(6, 4), random.randn(6, 4)
        first, second = (tf.saved_model.load(reports["loop"].path) for _ in range(2))
        trained = list(first.trainable_variables) + list(second.trainable_variables)
        call = lambda model, x, steps: model.default({"x": tf.constant(x), "steps": tf.constant(steps)}, training=True)  # noqa: E731
        losses = []
        for _ in recorded["losses"]:
            with tf.GradientTape() as tape:
                outputs, again, other = call(first, x, 3), call(first, 2 * x, 2)["state"], call(second, x - 1, 1)
                task = tf.reduce_mean(tf.square(outputs["default"] - y)) + tf.reduce_mean(tf.square(again + y))
                task += tf.reduce_mean(tf.square(other["default"] - y))
                l2 = tf.add_n([loss() for model in (first, second) for loss in model.regularization_losses])
                total = task + l2
            losses.append([float(task), float(l2)])
            descend(trained, tape.gradient(total, trained))
        np.testing.assert_allclose(losses, recorded["losses"], rtol=1e-9)
        check_finals(dict(named(first.variables, "tower/module/"), **named(second.variables, "other/")), recorded)

    @pytest.mark.slow
    def test_update_ops_of_the_signature_that_is_called(self, reports):
        recorded = np.load(str(DATA / "tf1_modules" / "updates.finetune.npz"))
        random = np.random.RandomState(0)
        a, b, y = (random.randn(6, size) for size in (3, 3, 2))
        model = tf.saved_model.load(reports["updates"].path)
        losses = []
        for _ in recorded["losses"]:
            with tf.GradientTape() as tape:
                outputs = model.both({"a": tf.constant(a), "b": tf.constant(b)}, training=True)["default"]
                loss = tf.reduce_mean(tf.square(outputs - y))
            losses.append([float(loss)])
            descend(model.trainable_variables, tape.gradient(loss, list(model.trainable_variables)))
        np.testing.assert_allclose(losses, recorded["losses"], rtol=1e-9)
        check_finals(named(model.variables, "module/"), recorded)

    @pytest.mark.thorough
    @pytest.mark.skipif(not HAS_TIME, reason="runs on the oldest and the newest TensorFlow")
    def test_first_step_of_mobilenet(self, reports):
        """The record has what can be compared between versions of TensorFlow; the same one has the original's step."""
        recorded = np.load(str(DATA / "tf1_hub" / "mobilenet.first_step.npz"))
        x, w, y = mobilenet_batch()
        model = tf.saved_model.load(reports[LARGE].path)
        with tf.GradientTape() as tape:
            task = tf.reduce_mean(tf.square(tf.matmul(model(tf.constant(x), training=True), w) - y))
            l2 = tf.add_n([loss() for loss in model.regularization_losses])
            total = task + l2
        np.testing.assert_allclose([float(task), float(l2)], recorded["losses"], rtol=1e-4)
        descend(model.trainable_variables, tape.gradient(total, list(model.trainable_variables)))
        found = named(model.variables)
        for key in set(recorded.files) - {"losses"}:
            np.testing.assert_allclose(sample(found[key[len("final/") :]]), recorded[key], rtol=1e-4, atol=1e-4)
        wanted = step_of_original(x, w, y)
        assert set(found) == set(wanted) and len(found) == 260
        for name, value in wanted.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-4, err_msg=name)


def step_of_original(x, w, y):
    """The variables of MobileNet after one step in a graph, through hub.Module or what takes its place."""
    with live_context("tf2-graph") as graph:
        model = unihub.load(str(find(LARGE)), trainable=True)
        loss = tf.reduce_mean(tf.square(tf.matmul(model(x), w) - y)) + v1.losses.get_regularization_loss()
        with tf.control_dependencies(model.update_ops):
            step = v1.train.GradientDescentOptimizer(RATE).minimize(loss)
        graph.run(step, model)
        return {
            variable.op.name[len("module/") :]: value
            for variable, value in zip(model.variables, graph.run(model.variables))
        }


def named_weights(layer):
    """The values of a layer's weights by the names that their variables have in the original."""
    return named(loaded_object(layer).variables)


def loaded_object(layer):
    return getattr(layer.native, "resolved_object", layer.native)


def stripes(rows, seed):
    """Noisy images with faint diagonal stripes; the label is their direction."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, 2, rows)
    i, j = np.mgrid[0:32, 0:32]
    waves = [np.sin(1.2 * (i + j if label else i - j) + random.uniform(0, 6)) for label in labels]
    return (random.rand(rows, 32, 32, 3) + 0.25 * np.stack(waves)[..., None]).astype(np.float32), labels


@eager
@pytest.mark.parametrize("keras", KERASES)
@pytest.mark.slow
class TestKeras:
    def test_fit_does_more_than_a_frozen_model_allows(self, reports, keras):
        library = getattr(kerases, keras)()
        (x, y), held_out = stripes(256, 0), stripes(256, 1)
        accuracy = {}
        for trainable in (False, True):
            tf.random.set_seed(0)
            np.random.seed(0)
            layer = unihub.load(reports["convnet"].path, trainable=trainable, api="keras", keras=keras)
            layers = library.layers
            model = library.Sequential([layers.InputLayer((32, 32, 3)), layer, layers.Dense(2)])
            loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(library.optimizers.Adam(3e-3), loss, metrics=["accuracy"])
            before = named_weights(layer)
            model.evaluate(*held_out, verbose=0)
            model.predict(x[:32], verbose=0)
            for name, value in named_weights(layer).items():
                np.testing.assert_array_equal(before[name], value)
            assert (sum(map(float, model.losses)) > 0) == trainable
            model.fit(x, y, 32, 8, verbose=0)
            changed = {name for name, value in named_weights(layer).items() if not np.array_equal(before[name], value)}
            assert changed == (set(before) if trainable else set())
            assert len([name for name in before if "moving" in name]) == 6
            accuracy[trainable] = model.evaluate(*held_out, verbose=0)[1]
        assert accuracy[True] > 0.9 and accuracy[True] > accuracy[False] + 0.2, accuracy

    def test_without_a_train_variant(self, reports, keras):
        layer = unihub.load(reports["text_embedding"].path, trainable=True, api="keras", keras=keras)
        assert "training= changes nothing: the TF1 model had no {train} variant." in layer.plan.reasons
        words = tf.constant(["hello world", "unknown"])
        np.testing.assert_array_equal(layer(words, training=True).numpy(), layer(words, training=False).numpy())
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(layer(words, training=True)))
        (slope,) = tape.gradient(loss, list(loaded_object(layer).trainable_variables))
        assert np.any(tf.convert_to_tensor(slope).numpy())


@eager
class TestConversion:
    def test_the_hint_leads_through_it(self, tmp_path, monkeypatch):
        """Word for word: what the hint says is run as it stands."""
        path = str(find("convnet"))
        with pytest.raises(errors.UnsupportedError) as caught:
            unihub.load(path, trainable=True)
        (advice,) = re.findall(r"unihub\.convert\(.*?\)", caught.value.hint)
        monkeypatch.chdir(str(tmp_path))
        exec(advice, {"unihub": unihub})
        model = unihub.load("out", trainable=True, api="load")
        assert len(model.trainable_variables) == 12

    @pytest.mark.thorough
    def test_progress(self, tmp_path, capsys, monkeypatch):
        monkeypatch.delenv("UNIHUB_NO_PROGRESS", raising=False)
        lines = []
        unihub.convert(str(find("convnet64")), str(tmp_path / "first"), progress=lines.append)
        assert [line.split()[0] for line in lines] == [
            *["reading", "carrying", "signature", "writing", "comparing", "written"],
        ]
        assert capsys.readouterr().err == ""
        unihub.convert(str(find("convnet64")), str(tmp_path / "second"))
        assert capsys.readouterr().err.splitlines() == [line.replace("first", "second") for line in lines]
        monkeypatch.setenv("UNIHUB_NO_PROGRESS", "1")
        unihub.convert(str(find("convnet64")), str(tmp_path / "third"))
        assert capsys.readouterr().err == ""

    def test_no_session_is_left(self, tmp_path, monkeypatch):
        opened, closed = [], []
        init, close = v1.Session.__init__, v1.Session.close
        monkeypatch.setattr(v1.Session, "__init__", lambda self, *a, **k: (opened.append(self), init(self, *a, **k))[1])
        monkeypatch.setattr(v1.Session, "close", lambda self: (closed.append(self), close(self))[1])
        convert(find("convnet64"), tmp_path / "out")
        assert opened and set(map(id, opened)) == set(map(id, closed))
        assert v1.get_default_session() is None and tf.executing_eagerly()

    def test_target(self, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("kept")
        with pytest.raises(errors.HandleError, match="exists already"):
            convert(find("convnet64"), tmp_path / "out")
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
        convert(find("convnet64"), tmp_path / "out", overwrite=True)
        assert not (tmp_path / "out" / "mine.txt").exists() and (tmp_path / "out" / "saved_model.pb").exists()

    def test_without_check(self, tmp_path):
        report = convert(find("convnet64"), tmp_path / "out", check=False)
        assert [(each.difference, each.not_compared) for each in report.signatures] == [(None, "check=False")]
        assert "default, not compared: check=False" in str(report)

    def test_check_finds_other_numbers(self, tmp_path, monkeypatch):
        values = tf1_session.Tf1Session.values
        monkeypatch.setattr(
            tf1_session.Tf1Session,
            "values",
            lambda self, names: {name: value * 1.001 for name, value in values(self, names).items()},
        )
        with pytest.raises(errors.ConversionError, match="gives different results than the original") as caught:
            convert(find("convnet64"), tmp_path / "out")
        assert caught.value.signature == "default" and caught.value.difference > 1e-5
        assert list(tmp_path.iterdir()) == []

    def test_random_outputs_are_not_compared(self, tmp_path):
        report = self.export_and_convert(tmp_path, lambda x: x + v1.random_normal([3], dtype=tf.float64))
        assert report.signatures[0].not_compared == "the original gives other numbers each time."

    def test_signature_with_the_name_of_an_attribute(self, tmp_path):
        with tf1_programs.tf1_graph(), v1.Session() as session:
            x = v1.placeholder(tf.float64, [None], name="x")
            inputs, outputs = (
                {name: v1.saved_model.build_tensor_info(value)} for name, value in (("x", x), ("y", 2 * x))
            )
            definition = v1.saved_model.build_signature_def(inputs, outputs)
            builder = v1.saved_model.Builder(str(tmp_path / "original"))
            names = dict.fromkeys(("tables", "variables", "signatures", "serve.it"), definition)
            builder.add_meta_graph_and_variables(session, ["serve"], names)
            builder.save()
        report = convert(tmp_path / "original", tmp_path / "converted")
        loaded = unihub.load(report.path, api="load")
        assert set(loaded.signatures) == set(names) == {each.name for each in report.signatures}
        for name in names:
            assert loaded.signatures[name](x=tf.constant([1.5], tf.float64))["y"].numpy() == [3.0]
        assert list(loaded.variables) == [] and getattr(loaded, "serve.it")(tf.constant([2.0], tf.float64))["y"] == 4

    def test_inputs_that_nobody_can_guess(self, tmp_path):
        def picky(x):
            with tf.control_dependencies([v1.assert_greater(x, tf.constant(1e9, tf.float64))]):
                return 2.0 * x

        report = self.export_and_convert(tmp_path, picky)
        assert report.signatures[0].difference is None
        assert report.signatures[0].not_compared.startswith("the original accepts none of the generated inputs")
        value = np.full([2, 3], 2e9)
        np.testing.assert_array_equal(tf.saved_model.load(report.path)(tf.constant(value)).numpy(), 2 * value)

    def test_inputs_of_every_kind_are_made_up(self, tmp_path):
        """Serialized examples, texts, pictures, sizes that only the weights tell, ranks that nobody tells."""

        def features(x):
            table = {"words": v1.FixedLenFeature([2], tf.string), "ids": v1.VarLenFeature(tf.int64)}
            table.update(count=v1.FixedLenFeature([], tf.int64), rate=v1.FixedLenFeature([3], tf.float32))
            found = v1.parse_example(x, table)
            return tf.cast(found["count"], tf.float32) + tf.reduce_sum(found["rate"], 1)

        w = np.ones([7, 2])
        programs = {
            "examples": (tf.string, [None], features),
            "picture": (tf.string, [], lambda x: tf.cast(tf.image.decode_png(x), tf.float32) + 1.0),
            "width": (tf.float64, [None, None], lambda x: tf.matmul(x, v1.get_variable("w", initializer=w))),
            "rank": (tf.float64, None, lambda x: tf.reduce_sum(v1.matrix_band_part(x, 0, 1))),
            "sparse": (
                tf.float64,
                None,
                lambda x: v1.sparse_tensor_dense_matmul(x, v1.get_variable("v", initializer=w)),
            ),
        }
        with tf1_programs.tf1_graph(), v1.Session() as session:
            definitions = {}
            for name, (dtype, shape, program) in programs.items():
                make = v1.sparse_placeholder if name == "sparse" else v1.placeholder
                x = make(dtype, shape, name=name)
                sides = (
                    {"x": v1.saved_model.build_tensor_info(x)},
                    {"y": v1.saved_model.build_tensor_info(program(x))},
                )
                definitions[name] = v1.saved_model.build_signature_def(*sides)
            session.run(v1.global_variables_initializer())
            builder = v1.saved_model.Builder(str(tmp_path / "original"))
            builder.add_meta_graph_and_variables(session, ["serve"], definitions)
            builder.save()
        report = convert(tmp_path / "original", tmp_path / "converted")
        assert {each.name: each.difference for each in report.signatures} == dict.fromkeys(programs, 0.0), str(report)

    def test_names_that_no_op_may_have(self, tmp_path):
        with tf1_programs.tf1_graph(), v1.Session() as session:
            inputs = {name: v1.placeholder(tf.float64, [None]) for name in ("a$b", "a_b", "a b", "ä")}
            outputs = {"y$z": sum(factor * inputs[name] for factor, name in enumerate(sorted(inputs), 1))}
            v1.saved_model.simple_save(session, str(tmp_path / "original"), inputs, outputs)
        report = convert(tmp_path / "original", tmp_path / "converted")
        assert [each.difference for each in report.signatures] == [0.0]
        loaded = tf.saved_model.load(report.path)
        value = {name: tf.constant([float(10**power)], tf.float64) for power, name in enumerate(sorted(inputs))}
        assert loaded(value).numpy() == [4321.0]
        renamed = dict(
            re.findall(r"the name of the input '(.*?)' of 'serving_default': '(.*?)' in", str(report.not_carried))
        )
        assert set(renamed) == {"a$b", "a b", "ä"}
        named = {renamed.get(name, name): tensor for name, tensor in value.items()}
        assert len(named) == 4 and loaded.signatures["serving_default"](**named)["y$z"].numpy() == [4321.0]

    def test_what_is_trained_and_assigned_to_in_a_loop(self, tmp_path):
        def program(x):
            w = v1.get_variable("w", initializer=np.float64(1), use_resource=True)

            def body(i, s):
                with tf.control_dependencies([v1.assign_add(w, 1.0)]):
                    return i + 1, s + w.read_value()

            return v1.while_loop(lambda i, s: i < 2, body, [0, x])[1]

        report = self.export_and_convert(tmp_path, program)
        assert report.not_carried == (
            "the gradient of w in 'serving_default': the graph assigns to it where a loop or branch reads it.",
        )

    @pytest.mark.parametrize(
        "make, words",
        [
            (lambda x: queue_of(x), "keeps state of a kind that no SavedModel has"),
            (lambda x: tf.identity(two_ways(x)), "takes inputs from different branches or loops|does not merge"),
        ],
    )
    def test_what_has_no_counterpart(self, tmp_path, make, words):
        with pytest.raises(errors.UnsupportedError, match=words):
            self.export_and_convert(tmp_path, make)
        assert [path.name for path in tmp_path.iterdir()] == ["original"]

    @staticmethod
    def export_and_convert(directory, program):
        with tf1_programs.tf1_graph(), v1.Session() as session:
            x = v1.placeholder(tf.float64, [None, 3], name="x")
            y = program(x)
            session.run(v1.global_variables_initializer())
            v1.saved_model.simple_save(session, str(directory / "original"), {"x": x}, {"y": y})
        return convert(directory / "original", directory / "converted")

    def test_what_is_converted_already(self, reports, tmp_path):
        with pytest.raises(errors.UnsupportedError, match="is already a TF2 SavedModel; there is nothing to convert"):
            convert(reports["convnet64"].path, tmp_path / "out")
        assert list(tmp_path.iterdir()) == []

    def test_inside_a_function(self, tmp_path):
        @tf.function(autograph=False)
        def function():
            with pytest.raises(errors.UnsupportedError, match="cannot be converted in the tf2 runtime"):
                convert(find("convnet64"), tmp_path / "out")
            return 0

        function()
        assert list(tmp_path.iterdir()) == []


def queue_of(x):
    queue = v1.FIFOQueue(2, [tf.float64], [[]])
    with tf.control_dependencies([queue.enqueue(1.0)]):
        return x + queue.dequeue()


def two_ways(x):
    """A merge that joins what no condition parted."""
    first, _ = tf.raw_ops.Switch(data=x, pred=tf.reduce_sum(x) > 0)
    _, second = tf.raw_ops.Switch(data=x, pred=tf.reduce_mean(x) > 7)
    return tf.raw_ops.Merge(inputs=[first, second]).output


class TestRefusal:
    def test_in_graphs(self, place, tmp_path):
        if place.mode == "tf2":
            convert(find("convnet64"), tmp_path / "out")
            return
        with pytest.raises(errors.UnsupportedError, match="cannot be converted in the {} runtime".format(place.mode)):
            convert(find("convnet64"), tmp_path / "out")
        assert list(tmp_path.iterdir()) == []
