"""unihub loads any TensorFlow Hub model in any TensorFlow runtime, with one call.

Example:
    >>> import unihub
    >>> model = unihub.load("tests/data/tf1_hub/text_embedding")  # or a URL, an archive, a callable
    >>> model(["hello world"]).shape.as_list()
    [1, 20]

Importing it imports neither TensorFlow, nor tensorflow_hub, nor Keras.
"""

from __future__ import annotations

import importlib
from typing import Any, List

from unihub._strategies import keras_registration

__version__ = "0.1.0"

# Each public name and the module it lives in, imported at first use.
_EXPORTS = {
    "KerasLayer": "unihub._api",
    "Module": "unihub._api",
    "add_signature": "unihub._save.module_function",
    "attach_message": "unihub._save.module_function",
    "convert": "unihub._convert.convert",
    "errors": "unihub.errors",
    "inspect": "unihub._api",
    "load": "unihub._api",
    "matrix": "unihub._plan.matrix",
    "plan": "unihub._api",
    "resolve": "unihub._resolve",
    "save": "unihub._save.save",
}

__all__ = sorted(_EXPORTS)

keras_registration.register()


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError("module {!r} has no attribute {!r}".format(__name__, name))
    module = importlib.import_module(_EXPORTS[name])
    value = module if _EXPORTS[name] == "unihub." + name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    return sorted(list(globals()) + __all__)
