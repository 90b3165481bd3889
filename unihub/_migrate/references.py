"""Where a program uses tensorflow_hub: its imports of it, and each use of the names that these bind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence, Set, Union, cast

import libcst as cst
from libcst.metadata import ImportAssignment

from unihub._migrate.program import Program

if TYPE_CHECKING:
    from libcst.metadata import Access, BaseAssignment, Scope

_PACKAGE = "tensorflow_hub"
_NAMES_IT = re.compile(r"tensorflow_hub(\.\w+)*\Z")

Statement = Union[cst.Import, cst.ImportFrom]


@dataclass(eq=False)
class Import:
    """One name that is imported.

    Attributes:
        statement: The statement that does it.
        alias: Its part for this name.
        bound: The name that it has in the program.
        module: What it is imported from, or the module itself.
        member: What is imported from the module; ``None`` for the module itself.
        scope: The scope in which the name is bound.
        references: The uses of the name.
    """

    statement: Statement
    alias: cst.ImportAlias
    bound: str
    module: str
    member: Optional[str]
    scope: Scope
    references: List[Reference] = field(default_factory=list)


@dataclass(eq=False)
class Reference:
    """One use of tensorflow_hub.

    Attributes:
        node: The expression, such as ``hub.load``.
        root: The name it begins with, such as ``hub``.
        member: What is used, such as ``load``; ``None`` for the module itself.
        is_annotation: Whether it stands in an annotation.
        is_certain: Whether the name means tensorflow_hub and nothing else.
    """

    node: cst.CSTNode
    root: cst.CSTNode
    member: Optional[str]
    is_annotation: bool
    is_certain: bool


def find_imports(program: Program, package: str = _PACKAGE) -> List[Import]:
    """The imports of a package and of what is in it, with the uses of each, in the order of the text."""
    imports: Dict[int, Import] = {}
    owners: Dict[int, Import] = {}
    for scope in program.scopes:
        for assignment in scope.assignments:
            each = _read(program, assignment, package)
            if each is not None:
                # A dotted import binds several names, which are one import.
                owners[id(assignment)] = imports.setdefault(id(each.alias), each)
    rebound = _rebound_names(program)
    references: Dict[int, Reference] = {}
    for scope in program.scopes:
        for assignment in scope.assignments:
            if id(assignment) in owners:
                owner = owners[id(assignment)]
                for access in assignment.references:
                    reference = references.setdefault(id(access), _refer(program, access, owners, owner))
                    reference.is_certain &= owner.bound not in rebound
                    owner.references.append(reference)
    return sorted(imports.values(), key=lambda each: program.start(each.alias))


def _rebound_names(program: Program) -> Set[str]:
    """The names that a function binds outside of itself, which scopes do not follow."""
    statements: List[Union[cst.Global, cst.Nonlocal]] = [*program.all(cst.Global), *program.all(cst.Nonlocal)]
    return {item.name.value for statement in statements for item in statement.names}


def _read(program: Program, assignment: BaseAssignment, package: str) -> Optional[Import]:
    """What an assignment imports, if it is of the package."""
    if not isinstance(assignment, ImportAssignment):
        return None
    statement = cast("Statement", assignment.node)
    alias = next(node for node in program.around(assignment.as_name) if isinstance(node, cst.ImportAlias))
    if isinstance(statement, cst.Import):
        module, member = alias.evaluated_name, None
    elif statement.relative or statement.module is None:
        return None
    else:
        module, member = dotted(statement.module), alias.evaluated_name
    if module.split(".")[0] != package:
        return None
    return Import(statement, alias, assignment.name.split(".")[0], module, member, assignment.scope)


def dotted(node: cst.CSTNode) -> str:
    """The text of a dotted name; empty for any other expression."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        base = dotted(node.value)
        return base and "{}.{}".format(base, node.attr.value)
    return ""


def _refer(program: Program, access: Access, owners: Dict[int, Import], owner: Import) -> Reference:
    known = [owners.get(id(assignment)) for assignment in access.referents]
    meanings = {each and (each.module, each.member) for each in known}
    if not isinstance(access.node, (cst.Name, cst.Attribute)):
        # A string that is an annotation.
        written = re.search(
            r"\b{}\.(\w+)".format(re.escape(owner.bound)), getattr(access.node, "evaluated_value", None) or ""
        )
        member = written.group(1) if owner.member is None and written else owner.member
        return Reference(access.node, access.node, member, True, None not in known)
    is_annotation = bool(access.is_annotation or access.is_type_hint)
    root: cst.CSTNode = access.node
    while isinstance(root, cst.Attribute):
        root = root.value
    node: cst.CSTNode = root
    member = owner.member
    if member is None:
        outer = program.parent(root)
        if isinstance(outer, cst.Attribute) and outer.value is root:
            node, member = outer, outer.attr.value
        # Under an alias a submodule is what has the attribute.
        if "." in owner.module and owner.bound != _PACKAGE:
            member = "{}.{}".format(owner.module.partition(".")[2], member or "")
    return Reference(node, root, member, is_annotation, len(meanings) == 1 and None not in known)


def find_star_imports(program: Program) -> Iterator[cst.ImportFrom]:
    """The imports of all names of tensorflow_hub at once."""
    for node in program.all(cst.ImportFrom):
        is_absolute = node.module is not None and not node.relative
        if is_absolute and isinstance(node.names, cst.ImportStar) and _top(node.module) == _PACKAGE:
            yield node


def _top(module: Optional[cst.CSTNode]) -> str:
    return dotted(module).split(".")[0] if module else ""


def find_strings(program: Program) -> Iterator[cst.SimpleString]:
    """The strings that are the name of tensorflow_hub, or of what is in it."""
    for node in program.all(cst.SimpleString):
        value = node.evaluated_value
        if isinstance(value, str) and _NAMES_IT.match(value):
            yield node


def exported_names(program: Program) -> Sequence[str]:
    """The names in ``__all__``."""
    names = []
    for node in program.all(cst.Assign):
        if any(dotted(target.target) == "__all__" for target in node.targets):
            names += [str(child.evaluated_value) for child in _strings(node.value)]
    return names


def _strings(node: cst.CSTNode) -> Iterator[cst.SimpleString]:
    if isinstance(node, cst.SimpleString):
        yield node
    for child in node.children:
        yield from _strings(child)
