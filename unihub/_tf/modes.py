"""How TensorFlow can run, and which Keras ``tf.keras`` is, by public API and TensorFlow's own rules."""

from __future__ import annotations

import os

from packaging.version import Version

from unihub._tf.packages import import_tensorflow, tensorflow_before


def has_v2_behavior() -> bool:
    """Whether graphs have the variables and the control flow of TensorFlow 2.

    ``disable_v2_behavior()`` switches both off, and a user may switch off either one. TensorFlow 1.14 has no
    ``control_flow_v2_enabled``, and no such control flow to switch on.
    """
    v1 = import_tensorflow().compat.v1
    control_flow_v2_enabled = getattr(v1, "control_flow_v2_enabled", None)
    return bool(v1.resource_variables_enabled() and control_flow_v2_enabled is not None and control_flow_v2_enabled())


def is_tensorflow1() -> bool:
    """Whether this is TensorFlow 1.x."""
    return tensorflow_before("2")


def is_eager_outside() -> bool:
    """Whether the function being traced belongs to an eager program, and not to a plain graph."""
    tf = import_tensorflow()
    with tf.init_scope():
        return bool(tf.executing_eagerly())


def keras_chosen_by(tensorflow: str) -> str:
    """Which Keras ``tf.keras`` is in a TensorFlow, ``keras2`` or ``keras3``, without importing it.

    From TensorFlow 2.16 on it is Keras 3 unless ``TF_USE_LEGACY_KERAS`` is set
    (https://github.com/tensorflow/tensorflow/releases/tag/v2.16.1).
    """
    if Version(Version(tensorflow).base_version) < Version("2.16"):
        return "keras2"
    return "keras2" if os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True") else "keras3"


def keras_of_version(keras: str) -> str:
    """Which Keras a version of Keras is, ``keras2`` or ``keras3``."""
    return "keras3" if Version(keras) >= Version("3.0.dev0") else "keras2"
