"""The words of unihub: what a user reads in errors, plans and tables is the value of one of these.

Nothing here imports TensorFlow, and nothing here decides anything: the enums and the small frozen types are what
the steps of the way (resolve, inspect, plan, load) hand to each other.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Optional, Tuple


class Word(str, enum.Enum):
    """An enum member that prints as the word users write."""

    def __str__(self) -> str:
        return str(self.value)

    # Without this, format() of a str-enum is the member's name on some Pythons and its value on others.
    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)


class Format(Word):
    """How a model is stored."""

    TF1_HUB = "tf1-hub"
    TF2_SAVED_MODEL = "tf2-saved-model"
    TF1_SAVED_MODEL = "tf1-saved-model"


class RuntimeMode(Word):
    """How TensorFlow runs at the moment of a call."""

    TF1 = "tf1"
    TF1_COMPAT = "tf1-compat"
    TF2_GRAPH = "tf2-graph"
    TF2 = "tf2"


class Operation(Word):
    """The rows of the TF Hub compatibility guide."""

    INFERENCE = "inference"
    FINE_TUNE = "fine-tune"
    CREATE = "create"


class Api(Word):
    """The upstream call that a strategy stands for."""

    MODULE = "module"
    LOAD = "load"
    KERAS = "keras"


class Keras(Word):
    """Which Keras a layer belongs to."""

    KERAS2 = "keras2"
    KERAS3 = "keras3"


class Backend(Word):
    """Who does the work of a cell."""

    TENSORFLOW_HUB = "tensorflow_hub"
    UNIHUB = "unihub"


@dataclass(frozen=True)
class Tensor:
    """One named input or output of a signature.

    Attributes:
        name: The key a caller uses.
        dtype: The TensorFlow name of the dtype, such as ``float32`` or ``string``.
        shape: The shape, ``None`` for an unknown dimension; ``None`` as a whole when the rank is unknown.
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
    """A named way to call a model: what goes in and what comes out, in the order of the names."""

    name: str
    inputs: Tuple[Tensor, ...]
    outputs: Tuple[Tensor, ...]
    method_name: str = ""

    @property
    def is_dense(self) -> bool:
        """Whether each input is one tensor, and none sparse or ragged."""
        return all(tensor.kind == "dense" for tensor in self.inputs)

    def __str__(self) -> str:
        return "{}({}) -> {}".format(
            self.name, ", ".join(map(str, self.inputs)), ", ".join(map(str, self.outputs)) or "nothing"
        )


@dataclass(frozen=True)
class Use:
    """What a model is loaded for, and so what of it is loaded.

    Attributes:
        signature: The signature that is called; ``None`` when the model itself is.
        layer: Whether it becomes a layer, which has variables to train, and losses.
    """

    signature: Optional[str]
    layer: bool

    def __str__(self) -> str:
        what = "the model's own call" if self.signature is None else "the signature {}".format(self.signature)
        return what + (" and a layer's weights and losses" if self.layer else "")
