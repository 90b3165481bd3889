"""What a call of a loaded model adds to calling the function or layer below it.

::

    python benchmarks/call.py DIRECTORY
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from typing import Any, Callable, List, Tuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

ROUNDS, CALLS = 15, 200
HERE = os.path.dirname(os.path.abspath(__file__))
TEXT_EMBEDDING = os.path.join(os.path.dirname(HERE), "examples", "models", "text_embedding")


def compare(
    name: str, upstream: Callable[[], Any], ours: Callable[[], Any], calls: int = CALLS, rounds: int = ROUNDS
) -> None:
    """Prints the ratio and the difference of two calls, measured in turn."""
    times: Tuple[List[float], List[float]] = ([], [])
    for _ in range(rounds):
        for run, measured in zip((upstream, ours), times):
            run()
            began = time.perf_counter()
            for _ in range(calls):
                run()
            measured.append((time.perf_counter() - began) / calls)
    below, own = map(statistics.median, times)
    print("| {} | {:.2f} | {:+.1f} |".format(name, own / below, (own - below) * 1e6), flush=True)


def main() -> None:
    """Measures and prints."""
    import models
    import tensorflow as tf
    import tensorflow_hub as hub

    import unihub

    tf.get_logger().setLevel("ERROR")
    directory = sys.argv[1]
    print("| call, TensorFlow {} | ratio | µs |\n|---|---|---|".format(tf.__version__))
    for name in ("tiny", "MobileNetV2"):
        path = models.find(name, directory)
        model = unihub.load(path, signature="serving_default")
        inputs = {key: tf.constant(value) for key, value in models.example(model.plan.signature).items()}
        (x,) = inputs.values()
        function = model.native.signatures["serving_default"]
        calls = CALLS if name == "tiny" else 20
        compare(name + ", signature", lambda: function(**inputs), lambda: model(x), calls)  # noqa: B023
        if unihub.inspect(path).callable:
            whole, layer = hub.KerasLayer(path), unihub.load(path, api="keras")
            compare(name + ", layer", lambda: whole(x), lambda: layer(x), calls)  # noqa: B023
    embedding = unihub.load(TEXT_EMBEDDING)
    function = embedding.native.signatures["default"]
    for texts in (["hello world"], ["hello world"] * 1000):
        x = tf.constant(texts)
        name = "TF1 module, signature with texts: {:,}".format(len(texts))
        compare(name, lambda: function(x), lambda: embedding(x))  # noqa: B023
    path = models.find("tiny", directory)
    compare("tiny, load", lambda: tf.saved_model.load(path), lambda: unihub.load(path), 3)


if __name__ == "__main__":
    main()
