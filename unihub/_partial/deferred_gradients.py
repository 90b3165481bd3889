"""Gradients that were written in Python, built when somebody asks for one.

An activation such as swish has a gradient of its own, which is a function in the file for each place it is used at.
TensorFlow rebuilds them all when it loads: in an EfficientNet that takes longer than all the rest, and who loads a
signature mostly wants no gradient. So a part has them in a file of their own. In their place it has one empty function
for all, which makes TensorFlow give each op a new name for its gradient; and under these names are registered the
gradients that are put off. Only what is simple is: a gradient that is made of the inputs of its op and of the gradients
of its outputs, by ops alone.
"""

from __future__ import annotations

import functools
import weakref
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

from unihub._graph.meta_graph import node_of
from unihub._tf import autograph, packages
from unihub._tf.ops import is_stateful_op, op_definition

_ATTRIBUTE = "_gradient_op_type"
_MADE_BY_TF_CUSTOM_GRADIENT = ("Identity", "IdentityN")
_HANDLES = (20, 21)  # DT_RESOURCE, DT_VARIANT
# The name of the empty function, and of a gradient that no op has.
_EMPTY = "unihub_empty"
_packed: Dict[bytes, bytes] = {}


class Later(NamedTuple):
    """A gradient that is put off.

    Attributes:
        op_type: The name by which the op knows it in the file.
        function: The ``FunctionDef`` of the gradient; its last inputs are those of the op.
        inputs: Which inputs of the op these are.
        outputs: For each input of the op, which output of the function is its gradient; ``None`` where it has none.
    """

    op_type: bytes
    function: Any
    inputs: List[int]
    outputs: List[Optional[int]]

    @property
    def place(self) -> List[Any]:
        """What ``register`` needs to know of it beside its function."""
        return [self.function.signature.name, self.inputs, self.outputs]


class Ops:
    """The ops of a function by what is asked of them.

    Attributes:
        by_name: The nodes of all by their names.
        with_gradients: The nodes of those with gradients of their own, by the names of the gradients.
    """

    def __init__(self, function: Any) -> None:
        self.by_name: Dict[str, Any] = {}
        self.with_gradients: Dict[bytes, List[Any]] = {}
        for node in function.node_def:
            self.by_name[node.name] = node
            if _ATTRIBUTE in node.attr:
                self.with_gradients.setdefault(_type_of(node), []).append(node)


def find(op_type: bytes, gradient: Any, signature: Any, captured: Sequence[str], ops: Ops) -> Optional[Later]:
    """What there is to say of a gradient; ``None`` where it is not simple, or not understood.

    Args:
        op_type: The name by which ops know it.
        gradient: Its ``FunctionDef``, which calls no others.
        signature: Its ``SavedConcreteFunction``.
        captured: The names of the tensors that it takes from the function that it belongs to.
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
    # As many gradients come in as there are outputs, and of these ops as many as inputs.
    if len(gradient.signature.input_arg) != len(data) + len(captured):
        return None
    return Later(op_type, gradient, [names.index(name) for name in captured], outputs)


def _is_plain(function: Any) -> bool:
    """Whether a function computes tensors from tensors, and does nothing beside."""
    if function.control_ret or any(argument.type in _HANDLES for argument in function.signature.input_arg):
        return False
    return not any(is_stateful_op(node.op) for node in function.node_def)


def _type_of(node: Any) -> bytes:
    return bytes(node.attr[_ATTRIBUTE].s) if _ATTRIBUTE in node.attr else b""


def _outputs_of(structure: Any) -> Optional[List[Optional[int]]]:
    """The numbers of the tensors in a list of tensors and nothings."""
    kind = structure.WhichOneof("kind")
    if kind not in ("list_value", "tuple_value"):
        return None
    kinds = [value.WhichOneof("kind") for value in getattr(structure, kind).values]
    if any(each not in ("none_value", "tensor_spec_value") for each in kinds):
        return None
    numbers = iter(range(len(kinds)))
    return [None if each == "none_value" else next(numbers) for each in kinds]


def put_off(library: Any, gradients: Dict[bytes, Later], signature: str) -> Optional[Dict[str, Later]]:
    """Has the empty function stand for gradients that are not in a library.

    Args:
        library: A ``FunctionDefLibrary``, which is changed.
        gradients: The gradients, by the names by which ops know them.
        signature: The function that all these ops have to be in, as that is the one that is in sight later.

    Returns:
        The gradients by the names of the ops; ``None`` if they are elsewhere.
    """
    found = {}
    for function in library.function:
        for node in function.node_def:
            if _type_of(node) in gradients:
                if function.signature.name != signature:
                    return None
                found[node.name] = gradients[_type_of(node)]
    for op_type in gradients:
        library.registered_gradients.add(gradient_func=_EMPTY, registered_op_type=op_type.decode())
    # TensorFlow 2.8 to 2.22 registers a function under the last of its names only (load_function_def_library in
    # function_deserialization.py). Were it to use all, ``register`` would find the names taken.
    library.registered_gradients.add(gradient_func=_EMPTY, registered_op_type=_EMPTY)
    library.function.add().signature.name = _EMPTY
    return found


def pack(gradients: Mapping[str, Later], versions: Any) -> bytes:
    """The functions of gradients, in the library of a ``GraphDef``."""
    graph_def = packages.import_tensorflow().compat.v1.GraphDef(versions=versions)
    graph_def.library.function.extend(later.function for later in gradients.values())
    return bytes(graph_def.SerializeToString(deterministic=True))


def register(packed: bytes, places: Mapping[str, Any], concrete: Any) -> None:
    """Makes the gradients of a function that was loaded known to TensorFlow.

    Args:
        packed: What ``pack`` gave.
        places: For each op the name of its gradient, and inputs and outputs as in ``Later``.
        concrete: The ``ConcreteFunction`` that the ops are in.

    Raises:
        KeyError: An op is not there, or its gradient is known.
    """
    register_gradient = packages.import_tensorflow().RegisterGradient
    # What is registered stays for as long as the process lives: of each part once, however often it is loaded.
    read = functools.partial(_parse, _packed.setdefault(packed, packed))
    graph = weakref.ref(concrete.graph)
    for name, place in places.items():
        op_type = concrete.graph.get_operation_by_name(name).get_attr(_ATTRIBUTE).decode()
        register_gradient(op_type)(_gradient_of(read, graph, name, place))


@functools.lru_cache(maxsize=None)
def _parse(packed: bytes) -> Any:
    return packages.import_tensorflow().compat.v1.GraphDef.FromString(packed)


def _gradient_of(read: Callable[[], Any], graph: Any, name: str, place: Sequence[Any]) -> Callable[..., Any]:
    function_name, taken, outputs = place

    @autograph.not_converted
    def differentiate(op: Optional[Any], *gradients: Any) -> List[Any]:
        """The gradients of the inputs of an op, by ops in the current graph."""
        # Who saves a model asks for the gradient without the op.
        inputs = (graph().get_operation_by_name(name) if op is None else op).inputs
        function = next(each for each in read().library.function if each.signature.name == function_name)
        found = _call(function, read().versions, list(gradients) + [inputs[number] for number in taken])
        return [None if number is None else found[number] for number in outputs]

    return differentiate


def _call(function: Any, versions: Any, tensors: Sequence[Any]) -> List[Any]:
    """Puts the ops of a function into the current graph."""
    v1 = packages.import_tensorflow().compat.v1
    arguments = {argument.name: place for place, argument in enumerate(function.signature.input_arg)}
    waits = {"^" + name for name in arguments}
    nodes = {node.name: node for node in function.node_def}
    results: List[Any] = [_tensor_of(function.ret[each.name], nodes) for each in function.signature.output_arg]
    graph_def = v1.GraphDef(versions=versions)
    taken = set(map(node_of, results))
    for node in function.node_def:
        copy = graph_def.node.add()
        copy.CopyFrom(node)
        # Who waits for an argument has no need to, and who is to be where one is, is there.
        copy.input[:] = [_tensor_of(source, nodes) for source in node.input if source not in waits]
        taken.update(map(node_of, copy.input))
        for key in ("_class", "_output_shapes"):
            copy.attr.pop(key, None)
    values = {}
    for name, place in arguments.items():
        if name in taken:
            dtype = function.signature.input_arg[place].type
            graph_def.node.add(name=name, op="Placeholder").attr["dtype"].type = dtype
            values[name + ":0"] = _value(tensors[place], dtype, function.arg_attr[place])
    return list(v1.import_graph_def(graph_def, values, results, name="gradient"))


def _tensor_of(source: str, nodes: Mapping[str, Any]) -> Optional[str]:
    """What a graph calls an input of a node in a function, ``name:output:0`` or an argument; ``None`` if unknown."""
    if source.startswith("^"):
        return source
    name, _, place = source.partition(":")
    if not place:
        return name + ":0"
    output, _, number = place.partition(":")
    definition = op_definition(nodes[name].op) if name in nodes else None
    before = 0
    for argument in definition.output_arg if definition is not None else ():
        if argument.name == output:
            return "{}:{}".format(name, before + int(number))
        before += _size(argument, nodes[name])
    return None


def _size(argument: Any, node: Any) -> int:
    """How many tensors one output of an op stands for."""
    if argument.number_attr:
        return int(node.attr[argument.number_attr].i)
    return len(node.attr[argument.type_list_attr].list.type) if argument.type_list_attr else 1


def _value(tensor: Optional[Any], dtype: int, about: Any) -> Any:
    """A tensor in the current graph; zeros, as TensorFlow gives them to a gradient, for one that nothing depends on."""
    tf = packages.import_tensorflow()
    if tensor is not None:
        return tf.identity(tf.convert_to_tensor(tensor))
    shapes = about.attr["_output_shapes"].list.shape if "_output_shapes" in about.attr else ()
    sizes = [abs(dimension.size) for shape in shapes[:1] for dimension in shape.dim]
    return tf.zeros(sizes, tf.as_dtype(dtype))
