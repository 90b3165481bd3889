"""``Model``: what ``unihub.load`` returns, whichever strategy loaded it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional

from unihub._tf.types import Inputs, Native, Op, Session, TensorNest, TfTensor, TfVariable

if TYPE_CHECKING:
    from unihub._plan.plan import Plan
    from unihub._saved_model.model_info import ModelInfo

# A regularization loss returns a scalar. A signature takes its inputs by name, and returns its outputs by name.
Loss = Callable[[], TfTensor]
SignatureFunction = Callable[..., Dict[str, TfTensor]]


class Model:
    """A loaded model.

    ``unihub.load`` returns an instance of this class, or, with ``api="keras"``, a Keras layer that is also one. Other
    attributes are those of ``native``, or of the Keras layer.

    Attributes:
        plan: How unihub decided to load the model, and why.
        info: The contents of the model's files, as ``unihub.inspect`` returns them.
        native: The upstream object: a ``hub.Module``, the result of ``tf.saved_model.load``, a session, or the Python
            callable that was loaded.
        variables: All variables of the model.
        trainable_variables: The variables that training changes; empty for a model loaded with ``trainable=False`` and
            for a frozen Keras layer.
        regularization_losses: Callables without arguments that each return a scalar; empty for a frozen model.
        update_ops: In a graph, the ops that update the model's statistics; run them with each training step. Empty in
            eager TensorFlow, where each call in training mode updates the statistics.
        signatures: The model's signatures by name. Each is a callable that returns a dict of tensors by output name.
    """

    plan: Plan
    info: ModelInfo
    native: Native
    variables: List[TfVariable]
    trainable_variables: List[TfVariable]
    regularization_losses: List[Loss]
    update_ops: List[Op]
    signatures: Mapping[str, SignatureFunction]

    def __call__(self, inputs: Inputs = None, training: Optional[bool] = None, **arguments: Inputs) -> TensorNest:
        """Run the model.

        Args:
            inputs: For a signature, one tensor, array or list for its only input, or a dict by input name. For a model
                that is called itself, any nest that it takes.
            training: Whether to run in training mode; ignored by a model without a training mode.
            **arguments: Further arguments of the model's own call, by name.

        Returns:
            The output or outputs that ``output_key`` and ``as_dict`` of ``unihub.load`` select.

        Raises:
            InputError: The arguments do not fit the model.
            LoadError: TensorFlow failed to run the model.
        """
        raise NotImplementedError

    def initialize(self, session: Session) -> None:
        """Initialize the tables, and the variables without a value, in the graph of a session.

        Variables with a value keep it, so trained or restored weights are safe.

        Args:
            session: A ``tf.compat.v1.Session``. In eager TensorFlow everything is initialized already, and this method
                does nothing.
        """
        raise NotImplementedError

    if TYPE_CHECKING:  # Attributes of the upstream object, or of the Keras layer.

        def __getattr__(self, name: str) -> Any: ...
