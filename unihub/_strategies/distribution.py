"""Models under a ``tf.distribute`` strategy: which strategy owns their variables, and where they can be trained.

TensorFlow creates the variables of a SavedModel under the strategy in whose scope it is loaded. The replicas must load
a model once, together. Calls that would give each replica variables of its own are refused before the first step.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Generic, Iterator, Mapping, Optional, TypeVar

from unihub import errors
from unihub._plan.plan import Plan
from unihub._tf import packages
from unihub._tf.strategy import current_strategy, has_remote_workers, replica_variables
from unihub._tf.types import Strategy, TfVariable
from unihub._types import Format

_T = TypeVar("_T")


def check_call(plan: Plan, strategy: Optional[Strategy], trainable: bool) -> None:
    """Refuses to call a model in the scope of a strategy that its variables do not belong to.

    Args:
        plan: How the model was loaded.
        strategy: The strategy in whose scope it was loaded.
        trainable: Whether it is trained. A frozen model may belong to no strategy: all replicas of a machine can read
            its variables.

    Raises:
        InputError: The model was loaded outside of the current strategy's scope.
    """
    here = current_strategy()
    if here is None or here is strategy:
        return
    if trainable or has_remote_workers(here):
        raise errors.InputError.other_strategy(
            plan.info.path, type(here).__name__, None if strategy is None else type(strategy).__name__
        )


def load_once(load: Callable[[], _T]) -> _T:
    """Loads once what each replica asks for, and returns it to all of them.

    In the scope of a strategy a plain call does that. A function that runs in each replica, such as the ``model_fn`` of
    an Estimator, must merge with the other replicas first.
    """
    distribute = packages.import_tensorflow().distribute
    if current_strategy() is None or distribute.in_cross_replica_context():
        return load()
    # In a holder, because TensorFlow searches the returned object for values of single replicas.
    holder: _Holder[_T] = distribute.get_replica_context().merge_call(lambda strategy: _Holder(load()))
    return holder.held


class _Holder(Generic[_T]):
    __slots__ = ("held",)

    def __init__(self, held: _T) -> None:
        self.held = held


@contextlib.contextmanager
def averaging(plan: Plan) -> Iterator[None]:
    """Gives variables that the model assigns to, such as moving statistics, a value per replica; reading averages them.

    The ops of a SavedModel that assign to a variable change it in one replica only: TensorFlow sees no assignment that
    it could apply in the others. Keras 2 declares its variables so; other libraries may not.
    """
    strategy = current_strategy()
    if strategy is None or has_remote_workers(strategy) or plan.info.format is not Format.TF2_SAVED_MODEL:
        yield
        return
    from unihub._strategies import assigned_variables

    tf = packages.import_tensorflow()
    assigned = assigned_variables.find(plan.source, plan.tags)

    def is_assigned(options: Mapping[str, Any]) -> bool:
        return assigned_variables.key_of(options.get("name"), options["dtype"], options.get("shape")) in assigned

    def create(next_creator: Callable[..., TfVariable], **options: Any) -> TfVariable:
        # Not variables that are also trained. Other objects may create variables without these options.
        if options.get("trainable") is False and options.get("dtype") is not None and is_assigned(options):
            mean = tf.as_dtype(options["dtype"]).is_floating
            options["synchronization"] = tf.VariableSynchronization.ON_READ
            if options.get("aggregation") in (None, tf.VariableAggregation.NONE):
                aggregations = tf.VariableAggregation
                options["aggregation"] = aggregations.MEAN if mean else aggregations.ONLY_FIRST_REPLICA
        return next_creator(**options)

    with tf.variable_creator_scope(create):
        yield


def leave_to_strategy() -> None:
    """In a graph, removes the replicas' variables from the collections that have the distributed variable.

    TensorFlow adds both when it loads a SavedModel, so a checkpoint would have the statistics of one replica.
    """
    v1 = packages.import_tensorflow().compat.v1
    for key in (v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.TRAINABLE_VARIABLES):
        variables = v1.get_collection_ref(key)
        of_replicas = {id(each) for variable in variables for each in replica_variables(variable)}
        variables[:] = [variable for variable in variables if id(variable) not in of_replicas]
