"""Every message that unihub can raise, for the page about errors: those that the tests compare to the letter."""

from __future__ import annotations

import inspect

from error_messages import GOLDEN
from unihub import errors


def examples():
    """The messages by class and by constructor, in the order of the tree."""
    made = {}
    for name, error, _ in GOLDEN:
        made.setdefault(name, []).append(error)
    return {
        name: {
            constructor: list(dict.fromkeys("{}: {}".format(name, error) for error in made[name + "." + constructor]))
            for constructor in constructors_of(cls)
        }
        for name, cls in ((name, getattr(errors, name)) for name in errors.__all__)
        if inspect.isclass(cls) and issubclass(cls, errors.UnihubError) and cls is not errors.UnihubError
    }


def constructors_of(cls):
    """The names of a class's constructors, in the order of its source."""
    return [name for name, member in vars(cls).items() if isinstance(member, classmethod)]
