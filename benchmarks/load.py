"""How much sooner a model is loaded, and with how much less memory, than upstream's calls do it.

Both sides are measured in turn, with nothing else between them; the figures are ratios of medians. Run it as::

    python benchmarks/load.py DIRECTORY [MODEL ...]

The models are written to the directory first. Memory and cold starts are measured in processes of their own.
"""
from __future__ import annotations

import argparse
import gc
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

ROUNDS = 5

# What a fresh process does until it has its first prediction.
PROGRAM = """
import pickle, sys
import tensorflow as tf
tf.get_logger().setLevel("ERROR")
path, side = sys.argv[1:]
inputs = pickle.load(sys.stdin.buffer)
if side == "unihub":
    import unihub
    outputs = unihub.load(path, signature="serving_default")(inputs)
else:
    if side == "hub.load":
        import tensorflow_hub as hub
        loaded = hub.load(path)
    else:
        loaded = tf.saved_model.load(path)
    outputs = loaded.signatures["serving_default"](**{name: tf.constant(value) for name, value in inputs.items()})
tf.nest.map_structure(lambda part: part.numpy(), outputs)
# Linux's own figure for this process; ru_maxrss would begin with that of its parent.
print("peak", next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def alternate(sides: Dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> Dict[str, float]:
    """The median time of each side, which take turns."""
    times: Dict[str, List[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            gc.collect()
            began = time.perf_counter()
            kept = run()
            times[name].append(time.perf_counter() - began)
            del kept
    return {name: statistics.median(measured) for name, measured in times.items()}


def loads(path: str) -> Dict[str, float]:
    """The times of all ways to load."""
    import tensorflow as tf
    import tensorflow_hub as hub

    import unihub

    cache = os.environ["UNIHUB_CACHE_DIR"]

    def first(**options: Any) -> Any:
        shutil.rmtree(cache, ignore_errors=True)
        return unihub.load(path, **options)

    def session() -> Any:
        with tf.Graph().as_default(), tf.compat.v1.Session() as running:
            return tf.compat.v1.saved_model.loader.load(running, ["serve"], path)

    callable_model = unihub.inspect(path).callable
    sides: Dict[str, Callable[[], Any]] = {
        # Which is tf.saved_model.load on a resolved directory.
        "hub.load": lambda: hub.load(path),
        "session": session,
        "signature, first": lambda: first(signature="serving_default"),
        "signature": lambda: unihub.load(path, signature="serving_default"),
    }
    if callable_model:
        sides["hub.KerasLayer"] = lambda: hub.KerasLayer(path)
        sides["layer, first"] = lambda: first(api="keras")
        sides["layer"] = lambda: unihub.load(path, api="keras")
    alternate(sides, 1)  # What TensorFlow imports at its first load is no part of this.
    return alternate(sides)


def cold(path: str) -> Dict[str, Dict[str, float]]:
    """The time from the start of a process to its first prediction, and the most memory it had at once."""
    import models

    import unihub

    inputs = pickle.dumps(models.example(unihub.inspect(path).plain.signatures[0]))
    times: Dict[str, List[float]] = {"hub.load": [], "tf.saved_model.load": [], "unihub": []}
    peaks: Dict[str, List[float]] = {side: [] for side in times}
    for _ in range(ROUNDS):
        for side in times:
            command = [sys.executable, "-c", PROGRAM, path, side]
            began = time.perf_counter()
            run = subprocess.run(command, input=inputs, stdout=subprocess.PIPE, check=True)
            times[side].append(time.perf_counter() - began)
            peaks[side].append(float(run.stdout.split()[-1]))
    return {
        "first prediction": {side: statistics.median(measured) for side, measured in times.items()},
        "peak memory": {side: statistics.median(measured) for side, measured in peaks.items()},
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--no-cold", action="store_true", help="leave out what takes processes of its own")
    arguments = parser.parse_args()
    os.environ["UNIHUB_CACHE_DIR"] = tempfile.mkdtemp()
    import models
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    known = list(models.MODELS) + (list(models.PACKAGED) if "UNIHUB_PACKAGE_MODELS" in os.environ else [])
    print("| model, TensorFlow {} | what | ratio |\n|---|---|---|".format(tf.__version__))
    for name in arguments.models or known:
        path = models.find(name, arguments.directory)
        times = loads(path)
        for what, upstream in (("signature", "hub.load"), ("signature", "session"), ("layer", "hub.KerasLayer")):
            if what in times:
                for one in (what + ", first", what):
                    row = "| {} | {} against {} | {:.2f} |"
                    print(row.format(name, one, upstream, times[upstream] / times[one]), flush=True)
        if not arguments.no_cold:
            for what, sides in cold(path).items():
                for upstream in ("hub.load", "tf.saved_model.load"):
                    row = "| {} | {} against {} | {:.2f} |"
                    print(row.format(name, what, upstream, sides[upstream] / sides["unihub"]), flush=True)
    shutil.rmtree(os.environ["UNIHUB_CACHE_DIR"], ignore_errors=True)


if __name__ == "__main__":
    main()
