"""The errors that unihub raises.

::

    UnihubError
    +-- HandleError             (ValueError)           the handle cannot name a model
    +-- ModelNotFoundError      (FileNotFoundError)    the model does not exist
    +-- DownloadError           (OSError)              the model could not be fetched
    +-- IntegrityError          (OSError)              the model is incomplete, damaged or changed
    +-- UnknownFormatError      (ValueError)           the files are not a TensorFlow Hub model
    +-- SignatureError          (ValueError)           the model has no such signature or output
    +-- TagsError               (ValueError)           the model has no such graph variant
    +-- InputError              (TypeError)            the call does not fit the signature
    +-- UnsupportedError        (NotImplementedError)  this model is not supported in this runtime
    +-- ConversionError         (RuntimeError)         the converted model differs from the original
    +-- RuntimeUnavailableError (ImportError)          a package is missing, too old or too new
    +-- MissingOpsError         (RuntimeError)         TensorFlow lacks an op or a type the model uses
    +-- UnsafeModelError        (PermissionError)      the model may do harm
    +-- LoadError               (RuntimeError)         TensorFlow failed; its exception is the ``__cause__``

Each class is also the builtin exception that callers already catch. A message has three parts (what, why and hint) and
a link to the page about its class; the values in the message are attributes. All texts are in the named constructors of
these classes, so each is written and tested in one place.
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
