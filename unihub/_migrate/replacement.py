"""What each use of tensorflow_hub in a program becomes, and what of it is left; the table of the README as code."""

from __future__ import annotations

import re
from typing import Callable, Container, Dict, List, Optional, Sequence, Tuple, Union

import libcst as cst
from libcst.metadata import ImportAssignment

from unihub._migrate import reasons
from unihub._migrate.classes import layer_options, refuse_class
from unihub._migrate.edit import Decision, Edit, Finding, Span
from unihub._migrate.imports import own_name, replace_imports
from unihub._migrate.program import Program
from unihub._migrate.references import (
    Import,
    Reference,
    exported_names,
    find_imports,
    find_star_imports,
    find_strings,
)
from unihub._migrate.results import replace_load
from unihub._migrate.specs import replace_create, replace_load_spec

# Edits, or the reason why there are none.
Outcome = Union[List[Edit], str]


def decide(text: str, opaque: Sequence[Span] = ()) -> Decision:
    """What is to be edited in a program that mentions tensorflow_hub, and what is left.

    Args:
        text: The source.
        opaque: What stood in the original where the source has a blank.

    Returns:
        The edits and the findings.

    Raises:
        SyntaxError: It is no program that Python could read.
    """
    program = Program(text)
    imports = find_imports(program)
    outcomes = _Outcomes(program, imports)
    findings = [
        _finding(program, program.start(reference.node), _shown(program, reference), outcome)
        for reference, outcome in outcomes.decided
        if isinstance(outcome, str)
    ]
    hidden = _find_hidden(imports, opaque)
    kept = {owner for _, owner in hidden if owner is not None}
    kept |= {each for each in imports if each.bound in exported_names(program) and _is_global(each)}
    findings += [_finding(program, offset, "", reasons.OPAQUE) for offset, _ in hidden]
    findings += _find_about_imports(program, imports, kept)
    dropped = [each for each in imports if each not in kept and outcomes.is_dropped(each)]
    used = [each for each in imports if outcomes.uses(each)]
    edits = outcomes.edits + replace_imports(program, imports, used, dropped)
    ordered = sorted(findings, key=lambda finding: (finding.line, finding.column))
    return Decision(tuple(edits), outcomes.replaced, tuple(ordered))


class _Outcomes:
    """What becomes of each use.

    Attributes:
        decided: The uses with their outcomes, in the order of the text.
    """

    def __init__(self, program: Program, imports: Sequence[Import]) -> None:
        self._program = program
        self._name = own_name(program)
        self._own = {id(each.statement) for each in find_imports(program, "unihub")}
        unique = {id(reference): reference for each in imports for reference in each.references}
        self._references = sorted(unique.values(), key=lambda reference: program.start(reference.root))
        self._patched = {each.member for each in self._references if _is_changed(program, each)}
        self._patched |= {str(string.evaluated_value).split(".")[-1] for string in find_strings(program)}
        self._outcomes: Dict[int, Outcome] = {}
        # The later ones ask what became of the earlier ones.
        self._decide(_DIRECT, self._replace)
        self._decide(("load_module_spec",), self._replace_load_spec)
        self._decide(("create_module_spec",), self._replace_create)
        self._decide(_IN_MODULE_FN, self._replace_in_module_fn)
        self._decide(None, lambda reference: _no_counterpart(reference.member or ""))

    @property
    def decided(self) -> List[Tuple[Reference, Outcome]]:
        return [(reference, self._outcomes[id(reference)]) for reference in self._references]

    @property
    def replaced(self) -> int:
        """How many uses are replaced."""
        return sum(not isinstance(outcome, str) for outcome in self._outcomes.values())

    @property
    def edits(self) -> List[Edit]:
        return [edit for _, outcome in self.decided if not isinstance(outcome, str) for edit in outcome]

    def uses(self, each: Import) -> bool:
        """Whether something that is replaced was used through an import."""
        return any(self._is_replaced(reference) for reference in each.references)

    def is_dropped(self, each: Import) -> bool:
        """Whether nothing is used through an import any more."""
        is_whole = each.member is not None or each.module == "tensorflow_hub"
        return is_whole and self.uses(each) and all(self._is_replaced(reference) for reference in each.references)

    def _is_replaced(self, reference: Reference) -> bool:
        return not isinstance(self._outcomes[id(reference)], str)

    def _decide(self, members: Optional[Sequence[Optional[str]]], replace: Callable[[Reference], Outcome]) -> None:
        for reference in self._references:
            if id(reference) not in self._outcomes and (members is None or reference.member in members):
                self._outcomes[id(reference)] = self._refuse(reference) or replace(reference)

    def _refuse(self, reference: Reference) -> Optional[str]:
        """Why a use is left, whatever it is of."""
        if not reference.is_certain:
            return reasons.AMBIGUOUS
        if reference.member is None:
            return reasons.WHOLE_MODULE
        if self._is_taken(reference):
            return reasons.NAME_TAKEN
        if reference.member in self._patched:
            return reasons.REPLACED
        is_text = not isinstance(reference.root, cst.Name)
        if reference.is_annotation and (reference.member in _CLASSES or is_text):
            return reasons.ANNOTATION.format(reference.member)
        return None

    def _is_taken(self, reference: Reference) -> bool:
        """Whether the name of unihub is bound to something else where it would be used."""
        assignments = self._program.scope(reference.root)[self._name]
        return any(
            not isinstance(assignment, ImportAssignment) or id(assignment.node) not in self._own
            for assignment in assignments
        )

    def _replace(self, reference: Reference) -> Outcome:
        if reference.member == "load":
            return replace_load(self._program, reference, self._name)
        if reference.member not in _CLASSES:
            return self._rename(reference)
        reason = refuse_class(self._program, reference)
        return reason or self._rename(reference) + layer_options(self._program, reference)

    def _rename(self, reference: Reference) -> List[Edit]:
        program, node = self._program, reference.node
        if node is not reference.root:
            return [Edit(program.start(reference.root), program.end(reference.root), self._name)]
        return [Edit(program.start(node), program.end(node), "{}.{}".format(self._name, reference.member))]

    def _replace_load_spec(self, reference: Reference) -> Outcome:
        modules = [other for other in self._of("Module") if self._is_replaced(other)]
        return replace_load_spec(self._program, reference, self._name, modules)

    def _replace_create(self, reference: Reference) -> Outcome:
        return replace_create(self._program, reference, self._name)

    def _replace_in_module_fn(self, reference: Reference) -> Outcome:
        """Signatures are added for whoever builds the module, so all that does so in a file has to be replaced."""
        creations = self._of("create_module_spec")
        if creations and all(map(self._is_replaced, creations)):
            return self._rename(reference)
        return reasons.BUILT_ELSEWHERE.format(reference.member)

    def _of(self, member: str) -> List[Reference]:
        return [reference for reference in self._references if reference.member == member]


_CLASSES = ("KerasLayer", "Module")
_DIRECT = ("KerasLayer", "Module", "load", "resolve")
_IN_MODULE_FN = ("add_signature", "attach_message")
_MEMBERS = [*_DIRECT, *_IN_MODULE_FN, "load_module_spec", "create_module_spec", *reasons.NO_COUNTERPART]


def _no_counterpart(member: str) -> str:
    if "." in member:
        return reasons.SUBMODULE
    return reasons.NO_COUNTERPART.get(member, reasons.OTHER_MEMBER)


def _is_changed(program: Program, reference: Reference) -> bool:
    """Whether an attribute of the module is assigned to, or deleted."""
    outer = program.parent(reference.node)
    return isinstance(outer, (cst.AssignTarget, cst.Del)) or (
        isinstance(outer, (cst.AugAssign, cst.AnnAssign)) and outer.target is reference.node
    )


def _is_global(each: Import) -> bool:
    return type(each.scope).__name__ == "GlobalScope"


def _find_hidden(imports: Sequence[Import], opaque: Sequence[Span]) -> List[Tuple[int, Optional[Import]]]:
    """Where names of tensorflow_hub stand in what is not read as Python, and the import that is needed for each."""
    hidden: List[Tuple[int, Optional[Import]]] = []
    for span in opaque:
        for match in re.finditer(r"\b(?:import|from)\s+tensorflow_hub\b", span.text):
            hidden.append((span.start + match.start(), None))
        for each in imports:
            name = r"(?<![\w.]){}\b".format(re.escape(each.bound))
            if each.member is None:
                name += r"\.({})\b".format("|".join(_MEMBERS))
            hidden += [(span.start + match.start(), each) for match in re.finditer(name, span.text)]
    return hidden


def _find_about_imports(program: Program, imports: Sequence[Import], kept: Container[Import]) -> List[Finding]:
    findings = []
    for star in find_star_imports(program):
        findings.append(_finding(program, program.start(star), program.source(star), reasons.STAR))
    for string in find_strings(program):
        findings.append(_finding(program, program.start(string), program.source(string), reasons.STRING))
    for each in imports:
        reason = None
        if each.bound in exported_names(program) and _is_global(each):
            reason = reasons.EXPORTED
        elif each.module != "tensorflow_hub":
            reason = reasons.SUBMODULE
        elif not each.references and each not in kept:
            reason = reasons.UNUSED
        if reason:
            findings.append(_finding(program, program.start(each.statement), _statement(each), reason))
    return findings


def _statement(each: Import) -> str:
    return "import " + each.module if each.member is None else "from {} import {}".format(each.module, each.member)


def _shown(program: Program, reference: Reference) -> str:
    return " ".join(program.source(reference.node).split())


def _finding(program: Program, offset: int, name: str, reason: str) -> Finding:
    line, column = program.line_and_column(offset)
    return Finding(line, column, name, reason)
