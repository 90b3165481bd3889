"""Rows a second through Beam and Spark, with one worker and two, against a plain Python loop over the same batches.

::

    python benchmarks/engines.py DIRECTORY [PICTURE.svg] [--rounds 3]

TensorFlow has one thread everywhere, so that a worker stands for a core. What happens once is left out on all sides:
the start of the processes and of a job, the load of the model and its first batch: in both engines the time is that
from the end of a worker's first batch to the end of the last one of all, in Spark of a second job. What a row costs
between the batches, which is the engine's own, is in it. The sides are measured in turn.

What the engine takes by itself is told by the sides that are ``idle``, in which a function that does nothing stands in
the place of the model, and nothing of unihub runs.

An engine takes more for a short text than a small model does, so texts are measured in rows that are batches, too,
which is what ``batched=True`` is for; the loop has the same batches. And they are measured as the tokens of an encoder
of the size of BERT-base.

Beside the rows a second stands the time of processors that a row takes, which other programs on the machine change
little: that of the workers' Python processes. Java's and the driver's come on top.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any, Dict, List, Tuple

ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "TF_USE_LEGACY_KERAS": "1"}
HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = os.path.join(os.path.dirname(HERE), "examples", "models", "text_embedding")
# Name: rows, rows in a batch.
SIZES = {
    "texts": (200_000, 1000),
    "batches of texts": (400_000, 4000),
    "tokenized texts": (128, 8),
    "images": (2048, 64),
}
# The inputs of networks are arrays of numbers, the others strings.
NETWORKS = ("tokenized texts", "images")
# Of what are batches already, so many go at once from Java to Python.
AT_ONCE = 10
SIDES = ["loop", "beam 1", "spark 1", "beam 2", "spark 2", "beam 1 idle", "spark 1 idle"]
WORDS = ("hello", "world", "cat", "dog", "the", "a", "of", "unknown")


def make_row(what: str, number: int) -> Any:
    """A row of a workload."""
    import numpy as np

    if what == "images":
        return np.random.RandomState(number).rand(96, 96, 3).astype(np.float32)
    if what == "tokenized texts":
        return np.random.RandomState(number).randint(0, 30522, 128).astype(np.int32)
    return " ".join(WORDS[number // 8**place % 8] for place in range(1 + number % 5))


def make_rows(what: str, first: int, size: int) -> List[Any]:
    """So many rows, from one on."""
    return [make_row(what, first + place) for place in range(size)]


def make_batch(what: str, first: int, size: int) -> Any:
    """Rows of texts that are a batch already."""
    import numpy as np

    return np.char.encode(make_rows(what, first, size))


def find_model(what: str, directory: str) -> Tuple[str, str]:
    """The directory of a workload's model, and its signature; written where it is not there yet."""
    if what not in NETWORKS:
        return TEXT, "default"
    if what == "tokenized texts":
        import models

        return models.find("BERT-base", directory), "serving_default"
    path = os.path.join(directory, "MobileNetV2-96")
    if not os.path.exists(path):
        import tf_keras

        model = tf_keras.applications.MobileNetV2(input_shape=(96, 96, 3), weights=None)
        model.save(path, save_format="tf", include_optimizer=False)
    return path, "serving_default"


def run_loop(what: str, directory: str) -> Tuple[float, float]:
    """Rows a second, and processor seconds a row, of a plain loop."""
    import numpy as np

    import unihub

    path, signature = find_model(what, directory)
    count, size = SIZES[what]
    model = unihub.load(path, signature=signature)
    firsts = range(0, count, size)
    if what.startswith("batches"):
        batches = [make_batch(what, first, size) for first in firsts]
        predict = lambda batch: [(batch, model(batch).numpy())]  # noqa: E731
    else:
        batches = [make_rows(what, first, size) for first in firsts]
        stack = np.stack if what in NETWORKS else list
        predict = lambda batch: zip(batch, model(stack(batch)).numpy())  # noqa: E731
    kept = list(predict(batches[0]))
    began, used = time.perf_counter(), time.process_time()
    for batch in batches:
        kept.extend(predict(batch))
    return count / (time.perf_counter() - began), (time.process_time() - used) / count


def run_beam(what: str, directory: str, workers: str, idle: str = "") -> Tuple[float, float]:
    """The same of a pipeline, by what its workers note."""
    import apache_beam as beam
    import engines
    from apache_beam.ml.inference.base import RunInference
    from apache_beam.options.pipeline_options import PipelineOptions

    path, signature = find_model(what, directory)
    count, size = SIZES[what]
    notes = os.path.join(directory, "notes-{}".format(os.getpid()))
    options = ["--runner=DirectRunner", "--direct_running_mode=multi_processing"]
    batched = what.startswith("batches")
    handler = engines.noting_handler(path, signature, size, notes, bool(idle), batched)
    with beam.Pipeline(options=PipelineOptions(options + ["--direct_num_workers={}".format(workers)])) as pipeline:
        chunks = pipeline | beam.Create(range(0, count, size), reshuffle=False) | "deal out" >> beam.Reshuffle()
        if batched:
            rows = chunks | beam.Map(lambda first: engines.make_batch(what, first, size))
        else:
            rows = chunks | beam.FlatMap(lambda first: engines.make_rows(what, first, size))
        results = rows | "the rows" >> beam.Reshuffle() | RunInference(handler)
        _ = results | beam.Map(lambda result: result.inference.shape) | beam.combiners.Count.Globally()
    return read_notes(notes)


def note(notes: str, rows: int) -> None:
    """Notes the end of a batch."""
    with open(notes, "a", encoding="utf-8") as file:
        file.write("{} {} {} {}\n".format(os.getpid(), time.time(), time.process_time(), rows))


def read_notes(notes: str) -> Tuple[float, float]:
    """Rows a second, and processor seconds a row, from the end of the first batch to that of the last one.

    The first batches of the other processes do not count.
    """
    with open(notes, encoding="utf-8") as file:
        batches = [line.split() for line in file]
    os.remove(notes)
    ends: Dict[str, List[Tuple[float, float]]] = {}
    rows_done = 0
    for process, end, used, number in sorted(batches, key=lambda batch: float(batch[1])):
        rows_done += int(number) if process in ends else 0
        ends.setdefault(process, []).append((float(end), float(used)))
    seconds = max(end[-1][0] for end in ends.values()) - min(end[0][0] for end in ends.values())
    return rows_done / seconds, sum(end[-1][1] - end[0][1] for end in ends.values()) / rows_done


class Nothing:
    """What an idle worker loads."""


def noting_handler(path: str, signature: str, size: int, notes: str, is_idle: bool, batched: bool) -> Any:
    """The handler, which notes the end of each batch; made here, so that only Beam's processes import Beam."""
    import numpy as np
    from apache_beam.ml.inference.base import PredictionResult

    from unihub.integrations.beam import UnihubModelHandler

    def note_rows(batch: Any) -> None:
        note(notes, sum(map(len, batch)) if batched else len(batch))

    class Noting(UnihubModelHandler):
        def run_inference(self, batch: Any, model: Any, inference_args: Any = None) -> Any:
            results = list(super().run_inference(batch, model, inference_args))
            note_rows(batch)
            return results

    class Idle(UnihubModelHandler):
        def load_model(self) -> Any:
            return Nothing()

        def run_inference(self, batch: Any, model: Any, inference_args: Any = None) -> Any:
            same = np.zeros(1)
            results = [PredictionResult(row, same) for row in batch]
            note_rows(batch)
            return results

    sizes = {} if batched else {"min_batch_size": size, "max_batch_size": size}
    return (Idle if is_idle else Noting)(path, signature, batched=batched, **sizes)


def run_spark(what: str, directory: str, workers: str, idle: str = "") -> Tuple[float, float]:
    """The same of the second job."""
    import engines
    from pyspark.sql import SparkSession

    path, signature = find_model(what, directory)
    count, size = SIZES[what]
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local-cluster[{},1,2048]".format(workers))
    builder = builder.config("spark.ui.enabled", "false")
    for name in ("PYTHONPATH", *ONE_THREAD, *QUIET):
        builder = builder.config("spark.executorEnv." + name, os.environ[name])
    builder = builder.config("spark.executor.memory", "1800m").config("spark.driver.host", "localhost")
    batched = what.startswith("batches")
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", str(AT_ONCE if batched else size))
    spark = builder.config("spark.scheduler.minRegisteredResourcesRatio", "1.0").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")

    def make(frames: Any) -> Any:
        for frame in frames:
            if batched:
                rows = [make_rows(what, first, size) for first in frame["id"]]
            else:
                rows = [make_row(what, number) for number in frame["id"]]
            frame["row"] = [row.tobytes() if what in NETWORKS else row for row in rows]
            yield frame

    kind = {"texts": "string", "batches of texts": "array<string>"}.get(what, "binary")
    numbers = spark.range(0, count, size if batched else 1, numPartitions=2 * int(workers))
    rows = numbers.mapInPandas(make, "id long, row " + kind).cache()
    rows.count()
    notes = os.path.join(directory, "notes-{}".format(os.getpid()))
    udf = engines.noting_udf(path, signature, size, notes, bool(idle), batched)

    def run() -> None:
        # Planned anew, for Spark keeps what it shuffled for a plan, and would run nothing the second time.
        rows.select(udf("row").alias("found")).selectExpr("sum(size(found))").collect()

    run()
    os.remove(notes)
    run()
    spark.stop()
    return read_notes(notes)


def noting_udf(path: str, signature: str, size: int, notes: str, is_idle: bool, batched: bool) -> Any:
    """The function of columns, which notes the end of each batch in the worker."""
    import numpy as np

    from unihub.integrations import spark

    of_a_row = size if batched else 1

    class Noting(spark._Rows):
        def predict(self, columns: Any) -> Any:
            results = super().predict(columns)
            note(notes, len(columns[0]) * of_a_row)
            return results

    class Idle(spark._Rows):
        def load(self) -> None:
            pass

        def predict(self, columns: Any) -> Any:
            note(notes, len(columns[0]) * of_a_row)
            return np.zeros([len(columns[0]), of_a_row * self._outputs[0].shape[1]], np.float32)

    spark._Rows = Idle if is_idle else Noting  # type: ignore[misc]
    return spark.predict_udf(path, signature, batched=batched, batch_size=AT_ONCE if batched else size)


def measure(what: str, side: str, directory: str) -> Tuple[float, float]:
    """Rows a second and processor seconds a row of a side, in a process of its own."""
    environment = dict(os.environ, **ONE_THREAD, **QUIET)
    environment["PYTHONPATH"] = os.pathsep.join([HERE] + [path for path in sys.path if path and path != HERE])
    command = [sys.executable, os.path.abspath(__file__), directory, "--one", what, side]
    run = subprocess.run(command, env=environment, capture_output=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr.decode()[-2000:])
    rate, used = json.loads(run.stdout.decode().splitlines()[-1])
    return rate, used


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("picture", nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=sorted(SIZES))
    parser.add_argument("--sides", nargs="*", choices=SIDES[1:], default=SIDES[1:], help="beside the loop")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    directory = os.path.abspath(arguments.directory)
    os.makedirs(directory, exist_ok=True)
    if arguments.one:
        what, side = arguments.one
        name, *rest = side.split()
        run = {"loop": run_loop, "beam": run_beam, "spark": run_spark}[name]
        print(json.dumps(run(what, directory, *rest)))
        return
    found: Dict[str, Dict[str, float]] = {}
    print("load of the machine before: {:.1f} on {} cores".format(os.getloadavg()[0], os.cpu_count()))
    print("| rows | side | rows a second | against the loop | processor µs a row | against the loop |")
    print("|---" * 6 + "|")
    for what in arguments.only or SIZES:
        measured: Dict[str, List[Tuple[float, float]]] = {side: [] for side in ["loop", *arguments.sides]}
        for _ in range(arguments.rounds):
            for side in measured:
                measured[side].append(measure(what, side, directory))
        found[what] = {}
        for side, pairs in measured.items():
            rate, used = map(statistics.median, zip(*pairs))
            found[what][side] = rate
            if side == "loop":
                of_loop = used
            cells = (what, side, rate, rate / found[what]["loop"], used * 1e6, used / of_loop)
            print("| {} | {} | {:,.1f} | {:.2f} | {:,.1f} | {:.2f} |".format(*cells), flush=True)
    print("load of the machine after: {:.1f}".format(os.getloadavg()[0]))
    if arguments.picture:
        draw(found, arguments.picture)


def draw(found: Dict[str, Dict[str, float]], picture: str) -> None:
    """Draws how the rows a second grow with the workers."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(found), figsize=(9, 3.2))
    for (what, rates), axis in zip(found.items(), axes):
        axis.plot([1, 2], [rates["loop"], 2 * rates["loop"]], "k:", label="plain loop, times the workers")
        for engine in ("beam", "spark"):
            axis.plot([1, 2], [rates[engine + " 1"], rates[engine + " 2"]], "o-", label=engine.title())
        axis.set(title=what, xlabel="workers", ylabel="rows a second", xticks=[1, 2], ylim=(0, None))
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(picture)


if __name__ == "__main__":
    main()
