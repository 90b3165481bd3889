"""What TensorFlow Hub supports, as data: one row for each format, operation and runtime, and who serves it.

The rows are the TF Hub model compatibility guide (https://www.tensorflow.org/hub/model_compatibility), with the two
points where it was measured to be wrong or silent said beside the row. A refusal is a row with a reason and a hint;
a missing row is a bug, and a test counts them. Strategies are dotted strings, so reading the table imports nothing.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from packaging.version import Version

from unihub._types import Api, Backend, Format, Keras, Operation, RuntimeMode


@dataclass(frozen=True)
class Choice:
    """One supported way to do what a cell speaks of; ``call`` is how the guide writes it."""

    api: Api
    call: str


@dataclass(frozen=True)
class Cell:
    """One row: what is right for this format, operation and runtime, the first choice first.

    Without choices the row is a refusal, and says why and what to do instead. ``{path}`` in a hint stands for the
    model's, as Python writes it. ``since`` is the oldest TensorFlow for which the row holds.
    """

    format: Format
    operation: Operation
    runtime: RuntimeMode
    choices: Tuple[Choice, ...] = ()
    reason: str = ""
    hint: str = ""
    since: Optional[str] = None

    @property
    def supported(self) -> bool:
        return bool(self.choices)

    def choice(self, api: Optional[Api]) -> Optional[Choice]:
        """The choice for ``api``, the first one for ``None``; ``None`` when the row has no such choice."""
        return next((choice for choice in self.choices if api in (None, choice.api)), None)

    def __str__(self) -> str:
        return "; ".join(choice.call for choice in self.choices) or "-"


@dataclass(frozen=True)
class Service:
    """Who does the work of an api: a strategy by its name, and what it needs.

    ``keras`` is the Keras a layer belongs to; ``needs`` is a name that tensorflow_hub must offer, or nothing;
    ``runtimes`` are those in which it works.
    """

    api: Api
    backend: Backend
    strategy: str
    keras: Optional[Keras] = None
    needs: Optional[str] = None
    runtimes: Tuple[RuntimeMode, ...] = tuple(RuntimeMode)


# The strategies by the names that plans print, as dotted strings: only the chosen one is imported.
STRATEGIES: Mapping[str, str] = MappingProxyType(
    {
        "hub-module": "unihub._strategies.hub_module:HubModule",
        "hub-load": "unihub._strategies.hub_load:HubLoad",
        "keras-layer": "unihub._strategies.keras_layer:HubKerasLayer",
        "keras3-layer": "unihub._strategies.keras3_layer:Keras3Layer",
        "module-writer": "unihub._save.module_writer:write",
        "saved-model-writer": "unihub._save.saved_model_writer:write",
    }
)


def import_strategy(name: str) -> Any:
    """Import what ``STRATEGIES`` lists under a name."""
    module, attribute = STRATEGIES[name].split(":")
    return getattr(importlib.import_module(module), attribute)


# The first whose need is met serves. hub.load is tf.saved_model.load on a resolved path, so it needs no tensorflow_hub.
SERVICES = (
    Service(Api.MODULE, Backend.TENSORFLOW_HUB, "hub-module", needs="Module"),
    Service(Api.MODULE, Backend.UNIHUB, "hub-module"),
    Service(Api.LOAD, Backend.UNIHUB, "hub-load"),
    Service(Api.KERAS, Backend.TENSORFLOW_HUB, "keras-layer", keras=Keras.KERAS2, needs="KerasLayer"),
    Service(Api.KERAS, Backend.UNIHUB, "keras3-layer", keras=Keras.KERAS3, runtimes=(RuntimeMode.TF2,)),
)

# The same for the rows of the operation create. Here a strategy is a function that fills a directory.
WRITERS = (
    Service(Api.MODULE, Backend.TENSORFLOW_HUB, "module-writer", needs="create_module_spec"),
    Service(Api.MODULE, Backend.UNIHUB, "module-writer"),
    Service(Api.LOAD, Backend.UNIHUB, "saved-model-writer"),
)

_GRAPH = (RuntimeMode.TF1, RuntimeMode.TF1_COMPAT, RuntimeMode.TF2_GRAPH)
_TF2 = (RuntimeMode.TF2,)

_MODULE = Choice(Api.MODULE, "module")
_MODULE_TRAIN = Choice(Api.MODULE, 'module, trainable=True, tags={"train"}')
_LOAD = Choice(Api.LOAD, "load")
_LOAD_TRAIN = Choice(Api.LOAD, "load, called with training=")
_LOAD_SIGNATURE = Choice(Api.LOAD, "load (signature)")
_KERAS = Choice(Api.KERAS, "keras")
_KERAS_TRAIN = Choice(Api.KERAS, "keras, trainable=True")
_KERAS_SIGNATURE = Choice(Api.KERAS, "keras (signature)")
_MODULE_EXPORT = Choice(Api.MODULE, "module spec + export")
_SAVE = Choice(Api.LOAD, "tf.saved_model.save")

_NO_TF1_TRAINING = "TF2 does not load the update ops and regularization losses that fine-tuning a TF1 Hub module needs."
_SIGNATURES_ONLY = (
    "A SavedModel without an object graph has signatures for inference only: it keeps no trainable functions, update "
    "ops or losses."
)


def _rows(
    format: Format,
    operation: Operation,
    runtimes: Iterable[RuntimeMode],
    *choices: Choice,
    reason: str = "",
    hint: str = "",
    since: Optional[str] = None,
) -> Dict[Tuple[Format, Operation, RuntimeMode], Cell]:
    cells = (Cell(format, operation, runtime, choices, reason, hint, since) for runtime in runtimes)
    return {(cell.format, cell.operation, cell.runtime): cell for cell in cells}


# The guide has two columns. tf2-graph follows the first: it does not speak of it, Estimators need it, and every call
# of that column was measured to work there. It names Keras alone for fine-tuning a TF2 SavedModel in TF1; load works
# there too, measured on TensorFlow 1.15 to 2.21, and stands second.
TABLE: Mapping[Tuple[Format, Operation, RuntimeMode], Cell] = MappingProxyType(
    {
        **_rows(Format.TF1_HUB, Operation.INFERENCE, _GRAPH, _MODULE),
        **_rows(Format.TF1_HUB, Operation.INFERENCE, _TF2, _LOAD_SIGNATURE, _KERAS_SIGNATURE),
        **_rows(Format.TF1_HUB, Operation.FINE_TUNE, _GRAPH, _MODULE_TRAIN),
        **_rows(
            Format.TF1_HUB,
            Operation.FINE_TUNE,
            _TF2,
            reason=_NO_TF1_TRAINING,
            hint='unihub.convert({path}, "out") makes a TF2 SavedModel that can be fine-tuned; or call '
            "tf.compat.v1.disable_v2_behavior() first, or build the model inside a tf.Graph; or load with "
            "trainable=False.",
        ),
        **_rows(Format.TF1_HUB, Operation.CREATE, _GRAPH, _MODULE_EXPORT),
        **_rows(
            Format.TF1_HUB,
            Operation.CREATE,
            _TF2,
            reason="A TF1 Hub module is a set of TF1 graphs; TF2 builds none.",
            hint='create a TF2 SavedModel, with format="tf2-saved-model"; or call '
            "tf.compat.v1.disable_v2_behavior() first.",
        ),
        **_rows(Format.TF2_SAVED_MODEL, Operation.INFERENCE, _GRAPH, _LOAD, _KERAS, since="1.15"),
        **_rows(Format.TF2_SAVED_MODEL, Operation.INFERENCE, _TF2, _LOAD, _KERAS, since="1.15"),
        **_rows(Format.TF2_SAVED_MODEL, Operation.FINE_TUNE, _GRAPH, _KERAS_TRAIN, _LOAD_TRAIN, since="1.15"),
        **_rows(Format.TF2_SAVED_MODEL, Operation.FINE_TUNE, _TF2, _KERAS_TRAIN, _LOAD_TRAIN, since="1.15"),
        **_rows(Format.TF2_SAVED_MODEL, Operation.CREATE, _GRAPH, _SAVE, since="1.15"),
        **_rows(Format.TF2_SAVED_MODEL, Operation.CREATE, _TF2, _SAVE, since="1.15"),
        **_rows(Format.TF1_SAVED_MODEL, Operation.INFERENCE, _GRAPH, _LOAD_SIGNATURE),
        **_rows(Format.TF1_SAVED_MODEL, Operation.INFERENCE, _TF2, _LOAD_SIGNATURE, _KERAS_SIGNATURE),
        **_rows(
            Format.TF1_SAVED_MODEL,
            Operation.FINE_TUNE,
            _GRAPH + _TF2,
            reason=_SIGNATURES_ONLY,
            hint="load with trainable=False, and train layers on top of its outputs; or make it a TF2 SavedModel "
            'with unihub.convert({path}, "out").',
        ),
        **_rows(
            Format.TF1_SAVED_MODEL,
            Operation.CREATE,
            _GRAPH + _TF2,
            reason="TensorFlow Hub has no way to create this format.",
            hint='create a TF2 SavedModel, with format="tf2-saved-model".',
        ),
    }
)


def lookup(format: Format, operation: Operation, runtime: RuntimeMode, tensorflow: str) -> Cell:
    """Finds the row for a format, an operation and a runtime, as it holds for one version of TensorFlow.

    Args:
        format: How the model is stored.
        operation: What is to be done with it.
        runtime: How TensorFlow runs.
        tensorflow: The version of TensorFlow, such as ``2.15.1``.

    Returns:
        The row; a refusal when this TensorFlow is older than the row's bound.
    """
    cell = TABLE[format, operation, runtime]
    if cell.since is None or Version(tensorflow) >= Version(cell.since):
        return cell
    return replace(
        cell,
        choices=(),
        reason="TensorFlow {} is older than {}, the first that can read TF2 SavedModels.".format(
            tensorflow, cell.since
        ),
        hint="pip install 'tensorflow>={}'.".format(cell.since),
    )


class Matrix(Tuple[Cell, ...]):
    """The rows of the table; prints as the Markdown table of the README."""

    def __str__(self) -> str:
        lines = ["| format | operation | tf1, tf1-compat, tf2-graph | tf2 |", "|---|---|---|---|"]
        for format in Format:
            for operation in Operation:
                graph, tf2 = (TABLE[format, operation, mode] for mode in (RuntimeMode.TF1, RuntimeMode.TF2))
                since = " (TensorFlow {} and later)".format(graph.since) if graph.since else ""
                lines.append("| {} | {} | {}{} | {} |".format(format, operation, graph, since, tf2))
        return "\n".join(lines)


def matrix() -> Matrix:
    """The compatibility matrix: what can be done with which format in which runtime.

    Returns:
        A tuple of rows, each with ``format``, ``operation``, ``runtime``, ``choices``, ``reason`` and ``hint``. It
        prints as a Markdown table, ``-`` for what is refused.

    Example:
        >>> import unihub
        >>> [str(cell) for cell in unihub.matrix() if cell.format == "tf1-hub" and cell.operation == "inference"]
        ['module', 'module', 'module', 'load (signature); keras (signature)']
    """
    return Matrix(TABLE.values())
