"""The TensorFlow that the live tests run on, in one runtime a process.

``UNIHUB_RUNTIME`` declares the runtime (``tf1``, ``tf1-compat`` or ``tf2``), ``UNIHUB_TENSORFLOW`` and ``UNIHUB_HUB`` the
versions. A process that declares what it does not have fails: an environment that cannot start must not look green.
"""

from __future__ import annotations

import contextlib
import os

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import tensorflow as tf  # noqa: E402

import unihub  # noqa: E402
from paths import DATA  # noqa: E402, F401 - what the tests import from here

try:
    import tensorflow_hub as hub
except ImportError:
    # An environment that declares none has to do without; check_environment() sees to it that it is declared.
    hub = None

RUNTIME = os.environ.get("UNIHUB_RUNTIME", "tf2" if tf.__version__[0] == "2" else "tf1")

if RUNTIME == "tf1-compat":
    tf.compat.v1.disable_v2_behavior()
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)


# A process in one runtime, and the runtimes that can be reached in it. tf2-graph is a plain graph in a tf2 process.
MODES = ("tf2", "tf2-graph") if RUNTIME == "tf2" else (RUNTIME,)

# Facts that decide who can serve a cell, read off the packages themselves and not asked of unihub.
TENSORFLOW = tuple(map(int, tf.__version__.split(".")[:2]))
HAS_HUB = hub is not None
HAS_HUB_MODULE = hasattr(hub, "Module")
HAS_KERAS2 = not hasattr(tf.keras, "ops")  # Keras 3 brought them


def check_environment():
    """Fails the run when the process is not what it says."""
    from unihub._plan.runtime import detect_runtime

    found = detect_runtime()
    declared = {
        "runtime": (RUNTIME, str(found.mode)),
        "TensorFlow": (os.environ.get("UNIHUB_TENSORFLOW", found.tensorflow), found.tensorflow),
        "tensorflow_hub": (os.environ.get("UNIHUB_HUB", hub and hub.__version__) or None, found.tensorflow_hub),
    }
    wrong = ["{}: declared {}, found {}".format(name, *pair) for name, pair in declared.items() if pair[0] != pair[1]]
    if os.environ.get("UNIHUB_INSTALLED") and "site-packages" not in unihub.__file__:
        wrong.append("unihub: declared to be installed, found {}".format(unihub.__file__))
    if wrong:
        raise RuntimeError("this environment is not what it declares: " + "; ".join(wrong))


class Session:
    """Runs what a model returns, in whichever runtime this is; used as a context in which models are made."""

    def __init__(self, graph, mode):
        self.graph = graph
        self.mode = mode
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


@contextlib.contextmanager
def live_context(mode):
    """The same for one mode; ``tf2-graph`` is a plain graph in a tf2 process."""
    if mode == "tf2":
        yield Session(None, mode)
        return
    with tf.Graph().as_default() as graph:
        yield Session(graph, mode)


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


def missing_server(api, keras="auto"):
    """What nobody can serve in this environment and mode, as errors name it; ``None`` when somebody can."""
    if api != "keras":
        return None
    if keras == "keras3" or (keras == "auto" and not HAS_KERAS2):
        return None if tf.executing_eagerly() else "keras3"
    return None if HAS_HUB else "tensorflow_hub"


def backend_of(api, keras="auto"):
    """Who serves an api here."""
    if api == "module":
        return "tensorflow_hub" if HAS_HUB_MODULE else "unihub"
    is_keras2 = api == "keras" and (keras == "keras2" or (keras == "auto" and HAS_KERAS2))
    return "tensorflow_hub" if is_keras2 else "unihub"


def note_served(name, backend):
    """Notes who served a row of the matrix, for the table of all environments that CI prints."""
    if os.environ.get("UNIHUB_SERVED"):
        with open(os.environ["UNIHUB_SERVED"], "a", encoding="utf-8") as file:
            file.write("{} {}\n".format(name, backend))


def assert_close(found, wanted):
    """The numbers of one call: a dict by name, or one array."""
    if isinstance(wanted, dict):
        assert set(found) == set(wanted)
        for name in wanted:
            assert_close(found[name], wanted[name])
    elif wanted.dtype.kind in "SU":
        np.testing.assert_array_equal(np.asarray(found).astype("S"), wanted.astype("S"))
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
