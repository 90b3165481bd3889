"""Whether ``hub.Module`` and ``hub.KerasLayer`` are called somewhere, or used as the classes that they are."""

from __future__ import annotations

from typing import List, Optional, Set

import libcst as cst

from unihub._migrate import reasons
from unihub._migrate.call_arguments import append, argument, call_of, train_tag, value_of
from unihub._migrate.edit import Edit
from unihub._migrate.graph_collections import LEFT_ALONE, reads_collections
from unihub._migrate.program import Program
from unihub._migrate.references import Reference, dotted

FULL = "full=True"
_CHECKS = ("isinstance", "issubclass")


def refuse_class(program: Program, reference: Reference) -> Optional[str]:
    """Why a use of a class cannot be one of the function that stands in its place; ``None`` if it can."""
    call = call_of(program, reference.node)
    if call is not None:
        tags = argument(call, "tags", 3 if reference.member == "Module" else None)
        return train_tag(program, call, tags, argument(call, "trainable", 1))
    if reference.member == "KerasLayer" and reads_collections(program):
        return reasons.COLLECTIONS
    if reference.member == "KerasLayer" and _reads_attributes(program):
        return reasons.ATTRIBUTES
    if _is_custom_object(program, reference):
        return reasons.CUSTOM_OBJECTS
    return reasons.CLASS.format(reference.member) if _is_class(program, reference.node) else None


def layer_options(program: Program, reference: Reference) -> List[Edit]:
    """The edits that give a layer the options with which it is what it was."""
    call = call_of(program, reference.node)
    if call is None or reference.member != "KerasLayer":
        return []
    may_train = value_of(program, argument(call, "trainable", 1)) not in (None, False)
    options = [FULL] if _reads_attributes(program) else []
    if reads_collections(program) and (may_train or any(arg.star for arg in call.args)):
        options.append(LEFT_ALONE)
    return [append(program, call, ", ".join(options))] if options else []


def _reads_attributes(program: Program) -> bool:
    """Whether the program asks a layer for the model in it, of which only a part would be loaded."""
    return any(node.attr.value == "resolved_object" for node in program.all(cst.Attribute))


def _is_class(program: Program, node: cst.CSTNode) -> bool:
    outer = program.parent(node)
    if isinstance(outer, (cst.Tuple, cst.Element)):
        return _is_class(program, outer)
    if isinstance(outer, cst.Arg):
        call = program.parent(outer)
        # What is patched is the class, too.
        return not isinstance(call, cst.Call) or dotted(call.func) in _CHECKS or "patch" in dotted(call.func)
    if isinstance(outer, cst.Assign):
        return not _class_names(program).isdisjoint(dotted(target.target) for target in outer.targets)
    if isinstance(outer, cst.DictElement):
        return outer.key is node
    return isinstance(outer, (cst.Attribute, cst.Comparison, cst.ComparisonTarget, cst.Index))


def _class_names(program: Program) -> Set[str]:
    """The names that the program uses as classes."""
    bases = {dotted(base.value) for node in program.all(cst.ClassDef) for base in node.bases}
    for call in program.all(cst.Call):
        if dotted(call.func) in _CHECKS and len(call.args) == 2:
            value = call.args[1].value
            values = [element.value for element in value.elements] if isinstance(value, cst.Tuple) else [value]
            bases.update(map(dotted, values))
    return bases - {""}


def _is_custom_object(program: Program, reference: Reference) -> bool:
    """Whether it is one of the ``custom_objects`` by which Keras finds the class of a saved layer."""
    if reference.member != "KerasLayer":
        return False
    for node in program.around(reference.node):
        if isinstance(node, cst.DictElement) and program.source(node.key).strip("'\"") == "KerasLayer":
            return True
        names = []
        if isinstance(node, cst.Arg) and node.keyword is not None:
            names = [node.keyword.value]
        elif isinstance(node, cst.Call):
            names = [dotted(node.func)]
        elif isinstance(node, cst.Assign):
            names = [program.source(target.target) for target in node.targets]
        if any("customobject" in name.lower().replace("_", "") for name in names):
            return True
        if isinstance(node, cst.BaseSmallStatement):
            return False
    return False
