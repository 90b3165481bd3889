"""Whether a program reads the collections of its graph, which unihub fills and tensorflow_hub does not.

In a graph a trainable model of unihub adds its variables, update ops and losses to the collections, as ``hub.Module``
does; ``hub.load`` and ``hub.KerasLayer`` add none. A program that reads them would train more than before.
"""

from __future__ import annotations

import libcst as cst

from unihub._migrate.call_arguments import argument, last_name, positional
from unihub._migrate.program import Program

LEFT_ALONE = "collections=False"

_READERS = frozenset(
    {
        "get_collection",
        "get_collection_ref",
        "get_regularization_loss",
        "get_regularization_losses",
        "get_total_loss",
        "trainable_variables",
    }
)
_OPTIMIZERS = frozenset({"minimize", "compute_gradients"})


def reads_collections(program: Program) -> bool:
    """Whether something in a program takes what is in a collection; in eager TensorFlow it makes no difference."""
    return any(map(_reads, program.all(cst.Call)))


def _reads(call: cst.Call) -> bool:
    name = last_name(call)
    # Of the variables given to an optimizer by position the place is another one in each TensorFlow.
    is_given = argument(call, "var_list") is not None or len(positional(call)) > 2
    return name in _READERS or (name in _OPTIMIZERS and not is_given)
