"""Recognize paths that unihub cannot load: another format, an archive, a web page, the parent directory of a model.

Contents decide, never a name alone: the first bytes of a file or the headers of its messages.
"""

from __future__ import annotations

import os
import re
from typing import Callable, NoReturn, Sequence, Tuple

from unihub._saved_model.files import GRAPH_FILES, HEAD_BYTES, HUB_FILE, graph_file_in, reading, refuse_pointer_head
from unihub._saved_model.wire import Message, Source, WireError
from unihub.errors import IntegrityError, UnknownFormatError

# Files that exporters write beside the graph: without a graph, they show that it is missing.
_COMPANIONS = frozenset((HUB_FILE, "variables", "keras_metadata.pb", "fingerprint.pb"))

_MANY = 100

# Files that show what a directory is; a web page or an archive does not.
_MODEL_KINDS = frozenset(("keras", "h5", "tflite", "tfjs", "graph-def", "saved-model-file"))

_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.DOTALL | re.I)
_TFJS = re.compile(rb'\s*\{.*"(?:modelTopology|weightsManifest|graph-model|layers-model)"', re.DOTALL)
_OP_NAME = re.compile(r"[A-Z_][A-Za-z0-9_>]*")


def is_web_page(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a web page."""
    return _HTML.match(head) is not None


def refuse(path: str) -> NoReturn:
    """Raise the error for a path that is not a directory with a graph."""
    if not os.path.isdir(path):
        kind = recognise(path)
        raise UnknownFormatError.other_format(path, kind) if kind else UnknownFormatError.nothing_known(path)
    names = sorted(os.listdir(path))
    if not names:
        raise UnknownFormatError.empty_directory(path)
    if not _COMPANIONS.isdisjoint(names):
        raise IntegrityError.missing_graph(path)
    child = _nested_model(path, names)
    if child:
        raise UnknownFormatError.nested_model(path, child)
    if {"config.json", "model.weights.h5"} <= set(names):
        raise UnknownFormatError.other_format(path, "keras")
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        raise UnknownFormatError.other_format(path, "checkpoint")
    for name in names[:_MANY]:
        file = os.path.join(path, name)
        kind = recognise(file) if os.path.isfile(file) else ""
        if kind in _MODEL_KINDS:
            raise UnknownFormatError.other_format(file, kind)
    raise UnknownFormatError.nothing_known(path, names)


def _nested_model(path: str, names: Sequence[str]) -> str:
    """The child that is a model: the highest version, as in TensorFlow Serving, else the first by name."""
    children = [name for name in names if graph_file_in(os.path.join(path, name))]
    versions = [name for name in children if name.isdecimal()]
    chosen = max(versions, key=int) if versions else next(iter(children), "")
    return os.path.join(path, chosen) if chosen else ""


def recognise(file: str) -> str:
    """The kind of a file, in the words of ``UnknownFormatError.other_format``; empty if it is unknown."""
    with reading(file):
        with open(file, "rb", buffering=0) as opened:
            head = opened.read(HEAD_BYTES)
        refuse_pointer_head(file, head)
        return next((kind for kind, fits in _KINDS if fits(file, head)), "")


def _is_keras(file: str, head: bytes) -> bool:
    if not head.startswith(b"PK\x03\x04"):
        return False
    import zipfile

    try:
        with zipfile.ZipFile(file) as archive:
            return {"config.json", "model.weights.h5"} <= set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return file.endswith(".keras")


def _is_archive(file: str, head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"\x1f\x8b")) or head[257:262] == b"ustar"


def _is_saved_model(file: str, head: bytes) -> bool:
    if os.path.basename(file) in GRAPH_FILES:
        return not _is_graph_def(file, head)
    return head.startswith(b"\x08\x01\x12") and _parses(file, _looks_like_saved_model)


def _is_graph_def(file: str, head: bytes) -> bool:
    return head.startswith(b"\x0a") and _parses(file, _looks_like_graph_def)


def _looks_like_saved_model(source: Source) -> bool:
    return Message(source, "SavedModel").message("meta_graphs").has("graph_def")


def _looks_like_graph_def(source: Source) -> bool:
    node = Message(source, "GraphDef").message("node")
    return bool(node.text("name")) and bool(_OP_NAME.fullmatch(node.text("op")))


def _parses(file: str, looks_right: Callable[[Source], bool]) -> bool:
    try:
        with open(file, "rb", buffering=0) as opened:
            return looks_right(Source(opened))
    except WireError:
        return False


# The first match wins.
_KINDS: Tuple[Tuple[str, Callable[[str, bytes], bool]], ...] = (
    ("html", lambda file, head: bool(_HTML.match(head))),
    ("h5", lambda file, head: head.startswith(b"\x89HDF\r\n\x1a\n")),
    ("keras", _is_keras),
    ("archive", _is_archive),
    ("tflite", lambda file, head: head[4:8] == b"TFL3"),
    ("tfjs", lambda file, head: bool(_TFJS.match(head))),
    ("saved-model-file", _is_saved_model),
    ("graph-def", _is_graph_def),
)
