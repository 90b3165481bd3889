"""Cut a TF2 SavedModel down to the objects and functions that one use of it reaches.

The cut follows everything that refers to something else: children, dependencies, bound inputs, calls, attributes and
gradients. What it cannot follow raises ``NotUnderstood``, and the model is then loaded in full. Objects that are only
on the path to a variable are kept as bare objects, because a checkpoint finds variables by their paths from the root.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections import deque
from typing import Deque, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from unihub._graph.unsupported import NotUnderstood
from unihub._partial import deferred_gradients, wrapper_inlining
from unihub._partial.deferred_gradients import DeferredGradient
from unihub._partial.function_library import FunctionLibrary
from unihub._partial.parallel_restore import Value
from unihub._partial.subset import Subset
from unihub._tf import saved_model
from unihub._tf.types import (
    FunctionDefLibrary,
    Message,
    MetaGraphDef,
    SavedObject,
    SavedObjectGraph,
)
from unihub._types import Use

# What a layer around a model needs besides its call.
_OF_LAYER = ("variables", "trainable_variables", "regularization_losses")
# The kinds of the root's attributes that user code may read, such as the vocabulary of a text encoder in
# layer.resolved_object.vocab_file. They bring no functions with them.
_READ_OFF = frozenset(["asset", "constant", "variable"])

# The kinds of objects in SavedModels, by the names of the fields that describe them.
_KINDS = frozenset(
    ["user_object", "asset", "function", "variable", "bare_concrete_function", "constant", "resource"]
    + ["captured_tensor"]
)

# The name under which a checkpoint has the value of a variable.
_VALUE = "VARIABLE_VALUE"


def cut(meta_graph: MetaGraphDef, checkpoint: Optional[SavedObjectGraph], use: Use) -> Subset:
    """Cut a MetaGraph down to what a use reaches.

    Args:
        meta_graph: A ``MetaGraphDef`` with an object graph; it is not changed.
        checkpoint: The object graph of the model's checkpoint; ``None`` if it has none.
        use: What the model is loaded for.

    Returns:
        The subset, whose objects have new numbers and the same names.

    Raises:
        NotUnderstood: Something cannot be followed.
    """
    # Keras layers may be trained, so their gradients are kept.
    with contextlib.suppress(_OutOfSight):
        return _cut(meta_graph, checkpoint, use, defers=not use.layer)
    return _cut(meta_graph, checkpoint, use, defers=False)


def _cut(meta_graph: MetaGraphDef, checkpoint: Optional[SavedObjectGraph], use: Use, defers: bool) -> Subset:
    reach = _Reach(meta_graph, defers)
    reach.start(use)
    reach.follow()
    reach.connect(checkpoint)
    return reach.assemble()


class _OutOfSight(Exception):
    """Gradients were deferred for ops that cannot be found in the loaded model."""


class _Reach:
    """What has been reached so far, and what remains to be followed."""

    def __init__(self, meta_graph: MetaGraphDef, defers: bool) -> None:
        self._meta_graph = meta_graph
        self._defers = defers
        self._nodes: Sequence[SavedObject] = meta_graph.object_graph_def.nodes
        self._signatures = meta_graph.object_graph_def.concrete_functions
        self._library = FunctionLibrary(meta_graph.graph_def.library)
        # Objects that are kept as they are.
        self._complete: Set[int] = set()
        # The chosen children of the root, and of objects that are only on the path to another one.
        self._edges: Dict[int, Dict[str, int]] = {0: {}}
        self._waiting: List[int] = []
        self._named: Set[str] = set()
        self._functions: Set[str] = set()
        # Functions that objects and gradients refer to by name.
        self._exposed: Set[str] = set()
        # Functions with tensors that gradients take.
        self._captured_from: Set[str] = set()
        self._deferred: Dict[str, DeferredGradient] = {}
        self._ops: Dict[str, deferred_gradients.Ops] = {}
        self._signature = ""
        self._constants: Set[str] = set()
        self._values: Optional[List[Value]] = None

    def start(self, use: Use) -> None:
        """Keep what the use names."""
        if use.signature is not None:
            signatures = self._child(0, "signatures")
            self._keep_edge(0, "signatures", signatures)
            chosen = self._child(signatures, use.signature)
            self._keep_edge(signatures, use.signature, chosen)
            self._keep(chosen)
            self._signature = self._nodes[chosen].bare_concrete_function.concrete_function_name
        else:
            call = self._child(0, "__call__")
            self._keep_edge(0, "__call__", call)
            self._keep(call)
        if use.layer:
            for reference in self._nodes[0].children:
                name, child = reference.local_name, reference.node_id
                if name in _OF_LAYER or self._nodes[child].WhichOneof("kind") in _READ_OFF:
                    self._keep_edge(0, name, child)
                    self._keep(child)

    def follow(self) -> None:
        """Keep what the kept objects need."""
        while self._waiting:
            self._follow_object(self._waiting.pop())

    def connect(self, checkpoint: Optional[SavedObjectGraph]) -> None:
        """Keep a path from the root to every object that has a value in the checkpoint."""
        wanted = {number for number in self._complete if self._has_value(number)}
        # A list whose variables are all kept costs nothing more, and keeps their order.
        self._keep_lists(wanted)
        paths = _find_paths(self._nodes, checkpoint, wanted) if checkpoint is not None else {}
        for number in sorted(wanted):
            if number not in paths:
                raise NotUnderstood("no path from the root leads to the {}".format(self._describe(number)))
            for step, child in _steps(paths, number):
                if step.parent not in self._complete:
                    self._keep_edge(step.parent, step.name, child)
        self._values = self._find_values(checkpoint, paths, wanted)

    def _find_values(
        self, checkpoint: Optional[SavedObjectGraph], paths: Mapping[int, _Step], wanted: Set[int]
    ) -> Optional[List[Value]]:
        values = []
        for number in sorted(wanted):
            attributes = checkpoint.nodes[paths[number].checkpoint_number].attributes if checkpoint is not None else []
            if self._nodes[number].WhichOneof("kind") != "variable" or [a.name for a in attributes] != [_VALUE]:
                return None
            path = tuple(step.name for step, _ in _steps(paths, number))
            variable = self._nodes[number].variable
            values.append(Value(path[::-1], attributes[0].checkpoint_key, variable.dtype, _size(variable.shape)))
        return values

    def assemble(self) -> Subset:
        """Build the MetaGraph of what was kept."""
        numbers = {old: new for new, old in enumerate(sorted(self._complete | set(self._edges)))}
        cut = type(self._meta_graph)()
        cut.meta_info_def.CopyFrom(self._meta_graph.meta_info_def)
        saved_model.keep_function_aliases(cut.meta_info_def, self._functions)
        cut.asset_file_def.extend(self._meta_graph.asset_file_def)
        self._library.copy(self._functions, self._exposed | self._captured_from, cut.graph_def.library)
        inlined = wrapper_inlining.inline(cut.graph_def.library, self._exposed)
        cut.graph_def.versions.CopyFrom(self._meta_graph.graph_def.versions)
        cut.graph_def.node.extend(n for n in self._meta_graph.graph_def.node if n.name in self._constants)
        if len(cut.graph_def.node) != len(self._constants):
            raise NotUnderstood("a constant is missing in the graph")
        for old in numbers:
            self._copy_object(old, numbers, cut.object_graph_def.nodes.add())
        nodes = cut.object_graph_def.nodes
        for node in nodes:
            if node.WhichOneof("kind") == "captured_tensor":
                _follow_tensor(node.captured_tensor, inlined)
        for name in sorted(self._named):
            copy = cut.object_graph_def.concrete_functions[name]
            copy.CopyFrom(self._signatures[name])
            copy.bound_inputs[:] = [numbers[number] for number in copy.bound_inputs]
        count = len(cut.graph_def.library.function)
        return Subset(cut, count, len(self._library), self._values, self._defer(cut.graph_def.library))

    def _defer(self, library: FunctionDefLibrary) -> Mapping[str, DeferredGradient]:
        gradients = {each.op_type: each for name, each in self._deferred.items() if name not in self._functions}
        by_op = deferred_gradients.defer(library, gradients, self._signature) if gradients else {}
        if by_op is None:
            raise _OutOfSight
        return by_op

    def _copy_object(self, old: int, numbers: Mapping[int, int], copy: SavedObject) -> None:
        node = self._nodes[old]
        if old not in self._complete and old != 0 and not self._is_signature_map(node):
            # A list would have gaps.
            copy.user_object.identifier = "_generic_user_object"
            copy.user_object.version.CopyFrom(node.user_object.version)
        else:
            copy.CopyFrom(node)
            del copy.slot_variables[:]
        if old in self._complete:
            for reference in list(copy.children) + list(saved_model.dependencies_of(copy)):
                reference.node_id = numbers[reference.node_id]
            for saveable in saved_model.saveables_of(copy):
                saveable.save_function = numbers[saveable.save_function]
                saveable.restore_function = numbers[saveable.restore_function]
        else:
            del copy.children[:]
            saved_model.clear_dependencies_and_saveables(copy)
            for name, child in self._edges[old].items():
                copy.children.add(local_name=name, node_id=numbers[child])

    # Following.

    def _keep(self, number: int) -> None:
        if not 0 <= number < len(self._nodes):
            raise NotUnderstood("there is no object {}".format(number))
        if number not in self._complete:
            self._complete.add(number)
            self._waiting.append(number)

    def _keep_edge(self, parent: int, name: str, child: int) -> None:
        self._edges.setdefault(parent, {})[name] = child
        self._edges.setdefault(child, {})

    def _follow_object(self, number: int) -> None:
        node = self._nodes[number]
        kind = node.WhichOneof("kind")
        if kind not in _KINDS:
            raise NotUnderstood("object {} is of no known kind".format(number))
        for reference in list(node.children) + list(saved_model.dependencies_of(node)):
            self._keep(reference.node_id)
        for saveable in saved_model.saveables_of(node):
            self._keep(saveable.save_function)
            self._keep(saveable.restore_function)
        if kind == "function":
            for name in node.function.concrete_functions:
                self._keep_named(name)
        elif kind == "bare_concrete_function":
            self._keep_named(node.bare_concrete_function.concrete_function_name)
        elif kind == "captured_tensor":
            self._captured_from.add(node.captured_tensor.concrete_function)
            self._keep_function(node.captured_tensor.concrete_function)
        elif kind == "constant":
            self._constants.add(node.constant.operation)

    def _keep_named(self, name: str) -> None:
        """Keep a function that Python calls, and what it captures."""
        if name in self._exposed:
            return
        self._exposed.add(name)
        if name in self._signatures:
            self._named.add(name)
            for number in self._signatures[name].bound_inputs:
                self._keep(number)
        self._keep_function(name)

    def _keep_function(self, name: str) -> None:
        """Keep a function and all that it names."""
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name in self._functions:
                continue
            if name not in self._library:
                raise NotUnderstood("there is no function {}".format(name))
            self._functions.add(name)
            waiting += self._library.named_in(name)
            for gradient in self._library.gradients_of(name):
                deferred = self._find_deferred(gradient, name) if self._defers else None
                if deferred is None:
                    self._keep_named(gradient)
                else:
                    self._captured_from.add(name)
                    self._deferred[gradient] = deferred

    def _find_deferred(self, gradient: str, function: str) -> Optional[DeferredGradient]:
        """The gradient of an op in a function, if it can be deferred."""
        op_types = self._library.op_types_of(gradient)
        if gradient in self._exposed or gradient not in self._signatures or len(op_types) != 1:
            return None
        if gradient not in self._library or self._library.named_in(gradient) or self._library.gradients_of(gradient):
            return None
        bound = [self._nodes[number] for number in self._signatures[gradient].bound_inputs]
        if any(node.captured_tensor.concrete_function != function for node in bound):
            return None
        captured = [node.captured_tensor.name for node in bound]
        if function not in self._ops:
            self._ops[function] = deferred_gradients.Ops(self._library.function(function))
        body = self._library.function(gradient)
        return deferred_gradients.find(op_types[0], body, self._signatures[gradient], captured, self._ops[function])

    # The object graph.

    def _child(self, number: int, name: str) -> int:
        for reference in self._nodes[number].children:
            if reference.local_name == name:
                return int(reference.node_id)
        raise NotUnderstood("the {} has no {}".format(self._describe(number), name))

    def _has_child(self, number: int, name: str) -> bool:
        return any(reference.local_name == name for reference in self._nodes[number].children)

    def _keep_lists(self, wanted: Set[int]) -> None:
        """Keep the root's lists of variables if all their variables are wanted anyway."""
        for name in ("variables", "trainable_variables"):
            if self._has_child(0, name):
                variables = self._child(0, name)
                items = [reference.node_id for reference in self._nodes[variables].children]
                is_new = variables not in self._complete and not self._needs_more(variables)
                if items and is_new and wanted.issuperset(items):
                    self._keep_edge(0, name, variables)
                    self._keep(variables)
                    self.follow()

    def _needs_more(self, number: int) -> bool:
        node = self._nodes[number]
        return node.WhichOneof("kind") != "user_object" or bool(
            saved_model.dependencies_of(node) or saved_model.saveables_of(node)
        )

    def _has_value(self, number: int) -> bool:
        node = self._nodes[number]
        return node.HasField("variable") or bool(saved_model.saveables_of(node))

    def _is_signature_map(self, node: SavedObject) -> bool:
        return bool(node.user_object.identifier == "signature_map")

    def _describe(self, number: int) -> str:
        node = self._nodes[number]
        kind = node.WhichOneof("kind") or "object"
        return "{} {}".format(kind, node.variable.name or number if kind == "variable" else number)


class _Step(NamedTuple):
    """The last step of the path from the root to an object, and the number of that object in the checkpoint."""

    parent: int
    name: str
    checkpoint_number: int


def _steps(paths: Mapping[int, _Step], number: int) -> Iterator[Tuple[_Step, int]]:
    """The steps of a path, from the last to the first, and the object that each leads to."""
    while number:
        step = paths[number]
        yield step, number
        number = step.parent


def _find_paths(nodes: Sequence[SavedObject], checkpoint: SavedObjectGraph, wanted: Set[int]) -> Dict[int, _Step]:
    """The last step of the path from the root to each wanted object, where a checkpoint has the same path.

    Paths through containers are tried last, because more of a container must be kept than the path.
    """
    paths: Dict[int, _Step] = {}
    seen = {0}
    plain: Deque[Tuple[int, int]] = deque([(0, 0)])
    containers: Deque[Tuple[int, int]] = deque()
    missing = wanted - seen
    while missing and (plain or containers):
        parent, in_checkpoint = (plain or containers).popleft()
        children = {child.local_name: child.node_id for child in checkpoint.nodes[in_checkpoint].children}
        for reference in nodes[parent].children:
            number, name = reference.node_id, reference.local_name
            if number in seen or name not in children:
                continue
            seen.add(number)
            missing.discard(number)
            paths[number] = _Step(parent, name, children[name])
            node = nodes[number]
            is_container = "wrapper" in node.user_object.identifier
            (containers if is_container else plain).append((number, children[name]))
    return paths


def _size(shape: Message) -> int:
    """The number of elements of a shape; 0 if it is unknown."""
    sizes = [dimension.size for dimension in shape.dim]
    return 0 if shape.unknown_rank or -1 in sizes else functools.reduce(operator.mul, sizes, 1)


def _follow_tensor(tensor: Message, inlined: Mapping[str, wrapper_inlining.Inlined]) -> None:
    """Rename a captured tensor whose function was inlined into another one."""
    moved = inlined.get(tensor.concrete_function)
    if moved is None:
        return
    name, _, index = tensor.name.partition(":")
    if name in moved.inputs:
        source = moved.inputs[name]
        if ":" in source:
            raise NotUnderstood("a tensor that a gradient needs is computed next to the call of its function")
        tensor.name = "{}:{}".format(source, index)
    else:
        tensor.name = moved.prefix + tensor.name
    tensor.concrete_function = moved.wrapper
