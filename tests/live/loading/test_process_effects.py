"""What docs/process.md says of a process: loading and calling a model changes nothing else of it."""

import os
import subprocess
import sys

import pytest

import paths
from live_runtime import RUNTIME

PROGRAM = """
import contextlib, gc, logging, os, signal, sys, threading, warnings
import tensorflow as tf
if {runtime!r} == "tf1-compat":
    tf.compat.v1.disable_v2_behavior()
# Where it serves, loading imports it, and its pkg_resources adds filters for warnings.
with contextlib.suppress(Exception):
    import tensorflow_hub
import unihub

def state():
    # Not the root logger: tf.saved_model.load logs through absl, which adds a handler to it.
    loggers = [logging.getLogger("unihub")]
    return {{
        "environment": dict(os.environ),
        "collector": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() > 1000),
        "warnings": list(warnings.filters),
        "loggers": [(list(each.handlers), each.level) for each in loggers],
        "finders": list(sys.meta_path),
        "streams": (sys.stdout, sys.stderr, sys.excepthook),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "threads": [each.name for each in threading.enumerate() if "ThreadPool" in each.name],
        "not importable": [name for name, module in sys.modules.items() if module is None],
        "recursion": sys.getrecursionlimit(),
        "path": list(sys.path),
    }}

before = state()
with contextlib.ExitStack() as stack:
    if {runtime!r} != "tf2":
        stack.enter_context(tf.Graph().as_default())
    unihub.load({model!r})(["a text"])
after = state()
print([name for name in before if before[name] != after[name]])
"""


def run(program, **variables):
    environment = dict(os.environ, PYTHONPATH=str(paths.PACKAGES), **variables)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_nothing_else_of_the_process_changes():
    assert run(PROGRAM.format(runtime=RUNTIME, model=str(paths.DATA / "tf1_hub" / "text_embedding"))) == "[]"


@pytest.mark.parametrize("switch, paused", [("", "True"), ("1", "False")])
def test_the_garbage_collection_pause_and_its_switch(switch, paused, tmp_path):
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text("import gc\npaused = not gc.isenabled()\ncompat = None\n")
    program = "import sys; sys.path.insert(0, {!r}); from unihub._tf import packages; print({})"
    printed = "packages.import_tensorflow().paused"
    assert run(program.format(str(tmp_path), printed), UNIHUB_NO_GC_PAUSE=switch) == paused


@pytest.mark.parametrize("switch, finders", [("", "1"), ("1", "0")])
def test_the_import_hook_and_its_switch(switch, finders):
    program = "import sys; before = len(sys.meta_path); import unihub; print(len(sys.meta_path) - before)"
    assert run(program, UNIHUB_NO_KERAS_HOOK=switch) == finders
