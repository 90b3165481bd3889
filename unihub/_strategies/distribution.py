"""Models under a ``tf.distribute`` strategy: whose variables they have, and where they cannot be trained.

TensorFlow makes the variables of a SavedModel those of the strategy in whose scope it is loaded. What must stay true:
the replicas load a model once, together, and whatever would leave each of them with variables of its own is refused
before the first step.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Iterator, Optional

from unihub import errors
from unihub._tf import packages
from unihub._tf.strategy import current_strategy, has_remote_workers, parts_of
from unihub._types import Format


def check_call(plan: Any, strategy: Optional[Any], trainable: bool) -> None:
    """Refuses to call a model in the scope of a strategy that its variables do not belong to.

    Args:
        plan: How the model was loaded.
        strategy: In whose scope it was.
        trainable: Whether it is trained. A frozen one may be outside: all replicas of a machine can read it.

    Raises:
        InputError: It was loaded elsewhere.
    """
    here = current_strategy()
    if here is None or here is strategy:
        return
    if trainable or has_remote_workers(here):
        raise errors.InputError.other_strategy(
            plan.info.path, type(here).__name__, None if strategy is None else type(strategy).__name__
        )


def load_once(load: Callable[[], Any]) -> Any:
    """Loads once what each replica asks for, and gives it to all.

    In the scope of a strategy that is what a plain call does. A function that runs in each replica, such as the
    ``model_fn`` of an Estimator, has to come together with the others first.
    """
    distribute = packages.import_tensorflow().distribute
    if current_strategy() is None or distribute.in_cross_replica_context():
        return load()
    # In a holder, for what is returned would be looked through for values of single replicas.
    return distribute.get_replica_context().merge_call(lambda strategy: _Holder(load())).held


class _Holder:
    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


@contextlib.contextmanager
def averaging(plan: Any) -> Iterator[None]:
    """Makes variables that the model itself assigns to, such as moving statistics, a value per replica, and their mean.

    The ops of a SavedModel that assign to a variable change it in one replica only: TensorFlow sees no assignment that
    it could carry to the others. Keras 2 says so of its variables, and others may not have.
    """
    strategy = current_strategy()
    if strategy is None or has_remote_workers(strategy) or plan.info.format is not Format.TF2_SAVED_MODEL:
        yield
        return
    from unihub._strategies import assigned_variables

    tf = packages.import_tensorflow()
    written = assigned_variables.find(plan.source, plan.tags)

    def is_written(options: Any) -> bool:
        return assigned_variables.key_of(options.get("name"), options["dtype"], options.get("shape")) in written

    def create(next_creator: Any, **options: Any) -> Any:
        # What the model trains as well cannot be so; and objects of other kinds may make variables of their own.
        if options.get("trainable") is False and options.get("dtype") is not None and is_written(options):
            mean = tf.as_dtype(options["dtype"]).is_floating
            options["synchronization"] = tf.VariableSynchronization.ON_READ
            if options.get("aggregation") in (None, tf.VariableAggregation.NONE):
                aggregations = tf.VariableAggregation
                options["aggregation"] = aggregations.MEAN if mean else aggregations.ONLY_FIRST_REPLICA
        return next_creator(**options)

    with tf.variable_creator_scope(create):
        yield


def leave_to_strategy() -> None:
    """In a graph, takes out of the collections the parts of variables that are in them as a whole.

    TensorFlow adds both where it loads a SavedModel, so that a checkpoint would have the statistics of one replica.
    """
    v1 = packages.import_tensorflow().compat.v1
    for key in (v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.TRAINABLE_VARIABLES):
        variables = v1.get_collection_ref(key)
        parts = {id(part) for variable in variables for part in parts_of(variable)}
        variables[:] = [variable for variable in variables if id(variable) not in parts]
