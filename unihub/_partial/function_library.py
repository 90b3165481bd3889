"""The functions of a MetaGraph: which functions each refers to, and which are duplicates.

Keras writes a function for each layer and for each way to call the model, so a library has many duplicates under
different names. TensorFlow rebuilds each in Python; one is enough, as long as it holds no state.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, Iterable, List, Mapping, Set, Tuple

from unihub._saved_model.call_ops import CALLS, CONTROL_FLOW
from unihub._tf import saved_model
from unihub._tf.ops import is_stateful_op
from unihub._tf.types import AttrValue, FunctionDef, FunctionDefLibrary, Message, NodeDef

# Attributes of a function that name others which belong to it: gradients, and variants for other devices.
_TWINS = ("forward_function_name", "backward_function_name")
_INTERFACE = "api_implements"

_GRADIENT = "_gradient_op_type"

# Stateful to TensorFlow because they take variables; they hold no state of their own.
_STATE_IS_GIVEN = frozenset(
    ["AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp", "ReadVariableOp", "ResourceGather"]
    + ["ResourceGatherNd", "StatefulPartitionedCall", "VariableShape"]
)


class FunctionLibrary:
    """The functions of a MetaGraph, by their names."""

    def __init__(self, library: FunctionDefLibrary) -> None:
        self._library = library
        self._functions = {function.signature.name: function for function in library.function}
        self._gradients = {
            gradient.registered_op_type.encode(): gradient for gradient in saved_model.registered_gradients(library)
        }
        self._op_types: Dict[str, List[bytes]] = {}
        for op_type, gradient in self._gradients.items():
            self._op_types.setdefault(gradient.gradient_func, []).append(op_type)
        self._symbolic = {gradient.function_name: gradient.gradient_func for gradient in library.gradient}
        self._gradients_in: Dict[str, List[str]] = {}
        self._named_by: Dict[str, Set[str]] = {}
        self._named_in_texts: Set[str] = set()
        self._in_control_flow: Set[str] = set()
        self._twins: Dict[bytes, List[str]] = {}
        for name, function in self._functions.items():
            if _INTERFACE in function.attr:
                self._twins.setdefault(function.attr[_INTERFACE].s, []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def __len__(self) -> int:
        return len(self._functions)

    def function(self, name: str) -> FunctionDef:
        """The ``FunctionDef`` of a function."""
        return self._functions[name]

    def op_types_of(self, gradient: str) -> List[bytes]:
        """The names by which ops refer to a function as their gradient."""
        return self._op_types[gradient]

    def named_in(self, name: str) -> Set[str]:
        """The functions that a function calls, or names in its attributes or in those of its ops."""
        function = self._functions[name]
        callees: Set[str] = set()
        gradients: Set[str] = set()
        self._read_nodes(function.node_def, callees, gradients)
        for key in _TWINS:
            if key in function.attr and function.attr[key].s.decode() in self._functions:
                callees.add(function.attr[key].s.decode())
        if _INTERFACE in function.attr:
            callees.update(self._twins[function.attr[_INTERFACE].s])
        if name in self._symbolic:
            callees.add(self._symbolic[name])
        self._gradients_in[name] = sorted(gradients)
        self._named_by[name] = callees
        return callees

    def gradients_of(self, name: str) -> List[str]:
        """The registered gradients of ops in a function, after ``named_in`` has read it."""
        return self._gradients_in[name]

    def _is_rewritten(self, name: str) -> bool:
        """Whether TensorFlow may replace a function: a loop's body, a branch, a variant for a device.

        It is known after ``named_in`` has read the callers of the function.
        """
        function = self._functions[name]
        return name in self._in_control_flow or any(key in function.attr for key in _TWINS + (_INTERFACE,))

    def closure(self, nodes: Iterable[NodeDef]) -> Set[str]:
        """The functions that nodes of a graph refer to, directly or through others."""
        reached: Set[str] = set()
        waiting: Set[str] = set()
        self._read_nodes(nodes, waiting, waiting)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting |= self.named_in(name) | set(self.gradients_of(name))
        return reached

    def _read_nodes(self, nodes: Iterable[NodeDef], callees: Set[str], gradients: Set[str]) -> None:
        for node in nodes:
            if node.op in self._functions:
                callees.add(node.op)
            named: Set[str] = set()
            for attribute in node.attr.values():
                kind = attribute.WhichOneof("value")
                if kind in ("func", "list", "s"):
                    self._read_attribute(kind, attribute, named, gradients)
            # These need functions of their own. Up to TensorFlow 2.10 at least, the gradient of a loop rewrites the
            # loop's body under the name of the body: two loops with one body would give two functions of one name.
            if node.op in CONTROL_FLOW:
                self._in_control_flow |= named
            callees |= named

    def _read_attribute(self, kind: str, value: AttrValue, callees: Set[str], gradients: Set[str]) -> None:
        if kind == "s":
            if value.s in self._gradients:
                gradients.add(self._gradients[value.s].gradient_func)
            elif len(value.s) < 1024 and value.s.decode("utf-8", "replace") in self._functions:
                callees.add(value.s.decode())
                self._named_in_texts.add(value.s.decode())
            return
        for called in [value.func] if kind == "func" else value.list.func:
            callees.add(called.name)
            for inner in called.attr.values():
                inner_kind = inner.WhichOneof("value")
                if inner_kind in ("func", "list", "s"):
                    self._read_attribute(inner_kind, inner, callees, gradients)

    def copy(self, names: Set[str], exposed: Set[str], copy: FunctionDefLibrary) -> int:
        """Copy functions with their gradients into another library, in the order of this one, without duplicates.

        Args:
            names: The functions.
            exposed: The functions that must keep their names.
            copy: An empty ``FunctionDefLibrary``.

        Returns:
            The number of functions in the copy.
        """
        duplicate_of = self._find_duplicates(names, exposed)
        for name, function in self._functions.items():
            if name in names and duplicate_of[name] == name:
                added = copy.function.add()
                added.CopyFrom(function)
                self._call_others(added, name, duplicate_of)
        copy.gradient.extend(g for g in self._library.gradient if g.function_name in names)
        if self._gradients:
            kept = [g for g in self._library.registered_gradients if g.gradient_func in names]
            copy.registered_gradients.extend(kept)
        return len(copy.function)

    def _find_duplicates(self, names: Set[str], exposed: Set[str]) -> Dict[str, str]:
        """For each function its first duplicate, which may be itself."""
        duplicate_of: Dict[str, str] = {}
        first: Dict[bytes, str] = {}
        sizes = Counter(self._size(name) for name in names - exposed)
        for name in self._callees_first(names):
            duplicate_of[name] = name
            if name not in exposed and sizes[self._size(name)] > 1 and not self._must_stay(name):
                duplicate_of[name] = first.setdefault(self._contents(name, duplicate_of), name)
        return duplicate_of

    def _size(self, name: str) -> Tuple[int, int, int]:
        """Numbers that duplicates have in common and that are fast to read."""
        function = self._functions[name]
        return len(function.node_def), len(function.signature.input_arg), len(function.signature.output_arg)

    def _callees_first(self, names: Set[str]) -> List[str]:
        done: Dict[str, None] = {}
        waiting = sorted(names, reverse=True)
        entered: Set[str] = set()
        while waiting:
            name = waiting[-1]
            callees = [] if name in entered else sorted(self._named_by[name] - set(done) - entered)
            entered.add(name)
            if callees:
                waiting += callees
            else:
                done[waiting.pop()] = None
        return list(done)

    def _must_stay(self, name: str) -> bool:
        """Whether a function cannot be replaced by a duplicate: it holds state, or is referred to by name."""
        function = self._functions[name]
        if name in self._named_in_texts or self._is_rewritten(name):
            return True
        if name in self._symbolic or name in self._symbolic.values():
            return True
        ops = {node.op for node in function.node_def} - _STATE_IS_GIVEN - set(self._functions)
        return any(is_stateful_op(op) for op in ops)

    def _call_others(self, copy: FunctionDef, name: str, duplicate_of: Mapping[str, str]) -> None:
        """Make the copy of a function call the duplicates that its callees were replaced by."""
        if any(duplicate_of.get(called, called) != called for called in self._named_by[name]):
            for node in copy.node_def:
                _rename_calls(node, duplicate_of)

    def _contents(self, name: str, duplicate_of: Mapping[str, str]) -> bytes:
        """The contents of a function, without its name and debug information."""
        contents = type(self._functions[name])()
        contents.CopyFrom(self._functions[name])
        contents.signature.name = ""
        self._call_others(contents, name, duplicate_of)
        for node in contents.node_def:
            node.ClearField("experimental_debug_info")
            if node.op in CALLS and _GRADIENT in node.attr:
                del node.attr[_GRADIENT]
        return bytes(contents.SerializeToString(deterministic=True))


def _rename_calls(node: NodeDef, names: Mapping[str, str]) -> None:
    """Make a node call other functions."""
    node.op = names.get(node.op, node.op)
    for value in node.attr.values():
        kind = value.WhichOneof("value")
        called: Iterable[Message] = [value.func] if kind == "func" else value.list.func if kind == "list" else ()
        for function in called:
            function.name = names.get(function.name, function.name)
            _rename_attributes(function, names)


def _rename_attributes(function: Message, names: Mapping[str, str]) -> None:
    for value in function.attr.values():
        if value.WhichOneof("value") == "func":
            value.func.name = names.get(value.func.name, value.func.name)
            _rename_attributes(value.func, names)
