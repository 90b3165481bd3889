"""``predict_udf`` in Spark: executors in processes of their own, against one process."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import tensorflow as tf
from pyspark.sql import Row, SparkSession, functions

import engine_parts
import unihub
from live_runtime import DATA
from paths import SUPPORT
from unihub import errors
from unihub.integrations.spark import predict_udf

TEXTS, IMAGES = 100_000, 20_000
TEXT = str(DATA / "tf1_hub" / "text_embedding")


@pytest.fixture(scope="module")
def loads(tmp_path_factory):
    """The file in which the executors note what they load."""
    return tmp_path_factory.mktemp("noted") / "loads"


@pytest.fixture(scope="module")
def spark(loads):
    """A cluster of two executors, each in a process of its own."""
    paths = os.pathsep.join([str(SUPPORT / "noting"), str(SUPPORT), *sys.path])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local-cluster[2,1,2048]").config("spark.ui.enabled", "false")
    settings = {
        "PYTHONPATH": paths,
        "UNIHUB_LOADS": str(loads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    for name, value in settings.items():
        builder = builder.config("spark.executorEnv." + name, value)
    # Where the driver puts what it sends to the executors.
    builder = builder.config("spark.local.dir", str(loads.parent))
    # Java reserves no more of the machine than the executors need, and they may be slow to start where it is busy.
    builder = builder.config("spark.executor.memory", "1g").config("spark.driver.host", "localhost")
    # A file is a task.
    builder = builder.config("spark.sql.files.maxPartitionBytes", "16m").config(
        "spark.sql.files.openCostInBytes", "16m"
    )
    builder = builder.config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
    session = builder.config("spark.scheduler.maxRegisteredResourcesWaitingTime", "120s").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture
def noted(loads):
    """The same, of one test alone."""
    loads.write_text("")
    return loads


@pytest.fixture(scope="module")
def two_texts(tmp_path_factory):
    """A SavedModel with two inputs and two outputs."""

    class Model(tf.Module):
        @tf.function(
            input_signature=[tf.TensorSpec([None, 1], tf.string, "title"), tf.TensorSpec([None], tf.string, "body")]
        )
        def serve(self, title, body):
            joined = tf.strings.join([title[:, 0], body], "/")
            return {"joined": joined, "lengths": tf.stack([tf.strings.length(title[:, 0]), tf.strings.length(body)], 1)}

    path = tmp_path_factory.mktemp("models") / "two_texts"
    module = Model()
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.serve})
    return str(path)


def frame(spark, rows, schema):
    return spark.createDataFrame(rows, schema).coalesce(1)


class TestColumns:
    def test_texts(self, spark):
        texts = ["hello world", "the cat", "of a dog nobody knows"]
        column = predict_udf(TEXT)("text").alias("found")
        found = [row.found for row in frame(spark, [(text,) for text in texts], "text string").select(column).collect()]
        np.testing.assert_allclose(found, unihub.load(TEXT)(texts), rtol=1e-5)

    def test_arrays_flat_and_nested(self, spark, converted_convnet):
        images = [engine_parts.image(number) for number in range(3)]
        rows = frame(
            spark,
            [(image.ravel().tolist(), image.tolist()) for image in images],
            "flat array<float>, nested array<array<array<float>>>",
        )
        wanted = unihub.load(converted_convnet, signature="default")(np.stack(images)).numpy()
        udf = predict_udf(converted_convnet, "default", batch_size=2)
        assert udf.input_tensor_shapes == [[32, 32, 3]] and udf.return_type.simpleString() == "array<float>"
        for row, expected in zip(
            rows.select(udf("flat").alias("flat"), udf("nested").alias("nested")).collect(), wanted
        ):
            np.testing.assert_allclose(row.flat, expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(row.nested, expected, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("dtype", ["float32", "uint8"])
    def test_arrays_as_bytes(self, spark, tmp_path, dtype):
        module = tf.Module()
        specs = [tf.TensorSpec([None, 2, 3], dtype, "image")]
        serve = tf.function(lambda image: tf.reduce_sum(image, axis=2), input_signature=specs)
        tf.saved_model.save(module, str(tmp_path / "sums"), signatures={"serving_default": serve})
        udf = predict_udf(tmp_path / "sums", errors="return")
        images = np.arange(24, dtype=dtype).reshape(4, 2, 3)
        cells = [image.tobytes() for image in images] + [b"12345", images[:, 0].tobytes(), None]
        rows = frame(spark, [(cell,) for cell in cells], "image binary").select(udf("image").alias("found"))
        found = [row.found for row in rows.collect()]
        assert [row.output_0 for row in found] == images.sum(axis=2).tolist() + [None] * 3
        assert [row.error for row in found[:4]] == [None] * 4
        for row, given in zip(found[4:], ["5 bytes" if dtype == "float32" else "5 values", "12 values", "null"]):
            assert row.error.startswith("InputError: ") and given in row.error

    def test_all_outputs_are_a_struct(self, spark, converted_convnet):
        udf = predict_udf(converted_convnet, "feature_map", as_dict=True)
        assert udf.return_type.simpleString() == "struct<default:array<float>,map:array<float>>"
        image = engine_parts.image(7)
        row = (
            frame(spark, [(image.ravel().tolist(),)], "images array<float>")
            .select(udf(images="images").alias("found"))
            .first()
        )
        wanted = unihub.load(converted_convnet, signature="feature_map", as_dict=True)(image[np.newaxis])
        np.testing.assert_allclose(row.found["map"], wanted["map"].numpy().ravel(), rtol=1e-5, atol=1e-6)

    def test_several_inputs_in_order_by_name_and_of_a_struct(self, spark, two_texts):
        udf = predict_udf(two_texts)
        assert udf.return_type.simpleString() == "struct<joined:string,lengths:array<int>>"
        rows = frame(spark, [("a", "bcd"), ("ü", "")], "t string, b string")
        rows = rows.withColumn(
            "both", functions.struct(functions.col("t").alias("title"), functions.col("b").alias("body"))
        )
        # In the order of the signature, which is that of the names.
        for column in (udf("b", "t"), udf(title="t", body="b"), udf.of_struct("both")):
            found = rows.select(column.alias("found")).collect()
            assert [row.found for row in found] == [
                Row(joined="a/bcd", lengths=[1, 3]),
                Row(joined="ü/", lengths=[2, 0]),
            ]

    def test_an_input_that_all_rows_share(self, spark, two_texts):
        udf = predict_udf(two_texts, output_key="joined", arguments={"body": ["x", "x"]})
        found = frame(spark, [("a",), ("b",)], "title string").select(udf("title").alias("found")).collect()
        assert [row.found for row in found] == ["a/x", "b/x"]

    def test_wrong_columns_are_told_on_the_driver(self, two_texts):
        udf = predict_udf(two_texts)
        for columns, by_name in [
            (("a",), {}),
            (("a", "b", "c"), {}),
            (("a",), {"body": "b"}),
            ((), {"titel": "a", "body": "b"}),
        ]:
            with pytest.raises(errors.InputError, match="body, title"):
                udf(*columns, **by_name)


class TestBatched:
    """Rows that are batches already."""

    def test_texts(self, spark):
        batches = [["hello world", "the cat"], ["of a dog nobody knows"], [], None, ["the", None]]
        udf = predict_udf(TEXT, batched=True, errors="return")
        assert (
            udf.input_tensor_shapes == [[None]]
            and udf.return_type.simpleString() == "struct<default:array<float>,error:string>"
        )
        rows = frame(spark, [(texts,) for texts in batches], "texts array<string>").select(udf("texts").alias("found"))
        found = [row.found for row in rows.collect()]
        for texts, row in zip(batches[:2], found):
            np.testing.assert_allclose(row.default, unihub.load(TEXT)(texts).numpy().ravel(), rtol=1e-5)
        assert found[2].default == [] and [row.error is None for row in found] == [True, True, True, False, False]
        assert "null" in found[3].error and found[4].error.startswith("InputError: ")

    @pytest.mark.parametrize(
        "batches", [[["hello world", "the cat"], ["of a dog", "nobody knows"]], [[], []]], ids=["full", "empty"]
    )
    def test_texts_of_equal_batches(self, spark, batches):
        column = predict_udf(TEXT, batched=True)("texts").alias("found")
        found = [
            row.found
            for row in frame(spark, [(texts,) for texts in batches], "texts array<string>").select(column).collect()
        ]
        np.testing.assert_allclose(found, [unihub.load(TEXT)(texts).numpy().ravel() for texts in batches], rtol=1e-5)

    def test_images(self, spark, converted_convnet):
        images = np.stack([engine_parts.image(number) for number in range(3)])
        udf = predict_udf(converted_convnet, "default", batched=True)
        assert udf.input_tensor_shapes == [[None, 32, 32, 3]]
        wanted = unihub.load(converted_convnet, signature="default")(images).numpy()
        rows = frame(
            spark,
            [(part.tobytes(), part.ravel().tolist()) for part in (images[:2], images[2:])],
            "bytes binary, flat array<float>",
        )
        for column in ("bytes", "flat"):
            found = [row.found for row in rows.select(udf(column).alias("found")).collect()]
            np.testing.assert_allclose(np.concatenate(found), wanted.ravel(), rtol=1e-5, atol=1e-6)

    def test_several_inputs_and_a_number_a_row(self, spark, two_texts):
        udf = predict_udf(two_texts, batched=True)
        assert udf.return_type.simpleString() == "struct<joined:array<string>,lengths:array<int>>"
        rows = frame(spark, [(["a", "ü"], ["bcd", ""])], "title array<string>, body array<string>")
        found = rows.select(udf(title="title", body="body").alias("found")).first().found
        assert found == Row(joined=["a/bcd", "ü/"], lengths=[1, 3, 2, 0])


class TestDriver:
    def test_it_needs_no_tensorflow(self, converted_convnet):
        code = "import sys; sys.modules['tensorflow'] = None; from unihub.integrations.spark import predict_udf; print(predict_udf({!r}, 'default').return_type)"
        printed = subprocess.run(
            [sys.executable, "-c", code.format(converted_convnet)], stdout=subprocess.PIPE, check=True, text=True
        )
        assert printed.stdout.strip() == "ArrayType(FloatType(), True)"

    def test_a_model_that_can_be_called_is_called_by_its_signature(self):
        assert predict_udf(str(DATA / "saved_model" / "text")).signature.name == "serving_default"

    def test_refusals(self, tmp_path):
        with pytest.raises(errors.SignatureError, match="nonesuch"):
            predict_udf(TEXT, "nonesuch")
        with pytest.raises(errors.SignatureError, match="no output named 'nonesuch'"):
            predict_udf(TEXT, output_key="nonesuch")
        with pytest.raises(errors.InputError, match="return"):
            predict_udf(TEXT, errors="null")
        with pytest.raises(errors.HandleError):
            predict_udf(lambda x: x)
        module = tf.Module()
        spec = [tf.TensorSpec([None], tf.float32, "x")]
        serve = tf.function(lambda x: {"mean": tf.reduce_mean(x)}, input_signature=spec)
        tf.saved_model.save(module, str(tmp_path / "mean"), signatures={"serving_default": serve})
        with pytest.raises(errors.InputError, match="cannot be a Spark column"):
            predict_udf(tmp_path / "mean")


class TestBadRows:
    def test_texts(self, spark):
        rows = frame(spark, [("hello",), (None,), ("the cat",)], "text string")
        found = [row.found for row in rows.select(predict_udf(TEXT, errors="return")("text").alias("found")).collect()]
        assert [row.default is None for row in found] == [False, True, False]
        assert found[0].error is None and found[1].error.startswith("InputError: ") and "null" in found[1].error
        np.testing.assert_allclose(
            [found[0].default, found[2].default], unihub.load(TEXT)(["hello", "the cat"]), rtol=1e-5
        )

    @pytest.mark.parametrize("first", [0, 1, 2], ids=["null first", "short first", "good first"])
    def test_arrays(self, spark, converted_convnet, first):
        rows = [(None,), ([1.0] * 5,), (engine_parts.image(0).ravel().tolist(),)]
        rows = rows[first:] + rows[:first]
        udf = predict_udf(converted_convnet, "default", errors="return")
        found = [
            row.found for row in frame(spark, rows, "image array<float>").select(udf("image").alias("found")).collect()
        ]
        found = found[len(found) - first :] + found[: len(found) - first]
        assert "null" in found[0].error and "5 values" in found[1].error and found[2].error is None
        assert found[0].default is None and found[1].default is None and len(found[2].default) == 64

    def test_what_tensorflow_fails_at_and_whole_numbers(self, spark, tmp_path):
        module = tf.Module()
        specs = [tf.TensorSpec([None], tf.int64, "base"), tf.TensorSpec([None], tf.string, "text")]
        serve = tf.function(
            lambda base, text: {"number": base + tf.strings.to_number(text, tf.int64)}, input_signature=specs
        )
        tf.saved_model.save(module, str(tmp_path / "parse"), signatures={"serving_default": serve})
        udf = predict_udf(tmp_path / "parse", errors="return")
        big = 2**53 + 1
        rows = frame(spark, [(1, "2"), (1, "three"), (None, "4"), (1, str(big))], "base long, text string")
        found = [row.found for row in rows.select(udf("base", "text").alias("found")).collect()]
        assert [row.number for row in found] == [3, None, None, big + 1]
        assert found[1].error.startswith("LoadError: ") and "three" in found[1].error and "null" in found[2].error

    def test_by_default_the_job_fails(self, spark):
        rows = frame(spark, [("hello",), (None,)], "text string").select(predict_udf(TEXT)("text"))
        with pytest.raises(Exception, match="does not fit the model"):
            rows.collect()


class TestManyRows:
    """Executors in two processes; their results are compared with those of this one, row by row."""

    def rows(self, spark, directory, make, count, files):
        """Rows in files, each of which is a task; made here, for a worker that makes rows may load the model later, too."""
        for number, ids in enumerate(np.array_split(np.arange(count), files)):
            rows = [make(each) for each in ids]
            column = rows if make is engine_parts.text else list(np.stack(rows).reshape(len(rows), -1))
            table = pyarrow.table({"id": ids, "row": pyarrow.array(column)})
            pyarrow.parquet.write_table(table, str(directory / "{}.parquet".format(number)))
        return spark.read.parquet(str(directory))

    def check(self, results, expected):
        """Each row is there once, without an error, and with the values of one process."""
        rows = results.selectExpr("id", "found.default as value", "found.error as error").toPandas()
        values = np.stack(rows["value"])[np.argsort(rows["id"])]
        assert rows["error"].isnull().all()
        assert sorted(rows["id"]) == list(range(len(expected)))
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)

    def test_texts(self, spark, noted, tmp_path):
        expected = compute(TEXT, engine_parts.text, TEXTS)
        udf = predict_udf(TEXT, errors="return")
        rows = self.rows(spark, tmp_path, engine_parts.text, TEXTS, 8)
        self.check(rows.withColumn("found", udf("row")), expected)
        assert_one_load_each(noted, 2)

    def test_images_while_an_executor_is_killed(self, spark, noted, converted_convnet, tmp_path):
        expected = compute(converted_convnet, engine_parts.image, IMAGES, signature="default")
        udf = predict_udf(converted_convnet, "default", errors="return")
        results = self.rows(spark, tmp_path, engine_parts.image, IMAGES, 20).withColumn("found", udf("row"))
        with ThreadPoolExecutor(1) as pool:
            killed = pool.submit(kill_executor, spark.sparkContext, noted)
            self.check(results, expected)
            killed.result()
        # The two that there were, and the one in the place of the killed one.
        assert_one_load_each(noted, 3)


def compute(model, make, count, **options):
    """What one process computes in a plain loop."""
    loaded = unihub.load(model, **options)
    batches = [[make(number) for number in range(first, min(first + 500, count))] for first in range(0, count, 500)]
    return np.concatenate(
        [loaded(batch if make is engine_parts.text else np.stack(batch)).numpy() for batch in batches]
    )


def assert_one_load_each(noted, processes):
    """As many processes loaded the model as there should be, and each of them once."""
    found = engine_parts.loads(noted)
    assert len(found) == len(set(found)) == processes
    assert str(os.getpid()) not in found


def kill_executor(context, noted):
    """Kills one of the processes that run executors, once both have loaded the model and some tasks are done."""
    engine_parts.wait_for(lambda: len(engine_parts.loads(noted)) == 2 and done_tasks(context) >= 4)
    (process, *_) = executors(context.applicationId)
    os.kill(process, signal.SIGKILL)


def done_tasks(context):
    tracker = context.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    return sum(stage.numCompletedTasks for stage in stages if stage)


def executors(application):
    """The processes of an application's executors; ps would cut their command lines."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", process, "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # It has ended.
            continue
        if (
            words[0].endswith("java")
            and application in words
            and any("CoarseGrainedExecutorBackend" in word for word in words)
        ):
            found.append(int(process))
    return found
