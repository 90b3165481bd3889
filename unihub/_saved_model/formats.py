"""Which files make which format, whether they are all there, and what else it is when it is no model of ours.

A path is told by what it holds, never by its name alone, and by the first bytes of a file or the headers of its
messages: looking costs no more for a large model than for a small one. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import re
from typing import Callable, Iterable, Iterator, List, NamedTuple, NoReturn, Sequence, Tuple

from unihub._saved_model import checkpoint_index
from unihub._saved_model.text_format import encode_text
from unihub._saved_model.wire import Message, Source, WireError
from unihub._types import Format
from unihub.errors import IntegrityError, ModelNotFoundError, UnihubError, UnknownFormatError

_GRAPH_FILES = ("saved_model.pb", "saved_model.pbtxt")  # TensorFlow, too, takes the first that is there
_HUB_FILE = "tfhub_module.pb"
# What a model has beside its graph.
FOLDERS = ("variables", "assets")
_INDEX_FILE = "variables/variables.index"
_SHARD_FILE = "variables/variables.data-{:05d}-of-{:05d}"

# What an exporter puts beside the graph, and so what a graph that is missing leaves behind.
_COMPANIONS = frozenset((_HUB_FILE, "variables", "keras_metadata.pb", "fingerprint.pb"))

_HEAD_BYTES = 1024
_BLOCK = 1 << 20
_MANY = 100

# In a directory of many things a web page or an archive says nothing of what the directory is.
_MODEL_KINDS = frozenset(("keras", "h5", "tflite", "tfjs", "graph-def", "saved-model-file"))

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\r?\n(?:.*?\nsize (\d+))?", re.DOTALL)
_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.DOTALL | re.I)
_TFJS = re.compile(rb'\s*\{.*"(?:modelTopology|weightsManifest|graph-model|layers-model)"', re.DOTALL)
_OP_NAME = re.compile(r"[A-Z_][A-Za-z0-9_>]*")


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


def is_web_page(head: bytes) -> bool:
    """Whether what was read of a file begins as a web page does."""
    return _HTML.match(head) is not None


def name_format(path: str, has_object_graph: bool) -> Format:
    """The format of a directory whose graphs were read already."""
    if os.path.isfile(os.path.join(path, _HUB_FILE)):
        return Format.TF1_HUB
    return Format.TF2_SAVED_MODEL if has_object_graph else Format.TF1_SAVED_MODEL


class GraphFile(NamedTuple):
    """The file with the graphs of a model, and what changes when another is put in its place."""

    name: str
    size: int
    time: int
    number: int


def graph_digest(file: str) -> str:
    """The SHA-256 of a file with graphs; it is read once in a process, while it stays the same."""
    status = os.stat(file)
    return _digest(GraphFile(file, status.st_size, status.st_mtime_ns, status.st_ino))


@functools.lru_cache(maxsize=32)
def _digest(known: GraphFile) -> str:
    digest = hashlib.sha256()
    with open(known.name, "rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


class ModelFile(NamedTuple):
    """A file below the directory of a model, and what changes when another is put in its place."""

    name: str
    size: int
    time: int
    number: int


def model_files(path: str) -> Tuple[ModelFile, ...]:
    """The files beside the graph of a model, in ``variables`` and in ``assets``, as they are now; none is opened."""
    beside = [(path, names) for _, _, names in itertools.islice(os.walk(path), 1)]
    below = [(parent, names) for folder in FOLDERS for parent, _, names in os.walk(os.path.join(path, folder))]
    files = (os.path.join(parent, name) for parent, names in beside + below for name in names)
    found, start = [], len(os.path.join(path, ""))
    for file in files:
        with contextlib.suppress(OSError):  # A link that leads nowhere.
            status = os.stat(file)
            found.append(ModelFile(file[start:], status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(sorted(found))


@contextlib.contextmanager
def saved_model(path: str) -> Iterator[Tuple[Message, GraphFile]]:
    """The ``SavedModel`` message of a directory, open while the block runs; what goes wrong in it is a typed error."""
    with _opened(graph_file(path)) as found:
        yield found


@contextlib.contextmanager
def same_model(known: GraphFile) -> Iterator[Message]:
    """The message once more.

    Raises:
        IntegrityError: The file is another one now.
    """
    with _opened(known.name) as (message, found):
        if found != known:
            raise IntegrityError.changed(known.name)
        yield message


@contextlib.contextmanager
def _opened(file: str) -> Iterator[Tuple[Message, GraphFile]]:
    with _reading(file), open(file, "rb", buffering=0) as opened:
        status = os.fstat(opened.fileno())
        is_text = file.endswith(".pbtxt")
        source = Source.of_bytes(encode_text(opened.read(), "SavedModel")) if is_text else Source(opened)
        message = Message(source, "SavedModel")
        if not message.has("meta_graphs"):
            raise WireError("it holds no graph", truncated=True)
        yield message, GraphFile(file, status.st_size, status.st_mtime_ns, status.st_ino)


def graph_file(path: str) -> str:
    """The file with the graphs of a model.

    Raises:
        ModelNotFoundError: Nothing is at the path.
        UnknownFormatError: It is no model of ours.
        IntegrityError: The file is missing, or only a pointer to it was fetched.
    """
    if not os.path.exists(path):
        raise _missing(path)
    with _reading(path):
        found = _graph_file_in(path) if os.path.isdir(path) else ""
        if not found:
            _refuse(path)
        kind = _recognise(found)
        if kind not in ("", "saved-model-file"):
            raise UnknownFormatError.other_format(found, kind)
    return found


def check_whole(path: str, has_variables: bool, assets: Iterable[str] = ()) -> None:
    """Checks that the values of the variables and the assets are there, as far as files and their lengths tell.

    Args:
        path: The directory of a model.
        has_variables: Whether its graphs have variables; the graphs know, the files may not be there to tell.
        assets: The names of its assets.

    Raises:
        IntegrityError: Something is missing, cut short, or only a pointer to it was fetched.
    """
    index = os.path.join(path, _INDEX_FILE)
    if os.path.isfile(index):
        _check_shards(path, index)
    elif has_variables:
        raise IntegrityError.missing_variables(path, [_INDEX_FILE])
    names = ["assets/" + name for name in assets]
    missing = _missing_files(path, names)
    if missing:
        raise IntegrityError.missing_assets(path, missing)
    for name in names:
        _refuse_pointer(os.path.join(path, name))


def _check_shards(path: str, index: str) -> None:
    with _reading(index):
        _refuse_pointer(index)
        contents = checkpoint_index.read_index(index)
        needed = sorted(contents.shard_bytes.items())
        shards = {_SHARD_FILE.format(shard, contents.shard_count): size for shard, size in needed}
        missing = _missing_files(path, shards)
        if missing:
            raise IntegrityError.missing_variables(path, missing)
        for name, size in shards.items():
            file = os.path.join(path, name)
            _refuse_pointer(file)
            if os.path.getsize(file) < size:
                raise IntegrityError.short_file(file, os.path.getsize(file), size)


def _missing_files(path: str, names: Iterable[str]) -> List[str]:
    # Python 3.7 raises an error for a name with a null in it.
    return [name for name in names if "\0" in name or not os.path.isfile(os.path.join(path, name))]


@contextlib.contextmanager
def _reading(file: str) -> Iterator[None]:
    """The one place where what is wrong with a file becomes an error of ours."""
    try:
        yield
    except UnihubError:
        raise
    except WireError as error:
        raise IntegrityError.damaged(file, str(error), error.truncated) from error
    except OSError as error:
        raise IntegrityError.unreadable(file, error.strerror or str(error)) from error


def _graph_file_in(path: str) -> str:
    files = [os.path.join(path, name) for name in _GRAPH_FILES]
    return next((file for file in files if os.path.isfile(file)), "")


def _missing(path: str) -> ModelNotFoundError:
    parent = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    try:
        siblings = os.listdir(parent)
    except OSError:
        siblings = []
    return ModelNotFoundError.missing_path(path, parent, siblings)


# What else it is.


def _refuse(path: str) -> NoReturn:
    """Raises what is right for a path that is no directory with a graph in it."""
    if not os.path.isdir(path):
        kind = _recognise(path)
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
        kind = _recognise(file) if os.path.isfile(file) else ""
        if kind in _MODEL_KINDS:
            raise UnknownFormatError.other_format(file, kind)
    raise UnknownFormatError.nothing_known(path, names)


def _nested_model(path: str, names: Sequence[str]) -> str:
    """The child that is a model: the highest version, as TensorFlow Serving does, else the first by name."""
    children = [name for name in names if _graph_file_in(os.path.join(path, name))]
    versions = [name for name in children if name.isdecimal()]
    chosen = max(versions, key=int) if versions else next(iter(children), "")
    return os.path.join(path, chosen) if chosen else ""


def _refuse_pointer(file: str) -> None:
    with _reading(file):
        # A pointer is a few lines.
        if os.path.getsize(file) <= _HEAD_BYTES:
            with open(file, "rb", buffering=0) as opened:
                _refuse_pointer_head(file, opened.read(_HEAD_BYTES))


def _refuse_pointer_head(file: str, head: bytes) -> None:
    pointer = _POINTER.match(head)
    if pointer:
        raise IntegrityError.git_lfs_pointer(file, int(pointer.group(1) or 0))


def _recognise(file: str) -> str:
    """The kind of a file, by the words of ``UnknownFormatError.other_format``; empty when nothing is known of it."""
    with _reading(file):
        with open(file, "rb", buffering=0) as opened:
            head = opened.read(_HEAD_BYTES)
        _refuse_pointer_head(file, head)
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
    if os.path.basename(file) in _GRAPH_FILES:
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


# The first that fits names the file.
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
