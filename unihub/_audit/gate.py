"""The audit on the way of ``load``: first whether the model may be loaded at all, then whether it can be."""

from __future__ import annotations

from typing import Any, Tuple

from unihub._audit import requirements, scan_cache, trust
from unihub._saved_model.unsafe_scan import UnsafeOp


def check(plan: Any) -> Tuple[UnsafeOp, ...]:
    """Refuses a model that is not to be trusted; all of it counts, also what the plan does not use.

    Args:
        plan: What is planned.

    Returns:
        The unsafe ops to warn of.

    Raises:
        UnsafeModelError: It is refused.
    """
    if plan.source is not plan.info.path:
        return ()
    scan_cache.fill(plan.info, scan_cache.AUDIT)
    return trust.check(plan.handle, plan.info.path, plan.info.unsafe_ops, plan.request.trust)


def prepare(plan: Any) -> None:
    """Warns of unsafe ops, and sees to it that TensorFlow has what the model needs.

    Raises:
        MissingOpsError: It does not.
    """
    if plan.source is plan.info.path:
        trust.warn(plan.info.path, check(plan))
    requirements.meet(plan)
