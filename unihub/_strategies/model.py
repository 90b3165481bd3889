"""What every loaded model offers, whichever strategy loaded it.

A strategy fills in how the model is called and what it holds; the checks of a call, the graph's collections and the
initialization of a session are the same for all, and stand here.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from unihub import errors
from unihub._call import tf_errors
from unihub._plan.plan import Plan
from unihub._saved_model.model_info import ModelInfo
from unihub._strategies import distribution
from unihub._tf import autograph, packages
from unihub._tf.strategy import current_strategy
from unihub._types import Format, RuntimeMode


class Model:
    """A loaded model.

    Attributes:
        plan: What was decided, and why.
        native: The upstream object: a ``hub.Module``, what ``tf.saved_model.load`` gives, or a callable.
        variables: All variables of the model.
        trainable_variables: Those that training changes; none when it was loaded with ``trainable=False``.
        regularization_losses: Callables without arguments, each of which returns a scalar; empty for a frozen model.
        update_ops: In a graph, the ops that move its statistics; run them with each training step. Empty elsewhere,
            where statistics move by themselves.
        signatures: The ways to call it by name, each a callable that returns a dict of tensors.
    """

    variables: List[Any]
    trainable_variables: List[Any]
    regularization_losses: List[Callable[[], Any]]
    update_ops: List[Any]
    signatures: Mapping[str, Callable[..., Dict[str, Any]]]

    def __init__(self, plan: Plan, native: Any) -> None:
        self.plan = plan
        self.native = native
        self.update_ops = []
        self._graph = current_graph()
        self._strategy = current_strategy()

    @property
    def info(self) -> ModelInfo:
        """What was found at the handle."""
        return self.plan.info

    def __call__(self, inputs: Any = None, training: Optional[bool] = None, **arguments: Any) -> Any:
        """Runs the model.

        Args:
            inputs: For a signature one tensor, array or list for its sole input, or a dict by input name. For a model
                that is called itself any nest it takes.
            training: Whether to run in training mode; ignored by a model that knows no such mode.
            **arguments: Further arguments that the model itself takes, by name.

        Returns:
            The output or outputs, as chosen when it was loaded.

        Raises:
            InputError: The arguments do not fit.
            LoadError: TensorFlow failed while it ran.
        """
        self._check_training(training)
        self._check_graph()
        self.check_strategy(self.plan.request.trainable)
        with tf_errors.calling(self.plan):
            return autograph.outside_autograph(self._run)(inputs, training, arguments)

    def initialize(self, session: Any) -> None:
        """Initializes what is not initialized yet in the graph of a session: tables, and variables without a value.

        Variables that have a value keep it, so weights that were trained or restored are safe.

        Args:
            session: A ``tf.compat.v1.Session``; in eager TensorFlow everything is initialized already, and nothing
                is done.
        """
        if self.plan.runtime.mode is not RuntimeMode.TF2:
            initialize(session)

    def check_strategy(self, trainable: bool) -> None:
        """Refuses a call in the scope of a strategy in which the model was not loaded; a layer may be frozen by now."""
        distribution.check_call(self.plan, self._strategy, trainable)

    def __getattr__(self, name: str) -> Any:
        # Whatever else the upstream object offers; private names are asked for by copying and pickling.
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

    def _run(self, inputs: Any, training: Optional[bool], arguments: Dict[str, Any]) -> Any:
        raise NotImplementedError

    def _check_training(self, training: Any) -> None:
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


def current_graph() -> Any:
    """The graph that ops go to outside of all functions; ``None`` in eager TensorFlow."""
    tf = packages.import_tensorflow()
    if tf.executing_eagerly():
        return None
    with tf.init_scope():
        return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def add_to_collection(name: str, items: Sequence[Any]) -> None:
    """Adds to a collection of the current graph what is not in it yet."""
    collection = packages.import_tensorflow().compat.v1.get_collection_ref(name)
    known = {id(item) for item in collection}
    collection.extend(item for item in items if id(item) not in known)


def initialize(session: Any) -> None:
    """Runs the table initializers, and the initializers of the variables without a value, of a session's graph."""
    v1 = packages.import_tensorflow().compat.v1
    if session.graph.finalized:
        raise errors.InputError.finalized_graph()
    with session.graph.as_default():
        variables = v1.global_variables() + v1.local_variables()
        checks = [v1.is_variable_initialized(variable) for variable in variables]
        tables = v1.get_collection(v1.GraphKeys.TABLE_INITIALIZERS)
    known = session.run(checks)
    waiting = [variable for variable, done in zip(variables, known) if not done]
    kept = _overwritten_by(waiting, [variable for variable, done in zip(variables, known) if done])
    values = session.run(kept)
    # An initializer may read a table, or another variable's initial value.
    session.run(tables)
    session.run([variable.initializer for variable in waiting])
    _assign(session, kept, values)


def _assign(session: Any, variables: Sequence[Any], values: Sequence[Any]) -> None:
    """Gives variables values by ops of their own: Variable.load() goes through the initializer, which is shared."""
    v1 = packages.import_tensorflow().compat.v1
    with session.graph.as_default():
        places = [v1.placeholder(variable.dtype.base_dtype, variable.shape) for variable in variables]
        session.run([v1.assign(*pair) for pair in zip(variables, places)], dict(zip(places, values)))


def _overwritten_by(waiting: Sequence[Any], initialized: Sequence[Any]) -> List[Any]:
    """The variables that have a value and share an initializer with one that has none.

    The variables of a TF1-style model share one op that restores them all, so running it for one would put the
    pretrained weights over the trained ones of the others.
    """
    ran = {id(variable.initializer) for variable in waiting}
    return [variable for variable in initialized if id(variable.initializer) in ran]
