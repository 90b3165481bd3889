"""Models that were loaded before in this process, for those who ask for the very same object again.

Nothing is kept unless it is asked for. In a graph the models belong to that graph, and go with it.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Tuple

from unihub._partial import loader
from unihub._strategies import distribution

# By the files of the model: the plans, the tf.distribute strategies that have the variables, and what was loaded.
Loaded = Dict[Any, List[Tuple[Any, Any, Any]]]

_eager: Loaded = {}


def loaded(plan: Any, load: Callable[[Any], Any]) -> Any:
    """What a plan loads; with ``reuse`` what was loaded before, if it was the same.

    Args:
        plan: The plan.
        load: Loads it.

    Returns:
        The model.
    """
    if not plan.request.reuse:
        return load(plan)
    known = _loaded_here().setdefault(_key(plan), [])
    strategy = distribution.current_strategy()
    for other, owner, model in known:
        if owner is strategy and _is_same(plan, other):
            return model
    model = load(plan)
    known.append((plan, strategy, model))
    return model


def _loaded_here() -> Loaded:
    from unihub._strategies.model import current_graph

    graph = current_graph()
    if graph is None:
        return _eager
    if not hasattr(graph, "unihub_loaded"):
        graph.unihub_loaded = {}
    found: Loaded = graph.unihub_loaded
    return found


def _key(plan: Any) -> Any:
    # An object is known by itself, which the plan keeps alive.
    return id(plan.source) if plan.source is not plan.info.path else loader.fingerprint(plan.source)


def _is_same(plan: Any, other: Any) -> bool:
    """Whether two plans ask for the same; options that cannot be compared are others."""
    try:
        return bool((plan.request, plan.tags, plan.runtime.mode) == (other.request, other.tags, other.runtime.mode))
    except ValueError:
        return False
