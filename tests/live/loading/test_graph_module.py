"""unihub's own graph module behaves as ``hub.Module`` does: side by side where both exist, by records elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

import unihub
from live_runtime import DATA, HAS_HUB_MODULE, live_context, load_golden
from module_programs import PROGRAMS
from training import GRAPH_MODES, TF
from unihub import errors
from unihub._strategies.graph_module import Module

v1 = tf.compat.v1
MODULES = DATA / "tf1_modules"
HUB = DATA / "tf1_hub"
needs_hub_module = pytest.mark.skipif(not HAS_HUB_MODULE, reason="no hub.Module to compare with; the records do that")
graph_modes = pytest.mark.parametrize("mode", GRAPH_MODES)
has_gradients = pytest.mark.skipif(
    TF < Version("1.15"),
    reason="TensorFlow 1.14 has no gradient for the AddV2 that 1.15 writes, nor for float64 in cond",
)
COLLECTIONS = (
    "GLOBAL_VARIABLES",
    "TRAINABLE_VARIABLES",
    "MODEL_VARIABLES",
    "REGULARIZATION_LOSSES",
    "UPDATE_OPS",
    "TABLE_INITIALIZERS",
    "ASSET_FILEPATHS",
)


def upstream():
    import tensorflow_hub as hub

    return hub.Module


def fresh_inputs(module, signature):
    """One value for each input of a signature, of its kind."""
    inputs = {}
    for name, info in module.get_input_info_dict(signature).items():
        if name == "ids":
            inputs[name] = tf.SparseTensor(np.array([[0, 0], [1, 1]], np.int64), np.array([1, 8], np.int64), [2, 2])
        elif info.is_sparse:
            inputs[name] = tf.SparseTensor(np.array([[0, 0]], np.int64), tf.cast([1], info.dtype), [1, 4])
        elif name == "rows":
            inputs[name] = tf.RaggedTensor.from_row_lengths(tf.constant([1, 2, 3], tf.int64), [2, 1])
        elif info.dtype == tf.string:
            inputs[name] = tf.constant(["beta", "unknown"])
        else:
            sizes = [3 if size is None else size for size in info.get_shape().as_list()]
            random = np.random.RandomState(len(name))
            value = random.rand(*sizes) * (1 if info.dtype.is_floating else 3)
            inputs[name] = tf.constant(np.maximum(value, 0 if info.dtype.is_floating else 1), info.dtype)
    return inputs


def flat(outputs):
    """Outputs by name, composite ones taken apart."""
    return {key: tf.nest.flatten(value, expand_composites=True) for key, value in sorted(outputs.items())}


class TestSideBySide:
    """One suite over hub.Module and ours."""

    @staticmethod
    def observe(module_class, path, tags, trainable):
        with tf.Graph().as_default():
            v1.set_random_seed(1)
            with v1.variable_scope("outer"):
                module = module_class(path, trainable=trainable, tags=tags, name="mod")
            before = {key: len(v1.get_collection(getattr(v1.GraphKeys, key))) for key in COLLECTIONS}
            outputs = {}
            for signature in sorted(module.get_signature_names()):
                if signature == "ragged" and TF < Version("2.2"):
                    continue  # hub.Module of that time takes no ragged input.
                inputs = fresh_inputs(module, signature)
                outputs[signature] = flat(module(inputs or None, signature=signature, as_dict=True))
            seen = {
                "names": [variable.op.name for variable in v1.global_variables()],
                "trainable": [variable.op.name for variable in v1.trainable_variables()],
                "map": {
                    name: [part.op.name for part in (value if isinstance(value, list) else [value])]
                    for name, value in module.variable_map.items()
                },
                "variables": [variable.op.name for variable in module.variables],
                "before": before,
                "losses": len(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)),
                "signatures": sorted(module.get_signature_names()),
            }
            with v1.Session() as session:
                session.run([v1.global_variables_initializer(), v1.tables_initializer()])
                values = session.run(
                    {
                        "outputs": outputs,
                        "variables": v1.global_variables(),
                        "losses": v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES),
                        "assets": v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS)[: before["ASSET_FILEPATHS"]],
                    }
                )
            return seen, values

    @needs_hub_module
    @graph_modes
    @pytest.mark.parametrize("trainable", [False, True])
    @pytest.mark.parametrize(
        "name", ["convnet", "convnet64", "text_embedding", "multi_signature", "recurrent", "loop", "updates", "mixed"]
    )
    def test_same(self, name, trainable, mode):
        path = str((MODULES if name in PROGRAMS else HUB) / name)
        variants = [set()] + ([{"train"}] if trainable and {"train"} in unihub.inspect(path).tag_sets else [])
        for tags in variants:
            if tags and name.startswith("convnet") and name == "convnet":
                continue  # Dropout: its random outputs cannot be compared; convnet64 has none.
            if tags and name == "updates":
                continue  # hub.Module takes over update ops that wait for inputs of other signatures.
            with live_context(mode):
                theirs, their_values = self.observe(upstream(), path, tags, trainable)
                ours, our_values = self.observe(Module, path, tags, trainable)
            assert ours == theirs
            for one, other in zip(tf.nest.flatten(our_values), tf.nest.flatten(their_values)):
                if np.asarray(one).dtype.kind in "SO":
                    assert one == other
                else:
                    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)

    @needs_hub_module
    @has_gradients
    @pytest.mark.parametrize("name", sorted(PROGRAMS))
    def test_training_step_by_step(self, name):
        path = str(MODULES / name)
        theirs, their_variables = PROGRAMS[name](upstream(), path)
        ours, our_variables = PROGRAMS[name](Module, path)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
        assert sorted(ours_name for ours_name in our_variables) == sorted(their_variables)
        for key, value in their_variables.items():
            np.testing.assert_allclose(our_variables[key], value, rtol=1e-12, atol=1e-15, err_msg=key)

    @needs_hub_module
    @pytest.mark.parametrize("written_by", ["hub.Module", "unihub"])
    def test_checkpoints_fit_both_ways(self, written_by, tmp_path):
        writer, reader = (upstream(), Module) if written_by == "hub.Module" else (Module, upstream())
        prefix = str(tmp_path / "model")
        with tf.Graph().as_default(), v1.Session() as session:
            module = writer(str(MODULES / "mixed"), trainable=True)
            session.run(v1.global_variables_initializer())
            session.run([v1.assign(part, tf.ones_like(part) * 5) for part in module.variables])
            v1.train.Saver(module.variable_map).save(session, prefix)
            v1.train.Saver().save(session, prefix + "-all")
        for suffix in ("", "-all"):
            with tf.Graph().as_default(), v1.Session() as session:
                module = reader(str(MODULES / "mixed"), trainable=True)
                v1.train.Saver(module.variable_map if not suffix else None).restore(session, prefix + suffix)
                assert all(np.all(session.run(part) == 5) for part in module.variables)


class TestRecords:
    """What hub.Module on TensorFlow 1.15 gave; ours follows it on every TensorFlow."""

    @has_gradients
    @pytest.mark.parametrize("name", sorted(PROGRAMS))
    def test_program(self, name):
        recorded = np.load(str(MODULES / name) + ".finetune.npz")
        losses, variables = PROGRAMS[name](Module, str(MODULES / name))
        np.testing.assert_allclose(losses, recorded["losses"], rtol=1e-9)
        finals = {key[len("final/") :]: recorded[key] for key in recorded.files if key.startswith("final/")}
        assert set(variables) == set(finals)
        for key, value in finals.items():
            np.testing.assert_allclose(variables[key], value, rtol=1e-9, atol=1e-12, err_msg=key)

    @has_gradients
    @graph_modes
    def test_convnet64(self, mode):
        recorded = np.load(str(HUB / "convnet64.finetune.npz"))
        with live_context(mode) as live:
            module = Module(str(HUB / "convnet64"), trainable=True, tags={"train"})
            (name,) = module.get_input_info_dict()
            task = tf.reduce_mean(tf.square(tf.matmul(module({name: recorded["x"]}), recorded["w"]) - recorded["y"]))
            l2 = v1.losses.get_regularization_loss()
            with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
                step = v1.train.GradientDescentOptimizer(0.05).minimize(task + l2)
            live.session.run(v1.global_variables_initializer())
            losses = []
            for _ in range(len(recorded["losses"])):
                losses.append(live.session.run([task, l2]))
                live.session.run(step)
            np.testing.assert_allclose(losses, recorded["losses"], rtol=1e-9)
            for name, variable in module.variable_map.items():
                np.testing.assert_allclose(live.run(variable), recorded["final/" + name], rtol=1e-9, err_msg=name)

    @graph_modes
    @pytest.mark.parametrize("name", sorted(path.name[: -len(".golden.npz")] for path in HUB.glob("*.golden.npz")))
    def test_goldens(self, name, mode):
        for signature, (inputs, expected) in load_golden(HUB / name).items():
            with live_context(mode) as live:
                module = Module(str(HUB / name))
                names = sorted(module.get_input_info_dict(signature))
                # A sole input was recorded without its name.
                named = inputs if sorted(inputs) == names else dict(zip(names, inputs.values()))
                outputs = module(named, signature=signature, as_dict=True)
                live.session.run([v1.global_variables_initializer(), v1.tables_initializer()])
                for key, value in expected.items():
                    np.testing.assert_allclose(live.run(outputs[key]), value, rtol=1e-5, atol=1e-5)


class TestPlaces:
    """Where a module may be called."""

    @graph_modes
    def test_cond_and_while_loop(self, mode):
        x = np.ones([2, 4])
        with live_context(mode) as live:
            module = Module(str(MODULES / "loop"))
            inputs = {"x": tf.constant(x), "steps": tf.constant(2)}
            plain = module(inputs)
            chosen = v1.cond(tf.constant(True), lambda: module(inputs), lambda: plain * 0)
            _, looped = v1.while_loop(
                lambda i, s: i < 2, lambda i, s: (i + 1, s + module(inputs)), [0, tf.zeros([2, 4], tf.float64)]
            )
            live.session.run(v1.global_variables_initializer())
            one, two, three = live.run([plain, chosen, looped])
            np.testing.assert_allclose(two, one)
            np.testing.assert_allclose(three, 2 * one)

    @has_gradients
    @graph_modes
    def test_gradient_through_cond(self, mode):
        with live_context(mode) as live:
            module = Module(str(MODULES / "updates"), trainable=True)
            a = tf.ones([2, 3], tf.float64)
            outside = module({"a": a})
            inside = v1.cond(tf.constant(True), lambda: module({"a": a}), lambda: outside * 0)
            weights = [variable for variable in module.variables if variable.op.name.endswith("/w")]
            gradients = [tf.gradients(tf.reduce_sum(value), weights)[0] for value in (outside, inside)]
            live.session.run(v1.global_variables_initializer())
            one, two = live.run([tf.convert_to_tensor(gradient) for gradient in gradients])
            np.testing.assert_allclose(one, two)

    @graph_modes
    def test_wrap_function(self, mode):
        with live_context(mode) as live:
            module = Module(str(MODULES / "updates"))
            wrapped = v1.wrap_function(lambda a: module({"a": a}), [tf.TensorSpec([None, 3], tf.float64)])
            a = tf.ones([2, 3], tf.float64)
            outputs = [module({"a": a}), wrapped(a)]
            live.session.run(v1.global_variables_initializer())
            np.testing.assert_allclose(*live.run(outputs))

    @graph_modes
    def test_meta_graph_runs_elsewhere(self, mode, tmp_path):
        inputs, expected = load_golden(HUB / "text_embedding")["default"]
        with live_context(mode) as live:
            module = Module(str(HUB / "text_embedding"))
            place = v1.placeholder(tf.string, [None], name="texts")
            (name,) = module.get_input_info_dict()
            tf.identity(module({name: place}), name="embedded")
            live.session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            v1.train.Saver().save(live.session, str(tmp_path / "all"))
        with live_context(mode) as live:
            v1.train.import_meta_graph(str(tmp_path / "all.meta")).restore(live.session, str(tmp_path / "all"))
            live.session.run(v1.tables_initializer())
            outputs = live.session.run("embedded:0", {"texts:0": next(iter(inputs.values()))})
            np.testing.assert_allclose(outputs, expected["default"], rtol=1e-5, atol=1e-5)

    @graph_modes
    def test_scopes(self, mode):
        with live_context(mode):
            first = Module(str(MODULES / "updates"))
            with v1.variable_scope("a"), v1.name_scope("n"):
                second = Module(str(MODULES / "updates"))
            third = Module(str(MODULES / "updates"))
            assert first.variables[0].op.name.startswith("module/")
            assert second.variables[0].op.name.startswith("a/module/")
            assert third.variables[0].op.name.startswith("module_1/")
            handles = {variable.op.name for each in (first, second, third) for variable in each.variables}
            assert len(handles) == 12


class TestExtraUpdates:
    @pytest.mark.skipif(HAS_HUB_MODULE, reason="hub.Module takes over all of them, and fails when they are run")
    @graph_modes
    def test_only_what_the_call_can_run(self, mode):
        with live_context(mode) as live:
            model = unihub.load(str(MODULES / "updates"), trainable=True)
            assert model.plan.backend == "unihub"
            model(np.ones([2, 3]))
            live.initialize(model)
            before = dict(zip([v.op.name for v in model.variables], live.run(list(model.variables))))
            live.session.run(v1.get_collection(v1.GraphKeys.UPDATE_OPS))
            after = dict(zip([v.op.name for v in model.variables], live.run(list(model.variables))))
            changed = {name for name in before if not np.array_equal(before[name], after[name])}
            assert changed == {"module/a/mean", "module/calls"}


class TestExport:
    @graph_modes
    def test_export_and_load(self, mode, tmp_path):
        target = str(tmp_path / "exported")
        with live_context(mode) as live:
            module = Module(str(MODULES / "mixed"), trainable=True)
            live.session.run(v1.global_variables_initializer())
            live.session.run([v1.assign(part, tf.ones_like(part) * 3) for part in module.variables])
            module.export(target, live.session)
            with pytest.raises(errors.HandleError, match="exists already"):
                module.export(target, live.session)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["exported"]
        with live_context(mode) as live:
            model = unihub.load(target)
            outputs = model(["beta", "unknown"])
            live.initialize(model)
            np.testing.assert_allclose(live.run(outputs), 3 * np.ones([2, 4]))

    def test_attached_message(self):
        with live_context(GRAPH_MODES[0]):
            module = Module(str(MODULES / "mixed"))
            found = module.get_attached_message("note", v1.train.Features)
            assert list(found.feature) == ["k"]
            assert module.get_attached_message("other", v1.train.Features) is None
            with pytest.raises(KeyError):
                module.get_attached_message("other", v1.train.Features, required=True)
