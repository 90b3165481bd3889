"""Gradients that were written in Python, rebuilt on the first gradient request.

An activation such as swish has a gradient of its own, which is a function in the file for each use of the activation.
TensorFlow rebuilds all of them while it loads; in an EfficientNet that takes longer than the rest, and most callers of
a signature want no gradient. A subset therefore keeps these gradients in a separate file. In the model, one empty
function stands for all of them, so that TensorFlow gives each op a new name for its gradient. The deferred gradients
are registered under these names.

Only simple gradients are deferred: those that ops alone compute from the inputs of their op and from the gradients of
its outputs.
"""

from __future__ import annotations

import functools
import weakref
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from unihub._graph.meta_graph import node_of
from unihub._tf import autograph, packages
from unihub._tf.ops import is_stateful_op, op_definition
from unihub._tf.types import (
    ConcreteFunction,
    FunctionDef,
    FunctionDefLibrary,
    Graph,
    GraphDef,
    Message,
    NodeDef,
    Op,
    SavedConcreteFunction,
    TfTensor,
)

_ATTRIBUTE = "_gradient_op_type"
_MADE_BY_TF_CUSTOM_GRADIENT = ("Identity", "IdentityN")
_HANDLES = (20, 21)  # DT_RESOURCE, DT_VARIANT
# The name of the empty function, and of a gradient that no op has.
_EMPTY = "unihub_empty"
_packed: Dict[bytes, bytes] = {}


class DeferredGradient(NamedTuple):
    """A gradient that is not loaded with the model.

    Attributes:
        op_type: The name by which the op refers to it in the file.
        function: The ``FunctionDef`` of the gradient; its last inputs are those of the op.
        inputs: Which inputs of the op these are.
        outputs: For each input of the op, which output of the function is its gradient; ``None`` where it has none.
    """

    op_type: bytes
    function: FunctionDef
    inputs: List[int]
    outputs: List[Optional[int]]

    @property
    def description(self) -> List[Any]:
        """What ``register`` needs besides the function: its name, the inputs and the outputs."""
        return [self.function.signature.name, self.inputs, self.outputs]


class Ops:
    """The nodes of a function.

    Attributes:
        by_name: All nodes by name.
        with_gradients: The nodes with gradients of their own, by the names of the gradients.
    """

    def __init__(self, function: FunctionDef) -> None:
        self.by_name: Dict[str, NodeDef] = {}
        self.with_gradients: Dict[bytes, List[NodeDef]] = {}
        for node in function.node_def:
            self.by_name[node.name] = node
            if _ATTRIBUTE in node.attr:
                self.with_gradients.setdefault(_type_of(node), []).append(node)


def find(
    op_type: bytes, gradient: FunctionDef, signature: SavedConcreteFunction, captured: Sequence[str], ops: Ops
) -> Optional[DeferredGradient]:
    """Describe a gradient; ``None`` if it is not simple, or not understood.

    Args:
        op_type: The name by which ops refer to it.
        gradient: Its ``FunctionDef``, which calls no others.
        signature: Its ``SavedConcreteFunction``.
        captured: The names of the tensors that it takes from the function of its op.
        ops: The ops of that function.
    """
    nodes = ops.with_gradients.get(op_type, ())
    if len(nodes) != 1 or nodes[0].op not in _MADE_BY_TF_CUSTOM_GRADIENT or not _is_plain(gradient):
        return None
    data = [source for source in nodes[0].input if not source.startswith("^")]
    names = [_tensor_of(source, ops.by_name) for source in data]
    outputs = _outputs_of(signature.output_signature)
    if outputs is None or len(outputs) != len(data) or not set(captured) <= set(names):
        return None
    # It takes one gradient for each output of the op; ops of these types have as many outputs as inputs.
    if len(gradient.signature.input_arg) != len(data) + len(captured):
        return None
    return DeferredGradient(op_type, gradient, [names.index(name) for name in captured], outputs)


def _is_plain(function: FunctionDef) -> bool:
    """Whether a function only computes tensors from tensors."""
    if function.control_ret or any(argument.type in _HANDLES for argument in function.signature.input_arg):
        return False
    return not any(is_stateful_op(node.op) for node in function.node_def)


def _type_of(node: NodeDef) -> bytes:
    return bytes(node.attr[_ATTRIBUTE].s) if _ATTRIBUTE in node.attr else b""


def _outputs_of(structure: Message) -> Optional[List[Optional[int]]]:
    """The indices of the tensors in a list of tensors and ``None``."""
    kind = structure.WhichOneof("kind")
    if kind not in ("list_value", "tuple_value"):
        return None
    kinds = [value.WhichOneof("kind") for value in getattr(structure, kind).values]
    if any(each not in ("none_value", "tensor_spec_value") for each in kinds):
        return None
    numbers = iter(range(len(kinds)))
    return [None if each == "none_value" else next(numbers) for each in kinds]


def defer(
    library: FunctionDefLibrary, gradients: Dict[bytes, DeferredGradient], signature: str
) -> Optional[Dict[str, DeferredGradient]]:
    """Let the empty function stand for gradients that are not in a library.

    Args:
        library: A ``FunctionDefLibrary``, which is changed.
        gradients: The gradients, by the names by which ops refer to them.
        signature: The function that all these ops must be in, because only its graph is at hand after loading.

    Returns:
        The gradients by the names of the ops; ``None`` if some ops are in other functions.
    """
    by_op = {}
    for function in library.function:
        for node in function.node_def:
            if _type_of(node) in gradients:
                if function.signature.name != signature:
                    return None
                by_op[node.name] = gradients[_type_of(node)]
    for op_type in gradients:
        library.registered_gradients.add(gradient_func=_EMPTY, registered_op_type=op_type.decode())
    # TensorFlow 2.8 to 2.22 registers a function under the last of its names only (load_function_def_library in
    # function_deserialization.py). If it used all names, ``register`` would find them taken.
    library.registered_gradients.add(gradient_func=_EMPTY, registered_op_type=_EMPTY)
    library.function.add().signature.name = _EMPTY
    return by_op


def pack(gradients: Mapping[str, DeferredGradient], versions: Message) -> bytes:
    """Serialize the functions of gradients, in the library of a ``GraphDef``."""
    graph_def = packages.import_tensorflow().compat.v1.GraphDef(versions=versions)
    graph_def.library.function.extend(gradient.function for gradient in gradients.values())
    return bytes(graph_def.SerializeToString(deterministic=True))


def register(packed: bytes, descriptions: Mapping[str, List[Any]], concrete: ConcreteFunction) -> None:
    """Register the deferred gradients of a loaded function with TensorFlow.

    Args:
        packed: The result of ``pack``.
        descriptions: The ``description`` of each gradient by the name of its op.
        concrete: The ``ConcreteFunction`` that the ops are in.

    Raises:
        KeyError: An op is missing, or its gradient is registered already.
    """
    register_gradient = packages.import_tensorflow().RegisterGradient
    # Registered gradients live as long as the process, so the functions of one subset are kept once.
    read = functools.partial(_parse, _packed.setdefault(packed, packed))
    graph = weakref.ref(concrete.graph)
    for name, description in descriptions.items():
        op_type = concrete.graph.get_operation_by_name(name).get_attr(_ATTRIBUTE).decode()
        register_gradient(op_type)(_gradient_of(read, graph, name, description))


@functools.lru_cache(maxsize=None)
def _parse(packed: bytes) -> GraphDef:
    return packages.import_tensorflow().compat.v1.GraphDef.FromString(packed)


def _gradient_of(
    read: Callable[[], GraphDef], graph: Callable[[], Graph], name: str, description: Sequence[Any]
) -> Callable[..., List[Optional[TfTensor]]]:
    function_name, inputs_taken, outputs = description

    @autograph.not_converted
    def differentiate(op: Optional[Op], *gradients: TfTensor) -> List[Optional[TfTensor]]:
        """Compute the gradients of the inputs of an op, by ops in the current graph."""
        # TensorFlow passes no op when it saves a model.
        inputs = (graph().get_operation_by_name(name) if op is None else op).inputs
        function = next(each for each in read().library.function if each.signature.name == function_name)
        results = _call(function, read().versions, list(gradients) + [inputs[index] for index in inputs_taken])
        return [None if index is None else results[index] for index in outputs]

    return differentiate


def _call(function: FunctionDef, versions: Message, tensors: Sequence[Optional[TfTensor]]) -> List[TfTensor]:
    """Put the ops of a function into the current graph."""
    v1 = packages.import_tensorflow().compat.v1
    arguments = {argument.name: index for index, argument in enumerate(function.signature.input_arg)}
    controls = {"^" + name for name in arguments}
    nodes = {node.name: node for node in function.node_def}
    results = [_tensor_of(function.ret[each.name], nodes) for each in function.signature.output_arg]
    graph_def = v1.GraphDef(versions=versions)
    taken = {node_of(result) for result in results if result is not None}
    for node in function.node_def:
        copy = graph_def.node.add()
        copy.CopyFrom(node)
        # Arguments are there already: a control dependency or a colocation on one has no effect.
        copy.input[:] = [_tensor_of(source, nodes) for source in node.input if source not in controls]
        taken.update(map(node_of, copy.input))
        for key in ("_class", "_output_shapes"):
            copy.attr.pop(key, None)
    values = {}
    for name, index in arguments.items():
        if name in taken:
            dtype = function.signature.input_arg[index].type
            graph_def.node.add(name=name, op="Placeholder").attr["dtype"].type = dtype
            values[name + ":0"] = _value(tensors[index], dtype, function.arg_attr[index])
    return list(v1.import_graph_def(graph_def, values, results, name="gradient"))


def _tensor_of(source: str, nodes: Mapping[str, NodeDef]) -> Optional[str]:
    """The name in a graph for an input of a node in a function, ``name:output:0`` or an argument.

    ``None`` if the output is unknown.
    """
    if source.startswith("^"):
        return source
    name, _, rest = source.partition(":")
    if not rest:
        return name + ":0"
    output, _, number = rest.partition(":")
    definition = op_definition(nodes[name].op) if name in nodes else None
    before = 0
    for argument in definition.output_arg if definition is not None else ():
        if argument.name == output:
            return "{}:{}".format(name, before + int(number))
        before += _size(argument, nodes[name])
    return None


def _size(argument: Message, node: NodeDef) -> int:
    """The number of tensors that one output of an op stands for."""
    if argument.number_attr:
        return int(node.attr[argument.number_attr].i)
    return len(node.attr[argument.type_list_attr].list.type) if argument.type_list_attr else 1


def _value(tensor: Optional[TfTensor], dtype: int, attributes: Message) -> TfTensor:
    """A tensor in the current graph; in place of ``None``, zeros, as TensorFlow passes to a gradient."""
    tf = packages.import_tensorflow()
    if tensor is not None:
        return tf.identity(tf.convert_to_tensor(tensor))
    shapes = attributes.attr["_output_shapes"].list.shape if "_output_shapes" in attributes.attr else ()
    sizes = [abs(dimension.size) for shape in shapes[:1] for dimension in shape.dim]
    return tf.zeros(sizes, tf.as_dtype(dtype))
