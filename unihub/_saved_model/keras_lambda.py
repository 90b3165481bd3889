"""Layers of Keras that are Python code, as their metadata in a SavedModel says.

Keras stores the function of a ``Lambda`` layer as marshalled code. Only Keras runs it, when it rebuilds the layer from
its config; ``tf.saved_model.load``, and so unihub, never reads it.
"""

from __future__ import annotations

import json
import os
from typing import Iterator, List, Tuple

from unihub._saved_model.unsafe_ops import LAMBDA, LAMBDA_REASON
from unihub._saved_model.wire import Message, Source, WireError

_FILE = "keras_metadata.pb"

# op, node, where, reason
Layer = Tuple[str, str, str, str]


def in_directory(path: str) -> Tuple[Layer, ...]:
    """The layers that the file beside a SavedModel lists, which Keras writes since TensorFlow 2.5."""
    file = os.path.join(path, _FILE)
    if not os.path.isfile(file):
        return ()
    with open(file, "rb") as opened:
        data = opened.read()
    if not _may_be_there(data):
        return ()
    try:
        objects = list(Message(Source.of_bytes(data), "KerasMetadata").messages("nodes"))
        layers = [layer for each in objects for text in each.messages("metadata") for layer in _layers(text, _FILE)]
    except WireError:  # Keras cannot read it either.
        return ()
    return tuple(dict.fromkeys(layers))


def in_object_graph(objects: Message) -> Iterator[Layer]:
    """The layers that the graph of Python objects lists, as Keras wrote them before TensorFlow 2.5."""
    if not _may_be_there(objects.source.read(objects.start, objects.end)):
        return
    for node in objects.messages("nodes"):
        for described in node.messages("user_object"):
            for text in described.messages("metadata"):
                yield from _layers(text, "the Keras metadata")


def _may_be_there(data: bytes) -> bool:
    # As a whole text, for TFOpLambda is another layer, of which a network may have hundreds, and reading its JSON takes
    # longer than all else that precedes a load. JSON may spell a letter by its number.
    return json.dumps(LAMBDA).encode() in data or b"\\u" in data


def _layers(text: Message, where: str) -> Iterator[Layer]:
    data = text.source.read(text.start, text.end)
    if not _may_be_there(data):
        return
    try:
        configs: List[object] = [json.loads(data.decode("utf-8", "replace"))]
    except ValueError:
        return
    for config in configs:
        if isinstance(config, dict):
            if config.get("class_name") == LAMBDA and _is_code(config.get("config")):
                name = config["config"].get("name") or config.get("name") or "lambda"
                yield LAMBDA, str(name), where, LAMBDA_REASON
            configs.extend(config.values())
        elif isinstance(config, list):
            configs.extend(config)


def _is_code(config: object) -> bool:
    """Whether one of the layer's functions is stored as code, and not by its name."""
    kinds = ("function_type", "output_shape_type", "mask_type")
    return isinstance(config, dict) and (
        any(config.get(kind) == "lambda" for kind in kinds)
        or any(isinstance(config.get(field), dict) for field in ("function", "output_shape", "mask"))
    )
