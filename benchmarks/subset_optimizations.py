"""What each optimization of subset loading brings: load times without it, as multiples of those with all of them.

A subset is loaded for the signature ``serving_default``, and for a Keras layer. Each side has the subset in a cache of
its own already, as in the second process that loads a model. The sides take turns in one process; the figures are
ratios of medians. Run it as::

    python benchmarks/subset_optimizations.py [MODEL ...] [--directory DIRECTORY] [--model PATH ...] [--count]

Without arguments the Keras models of the tests are loaded. ``MODEL`` is a name of ``models.py``, written to the
directory first. A ratio of 1.30 means that loading takes 30 % longer without the optimization. With ``--cpu`` the
figures are processor time, which other programs disturb less. With ``--count`` nothing is loaded: the figures are the
functions of each subset, which TensorFlow rebuilds in Python, and the nodes in them. They do not depend on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import shutil
import tempfile
import time
from typing import Any, Callable, ContextManager, Dict, Iterator, List
from unittest import mock

import load as load_times

import unihub
from unihub._partial import loader, object_graph_cut, wrapper_inlining
from unihub._partial.function_library import FunctionLibrary
from unihub._plan import plan as planning
from unihub._tf import saved_model

KERAS_MODELS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "data", "keras")
USES: Dict[str, Dict[str, Any]] = {"signature": {"signature": "serving_default"}, "layer": {"api": "keras"}}
BASELINE = "all"
FULL = "full model"


@contextlib.contextmanager
def no_deferred_gradients() -> Iterator[None]:
    """Loads the gradients that were written in Python with the model."""
    with mock.patch.object(object_graph_cut._Reach, "_find_deferred", lambda *arguments: None):
        yield


def no_wrapper_inlining() -> ContextManager[Any]:
    """Keeps the functions that do nothing but call another one."""
    return mock.patch.object(wrapper_inlining, "inline", lambda library, exposed: {})


def no_parallel_restore() -> ContextManager[Any]:
    """Lets TensorFlow restore the variables."""
    return mock.patch.object(saved_model, "without_checkpoint", lambda: None)


def no_merged_functions() -> ContextManager[Any]:
    """Keeps functions that do the same as another one."""
    keep = lambda library, names, exposed: {name: name for name in names}  # noqa: E731
    return mock.patch.object(FunctionLibrary, "_find_duplicates", keep)


WITHOUT: Dict[str, Callable[[], ContextManager[Any]]] = {
    "deferred gradients": no_deferred_gradients,
    "wrapper inlining": no_wrapper_inlining,
    "parallel restore": no_parallel_restore,
    "merged functions": no_merged_functions,
}


def load_times_of(path: str, use: Dict[str, Any], rounds: int, clock: Callable[[], float]) -> Dict[str, float]:
    """The median load time of a model with all optimizations, without each of them, and of the full model."""
    plan = unihub.plan(path, **use)
    if plan.use is None or loader.find_subset(plan, plan.use) is None:
        raise SystemExit("{} has no subset for {}".format(path, use))
    with contextlib.ExitStack() as stack:
        sides = {BASELINE: side(path, use, contextlib.nullcontext, stack, clock)}
        sides.update((name, side(path, use, without, stack, clock)) for name, without in WITHOUT.items())
        times = load_times.medians(sides, rounds)
        # Once is enough to tell it from the others, and takes as long as all of them.
        return dict(times, **{FULL: timed(clock, path, full=True, **use)})


def sizes_of(path: str, use: Dict[str, Any]) -> Dict[str, str]:
    """How many functions and nodes a subset has with all optimizations, and without each of them."""
    plan = unihub.plan(path, **use)
    assert plan.use is not None
    (meta_graph,) = [
        each for each in saved_model.read_meta_graphs(path) if set(each.meta_info_def.tags) == set(plan.tags)
    ]
    checkpoint = saved_model.read_checkpoint_objects(path)
    sizes = {FULL: size_of(meta_graph)}
    for name, without in {BASELINE: contextlib.nullcontext, **WITHOUT}.items():
        with without():
            sizes[name] = size_of(object_graph_cut.cut(meta_graph, checkpoint, plan.use).meta_graph)
    return sizes


def size_of(meta_graph: Any) -> str:
    """The numbers of functions and nodes."""
    functions = meta_graph.graph_def.library.function
    return "{} / {}".format(len(functions), sum(len(function.node_def) for function in functions))


def timed(clock: Callable[[], float], path: str, **options: Any) -> float:
    """How long a load takes by a clock."""
    gc.collect()
    began = clock()
    kept = unihub.load(path, **options)
    seconds = clock() - began
    del kept
    return seconds


def side(
    path: str,
    use: Dict[str, Any],
    without: Callable[[], ContextManager[Any]],
    stack: contextlib.ExitStack,
    clock: Callable[[], float],
) -> Callable[[], float]:
    """A timed load with a cache of its own."""
    cache = tempfile.mkdtemp()
    stack.callback(shutil.rmtree, cache, ignore_errors=True)

    def measure() -> float:
        with mock.patch.dict(os.environ, UNIHUB_CACHE_DIR=cache), without():
            return timed(clock, path, **use)

    return measure


def paths_of(arguments: argparse.Namespace) -> Dict[str, str]:
    """The models to be measured, by their names."""
    import models

    found = {name: models.find(name, arguments.directory) for name in arguments.models}
    found.update((os.path.basename(os.path.normpath(path)), path) for path in arguments.model)
    if not found:
        archives: List[str] = sorted(os.listdir(KERAS_MODELS))
        names = [name for name in archives if name.endswith(".tar.gz")]
        found = {name[: -len(".tar.gz")]: str(unihub.resolve(os.path.join(KERAS_MODELS, name))) for name in names}
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="names in models.py")
    parser.add_argument("--directory", default=".", help="where these are written to")
    parser.add_argument("--model", action="append", default=[], metavar="PATH", help="a SavedModel")
    parser.add_argument("--rounds", type=int, default=15, help="how often each side is timed")
    parser.add_argument("--cpu", action="store_true", help="measure processor time")
    parser.add_argument("--count", action="store_true", help="count functions and nodes")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu else time.perf_counter
    import tensorflow as tf

    # Small models have subsets, too.
    planning._FEW_FUNCTIONS = planning._FEW_NODES = 0
    loader._WORTH_IT = 2.0
    cache = tempfile.mkdtemp()
    with mock.patch.dict(os.environ, UNIHUB_CACHE_DIR=cache):
        unit = "functions / nodes" if arguments.count else "ms"
        print("| TensorFlow {} | use | subset, {} | {} | {} |".format(tf.__version__, unit, " | ".join(WITHOUT), FULL))
        print("|---" * (len(WITHOUT) + 4) + "|")
        for name, path in paths_of(arguments).items():
            for use, options in USES.items():
                if use == "layer" and not unihub.inspect(path).callable:
                    continue
                if arguments.count:
                    figures = sizes_of(path, options)
                else:
                    times = load_times_of(path, options, arguments.rounds, clock)
                    figures = {side: "{:.2f}".format(seconds / times[BASELINE]) for side, seconds in times.items()}
                    figures[BASELINE] = "{:.0f}".format(times[BASELINE] * 1000)
                columns = [figures[side] for side in [BASELINE, *WITHOUT, FULL]]
                print("| {} | {} | {} |".format(name, use, " | ".join(columns)), flush=True)
    shutil.rmtree(cache, ignore_errors=True)


if __name__ == "__main__":
    main()
