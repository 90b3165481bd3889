"""Where the errors of TensorFlow and tensorflow_hub become ours.

One table, asked from the most to the least special: what TensorFlow says when a model does not fit it, and which typed
error tells the user so. Whatever is not in it is a ``LoadError`` that quotes TensorFlow; the cause is kept always.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Callable, ContextManager, Iterator, Pattern, Tuple

from unihub import errors
from unihub._audit import op_packages, requirements
from unihub._tf import packages
from unihub._types import RuntimeMode


def loading(plan: Any) -> ContextManager[None]:
    """Turns what is raised while a model is loaded into a typed error."""
    return _Translating(plan, errors.LoadError.loading)


def calling(plan: Any) -> ContextManager[None]:
    """Turns what is raised while a model is called into a typed error."""
    return _Translating(plan, errors.LoadError.calling)


@contextlib.contextmanager
def saving(path: str) -> Iterator[None]:
    """Turns what is raised while a model is written into a typed error."""
    try:
        yield
    except errors.UnihubError:
        raise
    except Exception as exc:
        raise errors.LoadError.saving(path, exc) from exc


class _Translating(ContextManager[None]):
    """A class, for a generator would take as long as the rest of a small call."""

    __slots__ = ("_plan", "_otherwise")

    def __init__(self, plan: Any, otherwise: Callable[[str, BaseException], errors.UnihubError]) -> None:
        self._plan = plan
        self._otherwise = otherwise

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, exc: Any, trace: Any) -> None:
        if isinstance(exc, Exception) and not isinstance(exc, errors.UnihubError):
            raise translate(self._plan, exc, self._otherwise) from exc


def translate(
    plan: Any, exc: BaseException, otherwise: Callable[[str, BaseException], errors.UnihubError]
) -> errors.UnihubError:
    """The typed error for what TensorFlow raised.

    Args:
        plan: The plan that was being carried out.
        exc: What was raised.
        otherwise: Makes the error for what no row of the table knows.

    Returns:
        The error, to be raised from ``exc``.
    """
    for pattern, make in _TRANSLATIONS:
        found = pattern.search(str(exc))
        if found:
            return make(plan, exc, found)
    return otherwise(plan.info.path, exc)


def _missing_op(plan: Any, exc: BaseException, found: Any) -> errors.UnihubError:
    op = found.group(1)
    package = op_packages.package_of(op)
    if package is None and _newer(plan):
        return _newer_model(plan, exc, found)
    name, tensorflow = package.name if package else "", packages.tensorflow_version()
    release = op_packages.release_of(name, tensorflow)
    return errors.MissingOpsError.not_registered(plan.info.path, [op], name, release, tensorflow)


def _missing_kernel(plan: Any, exc: BaseException, found: Any) -> errors.UnihubError:
    return errors.MissingOpsError.no_kernel(plan.info.path, found.group(1), packages.tensorflow_version())


def _missing_type_spec(plan: Any, exc: BaseException, found: Any) -> errors.UnihubError:
    return requirements.missing_type(plan.info.path, found.group(1))


def _newer_model(plan: Any, exc: BaseException, found: Any) -> errors.UnihubError:
    detail = found.group(0).rstrip(". ") + "."
    return errors.MissingOpsError.newer_than_tensorflow(
        plan.info.path, plan.meta_graph.tensorflow_version, packages.tensorflow_version(), detail
    )


def _newer(plan: Any) -> bool:
    """Whether the model says that a newer TensorFlow wrote it."""
    return packages.is_newer(plan.meta_graph.tensorflow_version, packages.tensorflow_version())


def is_lacking(exc: BaseException) -> bool:
    """Whether this TensorFlow lacks an op of the model, or the code that runs it."""
    return bool(_NO_OP.search(str(exc)) or _NO_KERNEL.search(str(exc)))


def is_unliftable(exc: BaseException) -> bool:
    """Whether TensorFlow could not take a TF1 graph apart into functions."""
    return bool(_UNLIFTABLE.search(str(exc)))


def _unfed_placeholder(plan: Any, exc: BaseException, found: Any) -> errors.UnihubError:
    return errors.LoadError.unfed_placeholder(plan.info.path, found.group(1))


def _uninitialized_table(plan: Any, exc: BaseException, found: Any) -> errors.UnihubError:
    return errors.LoadError.uninitialized_table(plan.info.path, exc, plan.runtime.mode is RuntimeMode.TF2)


_UNLIFTABLE = re.compile(
    r"Unable to lift tensor|a placeholder which is not an input|has a reference type|"
    r"appears more than once in the input list"
)

_NO_OP = re.compile(r"Op type not registered '(\w+)'")
_NO_KERNEL = re.compile(r"No OpKernel was registered to support Op '(\w+)'")

_TRANSLATIONS: Tuple[Tuple[Pattern[str], Callable[[Any, BaseException, Any], errors.UnihubError]], ...] = (
    (_NO_OP, _missing_op),
    (_NO_KERNEL, _missing_kernel),
    (re.compile(r"The type '([\w.]+)' (?:has not been registered|is not supported by)"), _missing_type_spec),
    (re.compile(r"No TypeSpec has been registered with name '([\w.]+)'"), _missing_type_spec),
    (re.compile(r"NodeDef (?:mentions|expected|missing) [^;\n]{0,200}"), _newer_model),
    (re.compile(r"You must feed a value for placeholder tensor '([^']+)'"), _unfed_placeholder),
    (re.compile(r"Table not initialized"), _uninitialized_table),
)
