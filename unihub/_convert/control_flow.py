"""Import a TF1 graph into a TF2 function, with its loops and conditions as those of TF2.

The ops that TF1 makes loops and conditions of have no gradients in a function. ``GraphContexts`` finds each loop and
condition, and this module builds it again with ``tf.while_loop`` or ``tf.cond``. All other nodes are imported as they
are, in as few pieces as their order allows. A structure that TensorFlow does not build raises ``NotUnderstood``.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple, Union

from unihub._convert import tensor_arrays, variable_reads
from unihub._convert.graph_contexts import (
    Condition,
    Context,
    GraphContexts,
    Loop,
    control_inputs,
    data_inputs,
    key_of,
    sort_nodes,
)
from unihub._graph.meta_graph import node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._tf import packages
from unihub._tf.types import GraphDef, NodeDef, Op, OpList, TfShape, TfTensor

# What is built at once: a plain node by its name, a condition or a loop.
_Item = Union[str, Condition, Loop]
# What has been built: tensors by their full names, and ops by names that begin with "^".
_Values = Dict[str, Union[TfTensor, Op]]


def import_graph(
    graph_def: GraphDef,
    feeds: Dict[str, TfTensor],
    tensors: Sequence[str],
    ops: Sequence[str] = (),
    op_list: Optional[OpList] = None,
) -> Dict[str, TfTensor]:
    """Import what some tensors and ops need into the function that is being traced.

    Args:
        graph_def: The full TF1 graph, without variables of reference type.
        feeds: Tensors that replace the graph's own, by name, such as ``{"images:0": tensor}``.
        tensors: The full names of the tensors that are wanted.
        ops: The names of the ops that have to run.
        op_list: The ``OpList`` of the TensorFlow that wrote the graph.

    Returns:
        The wanted tensors by name.

    Raises:
        NotUnderstood: A loop or condition has a structure that TensorFlow does not build.
    """
    importer = _Importer(graph_def, feeds, tensors, ops, op_list)
    values = dict(feeds)
    importer.run((), values, tensors, [])
    # Afterwards, so that the outputs read variables before they are updated, as far as the graph leaves it open.
    importer.run((), values, [], ops)
    return {name: values[name] for name in tensors}


class _Importer:
    """Builds one graph again, context by context."""

    def __init__(
        self,
        graph_def: GraphDef,
        feeds: Dict[str, TfTensor],
        tensors: Sequence[str],
        ops: Sequence[str],
        op_list: Optional[OpList],
    ) -> None:
        self._graph_def = graph_def
        self._op_list = op_list
        self._feeds = feeds
        self._nodes = _needed_nodes(graph_def, feeds, [node_of(name) for name in [*tensors, *ops]])
        self._contexts = GraphContexts(self._nodes, set(map(node_of, feeds)))
        self._arrays = tensor_arrays.find(self._nodes)

    def run(self, context: Context, values: _Values, tensors: Sequence[str], ops: Sequence[str]) -> None:
        """Build what is wanted of one context into the current graph, and add it to ``values``."""
        for nodes, others in self._schedule(context, values, tensors, ops):
            self._import_nodes(nodes, values)
            for item in others:
                self._build(item, values)
        for key in tensors:
            if key not in values:
                raise NotUnderstood("{} is not a tensor that can be built again.".format(key))

    def _schedule(
        self, context: Context, values: _Values, tensors: Sequence[str], ops: Sequence[str]
    ) -> List[Tuple[List[str], List[_Item]]]:
        """The items in the order of their needs: plain nodes together, then what has to be built one by one."""
        depths: Dict[_Item, int] = {}
        order: List[_Item] = []
        roots = [self._item_of(node_of(key)) for key in tensors if key not in values]
        roots += [self._item_of(name) for name in ops if "^" + name not in values]
        pending: List[Tuple[_Item, bool]] = [(item, False) for item in reversed(roots)]
        entered: Set[_Item] = set()
        while pending:
            item, is_done = pending.pop()
            if item in depths or (item in entered and not is_done):
                continue
            needs = self._needs(item, context, values)
            if is_done:
                earlier = [depths[need] + (not self._is_plain(need)) for need in needs if need in depths]
                depths[item] = max([0] + earlier)
                order.append(item)
            else:
                entered.add(item)
                pending.append((item, True))
                pending += [(need, False) for need in needs if need not in depths]
        steps: List[Tuple[List[str], List[_Item]]] = [([], []) for _ in range(max(list(depths.values()) + [-1]) + 1)]
        for item in order:
            nodes, others = steps[depths[item]]
            nodes.append(item) if isinstance(item, str) and self._is_plain(item) else others.append(item)
        return steps

    def _item_of(self, name: str) -> _Item:
        if self._nodes[name].op == "Exit":
            return self._contexts.loop_of_exit(name)
        return self._contexts.conditions.get(name, name)

    def _is_plain(self, item: _Item) -> bool:
        return isinstance(item, str) and item not in self._arrays.nodes

    def _needs(self, item: _Item, context: Context, values: _Values) -> List[_Item]:
        keys, awaited = self._sources_of(item, context)
        missing = [node_of(key) for key in keys if key not in values]
        for name in missing:
            if self._contexts[name] != context:
                raise NotUnderstood("{} is used outside of its loop or branch.".format(name))
        return [self._item_of(name) for name in missing + [name for name in awaited if "^" + name not in values]]

    def _sources_of(self, item: _Item, context: Context) -> Tuple[List[str], List[str]]:
        """The tensors that an item takes, and the nodes of its context that it waits for."""
        if isinstance(item, Condition):
            keys = [item.predicate] + [outer for _, outer in self._contexts.captures(item)]
            return keys, self._contexts.control_captures(item)
        if isinstance(item, Loop):
            return [key_of(enter.input[0]) for enter in self._contexts.enters(item)], []
        node = self._nodes[item]
        awaited = [name for name in control_inputs(node) if self._contexts.can_be_awaited(name, context)]
        return list(map(key_of, data_inputs(node))), awaited

    def _import_nodes(self, names: Sequence[str], values: _Values) -> None:
        """Import plain nodes, all at once."""
        if not names:
            return
        v1 = packages.import_tensorflow().compat.v1
        graph = v1.get_default_graph()
        piece = v1.GraphDef()
        piece.versions.CopyFrom(self._graph_def.versions)
        piece.library.CopyFrom(self._graph_def.library)
        inside = set(names)
        input_map: _Values = {}
        for name in names:
            node = piece.node.add()
            node.CopyFrom(self._nodes[name])
            _connect(node, inside, values, input_map)
        captured = {key: graph.capture(value) for key, value in input_map.items()}
        imported = v1.import_graph_def(
            piece, input_map=captured, return_elements=list(names), name="graph", producer_op_list=self._op_list
        )
        for name, op in zip(names, imported):
            values["^" + name] = op
            values.update(("{}:{}".format(name, index), tensor) for index, tensor in enumerate(op.outputs))

    def _build(self, item: _Item, values: _Values) -> None:
        if isinstance(item, Condition):
            self._build_condition(item, values)
        elif isinstance(item, Loop):
            self._build_loop(item, values)
        else:
            node = self._nodes[item]
            inputs = [values[key_of(source)] for source in data_inputs(node)]
            for index, output in enumerate(self._arrays.build(node, inputs)):
                values["{}:{}".format(item, index)] = output

    def _build_condition(self, condition: Condition, values: _Values) -> None:
        tf = packages.import_tensorflow()
        captures = self._contexts.captures(condition)

        def branch(number: int) -> Callable[[], List[TfTensor]]:
            def build() -> List[TfTensor]:
                known: _Values = dict(self._feeds)
                known.update((key, values[outer]) for key, outer in captures if key.endswith(":{}".format(number)))
                wanted = [self._contexts.merged_tensor(merge, number) for merge in condition.merges]
                self.run(condition.branch(number), known, wanted, [])
                return [tf.identity(known[key]) for key in wanted]

            return build

        awaited = ["^" + name for name in self._contexts.control_captures(condition)]
        with tf.control_dependencies([values[key] for key in awaited if key in values]):
            outputs = tf.cond(values[condition.predicate], branch(1), branch(0))
        for merge, output in zip(condition.merges, _as_list(outputs)):
            values[merge + ":0"] = output
            values["^" + merge] = output.op

    def _build_loop(self, loop: Loop, values: _Values) -> None:
        enters = self._contexts.enters(loop)
        constants = {
            enter.name + ":0": values[key_of(enter.input[0])] for enter in enters if enter.attr["is_constant"].b
        }
        variables = [self._contexts.loop_variable(enter) for enter in enters if not enter.attr["is_constant"].b]
        predicate = self._contexts.loop_predicate(loop)

        def run(tensors: Iterable[TfTensor], wanted: Sequence[str]) -> List[TfTensor]:
            known: _Values = dict(self._feeds, **constants)
            for variable, tensor in zip(variables, tensors):
                known[variable.merge + ":0"] = tensor
                known.update((switch + ":1", tensor) for switch in variable.switches)
            self.run(loop.body, known, wanted, [])
            return [known[key] for key in wanted]

        def continues(*tensors: TfTensor) -> TfTensor:
            return run(tensors, [predicate])[0]

        def body(*tensors: TfTensor) -> List[TfTensor]:
            return run(tensors, [variable.next_value for variable in variables])

        initial = [values[key_of(self._nodes[variable.enter].input[0])] for variable in variables]
        outputs = _while_loop(continues, body, initial, int(enters[0].attr["parallel_iterations"].i) or 10)
        for variable, output in zip(variables, outputs):
            for leaving in variable.exits:
                values[leaving + ":0"] = output
                values["^" + leaving] = output.op


def _needed_nodes(graph_def: GraphDef, feeds: Iterable[str], roots: Sequence[str]) -> Dict[str, NodeDef]:
    """The nodes that the roots need, each after its inputs, with reads of fed variables hoisted out of loops."""
    nodes: Dict[str, NodeDef] = {node.name: node for node in graph_def.node}
    fed = {node_of(name) for name in feeds}
    needed = {name: nodes[name] for name in sort_nodes(nodes, roots, fed)}
    variables = [name for name in fed & set(needed) if nodes[name].op == "VarHandleOp"]
    nodes = variable_reads.hoist_reads(needed, variables)
    return {name: nodes[name] for name in sort_nodes(nodes, roots, fed)}


def _connect(node: NodeDef, inside: Set[str], values: _Values, input_map: _Values) -> None:
    """Keep inputs from the same piece, map the others to what is built, and drop control inputs that are not."""
    kept = []
    for source in node.input:
        if node_of(source) in inside:
            kept.append(source)
        elif not source.startswith("^"):
            kept.append(source)
            input_map[key_of(source)] = values[key_of(source)]
        elif source in values:
            kept.append(source)
            input_map[source] = _anchor(values[source])
    del node.input[:]
    node.input.extend(kept)


def _while_loop(
    continues: Callable[..., TfTensor], body: Callable[..., List[TfTensor]], initial: List[TfTensor], parallel: int
) -> List[TfTensor]:
    """Build a loop; if a shape changes from one iteration to the next, with fewer of the shapes known."""
    tf = packages.import_tensorflow()
    shapes = [[tensor.shape for tensor in initial], [_of_same_rank(tensor.shape) for tensor in initial]]
    shapes.append([tf.TensorShape(None) for _ in initial])
    for attempt, invariants in enumerate(shapes):
        try:
            return _as_list(
                tf.while_loop(continues, body, initial, shape_invariants=invariants, parallel_iterations=parallel)
            )
        except ValueError as exc:
            if attempt == len(shapes) - 1 or "shape" not in str(exc):
                raise
    raise AssertionError("the last attempt returns or raises")


def _as_list(outputs: Any) -> List[TfTensor]:
    """The outputs of ``tf.cond`` and ``tf.while_loop``, which return a list of one as the tensor in it."""
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _of_same_rank(shape: TfShape) -> TfShape:
    tf = packages.import_tensorflow()
    return tf.TensorShape(None if shape.rank is None else [None] * shape.rank)


def _anchor(op: Op) -> TfTensor:
    """A tensor of an op to wait for; an op without outputs is awaited by a constant."""
    tf = packages.import_tensorflow()
    if op.outputs:
        return op.outputs[0]
    with tf.control_dependencies([op]):
        return tf.constant(0, name="done")
