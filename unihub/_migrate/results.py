"""What a program does with that which ``hub.load`` returns, and so what ``unihub.load`` has to be asked for.

``hub.load`` does not ask whether the model will be trained, and gives an object of TensorFlow's; ``unihub.load`` asks,
and gives one that is called with one nest of inputs. So each use of the result is looked at, as far as it can be
followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, List, Optional, Tuple, Union

import libcst as cst

from unihub._migrate import reasons
from unihub._migrate.call_arguments import append, argument, call_of, is_starred, last_name, positional, train_tag
from unihub._migrate.edit import Edit
from unihub._migrate.graph_collections import LEFT_ALONE, reads_collections
from unihub._migrate.program import Program
from unihub._migrate.references import Reference, dotted

_TRAINED = frozenset({"trainable_variables", "trainable_weights", "regularization_losses"})
# What wants an object of TensorFlow's.
_SAVING = frozenset({"save", "Checkpoint", "save_weights", "KerasLayer"})


@dataclass
class _Uses:
    """What is done with a result.

    Attributes:
        is_trained: Whether its weights are.
        is_lost: Whether it goes where it is not followed.
        is_unclear: Whether something is done that has to be known, with what may be another thing by the same name.
        is_tracked: Whether it is an attribute of what may be saved.
        native: The expressions in whose places TensorFlow's own object is needed.
    """

    is_trained: bool = False
    is_lost: bool = False
    is_unclear: bool = False
    is_tracked: bool = False
    native: List[cst.CSTNode] = field(default_factory=list)


def replace_load(program: Program, reference: Reference, name: str) -> Union[List[Edit], str]:
    """The edits that make a use of ``hub.load`` one of ``unihub.load``, or why there are none.

    Args:
        program: The program.
        reference: The use.
        name: What ``unihub`` is called there.

    Returns:
        The edits or the reason.
    """
    edits = [Edit(program.start(reference.node), program.end(reference.node), name + ".load")]
    call = call_of(program, reference.node)
    if call is None:
        partial = _partial_of(program, reference.node)
        return edits + [append(program, partial, 'api="load"')] if partial is not None else reasons.NOT_CALLED
    refused = _refuse_arguments(program, call)
    if refused:
        return refused
    uses = _Uses()
    _follow(program, call, uses)
    if uses.is_unclear:
        return reasons.UNCLEAR
    if uses.is_lost and not uses.is_trained and _trains(program):
        return reasons.TRAINED_ELSEWHERE
    if uses.is_tracked and any(last_name(saving) in _SAVING for saving in program.all(cst.Call)):
        return reasons.TRACKED
    for arg, keyword in zip(positional(call)[1:], ("tags", "options")):
        start = program.start(arg)
        edits.append(Edit(start, start, keyword + "="))
    options = ['api="load"']
    if uses.is_trained:
        options = ["trainable=True", *options] + [LEFT_ALONE] * reads_collections(program)
    edits.append(append(program, call, ", ".join(options)))
    ends = {program.end(node) for node in uses.native}
    # Behind the call itself, its own edits come first.
    return edits + [Edit(end, end, ".native") for end in sorted(ends)]


def _partial_of(program: Program, node: cst.CSTNode) -> Optional[cst.Call]:
    """The ``functools.partial`` that binds arguments of a function by their names."""
    arg = program.parent(node)
    call = program.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(call, cst.Call) or dotted(call.func) not in ("functools.partial", "partial"):
        return None
    is_first = call.args[0] is arg and len(positional(call)) <= 2 and not any(arg.star for arg in call.args)
    return call if is_first and argument(call, "tags") is None else None


def _refuse_arguments(program: Program, call: cst.Call) -> Optional[str]:
    if is_starred(call):
        return reasons.STARRED
    if not call.args:
        return reasons.NO_HANDLE
    if any(isinstance(node, cst.FormattedString) for node in program.around(call)):
        return reasons.IN_FORMAT_STRING
    return train_tag(program, call, argument(call, "tags", 1), None)


def _follow(program: Program, node: cst.CSTNode, uses: _Uses) -> None:
    """Notes what is done with the value of an expression."""
    outer = program.parent(node)
    if isinstance(outer, cst.Call):
        _note_call(outer, node, uses)
    elif isinstance(outer, cst.Attribute):
        uses.is_trained |= outer.attr.value in _TRAINED
        # A model of unihub passes on what is public.
        if outer.attr.value.startswith("_"):
            uses.native.append(node)
    elif isinstance(outer, cst.Arg) and _takes_native(program, outer):
        uses.native.append(node)
    elif isinstance(outer, (cst.Assign, cst.AnnAssign)):
        targets = [target.target for target in outer.targets] if isinstance(outer, cst.Assign) else [outer.target]
        for target in targets:
            _follow_target(program, target, uses)
    elif not isinstance(outer, (cst.Expr, cst.Del, cst.Comparison)):
        uses.is_lost = True


def _follow_target(program: Program, target: cst.CSTNode, uses: _Uses) -> None:
    if isinstance(target, cst.Name):
        nodes = _uses_of_name(program, target)
    elif isinstance(target, cst.Attribute):
        uses.is_tracked = True
        nodes = _uses_of_attribute(program, target)
    else:
        uses.is_lost = True
        return
    for node, is_certain in nodes:
        if is_certain:
            _follow(program, node, uses)
            continue
        other = _Uses()
        _follow(program, node, other)
        uses.is_lost |= other.is_lost
        uses.is_unclear |= other.is_unclear or other.is_trained or bool(other.native)


def _uses_of_name(program: Program, target: cst.Name) -> Iterator[Tuple[cst.CSTNode, bool]]:
    """Where a name is used that an assignment binds, and whether it can mean nothing else there."""
    for assignment in program.scope(target)[target.value]:
        if getattr(assignment, "node", None) is target:
            for access in assignment.references:
                yield access.node, len(access.referents) == 1


def _uses_of_attribute(program: Program, target: cst.Attribute) -> Iterator[Tuple[cst.CSTNode, bool]]:
    """Where an attribute of that name is used, and whether it is of the same object and bound nowhere else."""
    same = [node for node in program.all(cst.Attribute) if node.attr.value == target.attr.value and node is not target]
    name, owner = dotted(target), _class_around(program, target)
    bound = {id(node) for node in same if isinstance(program.parent(node), (cst.AssignTarget, cst.AnnAssign))}
    for node in same:
        if id(node) not in bound:
            is_same = dotted(node) == name and _class_around(program, node) is owner
            yield node, is_same and not bound


def _class_around(program: Program, node: cst.CSTNode) -> Optional[cst.CSTNode]:
    return next((outer for outer in program.around(node) if isinstance(outer, cst.ClassDef)), None)


def _note_call(call: cst.Call, function: cst.CSTNode, uses: _Uses) -> None:
    """How a model is called: whether it is trained, and whether with arguments that a model of unihub takes."""
    inputs = positional(call)
    training = argument(call, "training")
    if training is None and len(inputs) == 2 and _may_be_training(inputs[1].value):
        training = inputs.pop()
    if training is not None:
        uses.is_trained |= dotted(training.value) not in ("False", "None")
    named = [arg for arg in call.args if arg.keyword is not None and arg is not training]
    if len(inputs) > 1 or any(arg.star for arg in call.args) or (named and not inputs):
        uses.native.append(function)


def _may_be_training(value: cst.CSTNode) -> bool:
    name = dotted(value)
    return name in ("True", "False") or "train" in name.lower()


def _takes_native(program: Program, arg: cst.Arg) -> bool:
    call = program.parent(arg)
    return isinstance(call, cst.Call) and last_name(call) in _SAVING


def _trains(program: Program) -> bool:
    """Whether the program trains something."""
    if any(node.attr.value in _TRAINED for node in program.all(cst.Attribute)):
        return True
    calls = (argument(call, "training") for call in program.all(cst.Call))
    return any(arg is not None and dotted(arg.value) == "True" for arg in calls)
