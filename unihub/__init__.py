"""unihub loads any TensorFlow Hub model in any TensorFlow runtime, with one call.

Example:
    >>> import unihub
    >>> model = unihub.load("tests/data/tf1_hub/text_embedding")  # or a URL, an archive, a callable
    >>> model(["hello world"]).shape.as_list()
    [1, 20]

Importing unihub imports neither TensorFlow, tensorflow_hub nor Keras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, List

from unihub._strategies import keras_registration
from unihub._version import __version__ as __version__

if TYPE_CHECKING:  # The same names as in _EXPORTS, for type checkers and editors; a test compares the two.
    from unihub import errors as errors
    from unihub._api import KerasLayer as KerasLayer
    from unihub._api import Module as Module
    from unihub._api import inspect as inspect
    from unihub._api import load as load
    from unihub._api import plan as plan
    from unihub._convert.convert import convert as convert
    from unihub._plan.matrix import matrix as matrix
    from unihub._plan.plan import Plan as Plan
    from unihub._plan.runtime import Runtime as Runtime
    from unihub._resolve import resolve as resolve
    from unihub._save.module_function import add_signature as add_signature
    from unihub._save.module_function import attach_message as attach_message
    from unihub._save.save import save as save
    from unihub._saved_model.conversion_report import Conversion as Conversion
    from unihub._saved_model.model_info import ModelInfo as ModelInfo
    from unihub._strategies.model import Model as Model
    from unihub._types import Signature as Signature

# Each public name and the module that has it, imported at first use.
_EXPORTS = {
    "Conversion": "unihub._saved_model.conversion_report",
    "KerasLayer": "unihub._api",
    "Model": "unihub._strategies.model",
    "ModelInfo": "unihub._saved_model.model_info",
    "Module": "unihub._api",
    "Plan": "unihub._plan.plan",
    "Runtime": "unihub._plan.runtime",
    "Signature": "unihub._types",
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
