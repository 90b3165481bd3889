"""Rebuild the TensorArrays of a TF1 graph as the tensor lists of TF2.

A TF1 TensorArray lives for one run of a session, so a separate function, such as TF2 uses for gradients, cannot reach
it. A tensor list is a value. It replaces the "flow", the scalar that TF1 passes from each op on an array to the next;
the handle, which tells TF1 which array is meant, is dropped.
"""

from __future__ import annotations

from typing import Callable, Dict, FrozenSet, List, Sequence, Set

from unihub._graph.meta_graph import node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._tf import packages
from unihub._tf.types import NodeDef, RawOps, TfDType, TfTensor

# Ops that pass a handle or a flow on unchanged.
_PASSING = frozenset({"Enter", "Exit", "Identity", "Merge", "NextIteration", "Switch"})
_PREFIX = "TensorArray"
# Ops whose outputs are plain tensors.
_READING = ("TensorArrayRead", "TensorArrayGather", "TensorArraySize", "TensorArrayConcat")


class TensorArrays:
    """The arrays of one graph.

    Attributes:
        nodes: The names of the nodes that ``build`` builds: ops on arrays, and copies of handles and flows.
    """

    def __init__(self, graph: Dict[str, NodeDef], carriers: Set[str]) -> None:
        self._graph = graph
        self.nodes: FrozenSet[str] = frozenset(
            name
            for name, node in graph.items()
            if node.op.startswith(_PREFIX) or (node.op == "Identity" and name in carriers)
        )

    def build(self, node: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
        """Build the outputs of a node from its inputs, a tensor list for each flow."""
        if node.op == "Identity":
            return [inputs[0]]
        if node.op not in _BUILDERS:
            raise NotUnderstood("{} is an op of type {}, which has no counterpart in TF2.".format(node.name, node.op))
        return _BUILDERS[node.op](node, self._array_of(node), inputs)

    def _array_of(self, node: NodeDef) -> NodeDef:
        """The node that makes the array an op works on."""
        while node.op != "TensorArrayV3":
            node = self._graph[node_of(node.input[0])]
        return node


def find(graph: Dict[str, NodeDef]) -> TensorArrays:
    """Find the arrays of a graph, given its nodes by name, each after its inputs."""
    carriers: Set[str] = set()
    for name, node in graph.items():
        sources = [node_of(source) for source in node.input if not source.startswith("^")]
        is_made = node.op.startswith(_PREFIX) and not node.op.startswith(_READING)
        if is_made or (node.op in _PASSING and sources and sources[0] in carriers):
            carriers.add(name)
    return TensorArrays(graph, carriers)


def _raw() -> RawOps:
    return packages.import_tensorflow().raw_ops


def _dtype(node: NodeDef, attribute: str) -> TfDType:
    return packages.import_tensorflow().as_dtype(node.attr[attribute].type)


def _element_shape(array: NodeDef) -> TfTensor:
    """The shape of an element for ops on lists: -1 for an unknown size, or for an unknown rank."""
    tf = packages.import_tensorflow()
    shape = tf.TensorShape(array.attr["element_shape"].shape if "element_shape" in array.attr else None)
    sizes = -1 if shape.rank is None else [-1 if size is None else size for size in shape.as_list()]
    return tf.constant(sizes, tf.int32)


def _make(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    tf = packages.import_tensorflow()
    made = _raw().TensorListReserve(
        element_shape=_element_shape(array), num_elements=inputs[0], element_dtype=_dtype(array, "dtype")
    )
    return [tf.constant(0), made]


def _write(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    _, index, value, flow = inputs
    if array.attr["dynamic_size"].b:
        flow = _grow(flow, index + 1)
    return [_raw().TensorListSetItem(input_handle=flow, index=index, item=value)]


def _grow(flow: TfTensor, size: TfTensor) -> TfTensor:
    tf, raw = packages.import_tensorflow(), _raw()
    length = raw.TensorListLength(input_handle=flow)
    return tf.cond(size > length, lambda: raw.TensorListResize(input_handle=flow, size=size), lambda: tf.identity(flow))


def _read(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    _, index, flow = inputs
    return [
        _raw().TensorListGetItem(
            input_handle=flow, index=index, element_shape=_element_shape(array), element_dtype=_dtype(node, "dtype")
        )
    ]


def _gather(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    _, indices, flow = inputs
    return [
        _raw().TensorListGather(
            input_handle=flow, indices=indices, element_shape=_element_shape(node), element_dtype=_dtype(node, "dtype")
        )
    ]


def _scatter(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    tf = packages.import_tensorflow()
    _, indices, value, flow = inputs
    if array.attr["dynamic_size"].b:
        flow = _grow(flow, tf.reduce_max(tf.concat([indices, [-1]], 0)) + 1)
    return [_raw().TensorListScatterIntoExistingList(input_handle=flow, tensor=value, indices=indices)]


def _size(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    return [_raw().TensorListLength(input_handle=inputs[1])]


def _concat(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    tf = packages.import_tensorflow()
    # The arrays are joined along their first dimension.
    outputs = _raw().TensorListConcatV2(
        input_handle=inputs[1],
        element_shape=_element_shape(array),
        leading_dims=tf.constant([], tf.int64),
        element_dtype=_dtype(node, "dtype"),
    )
    return list(outputs)


def _split(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    _, value, lengths, _ = inputs
    return [_raw().TensorListSplit(tensor=value, element_shape=_element_shape(array), lengths=lengths)]


def _close(node: NodeDef, array: NodeDef, inputs: Sequence[TfTensor]) -> List[TfTensor]:
    return []


_BUILDERS: Dict[str, Callable[[NodeDef, NodeDef, Sequence[TfTensor]], List[TfTensor]]] = {
    "TensorArrayV3": _make,
    "TensorArrayWriteV3": _write,
    "TensorArrayReadV3": _read,
    "TensorArrayGatherV3": _gather,
    "TensorArrayScatterV3": _scatter,
    "TensorArraySizeV3": _size,
    "TensorArrayConcatV3": _concat,
    "TensorArraySplitV3": _split,
    "TensorArrayCloseV3": _close,
}
