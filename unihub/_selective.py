"""A SavedModel cut down to what one use of it needs, which TensorFlow loads many times faster.

Loading a SavedModel is rebuilding each of its functions in Python, and Keras writes hundreds that no caller needs. The
part is a SavedModel of its own in the cache: a new ``saved_model.pb`` beside links to the untouched variables and
assets. What must stay true: a model that is not understood, or of which the part does not load, is loaded whole.
"""
from __future__ import annotations

import hashlib
import logging
import os
import shutil
from typing import Any, Callable, Iterator, Tuple

from unihub import _compat
from unihub._resolve import cache

_log = logging.getLogger(__name__)

# A part that another version of this code made may be another part.
_VERSION = "1"
_GROUP = "parts"
_GRAPH = "saved_model.pb"
_WHOLE = "whole.txt"
_LINKED = ("variables", "assets")
_BLOCK = 1 << 20

# A part with more of the functions than this is hardly loaded sooner than the whole.
_WORTH_IT = 0.8
# Reading and writing a graph full of constants takes longer than loading the functions it would save.
_BYTES_PER_FUNCTION = 1 << 20


class NotWorthIt(Exception):
    """The part would be loaded no sooner than the whole."""


def load(plan: Any) -> Any:
    """Loads a model with ``tf.saved_model.load``: the part that the plan's use needs, or all of it.

    Args:
        plan: What to load, and for which use.

    Returns:
        What TensorFlow gives back.
    """
    place = plan.source if plan.use is None else find_part(plan.source, plan)
    if place != plan.source:
        try:
            return _compat.load_saved_model(place, plan.tags, plan.request.load_options)
        except Exception as exc:  # Whatever it is, the whole may load, or tells better what is wrong.
            _log.debug("%s is loaded whole, for its part could not be: %s", plan.source, exc, exc_info=True)
    return _compat.load_saved_model(plan.source, plan.tags, plan.request.load_options)


def find_part(path: str, plan: Any) -> str:
    """The directory of the part of a model that a use needs, made first if it is not there.

    Args:
        path: The directory of the model.
        plan: The use, and the variant.

    Returns:
        The directory of the part; ``path`` itself when the whole is to be loaded.
    """
    try:
        count = plan.meta_graph.function_count
        if os.path.getsize(os.path.join(path, _GRAPH)) > count * _BYTES_PER_FUNCTION:
            raise NotWorthIt("its graph is large and has few functions")
        place = cache.entry(_GROUP, _name(path, plan.use), lambda empty: _fill(empty, path, plan.use))
        if os.path.exists(os.path.join(place, _WHOLE)):
            with open(os.path.join(place, _WHOLE), encoding="utf-8") as file:
                raise NotWorthIt(file.read())
        return place
    except NotWorthIt as exc:
        _log.debug("%s is loaded whole: %s", path, exc)
    except Exception as exc:  # The whole can always be loaded.
        _log.debug("%s is loaded whole: %s", path, exc, exc_info=True)
    return path


def fingerprint(path: str) -> str:
    """What tells the files of a model from all others: the graph's contents, and where and of what age the rest is.

    The rest may be gigabytes, and is not read.
    """
    digest = hashlib.sha256()
    with open(os.path.join(path, _GRAPH), "rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            digest.update(block)
    place = os.path.realpath(path)
    digest.update(place.encode("utf-8", "surrogateescape"))
    for folder in _LINKED:
        for name, status in _files_below(os.path.join(place, folder)):
            line = "{} {} {}\n".format(name, status.st_size, status.st_mtime_ns)
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files_below(directory: str) -> Iterator[Tuple[str, os.stat_result]]:
    for parent, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(parent, name)
            yield os.path.relpath(file, directory), os.stat(file)


def _name(path: str, use: Any) -> str:
    text = "\n".join((_VERSION, fingerprint(path), repr(use.signature), repr(use.layer)))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _fill(directory: str, path: str, use: Any) -> None:
    """Writes the part into an empty directory; or why there is none, so that nobody looks for it again."""
    from unihub._backends import reached_objects

    try:
        (meta_graph,) = _compat.read_meta_graphs(path)
        reached = reached_objects.cut(meta_graph, _compat.read_checkpoint_objects(path), use)
        if reached.functions > _WORTH_IT * reached.all_functions:
            raise NotWorthIt("{} of {} functions are needed".format(reached.functions, reached.all_functions))
    except (reached_objects.NotUnderstood, NotWorthIt) as exc:
        with open(os.path.join(directory, _WHOLE), "w", encoding="utf-8") as file:
            file.write(str(exc))
        return
    for folder in _LINKED:
        if os.path.isdir(os.path.join(path, folder)):
            _link(os.path.join(os.path.realpath(path), folder), os.path.join(directory, folder))
    saved_model = _compat.saved_model_message()(saved_model_schema_version=1)
    saved_model.meta_graphs.add().CopyFrom(reached.meta_graph)
    with open(os.path.join(directory, _GRAPH), "wb") as file:
        file.write(saved_model.SerializeToString())


def _link(folder: str, place: str) -> None:
    """A link to a folder; where the system makes none, a folder of links to its files, or of copies."""
    try:
        os.symlink(folder, place, target_is_directory=True)
    except (OSError, NotImplementedError):
        shutil.copytree(folder, place, copy_function=_link_file)


def _link_file(file: str, place: str) -> None:
    link: Callable[[str, str], None]
    for link in (os.link, _copy):
        try:
            link(file, place)
            return
        except OSError:
            if link is _copy:
                raise


def _copy(file: str, place: str) -> None:
    shutil.copyfile(file, place)
