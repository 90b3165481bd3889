"""Choices that rely on tensorflow_hub, made again where it turns out that it cannot be imported.

A plan is made without importing tensorflow_hub, by what is known of its versions. Its import may fail for other
reasons; then another backend may serve.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, TypeVar, Union

from unihub import errors
from unihub._plan.matrix import Service
from unihub._plan.plan import Plan
from unihub._plan.runtime import Runtime
from unihub._tf import packages
from unihub._types import Backend

_C = TypeVar("_C", bound=Union[Plan, Service])


def choose(decide: Callable[[Runtime], _C], runtime: Runtime) -> _C:
    """Make a choice for a runtime, and again without tensorflow_hub if the choice relies on it and it does not work.

    Args:
        decide: Makes the choice.
        runtime: How TensorFlow runs here.

    Returns:
        The choice.

    Raises:
        RuntimeUnavailableError: Only tensorflow_hub could serve.
    """
    choice = decide(runtime)
    failure = packages.hub_failure() if choice.backend is Backend.TENSORFLOW_HUB else None
    if failure is None:
        return choice
    try:
        return decide(replace(runtime, hub_problem=failure.why))
    except errors.RuntimeUnavailableError:
        # The error of the import itself says most; its cause is the exception of tensorflow_hub.
        raise failure from failure.__cause__
