"""A TF1 graph put into a TF2 function: its loops and conditions become those of TF2.

TF1 builds a loop or a condition out of ops (Enter, Merge, Switch, Exit, NextIteration) that have no gradients in a
function. Which ops make up which loop or branch is read off the edges, as TensorFlow's executor does, and each is built
again by ``tf.while_loop`` or ``tf.cond``. All else is imported as it is, in as few pieces as the order allows. What is
not understood is a ``NotUnderstood`` and never a guess.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Sequence, Set, Tuple, Union

from unihub._convert import tensor_arrays, variable_reads
from unihub._graph.meta_graph import node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._tf import packages

# Where a node stands: the loops and branches around it, the outermost first.
Frame = Tuple[str, str, int]
Context = Tuple[Frame, ...]
_LOOP = "loop"
_CONDITION = "condition"

_MACHINERY = frozenset({"Enter", "Exit", "Merge", "NextIteration", "LoopCond", "Switch"})
_OF_REFERENCES = frozenset({"RefEnter", "RefExit", "RefMerge", "RefNextIteration", "RefSwitch", "RefIdentity"})


class _Condition(NamedTuple):
    """The merges of one condition: all that share a node in a branch."""

    predicate: str
    context: Context
    merges: Tuple[str, ...]


class _Loop(NamedTuple):
    frame: str
    context: Context


# A piece of the work: a plain node by its name, a condition or a loop.
_Item = Union[str, _Condition, _Loop]


def import_graph(
    graph_def: Any, feeds: Dict[str, Any], tensors: Sequence[str], ops: Sequence[str] = (), op_list: Any = None
) -> Dict[str, Any]:
    """Puts what some tensors and ops need into the function that is being traced.

    Args:
        graph_def: The whole TF1 graph, without variables of reference type.
        feeds: Tensors that take the places of the graph's own, by name, such as ``{"images:0": tensor}``.
        tensors: The full names of the tensors that are wanted.
        ops: The names of the ops that have to run.
        op_list: The ``OpList`` of who wrote the graph.

    Returns:
        The wanted tensors by name.

    Raises:
        NotUnderstood: A loop or condition is not built as TensorFlow builds them.
    """
    importer = _Importer(graph_def, feeds, tensors, ops, op_list)
    values = dict(feeds)
    importer.run((), values, list(tensors), [])
    # Later, so that what is computed reads the variables before they are updated, as far as the graph leaves it open.
    importer.run((), values, [], list(ops))
    return {name: values[name] for name in tensors}


def key_of(reference: str) -> str:
    """The full name of a tensor that a node's input speaks of."""
    return reference if ":" in reference else reference + ":0"


class _Importer:
    """One graph, and where each of its nodes stands."""

    def __init__(
        self, graph_def: Any, feeds: Dict[str, Any], tensors: Sequence[str], ops: Sequence[str], op_list: Any
    ) -> None:
        self._graph_def = graph_def
        self._op_list = op_list
        nodes = {node.name: node for node in graph_def.node}
        fed = {node_of(name) for name in feeds}
        roots = [node_of(name) for name in list(tensors) + list(ops)]
        needed = {name: nodes[name] for name in _sort(nodes, roots, fed)}
        nodes = variable_reads.move_out(needed, [name for name in fed & set(needed) if nodes[name].op == "VarHandleOp"])
        order = _sort(nodes, roots, fed)
        self._nodes = {name: nodes[name] for name in order}
        self._fed = fed
        self._feeds = feeds
        self._contexts: Dict[str, Context] = {}
        for name in order:
            self._contexts[name] = () if name in fed else self._find_context(nodes[name])
        self._arrays = tensor_arrays.find(self._nodes, order)
        self._conditions = self._group_conditions()

    # Where nodes stand.

    def _find_context(self, node: Any) -> Context:
        if node.op in _OF_REFERENCES:
            raise NotUnderstood("{} ({}) passes on a reference to a variable.".format(node.name, node.op))
        if node.op == "Merge":
            return self._context_of_merge(node)
        context = self._deepest(node, [self._context_after(source) for source in node.input])
        if node.op == "Enter":
            return context + ((_LOOP, node.attr["frame_name"].s.decode(), 0),)
        if node.op == "Exit":
            if not context or context[-1][0] != _LOOP:
                raise NotUnderstood("{} leaves a loop that it is not in.".format(node.name))
            return context[:-1]
        return context

    def _context_after(self, source: str) -> Context:
        """Where the output of a node stands: one of a switch is in the branch of its own number."""
        name = node_of(source)
        context = self._contexts[name]
        if source.startswith("^") or not self._is_branching(name):
            return context
        return context + ((_CONDITION, self._predicate_of(name), int(key_of(source).split(":")[1])),)

    def _is_branching(self, name: str) -> bool:
        """Whether it is the switch of a condition, and not that of a loop."""
        node = self._nodes[name]
        return node.op == "Switch" and name not in self._fed and self._producer(node.input[1]).op != "LoopCond"

    def _predicate_of(self, switch: str) -> str:
        """The tensor that decides; TensorFlow gives each switch of a condition a copy of it."""
        reference = self._nodes[switch].input[1]
        while self._producer(reference).op == "Identity" and node_of(reference) not in self._fed:
            reference = self._producer(reference).input[0]
        return key_of(reference)

    def _producer(self, reference: str) -> Any:
        return self._nodes[node_of(reference)]

    def _context_of_merge(self, node: Any) -> Context:
        sources = [source for source in node.input if not source.startswith("^")]
        entering = [source for source in sources if self._producer(source).op != "NextIteration"]
        if len(entering) < len(sources):
            return self._deepest(node, [self._context_after(source) for source in entering])
        first, second = self._branches_of(node)
        return first[:-1] if first[:-1] == second[:-1] else ()

    def _branches_of(self, merge: Any) -> Tuple[Context, Context]:
        """Where the two inputs of a condition's merge stand."""
        found = [self._context_after(source) for source in merge.input if not source.startswith("^")]
        ends = [context[-1] if context else (_LOOP, "", 0) for context in found]
        is_pair = len(found) == 2 and found[0][:-1] == found[1][:-1] and ends[0][:2] == ends[1][:2]
        if not is_pair or ends[0][0] != _CONDITION or {ends[0][2], ends[1][2]} != {0, 1}:
            raise NotUnderstood("{} does not merge the two branches of one condition.".format(merge.name))
        return found[0], found[1]

    def _deepest(self, node: Any, contexts: Sequence[Context]) -> Context:
        deepest: Context = max(contexts, key=len, default=())
        if any(context != deepest[: len(context)] for context in contexts):
            raise NotUnderstood("{} ({}) takes inputs from different branches or loops.".format(node.name, node.op))
        return deepest

    # Which merges make one condition.

    def _group_conditions(self) -> Dict[str, _Condition]:
        groups: List[Tuple[str, Context, Set[str], Set[str]]] = []
        for name, node in self._nodes.items():
            if node.op != "Merge" or name in self._fed or self._is_head_of_loop(node):
                continue
            inside = self._branches_of(node)[0]
            members = self._members(node, inside[:-1])
            group = (inside[-1][1], inside[:-1], {name}, members)
            same = [each for each in groups if each[:2] == group[:2] and each[3] & members]
            for each in same:
                groups.remove(each)
                group[2].update(each[2])
                group[3].update(each[3])
            groups.append(group)
        conditions = [_Condition(key, context, tuple(sorted(merges))) for key, context, merges, _ in groups]
        return {merge: condition for condition in conditions for merge in condition.merges}

    def _is_head_of_loop(self, merge: Any) -> bool:
        return any(self._producer(source).op == "NextIteration" for source in merge.input)

    def _members(self, merge: Any, outer: Context) -> Set[str]:
        """The nodes of the branches that a merge joins."""
        found: Set[str] = set()
        waiting = [node_of(source) for source in merge.input]
        while waiting:
            name = waiting.pop()
            if name not in found and len(self._contexts[name]) > len(outer):
                found.add(name)
                waiting += [node_of(source) for source in self._nodes[name].input]
        return found

    # Building.

    def run(self, context: Context, values: Dict[str, Any], tensors: Sequence[str], ops: Sequence[str]) -> None:
        """Builds what is wanted of one context into the current graph; ``values`` has what is there already."""
        for nodes, others in self._schedule(context, values, tensors, ops):
            self._import_nodes(nodes, values)
            for item in others:
                self._build(item, context, values)
        for key in tensors:
            if key not in values:
                raise NotUnderstood("{} is no tensor that can be built again.".format(key))

    def _schedule(
        self, context: Context, values: Dict[str, Any], tensors: Sequence[str], ops: Sequence[str]
    ) -> List[Tuple[List[str], List[_Item]]]:
        """The items in the order of their needs: plain nodes together, then what has to be built one by one."""
        depths: Dict[_Item, int] = {}
        order: List[_Item] = []
        roots = [self._item_of(node_of(key)) for key in tensors if key not in values]
        roots += [self._item_of(name) for name in ops if "^" + name not in values]
        waiting: List[Tuple[_Item, bool]] = [(item, False) for item in reversed(roots)]
        entered: Set[_Item] = set()
        while waiting:
            item, is_done = waiting.pop()
            if item in depths or (item in entered and not is_done):
                continue
            needs = self._needs(item, context, values)
            if is_done:
                before = [depths[need] + (not self._is_plain(need)) for need in needs if need in depths]
                depths[item] = max([0] + before)
                order.append(item)
            else:
                entered.add(item)
                waiting.append((item, True))
                waiting += [(need, False) for need in needs if need not in depths]
        steps: List[Tuple[List[str], List[_Item]]] = [([], []) for _ in range(max(list(depths.values()) + [-1]) + 1)]
        for item in order:
            nodes, others = steps[depths[item]]
            nodes.append(item) if isinstance(item, str) and self._is_plain(item) else others.append(item)
        return steps

    def _item_of(self, name: str) -> _Item:
        node = self._nodes[name]
        if node.op == "Exit":
            frame = self._contexts[node_of(node.input[0])][-1][1]
            return _Loop(frame, self._contexts[name])
        return self._conditions.get(name, name)

    def _is_plain(self, item: _Item) -> bool:
        return isinstance(item, str) and item not in self._arrays.nodes

    def _needs(self, item: _Item, context: Context, values: Dict[str, Any]) -> List[_Item]:
        if isinstance(item, _Condition):
            keys = [item.predicate] + [outer for _, outer in self._external(item)]
            waits = [name for name in self._external_waits(item) if "^" + name not in values]
        elif isinstance(item, _Loop):
            keys, waits = [key_of(enter.input[0]) for enter in self._enters(item)], []
        else:
            keys = [key_of(source) for source in self._nodes[item].input if not source.startswith("^")]
            waits = self._waits(item, context, values)
        missing = [node_of(key) for key in keys if key not in values]
        for name in missing:
            if self._contexts[name] != context:
                raise NotUnderstood("{} is used outside of its loop or branch.".format(name))
        return [self._item_of(name) for name in missing + waits]

    def _waits(self, name: str, context: Context, values: Dict[str, Any]) -> List[str]:
        """What a node has to wait for here; what only keeps it in its loop or branch is left out."""
        sources = [node_of(source) for source in self._nodes[name].input if source.startswith("^")]
        return [name for name in sources if "^" + name not in values and self._can_be_waited_for(name, context)]

    def _can_be_waited_for(self, source: str, context: Context) -> bool:
        is_made_here = self._nodes[source].op not in _MACHINERY or source in self._conditions
        is_made_here = is_made_here or self._nodes[source].op == "Exit"
        return source not in self._fed and self._contexts[source] == context and is_made_here

    def _import_nodes(self, names: Sequence[str], values: Dict[str, Any]) -> None:
        """Imports plain nodes, all at once."""
        if not names:
            return
        v1 = packages.import_tensorflow().compat.v1
        graph = v1.get_default_graph()
        piece = v1.GraphDef()
        piece.versions.CopyFrom(self._graph_def.versions)
        piece.library.CopyFrom(self._graph_def.library)
        inside = set(names)
        input_map: Dict[str, Any] = {}
        for name in names:
            node = piece.node.add()
            node.CopyFrom(self._nodes[name])
            self._connect(node, inside, values, input_map)
        captured = {key: graph.capture(value) for key, value in input_map.items()}
        imported = v1.import_graph_def(
            piece, input_map=captured, return_elements=list(names), name="graph", producer_op_list=self._op_list
        )
        for name, op in zip(names, imported):
            values["^" + name] = op
            values.update(("{}:{}".format(name, index), tensor) for index, tensor in enumerate(op.outputs))

    def _connect(self, node: Any, inside: Set[str], values: Dict[str, Any], input_map: Dict[str, Any]) -> None:
        """Keeps the inputs from the same piece, maps the others to what was built, and drops what is nowhere."""
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

    def _build(self, item: _Item, context: Context, values: Dict[str, Any]) -> None:
        if isinstance(item, _Condition):
            self._build_condition(item, values)
        elif isinstance(item, _Loop):
            self._build_loop(item, values)
        else:
            node = self._nodes[item]
            inputs = [values[key_of(source)] for source in node.input if not source.startswith("^")]
            for index, output in enumerate(self._arrays.build(node, inputs)):
                values["{}:{}".format(item, index)] = output

    def _build_condition(self, condition: _Condition, values: Dict[str, Any]) -> None:
        tf = packages.import_tensorflow()
        external = self._external(condition)

        def branch(number: int) -> Callable[[], List[Any]]:
            def build() -> List[Any]:
                inside = condition.context + ((_CONDITION, condition.predicate, number),)
                known = dict(self._feeds)
                known.update((key, values[outer]) for key, outer in external if key.endswith(":{}".format(number)))
                wanted = [self._input_of_merge(merge, number) for merge in condition.merges]
                self.run(inside, known, wanted, [])
                return [tf.identity(known[key]) for key in wanted]

            return build

        waits = [values["^" + name] for name in self._external_waits(condition) if "^" + name in values]
        with tf.control_dependencies(waits):
            outputs = tf.cond(values[condition.predicate], branch(1), branch(0))
        # A list of one is taken for the tensor in it.
        for merge, output in zip(condition.merges, outputs if isinstance(outputs, (list, tuple)) else [outputs]):
            values[merge + ":0"] = output
            values["^" + merge] = output.op

    def _input_of_merge(self, merge: str, number: int) -> str:
        node = self._nodes[merge]
        contexts = self._branches_of(node)
        sources = [source for source in node.input if not source.startswith("^")]
        return next(key_of(source) for source, context in zip(sources, contexts) if context[-1][2] == number)

    def _external(self, condition: _Condition) -> List[Tuple[str, str]]:
        """What the branches take from outside: the outputs of switches, and the tensors that go into these."""
        found: Dict[str, str] = {}
        for source in self._edges_into(condition):
            name = node_of(source)
            if not source.startswith("^") and self._is_branching(name):
                found[key_of(source)] = key_of(self._nodes[name].input[0])
        return sorted(found.items())

    def _external_waits(self, condition: _Condition) -> List[str]:
        names = {node_of(source) for source in self._edges_into(condition) if source.startswith("^")}
        return sorted(name for name in names if self._can_be_waited_for(name, condition.context))

    def _edges_into(self, condition: _Condition) -> List[str]:
        """The edges from the condition's own context into its branches."""
        edges = []
        for merge in condition.merges:
            for name in [merge] + sorted(self._members(self._nodes[merge], condition.context)):
                edges += [
                    source
                    for source in self._nodes[name].input
                    if self._contexts[node_of(source)] == condition.context and node_of(source) not in condition.merges
                ]
        return edges

    def _enters(self, loop: _Loop) -> List[Any]:
        inside = loop.context + ((_LOOP, loop.frame, 0),)
        return [node for name, node in self._nodes.items() if node.op == "Enter" and self._contexts[name] == inside]

    def _build_loop(self, loop: _Loop, values: Dict[str, Any]) -> None:
        inside = loop.context + ((_LOOP, loop.frame, 0),)
        enters = self._enters(loop)
        constants = {
            enter.name + ":0": values[key_of(enter.input[0])] for enter in enters if enter.attr["is_constant"].b
        }
        states = [self._find_state(enter) for enter in enters if not enter.attr["is_constant"].b]
        predicate = self._find_predicate(inside)

        def known(tensors: Sequence[Any]) -> Dict[str, Any]:
            found = dict(self._feeds, **constants)
            for state, tensor in zip(states, tensors):
                found[state.merge + ":0"] = tensor
                found.update((switch + ":1", tensor) for switch in state.switches)
            return found

        def goes_on(*tensors: Any) -> Any:
            here = known(tensors)
            self.run(inside, here, [predicate], [])
            return here[predicate]

        def body(*tensors: Any) -> List[Any]:
            here = known(tensors)
            wanted = [state.next_value for state in states]
            self.run(inside, here, wanted, [])
            return [here[key] for key in wanted]

        initial = [values[key_of(self._nodes[state.enter].input[0])] for state in states]
        outputs = _while_loop(goes_on, body, initial, int(enters[0].attr["parallel_iterations"].i) or 10)
        for state, output in zip(states, outputs):
            for leaving in state.exits:
                values[leaving + ":0"] = output
                values["^" + leaving] = output.op

    def _find_state(self, enter: Any) -> _State:
        merges = self._consumers(enter.name, "Merge")
        if len(merges) != 1:
            raise NotUnderstood("{} starts {} loop variables, and not one.".format(enter.name, len(merges)))
        (merge,) = merges
        (next_iteration,) = [
            node_of(source)
            for source in self._nodes[merge].input
            if not source.startswith("^") and self._producer(source).op == "NextIteration"
        ]
        switches = [name for name in self._consumers(merge, "Switch") if not self._is_branching(name)]
        exits = [name for switch in switches for name in self._consumers(switch, "Exit")]
        next_value = key_of(self._nodes[next_iteration].input[0])
        return _State(enter.name, merge, tuple(switches), next_value, tuple(exits))

    def _find_predicate(self, inside: Context) -> str:
        found = [node for name, node in self._nodes.items() if node.op == "LoopCond" and self._contexts[name] == inside]
        if len(found) != 1:
            raise NotUnderstood("the loop {} has {} conditions.".format(inside[-1][1], len(found)))
        return key_of(found[0].input[0])

    def _consumers(self, name: str, op: str) -> List[str]:
        return [
            each
            for each, node in self._nodes.items()
            if node.op == op and any(node_of(source) == name and source[0] != "^" for source in node.input)
        ]


class _State(NamedTuple):
    """One loop variable, by the names of the nodes that carry it, and the tensor that is its next value."""

    enter: str
    merge: str
    switches: Tuple[str, ...]
    next_value: str
    exits: Tuple[str, ...]


def _while_loop(goes_on: Callable[..., Any], body: Callable[..., Any], initial: List[Any], parallel: int) -> List[Any]:
    """Builds the loop; where a shape changes from one iteration to the next, with less of the shapes known."""
    tf = packages.import_tensorflow()
    shapes = [[tensor.shape for tensor in initial], [_of_same_rank(tensor.shape) for tensor in initial]]
    shapes.append([tf.TensorShape(None) for _ in initial])
    for attempt, invariants in enumerate(shapes):
        try:
            outputs = tf.while_loop(goes_on, body, initial, shape_invariants=invariants, parallel_iterations=parallel)
            return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        except ValueError as exc:
            if attempt == len(shapes) - 1 or "shape" not in str(exc):
                raise
    raise AssertionError("the last attempt returns or raises")


def _of_same_rank(shape: Any) -> Any:
    tf = packages.import_tensorflow()
    return tf.TensorShape(None if shape.rank is None else [None] * shape.rank)


def _anchor(op: Any) -> Any:
    """A tensor of an op, to wait for; one that has none is waited for by a constant."""
    tf = packages.import_tensorflow()
    if op.outputs:
        return op.outputs[0]
    with tf.control_dependencies([op]):
        return tf.constant(0, name="done")


def _sort(nodes: Dict[str, Any], roots: Iterable[str], fed: Set[str]) -> List[str]:
    """What the roots need, each node after its inputs; the way back of a loop is left out of the order."""
    order: List[str] = []
    seen: Set[str] = set()
    late: List[str] = []
    waiting: List[Tuple[str, bool]] = [(root, False) for root in roots]
    while waiting or late:
        if not waiting:
            waiting.append((late.pop(), False))
        name, is_done = waiting.pop()
        if is_done:
            order.append(name)
            continue
        if name in seen:
            continue
        seen.add(name)
        waiting.append((name, True))
        if name in fed:
            continue
        for source in _find(nodes, name).input:
            is_back = nodes[name].op == "Merge" and _find(nodes, source).op == "NextIteration"
            late.append(node_of(source)) if is_back else waiting.append((node_of(source), False))
    return order


def _find(nodes: Dict[str, Any], reference: str) -> Any:
    try:
        return nodes[node_of(reference)]
    except KeyError:
        raise NotUnderstood("the node {} is missing.".format(node_of(reference))) from None
