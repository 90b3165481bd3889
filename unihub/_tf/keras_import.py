"""Runs code when Keras 3 is imported, without importing it: unihub imports neither Keras nor TensorFlow."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Callable, Optional, Sequence

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from unihub._tf.types import KerasModule

_KERAS = "keras"


def when_keras3_is_imported(run: Callable[[KerasModule], None]) -> None:
    """Calls a function with the module ``keras``: now if it is imported already, else right after its import.

    The function is not called for Keras 2, which had the name before, nor for a broken installation.
    """
    if _KERAS in sys.modules:
        _run_with_keras3(run, sys.modules[_KERAS])
    else:
        sys.meta_path.insert(0, _Watcher(run))


def _run_with_keras3(run: Callable[[KerasModule], None], keras: KerasModule) -> None:
    # Not by packaging.version, which takes longer to import than all of unihub.
    if str(getattr(keras, "__version__", "")).startswith("3.") and hasattr(keras, "saving"):
        run(keras)


class _Watcher:
    """An import hook that finds no module itself: it wraps the loader that another finder returns for Keras.

    It is not an ``importlib.abc.MetaPathFinder``, which takes longer to import than all of unihub.
    """

    def __init__(self, run: Callable[[KerasModule], None]) -> None:
        self._run = run

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]] = None, target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        if fullname != _KERAS:
            return None
        finders = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        for finder in finders:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    self._watch(spec.loader)
                return spec
        return None

    def _watch(self, loader: Loader) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _run_with_keras3(self._run, module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
