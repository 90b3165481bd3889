"""The tests in this folder run on a real TensorFlow, in one runtime a process.

``UNIHUB_RUNTIME`` declares the runtime (``tf1``, ``tf1-compat`` or ``tf2``), ``UNIHUB_TENSORFLOW`` and ``UNIHUB_HUB`` the
versions. A process that declares what it does not have fails: an environment that cannot start must not look green.
"""
from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import tensorflow as tf  # noqa: E402

DATA = Path(__file__).parent.parent / "data"
RUNTIME = os.environ.get("UNIHUB_RUNTIME", "tf2" if tf.compat.v1.executing_eagerly_outside_functions() else "tf1")

if RUNTIME == "tf1-compat":
    tf.compat.v1.disable_v2_behavior()
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)


def pytest_sessionstart(session):
    """Fails the run when the process is not what it says."""
    from unihub._runtime import detect_runtime

    found = detect_runtime()
    declared = {
        "runtime": (RUNTIME, str(found.mode)),
        "TensorFlow": (os.environ.get("UNIHUB_TENSORFLOW", found.tensorflow), found.tensorflow),
        "tensorflow_hub": (os.environ.get("UNIHUB_HUB", found.tensorflow_hub), found.tensorflow_hub),
    }
    wrong = ["{}: declared {}, found {}".format(name, *pair) for name, pair in declared.items() if pair[0] != pair[1]]
    if wrong:
        pytest.exit("this environment is not what it declares: " + "; ".join(wrong), returncode=3)


def pytest_report_header(config):
    from unihub._runtime import detect_runtime

    return "unihub runtime: {} on Python {}".format(detect_runtime(), sys.version.split()[0])


class Session:
    """Runs what a model returns, in whichever runtime this is; used as a context in which models are made."""

    def __init__(self, graph):
        self.graph = graph
        self._session = None

    @property
    def session(self):
        if self._session is None:
            self._session = tf.compat.v1.Session(graph=self.graph)
        return self._session

    def initialize(self, model):
        """What a user does before the first run."""
        model.initialize(self.session if self.graph is not None else None)

    def run(self, outputs, model=None):
        """The values of tensors or variables."""
        if self.graph is None:
            return tf.nest.map_structure(lambda part: part.numpy(), outputs)
        if model is not None:
            self.initialize(model)
        return self.session.run(outputs)


@pytest.fixture
def runtime():
    """The declared runtime, one of ``tf1``, ``tf1-compat``, ``tf2``."""
    return RUNTIME


@pytest.fixture
def live():
    """A clean place for one model: a graph and its session, or eager TensorFlow."""
    with live_context(RUNTIME) as context:
        yield context


@contextlib.contextmanager
def live_context(mode):
    """The same for one mode; ``tf2-graph`` is a plain graph in a tf2 process."""
    if mode == "tf2":
        yield Session(None)
        return
    with tf.Graph().as_default() as graph:
        yield Session(graph)


def load_golden(path):
    """The calls recorded beside a model: ``{call: (inputs, outputs)}``, a bare value where there are no names."""
    calls = {}
    with np.load(str(path) + ".golden.npz") as arrays:
        for key in arrays.files:
            call, side, *name = key.split("/")
            calls.setdefault(call, {"in": {}, "out": {}})[side][name[0] if name else ""] = arrays[key]
    return {call: (_unnamed(sides["in"]), _unnamed(sides["out"])) for call, sides in calls.items()}


def _unnamed(values):
    return values[""] if list(values) == [""] else values
