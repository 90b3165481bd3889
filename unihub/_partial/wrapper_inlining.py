"""Inline functions into wrappers that do nothing but call them.

Keras and ``tf.saved_model.save`` wrap the function that computes, and TensorFlow rebuilds both, with a placeholder for
every variable in each. Only one case is inlined: the wrapper has one call, and nothing else refers to the function.
"""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, Set

from unihub._saved_model.call_ops import CALLS
from unihub._tf import saved_model
from unihub._tf.types import FunctionDef, FunctionDefLibrary, NodeDef

_BESIDE = CALLS + ("Identity", "NoOp")
_RESOURCE = 20  # DT_RESOURCE
_CLASS = "_class"
# Attributes of a function that do not change how it runs.
_HARMLESS = frozenset(["_construction_context", "_input_shapes"])


class Inlined(NamedTuple):
    """Where the body of a function is now.

    Attributes:
        wrapper: The name of the function that has it.
        prefix: The prefix of its nodes there.
        inputs: The sources of its inputs there, by the names of the inputs.
    """

    wrapper: str
    prefix: str
    inputs: Dict[str, str]


def inline(library: FunctionDefLibrary, exposed: Set[str]) -> Dict[str, Inlined]:
    """Inline wrapped functions into their wrappers.

    Args:
        library: A ``FunctionDefLibrary``, which is changed.
        exposed: The functions that are referred to by name, and so must stay.

    Returns:
        For each function that was removed, where its body is now.
    """
    functions = {function.signature.name: function for function in library.function}
    contents = library.SerializeToString()
    done: Dict[str, Inlined] = {}
    for name in sorted(exposed & set(functions)):
        wrapper = functions[name]
        call = _only_call(wrapper)
        if call is None:
            continue
        body = functions.get(call.attr["f"].func.name)
        if body is None or not _may_move(wrapper, body, call, exposed, contents):
            continue
        done[body.signature.name] = _inline(wrapper, call, body)
    for index in reversed(range(len(library.function))):
        if library.function[index].signature.name in done:
            del library.function[index]
    return done


def _is_named_once(function: FunctionDef, contents: bytes) -> bool:
    """Whether a serialized library refers to a function once, besides the function's own name.

    The search is for the length and the name. Other bytes may look like it, which only keeps the function.
    """
    tag_and_name = type(function.signature)(name=function.signature.name).SerializeToString()
    return contents.count(tag_and_name[1:]) == 2


def _only_call(function: FunctionDef) -> Optional[NodeDef]:
    """The call in a function that does nothing else."""
    if any(node.op not in _BESIDE for node in function.node_def):
        return None
    calls = [node for node in function.node_def if node.op in CALLS]
    return calls[0] if len(calls) == 1 else None


def _may_move(wrapper: FunctionDef, body: FunctionDef, call: NodeDef, exposed: Set[str], contents: bytes) -> bool:
    name = body.signature.name
    # If the wrapper does not know the shapes of variables, TensorFlow may choose kernels that round differently.
    if not all(
        argument.type != _RESOURCE or saved_model.has_handle_data(argument) for argument in wrapper.signature.input_arg
    ):
        return False
    if name in exposed or not _is_named_once(body, contents) or set(body.attr) - _HARMLESS:
        return False
    if call.device or call.attr["executor_type"].s or call.attr["f"].func.attr:
        return False
    return len(call.input) == len(body.signature.input_arg) and not any(each.startswith("^") for each in call.input)


def _inline(wrapper: FunctionDef, call: NodeDef, body: FunctionDef) -> Inlined:
    prefix = call.name + "/"
    inputs: Dict[str, str] = {argument.name: source for argument, source in zip(body.signature.input_arg, call.input)}

    def inside(source: str) -> str:
        """The name in the wrapper of an input of a node in the body."""
        control, name = ("^", source[1:]) if source.startswith("^") else ("", source)
        base = str(name.split(":")[0])
        if base not in inputs:
            return str(control + prefix + name)
        return control + (inputs[base].split(":")[0] if control else inputs[base])

    results: List[str] = [inside(body.ret[argument.name]) for argument in body.signature.output_arg]

    def outside(source: str) -> str:
        """The new name of an input that a node of the wrapper takes from the call."""
        parts = source.split(":")
        return results[int(parts[2]) if len(parts) > 2 else 0] if parts[0] == call.name else source

    done = [inside("^" + name) for name in sorted(body.control_ret.values())]
    done += ["^" + name.split(":")[0] for name in results if name.startswith(prefix)]
    kept = [node for node in wrapper.node_def if node.name != call.name]
    for node in kept:
        node.input[:] = [source if source.startswith("^") else outside(source) for source in node.input]
    for name, source in list(wrapper.ret.items()):
        wrapper.ret[name] = outside(source)
    # A control dependency on the call becomes one on all that it ran.
    finished = type(call)(name=call.name, op="NoOp", input=list(dict.fromkeys(done)))
    beside = [_copy(node) for node in kept]
    del wrapper.node_def[:]
    for node in body.node_def:
        _move(node, wrapper.node_def.add(), prefix, inside)
    wrapper.node_def.extend(beside + [finished])
    return Inlined(wrapper.signature.name, prefix, inputs)


def _copy(node: NodeDef) -> NodeDef:
    return type(node).FromString(node.SerializeToString())


def _move(node: NodeDef, copy: NodeDef, prefix: str, inside: Callable[[str], str]) -> None:
    """Copy a node of the body into the wrapper."""
    copy.CopyFrom(node)
    copy.name = prefix + node.name
    copy.input[:] = map(inside, node.input)
    if _CLASS in copy.attr:
        colocations = copy.attr[_CLASS].list.s
        colocations[:] = [_moved_colocation(each, inside) for each in colocations]


def _moved_colocation(colocation: bytes, inside: Callable[[str], str]) -> bytes:
    """The new name of a colocation: ``loc:@`` and the name of a node, or of an input."""
    kind, mark, name = colocation.decode().partition("@")
    return "{}{}{}".format(kind, mark, inside("^" + name)[1:]).encode() if mark else colocation
