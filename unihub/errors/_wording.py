"""Phrases that several errors share."""

from __future__ import annotations

import difflib
from typing import Iterable, Sequence

_SHOWN = 8


def first_few(names: Sequence[str]) -> str:
    """The first few names of files."""
    return ", ".join(names[:_SHOWN]) + (" and more" if len(names) > _SHOWN else "") or "nothing"


def kind_of(obj: object) -> str:
    """An object by its type, with an article, to be used in a sentence."""
    if isinstance(obj, type):
        return "the class {}".format(obj.__name__)
    name = type(obj).__name__
    return "{} {}".format("an" if name[:1] in "aeiouAEIOU" else "a", name)


def quoted(path: str) -> str:
    """A path as a string literal, for a call in a hint."""
    return '"{}"'.format(path)


def subject_and_verb(files: Sequence[str]) -> str:
    """``a is``, ``a and b are``, ``a, b, ... (9 files) are``."""
    if len(files) == 1:
        return "{} is".format(files[0])
    if len(files) <= 3:
        return "{} and {} are".format(", ".join(files[:-1]), files[-1])
    return "{}, ... ({} files) are".format(", ".join(files[:3]), len(files))


def closest(word: str, words: Iterable[str]) -> str:
    """`` Did you mean 'x'?``, or nothing."""
    close = difflib.get_close_matches(word, list(words), n=1)
    return " Did you mean {!r}?".format(close[0]) if close else ""


def table(rows: Sequence[object]) -> str:
    """Rows such as signatures, tag sets and tensors, indented, one per line."""
    return "\n".join("  {}".format(row) for row in rows)


def tag_set(tags: Iterable[str]) -> str:
    """``{'train'}``, or ``{}`` for the plain variant."""
    return "{{{}}}".format(", ".join(repr(tag) for tag in sorted(tags)))


_MANY_OPS = 8


def op_lines(ops: Sequence[object]) -> str:
    """The first ops, one per line."""
    lines = ["  {}".format(op) for op in ops[:_MANY_OPS]]
    more = len(ops) - len(lines)
    return "\n".join(lines + (["  and {} more".format(more)] if more > 0 else []))


def gerund(operation: str) -> str:
    return {"inference": "inference with", "fine-tune": "fine-tuning", "create": "creating"}[str(operation)]


def brief(exc: BaseException) -> str:
    """The first informative line of an exception's text, without TensorFlow's tracebacks."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    spoken = [line for line in lines if not line.startswith(("Graph execution error", "Detected at", "File ", "Node:"))]
    return (spoken or lines or ["no message"])[0][:400]
