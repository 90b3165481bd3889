"""Which format a directory has, and the ``SavedModel`` message in it.

Looking costs no more for a large model than for a small one. Nothing here imports TensorFlow.
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
    """Which of our formats a directory has.

    Args:
        path: A directory.

    Raises:
        ModelNotFoundError: Nothing is there.
        UnknownFormatError: It is no model of ours; the error says what it is, where that can be seen.
        IntegrityError: It was a model, but its graph is missing or damaged.
    """
    with saved_model(path) as (message, _):
        # Walking all of them shows whether the file goes on to its end.
        object_graphs = [meta_graph.has("object_graph_def") for meta_graph in message.messages("meta_graphs")]
    return name_format(path, any(object_graphs))


def name_format(path: str, has_object_graph: bool) -> Format:
    """The format of a directory whose graphs were read already."""
    if os.path.isfile(os.path.join(path, HUB_FILE)):
        return Format.TF1_HUB
    return Format.TF2_SAVED_MODEL if has_object_graph else Format.TF1_SAVED_MODEL


@contextlib.contextmanager
def saved_model(path: str) -> Iterator[Tuple[Message, FileVersion]]:
    """The ``SavedModel`` message of a directory, open while the block runs; what goes wrong in it is a typed error."""
    with _opened(graph_file(path)) as found:
        yield found


@contextlib.contextmanager
def same_model(known: FileVersion) -> Iterator[Message]:
    """The message once more.

    Raises:
        IntegrityError: The file is another one now.
    """
    with _opened(known.name) as (message, found):
        if found != known:
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
        ModelNotFoundError: Nothing is at the path.
        UnknownFormatError: It is no model of ours.
        IntegrityError: The file is missing, or only a pointer to it was fetched.
    """
    if not os.path.exists(path):
        raise _missing(path)
    with reading(path):
        found = graph_file_in(path) if os.path.isdir(path) else ""
        if not found:
            refuse(path)
        kind = recognise(found)
        if kind not in ("", "saved-model-file"):
            raise UnknownFormatError.other_format(found, kind)
    return found


def _missing(path: str) -> ModelNotFoundError:
    parent = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    try:
        siblings = os.listdir(parent)
    except OSError:
        siblings = []
    return ModelNotFoundError.missing_path(path, parent, siblings)
