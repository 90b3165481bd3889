"""How much a model has to learn and to carry: variables, parameters and bytes, added up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable


@dataclass(frozen=True)
class Totals:
    """What some variables amount to.

    Attributes:
        variables: How many there are.
        parameters: How many numbers, or texts, they hold; those of unknown shape left out.
        nbytes: How many bytes; those of unknown shape, and texts, left out.
        unknown_shapes: How many variables are of unknown shape.
        unknown_sizes: How many variables are of unknown size in bytes.
    """

    variables: int = 0
    parameters: int = 0
    nbytes: int = 0
    unknown_shapes: int = 0
    unknown_sizes: int = 0

    @classmethod
    def of(cls, variables: Iterable[Any]) -> Totals:
        """Adds variables up, as inspect found them."""
        found = list(variables)
        parameters = [variable.parameters for variable in found]
        return cls(
            variables=len(found),
            parameters=sum(number or 0 for number in parameters),
            nbytes=sum(variable.nbytes for variable in found),
            unknown_shapes=parameters.count(None),
            unknown_sizes=sum(not variable.has_known_size for variable in found),
        )

    def to_dict(self) -> Dict[str, int]:
        """The same as numbers, fit for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.variables:
            return "none"
        text = "{} variable{}, {}{:,} parameters, {}{:,} bytes".format(
            self.variables,
            "" if self.variables == 1 else "s",
            "at least " if self.unknown_shapes else "",
            self.parameters,
            "at least " if self.unknown_sizes else "",
            self.nbytes,
        )
        notes = []
        if self.unknown_shapes:
            notes.append("{} of unknown shape".format(self.unknown_shapes))
        if self.unknown_sizes > self.unknown_shapes:
            notes.append("{} of unknown size".format(self.unknown_sizes - self.unknown_shapes))
        return "{} ({})".format(text, ", ".join(notes)) if notes else text
