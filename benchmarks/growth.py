"""How the time to load grows with functions, variables and bytes; prints a table, and draws it where matplotlib is.

::

    python benchmarks/growth.py DIRECTORY [PICTURE.svg]
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
import tempfile
from typing import Any, Dict, List, Tuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

Row = Tuple[str, int, float, float]

GROWTH = {"functions": (4, 100, 300, 1000), "variables": (10, 100, 300), "bytes": (10**5, 10**7, 10**8)}


def write(path: str, functions: int, variables: int, size: int) -> None:
    """Writes a model with so many functions, of which its signature needs two, and variables of a size."""
    import numpy as np
    import tensorflow as tf

    root = tf.Module()
    root.weights = [tf.Variable(np.ones([size], np.float32)) for _ in range(variables)]
    spec = [tf.TensorSpec([None, size], tf.float32, "x")]

    def make(number: int) -> Any:
        return tf.function(lambda x: {"y": x * root.weights[number % variables] + number}, input_signature=spec)

    root.parts = [make(number) for number in range(functions)]

    @tf.function(input_signature=spec)
    def serve(x: Any) -> Dict[str, Any]:
        for weight in root.weights:
            x = x * weight
        return root.parts[0](x)

    tf.saved_model.save(root, path, signatures={"serving_default": serve})


def main() -> None:
    """Measures and prints."""
    import tensorflow as tf
    from load import medians, timed

    import unihub

    tf.get_logger().setLevel("ERROR")
    os.environ["UNIHUB_CACHE_DIR"] = tempfile.mkdtemp()
    rows: List[Row] = []
    print("| what grows | to | tf.saved_model.load, s | unihub, signature, s |\n|---|---|---|---|")
    for what, numbers in GROWTH.items():
        for number in numbers:
            sizes = {"functions": 30, "variables": 10, "bytes": 40}
            sizes[what] = number
            path = os.path.join(sys.argv[1], "{}-{}".format(what, number))
            if not os.path.exists(path):
                write(path, sizes["functions"], sizes["variables"], max(1, sizes["bytes"] // sizes["variables"] // 4))
            times = medians({
                "whole": functools.partial(timed, tf.saved_model.load, path),
                "part": functools.partial(timed, unihub.load, path, signature="serving_default"),
            })  # fmt: skip
            rows.append((what, number, times["whole"], times["part"]))
            print("| {} | {:,} | {:.3f} | {:.3f} |".format(*rows[-1]), flush=True)
    shutil.rmtree(os.environ["UNIHUB_CACHE_DIR"], ignore_errors=True)
    if len(sys.argv) > 2:
        draw(rows, sys.argv[2])


def draw(rows: List[Row], picture: str) -> None:
    """Draws the table."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(row[0] for row in rows))
    figure, axes = pyplot.subplots(1, len(names), figsize=(11, 3.2), sharey=True)
    for name, axis in zip(names, axes):
        mine = [row for row in rows if row[0] == name]
        numbers = [row[1] for row in mine]
        axis.plot(numbers, [row[2] for row in mine], "o-", label="tf.saved_model.load")
        axis.plot(numbers, [row[3] for row in mine], "o-", label="unihub.load(signature=...)")
        axis.set(xlabel=name, xscale="log", yscale="log")
    axes[0].set_ylabel("seconds")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(picture)


if __name__ == "__main__":
    main()
