"""The current ``tf.distribute`` strategy, and the replicas' variables."""

from __future__ import annotations

from typing import Optional, Sequence

from unihub._tf.packages import import_tensorflow
from unihub._tf.types import Strategy, TfVariable


def current_strategy() -> Optional[Strategy]:
    """The ``tf.distribute`` strategy of this scope or replica; ``None`` outside of one."""
    distribute = import_tensorflow().distribute
    return distribute.get_strategy() if distribute.has_strategy() else None


def replica_variables(variable: TfVariable) -> Sequence[TfVariable]:
    """The replicas' variables in a variable of a ``tf.distribute`` strategy; none for other variables.

    ``tf.distribute.DistributedValues`` has them since TensorFlow 2.1, in an undocumented attribute.
    """
    values = getattr(import_tensorflow().distribute, "DistributedValues", ())
    return tuple(getattr(variable, "values", ())) if isinstance(variable, values) else ()


def has_remote_workers(strategy: Strategy) -> bool:
    """Whether the replicas of a strategy run in other processes, which reach nothing but the strategy's variables.

    By its class's name: ``ParameterServerStrategyV2`` is public from TensorFlow 2.4 on, and by two names.
    """
    return any(cls.__name__ == "ParameterServerStrategyV2" for cls in type(strategy).__mro__)
