"""``unihub.plan`` writes no file, and imports neither tensorflow_hub nor Keras."""

import os
import subprocess
import sys

import pytest

import paths
from choices import also_slow
from live_runtime import RUNTIME, TENSORFLOW

PROGRAM = """
import sys, tensorflow as tf
if {runtime!r} == "tf1-compat":
    tf.compat.v1.disable_v2_behavior()
before = set(sys.modules)
import unihub
unihub.plan({model!r}, api={api!r})
new = set(sys.modules) - before
print(sorted(name for name in new if name.split(".")[0] in ("tensorflow_hub", "keras", "tf_keras")))
"""


# The layer of Keras 3 needs eager TensorFlow.
@pytest.mark.parametrize("api", also_slow(["auto", "keras" if RUNTIME == "tf2" else "load"], 1))
@pytest.mark.skipif(TENSORFLOW < (1, 15), reason="the model is a TF2 SavedModel, which TensorFlow 1.14 cannot load")
def test_plan_is_pure(api, tmp_path):
    environment = dict(os.environ, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path), PYTHONPATH=str(paths.PACKAGES))
    environment.pop("UNIHUB_CACHE_DIR", None)
    code = PROGRAM.format(runtime=RUNTIME, model=str(paths.DATA / "saved_model" / "reusable"), api=api)
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert [path for path in tmp_path.rglob("*") if "unihub" in path.name] == []
