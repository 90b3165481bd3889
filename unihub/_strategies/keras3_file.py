"""What a ``.keras`` file says of the SavedModel inside of it.

Keras first makes all layers from their configs, then lets them read their files. In between the layer has to have its
variables, for the optimizer, and to be called symbolically; both it does by what the config recorded.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Any, Dict, List, Mapping, Optional

from unihub import _resolve, errors
from unihub._audit import gate
from unihub._call import tf_errors
from unihub._plan.plan import decide
from unihub._plan.request import parse_request
from unihub._plan.runtime import detect_runtime
from unihub._saved_model import reader
from unihub._strategies.hub_load import HubLoad
from unihub._tf import keras, packages


class CallRecord:
    """The shapes and dtypes of the outputs that a layer gave, by those of the inputs."""

    def __init__(self, calls: Optional[Mapping[str, Any]] = None) -> None:
        self.calls: Dict[str, Any] = dict(calls or {})

    def add(self, inputs: Any, outputs: Any) -> None:
        """Records a call."""
        self.calls[json.dumps(_describe(inputs))] = _describe(outputs)

    def recall(self, inputs: Any) -> Any:
        """What such a call, or else the last one of any kind, gave; ``None`` if there was none."""
        known = list(self.calls.values())
        return self.calls.get(json.dumps(_describe(inputs)), known[-1] if known else None)


class UnreadModel:
    """A model whose files Keras has not unpacked yet.

    Attributes:
        record: How it was called before it was saved.
        supports_jit: Whether XLA can compile it.
        variables: Stand-ins for its variables.
        weights_to_train: Those of them that training changes.
    """

    native = None

    def __init__(self, options: Mapping[str, Any], contents: Mapping[str, Any]) -> None:
        self._options = dict(options)
        self._handle = self._options.pop("handle")
        self.record = CallRecord(contents["calls"])
        self.supports_jit = bool(contents["supports_jit"])
        self.variables = [_make_variable(**described) for described in contents["variables"]]
        self.weights_to_train = [variable for variable in self.variables if variable.trainable]

    def recall(self, inputs: Any) -> Any:
        """Symbolic outputs, as the layer gave them when it was saved."""
        described = self.record.recall(inputs)
        if described is None or not keras.keras3_is_symbolic():
            raise errors.IntegrityError.missing_in_keras_file(self._handle)
        return _make_placeholders(described)

    def read(self, source: Optional[str], folder: str) -> Any:
        """Loads the model.

        Args:
            source: Where Keras unpacked the SavedModel; it deletes it when all is read.
            folder: A directory that stays.

        Returns:
            The model.

        Raises:
            IntegrityError: It is not there.
        """
        if source is None or not os.path.isdir(source):
            raise errors.IntegrityError.missing_in_keras_file(self._handle)
        path = shutil.copytree(source, os.path.join(folder, os.path.basename(source)))
        info = reader.inspect(_resolve.resolve(path))
        request = parse_request(api="keras", keras="keras3", **self._options)
        plan = decide(self._handle, info.path, info, detect_runtime(), request)
        gate.check_trust(plan)
        with tf_errors.loading(plan):
            gate.check_requirements(plan)
            return HubLoad.load(plan)


def describe_variable(variable: Any, trainable: bool) -> Dict[str, Any]:
    """What a variable is made again from."""
    name = variable.name.split(":")[0]
    return {"name": name, "dtype": variable.dtype.name, "shape": variable.shape.as_list(), "trainable": trainable}


def _make_variable(name: str, dtype: str, shape: List[int], trainable: bool) -> Any:
    tf = packages.import_tensorflow()
    return tf.Variable(tf.zeros(shape, dtype), name=name, trainable=trainable)


def _describe(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"dict": {key: _describe(part) for key, part in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"list": [_describe(part) for part in value]}
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        return type(value).__name__
    shape = packages.import_tensorflow().TensorShape(value.shape)
    return {
        "dtype": str(getattr(value.dtype, "name", value.dtype)),
        "shape": None if shape.rank is None else shape.as_list(),
    }


def _make_placeholders(described: Any) -> Any:
    if "dict" in described:
        return {key: _make_placeholders(part) for key, part in described["dict"].items()}
    if "list" in described:
        return [_make_placeholders(part) for part in described["list"]]
    return packages.import_tensorflow().compat.v1.placeholder(described["dtype"], described["shape"])
