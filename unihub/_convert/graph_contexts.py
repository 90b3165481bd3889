"""The loops and conditions of a TF1 graph: which of them each node is in, and which nodes make each of them up.

TF1 builds a loop or a condition out of plain ops: Enter, Merge, Switch, Exit and NextIteration. ``GraphContexts`` reads
the structure off the edges, as TensorFlow's executor does, because the collections that describe it may be missing.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence, Set, Tuple

from unihub._graph.meta_graph import node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._tf.types import NodeDef

CONTROL_FLOW_OPS = frozenset({"Enter", "Exit", "Merge", "NextIteration", "LoopCond", "Switch"})
_REFERENCE_OPS = frozenset({"RefEnter", "RefExit", "RefMerge", "RefNextIteration", "RefSwitch", "RefIdentity"})
_LOOP = "loop"
_CONDITION = "condition"


class Frame(NamedTuple):
    """One loop, or one branch of a condition.

    Attributes:
        kind: ``loop`` or ``condition``.
        key: The frame's name of a loop; the predicate of a condition.
        branch: 1 for the branch that runs if the predicate is true, else 0.
    """

    kind: str
    key: str
    branch: int = 0


# The loops and branches around a node, the outermost first.
Context = Tuple[Frame, ...]


class Condition(NamedTuple):
    """One condition.

    Attributes:
        predicate: The tensor that decides.
        context: The context that the condition is in.
        merges: The nodes that give its outputs.
    """

    predicate: str
    context: Context
    merges: Tuple[str, ...]

    def branch(self, number: int) -> Context:
        """The context inside one of its branches."""
        return self.context + (Frame(_CONDITION, self.predicate, number),)


class Loop(NamedTuple):
    """One loop.

    Attributes:
        frame: The name of its frame.
        context: The context that the loop is in.
    """

    frame: str
    context: Context

    @property
    def body(self) -> Context:
        """The context inside."""
        return self.context + (Frame(_LOOP, self.frame),)


class LoopVariable(NamedTuple):
    """One loop variable: the nodes that carry it, and the tensor that is its next value."""

    enter: str
    merge: str
    switches: Tuple[str, ...]
    next_value: str
    exits: Tuple[str, ...]


def key_of(reference: str) -> str:
    """The full name of the tensor that a node's input refers to, such as ``x:0`` for ``x``."""
    return reference if ":" in reference else reference + ":0"


def data_inputs(node: NodeDef) -> List[str]:
    """The inputs of a node that are tensors, without its control inputs."""
    return [source for source in node.input if not source.startswith("^")]


def control_inputs(node: NodeDef) -> List[str]:
    """The names of the nodes that a node waits for."""
    return [node_of(source) for source in node.input if source.startswith("^")]


class GraphContexts:
    """The contexts of all nodes of one graph.

    Args:
        nodes: The nodes by name, each after its inputs.
        fed: The names of the nodes that the caller feeds; their inputs do not count.

    Attributes:
        conditions: The condition by each merge that gives an output of it.

    Raises:
        NotUnderstood: A loop or condition has a structure that TensorFlow does not build.
    """

    def __init__(self, nodes: Dict[str, NodeDef], fed: Set[str]) -> None:
        self._nodes = nodes
        self._fed = fed
        self._contexts: Dict[str, Context] = {}
        for name, node in nodes.items():
            self._contexts[name] = () if name in fed else self._find_context(node)
        self.conditions: Dict[str, Condition] = self._group_conditions()

    def __getitem__(self, name: str) -> Context:
        return self._contexts[name]

    def _find_context(self, node: NodeDef) -> Context:
        if node.op in _REFERENCE_OPS:
            raise NotUnderstood("{} ({}) passes on a reference to a variable.".format(node.name, node.op))
        if node.op == "Merge":
            return self._context_of_merge(node)
        context = self._deepest(node, [self._context_after(source) for source in node.input])
        if node.op == "Enter":
            return context + (Frame(_LOOP, node.attr["frame_name"].s.decode()),)
        if node.op == "Exit":
            if not context or context[-1].kind != _LOOP:
                raise NotUnderstood("{} leaves a loop that it is not in.".format(node.name))
            return context[:-1]
        return context

    def _context_after(self, source: str) -> Context:
        """The context of a node's output; output 0 of a condition's Switch is in branch 0, output 1 in branch 1."""
        name = node_of(source)
        context = self._contexts[name]
        if source.startswith("^") or not self._is_branching(name):
            return context
        return context + (Frame(_CONDITION, self._predicate_of(name), int(key_of(source).split(":")[1])),)

    def _is_branching(self, name: str) -> bool:
        """Whether a node is the Switch of a condition; loops have Switches too."""
        node = self._nodes[name]
        return node.op == "Switch" and name not in self._fed and self._producer(node.input[1]).op != "LoopCond"

    def _predicate_of(self, switch: str) -> str:
        """The tensor that decides; TensorFlow gives each Switch of a condition a copy of it."""
        reference: str = self._nodes[switch].input[1]
        while self._producer(reference).op == "Identity" and node_of(reference) not in self._fed:
            reference = self._producer(reference).input[0]
        return key_of(reference)

    def _producer(self, reference: str) -> NodeDef:
        return self._nodes[node_of(reference)]

    def _context_of_merge(self, merge: NodeDef) -> Context:
        sources = data_inputs(merge)
        entering = [source for source in sources if self._producer(source).op != "NextIteration"]
        if len(entering) < len(sources):
            return self._deepest(merge, [self._context_after(source) for source in entering])
        first, second = self._branches_of(merge)
        return first[:-1] if first[:-1] == second[:-1] else ()

    def _branches_of(self, merge: NodeDef) -> Tuple[Context, Context]:
        """The contexts of the two inputs of a condition's Merge."""
        contexts = [self._context_after(source) for source in data_inputs(merge)]
        frames = [context[-1] if context else Frame(_LOOP, "") for context in contexts]
        is_pair = len(contexts) == 2 and contexts[0][:-1] == contexts[1][:-1] and frames[0][:2] == frames[1][:2]
        if not is_pair or frames[0].kind != _CONDITION or {frame.branch for frame in frames} != {0, 1}:
            raise NotUnderstood("{} does not merge the two branches of one condition.".format(merge.name))
        return contexts[0], contexts[1]

    def _deepest(self, node: NodeDef, contexts: Sequence[Context]) -> Context:
        deepest: Context = max(contexts, key=len, default=())
        if any(context != deepest[: len(context)] for context in contexts):
            raise NotUnderstood("{} ({}) takes inputs from different branches or loops.".format(node.name, node.op))
        return deepest

    # Conditions.

    def _group_conditions(self) -> Dict[str, Condition]:
        """Merges that share a node in a branch are outputs of the same condition."""
        groups: List[Tuple[str, Context, Set[str], Set[str]]] = []
        for name, node in self._nodes.items():
            if node.op != "Merge" or name in self._fed or self._is_head_of_loop(node):
                continue
            inside = self._branches_of(node)[0]
            members = self._members(node, inside[:-1])
            group = (inside[-1].key, inside[:-1], {name}, members)
            same = [each for each in groups if each[:2] == group[:2] and each[3] & members]
            for each in same:
                groups.remove(each)
                group[2].update(each[2])
                group[3].update(each[3])
            groups.append(group)
        conditions = [Condition(key, context, tuple(sorted(merges))) for key, context, merges, _ in groups]
        return {merge: condition for condition in conditions for merge in condition.merges}

    def _is_head_of_loop(self, merge: NodeDef) -> bool:
        return any(self._producer(source).op == "NextIteration" for source in merge.input)

    def _members(self, merge: NodeDef, outer: Context) -> Set[str]:
        """The nodes of the branches that a Merge joins."""
        members: Set[str] = set()
        pending = [node_of(source) for source in merge.input]
        while pending:
            name = pending.pop()
            if name not in members and len(self._contexts[name]) > len(outer):
                members.add(name)
                pending += [node_of(source) for source in self._nodes[name].input]
        return members

    def merged_tensor(self, merge: str, branch: int) -> str:
        """The tensor that a condition's Merge takes from one branch."""
        node = self._nodes[merge]
        pairs = zip(data_inputs(node), self._branches_of(node))
        return next(key_of(source) for source, context in pairs if context[-1].branch == branch)

    def captures(self, condition: Condition) -> List[Tuple[str, str]]:
        """The outputs of Switches that the branches use, each with the tensor that goes into its Switch."""
        captured: Dict[str, str] = {}
        for source in self._edges_into(condition):
            name = node_of(source)
            if not source.startswith("^") and self._is_branching(name):
                captured[key_of(source)] = key_of(self._nodes[name].input[0])
        return sorted(captured.items())

    def control_captures(self, condition: Condition) -> List[str]:
        """The nodes outside of the branches that the branches wait for."""
        names = {node_of(source) for source in self._edges_into(condition) if source.startswith("^")}
        return sorted(name for name in names if self.can_be_awaited(name, condition.context))

    def _edges_into(self, condition: Condition) -> List[str]:
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

    def can_be_awaited(self, name: str, context: Context) -> bool:
        """Whether a node becomes an op of a context; ops that only mark a loop or branch do not."""
        op = self._nodes[name].op
        becomes_op = op not in CONTROL_FLOW_OPS or op == "Exit" or name in self.conditions
        return becomes_op and name not in self._fed and self._contexts[name] == context

    # Loops.

    def loop_of_exit(self, exit_name: str) -> Loop:
        """The loop that an Exit leaves."""
        inside = self._contexts[node_of(self._nodes[exit_name].input[0])]
        return Loop(inside[-1].key, self._contexts[exit_name])

    def enters(self, loop: Loop) -> List[NodeDef]:
        """The nodes that bring tensors into a loop."""
        inside = loop.body
        return [node for name, node in self._nodes.items() if node.op == "Enter" and self._contexts[name] == inside]

    def loop_variable(self, enter: NodeDef) -> LoopVariable:
        """The loop variable that an Enter starts."""
        merges = self._consumers(enter.name, "Merge")
        if len(merges) != 1:
            raise NotUnderstood("{} starts {} loop variables instead of one.".format(enter.name, len(merges)))
        (merge,) = merges
        (next_iteration,) = [
            node_of(source)
            for source in data_inputs(self._nodes[merge])
            if self._producer(source).op == "NextIteration"
        ]
        switches = [name for name in self._consumers(merge, "Switch") if not self._is_branching(name)]
        exits = [name for switch in switches for name in self._consumers(switch, "Exit")]
        next_value = key_of(self._nodes[next_iteration].input[0])
        return LoopVariable(enter.name, merge, tuple(switches), next_value, tuple(exits))

    def loop_predicate(self, loop: Loop) -> str:
        """The tensor that decides whether a loop goes on."""
        inside = loop.body
        nodes = [node for name, node in self._nodes.items() if node.op == "LoopCond" and self._contexts[name] == inside]
        if len(nodes) != 1:
            raise NotUnderstood("the loop {} has {} conditions instead of one.".format(loop.frame, len(nodes)))
        return key_of(nodes[0].input[0])

    def _consumers(self, name: str, op: str) -> List[str]:
        return [
            each
            for each, node in self._nodes.items()
            if node.op == op and any(node_of(source) == name for source in data_inputs(node))
        ]


def sort_nodes(nodes: Dict[str, NodeDef], roots: Iterable[str], fed: Set[str]) -> List[str]:
    """What the roots need, each node after its inputs; the back edges of loops do not count.

    Args:
        nodes: The nodes of the graph by name.
        roots: The names of the nodes that are needed.
        fed: The names of those that the caller feeds.

    Raises:
        NotUnderstood: A node is missing in the graph.
    """
    order: List[str] = []
    seen: Set[str] = set()
    behind_back_edges: List[str] = []
    pending: List[Tuple[str, bool]] = [(root, False) for root in roots]
    while pending or behind_back_edges:
        if not pending:
            pending.append((behind_back_edges.pop(), False))
        name, is_done = pending.pop()
        if is_done:
            order.append(name)
            continue
        if name in seen:
            continue
        seen.add(name)
        pending.append((name, True))
        if name in fed:
            continue
        for source in _look_up(nodes, name).input:
            is_back_edge = nodes[name].op == "Merge" and _look_up(nodes, source).op == "NextIteration"
            behind_back_edges.append(node_of(source)) if is_back_edge else pending.append((node_of(source), False))
    return order


def _look_up(nodes: Dict[str, NodeDef], reference: str) -> NodeDef:
    try:
        return nodes[node_of(reference)]
    except KeyError:
        raise NotUnderstood("the node {} is missing.".format(node_of(reference))) from None
