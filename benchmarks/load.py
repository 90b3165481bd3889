"""How much sooner a model is loaded, and with how much less memory, than upstream's calls do it.

The sides load in turn in one process, and the figures are ratios of medians. The time to a first prediction is that of
a process each, from its start until the numbers are there. Run it as::

    python benchmarks/load.py DIRECTORY [MODEL ...] [--processes 5]

The models are written to the directory first. Loads so short that a process is measured by its noise (tiny) are in
``call.py``.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
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

COLD = (
    *("hub.load", "tf.saved_model.load", "unihub", "unihub after TensorFlow"),
    # Without a model: what no way to load one can go below, with Python's garbage collector as it is, and at rest.
    *("import tensorflow", "import tensorflow at rest"),
)
# What a fresh process does until it has its first prediction.
PROGRAM = """
import gc, pickle, sys
path, side = sys.argv[1:]
inputs = pickle.load(sys.stdin.buffer)
if side.endswith("at rest"):
    gc.disable()
if side != "unihub":
    import tensorflow as tf
if side.startswith("import tensorflow"):
    outputs = ()
elif side.startswith("unihub"):
    import unihub
    outputs = unihub.load(path, signature="serving_default")(inputs)
    import tensorflow as tf
else:
    if side == "hub.load":
        import tensorflow_hub as hub
        loaded = hub.load(path)
    else:
        loaded = tf.saved_model.load(path)
    outputs = loaded.signatures["serving_default"](**{name: tf.constant(value) for name, value in inputs.items()})
tf.nest.map_structure(lambda part: part.numpy(), outputs)
print("predicted", flush=True)
# Linux's own figure for this process; ru_maxrss would begin with that of its parent.
print("peak", next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def in_turn(sides: Dict[str, Callable[[], float]], rounds: int = ROUNDS) -> Dict[str, List[float]]:
    """What each side measures; they take turns, after a round that does not count."""
    measured: Dict[str, List[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, measure in sides.items():
            figure = measure()
            if number:
                measured[name].append(figure)
    return measured


def medians(sides: Dict[str, Callable[[], float]], rounds: int = ROUNDS) -> Dict[str, float]:
    """The median of what each side measures, in turn."""
    return {name: statistics.median(figures) for name, figures in in_turn(sides, rounds).items()}


def timed(load: Callable[..., Any], *arguments: Any, **options: Any) -> float:
    """How long a load takes; what it gives goes afterwards."""
    gc.collect()
    began = time.perf_counter()
    kept = load(*arguments, **options)
    seconds = time.perf_counter() - began
    del kept
    return seconds


def ways() -> Dict[str, Callable[[str], Any]]:
    """All ways to load a model."""
    import tensorflow as tf
    import tensorflow_hub as hub

    import unihub

    def session(path: str) -> Any:
        with tf.Graph().as_default(), tf.compat.v1.Session() as running:
            return tf.compat.v1.saved_model.loader.load(running, ["serve"], path)

    return {
        # Which is tf.saved_model.load on a resolved directory.
        "hub.load": hub.load,
        "session": session,
        "hub.KerasLayer": hub.KerasLayer,
        "signature": functools.partial(unihub.load, signature="serving_default"),
        "layer": functools.partial(unihub.load, api="keras"),
    }


def load_in_turn(path: str, rounds: int) -> Dict[str, List[float]]:
    """What each way to load takes in this process, round by round, after one that does not count.

    In that one TensorFlow and Keras import what they need to load, and TensorFlow makes its kernels.
    """
    import unihub
    from unihub._saved_model import files, reader

    loaders = ways()
    is_callable = unihub.inspect(path).callable
    cache = os.environ["UNIHUB_CACHE_DIR"]

    def first(load: Callable[[str], Any]) -> float:
        with tempfile.TemporaryDirectory() as fresh:
            os.environ["UNIHUB_CACHE_DIR"] = fresh
            # What was read of the files in an earlier round is as little there as the part.
            reader._inspect.cache_clear()
            files._digest.cache_clear()
            try:
                return timed(load, path)
            finally:
                os.environ["UNIHUB_CACHE_DIR"] = cache

    sides = {}
    for name, load in loaders.items():
        if is_callable or name not in ("hub.KerasLayer", "layer"):
            sides[name] = functools.partial(timed, load, path)
            if name in ("signature", "layer"):
                sides[name + ", first"] = functools.partial(first, load)
    return in_turn(sides, rounds)


def loads(path: str, processes: int, rounds: int) -> Dict[str, float]:
    """The medians of all ways to load, the rounds spread over processes: upstream keeps what it loaded."""
    found: Dict[str, List[float]] = {}
    for number in range(processes):
        here = len(range(number, rounds, processes))
        command = [sys.executable, os.path.abspath(__file__), "--in-turn", path, str(here)]
        for side, figures in json.loads(subprocess.check_output(command).splitlines()[-1]).items():
            found.setdefault(side, []).extend(figures)
    return {side: statistics.median(figures) for side, figures in found.items()}


def cold(path: str, rounds: int) -> Dict[str, Dict[str, float]]:
    """The time from the start of a process to its first prediction, and the most memory it had at once."""
    import models

    import unihub

    inputs = pickle.dumps(models.example(unihub.inspect(path).plain.signatures[0]))
    peaks: Dict[str, List[float]] = {side: [] for side in COLD}
    # As a user's process: that of the loads has Keras 2 for hub.KerasLayer, which neither side needs here.
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}

    def seconds(side: str) -> float:
        command = [sys.executable, "-c", PROGRAM, path, side]
        began = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdin and process.stdout
            process.stdin.write(inputs)
            process.stdin.close()
            process.stdout.readline()
            took = time.perf_counter() - began
            rest = process.stdout.read()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        peaks[side].append(float(rest.split()[-1]))
        return took

    times = medians({side: functools.partial(seconds, side) for side in peaks}, rounds)
    return {"first prediction": times, "peak memory": {side: statistics.median(peak) for side, peak in peaks.items()}}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--processes", type=int, default=1, help="how many the rounds are spread over")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each side is timed")
    parser.add_argument("--no-cold", action="store_true", help="leave out first predictions and memory")
    arguments = parser.parse_args()
    import models
    import tensorflow as tf

    os.environ["UNIHUB_CACHE_DIR"] = tempfile.mkdtemp()
    known = list(models.MODELS) + (list(models.PACKAGED) if "UNIHUB_PACKAGE_MODELS" in os.environ else [])
    print("| model, TensorFlow {} | what | ratio |\n|---|---|---|".format(tf.__version__))
    for name in arguments.models or known:
        path = models.find(name, arguments.directory)
        times = loads(path, arguments.processes, arguments.rounds)
        for what, upstream in (("signature", "hub.load"), ("signature", "session"), ("layer", "hub.KerasLayer")):
            if what in times:
                for one in (what + ", first", what):
                    row = "| {} | {} against {} | {:.2f} |"
                    print(row.format(name, one, upstream, times[upstream] / times[one]), flush=True)
        if not arguments.no_cold:
            for what, sides in cold(path, arguments.rounds).items():
                for upstream in COLD[:2]:
                    for side in COLD[2:]:
                        row = "| {} | {}, {} against {} | {:.2f} |"
                        print(row.format(name, what, side, upstream, sides[upstream] / sides[side]), flush=True)
    shutil.rmtree(os.environ["UNIHUB_CACHE_DIR"], ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-turn"]:
        print(json.dumps(load_in_turn(sys.argv[2], int(sys.argv[3]))))
    else:
        main()
