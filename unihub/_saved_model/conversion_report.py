"""What a conversion did: the report that ``convert`` returns and writes beside the model.

It is read again by inspect, for what the files of a SavedModel do not tell: whether ``training`` changes anything.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Tuple

from unihub._types import Format

FILE = "conversion.json"


@dataclass(frozen=True)
class CarriedSignature:
    """A signature that was carried.

    Attributes:
        name: Its name.
        update_ops: How many update ops a call with ``training=True`` runs.
        difference: The largest difference between an output of the original and of the converted model, relative to
            the original's where that is larger than 1; ``None`` if they were not compared.
        not_compared: Why not.
    """

    name: str
    update_ops: int
    difference: Optional[float] = None
    not_compared: str = "check=False"

    def __str__(self) -> str:
        if self.difference is None:
            return "{}, not compared: {}".format(self.name, self.not_compared)
        return "{}, equal to the original within {:.1e}".format(self.name, self.difference)


@dataclass(frozen=True)
class Conversion:
    """What ``convert`` did.

    Attributes:
        path: The directory of the TF2 SavedModel.
        source: The directory of the TF1 model.
        format: The format it had.
        tensorflow: The version of TensorFlow that converted it.
        called: The signature that a call of the model stands for; ``None`` if it cannot be called itself.
        training_mode: Whether ``training=True`` runs another graph than ``training=False``.
        signatures: Those that were carried.
        variables: The names of the variables.
        trainable_variables: The names of those that training changes.
        regularization_losses: How many there are.
        tables: The names of the lookup tables.
        assets: The names of the asset files.
        not_carried: What could not be carried, and why, a sentence each.
    """

    path: str
    source: str
    format: Format
    tensorflow: str
    called: Optional[str]
    training_mode: bool
    signatures: Tuple[CarriedSignature, ...]
    variables: Tuple[str, ...]
    trainable_variables: Tuple[str, ...]
    regularization_losses: int
    tables: Tuple[str, ...]
    assets: Tuple[str, ...]
    not_carried: Tuple[str, ...]

    @property
    def training(self) -> str:
        """What ``training=True`` does, in a sentence."""
        if not self.training_mode:
            return NO_TRAINING_MODE
        updates = sum(signature.update_ops for signature in self.signatures if signature.name == self.called)
        return "training=True runs the graph of the {{train}} variant, with {} update ops.".format(updates)

    def to_dict(self) -> Dict[str, Any]:
        """The same as plain lists, dicts, texts and numbers."""
        return dict(asdict(self), format=str(self.format))

    def write(self, directory: str) -> None:
        """Writes it beside the model."""
        with open(os.path.join(directory, FILE), "w", encoding="utf-8") as file:
            json.dump(self.to_dict(), file, indent=2, sort_keys=True)
            file.write("\n")

    def rows(self) -> List[Tuple[str, List[str]]]:
        """The same as a table: labels, and the lines beside each."""
        return [
            ("written", [self.path]),
            ("from", ["{} ({})".format(self.source, self.format)]),
            ("call", ["the signature {!r}".format(self.called) if self.called else "by its signatures only"]),
            ("training", [self.training]),
            ("variables", ["{}, {} trainable".format(len(self.variables), len(self.trainable_variables))]),
            ("losses", [str(self.regularization_losses)]),
            ("signature", [str(signature) for signature in self.signatures]),
            ("not kept", list(self.not_carried)),
        ]

    def __str__(self) -> str:
        lines = [(label, value) for label, values in self.rows() for value in values]
        return "\n".join("{:<10} {}".format(*line) for line in lines)


NO_TRAINING_MODE = "training= changes nothing: the TF1 model had no {train} variant."


def read_notes(path: str) -> Tuple[str, ...]:
    """What is known of a model from its report, if it was converted, and is not in the files of a SavedModel."""
    try:
        with open(os.path.join(path, FILE), encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return ()
    # Some other file may have that name.
    if not isinstance(report, dict) or report.get("training_mode") is not False:
        return ()
    return (NO_TRAINING_MODE,)
