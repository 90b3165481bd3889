"""The Python objects that TensorFlow 2 keeps in a SavedModel; the first is the one that loading returns."""

from __future__ import annotations

import itertools
from typing import Dict, FrozenSet, Iterator, List, Optional, Set, Tuple

from unihub._saved_model import schema
from unihub._saved_model.checkpoint_index import read_shape
from unihub._saved_model.model_info import Call, Variable
from unihub._saved_model.wire import Message


class ObjectGraph:
    """The Python objects of a model; the first is the root."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._root = self._node(0)
        # In the order of the children; there may be thousands, and only one is needed.
        self._names = list(self._root.texts_within("children", "local_name")) if self._root is not None else []

    def attributes(self) -> FrozenSet[str]:
        return frozenset(self._names)

    def call(self) -> Optional[Call]:
        if "__call__" not in self._names:
            return None
        index = self._names.index("__call__")
        child = next(itertools.islice(self._children(self._root), index, None))
        node = self._node(child.number("node_id") or -1)
        return _read_call(node) if node is not None else None

    def variables(self) -> Tuple[Variable, ...]:
        nodes = list(self._message.messages("nodes"))
        slots: Set[int] = set()
        variables: Dict[int, Message] = {}
        for number, node in enumerate(nodes):
            for field, part in node.walk("slot_variables", "variable"):
                if field == "variable":
                    variables[number] = part
                else:
                    slots.add(part.number("slot_variable_node_id"))
        is_plain = not slots and all(variable.has("name") for variable in variables.values())
        paths = {} if is_plain else self._paths(nodes)
        return tuple(
            _read_saved_variable(variable, paths.get(number, ""))
            for number, variable in variables.items()
            if number in paths or number not in slots
        )

    def type_specs(self, kind: Optional[int] = None) -> FrozenSet[str]:
        """The classes of the composite types, or those of one kind."""
        classes: Set[str] = set()
        for function in self._message.messages("concrete_functions"):
            if not function.may_mention("StructuredValue", "type_spec_value"):
                continue
            function = function.message("value")
            classes |= _type_specs_in(function.message("canonicalized_input_signature"), kind)
            classes |= _type_specs_in(function.message("output_signature"), kind)
        return frozenset(classes)

    def _node(self, number: int) -> Optional[Message]:
        # Those before it are only counted, and those behind it not even that.
        return next(itertools.islice(self._message.messages("nodes"), number, None), None) if number >= 0 else None

    def _children(self, node: Optional[Message]) -> Iterator[Message]:
        return node.messages("children") if node is not None else iter(())

    def _paths(self, nodes: List[Message]) -> Dict[int, str]:
        """The path of attributes from the root to each object that has one; slots of an optimizer have none."""
        paths = {0: ""}
        queue = [0]
        for number in queue:
            for child in self._children(nodes[number] if number < len(nodes) else None):
                child_number = child.number("node_id")
                if child_number not in paths and 0 <= child_number < len(nodes):
                    paths[child_number] = "{}/{}".format(paths[number], child.text("local_name")).lstrip("/")
                    queue.append(child_number)
        return paths


def _read_saved_variable(message: Message, path: str) -> Variable:
    return Variable(
        # Before TensorFlow 2.1 variables were saved without their names.
        message.text("name") or path,
        schema.dtype_name(message.number("dtype")),
        read_shape(message.message("shape")),
        bool(message.number("trainable")),
    )


def _read_call(node: Message) -> Optional[Call]:
    if node.has("bare_concrete_function"):
        return Call(tuple(node.message("bare_concrete_function").texts("argument_keywords")), traces=1)
    if not node.has("function"):
        return None
    function = node.message("function")
    specification = function.message("function_spec")
    fields = specification.message("fullargspec").message("named_tuple_value").entries("values")
    arguments = _texts_in(fields.get("args"))
    # Some exporters drop ``self`` and clear ``is_method``, others keep both.
    if arguments[:1] == ["self"] or specification.number("is_method"):
        arguments = arguments[1:]
    return Call(tuple(arguments + _texts_in(fields.get("kwonlyargs"))), function.count("concrete_functions"))


def _texts_in(value: Optional[Message]) -> List[str]:
    """The strings of a list or a tuple."""
    lists = [value.message(field) for field in ("list_value", "tuple_value")] if value is not None else []
    return [item.text("string_value") for part in lists for item in part.messages("values")]


def _type_specs_in(value: Message, kind: Optional[int]) -> Set[str]:
    """The classes of the types anywhere within a structured value."""
    classes: Set[str] = set()
    open_values = [value]
    for message in open_values:
        for field, part in message.walk():
            if field == "type_spec_value" and kind in (None, part.number("type_spec_class")):
                classes.add(type_spec_class(part))
            if field != "tensor_shape_value":
                open_values.append(part)
    return classes


def type_spec_class(message: Message) -> str:
    """The name of the class that a ``TypeSpecProto`` describes."""
    # Before TensorFlow 2.3 the number alone told it.
    return message.text("type_spec_class_name") or schema.TYPE_SPECS.get(message.number("type_spec_class"), "unknown")
