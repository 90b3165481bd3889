"""Functions that do nothing but call another one, with the other's body in the place of the call.

Keras and ``tf.saved_model.save`` put such functions around the one that computes, and TensorFlow rebuilds both, with a
placeholder for every variable in each. Only what is certain is done: one call, of a function that nobody else names.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set

from unihub._saved_model.call_ops import CALLS
from unihub._tf import saved_model

_BESIDE = CALLS + ("Identity", "NoOp")
_RESOURCE = 20  # DT_RESOURCE
_CLASS = "_class"
# Attributes of a function that say nothing about how it runs.
_HARMLESS = frozenset(["_construction_context", "_input_shapes"])


class Inlined(NamedTuple):
    """What became of a function: which one has its body, below which name, and the names of its inputs there."""

    wrapper: str
    prefix: str
    inputs: Dict[str, str]


def inline(library: Any, exposed: Set[str]) -> Dict[str, Inlined]:
    """Puts the bodies of wrapped functions into the functions around them.

    Args:
        library: A ``FunctionDefLibrary``, which is changed.
        exposed: The functions that are known by name, and so must stay.

    Returns:
        What became of each function that is not there any more.
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
    for place in reversed(range(len(library.function))):
        if library.function[place].signature.name in done:
            del library.function[place]
    return done


def _is_named_once(function: Any, contents: bytes) -> bool:
    """Whether the name of a function stands once in a library, beside where the function itself has it.

    A text stands behind its length. By chance there may seem to be more.
    """
    tag_and_name = type(function.signature)(name=function.signature.name).SerializeToString()
    return contents.count(tag_and_name[1:]) == 2


def _only_call(function: Any) -> Optional[Any]:
    """The one call in a function that does nothing else."""
    if any(node.op not in _BESIDE for node in function.node_def):
        return None
    calls = [node for node in function.node_def if node.op in CALLS]
    return calls[0] if len(calls) == 1 else None


def _may_move(wrapper: Any, body: Any, call: Any, exposed: Set[str], contents: bytes) -> bool:
    name = body.signature.name
    # Where the shapes of variables are not known in the wrapper, other kernels may be chosen, with other rounding.
    if not all(
        argument.type != _RESOURCE or saved_model.has_handle_data(argument) for argument in wrapper.signature.input_arg
    ):
        return False
    if name in exposed or not _is_named_once(body, contents) or set(body.attr) - _HARMLESS:
        return False
    if call.device or call.attr["executor_type"].s or call.attr["f"].func.attr:
        return False
    return len(call.input) == len(body.signature.input_arg) and not any(each.startswith("^") for each in call.input)


def _inline(wrapper: Any, call: Any, body: Any) -> Inlined:
    prefix = call.name + "/"
    inputs: Dict[str, str] = {argument.name: source for argument, source in zip(body.signature.input_arg, call.input)}

    def inside(source: str) -> str:
        """What a node of the body takes, by its name in the wrapper."""
        control, name = ("^", source[1:]) if source.startswith("^") else ("", source)
        base = str(name.split(":")[0])
        if base not in inputs:
            return str(control + prefix + name)
        return control + (inputs[base].split(":")[0] if control else inputs[base])

    results: List[str] = [inside(body.ret[argument.name]) for argument in body.signature.output_arg]

    def outside(source: str) -> str:
        """What a node of the wrapper took from the call."""
        parts = source.split(":")
        return results[int(parts[2]) if len(parts) > 2 else 0] if parts[0] == call.name else source

    done = [inside("^" + name) for name in sorted(body.control_ret.values())]
    done += ["^" + name.split(":")[0] for name in results if name.startswith(prefix)]
    kept = [node for node in wrapper.node_def if node.name != call.name]
    for node in kept:
        node.input[:] = [source if source.startswith("^") else outside(source) for source in node.input]
    for name, source in list(wrapper.ret.items()):
        wrapper.ret[name] = outside(source)
    # Whoever waited for the call waits for all that it did.
    finished = type(call)(name=call.name, op="NoOp", input=list(dict.fromkeys(done)))
    beside = [_copy(node) for node in kept]
    del wrapper.node_def[:]
    for node in body.node_def:
        _move(node, wrapper.node_def.add(), prefix, inside)
    wrapper.node_def.extend(beside + [finished])
    return Inlined(wrapper.signature.name, prefix, inputs)


def _copy(node: Any) -> Any:
    return type(node).FromString(node.SerializeToString())


def _move(node: Any, copy: Any, prefix: str, inside: Callable[[str], str]) -> None:
    """Makes a copy of a node of the body that is one of the wrapper."""
    copy.CopyFrom(node)
    copy.name = prefix + node.name
    copy.input[:] = map(inside, node.input)
    if _CLASS in copy.attr:
        places = copy.attr[_CLASS].list.s
        places[:] = [_moved_place(place, inside) for place in places]


def _moved_place(place: bytes, inside: Callable[[str], str]) -> bytes:
    """The same for the node that another is beside: ``loc:@`` and its name, which may be that of an input."""
    kind, mark, name = place.decode().partition("@")
    return "{}{}{}".format(kind, mark, inside("^" + name)[1:]).encode() if mark else place
