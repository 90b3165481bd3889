"""The TensorArrays of a TF1 graph as the tensor lists of TF2.

A TF1 TensorArray lives for one run of a session, so its gradient cannot be computed by a function of its own, as TF2
does. A list is a value: it takes the place of the "flow", the scalar that TF1 passes from each op on an array to the
next. The handles, which say which array is meant, become nothing.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, List, Sequence, Set

from unihub._graph.unsupported import NotUnderstood
from unihub._tf import packages

# What passes a handle or a flow on, and does nothing with it.
_PASSING = frozenset({"Enter", "Exit", "Identity", "Merge", "NextIteration", "Switch"})
_PREFIX = "TensorArray"
# These give plain tensors.
_READING = ("TensorArrayRead", "TensorArrayGather", "TensorArraySize", "TensorArrayConcat")


class TensorArrays:
    """The arrays of one graph.

    Attributes:
        nodes: The names of the nodes that ``build`` has to build: ops on arrays, and copies of handles and flows.
    """

    def __init__(self, graph: Dict[str, Any], carriers: Set[str]) -> None:
        self._graph = graph
        self.nodes: FrozenSet[str] = frozenset(
            name
            for name, node in graph.items()
            if node.op.startswith(_PREFIX) or (node.op == "Identity" and name in carriers)
        )

    def build(self, node: Any, inputs: Sequence[Any]) -> List[Any]:
        """The outputs of a node, built from its inputs: a tensor list in the place of each flow."""
        if node.op == "Identity":
            return [inputs[0]]
        if node.op not in _BUILDERS:
            raise NotUnderstood("{} is an op of type {}, which TF2 has nothing for.".format(node.name, node.op))
        return _BUILDERS[node.op](node, self._array_of(node), inputs)

    def _array_of(self, node: Any) -> Any:
        """The node that makes the array which an op works on."""
        while node.op != "TensorArrayV3":
            node = self._graph[node.input[0].split(":")[0]]
        return node


def find(graph: Dict[str, Any], order: Sequence[str]) -> TensorArrays:
    """Finds the arrays of a graph.

    Args:
        graph: The nodes by name.
        order: Their names, each after its inputs.

    Returns:
        The arrays.
    """
    carriers: Set[str] = set()
    for name in order:
        node = graph[name]
        sources = [source.split(":")[0] for source in node.input if not source.startswith("^")]
        is_made = node.op.startswith(_PREFIX) and not node.op.startswith(_READING)
        if is_made or (node.op in _PASSING and sources and sources[0] in carriers):
            carriers.add(name)
    return TensorArrays(graph, carriers)


def _raw() -> Any:
    return packages.import_tensorflow().raw_ops


def _dtype(node: Any, attribute: str) -> Any:
    return packages.import_tensorflow().as_dtype(node.attr[attribute].type)


def _element_shape(array: Any) -> Any:
    """The shape of an element as lists take it: -1 for what is not known."""
    tf = packages.import_tensorflow()
    shape = tf.TensorShape(array.attr["element_shape"].shape if "element_shape" in array.attr else None)
    sizes = -1 if shape.rank is None else [-1 if size is None else size for size in shape.as_list()]
    return tf.constant(sizes, tf.int32)


def _make(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    tf = packages.import_tensorflow()
    made = _raw().TensorListReserve(
        element_shape=_element_shape(array), num_elements=inputs[0], element_dtype=_dtype(array, "dtype")
    )
    return [tf.constant(0), made]


def _write(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    _, index, value, flow = inputs
    if array.attr["dynamic_size"].b:
        flow = _grow(flow, index + 1)
    return [_raw().TensorListSetItem(input_handle=flow, index=index, item=value)]


def _grow(flow: Any, size: Any) -> Any:
    tf, raw = packages.import_tensorflow(), _raw()
    length = raw.TensorListLength(input_handle=flow)
    return tf.cond(size > length, lambda: raw.TensorListResize(input_handle=flow, size=size), lambda: tf.identity(flow))


def _read(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    _, index, flow = inputs
    return [
        _raw().TensorListGetItem(
            input_handle=flow, index=index, element_shape=_element_shape(array), element_dtype=_dtype(node, "dtype")
        )
    ]


def _gather(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    _, indices, flow = inputs
    return [
        _raw().TensorListGather(
            input_handle=flow, indices=indices, element_shape=_element_shape(node), element_dtype=_dtype(node, "dtype")
        )
    ]


def _scatter(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    tf = packages.import_tensorflow()
    _, indices, value, flow = inputs
    if array.attr["dynamic_size"].b:
        flow = _grow(flow, tf.reduce_max(tf.concat([indices, [-1]], 0)) + 1)
    return [_raw().TensorListScatterIntoExistingList(input_handle=flow, tensor=value, indices=indices)]


def _size(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    return [_raw().TensorListLength(input_handle=inputs[1])]


def _concat(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    tf = packages.import_tensorflow()
    # The first dimension is the one that is joined.
    outputs = _raw().TensorListConcatV2(
        input_handle=inputs[1],
        element_shape=_element_shape(array),
        leading_dims=tf.constant([], tf.int64),
        element_dtype=_dtype(node, "dtype"),
    )
    return list(outputs)


def _split(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    _, value, lengths, _ = inputs
    return [_raw().TensorListSplit(tensor=value, element_shape=_element_shape(array), lengths=lengths)]


def _close(node: Any, array: Any, inputs: Sequence[Any]) -> List[Any]:
    return []


_BUILDERS: Dict[str, Callable[[Any, Any, Sequence[Any]], List[Any]]] = {
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
