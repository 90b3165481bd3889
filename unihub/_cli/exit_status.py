"""How the commands end: an exit status for each kind of error, so that a script need not read texts."""

from __future__ import annotations

from unihub import errors

# 1 is also what Python ends with for whatever is not unihub's, and 2 what argparse does.
STATUSES = {
    errors.UnihubError: 1,
    errors.HandleError: 3,
    errors.ModelNotFoundError: 4,
    errors.DownloadError: 5,
    errors.IntegrityError: 6,
    errors.UnknownFormatError: 7,
    errors.RuntimeUnavailableError: 8,
    errors.SignatureError: 10,
    errors.TagsError: 11,
    errors.InputError: 12,
    errors.UnsupportedError: 13,
    errors.ConversionError: 14,
    errors.MissingOpsError: 15,
    errors.UnsafeModelError: 16,
    errors.LoadError: 17,
}
USAGE = 2
# unihub migrate left uses of tensorflow_hub that it listed.
INCOMPLETE = 9
# As shells report it: 128 plus the number of the signal.
INTERRUPTED, BROKEN_PIPE = 130, 141


def status_of(error: errors.UnihubError) -> int:
    """The exit status for an error."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
