"""Every message that unihub can raise, for the page about errors.

Most are those that tests/unit compare to the letter; the rest are made here, of facts as they occur. Each is what the
code makes, so that the page has no words of its own to grow old.
"""

from __future__ import annotations

import inspect

import error_messages
from unihub import errors
from unihub.errors import DownloadError, HandleError, IntegrityError, ModelNotFoundError, UnknownFormatError

MODEL = "models/convnet"
ASSET = MODEL + "/assets/vocab.txt"
SHARD = MODEL + "/variables/variables.data-00000-of-00001"

# Of those whose words stand in other tests.
MADE = {
    "HandleError.not_a_place": [HandleError.not_a_place(5)],
    "HandleError.empty": [HandleError.empty("")],
    "HandleError.nul": [HandleError.nul("models/\0convnet")],
    "HandleError.one_slash": [HandleError.one_slash("https:/tfhub.dev/google/nnlm-en-dim50/2")],
    "HandleError.unknown_scheme": [HandleError.unknown_scheme("nonesuch://bucket/model", "nonesuch")],
    "HandleError.other_machine": [HandleError.other_machine("file://models/convnet", "models")],
    "HandleError.file_url_without_path": [HandleError.file_url_without_path("file://models")],
    "HandleError.bad_url": [HandleError.bad_url("https://", "It names no machine.")],
    "HandleError.no_kaggle_model": [HandleError.no_kaggle_model("kaggle:google/nnlm")],
    "HandleError.bad_pin": [HandleError.bad_pin("model.tar.gz@sha256:12ab", "12ab")],
    "HandleError.unusable": [HandleError.unusable("/dev/null", "It is neither a directory nor a regular file.")],
    "HandleError.not_a_number": [
        HandleError.not_a_number("UNIHUB_MAX_ARCHIVE_BYTES", "64GiB", "bytes", 68719476736),
    ],
    "ModelNotFoundError.missing_path": [
        ModelNotFoundError.missing_path("/models/brt/1", "/models", ["albert", "bert"]),
    ],
    "DownloadError.cannot_unpack": [
        DownloadError.cannot_unpack("model.tar.gz", "/cache", "[Errno 28] No space left on device"),
    ],
    "IntegrityError.broken_archive": [IntegrityError.broken_archive("model.tar.gz", "unexpected end of data")],
    "IntegrityError.harmful_member": [
        IntegrityError.harmful_member("model.tar.gz", "../evil", "Its name leads out of the archive's directory."),
    ],
    "IntegrityError.archive_too_large": [
        IntegrityError.archive_too_large("model.tar.gz", 68719476736, "UNIHUB_MAX_ARCHIVE_BYTES"),
    ],
    "IntegrityError.missing_graph": [IntegrityError.missing_graph(MODEL)],
    "IntegrityError.missing_variables": [IntegrityError.missing_variables(MODEL, ["variables/variables.index"])],
    "IntegrityError.missing_assets": [IntegrityError.missing_assets(MODEL, ["assets/vocab.txt"])],
    "IntegrityError.git_lfs_pointer": [IntegrityError.git_lfs_pointer(SHARD, 96128)],
    "IntegrityError.short_file": [IntegrityError.short_file(SHARD, 4096, 96128)],
    "IntegrityError.damaged": [IntegrityError.damaged(MODEL + "/saved_model.pb", "it holds no graph", True)],
    "IntegrityError.changed": [IntegrityError.changed(MODEL + "/saved_model.pb")],
    "IntegrityError.unreadable": [IntegrityError.unreadable(ASSET, "Permission denied")],
    "UnknownFormatError.empty_directory": [UnknownFormatError.empty_directory("models/new")],
    "UnknownFormatError.nested_model": [UnknownFormatError.nested_model("models/served", "models/served/00000010")],
    "UnknownFormatError.nothing_known": [UnknownFormatError.nothing_known("models/notes", ["readme.txt"])],
    "UnknownFormatError.other_format": [
        UnknownFormatError.other_format("models/it", kind) for kind in UnknownFormatError.KINDS
    ],
}


def examples():
    """The messages by class and by constructor, in the order of the tree."""
    made = {name: list(found) for name, found in MADE.items()}
    for name, error, _ in error_messages.GOLDEN:
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
    """The names of a class's constructors, as they stand in it."""
    return [name for name, member in vars(cls).items() if isinstance(member, classmethod)]
