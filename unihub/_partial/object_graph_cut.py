"""The objects and functions of a TF2 SavedModel that one use of it reaches, as a MetaGraph of their own.

What is reached is found by following everything that names something else: children, dependencies, bound inputs,
calls, attributes, gradients. What cannot be followed is a ``NotUnderstood``, and the model is then loaded whole.
Objects that only lie on the way to a variable are kept as bare objects, for a checkpoint finds variables by the way
from the root to them.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections import deque
from typing import Any, Deque, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from unihub._graph.unsupported import NotUnderstood
from unihub._partial import deferred_gradients, wrapper_inlining
from unihub._partial.deferred_gradients import Later
from unihub._partial.function_library import FunctionLibrary
from unihub._partial.parallel_restore import Value
from unihub._tf import saved_model
from unihub._types import Use

# What a layer around a model needs beside its call.
_OF_LAYER = ("variables", "trainable_variables", "regularization_losses")
# And of what kind the root's attributes are that code reads off it: the vocabulary of a text encoder, say, which is
# layer.resolved_object.vocab_file. They bring no functions with them.
_READ_OFF = frozenset(["asset", "constant", "variable"])

# The objects that lie in SavedModels, by the name of the field that describes them.
_KINDS = frozenset(
    ["user_object", "asset", "function", "variable", "bare_concrete_function", "constant", "resource"]
    + ["captured_tensor"]
)

# The name under which a checkpoint has the value of a variable.
_VALUE = "VARIABLE_VALUE"


class Reached(NamedTuple):
    """What was reached: the MetaGraph, and how many functions, or nodes, it has of how many.

    ``values`` is all that has a value in the checkpoint; ``None`` where that is not just variables, or not known.
    ``gradients`` are those that the MetaGraph's ops have under these names, and that are not in it.
    """

    meta_graph: Any
    kept: int
    of: int
    values: Optional[List[Value]] = None
    gradients: Mapping[str, Later] = {}


def cut(meta_graph: Any, checkpoint: Optional[Any], use: Use) -> Reached:
    """The part of a MetaGraph that a use reaches.

    Args:
        meta_graph: A ``MetaGraphDef`` with an object graph; it is not changed.
        checkpoint: The object graph of the model's checkpoint; ``None`` where it has none.
        use: What the model is loaded for.

    Returns:
        The MetaGraph, with other numbers for the objects and the same names.

    Raises:
        NotUnderstood: Something cannot be followed.
    """
    # What is a layer is trained, so that its gradients are wanted.
    with contextlib.suppress(_OutOfSight):
        return _cut(meta_graph, checkpoint, use, puts_off=not use.layer)
    return _cut(meta_graph, checkpoint, use, puts_off=False)


def _cut(meta_graph: Any, checkpoint: Optional[Any], use: Use, puts_off: bool) -> Reached:
    reach = _Reach(meta_graph, puts_off)
    reach.start(use)
    reach.follow()
    reach.connect(checkpoint)
    return reach.assemble()


class _OutOfSight(Exception):
    """Gradients were put off of ops that nobody finds in the loaded model."""


class _Reach:
    """What has been reached so far, and what has to be followed still."""

    def __init__(self, meta_graph: Any, puts_off: bool) -> None:
        self._meta_graph = meta_graph
        self._puts_off = puts_off
        self._nodes = meta_graph.object_graph_def.nodes
        self._signatures = meta_graph.object_graph_def.concrete_functions
        self._library = FunctionLibrary(meta_graph.graph_def.library)
        # Objects kept as they are; the root, whose children are chosen; objects kept only for the way through them.
        self._whole: Set[int] = set()
        self._edges: Dict[int, Dict[str, int]] = {0: {}}
        self._waiting: List[int] = []
        self._named: Set[str] = set()
        self._functions: Set[str] = set()
        # Functions that objects and gradients know by name.
        self._exposed: Set[str] = set()
        # Functions that have tensors which gradients take.
        self._looked_into: Set[str] = set()
        # Gradients that are put off.
        self._later: Dict[str, Later] = {}
        self._ops: Dict[str, deferred_gradients.Ops] = {}
        self._signature = ""
        self._constants: Set[str] = set()
        # The traces that a call can take, where others can not be.
        self._traces: Dict[int, List[str]] = {}
        self._values: Optional[List[Value]] = None

    def start(self, use: Use) -> None:
        """Keeps what the use names."""
        if use.signature is not None:
            signatures = self._child(0, "signatures")
            self._keep_edge(0, "signatures", signatures)
            chosen = self._child(signatures, use.signature)
            self._keep_edge(signatures, use.signature, chosen)
            self._keep(chosen)
            self._signature = self._nodes[chosen].bare_concrete_function.concrete_function_name
        else:
            call = self._child(0, "__call__")
            if self._nodes[call].WhichOneof("kind") == "function":
                self._traces[call] = self._callable_traces(self._nodes[call].function)
            self._keep_edge(0, "__call__", call)
            self._keep(call)
        if use.layer:
            for reference in self._nodes[0].children:
                name, child = reference.local_name, reference.node_id
                if name in _OF_LAYER or self._nodes[child].WhichOneof("kind") in _READ_OFF:
                    self._keep_edge(0, name, child)
                    self._keep(child)

    def follow(self) -> None:
        """Keeps what the kept things need."""
        while self._waiting:
            self._follow_object(self._waiting.pop())

    def connect(self, checkpoint: Optional[Any]) -> None:
        """Keeps a way from the root to all that has a value in the checkpoint."""
        wanted = {number for number in self._whole if self._has_value(number)}
        # A list of variables that is all there costs nothing more, and keeps their order.
        self._keep_lists(wanted)
        ways = _find_ways(self._nodes, checkpoint, wanted) if checkpoint is not None else {}
        for number in sorted(wanted):
            if number not in ways:
                raise NotUnderstood("no way from the root leads to the {}".format(self._describe(number)))
            for step, child in _steps(ways, number):
                if step.parent not in self._whole:
                    self._keep_edge(step.parent, step.name, child)
        self._values = self._find_values(checkpoint, ways, wanted)

    def _find_values(
        self, checkpoint: Optional[Any], ways: Mapping[int, _Step], wanted: Set[int]
    ) -> Optional[List[Value]]:
        found = []
        for number in sorted(wanted):
            attributes = checkpoint.nodes[ways[number].place].attributes if checkpoint is not None else []
            if self._nodes[number].WhichOneof("kind") != "variable" or [a.name for a in attributes] != [_VALUE]:
                return None
            way = tuple(step.name for step, _ in _steps(ways, number))
            variable = self._nodes[number].variable
            found.append(Value(way[::-1], attributes[0].checkpoint_key, variable.dtype, _size(variable.shape)))
        return found

    def assemble(self) -> Reached:
        """The MetaGraph of what was kept."""
        numbers = {old: new for new, old in enumerate(sorted(self._whole | set(self._edges)))}
        cut = type(self._meta_graph)()
        cut.meta_info_def.CopyFrom(self._meta_graph.meta_info_def)
        saved_model.keep_function_aliases(cut.meta_info_def, self._functions)
        cut.asset_file_def.extend(self._meta_graph.asset_file_def)
        self._library.copy(self._functions, self._exposed | self._looked_into, cut.graph_def.library)
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
        return Reached(cut, count, len(self._library), self._values, self._put_off(cut.graph_def.library))

    def _put_off(self, library: Any) -> Mapping[str, Later]:
        later = {each.op_type: each for name, each in self._later.items() if name not in self._functions}
        found = deferred_gradients.put_off(library, later, self._signature) if later else {}
        if found is None:
            raise _OutOfSight
        return found

    def _copy_object(self, old: int, numbers: Mapping[int, int], copy: Any) -> None:
        node = self._nodes[old]
        if old not in self._whole and old != 0 and not self._is_signature_map(node):
            # As a list it would have gaps.
            copy.user_object.identifier = "_generic_user_object"
            copy.user_object.version.CopyFrom(node.user_object.version)
        else:
            copy.CopyFrom(node)
            del copy.slot_variables[:]
        if old in self._whole:
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
        if old in self._traces:
            copy.function.concrete_functions[:] = self._traces[old]

    # Following.

    def _keep(self, number: int) -> None:
        if not 0 <= number < len(self._nodes):
            raise NotUnderstood("there is no object {}".format(number))
        if number not in self._whole:
            self._whole.add(number)
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
            for name in self._traces.get(number, node.function.concrete_functions):
                self._keep_named(name)
        elif kind == "bare_concrete_function":
            self._keep_named(node.bare_concrete_function.concrete_function_name)
        elif kind == "captured_tensor":
            self._looked_into.add(node.captured_tensor.concrete_function)
            self._keep_function(node.captured_tensor.concrete_function)
        elif kind == "constant":
            self._constants.add(node.constant.operation)

    def _keep_named(self, name: str) -> None:
        """Keeps a function that Python calls, and what it captures."""
        if name in self._exposed:
            return
        self._exposed.add(name)
        if name in self._signatures:
            self._named.add(name)
            for number in self._signatures[name].bound_inputs:
                self._keep(number)
        self._keep_function(name)

    def _keep_function(self, name: str) -> None:
        """Keeps a function and all that it names."""
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
                later = self._find_later(gradient, name) if self._puts_off else None
                if later is None:
                    self._keep_named(gradient)
                else:
                    self._looked_into.add(name)
                    self._later[gradient] = later

    def _find_later(self, gradient: str, function: str) -> Optional[Later]:
        """The gradient of an op in a function, if it can be put off."""
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

    def _callable_traces(self, function: Any) -> List[str]:
        """The traces of a function that a call can take: of those for the same arguments TensorFlow takes the first."""
        seen: Set[bytes] = set()
        found = []
        for name in function.concrete_functions:
            key = self._arguments_of(name) if name in self._signatures else name.encode()
            if key not in seen:
                seen.add(key)
                found.append(name)
        return found

    def _arguments_of(self, name: str) -> bytes:
        """What a trace takes, whatever the names of its tensors."""
        arguments = type(self._signatures[name].canonicalized_input_signature)()
        arguments.CopyFrom(self._signatures[name].canonicalized_input_signature)
        _forget_names(arguments)
        return bytes(arguments.SerializeToString(deterministic=True))

    # The object graph.

    def _child(self, number: int, name: str) -> int:
        for reference in self._nodes[number].children:
            if reference.local_name == name:
                return int(reference.node_id)
        raise NotUnderstood("the {} has no {}".format(self._describe(number), name))

    def _has_child(self, number: int, name: str) -> bool:
        return any(reference.local_name == name for reference in self._nodes[number].children)

    def _keep_lists(self, wanted: Set[int]) -> None:
        """Keeps the root's lists of variables when all of them are wanted anyway."""
        for name in ("variables", "trainable_variables"):
            if self._has_child(0, name):
                place = self._child(0, name)
                items = [reference.node_id for reference in self._nodes[place].children]
                if items and place not in self._whole and wanted.issuperset(items) and not self._needs_more(place):
                    self._keep_edge(0, name, place)
                    self._keep(place)
                    self.follow()

    def _needs_more(self, number: int) -> bool:
        node = self._nodes[number]
        return node.WhichOneof("kind") != "user_object" or bool(
            saved_model.dependencies_of(node) or saved_model.saveables_of(node)
        )

    def _has_value(self, number: int) -> bool:
        node = self._nodes[number]
        return node.HasField("variable") or bool(saved_model.saveables_of(node))

    def _is_signature_map(self, node: Any) -> bool:
        return bool(node.user_object.identifier == "signature_map")

    def _describe(self, number: int) -> str:
        node = self._nodes[number]
        kind = node.WhichOneof("kind") or "object"
        return "{} {}".format(kind, node.variable.name or number if kind == "variable" else number)


class _Step(NamedTuple):
    """The last step of a way from the root to an object, and the place of that object in a checkpoint."""

    parent: int
    name: str
    place: int


def _steps(ways: Mapping[int, _Step], number: int) -> Iterator[Tuple[_Step, int]]:
    """The steps of a way, from the last to the first, and what each leads to."""
    while number:
        step = ways[number]
        yield step, number
        number = step.parent


def _find_ways(nodes: Any, checkpoint: Any, wanted: Set[int]) -> Dict[int, _Step]:
    """The last step of a way from the root to each wanted object, where a checkpoint has the same way.

    Ways through containers come last, for of these more has to be kept than the way.
    """
    ways: Dict[int, _Step] = {}
    seen = {0}
    plain: Deque[Tuple[int, int]] = deque([(0, 0)])
    containers: Deque[Tuple[int, int]] = deque()
    missing = wanted - seen
    while missing and (plain or containers):
        here, there = (plain or containers).popleft()
        known = {child.local_name: child.node_id for child in checkpoint.nodes[there].children}
        for reference in nodes[here].children:
            number, name = reference.node_id, reference.local_name
            if number in seen or name not in known:
                continue
            seen.add(number)
            missing.discard(number)
            ways[number] = _Step(here, name, known[name])
            node = nodes[number]
            is_container = "wrapper" in node.user_object.identifier
            (containers if is_container else plain).append((number, known[name]))
    return ways


def _size(shape: Any) -> int:
    """How many elements a shape has; 0 where that is not known."""
    sizes = [dimension.size for dimension in shape.dim]
    return 0 if shape.unknown_rank or -1 in sizes else functools.reduce(operator.mul, sizes, 1)


def _follow_tensor(tensor: Any, inlined: Mapping[str, wrapper_inlining.Inlined]) -> None:
    """Names a tensor inside of a function by where the function's body is now."""
    moved = inlined.get(tensor.concrete_function)
    if moved is None:
        return
    name, _, index = tensor.name.partition(":")
    if name in moved.inputs:
        source = moved.inputs[name]
        if ":" in source:
            raise NotUnderstood("a tensor that a gradient needs is made beside the call of its function")
        tensor.name = "{}:{}".format(source, index)
    else:
        tensor.name = moved.prefix + tensor.name
    tensor.concrete_function = moved.wrapper


def _forget_names(value: Any) -> None:
    """Takes the names out of the specs in a structure."""
    kind = value.WhichOneof("kind")
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        getattr(value, kind).ClearField("name")
    for part in _parts(value, kind):
        _forget_names(part)


def _parts(value: Any, kind: Optional[str]) -> Iterator[Any]:
    if kind in ("list_value", "tuple_value"):
        yield from getattr(value, kind).values
    elif kind == "dict_value":
        yield from value.dict_value.fields.values()
    elif kind == "named_tuple_value":
        yield from (pair.value for pair in value.named_tuple_value.values)
    elif kind == "type_spec_value":
        yield value.type_spec_value.type_state
