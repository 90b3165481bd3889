"""Every message that unihub can raise, as a user reads it: a module for each family of errors.

``GOLDEN`` has, for each constructor of an error, its name, an error that it makes of typical facts, and the text of
that error. The page about errors shows the same.
"""

import inspect

from error_messages import (
    calling,
    environment,
    fetching,
    finding,
    formats,
    inputs,
    loading,
    refusals,
    safety,
    saved_objects,
    support,
)
from unihub import errors
from words import words_of

# Each class of errors, and the builtin that callers catch.
BUILTINS = {
    "HandleError": ValueError,
    "ModelNotFoundError": FileNotFoundError,
    "DownloadError": OSError,
    "IntegrityError": OSError,
    "UnknownFormatError": ValueError,
    "SignatureError": ValueError,
    "TagsError": ValueError,
    "InputError": TypeError,
    "UnsupportedError": NotImplementedError,
    "ConversionError": RuntimeError,
    "RuntimeUnavailableError": ImportError,
    "MissingOpsError": RuntimeError,
    "UnsafeModelError": PermissionError,
    "LoadError": RuntimeError,
}

LEAVES = sorted(BUILTINS)

FAMILIES = (
    finding,
    fetching,
    formats,
    calling,
    inputs,
    saved_objects,
    support,
    environment,
    safety,
    loading,
)

GOLDEN = [row for family in FAMILIES for row in family.GOLDEN]


def constructors():
    """The named constructors of all classes of errors, by their names."""
    classes = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, errors.UnihubError)]
    return {
        "{}.{}".format(cls.__name__, name)
        for cls in classes
        for name, member in vars(cls).items()
        if isinstance(member, classmethod)
    }


def all_texts():
    """The texts of GOLDEN, and the refusals of the matrix."""
    made = [error for _, error, _ in GOLDEN]
    made += [refusals.refusal(key, "2.15.1") for key in sorted(refusals.REFUSED)]
    made += [refusals.refusal(key, "1.14.0") for key in sorted(refusals.REFUSED_BEFORE_1_15)]
    return [words_of(error) for error in made]
