"""Models that were loaded before in this process, for callers that ask for the same object again.

Nothing is kept unless it is asked for. In a graph the models belong to that graph, and go with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Tuple, Union

from unihub._partial import loader
from unihub._tf import ops
from unihub._tf.strategy import current_strategy
from unihub._tf.types import Strategy

if TYPE_CHECKING:
    from unihub._plan.plan import Plan
    from unihub._strategies.model import Model

# By the files of the model: the plans, the tf.distribute strategies that have the variables, and what was loaded.
Loaded = Dict[Union[int, str], List[Tuple["Plan", Strategy, "Model"]]]

_eager: Loaded = {}


def load_or_reuse(plan: Plan) -> Model:
    """Load the model of a plan by its strategy; with ``reuse``, return the same model if it was loaded before."""
    load_model = plan.import_loader()
    if not plan.request.reuse:
        return load_model(plan)
    known = _loaded_here().setdefault(_key(plan), [])
    scope = current_strategy()
    for other, owner, model in known:
        if owner is scope and _is_same(plan, other):
            return model
    model = load_model(plan)
    known.append((plan, scope, model))
    return model


def _loaded_here() -> Loaded:
    graph = ops.current_graph()
    if graph is None:
        return _eager
    return ops.kept_by_graph(graph, "unihub_loaded", dict)


def _key(plan: Plan) -> Union[int, str]:
    # An object is known by itself, which the plan keeps alive.
    return id(plan.source) if plan.is_python_object else loader.fingerprint(plan.source)


def _is_same(plan: Plan, other: Plan) -> bool:
    """Whether two plans ask for the same; options that cannot be compared are others."""
    try:
        return bool((plan.request, plan.tags, plan.runtime.mode) == (other.request, other.tags, other.runtime.mode))
    except ValueError:
        return False
