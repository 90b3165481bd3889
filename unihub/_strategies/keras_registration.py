"""Tells Keras 3 about unihub's layer, so that ``load_model`` finds it in a process that has only imported unihub.

Importing unihub must import neither Keras nor TensorFlow, and Keras may be imported before or after. So the layer is
registered when both are there, by a stand-in that imports the real class when a file asks for it.
"""

from __future__ import annotations

import sys
from typing import Any, Dict

_KERAS = "keras"


class KerasLayer:
    """Stands for the layer in the register of Keras, until the layer is used."""

    def get_config(self) -> Dict[str, Any]:
        """Keras asks for it before it registers a class."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: Dict[str, Any]) -> Any:
        """Makes the real layer."""
        from unihub._strategies import keras3_layer

        return keras3_layer.layer_class().from_config(config)


class _Watcher:
    """Finds no module by itself; when another finder finds Keras, the layer is registered after it is imported.

    A finder need not be an ``importlib.abc.MetaPathFinder``, which takes longer to import than all of unihub.
    """

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != _KERAS:
            return None
        finders = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        for finder in finders:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    _watch(spec.loader)
                return spec
        return None


def _watch(loader: Any) -> None:
    execute = loader.exec_module

    def exec_module(module: Any) -> None:
        execute(module)
        _register(module)

    loader.exec_module = exec_module


def _register(keras: Any) -> None:
    """Registers the layer with Keras 3; what had the name before, or is broken, is left alone."""
    if str(getattr(keras, "__version__", "")).startswith("3.") and hasattr(keras, "saving"):
        keras.saving.register_keras_serializable("unihub", "KerasLayer")(KerasLayer)


def register() -> None:
    """Registers the layer now, or when Keras is imported."""
    if _KERAS in sys.modules:
        _register(sys.modules[_KERAS])
    else:
        sys.meta_path.insert(0, _Watcher())
