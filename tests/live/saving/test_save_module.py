"""``unihub.save(format="tf1-hub")``: what is written is what the function's own graph computes, whoever reads it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import saved_modules
import unihub
from live_runtime import HAS_HUB_MODULE, MODES, live_context
from saved_modules import HAS_RAGGED, classifier, note
from unihub import errors
from unihub._plan import matrix
from unihub._strategies.graph_module import Module

v1 = tf.compat.v1
GRAPH_MODES = [mode for mode in MODES if mode != "tf2"]
BOTH = [(set(), {}), ({"train"}, {"training": True})]
needs_upstream = pytest.mark.skipif(
    not HAS_HUB_MODULE, reason="tensorflow_hub has no hub.create_module_spec to compare"
)

# Where tensorflow_hub has its own writer, ours is tried too.
BACKENDS = ["tensorflow_hub", "unihub"] if HAS_HUB_MODULE else ["unihub"]
MODULES = ["classifier", "constant", "loop", "partitioned", "sparse", "vocabulary"] + ["ragged"] * HAS_RAGGED


def upstream():
    import tensorflow_hub as hub

    return hub


@pytest.fixture(params=GRAPH_MODES)
def graph(request):
    """A place to save from, in each graph runtime of this process."""
    with live_context(request.param) as live:
        yield live


@pytest.fixture(params=BACKENDS)
def backend(request, monkeypatch):
    """Who writes."""
    use(request.param, monkeypatch)
    return request.param


def use(backend, monkeypatch):
    monkeypatch.setattr(matrix, "WRITERS", [each for each in matrix.WRITERS if each.backend == backend])


def save(obj, target, **options):
    return unihub.save(obj, target, format="tf1-hub", **options)


def read_variables(path):
    reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def observe(module_class, path, tags):
    """All that a user can see of a module before it is called."""
    with tf.Graph().as_default():
        module = module_class(path, trainable=True, tags=tags)
        names = sorted(module.get_signature_names())
        sides = [
            (name, side(name)) for side in (module.get_input_info_dict, module.get_output_info_dict) for name in names
        ]
        infos = {
            (name, key): (info.dtype, str(info.get_shape()), info.is_sparse)
            for name, found in sides
            for key, info in found.items()
        }
        keys = sorted(set(v1.get_default_graph().get_all_collection_keys()) - {"asset_filepaths"})
        collections = {key: sorted(getattr(item, "name", "") for item in v1.get_collection(key)) for key in keys}
        return (
            names,
            infos,
            collections,
            sorted(module.variable_map),
            module.get_attached_message("note", v1.train.Feature),
        )


class TestRefusal:
    def test_tf2_has_no_way(self, place, tmp_path):
        if place.mode != "tf2":
            save(classifier, tmp_path / "module")
            return
        with pytest.raises(errors.UnsupportedError) as caught:
            save(classifier, tmp_path / "module")
        assert 'format="tf2-saved-model"' in caught.value.hint
        assert "tf.compat.v1.disable_v2_behavior()" in caught.value.hint
        assert list(tmp_path.iterdir()) == []

    def test_an_export_is_overwritten_only_when_asked(self, graph, tmp_path):
        target = tmp_path / "module"
        assert save(classifier, target) == str(target)
        with pytest.raises(errors.HandleError, match="exists already"):
            save(saved_modules.constant, target)
        assert "dense/w" in read_variables(target)
        save(saved_modules.constant, target, overwrite=True)
        assert not (target / "variables").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["module"]

    def test_an_empty_directory_is_filled(self, graph, tmp_path):
        save(classifier, tmp_path)
        assert (tmp_path / "tfhub_module.pb").read_bytes() == b"\x08\x03"


@pytest.fixture(scope="module", params=[(mode, backend) for mode in GRAPH_MODES for backend in BACKENDS], ids="-".join)
def written(request, tmp_path_factory):
    mode, backend = request.param
    directory = tmp_path_factory.mktemp("modules")
    with pytest.MonkeyPatch.context() as monkeypatch, live_context(mode):
        use(backend, monkeypatch)
        saved_modules.write_all(str(directory))
    return mode, directory


class TestRoundTrip:
    @pytest.mark.parametrize("name", MODULES)
    def test_ours_reads_it(self, written, name):
        mode, directory = written
        self.check(mode, Module, directory, name)

    @needs_upstream
    @pytest.mark.parametrize("name", MODULES)
    def test_hub_module_reads_it(self, written, name):
        mode, directory = written
        self.check(mode, upstream().Module, directory, name)

    @staticmethod
    def check(mode, module_class, directory, name):
        variants = sorted(directory.glob(name + ".*.golden.npz"))
        assert len(variants) == (2 if name in ("classifier", "loop") else 1)
        for file in variants:
            variant = file.name.split(".")[1]
            tags = set() if variant == "plain" else {variant}
            with live_context(mode):
                assert saved_modules.check(module_class, str(directory), name, tags) <= 1e-5

    def test_load_reads_it(self, written):
        mode, directory = written
        for reading in {mode, *MODES}:
            with live_context(reading) as live:
                model = unihub.load(str(directory / "vocabulary"))
                records = saved_modules.read(str(directory), "vocabulary", ())["default"]
                found = live.run(model(records["in"]["words"][0]), model)
                np.testing.assert_allclose(found, records["out"]["default"][0], rtol=1e-6)

    def test_asset_is_copied(self, written):
        _, directory = written
        assert (directory / "vocabulary" / "assets" / "vocabulary.txt").read_text().split() == list(saved_modules.WORDS)

    @needs_upstream
    @pytest.mark.parametrize("mode", GRAPH_MODES)
    def test_ours_is_as_upstream(self, mode, tmp_path):
        for name, (function, variants) in saved_modules.modules(str(tmp_path)).items():
            paths = {}
            for backend in BACKENDS:
                with pytest.MonkeyPatch.context() as monkeypatch, live_context(mode):
                    use(backend, monkeypatch)
                    paths[backend] = save(function, tmp_path / backend / name, variants=variants)
            for tags, _ in variants or BOTH[:1]:
                with live_context(mode):
                    found = [observe(upstream().Module, paths[backend], set(tags)) for backend in BACKENDS]
                assert found[0] == found[1]

    def test_assets_of_the_same_name(self, graph, backend, tmp_path):
        paths = []
        for words in ("alpha\nbeta\n", "beta\nalpha\n"):
            paths.append(tmp_path / str(len(paths)) / "words.txt")
            paths[-1].parent.mkdir()
            paths[-1].write_text(words)

        def two_tables():
            words = v1.placeholder(tf.string, [None])
            outputs = {}
            for index, path in enumerate(map(str, paths + paths[:1])):
                initializer = tf.lookup.TextFileInitializer(
                    path, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
                )
                outputs[str(index)] = tf.lookup.StaticHashTable(initializer, -1).lookup(words)
            unihub.add_signature(inputs=words, outputs=outputs)

        target = tmp_path / "module"
        save(two_tables, target)
        assert len(list((target / "assets").iterdir())) == 2
        for path in paths:
            path.unlink()
        model = unihub.load(str(target), as_dict=True)
        found = graph.run(model(["alpha", "beta", "x"]), model)
        assert {key: list(value) for key, value in found.items()} == {"0": [0, 1, -1], "1": [1, 0, -1], "2": [0, 1, -1]}


class TestValues:
    def train_elsewhere(self, directory, function=classifier, **arguments):
        """A checkpoint of what a function builds, and its values."""
        prefix = str(directory / "model.ckpt")
        from unihub._save import module_function

        with tf.Graph().as_default():
            with v1.variable_scope("", use_resource=True):
                module_function.call(function, arguments)
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                session.run([v1.assign_add(part, tf.ones_like(part)) for part in v1.global_variables()])
                return v1.train.Saver(sharded=True).save(session, prefix)

    @pytest.mark.parametrize("given", ["prefix", "directory"])
    def test_checkpoint(self, graph, backend, tmp_path, given):
        (tmp_path / "trained").mkdir()
        prefix = self.train_elsewhere(tmp_path / "trained")
        save(
            classifier,
            tmp_path / "module",
            variants=BOTH,
            checkpoint=prefix if given == "prefix" else tmp_path / "trained",
        )
        found = read_variables(tmp_path / "module")
        assert sorted(found) == ["dense/b", "dense/w", "moving_mean"]
        np.testing.assert_array_equal(found["moving_mean"], np.ones(4))
        wanted = tf.train.load_checkpoint(prefix).get_tensor("dense/w")
        np.testing.assert_array_equal(found["dense/w"], wanted)

    def test_checkpoint_of_a_partitioned_variable(self, graph, backend, tmp_path):
        (tmp_path / "trained").mkdir()
        prefix = self.train_elsewhere(tmp_path / "trained", saved_modules.partitioned)
        save(saved_modules.partitioned, tmp_path / "module", checkpoint=prefix)
        model = unihub.load(str(tmp_path / "module"))
        wanted = np.outer([2, 7, 0], [1, 2, 3, 4]) + 1
        np.testing.assert_array_equal(graph.run(model(np.array([2, 7, 0])), model), wanted)

    def test_checkpoint_that_does_not_fit(self, graph, backend, tmp_path):
        (tmp_path / "trained").mkdir()
        prefix = self.train_elsewhere(tmp_path / "trained")
        target = tmp_path / "out" / "module"
        with pytest.raises(errors.InputError, match="lacks 2 of the module's variables") as caught:
            save(saved_modules.loop, target, checkpoint=prefix)
        assert caught.value.names == ("gate", "w")
        with pytest.raises(errors.InputError, match="more than one variable 'moving_mean'"):
            save(lambda: other_mean([5]), target, checkpoint=prefix)
        with pytest.raises(errors.InputError, match="more than one variable 'moving_mean'"):
            save(lambda: other_mean([4], tf.float64), target, checkpoint=prefix)
        for missing in (prefix + "-1", tmp_path):
            with pytest.raises(errors.ModelNotFoundError, match="no checkpoint"):
                save(classifier, target, checkpoint=missing)
        assert list((tmp_path / "out").iterdir()) == []

    def test_variants_with_variables_of_their_own(self, graph, backend, tmp_path):
        def uneven(own):
            shared = v1.get_variable("shared", [2], initializer=v1.random_uniform_initializer())
            total = tf.reduce_sum(shared)
            for name in own:
                total += v1.get_variable(name, initializer=float(ord(name)))
            unihub.add_signature(outputs=total)

        variants = [(set(), {"own": "a"}), ({"train"}, {"own": "bc"}), ({"bare"}, {"own": ""})]
        save(uneven, tmp_path / "module", variants=variants)
        found = read_variables(tmp_path / "module")
        assert {name: found[name] for name in "abc"} == {"a": 97.0, "b": 98.0, "c": 99.0}
        for tags, own in ((set(), 97), ({"train"}, 98 + 99), ({"bare"}, 0)):
            with live_context(graph.mode) as live:
                model = unihub.load(str(tmp_path / "module"), tags=tags, trainable=True)
                value = live.run(model(), model)
            np.testing.assert_allclose(value, found["shared"].sum() + own, rtol=1e-6)

    def test_trained_in_a_session(self, graph, backend, tmp_path):
        save(classifier, tmp_path / "first", variants=BOTH)
        model = unihub.load(str(tmp_path / "first"), trainable=True)
        x = np.random.RandomState(0).randn(6, 4).astype("f")
        loss = tf.reduce_mean(tf.square(model(x) - 1.0)) + v1.losses.get_regularization_loss()
        step = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
        model.initialize(graph.session)
        for _ in range(3):
            graph.session.run([step] + v1.get_collection(v1.GraphKeys.UPDATE_OPS))
        trained = graph.session.run(list(model.variables))
        for number, obj in enumerate((model, model.native)):
            target = tmp_path / str(number)
            unihub.save(obj, target, session=graph.session)
            found = read_variables(target)
            for variable, value in zip(model.variables, trained):
                np.testing.assert_array_equal(found[variable.op.name[len("module/") :]], value)
            assert np.abs(found["moving_mean"]).max() > 0
            with live_context(graph.mode) as live:
                again = unihub.load(str(target))
                output = live.run(again(x), again)
            wanted = (x - found["moving_mean"]) @ found["dense/w"] + found["dense/b"]
            np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-5)

    def test_our_module_in_a_finalized_graph(self, graph, tmp_path):
        save(saved_modules.partitioned, tmp_path / "first")
        module = Module(str(tmp_path / "first"))
        graph.session.run(v1.global_variables_initializer())
        graph.graph.finalize()
        with graph.session.as_default():
            unihub.save(module, tmp_path / "second")
        np.testing.assert_array_equal(
            read_variables(tmp_path / "second")["table/weights"], np.outer(np.arange(8), [1, 2, 3, 4])
        )

    def test_session_that_does_not_fit(self, graph, tmp_path):
        (tmp_path / "out").mkdir()
        save(classifier, tmp_path / "first")
        model = unihub.load(str(tmp_path / "first"))
        with pytest.raises(errors.InputError, match="there is no session"):
            unihub.save(model, tmp_path / "out" / "module")
        with v1.Session(graph=tf.Graph()) as other, pytest.raises(
            errors.InputError, match="does not hold the variables"
        ):
            unihub.save(model, tmp_path / "out" / "module", session=other)
        with pytest.raises(errors.LoadError, match="could not be written"):  # Nothing is initialized.
            unihub.save(model, tmp_path / "out" / "module", session=graph.session)
        with pytest.raises(errors.InputError, match="takes no checkpoint"):
            unihub.save(model, tmp_path / "out" / "module", session=graph.session, checkpoint="x")
        assert list((tmp_path / "out").iterdir()) == []


def other_mean(shape, dtype=tf.float32):
    mean = v1.get_variable("moving_mean", shape, dtype)
    unihub.add_signature(outputs=tf.identity(mean))


@needs_upstream
class TestUpstreamObjects:
    def test_function_that_calls_tensorflow_hub(self, graph, tmp_path):
        hub = upstream()

        def mixed():
            x = v1.placeholder(tf.float32, [None])
            hub.add_signature(inputs=x, outputs=2 * x)
            hub.attach_message("note", note("theirs"))
            unihub.add_signature("ours", x, 3 * x)

        save(mixed, tmp_path / "module")
        module = hub.Module(str(tmp_path / "module"))
        assert sorted(module.get_signature_names()) == ["default", "ours"]
        assert module.get_attached_message("note", v1.train.Feature) == note("theirs")

    def test_spec(self, graph, tmp_path):
        hub = upstream()

        def random():
            w = v1.get_variable("w", [3], initializer=v1.random_uniform_initializer())
            hub.add_signature(outputs=tf.identity(w))

        spec = hub.create_module_spec(random)
        unihub.save(spec, tmp_path / "initial")
        initial = read_variables(tmp_path / "initial")["w"]
        assert initial.shape == (3,)
        loaded = hub.load_module_spec(str(tmp_path / "initial"))
        unihub.save(loaded, tmp_path / "again")
        np.testing.assert_array_equal(read_variables(tmp_path / "again")["w"], initial)
        prefix = str(tmp_path / "initial" / "variables" / "variables")
        unihub.save(spec, tmp_path / "restored", checkpoint=prefix)
        np.testing.assert_array_equal(read_variables(tmp_path / "restored")["w"], initial)
        with pytest.raises(errors.InputError, match="takes no variants"):
            unihub.save(spec, tmp_path / "never", variants=BOTH)


def signature_of(value, side="outputs"):
    def function():
        unihub.add_signature(**{side: value() if callable(value) else value})

    return function


def nothing():
    pass


def twice():
    for _ in range(2):
        unihub.add_signature(outputs=tf.constant(1.0))


def not_a_name():
    unihub.add_signature(3, outputs=tf.constant(1.0))


def bad_key():
    unihub.attach_message("no key", note("x"))


def bad_message():
    unihub.attach_message("key", "a text")


def collection():
    v1.add_to_collection("mine", tf.constant(1.0))
    unihub.add_signature(outputs=tf.constant(1.0))


def emptied_collection():
    collection()
    del v1.get_collection_ref("mine")[:]


def asset_from_a_placeholder():
    v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, v1.placeholder(tf.string, []))
    unihub.add_signature(outputs=tf.constant(1.0))


def colocated_input():
    other = tf.constant(1.0)
    with v1.colocate_with(other):
        x = v1.placeholder(tf.float32)
    unihub.add_signature(inputs=x, outputs=x + other)


def colocated_state():
    with v1.colocate_with(tf.constant(1.0)):
        unihub.add_signature(outputs=tf.identity(v1.get_variable("w", [])))


class TestFailures:
    """Each is told in our words, and leaves nothing."""

    @pytest.mark.parametrize(
        "function, error, words",
        [
            (nothing, errors.SignatureError, "added no signature"),
            (twice, errors.SignatureError, "twice"),
            (not_a_name, errors.SignatureError, "cannot name a signature"),
            (signature_of({3: None}), errors.SignatureError, "cannot name a signature"),
            (signature_of([1.0]), errors.InputError, "output 'default' of the signature 'default' is not a tensor"),
            (signature_of({"x": np.ones(2)}, "inputs"), errors.InputError, "input 'x'.* is not a tensor"),
            (signature_of(lambda: v1.get_variable("w", [])), errors.InputError, "is not a tensor"),
            (bad_key, errors.InputError, "not a valid key for a message"),
            (bad_message, errors.InputError, "not a protocol message"),
            (collection, errors.InputError, "collections that a module cannot have: mine"),
            (colocated_input, errors.InputError, "the input 'default' of 'default' must not be placed"),
            (colocated_state, errors.InputError, "'w', which holds state, must not be placed"),
            (tf.Graph, errors.InputError, "cannot be written as a tf1-hub model"),
            (3, errors.InputError, "a int cannot be written"),
            (tf.Module(), errors.InputError, "a Module cannot be written"),
            (lambda: 1 / 0, errors.LoadError, "could not be written"),
        ],
    )
    def test_function(self, graph, backend, tmp_path, function, error, words):
        with pytest.raises(error, match=words):
            save(function, tmp_path / "module")
        assert list(tmp_path.iterdir()) == []

    def test_emptied_collection(self, graph, backend, tmp_path):
        path = save(emptied_collection, tmp_path / "module")
        with live_context(MODES[-1]) as live:
            model = unihub.load(path)
            assert live.run(model(), model) is not None
            assert v1.get_collection("mine") == []

    def test_tensor_of_another_graph(self, graph, backend, tmp_path):
        with pytest.raises(errors.InputError, match="belongs to another graph"):
            save(signature_of(tf.constant(1.0)), tmp_path / "module")
        assert list(tmp_path.iterdir()) == []

    def test_asset_that_is_no_constant(self, graph, backend, tmp_path):
        with pytest.raises(errors.UnihubError, match="asset"):
            save(asset_from_a_placeholder, tmp_path / "module")
        assert list(tmp_path.iterdir()) == []

    def test_missing_asset(self, graph, backend, tmp_path):
        with pytest.raises(errors.LoadError):
            save(lambda: saved_modules.vocabulary(str(tmp_path / "absent.txt")), tmp_path / "module")
        assert list(tmp_path.iterdir()) == []

    def test_variants(self, graph, backend, tmp_path):
        with pytest.raises(errors.TagsError, match="two graph variants have the tags {'train'}"):
            save(classifier, tmp_path / "module", variants=[({"train"}, {}), (["train"], {"training": True})])
        shapes = [(set(), {"shape": [2]}), ({"train"}, {"shape": [3]})]
        with pytest.raises(errors.InputError, match="more than one variable 'moving_mean'"):
            save(other_mean, tmp_path / "module", variants=shapes)
        with pytest.raises(errors.InputError, match="takes no signatures"):
            save(classifier, tmp_path / "module", signatures={"a": classifier})
        assert list(tmp_path.iterdir()) == []

    def test_outside_of_a_module_function(self, graph):
        with pytest.raises(errors.SignatureError, match="add_signature was called where no module"):
            unihub.add_signature(outputs=tf.constant(1.0))
        with pytest.raises(errors.SignatureError, match="attach_message was called where no module"):
            unihub.attach_message("note", note("x"))
