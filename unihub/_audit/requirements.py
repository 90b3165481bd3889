"""Check that TensorFlow has the ops and types of a model before it is loaded.

Installed packages that register some of them are imported. What is still missing raises a typed error that names the
ops and what to install. A subset may need fewer ops than the full model, so its missing ops are left to TensorFlow.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, FrozenSet, Iterable, List, Optional

from unihub import errors
from unihub._audit import op_packages, scan_cache
from unihub._tf.ops import is_registered_op, is_registered_type_spec, load_op_library
from unihub._tf.packages import import_if_installed, is_newer, tensorflow_version

if TYPE_CHECKING:
    from unihub._plan.plan import Plan


def meet(plan: Plan) -> None:
    """Load the libraries and import the packages that the model of a plan needs, except for the ops of a subset.

    Args:
        plan: The plan.

    Raises:
        MissingOpsError: Something is missing, or a library cannot be loaded.
    """
    for library in plan.request.custom_op_libraries:
        _load_library(library)
    if plan.use is None:
        _meet_ops(plan)
    types = _missing_types(plan.meta_graph.contents.registered_types)
    if plan.use is None and types:
        raise missing_type(plan.info.path, types[0])


def import_packages(ops: Iterable[str]) -> Optional[BaseException]:
    """Import the installed packages that register the ops that TensorFlow lacks.

    Returns:
        The last error of an import; ``None`` if there was none.
    """
    failure = None
    packages = [op_packages.package_of(op) for op in _missing_ops(ops)]
    for module in dict.fromkeys(package.module for package in packages if package):
        failure = _try_import(module) or failure
    return failure


def ops_of_full_model(plan: Plan) -> FrozenSet[str]:
    """The ops of the full model of a plan."""
    if not plan.is_python_object:
        scan_cache.fill(plan.info, scan_cache.OPS)
    return plan.meta_graph.contents.ops


def _meet_ops(plan: Plan) -> None:
    ops = ops_of_full_model(plan)
    failure = import_packages(ops)
    missing = _missing_ops(ops)
    error = _describe(plan, missing, failure) if missing else None
    if error is not None:
        raise error


def missing_type(path: str, type_spec: str) -> errors.MissingOpsError:
    """The error for a type that is not registered."""
    distribution, module = op_packages.type_package(type_spec)
    same = distribution == module.replace("_", "-")
    return errors.MissingOpsError.type_spec_not_registered(path, type_spec, module, "" if same else distribution)


def _load_library(library: str) -> None:
    if not os.path.isfile(library):
        raise errors.MissingOpsError.no_library(library)
    try:
        load_op_library(os.path.abspath(library))
    except Exception as exc:  # The linker and the library's initializers raise errors of any type.
        raise errors.MissingOpsError.broken_library(library, tensorflow_version(), exc) from exc


def _missing_ops(ops: Iterable[str]) -> List[str]:
    return sorted(op for op in ops if not is_registered_op(op))


def _missing_types(types: FrozenSet[str]) -> List[str]:
    missing = [name for name in sorted(types) if not is_registered_type_spec(name)]
    for module in dict.fromkeys(op_packages.type_package(name)[1] for name in missing):
        _try_import(module)
    return [name for name in missing if not is_registered_type_spec(name)]


def _try_import(module: str) -> Optional[BaseException]:
    """Import a module if it is installed, and return the error if that fails."""
    try:
        return import_if_installed(module)
    except ModuleNotFoundError:
        return None


def _describe(plan: Plan, missing: List[str], failure: Optional[BaseException]) -> Optional[errors.MissingOpsError]:
    """The error for the first missing package, with all of its ops.

    ``None`` if only TensorFlow can tell.
    """
    path, tensorflow = plan.info.path, tensorflow_version()
    packages = [(op, op_packages.package_of(op)) for op in missing]
    package = next((each for _, each in packages if each is not None), None)
    if package is not None:
        ops = [op for op, each in packages if each is package]
        release = op_packages.release_of(package.name, tensorflow)
        if failure is not None:
            return errors.MissingOpsError.broken_package(path, ops, package.name, release, tensorflow, failure)
        return errors.MissingOpsError.not_registered(path, ops, package.name, release, tensorflow)
    if is_newer(plan.meta_graph.tensorflow_version, tensorflow):
        # TensorFlow 2.5 and later skip the functions with ops of a newer saver (DisableCopyOnRead).
        return None
    return errors.MissingOpsError.not_registered(path, missing, "", "", tensorflow)
