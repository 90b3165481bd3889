"""A SavedModel cut down to what one use of it needs, which TensorFlow loads many times faster.

Loading a SavedModel is rebuilding each of its functions in Python, and Keras writes hundreds that no caller needs. The
part is a SavedModel of its own in the cache: a new ``saved_model.pb`` beside links to the untouched variables and
assets. What must stay true: a model that is not understood, or of which the part does not load, is loaded whole.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from typing import Any, Callable, List, Optional, Set

from unihub._audit import requirements
from unihub._partial import deferred_gradients, parallel_restore
from unihub._resolve import cache
from unihub._saved_model import files
from unihub._tf import saved_model
from unihub._tf.strategy import current_strategy
from unihub._types import Use

_log = logging.getLogger(__name__)

# A part that another version of this code made may be another part.
_VERSION = "7"
_GROUP = "parts"
_GRAPH = "saved_model.pb"
_WHOLE = "whole.txt"
_ABOUT = "part.json"
_GRADIENTS = "gradients.pb"
_BESIDE = tuple(os.path.join(folder, "") for folder in files.FOLDERS)

# A part with more of the functions than this is hardly loaded sooner than the whole.
_WORTH_IT = 0.8
# Reading and writing a graph full of constants takes longer than loading the functions it would save.
_BYTES_PER_FUNCTION = 1 << 20
_NODES_PER_FUNCTION = 20


class NotWorthIt(Exception):
    """The part would be loaded no sooner than the whole."""


def load(plan: Any) -> Any:
    """Loads a model with ``tf.saved_model.load``: the part that the plan's use needs, or all of it.

    Args:
        plan: What to load, and for which use.

    Returns:
        What TensorFlow gives back.
    """
    if plan.use is not None:
        found = load_part(plan, plan.use)
        if found is not None:
            return found
        requirements.import_packages(requirements.ops_of_whole(plan))
    return saved_model.load_saved_model(plan.source, plan.tags, plan.request.load_options)


def load_part(plan: Any, use: Use) -> Optional[Any]:
    """The same for the part that a use needs; ``None`` where there is none, or it cannot be loaded."""
    place = find_part(plan, use)
    if place is None:
        return None
    try:
        return _load_from(place, plan, use)
    except Exception as exc:  # Whatever it is, the whole may load, or tells better what is wrong.
        _log.debug("%s is loaded whole, for its part could not be: %s", plan.source, exc, exc_info=True)
        return None


def _load_from(place: str, plan: Any, use: Use) -> Any:
    with open(os.path.join(place, _ABOUT), encoding="utf-8") as opened:
        about = json.load(opened)
    requirements.import_packages(about["ops"])
    loaded = _load_with_values(place, plan, about["values"])
    if about["gradients"]:
        with open(os.path.join(place, _GRADIENTS), "rb") as packed:
            deferred_gradients.register(packed.read(), about["gradients"], loaded.signatures[use.signature])
    return loaded


def _load_with_values(place: str, plan: Any, values: Optional[List[Any]]) -> Any:
    """Loads a part, and restores its variables at once where that comes to the same."""
    is_simple = plan.request.load_options is None and current_strategy() is None
    options = saved_model.without_checkpoint() if is_simple and values is not None else None
    if options is None or values is None:
        return saved_model.load_saved_model(place, plan.tags, plan.request.load_options)
    where = os.path.join(place, "variables", "variables")
    with parallel_restore.reading(where, [parallel_restore.Value(*value) for value in values]) as assign:
        loaded = saved_model.load_saved_model(place, plan.tags, options)
        assign(loaded)
    return loaded


def find_part(plan: Any, use: Use) -> Optional[str]:
    """The directory of the part of a model that a use needs, made first if it is not there.

    Args:
        plan: The model and its variant.
        use: What it is loaded for.

    Returns:
        The directory of the part; ``None`` when the whole is to be loaded.
    """
    try:
        _check_size(plan)
        place = cache.entry(_GROUP, _name(plan, use), lambda empty: _fill(empty, plan, use))
        reason = os.path.join(place, _WHOLE)
        if not os.path.exists(reason):
            return place
        with open(reason, encoding="utf-8") as file:
            _log.debug("%s is loaded whole: %s", plan.source, file.read())
    except Exception as exc:  # The whole can always be loaded.
        _log.debug("%s is loaded whole: %s", plan.source, exc, exc_info=True)
    return None


def _check_size(plan: Any) -> None:
    contents = plan.meta_graph.contents
    # The larger the file, the more must be in it; no more is counted than that.
    many = os.path.getsize(os.path.join(plan.source, _GRAPH)) // _BYTES_PER_FUNCTION
    if not (contents.has_functions(many) or contents.has_nodes(many * _NODES_PER_FUNCTION)):
        raise NotWorthIt("its graph is {:,} MiB long and has few functions and nodes".format(many))


def fingerprint(path: str) -> str:
    """What tells the files of a model from all others: the graph's contents, and where and of what age the rest is.

    The rest may be gigabytes, and is not read.
    """
    digest = hashlib.sha256(files.graph_digest(os.path.join(path, _GRAPH)).encode("ascii"))
    place = os.path.realpath(path)
    digest.update(place.encode("utf-8", "surrogateescape"))
    for name, size, time, _ in files.model_files(place):
        if name.startswith(_BESIDE):
            digest.update("{} {} {}\n".format(name, size, time).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _name(plan: Any, use: Use) -> str:
    text = "\n".join((_VERSION, fingerprint(plan.source), repr(sorted(plan.tags)), repr((use.signature, use.layer))))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _fill(directory: str, plan: Any, use: Use) -> None:
    """Writes the part into an empty directory; or why there is none, so that nobody looks for it again."""
    from unihub._graph.unsupported import NotUnderstood

    try:
        reached = _cut(plan, use)
    except (NotUnderstood, NotWorthIt) as exc:
        with open(os.path.join(directory, _WHOLE), "w", encoding="utf-8") as file:
            file.write(str(exc))
        return
    for folder in files.FOLDERS:
        if os.path.isdir(os.path.join(plan.source, folder)):
            _link(os.path.join(os.path.realpath(plan.source), folder), os.path.join(directory, folder))
    message = saved_model.saved_model_message()(saved_model_schema_version=1)
    message.meta_graphs.add().CopyFrom(reached.meta_graph)
    with open(os.path.join(directory, _GRAPH), "wb") as file:
        file.write(message.SerializeToString())
    if reached.gradients:
        with open(os.path.join(directory, _GRADIENTS), "wb") as file:
            file.write(deferred_gradients.pack(reached.gradients, reached.meta_graph.graph_def.versions))
    about = {
        "ops": sorted(_ops_of(reached.meta_graph.graph_def)),
        "values": reached.values,
        "gradients": {name: later.place for name, later in reached.gradients.items()},
    }
    with open(os.path.join(directory, _ABOUT), "w", encoding="utf-8") as texts:
        json.dump(about, texts)


def _cut(plan: Any, use: Use) -> Any:
    from unihub._partial import object_graph_cut, tf1_graph_cut

    meta_graphs = [
        each for each in saved_model.read_meta_graphs(plan.source) if set(each.meta_info_def.tags) == plan.tags
    ]
    (meta_graph,) = meta_graphs
    if meta_graph.HasField("object_graph_def"):
        reached = object_graph_cut.cut(meta_graph, saved_model.read_checkpoint_objects(plan.source), use)
    else:
        reached = tf1_graph_cut.cut(meta_graph, use)
    if reached.kept > _WORTH_IT * reached.of:
        raise NotWorthIt("{} of {} of its functions or nodes are needed".format(reached.kept, reached.of))
    return reached


def _ops_of(graph_def: Any) -> Set[str]:
    functions = graph_def.library.function
    graphs = [graph_def.node] + [function.node_def for function in functions]
    # TensorFlow 1 calls a function by a node whose op is the function's name.
    return {node.op for nodes in graphs for node in nodes} - {function.signature.name for function in functions}


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
