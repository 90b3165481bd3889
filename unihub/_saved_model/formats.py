"""Detect the format of a directory, and open the ``SavedModel`` message in it.

Detection takes as long for a large model as for a small one. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
from typing import Iterator, Tuple

from unihub._saved_model.files import HUB_FILE, FileVersion, graph_file_in, reading
from unihub._saved_model.other_formats import recognise, refuse
from unihub._saved_model.text_format import encode_text
from unihub._saved_model.wire import Message, Source, WireError
from unihub._types import Format
from unihub.errors import IntegrityError, ModelNotFoundError, UnknownFormatError


def detect_format(path: str) -> Format:
    """The format of a directory.

    Args:
        path: A directory.

    Raises:
        ModelNotFoundError: The path does not exist.
        UnknownFormatError: It is not a supported model; the error names the actual format if it is known.
        IntegrityError: Its graph is missing or damaged.
    """
    with saved_model(path) as (message, _):
        # Reading all of them shows whether the file is complete.
        object_graphs = [meta_graph.has("object_graph_def") for meta_graph in message.messages("meta_graphs")]
    return name_format(path, any(object_graphs))


def name_format(path: str, has_object_graph: bool) -> Format:
    """The format of a directory whose graphs have been read."""
    if os.path.isfile(os.path.join(path, HUB_FILE)):
        return Format.TF1_HUB
    return Format.TF2_SAVED_MODEL if has_object_graph else Format.TF1_SAVED_MODEL


@contextlib.contextmanager
def saved_model(path: str) -> Iterator[Tuple[Message, FileVersion]]:
    """Open the ``SavedModel`` message of a directory; errors in the block become typed errors."""
    with _opened(graph_file(path)) as opened:
        yield opened


@contextlib.contextmanager
def same_model(known: FileVersion) -> Iterator[Message]:
    """Open the same message again.

    Raises:
        IntegrityError: The file has changed.
    """
    with _opened(known.name) as (message, version):
        if version != known:
            raise IntegrityError.changed(known.name)
        yield message


@contextlib.contextmanager
def _opened(file: str) -> Iterator[Tuple[Message, FileVersion]]:
    with reading(file), open(file, "rb", buffering=0) as opened:
        status = os.fstat(opened.fileno())
        is_text = file.endswith(".pbtxt")
        source = Source.of_bytes(encode_text(opened.read(), "SavedModel")) if is_text else Source(opened)
        message = Message(source, "SavedModel")
        if not message.has("meta_graphs"):
            raise WireError("it holds no graph", truncated=True)
        yield message, FileVersion(file, status.st_size, status.st_mtime_ns, status.st_ino)


def graph_file(path: str) -> str:
    """The file with the graphs of a model.

    Raises:
        ModelNotFoundError: The path does not exist.
        UnknownFormatError: It is not a supported model.
        IntegrityError: The file is missing, or is a git-lfs pointer.
    """
    if not os.path.exists(path):
        raise _missing(path)
    with reading(path):
        file = graph_file_in(path) if os.path.isdir(path) else ""
        if not file:
            refuse(path)
        kind = recognise(file)
        if kind not in ("", "saved-model-file"):
            raise UnknownFormatError.other_format(file, kind)
    return file


def _missing(path: str) -> ModelNotFoundError:
    parent = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    try:
        siblings = os.listdir(parent)
    except OSError:
        siblings = []
    return ModelNotFoundError.missing_path(path, parent, siblings)
