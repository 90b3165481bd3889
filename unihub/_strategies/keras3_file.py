"""The SavedModel inside a ``.keras`` file, before Keras unpacks it.

Keras first makes all layers from their configs, then lets them read their files. In between, a layer must have its
variables, for the optimizer, and must be callable symbolically. It does both from what the config recorded.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Any, Dict, List, Mapping, Optional, Sequence

from unihub import _resolve, errors
from unihub._audit import gate
from unihub._call import tf_errors
from unihub._plan.plan import decide
from unihub._plan.request import parse_request
from unihub._plan.runtime import detect_runtime
from unihub._saved_model import reader
from unihub._strategies.hub_load import HubLoad
from unihub._strategies.layer_mixin import Config
from unihub._strategies.loaded_model import WrappedModel
from unihub._strategies.model import Loss
from unihub._tf import keras, packages
from unihub._tf.types import Inputs, TensorNest, TfVariable

# The dtypes and shapes of a nest of tensors, as JSON.
Described = Any


class CallRecord:
    """The shapes and dtypes of a layer's outputs, by those of its inputs."""

    def __init__(self, calls: Optional[Mapping[str, Described]] = None) -> None:
        self.calls: Dict[str, Described] = dict(calls or {})

    def add(self, inputs: Inputs, outputs: TensorNest) -> None:
        """Records a call."""
        self.calls[json.dumps(_describe(inputs))] = _describe(outputs)

    def recall(self, inputs: Inputs) -> Optional[Described]:
        """The outputs of a call with such inputs, else of the last call; ``None`` if there was no call."""
        known = list(self.calls.values())
        return self.calls.get(json.dumps(_describe(inputs)), known[-1] if known else None)


class UnreadModel:
    """Stands for a model whose files Keras has not unpacked yet.

    Attributes:
        record: The calls before the layer was saved.
        supports_jit: Whether XLA can compile it.
        variables: Stand-ins for its variables.
        weights_to_train: Those of them that training changes.
    """

    native = None
    losses_to_train: Sequence[Loss] = ()

    def __init__(self, options: Config, contents: Config) -> None:
        self._options = dict(options)
        self._handle = self._options.pop("handle")
        self.record = CallRecord(contents["calls"])
        self.supports_jit = bool(contents["supports_jit"])
        self.variables = [_make_variable(**described) for described in contents["variables"]]
        self.weights_to_train = [variable for variable in self.variables if variable.trainable]

    def recall(self, inputs: Inputs) -> TensorNest:
        """Symbolic outputs like those of the layer before it was saved."""
        described = self.record.recall(inputs)
        if described is None or not keras.keras3_is_symbolic():
            raise errors.IntegrityError.missing_in_keras_file(self._handle)
        return _make_placeholders(described)

    def read(self, source: Optional[str], folder: str) -> WrappedModel:
        """Load the model.

        Args:
            source: The directory to which Keras unpacked the SavedModel; Keras deletes it when all layers are read.
            folder: A directory that lives as long as the layer.

        Returns:
            The model.

        Raises:
            IntegrityError: The file has no SavedModel.
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


def describe_variable(variable: TfVariable, trainable: bool) -> Config:
    """What ``_make_variable`` needs to make a variable like this one."""
    name = variable.name.split(":")[0]
    return {"name": name, "dtype": variable.dtype.name, "shape": variable.shape.as_list(), "trainable": trainable}


def _make_variable(name: str, dtype: str, shape: List[int], trainable: bool) -> TfVariable:
    tf = packages.import_tensorflow()
    return tf.Variable(tf.zeros(shape, dtype), name=name, trainable=trainable)


def _describe(value: Inputs) -> Described:
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


def _make_placeholders(described: Described) -> TensorNest:
    if "dict" in described:
        return {key: _make_placeholders(part) for key, part in described["dict"].items()}
    if "list" in described:
        return [_make_placeholders(part) for part in described["list"]]
    return packages.import_tensorflow().compat.v1.placeholder(described["dtype"], described["shape"])
