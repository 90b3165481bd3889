"""A MetaGraph cut down to what one use of a model needs."""

from __future__ import annotations

from typing import List, Mapping, NamedTuple, Optional

from unihub._partial.deferred_gradients import DeferredGradient
from unihub._partial.parallel_restore import Value
from unihub._tf.types import MetaGraphDef


class Subset(NamedTuple):
    """The part of a model that a use needs.

    Attributes:
        meta_graph: The ``MetaGraphDef``.
        kept: How many functions or nodes it has.
        of: How many the full model has.
        values: All values that it takes from the checkpoint; ``None`` where these are not only variables.
        gradients: The gradients that are not in the MetaGraph, by the names of their ops.
    """

    meta_graph: MetaGraphDef
    kept: int
    of: int
    values: Optional[List[Value]] = None
    gradients: Mapping[str, DeferredGradient] = {}
