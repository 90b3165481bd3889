"""Names for the objects of TensorFlow, tensorflow_hub and Keras in annotations.

TensorFlow has no stubs that cover the versions served here, so each name is ``Any`` to a type checker. The name tells
the reader which object is meant; plain ``Any`` stays for values that may be anything.
"""

from __future__ import annotations

from typing import Any

# Protocol messages.
Message = Any
MetaGraphDef = Any
GraphDef = Any
NodeDef = Any
AttrValue = Any
FunctionDef = Any
SignatureDef = Any
TensorInfo = Any
FunctionDefLibrary = Any
OpDef = Any
OpList = Any
SavedObjectGraph = Any
SavedObject = Any
SavedConcreteFunction = Any

# Graphs and what is in them. TfTensor also stands for sparse and ragged tensors.
Graph = Any
Op = Any
TfTensor = Any
TfVariable = Any
SliceInfo = Any
TfShape = Any
TfDType = Any
TypeSpec = Any
Session = Any
ControlFlowContext = Any

# Functions and tracked objects.
TfFunction = Any
ConcreteFunction = Any
RawOps = Any
Trackable = Any
LoadOptions = Any
KerasLayer = Any
KerasTensor = Any
HubModule = Any
HubModuleSpec = Any

# What a model was loaded as: a hub.Module, the result of tf.saved_model.load, a session or a Python callable.
Native = Any

# A tf.distribute strategy.
Strategy = Any

# The Python modules of TensorFlow, of tensorflow_hub, and of either Keras.
TfModule = Any
HubLibrary = Any
KerasModule = Any

# A tensor, or a nested structure of tensors; and the same of specs.
TensorNest = Any
SpecNest = Any

# What a session or NumPy gives for a tensor.
ArrayValue = Any

# What a caller passes to a model: any nest of tensors, arrays, numbers and texts.
Inputs = Any
