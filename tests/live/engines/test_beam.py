"""``UnihubModelHandler`` in ``RunInference``: with real workers in processes of their own, against one process."""

import os
import pickle
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from apache_beam.ml.inference.base import KeyedModelHandler, ModelMetadata, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability import fn_api_runner
from apache_beam.testing.util import assert_that, equal_to

import beam_parts
import engine_parts
import unihub
from live_runtime import DATA
from paths import SUPPORT
from unihub import errors
from unihub.integrations.beam import UnihubModelHandler, raise_failure

TEXTS, IMAGES = 100_000, 20_000
TEXT = str(DATA / "tf1_hub" / "text_embedding")
SAMPLE = ["hello world", "the cat", "of a dog nobody knows"]
TWO_PROCESSES = ["--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]


@pytest.fixture(scope="module", autouse=True)
def importable():
    """Workers import what tests hand them."""
    paths = [str(SUPPORT), *sys.path]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(paths))
        yield


@pytest.fixture
def noted(tmp_path, monkeypatch):
    """The file in which loads are noted."""
    monkeypatch.setenv("UNIHUB_LOADS", str(tmp_path / "loads"))
    return tmp_path / "loads"


@pytest.fixture(scope="module")
def expected_texts(tmp_path_factory):
    return compute(tmp_path_factory, TEXT, engine_parts.text, TEXTS)


@pytest.fixture(scope="module")
def expected_images(tmp_path_factory, converted_convnet):
    return compute(tmp_path_factory, converted_convnet, engine_parts.image, IMAGES, signature="default")


def compute(directories, model, make, count, **options):
    """What one process computes in a plain loop, in a file."""
    loaded = unihub.load(model, **options)
    batches = [[make(number) for number in range(first, first + 500)] for first in range(0, count, 500)]
    path = directories.mktemp("expected") / "values.npy"
    np.save(
        str(path),
        np.concatenate([loaded(batch if make is engine_parts.text else np.stack(batch)).numpy() for batch in batches]),
    )
    return path


def infer(elements, handler, **options):
    """The results of a small pipeline in this process, in the order of the elements."""
    found = []
    pipeline = beam.Pipeline(runner=fn_api_runner.FnApiRunner())
    keyed = pipeline | beam.Create(list(enumerate(elements))) | RunInference(KeyedModelHandler(handler), **options)
    keyed | beam.Map(lambda pair: (pair[0], pickle.dumps(tuple(pair[1])))) | Collect(found)
    pipeline.run().wait_until_finish()
    return [pickle.loads(result) for _, result in sorted(found)]


class Collect(beam.PTransform):
    """Appends elements to a list of this process, in which the runner is."""

    lists = {}

    def __init__(self, found):
        super().__init__()
        self.key = id(found)
        self.lists[self.key] = found

    def expand(self, elements):
        key = self.key
        return elements | beam.Map(lambda element: Collect.lists[key].append(element))


def outputs(elements, handler, **options):
    return [result[1] for result in infer(elements, handler, **options)]


class TestElements:
    @pytest.mark.parametrize(
        "make",
        [str, str.encode, np.str_, tf.constant, lambda text: {"default": text}, lambda text: {"default": tf.constant(text)},
         lambda text: beam.Row(default=text)],
        ids=["str", "bytes", "numpy", "tensor", "dict", "dict of tensors", "row"],
    )  # fmt: skip
    def test_texts(self, make):
        found = outputs([make(text) for text in SAMPLE], UnihubModelHandler(TEXT))
        np.testing.assert_allclose(found, unihub.load(TEXT)(SAMPLE), rtol=1e-6)

    @pytest.mark.parametrize(
        "make",
        [np.asarray, tf.constant, np.ndarray.tolist, lambda image: {"images": image}],
        ids=["array", "tensor", "list", "dict"],
    )
    def test_images_and_outputs_by_name(self, converted_convnet, make):
        images = [engine_parts.image(number) for number in range(3)]
        found = outputs(
            [make(image) for image in images], UnihubModelHandler(converted_convnet, "feature_map", as_dict=True)
        )
        wanted = unihub.load(converted_convnet, signature="feature_map", as_dict=True)(np.stack(images))
        for number, row in enumerate(found):
            assert sorted(row) == ["default", "map"]
            for name, value in row.items():
                np.testing.assert_allclose(value, wanted[name][number], rtol=1e-5, atol=1e-6)

    def test_the_result_has_the_element_and_the_handle(self):
        (result,) = infer(["hello"], UnihubModelHandler(TEXT))
        assert result[0] == "hello" and result[2] == TEXT


class TestBatched:
    """Elements that are batches already."""

    BATCHES = [SAMPLE[:1], SAMPLE, SAMPLE[1:]]

    @pytest.mark.parametrize(
        "make",
        [list, tuple, np.array, tf.constant, lambda texts: {"default": texts}, lambda texts: beam.Row(default=texts)],
        ids=["list", "tuple", "array", "tensor", "dict", "row"],
    )  # fmt: skip
    def test_texts(self, make):
        handler = UnihubModelHandler(TEXT, batched=True)
        assert handler.batch_elements_kwargs() == {"min_batch_size": 1, "max_batch_size": 1}
        found = outputs([make(texts) for texts in self.BATCHES], handler)
        assert [len(rows) for rows in found] == [len(texts) for texts in self.BATCHES]
        np.testing.assert_allclose(
            np.concatenate(found), unihub.load(TEXT)(sum(map(list, self.BATCHES), [])), rtol=1e-6
        )

    def test_images_and_outputs_by_name(self, converted_convnet):
        images = np.stack([engine_parts.image(number) for number in range(3)])
        handler = UnihubModelHandler(converted_convnet, "feature_map", as_dict=True, batched=True)
        found = outputs([images[:2], images[2:]], handler)
        wanted = unihub.load(converted_convnet, signature="feature_map", as_dict=True)(images)
        for name in ("default", "map"):
            np.testing.assert_allclose(np.concatenate([row[name] for row in found]), wanted[name], rtol=1e-5, atol=1e-6)

    def test_a_batch_fails_as_a_whole_and_the_others_do_not(self):
        handler = UnihubModelHandler(TEXT, errors="return", batched=True, min_batch_size=3)
        found = outputs([["hello"], ["world", 3.0], ["cat"]], handler)
        assert isinstance(found[1], errors.InputError) and [len(rows) for rows in found[::2]] == [1, 1]

    def test_sparse_outputs_are_dense(self, tmp_path):
        class Sparse(tf.Module):
            @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
            def __call__(self, x):
                return tf.sparse.from_dense(x)

        tf.saved_model.save(Sparse(), str(tmp_path / "sparse"))
        (found,) = outputs([np.eye(2, dtype=np.float32)], UnihubModelHandler(tmp_path / "sparse", batched=True))
        np.testing.assert_array_equal(found, np.eye(2))


class TestTextModels:
    """The case of https://github.com/apache/beam/issues/30288: a model of texts, called with texts or with a dict."""

    @pytest.fixture(scope="class")
    def model(self, tmp_path_factory):
        """A SavedModel that takes columns of texts, as Keras writes them, and has the names of its inputs."""

        class Model(tf.Module):
            @tf.function(
                input_signature=[
                    tf.TensorSpec([None, 1], tf.string, "title"),
                    tf.TensorSpec([None, 1], tf.string, "body"),
                ]
            )
            def serve(self, title, body):
                lengths = tf.concat([tf.strings.length(title), tf.strings.length(body)], axis=1)
                return {"lengths": lengths, "joined": tf.strings.join([title, body], "/")[:, 0]}

        path = tmp_path_factory.mktemp("models") / "texts"
        module = Model()
        tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
        return str(path)

    def test_dicts_of_texts(self, model):
        found = outputs([{"title": "a", "body": "bcd"}, {"title": b"ef", "body": ""}], UnihubModelHandler(model))
        assert [(list(row["lengths"]), row["joined"]) for row in found] == [([1, 3], b"a/bcd"), ([2, 0], b"ef/")]

    def test_an_input_that_all_elements_share(self, model):
        found = outputs(["a", "bc"], UnihubModelHandler(model, output_key="joined"), inference_args={"body": [["x"]]})
        assert found == [b"a/x", b"bc/x"]

    def test_texts_to_a_model_that_is_called_itself(self):
        path = str(DATA / "saved_model" / "text")
        np.testing.assert_allclose(outputs(SAMPLE, UnihubModelHandler(path)), unihub.load(path)(SAMPLE), rtol=1e-6)


class TestArguments:
    MODEL = str(DATA / "saved_model" / "reusable")
    ROWS = [np.full([8], value, np.float32) for value in (-1.0, 0.5)]

    @pytest.mark.parametrize("arguments, wanted", [({}, [0.0, 0.0]), ({"training": True}, [-3.0, 2.0])])
    def test_training_goes_to_the_call(self, tmp_path, arguments, wanted):
        class Doubling(tf.Module):
            weight = None

            @tf.function(input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.bool)])
            def compute(self, x, training):
                return tf.where(training, x * self.weight, 0.0)

            @tf.function
            def __call__(self, x, training=False):
                return self.compute(x, training)

        module = Doubling()
        module.weight = tf.Variable(2.0)
        for training in (False, True):
            (
                module(tf.zeros([1]), training=training),
                module.__call__.get_concrete_function(tf.TensorSpec([None]), training=training),
            )
        tf.saved_model.save(module, str(tmp_path / "doubling"))
        handler = UnihubModelHandler(tmp_path / "doubling", trainable=True)
        assert outputs([-1.5, 1.0], handler, inference_args=arguments) == wanted

    def test_training_a_frozen_model_is_an_error(self):
        with pytest.raises(Exception, match="trainable=False"):
            outputs(self.ROWS, UnihubModelHandler(self.MODEL), inference_args={"training": True})

    def test_an_output_without_rows_is_an_error(self, tmp_path):
        class Mean(tf.Module):
            @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
            def serve(self, x):
                return {"mean": tf.reduce_mean(x)}

        module = Mean()
        tf.saved_model.save(module, str(tmp_path / "mean"), signatures={"serving_default": module.serve})
        with pytest.raises(Exception, match="one row for each"):
            outputs([1.0, 2.0], UnihubModelHandler(tmp_path / "mean", "serving_default"))


class TestHandler:
    def test_it_is_plain_values(self):
        handler = pickle.loads(pickle.dumps(UnihubModelHandler(Path(TEXT), tags=(), max_batch_size=7, model_copies=2)))
        assert handler.batch_elements_kwargs() == {"max_batch_size": 7}
        assert handler.share_model_across_processes() and handler.model_copies() == 2
        assert len(pickle.dumps(handler)) < 1000

    def test_sizes(self):
        sizes = UnihubModelHandler(TEXT).get_num_bytes
        assert sizes(["abc", b"de"]) == 5
        assert sizes([np.zeros([4], np.float32), tf.zeros([2])]) == 24
        assert sizes([{"a": "xyz", "b": [1.0, 2.0]}, 1]) == 27

    def test_an_object_is_no_handle(self):
        with pytest.raises(errors.HandleError, match="cannot be of type"):
            UnihubModelHandler(lambda x: x)

    def test_trust_goes_to_the_load(self, tmp_path):
        module = tf.Module()
        module.read = tf.function(tf.io.read_file, input_signature=[tf.TensorSpec([], tf.string, "x")])
        tf.saved_model.save(module, str(tmp_path), signatures=module.read)
        with pytest.raises(errors.UnsafeModelError, match="ReadFile"):
            UnihubModelHandler(str(tmp_path), trust=False).load_model()
        assert UnihubModelHandler(str(tmp_path), trust=["ReadFile"]).load_model()

    def test_errors_is_one_of_three_words(self):
        with pytest.raises(errors.InputError, match="isolate"):
            UnihubModelHandler(TEXT, errors="isolated")

    def test_a_missing_model_fails_the_pipeline_with_its_error(self):
        with pytest.raises(Exception, match="ModelNotFoundError"):
            outputs(["a"], UnihubModelHandler("/nowhere/model"))

    def test_the_batches_are_counted_in_the_namespace(self):
        pipeline = beam.Pipeline(runner=fn_api_runner.FnApiRunner())
        pipeline | beam.Create(SAMPLE) | RunInference(UnihubModelHandler(TEXT, min_batch_size=3, max_batch_size=3))
        result = pipeline.run()
        result.wait_until_finish()
        query = beam.metrics.MetricsFilter().with_namespace("BeamML_unihub")
        counted = {each.key.metric.name: each.committed for each in result.metrics().query(query)["counters"]}
        assert counted["num_inferences"] == 3
        sizes = {each.key.metric.name: each.committed for each in result.metrics().query(query)["distributions"]}
        assert sizes["inference_request_batch_byte_size"].sum == sum(map(len, SAMPLE))


class TestUpdate:
    def test_a_side_input_changes_the_model(self, tmp_path):
        for factor in (2.0, 3.0):
            write_product(tmp_path / str(factor), factor)
        handler = UnihubModelHandler(tmp_path / "2.0", signature="serving_default")
        with beam.Pipeline(runner=fn_api_runner.FnApiRunner()) as pipeline:
            update = pipeline | "update" >> beam.Create([ModelMetadata(str(tmp_path / "3.0"), "third")])
            results = pipeline | beam.Create([1.0, 10.0]) | RunInference(handler, model_metadata_pcoll=update)
            found = results | beam.Map(lambda result: (float(result.inference), result.model_id))
            assert_that(found, equal_to([(3.0, str(tmp_path / "3.0")), (30.0, str(tmp_path / "3.0"))]))


def write_product(path, factor):
    module = tf.Module()
    module.factor = tf.Variable(factor)
    serve = tf.function(lambda x: {"y": x * module.factor}, input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    tf.saved_model.save(module, str(path), signatures={"serving_default": serve})


class TestFailures:
    ELEMENTS = ["hello", 3.0, "world", None, "cat", {"wrong": "name"}]
    GOOD = ["hello", "world", "cat"]

    @pytest.mark.parametrize(
        "sizes", [{}, {"min_batch_size": 6, "max_batch_size": 6}], ids=["as they come", "one batch"]
    )
    def test_each_alone_goes_to_the_dead_letters(self, sizes):
        with beam.Pipeline(runner=fn_api_runner.FnApiRunner()) as pipeline:
            handler = UnihubModelHandler(TEXT, errors="isolate", **sizes)
            good, bad = pipeline | beam.Create(self.ELEMENTS) | RunInference(handler).with_exception_handling()
            assert_that(good | beam.Map(lambda result: result.example), equal_to(self.GOOD), label="good")
            letters = bad.failed_postprocessing[0] | beam.Map(lambda pair: (repr(pair[0].example), pair[1][0].__name__))
            assert_that(letters, equal_to([(repr(each), "InputError") for each in (3.0, None, {"wrong": "name"})]))

    def test_with_keys(self):
        handler = KeyedModelHandler(UnihubModelHandler(TEXT, errors="return", min_batch_size=3, max_batch_size=3))
        with beam.Pipeline(runner=fn_api_runner.FnApiRunner()) as pipeline:
            rows = pipeline | beam.Create(list(zip("abc", ["hello", 3.0, "world"])))
            good, bad = rows | RunInference(handler.with_postprocess_fn(raise_failure)).with_exception_handling()
            assert_that(good | beam.Keys(), equal_to(["a", "c"]), label="good")
            assert_that(bad.failed_postprocessing[0] | beam.Map(lambda pair: pair[0][0]), equal_to(["b"]))

    def test_what_tensorflow_fails_at_while_it_runs(self, tmp_path):
        module = tf.Module()
        spec = [tf.TensorSpec([None], tf.string, "text")]
        serve = tf.function(lambda text: {"number": tf.strings.to_number(text)}, input_signature=spec)
        tf.saved_model.save(module, str(tmp_path / "parse"), signatures={"serving_default": serve})
        handler = UnihubModelHandler(tmp_path / "parse", "serving_default", errors="return", min_batch_size=4)
        found = outputs(["1", "2.5", "three", "4"], handler)
        assert [found[0], found[1], found[3]] == [1.0, 2.5, 4.0]
        assert isinstance(found[2], errors.LoadError) and "three" in str(found[2])

    def test_by_default_the_batch_fails(self):
        with pytest.raises(Exception, match="does not fit the model"):
            outputs(self.ELEMENTS[:2], UnihubModelHandler(TEXT))

    def test_arrays_of_other_shapes_are_batches_of_their_own(self, tmp_path):
        module = tf.Module()
        spec = [tf.TensorSpec([None, None], tf.float32, "x")]
        serve = tf.function(lambda x: {"sum": tf.reduce_sum(x, axis=1)}, input_signature=spec)
        tf.saved_model.save(module, str(tmp_path / "sum"), signatures={"serving_default": serve})
        handler = UnihubModelHandler(tmp_path / "sum", "serving_default", errors="return", min_batch_size=3)
        rows = [np.ones([size], np.float32) for size in (2, 3, 3)]
        assert outputs(rows, handler) == [2.0, 3.0, 3.0]


class TestManyRows:
    """Real worker processes; the results are compared with those of one process row by row."""

    def run(self, options, handler, make, count, expected):
        with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
            results = pipeline | beam_parts.Rows(make, count) | RunInference(KeyedModelHandler(handler))
            judged = results | beam_parts.judge(expected) | beam.CombineGlobally(beam_parts.Judged())
            assert_that(judged, equal_to([(0, count, count * (count - 1) // 2)]))

    def test_texts_in_two_processes(self, noted, expected_texts):
        self.run(TWO_PROCESSES, beam_parts.Noting(TEXT, min_batch_size=500), engine_parts.text, TEXTS, expected_texts)
        assert_one_load_each(noted, 2)

    def test_images_in_two_processes(self, noted, converted_convnet, expected_images):
        handler = beam_parts.Noting(converted_convnet, "default", min_batch_size=100, max_batch_size=500)
        self.run(TWO_PROCESSES, handler, engine_parts.image, IMAGES, expected_images)
        assert_one_load_each(noted, 2)

    def test_bad_rows_in_two_processes(self, noted):
        elements = [engine_parts.text(number) if number % 1000 else number for number in range(10_000)]
        handler = beam_parts.Noting(TEXT, errors="isolate")
        with beam.Pipeline(options=PipelineOptions(TWO_PROCESSES)) as pipeline:
            rows = pipeline | beam.Create(elements) | beam.Reshuffle()
            good, bad = rows | RunInference(handler).with_exception_handling()
            assert_that(good | beam.combiners.Count.Globally(), equal_to([9990]), label="good")
            letters = bad.failed_postprocessing[0] | beam.Map(lambda pair: pair[0].example)
            assert_that(letters, equal_to(list(range(0, 10_000, 1000))))
        assert_one_load_each(noted, 2)

    def test_one_model_for_all_processes(self, noted):
        handler = beam_parts.Noting(TEXT, large_model=True)
        with beam.Pipeline(options=PipelineOptions(TWO_PROCESSES)) as pipeline:
            rows = pipeline | beam.Create([engine_parts.text(number) for number in range(4000)]) | beam.Reshuffle()
            shapes = rows | RunInference(handler) | beam.Map(lambda result: result.inference.shape)
            assert_that(shapes | beam.combiners.Count.PerElement(), equal_to([((20,), 4000)]))
        assert_one_load_each(noted, 1)

    def test_a_portable_runner(self, noted, expected_texts):
        with job_service() as endpoint:
            options = ["--runner=PortableRunner", "--job_endpoint=" + endpoint, "--environment_type=LOOPBACK"]
            handler = beam_parts.Noting(TEXT, min_batch_size=500)
            self.run(options, handler, engine_parts.text, 20_000, expected_texts)
        assert_one_load_each(noted, 1)


class job_service:
    """Beam's own job server, in a process of its own."""

    def __enter__(self):
        # It chooses a port itself, and writes down which.
        chosen = Path(tempfile.mkdtemp(), "port")
        command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"]
        command += ["--port", "0", "--port_file", str(chosen)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        engine_parts.wait_for(lambda: chosen.exists() and chosen.read_text().strip())
        port = int(chosen.read_text())
        engine_parts.wait_for(lambda: answers(port))
        return "localhost:{}".format(port)

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(30)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("localhost", port)) == 0


def assert_one_load_each(noted, processes):
    """As many processes loaded the model as there should be, and each of them once."""
    found = engine_parts.loads(noted)
    assert len(found) == len(set(found)) == processes
    assert str(os.getpid()) not in found or processes == 1
