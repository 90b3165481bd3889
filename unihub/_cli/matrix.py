"""The command that prints the compatibility matrix, for all, for one TensorFlow, or for this machine."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

from unihub import errors
from unihub._cli import quiet
from unihub._cli.command import Argument, Command, version
from unihub._cli.report import BAD, FAINT, GOOD, Block, Line, Report, Table, lines

if TYPE_CHECKING:
    from unihub._plan.matrix import Cell, Choice, Service
    from unihub._plan.runtime import Runtime
    from unihub._types import Format, Keras, Operation

    # What serves a choice, or the error that says what is missing.
    _ServedBy = Union[Service, errors.UnihubError]


class _Served(NamedTuple):
    """A choice of a row, and who serves it here."""

    choice: Choice
    # By the Keras it is for, if it is a layer: whoever serves it, or what is missing.
    by: Tuple[Tuple[Optional[Keras], _ServedBy], ...] = ()

    def to_dict(self) -> Dict[str, object]:
        """As data."""
        return {"api": str(self.choice.api), "call": self.choice.call, "here": [_by_dict(*each) for each in self.by]}

    def line(self) -> Line:
        """What to call, and by whom it is served here."""
        if not self.by:
            return Line(self.choice.call)
        services = [(keras, by) for keras, by in self.by if not isinstance(by, errors.UnihubError)]
        if services:
            parts = ["{} ({})".format(by.backend, keras) if keras else str(by.backend) for keras, by in services]
            return Line("{} {} by {}".format(_mark(True), self.choice.call, ", ".join(parts)), GOOD)
        reason = next(by.what for _, by in self.by if isinstance(by, errors.UnihubError))
        return Line("{} {}: {}".format(_mark(False), self.choice.call, reason), BAD)


def _by_dict(keras: Optional[Keras], by: _ServedBy) -> Dict[str, object]:
    return {
        "keras": keras and str(keras),
        "backend": None if isinstance(by, errors.UnihubError) else str(by.backend),
        "missing": {"what": by.what, "why": by.why, "hint": by.hint} if isinstance(by, errors.UnihubError) else None,
    }


def _mark(is_served: bool) -> str:
    marks = "✗✓" if (sys.stdout.encoding or "").lower().startswith("utf") else "-+"
    return marks[is_served]


def matrix(arguments: argparse.Namespace) -> Report:
    """Shows what can be done with which format in which runtime; --here, also who serves it on this machine."""
    here = _detect() if arguments.here else None
    tensorflow = here.tensorflow if here else arguments.tensorflow
    rows = [(cell, [_serve(choice, cell, here) for choice in cell.choices]) for cell in _cells(tensorflow)]
    blocks: List[Block] = [Line("on {}, Python {}".format(_versions(here), here.python), FAINT)] if here else []
    table = _grouped(rows, says_since=tensorflow is None)
    blocks.append(Table(("format", "operation", "runtime", "what to call"), list(table)))
    data = {
        "tensorflow": tensorflow,
        "tensorflow_hub": here.tensorflow_hub if here else None,
        "rows": [_row_dict(cell, choices) for cell, choices in rows],
    }
    return Report(blocks, data)


def _versions(here: Runtime) -> str:
    return "TensorFlow {}, tensorflow_hub {}".format(here.tensorflow, here.tensorflow_hub or "not installed")


def _detect() -> Runtime:
    from unihub._plan import runtime

    # Whether tensorflow_hub can be used is known only once it was imported, and it imports TensorFlow.
    with quiet.everything():
        return runtime.detect_runtime()


def _cells(tensorflow: Optional[str]) -> List[Cell]:
    """The rows, as they hold for a TensorFlow, in the runtimes that it has."""
    from unihub._plan import matrix
    from unihub._tf import packages

    if tensorflow is None:
        return list(matrix.TABLE.values())
    runtimes = packages.runtimes_of(tensorflow)
    table = matrix.TABLE.values()
    return [
        matrix.lookup(cell.format, cell.operation, cell.runtime, tensorflow)
        for cell in table
        if str(cell.runtime) in runtimes
    ]


def _serve(choice: Choice, cell: Cell, here: Optional[Runtime]) -> _Served:
    if here is None:
        return _Served(choice)
    from unihub._types import Api, Keras

    own_first: Iterable[Optional[Keras]] = sorted(Keras, key=lambda keras: keras is not here.keras)
    kinds = own_first if choice.api is Api.KERAS else [None]
    return _Served(choice, tuple((keras, _find_service(choice, keras, cell, here)) for keras in kinds))


def _find_service(choice: Choice, keras: Optional[Keras], cell: Cell, here: Runtime) -> _ServedBy:
    """Who serves a choice, or the error that says what is missing."""
    from dataclasses import replace

    from unihub._plan import matrix, plan
    from unihub._strategies import hub_backend
    from unihub._tf.keras import keras3
    from unihub._types import Keras, Operation

    services = matrix.WRITERS if cell.operation is Operation.CREATE else matrix.SERVICES
    try:
        with quiet.everything():
            there = replace(here, mode=cell.runtime)
            service = hub_backend.choose(lambda each: plan.choose_backend(choice.api, keras, each, services), there)
            if keras is Keras.KERAS3:
                keras3()
            return service
    except errors.RuntimeUnavailableError as exc:
        return exc


def _grouped(rows: List[Tuple[Cell, List[_Served]]], says_since: bool) -> Iterable[List[List[Line]]]:
    """A row for all runtimes in which the same is right."""
    groups: Dict[Tuple[Format, Operation, Tuple[Line, ...]], List[str]] = {}
    for cell, choices in rows:
        what = _lines(cell, choices)
        if says_since and cell.supported and cell.since:
            what.append(Line("from TensorFlow {} on".format(cell.since), FAINT))
        groups.setdefault((cell.format, cell.operation, tuple(what)), []).append(str(cell.runtime))
    for (format, operation, same), runtimes in groups.items():
        yield [lines(format), lines(operation), lines(", ".join(runtimes)), list(same)]


def _lines(cell: Cell, choices: List[_Served]) -> List[Line]:
    if not cell.supported:
        return [Line("- " + cell.reason, FAINT)]
    return [served.line() for served in choices]


def _row_dict(cell: Cell, choices: List[_Served]) -> Dict[str, object]:
    return {
        "format": str(cell.format),
        "operation": str(cell.operation),
        "runtime": str(cell.runtime),
        "supported": cell.supported,
        "choices": [served.to_dict() for served in choices],
        "reason": cell.reason,
        "hint": cell.hint,
        "since": cell.since,
    }


_HERE = {"action": "store_true", "help": "mark what this machine can serve, and by whom"}
_TENSORFLOW = {"type": version, "metavar": "VERSION", "help": "what holds for this TensorFlow"}

COMMANDS = (
    Command(
        ("matrix",),
        matrix,
        (
            Argument("--here", _HERE, excludes_others=True),
            Argument("--tensorflow", _TENSORFLOW, excludes_others=True),
        ),
    ),
)
