"""The gate between a plan and its strategy: may the model be loaded, and can TensorFlow load it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unihub._audit import requirements, scan_cache, trust

if TYPE_CHECKING:
    from unihub._plan.plan import Plan


def check_trust(plan: Plan) -> None:
    """Refuse a model with unsafe ops that is not trusted, or warn of them.

    The whole model is scanned, including what the plan does not use. A Python object has no files to scan.

    Raises:
        UnsafeModelError: The model is refused.
    """
    if plan.is_python_object:
        return
    scan_cache.fill(plan.info, scan_cache.AUDIT)
    unsafe_ops = trust.check(plan.handle, plan.info.path, plan.info.unsafe_ops, plan.request.trust)
    trust.warn(plan.info.path, unsafe_ops)


def check_requirements(plan: Plan) -> None:
    """Load the libraries and import the packages that bring the model's own ops.

    Raises:
        MissingOpsError: TensorFlow still lacks some of them.
    """
    requirements.meet(plan)
