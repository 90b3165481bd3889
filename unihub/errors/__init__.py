"""Everything unihub raises, and every word of it.

::

    UnihubError
    +-- HandleError             (ValueError)           the handle names no model
    +-- ModelNotFoundError      (FileNotFoundError)    nothing is there
    +-- DownloadError           (OSError)              it could not be fetched
    +-- IntegrityError          (OSError)              it is there, but not whole
    +-- UnknownFormatError      (ValueError)           it is whole, but no model of ours
    +-- SignatureError          (ValueError)           no such way to call it
    +-- TagsError               (ValueError)           no such graph variant
    +-- InputError              (TypeError)            the call does not fit the signature
    +-- UnsupportedError        (NotImplementedError)  the matrix says no
    +-- ConversionError         (RuntimeError)         the converted model is not equal to the original
    +-- RuntimeUnavailableError (ImportError)          a package is missing, or too old or new
    +-- MissingOpsError         (RuntimeError)         TensorFlow lacks an op or a type the model uses
    +-- UnsafeModelError        (PermissionError)      the model may do harm
    +-- LoadError               (RuntimeError)         TensorFlow failed; what it raised is the ``__cause__``

Each leaf also is the builtin that callers already catch. A message has three parts, what, why and hint, and a last line
that links to the page about its class; the facts it speaks of are attributes. Wording lives here, in named
constructors, so that it is written and tested in one place.
"""

from __future__ import annotations

from unihub.errors._base import DOCS, UnihubError
from unihub.errors._calling import SignatureError, TagsError
from unihub.errors._environment import MissingOpsError, RuntimeUnavailableError
from unihub.errors._fetching import DownloadError, IntegrityError
from unihub.errors._finding import HandleError, ModelNotFoundError
from unihub.errors._formats import UnknownFormatError
from unihub.errors._inputs import InputError
from unihub.errors._loading import LoadError
from unihub.errors._safety import UnsafeModelError, UnsafeModelWarning
from unihub.errors._support import ConversionError, UnsupportedError

# In the order of the tree.
__all__ = [
    "DOCS",
    "UnihubError",
    "HandleError",
    "ModelNotFoundError",
    "DownloadError",
    "IntegrityError",
    "UnknownFormatError",
    "SignatureError",
    "TagsError",
    "InputError",
    "UnsupportedError",
    "ConversionError",
    "RuntimeUnavailableError",
    "MissingOpsError",
    "UnsafeModelError",
    "UnsafeModelWarning",
    "LoadError",
]

# Tracebacks and pickles name a class where users import it from.
for _class in [value for value in globals().values() if isinstance(value, type)]:
    _class.__module__ = __name__
del _class
