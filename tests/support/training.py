"""What the tests of training share: where they run, the optimizer, and a problem to train on."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

from live_runtime import RUNTIME
from unihub._tf.keras import keras2 as import_keras2

TF = Version(Version(tf.__version__).base_version)
GRAPH_MODES = {"tf1": ["tf1"], "tf1-compat": ["tf1-compat"], "tf2": ["tf2-graph"]}[RUNTIME]

needs_estimator = pytest.mark.skipif(
    not Version("1.15") <= TF < Version("2.16"), reason="no tf.estimator that reads these models"
)


def keras2():
    return import_keras2()


def sgd(rate):
    # The optimizers that came with Keras 2.9 refuse graphs; the older ones went on as "legacy".
    optimizers = keras2().optimizers
    return getattr(optimizers, "legacy", optimizers).SGD(rate)


def regression(rows=64, seed=1):
    """Inputs, and targets that the ``reusable`` model does not give yet."""
    random = np.random.RandomState(seed)
    inputs = random.randn(rows, 8).astype(np.float32) + 2
    return inputs, np.tanh(inputs[:, :4]).astype(np.float32)
