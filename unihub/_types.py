"""The enums and small frozen types that the steps of unihub (resolve, inspect, plan, load) pass to each other.

The values of the enums are the words that users read in errors, plans and tables. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Tuple, Union

# A path of the file system. Before Python 3.9, tools that evaluate annotations cannot evaluate ``os.PathLike[str]``.
if TYPE_CHECKING:
    PathLike = Union[str, os.PathLike[str]]
else:
    PathLike = Union[str, os.PathLike]


class StrEnum(str, enum.Enum):
    """An enum whose members are strings and print as their values, as ``enum.StrEnum`` of Python 3.11."""

    def __str__(self) -> str:
        return str(self.value)

    # Without this, format() of a str-enum is the member's name on some Pythons and its value on others.
    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)


class Format(StrEnum):
    """How a model is stored."""

    TF1_HUB = "tf1-hub"
    TF2_SAVED_MODEL = "tf2-saved-model"
    TF1_SAVED_MODEL = "tf1-saved-model"


class RuntimeMode(StrEnum):
    """How TensorFlow runs when unihub is called."""

    TF1 = "tf1"
    TF1_COMPAT = "tf1-compat"
    TF2_GRAPH = "tf2-graph"
    TF2 = "tf2"


class Operation(StrEnum):
    """What a model is used for: the rows of the TF Hub compatibility guide."""

    INFERENCE = "inference"
    FINE_TUNE = "fine-tune"
    CREATE = "create"


class Api(StrEnum):
    """The upstream call that a strategy stands for."""

    MODULE = "module"
    LOAD = "load"
    KERAS = "keras"


class Keras(StrEnum):
    """Which Keras a layer belongs to."""

    KERAS2 = "keras2"
    KERAS3 = "keras3"


class Backend(StrEnum):
    """The package that serves a cell of the matrix."""

    TENSORFLOW_HUB = "tensorflow_hub"
    UNIHUB = "unihub"


@dataclass(frozen=True)
class Tensor:
    """One named input or output of a signature.

    Attributes:
        name: The key a caller uses.
        dtype: The TensorFlow name of the dtype, such as ``float32`` or ``string``.
        shape: The sizes, with ``None`` for an unknown size; ``None`` if the rank is unknown.
        kind: ``dense``, ``sparse``, ``ragged``, or the class name of another composite type.
    """

    name: str
    dtype: str
    shape: Optional[Tuple[Optional[int], ...]]
    kind: str = "dense"

    def __str__(self) -> str:
        shape = "?" if self.shape is None else ",".join("None" if size is None else str(size) for size in self.shape)
        kind = "" if self.kind == "dense" else "{} ".format(self.kind)
        return "{}: {}{}[{}]".format(self.name, kind, self.dtype, shape)


@dataclass(frozen=True)
class Signature:
    """A named way to call a model.

    Attributes:
        name: The name.
        inputs: The inputs, in the order of their names.
        outputs: The outputs, in the order of their names.
        method_name: The kind of signature in TensorFlow Serving's words, such as ``tensorflow/serving/predict``.
    """

    name: str
    inputs: Tuple[Tensor, ...]
    outputs: Tuple[Tensor, ...]
    method_name: str = ""

    @property
    def is_dense(self) -> bool:
        """Whether every input is a dense tensor, not a sparse or ragged one."""
        return all(tensor.kind == "dense" for tensor in self.inputs)

    def __str__(self) -> str:
        return "{}({}) -> {}".format(
            self.name, ", ".join(map(str, self.inputs)), ", ".join(map(str, self.outputs)) or "nothing"
        )


@dataclass(frozen=True)
class Use:
    """What a model is loaded for, which decides which subset of it is loaded.

    Attributes:
        signature: The signature that is called; ``None`` if the model itself is called.
        layer: Whether it becomes a Keras layer, which needs the variables to train and the losses as well.
    """

    signature: Optional[str]
    layer: bool

    def __str__(self) -> str:
        what = "the model's own call" if self.signature is None else "the signature {}".format(self.signature)
        return what + (" and a layer's weights and losses" if self.layer else "")
