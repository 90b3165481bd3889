"""Module specs: ``hub.load_module_spec``, and ``hub.create_module_spec`` with what is called in a module function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, List, Optional, Sequence, Set, Union

import libcst as cst

from unihub._migrate import reasons
from unihub._migrate.call_arguments import argument, call_of, is_starred, positional
from unihub._migrate.edit import Edit
from unihub._migrate.program import Program
from unihub._migrate.references import Reference, dotted

if TYPE_CHECKING:
    from libcst.metadata import BaseAssignment

Outcome = Union[List[Edit], str]


def replace_load_spec(program: Program, reference: Reference, name: str, modules: Sequence[Reference]) -> Outcome:
    """The edits for ``hub.load_module_spec``: its path will do, where only ``hub.Module`` gets the spec.

    Args:
        program: The program.
        reference: The use.
        name: What ``unihub`` is called there.
        modules: The uses of ``hub.Module`` that are replaced.

    Returns:
        The edits or the reason why there are none.
    """
    call = call_of(program, reference.node)
    if call is None or len(call.args) != 1 or len(positional(call)) != 1:
        return reasons.SPEC_IS_ASKED
    takers = {id(call_of(program, module.node)) for module in modules}
    if not all(_is_spec_of(program, use, takers) for use in _uses(program, call)):
        return reasons.SPEC_IS_ASKED
    return [Edit(program.start(reference.node), program.end(reference.node), name + ".resolve")]


def _uses(program: Program, call: cst.Call) -> Iterable[cst.CSTNode]:
    """Where the value of a call is used: there, or where the name is that it is given at once and only then."""
    assignment = _assignment_of(program, call)
    return [call] if assignment is None else [access.node for access in assignment.references]


def _assignment_of(program: Program, call: cst.Call) -> Optional[BaseAssignment]:
    """The assignment, as scopes know it, of a call's value to a name of its own."""
    outer = program.parent(call)
    if not isinstance(outer, cst.Assign) or len(outer.targets) != 1:
        return None
    target = outer.targets[0].target
    if not isinstance(target, cst.Name):
        return None
    assignments = list(program.scope(target)[target.value])
    return assignments[0] if len(assignments) == 1 else None


def _is_spec_of(program: Program, node: cst.CSTNode, takers: Set[int]) -> bool:
    arg = program.parent(node)
    call = program.parent(arg) if isinstance(arg, cst.Arg) else None
    return isinstance(call, cst.Call) and id(call) in takers and argument(call, "spec", 0) is arg


def replace_create(program: Program, reference: Reference, name: str) -> Outcome:
    """The edits that make ``hub.create_module_spec(...)`` and the export of the spec one ``unihub.save``.

    Args:
        program: The program.
        reference: The use of ``hub.create_module_spec``.
        name: What ``unihub`` is called there.

    Returns:
        The edits or the reason why there are none.
    """
    call = call_of(program, reference.node)
    if call is None or not _is_understood(program, call, ("module_fn", "tags_and_args"), 2):
        return reasons.CREATE
    function = argument(call, "module_fn", 0)
    if function is None or not _is_defined_here(program, function.value):
        return reasons.CREATE
    assignment = _assignment_of(program, call)
    uses = [call] if assignment is None else [access.node for access in assignment.references]
    export = _export_of(program, uses)
    if export is None:
        return reasons.CREATE
    saving = _saving(program, call, export, name)
    if assignment is None:
        return [Edit(program.start(export), program.end(export), saving)]
    line = _line_of(program, call)
    if line is None or not _is_constant(program, call) or program.scope(call) is not program.scope(export):
        return reasons.CREATE
    start = program.line_start(program.start(line))
    return [
        Edit(start, program.next_line(program.end(line)), ""),
        Edit(program.start(export), program.end(export), saving),
    ]


def _is_understood(program: Program, call: cst.Call, names: Sequence[str], most: int) -> bool:
    """Whether a call has only these arguments."""
    keywords = [arg.keyword.value for arg in call.args if arg.keyword is not None]
    is_plain = not is_starred(call) and not any(arg.star for arg in call.args)
    return is_plain and len(positional(call)) <= most and set(keywords) <= set(names)


def _is_defined_here(program: Program, node: cst.CSTNode) -> bool:
    """Whether a function is defined in this file, where it calls ``hub.add_signature``."""
    return isinstance(node, cst.Name) and any(
        definition.name.value == node.value for definition in program.all(cst.FunctionDef)
    )


def _export_of(program: Program, uses: Sequence[cst.CSTNode]) -> Optional[cst.Call]:
    """The call ``spec.export(path, checkpoint_path=...)``, if nothing else is done with a spec."""
    if len(uses) != 1:
        return None
    method = program.parent(uses[0])
    if not isinstance(method, cst.Attribute) or method.attr.value != "export":
        return None
    call = call_of(program, method)
    if call is None or not _is_understood(program, call, ("path", "checkpoint_path"), 1):
        return None
    return call if len(call.args) == 2 and argument(call, "checkpoint_path") is not None else None


def _saving(program: Program, creation: cst.Call, export: cst.Call, name: str) -> str:
    given = [
        ("", argument(creation, "module_fn", 0)),
        ("", argument(export, "path", 0)),
        ("variants=", argument(creation, "tags_and_args", 1)),
        ("checkpoint=", argument(export, "checkpoint_path")),
    ]
    arguments = [label + _source(program, arg) for label, arg in given if arg is not None]
    arguments.insert(2, 'format="tf1-hub"')
    return "{}.save({})".format(name, ", ".join(arguments))


def _source(program: Program, arg: cst.Arg) -> str:
    """The value of an argument; the argument's text, for the parentheses around a value are no part of the value's."""
    source = program.source(arg)
    return source if arg.keyword is None else source.partition("=")[2].strip()


def _line_of(program: Program, call: cst.Call) -> Optional[cst.CSTNode]:
    """The line that is only the assignment of a call, with no comment at it and others beside it in its block."""
    line = program.parent(program.parent(call) or call)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1 or line.trailing_whitespace.comment:
        return None
    siblings = getattr(program.parent(line), "body", ())
    return line if len(siblings) > 1 else None


def _is_constant(program: Program, call: cst.Call) -> bool:
    """Whether the arguments of a call are the same at a later place: literals, and names that are bound once."""
    waiting: List[cst.CSTNode] = list(call.args)
    while waiting:
        node = waiting.pop()
        if isinstance(node, cst.Call) and dotted(node.func) not in ("set", "frozenset", "dict"):
            return False
        if isinstance(node, cst.Arg):
            waiting.append(node.value)
            continue
        if isinstance(node, cst.Name) and len(list(program.scope(node)[node.value])) != 1:
            return False
        waiting.extend(node.children)
    return True
