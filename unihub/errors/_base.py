"""The root of the tree of errors, and how a message is laid out."""

from __future__ import annotations

import textwrap
from typing import Mapping, Tuple, Type

_WIDTH = 118

# The address of the documentation; site_url in mkdocs.yml.
DOCS = "https://unihub.readthedocs.io/en/latest/"


class UnihubError(Exception):
    """The root of the tree.

    Args:
        what: What is wrong, in one sentence.
        why: The reason.
        hint: What to do.
        **facts: The values in the message; each becomes an attribute.

    Attributes:
        what: As given.
        why: As given.
        hint: As given.

    Example:
        >>> error = UnihubError("it is broken.", why="it fell.", hint="pick it up.", height=3)
        >>> error.height
        3
        >>> print(error)
        it is broken.
          Why:  it fell.
          Hint: pick it up.
          Docs: https://unihub.readthedocs.io/en/latest/errors/#unihuberror
    """

    # Without these marks, Keras and AutoGraph replace an error raised in a layer or tf.function by their own.
    _keras_call_info_injected = True
    ag_pass_through = True

    def __init__(self, what: str, *, why: str, hint: str, **facts: object) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self._facts = facts
        for name, value in facts.items():
            setattr(self, name, value)

    def __str__(self) -> str:
        parts = (self.what, _part("Why:  ", self.why), _part("Hint: ", self.hint), "  Docs: " + self.docs)
        return "\n".join(parts)

    @property
    def docs(self) -> str:
        """The address of the page about this class, or about the nearest base class that unihub defines."""
        known = next(base for base in type(self).__mro__ if base.__module__ == UnihubError.__module__)
        return "{}errors/#{}".format(DOCS, known.__name__.lower())

    # Exceptions pickle by calling the class with ``args``, which cannot carry keyword arguments.
    def __reduce__(self) -> Tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.why, self.hint, self._facts)


def _rebuild(cls: Type[UnihubError], what: str, why: str, hint: str, facts: Mapping[str, object]) -> UnihubError:
    return cls(what, why=why, hint=hint, **facts)


def _part(label: str, text: str) -> str:
    """One labelled part of a message: long lines are wrapped, and all but the first are indented below the label."""
    indent = " " * (2 + len(label))
    lines = []
    for line in text.splitlines() or [""]:
        lines += textwrap.wrap(line, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False) or [""]
    return "  " + label + ("\n" + indent).join(lines)
