"""Turns the errors of TensorFlow and tensorflow_hub into unihub's.

One table maps TensorFlow's messages to typed errors; the first pattern that matches wins. Any other message becomes a
``LoadError`` that quotes TensorFlow. The original error is always the cause.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Callable, ContextManager, Iterator, Match, Optional, Pattern, Tuple, Type

from unihub import errors
from unihub._audit import op_packages, requirements
from unihub._tf import packages
from unihub._types import RuntimeMode

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Protocol

    from unihub._plan.runtime import Runtime
    from unihub._saved_model.model_info import MetaGraph, ModelInfo

    class Planned(Protocol):
        """What is loaded or called: a plan, or the source of a conversion."""

        @property
        def info(self) -> ModelInfo: ...

        @property
        def meta_graph(self) -> MetaGraph: ...

        @property
        def runtime(self) -> Runtime: ...


def loading(plan: Planned) -> ContextManager[None]:
    """Turns what is raised while a model is loaded into a typed error."""
    return _Translating(plan, errors.LoadError.loading)


def calling(plan: Planned) -> ContextManager[None]:
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
    """A class, because a generator would take as long as the rest of a small call."""

    __slots__ = ("_plan", "_otherwise")

    def __init__(self, plan: Planned, otherwise: Callable[[str, BaseException], errors.UnihubError]) -> None:
        self._plan = plan
        self._otherwise = otherwise

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: Optional[Type[BaseException]], exc: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if isinstance(exc, Exception) and not isinstance(exc, errors.UnihubError):
            raise translate(self._plan, exc, self._otherwise) from exc


def translate(
    plan: Planned, exc: BaseException, otherwise: Callable[[str, BaseException], errors.UnihubError]
) -> errors.UnihubError:
    """The typed error for what TensorFlow raised.

    Args:
        plan: The plan that was being executed.
        exc: What TensorFlow raised.
        otherwise: Makes the error where no row of the table matches.

    Returns:
        The error, to be raised from ``exc``.
    """
    for pattern, make in _TRANSLATIONS:
        match = pattern.search(str(exc))
        if match:
            return make(plan, exc, match)
    return otherwise(plan.info.path, exc)


def _missing_op(plan: Planned, exc: BaseException, match: Match[str]) -> errors.UnihubError:
    op = match.group(1)
    package = op_packages.package_of(op)
    if package is None and _newer(plan):
        return _newer_model(plan, exc, match)
    name, tensorflow = package.name if package else "", packages.tensorflow_version()
    release = op_packages.release_of(name, tensorflow)
    return errors.MissingOpsError.not_registered(plan.info.path, [op], name, release, tensorflow)


def _missing_kernel(plan: Planned, exc: BaseException, match: Match[str]) -> errors.UnihubError:
    return errors.MissingOpsError.no_kernel(plan.info.path, match.group(1), packages.tensorflow_version())


def _missing_type_spec(plan: Planned, exc: BaseException, match: Match[str]) -> errors.UnihubError:
    return requirements.missing_type(plan.info.path, match.group(1))


def _newer_model(plan: Planned, exc: BaseException, match: Match[str]) -> errors.UnihubError:
    detail = match.group(0).rstrip(". ") + "."
    return errors.MissingOpsError.newer_than_tensorflow(
        plan.info.path, plan.meta_graph.tensorflow_version, packages.tensorflow_version(), detail
    )


def _newer(plan: Planned) -> bool:
    """Whether a newer TensorFlow wrote the model, by the version in its files."""
    return packages.is_newer(plan.meta_graph.tensorflow_version, packages.tensorflow_version())


def is_lacking(exc: BaseException) -> bool:
    """Whether this TensorFlow lacks an op of the model, or the code that runs it."""
    return bool(_NO_OP.search(str(exc)) or _NO_KERNEL.search(str(exc)))


def is_unliftable(exc: BaseException) -> bool:
    """Whether TensorFlow could not turn a TF1 graph into functions."""
    return bool(_UNLIFTABLE.search(str(exc)))


def _unfed_placeholder(plan: Planned, exc: BaseException, match: Match[str]) -> errors.UnihubError:
    return errors.LoadError.unfed_placeholder(plan.info.path, match.group(1))


def _uninitialized_table(plan: Planned, exc: BaseException, match: Match[str]) -> errors.UnihubError:
    return errors.LoadError.uninitialized_table(plan.info.path, exc, plan.runtime.mode is RuntimeMode.TF2)


_UNLIFTABLE = re.compile(
    r"Unable to lift tensor|a placeholder which is not an input|has a reference type|"
    r"appears more than once in the input list"
)

_NO_OP = re.compile(r"Op type not registered '(\w+)'")
_NO_KERNEL = re.compile(r"No OpKernel was registered to support Op '(\w+)'")

_TRANSLATIONS: Tuple[Tuple[Pattern[str], Callable[[Planned, BaseException, Match[str]], errors.UnihubError]], ...] = (
    (_NO_OP, _missing_op),
    (_NO_KERNEL, _missing_kernel),
    (re.compile(r"The type '([\w.]+)' (?:has not been registered|is not supported by)"), _missing_type_spec),
    (re.compile(r"No TypeSpec has been registered with name '([\w.]+)'"), _missing_type_spec),
    (re.compile(r"NodeDef (?:mentions|expected|missing) [^;\n]{0,200}"), _newer_model),
    (re.compile(r"You must feed a value for placeholder tensor '([^']+)'"), _unfed_placeholder),
    (re.compile(r"Table not initialized"), _uninitialized_table),
)
