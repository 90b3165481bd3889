"""The object that a TF2 SavedModel is written from, so that what is loaded again can be called and fine-tuned.

Its attributes are the interface of a Reusable SavedModel (https://www.tensorflow.org/hub/reusable_saved_models), which
``hub.KerasLayer`` and unihub read.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping, Optional

from unihub._tf import tracking

INTERFACE = ("__call__", "variables", "trainable_variables", "regularization_losses", "signatures")


def build(
    call: Optional[Callable[..., Any]],
    variables: Iterable[Any],
    trainable_variables: Iterable[Any],
    regularization_losses: Iterable[Any],
    attributes: Mapping[str, Any],
) -> Any:
    """Puts the parts together.

    Args:
        call: A traced ``tf.function``: what a call of the model does; ``None`` for a model that is not called itself.
        variables: All ``tf.Variable``.
        trainable_variables: Those that training changes.
        regularization_losses: Traced ``tf.function``, each without arguments, that return scalars.
        attributes: Whatever else must be kept: functions to call, tables, assets.

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
