"""The root object of a TF2 SavedModel that can be called and fine-tuned after it is loaded.

Its attributes are the interface of Reusable SavedModels (https://www.tensorflow.org/hub/reusable_saved_models), which
``hub.KerasLayer`` and unihub read.
"""

from __future__ import annotations

from typing import Iterable, Mapping, Optional

from unihub._tf import tracking
from unihub._tf.types import TfFunction, TfVariable, Trackable

INTERFACE = ("__call__", "variables", "trainable_variables", "regularization_losses", "signatures")


def build(
    call: Optional[TfFunction],
    variables: Iterable[TfVariable],
    trainable_variables: Iterable[TfVariable],
    regularization_losses: Iterable[TfFunction],
    attributes: Mapping[str, object],
) -> Trackable:
    """Build the root object.

    Args:
        call: The traced ``tf.function`` that a call of the model runs; ``None`` if the model cannot be called.
        variables: All variables.
        trainable_variables: The variables that training changes.
        regularization_losses: Traced ``tf.function`` without arguments that return scalars.
        attributes: Further objects to keep by name: functions, tables, assets.

    Returns:
        An object for ``tf.saved_model.save``.
    """
    root = tracking.new_root()
    if call is not None:
        root.__call__ = call
    root.variables = list(variables)
    root.trainable_variables = list(trainable_variables)
    root.regularization_losses = list(regularization_losses)
    for name, value in attributes.items():
        setattr(root, name, value)
    return root
