"""The part of a model that a use needs: the same numbers, to the last bit, as the whole gives."""

import functools
import gc
import json
import logging
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings, strategies

import unihub
from choices import also_slow
from live_runtime import (
    DATA,
    HAS_KERAS2,
    MODES,
    RUNTIME,
    TENSORFLOW,
    assert_close,
    live_context,
    load_golden,
    missing_server,
)
from unihub import errors
from unihub._audit import requirements
from unihub._partial import loader as _selective
from unihub._partial import parallel_restore
from unihub._plan import plan as _plan
from unihub._tf import packages, saved_model

if TENSORFLOW < (1, 15):
    pytest.skip("TensorFlow 1.14 has not the specs that the models below are made of", allow_module_level=True)

import use_models  # noqa: E402

needs_tf2 = pytest.mark.skipif(RUNTIME != "tf2" or TENSORFLOW < (2, 1), reason="TensorFlow 2 writes the models")


@pytest.fixture(autouse=True)
def always(monkeypatch, tmp_path):
    """Small models have parts, too, in a cache of their own."""
    monkeypatch.setattr(_plan, "_FEW_FUNCTIONS", 0)
    monkeypatch.setattr(_plan, "_FEW_NODES", 0)
    monkeypatch.setattr(_selective, "_WORTH_IT", 2.0)
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "cache"))


def load_part(path, **options):
    """What is loaded of a part, which there must be."""
    plan = unihub.plan(path, **options)
    assert plan.use is not None, plan
    part = _selective.load_subset(plan, plan.use)
    assert part is not None
    return part


def load_whole(path):
    return tf.compat.v1.saved_model.load_v2(str(path))


def make_input(structure, seed):
    """A value for each spec in a structure."""
    random = np.random.RandomState(seed)

    def make(part):
        if isinstance(part, tf.SparseTensorSpec):
            return tf.sparse.from_dense(random.uniform(-1.0, 1.0, (3, 5)).astype(np.float32))
        if isinstance(part, tf.RaggedTensorSpec):
            return tf.ragged.constant([[0.5, 1.5], [2.0]])
        if not isinstance(part, tf.TensorSpec):
            return part
        if part.dtype == tf.string:
            return tf.constant(["apple", "date", "nothing"])
        shape = [3 if size is None else size for size in part.shape]
        if part.dtype.is_integer:
            return tf.constant(random.randint(0, 2, shape).astype(part.dtype.as_numpy_dtype))
        return tf.constant(random.uniform(-1.0, 1.0, shape).astype(part.dtype.as_numpy_dtype))

    return tf.nest.map_structure(make, structure)


def flat(outputs):
    return [np.asarray(part) for part in tf.nest.flatten(outputs, expand_composites=True)]


def run(function, arguments):
    """Outputs, gradients with respect to all variables and inputs, and the variables afterwards, as arrays."""
    args, kwargs = arguments
    inputs = [part for part in tf.nest.flatten(arguments) if tf.is_tensor(part) and part.dtype == tf.float32]
    inputs = [part for part in inputs if isinstance(part, tf.Tensor)]
    variables = sorted({id(v): v for v in variables_of(function)}.values(), key=lambda variable: variable.name)
    outputs = flat(function(*args, **kwargs))
    wanted = [variable for variable in variables if variable.dtype == tf.float32] + inputs
    try:
        gradients = find_gradients(lambda: function(*args, **kwargs), wanted)
    except Exception:
        # Older versions do not save the gradients that were defined by hand, so neither has them.
        if TENSORFLOW >= (2, 8):
            raise
        gradients = [np.array("none")]
    return outputs, gradients, [variable.numpy() for variable in variables]


def find_gradients(call, wanted):
    with tf.GradientTape() as tape:
        tape.watch(wanted)
        dense = [part for part in tf.nest.flatten(call(), expand_composites=True) if part.dtype == tf.float32]
        if not dense or not wanted:
            return []
        loss = tf.add_n([tf.reduce_sum(part * part) for part in dense])
    gradients = tape.gradient(loss, wanted)
    return [None if part is None else np.asarray(tf.convert_to_tensor(part)) for part in gradients]


def variables_of(function):
    concretes = getattr(function, "concrete_functions", [function])
    return [variable for concrete in concretes for variable in concrete.graph.variables]


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted):
        if isinstance(other, list):
            assert_same(one, other)
        elif other is None:
            assert one is None
        else:
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes() or (one == other).all()


def check_signature(path, name, seeds=2):
    part = load_part(path, signature=name, api="load")
    assert list(part.signatures) == [name]
    whole = load_whole(path)
    called = part.signatures[name], whole.signatures[name]
    check_call(*called, called[1].structured_input_signature, seeds)


def check_call(part, whole, structure, seeds=2):
    for seed in range(seeds):
        assert_same(run(part, make_input(structure, seed)), run(whole, make_input(structure, seed)))


def traces(function):
    """What each trace takes, with the object's own self left out."""
    for concrete in function.concrete_functions:
        args, kwargs = concrete.structured_input_signature
        yield [part for part in args if type(part).__name__ != "UnknownArgument"], kwargs


def nameless(structure):
    return repr(
        [(part.shape, part.dtype) if isinstance(part, tf.TensorSpec) else part for part in tf.nest.flatten(structure)]
    )


def check_itself(path, seeds=2, alike=True):
    """The call, in each of its traces; or in one of those that differ in the names of their inputs only."""
    part, whole = load_part(path, api="keras"), load_whole(path)
    structures = {
        number if alike else nameless(structure): structure for number, structure in enumerate(traces(whole.__call__))
    }
    assert structures
    for structure in structures.values():
        check_call(part.__call__, whole.__call__, structure, seeds)
    for name in ("variables", "trainable_variables", "regularization_losses"):
        assert hasattr(part, name) == hasattr(whole, name)
        assert len(getattr(part, name, ())) == len(getattr(whole, name, ()))
    assert_same(
        flat([v.numpy() for v in getattr(part, "variables", ())]),
        flat([v.numpy() for v in getattr(whole, "variables", ())]),
    )
    losses = [[loss().numpy() for loss in getattr(model, "regularization_losses", ())] for model in (part, whole)]
    assert_same(*map(flat, losses))
    assert not hasattr(part, "signatures") or not part.signatures


@needs_tf2
@pytest.mark.parametrize("kind", also_slow(use_models.KINDS, 3))
def test_each_signature(kind, tmp_path):
    path = use_models.write(kind, str(tmp_path))
    names = list(load_whole(path).signatures)
    assert names
    for name in names:
        check_signature(path, name)


@needs_tf2
@pytest.mark.parametrize("kind", also_slow(use_models.KINDS, 3))
def test_the_call(kind, tmp_path):
    check_itself(use_models.write(kind, str(tmp_path)))


# Many on the newest TensorFlow; on the others these would show it once more.
EXAMPLES = 8 if TENSORFLOW >= (2, 20) else 3


@needs_tf2
@pytest.mark.slow
def test_random_modules():
    """For every use of a random module the part equals the whole."""

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategies.data())
    def parts_equal_wholes(data):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "model")
            use_models.Random(lambda number: data.draw(strategies.integers(0, number - 1))).save(path)
            for name in ("f0", "f1"):
                check_signature(path, name)
            check_itself(path)

    parts_equal_wholes()


@needs_tf2
def test_what_is_not_reached_is_not_there(tmp_path):
    path = use_models.write(use_models.Tables, str(tmp_path))
    part = load_part(path, signature="number", api="load")
    assert [name for name in ("table", "other", "vectors", "unused") if hasattr(part, name)] == []
    model = unihub.load(path, signature="number")
    assert model.variables == []
    with pytest.raises(AttributeError, match="full=True"):
        model.vectors  # noqa: B018 - that it is not there is the point
    assert unihub.load(path, signature="number", full=True).vectors.shape == [5, 3]


@needs_tf2
@pytest.mark.parametrize("api", ["load", "keras"])
def test_variables_that_only_a_list_leads_to(tmp_path, api):
    """As in what Keras 3 exports: the list is in the subset for the one variable that the signature needs."""
    if api == "keras" and missing_server("keras"):
        pytest.skip("nobody serves a layer here; test_contract.py proves the error")
    root = tf.train.Checkpoint()
    root.variables = [tf.Variable([1.0, 2.0]), tf.Variable(3.0)]
    first = root.variables[0]
    scale = tf.function(lambda x: {"y": x * first}, input_signature=[tf.TensorSpec([2], tf.float32, name="x")])
    path = str(tmp_path / "model")
    tf.saved_model.save(root, path, signatures=scale)
    model = unihub.load(path, signature="serving_default", api=api)
    assert model.plan.use is not None
    assert [variable.shape for variable in model.variables] == [[2]] if api == "load" else len(model.variables) == 2
    np.testing.assert_array_equal(model(tf.constant([3.0, 4.0])), [3.0, 8.0])


@pytest.mark.keras2
@needs_tf2
def test_a_layer_has_what_is_read_off_the_model(tmp_path):
    """As in ``layer.resolved_object.vocab_file.asset_path``, which many programs around text encoders say."""
    if missing_server("keras"):
        pytest.skip("nobody serves a layer here; test_contract.py proves the error")
    encoder = use_models.Tables(str(tmp_path))
    encoder.vocab_file = tf.saved_model.Asset(use_models.write_words(str(tmp_path), "vocab.txt", ["one", "two"]))
    encoder.do_lower_case = tf.Variable(True, trainable=False)
    tf.saved_model.save(encoder, str(tmp_path / "encoder"))
    layer = unihub.KerasLayer(str(tmp_path / "encoder"))
    assert layer.plan.use is not None
    with open(layer.resolved_object.vocab_file.asset_path.numpy(), encoding="utf-8") as file:
        assert file.read() == "one\ntwo\n"
    assert layer.resolved_object.do_lower_case.numpy()
    assert not hasattr(layer.resolved_object, "number")


@needs_tf2
def test_plain_load_gives_all(tmp_path):
    path = use_models.write(use_models.Tables, str(tmp_path))
    model = unihub.load(path)
    assert model.plan.use is None
    assert model.vectors.shape == [5, 3] and set(model.signatures) == {"number"}


@needs_tf2
def test_the_second_load_finds_the_part(tmp_path, monkeypatch):
    path = use_models.write(use_models.Nested, str(tmp_path))
    first = unihub.load(path, signature="third")
    monkeypatch.setattr(_selective, "_fill", None)
    second = unihub.load(path, signature="third")
    x = tf.ones([2, 4])
    np.testing.assert_array_equal(first(x)["y"], second(x)["y"])


@needs_tf2
@pytest.mark.parametrize("in_place", [False, True])
def test_other_weights_beside_the_same_graph_are_other_weights(tmp_path, in_place):
    """The graph is the same to the last bit; what is kept for one must not be loaded for the other."""
    first = use_models.write(use_models.Nested, str(tmp_path))
    second = first if in_place else str(tmp_path / "second")
    before = unihub.load(first, signature="third")(tf.ones([2, 4]))["y"].numpy()
    if not in_place:
        shutil.copytree(first, second)
    replace_weights(second, "layers/2/weight", np.array([5.0, 6.0, 7.0, 8.0], np.float32))
    after = unihub.load(second, signature="third")(tf.ones([2, 4]))["y"].numpy()
    assert before.tolist() != after.tolist() and after[0].tolist() == [5.0, 6.0, 7.0, 8.0]


def replace_weights(target, variable, value):
    """Writes the checkpoint of a model with another value for one variable."""
    prefix = os.path.join(target, "variables", "variables")
    reader = tf.train.load_checkpoint(prefix)
    tensors = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    name = variable + "/.ATTRIBUTES/VARIABLE_VALUE"
    assert tensors[name].shape == value.shape
    tensors[name] = value
    names = sorted(tensors)
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.convert_to_tensor(tensors[name]) for name in names],
    )


@needs_tf2
def test_without_links_the_files_are_linked_or_copied(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no links here")

    path = use_models.write(use_models.Tables, str(tmp_path))
    monkeypatch.setattr(os, "symlink", refuse)
    check_signature(path, "number")
    monkeypatch.setattr(os, "link", refuse)
    check_itself(path)


@needs_tf2
def test_what_is_not_understood_is_loaded_in_full_and_logged(tmp_path, monkeypatch, caplog):
    path = use_models.write(use_models.Nested, str(tmp_path))
    graph = os.path.join(path, "saved_model.pb")
    from tensorflow.core.protobuf import saved_model_pb2

    with open(graph, "rb") as file:
        message = saved_model_pb2.SavedModel.FromString(file.read())
    nodes = message.meta_graphs[0].object_graph_def.nodes
    for node in nodes:
        for child in node.children:
            # The only names by which the checkpoint knows the way to these variables.
            if child.local_name in ("layers", "by_name", "shared", "inner"):
                child.local_name += "_renamed"
    with open(graph, "wb") as file:
        file.write(message.SerializeToString())
    plan = unihub.plan(path, signature="third")
    with caplog.at_level(logging.DEBUG, "unihub"):
        assert _selective.find_subset(plan, plan.use) is None
    assert "no path from the root leads to the variable" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "unihub"):
        assert _selective.find_subset(plan, plan.use) is None
    assert "no path from the root" in caplog.text


@needs_tf2
def test_a_part_that_does_not_load_is_no_loss(tmp_path, caplog):
    path = use_models.write(use_models.Nested, str(tmp_path))
    plan = unihub.plan(path, signature="third")
    place = _selective.find_subset(plan, plan.use)
    with open(os.path.join(place, "saved_model.pb"), "wb") as file:
        file.write(b"\x08\x01")
    with caplog.at_level(logging.DEBUG, "unihub"):
        model = unihub.load(path, signature="third")
    assert model(tf.ones([2, 4]))["y"].shape == [2, 4]
    assert "is loaded in full" in caplog.text


needs_options = pytest.mark.skipif(TENSORFLOW < (2, 8), reason="before 2.8 TensorFlow restores each checkpoint itself")


@needs_tf2
@needs_options
def test_variables_are_read_at_once_by_some_threads(tmp_path, monkeypatch):
    path = use_models.write(use_models.Nested, str(tmp_path))
    shares = []
    read = parallel_restore._read
    monkeypatch.setattr(parallel_restore, "_LEAST_SHARE", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(parallel_restore, "_read", lambda prefix, share: shares.append(share) or read(prefix, share))
    check_itself(path)
    keys = [value.key for share in shares for value in share]
    assert 1 < len(shares) <= 3 and len(set(keys)) == len(keys) > 3


@needs_tf2
@needs_options
@pytest.mark.parametrize("spoil", ["key", "way", "dtype", "file"])
def test_values_that_are_not_there_are_no_loss(tmp_path, caplog, spoil):
    path = use_models.write(use_models.Nested, str(tmp_path))
    plan = unihub.plan(path, signature="third")
    wanted = unihub.load(path, signature="third")(tf.ones([2, 4]))["y"].numpy()
    file = os.path.join(_selective.find_subset(plan, plan.use), "subset.json")
    with open(file, encoding="utf-8") as opened:
        about = json.load(opened)
    values = about["values"]
    assert values
    spoiled = {
        "key": [[way, key + "x", *more] for way, key, *more in values],
        "way": [[["x"], *more] for _, *more in values],
        "dtype": [[way, key, 9, size] for way, key, _, size in values],
    }
    with open(file, "w", encoding="utf-8") as opened:
        opened.write(json.dumps({**about, "values": spoiled[spoil]}) if spoil in spoiled else "[[")
    with caplog.at_level(logging.DEBUG, "unihub"):
        found = unihub.load(path, signature="third")(tf.ones([2, 4]))["y"].numpy()
    assert "is loaded in full" in caplog.text
    np.testing.assert_array_equal(found, wanted)


def find_later(path, **arguments):
    """The gradients that are put off in a part, by their names."""
    plan = unihub.plan(path, **arguments)
    with open(os.path.join(_selective.find_subset(plan, plan.use), "subset.json"), encoding="utf-8") as opened:
        return json.load(opened)["gradients"]


def twice_differentiated(function, x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = function(x=x)["y"]
        first = inner.gradient(y, x)
    return [y.numpy(), first.numpy(), outer.gradient(first, x).numpy()]


saves_gradients = pytest.mark.skipif(TENSORFLOW < (2, 8), reason="TensorFlow saves such gradients since 2.8")


@needs_tf2
@saves_gradients
class TestLaterGradients:
    """Gradients that were written in Python are built when they are asked for."""

    X = np.linspace(-2.0, 2.0, 12, dtype=np.float32).reshape(3, 4)

    def test_which(self, tmp_path):
        path = use_models.write(use_models.Activations, str(tmp_path))
        assert len(find_later(path, signature="twice")) == 2
        assert not find_later(path, api="keras")
        # This one takes what was computed on the way.
        assert not find_later(use_models.write(use_models.Gradients, str(tmp_path)), signature="twice")

    def test_twice(self, tmp_path):
        path = use_models.write(use_models.Activations, str(tmp_path))
        loaded = [unihub.load(path, signature="twice", full=full).native for full in (False, True)]
        found, wanted = (twice_differentiated(one.signatures["twice"], tf.constant(self.X)) for one in loaded)
        assert_same(found, wanted)

    def test_saved_again(self, tmp_path):
        path = use_models.write(use_models.Activations, str(tmp_path))
        part = load_part(path, signature="twice", api="load")
        again = str(tmp_path / "again")
        tf.saved_model.save(part, again, signatures={"twice": part.signatures["twice"]})
        loaded = [tf.saved_model.load(each) for each in (path, again)]
        assert_same(*(run(each.signatures["twice"], ([], {"x": tf.constant(self.X)}))[1] for each in loaded))

    def test_in_a_graph(self, tmp_path):
        """Where TensorFlow itself makes a graph with a cycle, when a model has two such gradients."""
        path = use_models.write(use_models.Activations, str(tmp_path))
        x = tf.constant(self.X)
        whole = load_whole(path)
        wanted = run(whole.signatures["twice"], ([], {"x": x}))
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            model = unihub.load(path, signature="twice")
            x = tf.constant(self.X)
            y = model(x)
            found = tf.gradients(y * y, x)[0]
            session.run(tf.compat.v1.global_variables_initializer())
            found = session.run([y, found])
        for one, other in zip(found, [wanted[0][0], wanted[1][-1]]):
            np.testing.assert_allclose(one, other, rtol=1e-5)

    def test_several_loads(self, tmp_path):
        """Each has gradients of its own, also when an earlier one is no more."""
        path = use_models.write(use_models.Activations, str(tmp_path))
        loaded = [load_part(path, signature="twice", api="load") for _ in range(3)]
        arguments = [], {"x": tf.constant(self.X)}
        first = run(loaded[0].signatures["twice"], arguments)
        del loaded[0]
        gc.collect()
        for part in loaded:
            assert_same(run(part.signatures["twice"], arguments), first)

    def test_no_warning(self, tmp_path, caplog):
        path = use_models.write(use_models.Activations, str(tmp_path))
        with caplog.at_level(logging.DEBUG):
            unihub.load(path, signature="twice")
        assert "gradient" not in caplog.text and "is loaded in full" not in caplog.text


@needs_tf2
def test_packages_are_imported_for_the_ops_of_the_part(tmp_path, monkeypatch):
    path = use_models.write(use_models.Nested, str(tmp_path))
    asked = []
    monkeypatch.setattr(requirements, "import_packages", asked.append)
    plan = unihub.plan(path, signature="third")
    for _ in range(2):
        unihub.load(path, signature="third")
        (ops,) = asked
        part = unihub.inspect(_selective.find_subset(plan, plan.use)).plain.contents.ops
        functions = {op for op in ops if op.startswith("__")}
        assert set(ops) - functions == part and len(part) < len(unihub.inspect(path).plain.contents.ops)
        asked.clear()


@needs_tf2
def test_a_cache_that_cannot_be_written_is_no_loss(tmp_path, monkeypatch, caplog):
    path = use_models.write(use_models.Nested, str(tmp_path))
    monkeypatch.setenv("UNIHUB_CACHE_DIR", os.path.join(path, "saved_model.pb", "nowhere"))
    with caplog.at_level(logging.DEBUG, "unihub"):
        model = unihub.load(path, signature="third")
    assert model(tf.ones([2, 4]))["y"].shape == [2, 4]
    assert "is loaded in full" in caplog.text


@needs_tf2
def test_reuse_gives_the_same_object(tmp_path):
    path = use_models.write(use_models.Nested, str(tmp_path))
    first = unihub.load(path, signature="third", reuse=True)
    assert unihub.load(path, signature="third", reuse=True) is first
    assert unihub.load(path, signature="third") is not first
    assert unihub.load(path, reuse=True) is not first
    assert unihub.load(path, signature="third", output_key="y", reuse=True) is not first
    with tf.Graph().as_default():
        inside = unihub.load(path, signature="third", reuse=True)
        assert inside is not first and unihub.load(path, signature="third", reuse=True) is inside
    replace_weights(path, "layers/2/weight", np.array([5.0, 6.0, 7.0, 8.0], np.float32))
    again = unihub.load(path, signature="third", reuse=True)
    assert again is not first and again(tf.ones([1, 4]))["y"].numpy().tolist() == [[5.0, 6.0, 7.0, 8.0]]


def written_by(archive):
    return tuple(int(part) for part in archive.name.split("-tf")[1].split(".")[:2])


# TensorFlow promises to load what an older one wrote.
WRITTEN = [path for path in sorted((DATA / "keras").glob("*.tar.gz")) if written_by(path) <= TENSORFLOW]


@needs_tf2
@pytest.mark.parametrize("archive", WRITTEN, ids=lambda path: path.name[:-7])
@pytest.mark.thorough
class TestKerasModels:
    """The same network, as Keras saves it in each version, with an optimizer and its slots."""

    def test_signature(self, archive):
        path = unihub.resolve(archive)
        for name in [signature.name for signature in unihub.inspect(path).signatures]:
            check_signature(path, name)

    def test_call(self, archive, recwarn):
        path = unihub.resolve(archive)
        if unihub.inspect(path).callable:
            check_itself(path)

    def test_part_is_small(self, archive):
        """Few of the functions are kept, and none of the slots."""
        path = unihub.resolve(archive)
        whole = unihub.inspect(path).plain
        plan = unihub.plan(path, signature="serving_default")
        part = unihub.inspect(_selective.find_subset(plan, plan.use)).plain
        assert part.contents.function_count <= whole.contents.function_count / 2 or archive.name.startswith("keras3")
        slots = [name for name in (variable.name for variable in part.variables) if "/m" == name[-2:] or "Adam" in name]
        assert slots == []

    def test_layer(self, archive):
        """The layer, which has a part, gives what the layer around the whole gives, and trains alike."""
        if not unihub.inspect(unihub.resolve(archive)).callable:
            pytest.skip("Keras 3 exports a model that is called by its signatures")
        layers = [unihub.load(archive, trainable=True, full=full) for full in (False, True)]
        assert [layer.plan.use is None for layer in layers] == [False, True]
        x = np.random.RandomState(0).rand(4, 8, 8, 3).astype(np.float32)
        assert [variable.name for variable in layers[0].variables] == [
            variable.name for variable in layers[1].variables
        ]
        found = []
        for layer in layers:
            steps = []
            for _ in range(3):
                with tf.GradientTape() as tape:
                    y = layer(x, training=True)
                    loss = tf.reduce_sum(y * y) + tf.add_n([one() for one in layer.regularization_losses])
                weights = list(layer.trainable_variables)
                gradients = tape.gradient(loss, weights)
                for weight, gradient in zip(weights, gradients):
                    weight.assign(weight - 0.1 * gradient if gradient is not None else weight)
                steps += [y.numpy(), loss.numpy()]
                steps += [None if gradient is None else gradient.numpy() for gradient in gradients]
            assert sum(gradient is not None for gradient in gradients) >= 8
            found.append(steps + [np.asarray(variable) for variable in layer.variables] + [layer(x).numpy()])
        assert_same(*found)


@needs_tf2
@pytest.mark.thorough
@pytest.mark.skipif(not (HAS_KERAS2 or packages.installed_version("tf_keras")), reason="Keras 2 writes the models")
class TestBenchmarkModels:
    """The networks of the benchmarks, as this TensorFlow writes them."""

    # The larger ones take minutes, so each on one: the oldest TensorFlow or the newest.
    MODELS = ["tiny"]
    if TENSORFLOW < (2, 5):
        MODELS.append("MobileNetV2")
    if TENSORFLOW >= (2, 20):
        MODELS += ["EfficientNetB0", "BERT"]

    @pytest.fixture(scope="class", params=MODELS)
    def path(self, request, tmp_path_factory):
        sys.path.insert(0, str(DATA.parent.parent / "benchmarks"))
        import models

        # Of twelve layers that are the same, three.
        models.MODELS["BERT"] = functools.partial(models.encoder, layers=3)
        # Dropout, too, then gives the same to each model that is loaded.
        tf.random.set_seed(1)
        return models.find(request.param, str(tmp_path_factory.mktemp("models")))

    def test_signature(self, path):
        check_signature(path, "serving_default", seeds=1)

    def test_itself(self, path):
        if unihub.inspect(path).callable:
            check_itself(path, seeds=1, alike=False)


@pytest.mark.keras2
@needs_tf2
@pytest.mark.skipif(TENSORFLOW < (2, 16), reason="Keras 2 is part of TensorFlow, which then knows its optimizers")
def test_slots_without_keras_2(monkeypatch):
    """Without the Keras that wrote it, TensorFlow does not load a model with the slots of an optimizer as a whole."""
    for name in ("tf_keras", "tf_keras.optimizers", "tf_keras.optimizers.legacy"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(saved_model, "load_saved_model", without_optimizers(saved_model.load_saved_model))
    archive = DATA / "keras" / "keras2-tf2.8.tar.gz"
    with pytest.raises(unihub.errors.LoadError, match="add_slot"):
        unihub.load(archive)
    assert unihub.load(archive, signature="serving_default")(np.zeros([1, 8, 8, 3], np.float32)).shape == [1, 2]


def without_optimizers(load):
    """Loads as a process does in which no Keras 2 was imported, whatever was before."""

    def loader(*args):
        from tensorflow.python.saved_model import revived_types

        known = revived_types._REVIVED_TYPE_REGISTRY
        kept = known.pop("optimizer", None)
        try:
            return load(*args)
        finally:
            if kept is not None:
                known["optimizer"] = kept

    return loader


@pytest.mark.skipif(TENSORFLOW < (1, 15), reason="TensorFlow 1.14 loads no such models")
@pytest.mark.slow
def test_graphs(place):
    """In a graph, too, the part gives what the whole gives; its variables have the pretrained values."""
    if place.graph is None:
        pytest.skip("is tested above")
    archive = DATA / "keras" / "keras2-tf2.1.tar.gz"
    if TENSORFLOW < (2, 1):
        pytest.skip("TensorFlow 2.1 wrote it with ops that 1.15 does not have")
    x = np.random.RandomState(0).rand(2, 8, 8, 3).astype(np.float32)

    def call(full):
        model = unihub.load(archive, signature="serving_default", full=full)
        assert (model.plan.use is None) == full
        return place.run(model(tf.constant(x)), model)

    part = call(full=False)
    if HAS_KERAS2 or packages.installed_version("tf_keras"):
        assert_same([part], [call(full=True)])
        return
    # The whole has an optimizer, which TensorFlow without Keras 2 does not know.
    with pytest.raises(errors.LoadError, match="add_slot"):
        call(full=True)
    assert np.isfinite(part).all() and part.any()
    if place.mode == "tf1-compat":  # Nothing is eager there.
        return
    # A graph is the default one in its own thread only.
    with ThreadPoolExecutor(1) as thread:
        eager = thread.submit(lambda: unihub.load(archive, signature="serving_default")(tf.constant(x)).numpy())
    np.testing.assert_allclose(part, eager.result(), rtol=1e-6)


SIGNATURES = [
    (path.parent.name, path.name.split(".")[0], call)
    for path in sorted(DATA.glob("*/*.golden.npz"))
    for call in load_golden(str(path)[: -len(".golden.npz")])
    if call not in ("call", "train", "regularization") and (TENSORFLOW >= (1, 15) or path.parent.name != "saved_model")
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("folder, model, signature", SIGNATURES, ids=["/".join(row) for row in SIGNATURES])
@pytest.mark.slow
def test_goldens(mode, folder, model, signature):
    """The recorded outputs of all models, TF1 graphs among them, from the part that the signature needs."""
    if folder == "tf1_hub" and mode != "tf2":
        pytest.skip("the matrix has the module there, which takes from the graph what each call needs")
    handle = DATA / folder / model
    inputs, wanted = load_golden(handle)[signature]
    with live_context(mode) as place:
        plan = unihub.plan(handle, signature=signature, api="load")
        part = _selective.find_subset(plan, plan.use)
        assert part is not None
        loaded = unihub.load(handle, signature=signature, api="load", as_dict=True)
        assert_close(place.run(loaded(inputs or None), loaded), wanted)
        # TensorFlow 2 takes no variables of TF1's reference type as outputs, of the part as of the whole.
        if mode == "tf2" and model != "counter":
            assert sorted(loaded.signatures) == [signature]


@pytest.mark.skipif(TENSORFLOW < (2, 0), reason="TensorFlow 1 runs such graphs in a session")
def test_what_tensorflow_2_refuses_as_a_whole():
    """A TF1 graph with an init op that waits for a placeholder: what the signature needs is loaded all the same."""
    handle = DATA / "tf1_saved_model" / "unliftable"
    with live_context(RUNTIME) as place:
        with pytest.raises(Exception, match="Unable to lift tensor|is not an input"):
            load_whole(handle)
        (signature,) = unihub.inspect(handle).signatures
        loaded = unihub.load(handle, signature=signature.name, as_dict=True)
        assert type(loaded).__name__ == "HubLoad"
        inputs, wanted = load_golden(handle)[signature.name]
        assert_close(place.run(loaded(inputs), loaded), wanted)


@pytest.mark.keras2
@needs_tf2
@pytest.mark.parametrize("full", [False, True])
def test_a_layer_is_loaded_again_as_it_was(full):
    """What a saved layer says of itself has full=True, so that it comes back with all attributes."""
    layer = unihub.load(DATA / "saved_model" / "reusable", api="keras", full=full)
    again = type(layer).from_config(layer.get_config())
    assert (again.plan.use is None, layer.plan.use is None) == (full, full)
