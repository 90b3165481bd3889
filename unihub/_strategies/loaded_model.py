"""The base class of models that a strategy loads: the checks of a call, and forwarding to the upstream object.

A strategy's class fills in ``_run``, ``variables``, ``trainable_variables``, ``regularization_losses`` and
``signatures``.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from unihub import errors
from unihub._call import tf_errors
from unihub._plan.plan import Plan
from unihub._strategies import distribution, initialization
from unihub._strategies.model import Loss, Model
from unihub._tf import autograph
from unihub._tf.ops import current_graph
from unihub._tf.strategy import current_strategy
from unihub._tf.types import Inputs, Native, Session, TensorNest, TfVariable
from unihub._types import Format, RuntimeMode


class LoadedModel(Model):
    """A model that is not a Keras layer."""

    def __init__(self, plan: Plan, native: Native) -> None:
        self.plan = plan
        self.info = plan.info
        self.native = native
        self.update_ops = []
        self._graph = current_graph()
        self._strategy = current_strategy()

    def __call__(self, inputs: Inputs = None, training: Optional[bool] = None, **arguments: Inputs) -> TensorNest:
        """Runs the model."""
        self._check_training(training)
        self._check_graph()
        self.check_strategy(self.plan.request.trainable)
        with tf_errors.calling(self.plan):
            return autograph.call_outside_autograph(self._run, inputs, training, arguments)

    def initialize(self, session: Session) -> None:
        """Initializes what is not initialized yet in the graph of a session."""
        if self.plan.runtime.mode is not RuntimeMode.TF2:
            initialization.initialize(session)

    def check_strategy(self, trainable: bool) -> None:
        """Refuses a call in the scope of a strategy in which the model was not loaded; a layer may be frozen by now."""
        distribution.check_call(self.plan, self._strategy, trainable)

    def __getattr__(self, name: str) -> Any:
        # Copying and pickling ask for private names before the object has any attributes.
        if name.startswith("_") or name == "native":
            raise AttributeError(name)
        try:
            return getattr(self.native, name)
        except AttributeError:
            if self.plan.use is None:
                raise
            raise AttributeError(str(errors.SignatureError.not_loaded(self.info.path, name, self.plan.use))) from None

    def __repr__(self) -> str:
        return "<unihub model {} through {}>".format(self.info.path, self.plan.api)

    def _run(self, inputs: Inputs, training: Optional[bool], arguments: Dict[str, Inputs]) -> TensorNest:
        raise NotImplementedError

    def _check_training(self, training: Optional[bool]) -> None:
        path, trainable = self.info.path, self.plan.request.trainable
        if training is not None and not isinstance(training, bool):
            raise errors.InputError.training_is_no_bool(training)
        if training and not trainable:
            raise errors.InputError.frozen(path)
        if training is not None and self.info.format is Format.TF1_HUB and training != ("train" in self.plan.tags):
            raise errors.InputError.contradicts_variant(path, self.plan.tags, training)

    def _check_graph(self) -> None:
        if current_graph() is not self._graph:
            raise errors.InputError.other_graph(self.info.path)


class WrappedModel(LoadedModel):
    """A model that a Keras layer can be made around.

    Attributes:
        weights_to_train: The variables that the model marks as trainable, whether or not it was loaded to be trained.
        losses_to_train: Its regularization losses, likewise.
    """

    weights_to_train: List[TfVariable]
    losses_to_train: List[Loss]

    def apply(self, inputs: Inputs, training: bool, arguments: Mapping[str, Inputs]) -> TensorNest:
        """Calls the model without checking whether it may be trained: a Keras layer decides that itself."""
        raise NotImplementedError

    def _run(self, inputs: Inputs, training: Optional[bool], arguments: Dict[str, Inputs]) -> TensorNest:
        return self.apply(inputs, bool(training), arguments)
