"""Embeds texts in Apache Beam, in two worker processes, and puts aside what is no text.

Needs the extra for Beam and a TensorFlow 2: pip install 'unihub[beam]' tensorflow

    python examples/beam_embeddings.py [--runner=... and other options of Beam]

Without options it runs on this machine: --runner=DirectRunner --direct_running_mode=multi_processing
--direct_num_workers=2.
"""

from __future__ import annotations

import os
import sys

import apache_beam as beam
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from unihub.integrations.beam import UnihubModelHandler, raise_failure

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models", "text_embedding")
ROWS = [(1, "hello world"), (2, "the cat"), (3, None), (4, "of a dog nobody knows"), (5, {"default": "a dict"})]
TWO_PROCESSES = ["--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]


def show(pair):
    """One line for a row with a result."""
    number, result = pair
    return "row {}: {}".format(number, " ".join("{:.4f}".format(value) for value in result.inference[:4]))


def show_failed(failed):
    """One line for a row without."""
    (number, result), (_, error, _) = failed
    return "row {}: {!r} was put aside, {}".format(number, result.example, error)


def main(options):
    """Runs the pipeline."""
    # The workers get the handle and not the model; each of their processes loads it once.
    handler = KeyedModelHandler(UnihubModelHandler(MODEL, errors="return", max_batch_size=1024))
    inference = RunInference(handler.with_postprocess_fn(raise_failure)).with_exception_handling()
    with beam.Pipeline(options=PipelineOptions(options or TWO_PROCESSES)) as pipeline:
        results, failed = pipeline | "rows" >> beam.Create(ROWS) | "embed" >> inference
        lines = results | beam.Map(show), failed.failed_postprocessing[0] | "failed" >> beam.Map(show_failed)
        # One file, in the place of a table or a topic.
        _ = lines | beam.Flatten() | beam.io.WriteToText("embeddings", ".txt", shard_name_template="")
    with open("embeddings.txt", encoding="utf-8") as file:
        print("".join(sorted(file)), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
