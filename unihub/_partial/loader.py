"""Load the subset of a SavedModel that one use needs, which TensorFlow loads many times faster than the full model.

TensorFlow rebuilds each function of a SavedModel in Python, and Keras writes hundreds that no caller needs. The subset
is a SavedModel of its own in the cache: a new ``saved_model.pb`` beside links to the variables and assets of the full
model. A model that unihub cannot follow, or whose subset does not load, is loaded in full.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from typing import TYPE_CHECKING, Callable, List, Optional, Set

from unihub._audit import requirements
from unihub._graph.unsupported import NotUnderstood
from unihub._partial import deferred_gradients, parallel_restore
from unihub._resolve import cache
from unihub._saved_model import files
from unihub._tf import saved_model
from unihub._tf.strategy import current_strategy
from unihub._types import Use

if TYPE_CHECKING:
    from unihub._partial.subset import Subset
    from unihub._plan.plan import Plan
    from unihub._tf.types import GraphDef, Trackable

_log = logging.getLogger("unihub")

# Changes whenever this code makes other subsets than before.
_VERSION = "9"
# A group of the cache; the name is older than the word subset.
_GROUP = "parts"
_GRAPH = "saved_model.pb"
_NO_SUBSET = "no_subset.txt"
_ABOUT = "subset.json"
_GRADIENTS = "gradients.pb"
_FOLDERS = tuple(os.path.join(folder, "") for folder in files.FOLDERS)

# A subset with a larger share of the functions than this loads hardly faster than the full model.
_WORTH_IT = 0.8
# Reading and writing a graph full of constants takes longer than loading the functions that a subset saves.
_BYTES_PER_FUNCTION = 1 << 20
_NODES_PER_FUNCTION = 20


class NotWorthIt(Exception):
    """The subset would load no faster than the full model."""


def load(plan: Plan) -> Trackable:
    """Load a model with ``tf.saved_model.load``: the subset that the plan's use needs, or the full model.

    Args:
        plan: What to load, and for which use.

    Returns:
        The object that TensorFlow returns.
    """
    if plan.use is not None:
        loaded = load_subset(plan, plan.use)
        if loaded is not None:
            return loaded
        requirements.import_packages(requirements.ops_of_full_model(plan))
    return saved_model.load_saved_model(plan.source, plan.tags, plan.request.load_options)


def load_subset(plan: Plan, use: Use) -> Optional[Trackable]:
    """Load the subset that a use needs; ``None`` if there is none, or if it does not load."""
    directory = find_subset(plan, use)
    if directory is None:
        return None
    try:
        return _load_from(directory, plan, use)
    except Exception as exc:  # Whatever it is, the full model may load, or gives the better error.
        _log.debug("%s is loaded in full, because its subset did not load: %s", plan.source, exc, exc_info=True)
        return None


def _load_from(directory: str, plan: Plan, use: Use) -> Trackable:
    with open(os.path.join(directory, _ABOUT), encoding="utf-8") as opened:
        about = json.load(opened)
    requirements.import_packages(about["ops"])
    values = about["values"]
    values = None if values is None else [parallel_restore.Value(*value) for value in values]
    loaded = _load_with_values(directory, plan, values)
    if about["gradients"]:
        with open(os.path.join(directory, _GRADIENTS), "rb") as packed:
            deferred_gradients.register(packed.read(), about["gradients"], loaded.signatures[use.signature])
    return loaded


def _load_with_values(directory: str, plan: Plan, values: Optional[List[parallel_restore.Value]]) -> Trackable:
    """Load a subset, and restore its variables in parallel where that gives the same result."""
    is_simple = plan.request.load_options is None and current_strategy() is None
    options = saved_model.without_checkpoint() if is_simple and values is not None else None
    if options is None or values is None:
        return saved_model.load_saved_model(directory, plan.tags, plan.request.load_options)
    with parallel_restore.reading(os.path.join(directory, "variables", "variables"), values) as assign:
        loaded = saved_model.load_saved_model(directory, plan.tags, options)
        assign(loaded)
    return loaded


def find_subset(plan: Plan, use: Use) -> Optional[str]:
    """Find the subset of a model that a use needs, and write it to the cache first if it is not there.

    Args:
        plan: The model and its variant.
        use: What it is loaded for.

    Returns:
        The directory of the subset; ``None`` if the full model is to be loaded.
    """
    try:
        _check_size(plan)
        directory = cache.entry(_GROUP, _name(plan, use), lambda empty: _fill(empty, plan, use))
        reason = os.path.join(directory, _NO_SUBSET)
        if not os.path.exists(reason):
            return directory
        with open(reason, encoding="utf-8") as file:
            _log.debug("%s is loaded in full: %s", plan.source, file.read())
    except Exception as exc:  # The full model can always be loaded.
        _log.debug("%s is loaded in full: %s", plan.source, exc, exc_info=True)
    return None


def _check_size(plan: Plan) -> None:
    contents = plan.meta_graph.contents
    # The larger the file, the more functions or nodes must be in it; counting stops at this number.
    least = os.path.getsize(os.path.join(plan.source, _GRAPH)) // _BYTES_PER_FUNCTION
    if not (contents.has_functions(least) or contents.has_nodes(least * _NODES_PER_FUNCTION)):
        raise NotWorthIt("its graph is {:,} MiB long and has few functions and nodes".format(least))


def fingerprint(path: str) -> str:
    """A digest that identifies the files of a model: the graph's contents, and the names, sizes and times of the rest.

    The rest may be gigabytes, and is not read.
    """
    digest = hashlib.sha256(files.graph_digest(os.path.join(path, _GRAPH)).encode("ascii"))
    directory = os.path.realpath(path)
    digest.update(directory.encode("utf-8", "surrogateescape"))
    for name, size, time, _ in files.model_files(directory):
        if name.startswith(_FOLDERS):
            digest.update("{} {} {}\n".format(name, size, time).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _name(plan: Plan, use: Use) -> str:
    text = "\n".join((_VERSION, fingerprint(plan.source), repr(sorted(plan.tags)), repr((use.signature, use.layer))))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _fill(directory: str, plan: Plan, use: Use) -> None:
    """Write the subset into an empty directory, or the reason why there is none, so that it is not tried again."""
    try:
        subset = _cut(plan, use)
    except (NotUnderstood, NotWorthIt) as exc:
        with open(os.path.join(directory, _NO_SUBSET), "w", encoding="utf-8") as file:
            file.write(str(exc))
        return
    for folder in files.FOLDERS:
        if os.path.isdir(os.path.join(plan.source, folder)):
            _link(os.path.join(os.path.realpath(plan.source), folder), os.path.join(directory, folder))
    message = saved_model.saved_model_message()(saved_model_schema_version=1)
    message.meta_graphs.add().CopyFrom(subset.meta_graph)
    with open(os.path.join(directory, _GRAPH), "wb") as binary:
        binary.write(message.SerializeToString())
    if subset.gradients:
        with open(os.path.join(directory, _GRADIENTS), "wb") as binary:
            binary.write(deferred_gradients.pack(subset.gradients, subset.meta_graph.graph_def.versions))
    about = {
        "ops": sorted(_ops_of(subset.meta_graph.graph_def)),
        "values": subset.values,
        "gradients": {name: gradient.description for name, gradient in subset.gradients.items()},
    }
    with open(os.path.join(directory, _ABOUT), "w", encoding="utf-8") as file:
        json.dump(about, file)


def _cut(plan: Plan, use: Use) -> Subset:
    from unihub._partial import object_graph_cut, tf1_graph_cut

    meta_graphs = saved_model.read_meta_graphs(plan.source)
    (meta_graph,) = [each for each in meta_graphs if set(each.meta_info_def.tags) == plan.tags]
    if meta_graph.HasField("object_graph_def"):
        checkpoint = saved_model.read_checkpoint_objects(plan.source)
        subset = object_graph_cut.cut(meta_graph, checkpoint, use)
    else:
        subset = tf1_graph_cut.cut(meta_graph, use)
    if subset.kept > _WORTH_IT * subset.of:
        raise NotWorthIt("{} of {} of its functions or nodes are needed".format(subset.kept, subset.of))
    return subset


def _ops_of(graph_def: GraphDef) -> Set[str]:
    functions = graph_def.library.function
    graphs = [graph_def.node] + [function.node_def for function in functions]
    # TensorFlow 1 calls a function by a node whose op is the function's name.
    return {node.op for nodes in graphs for node in nodes} - {function.signature.name for function in functions}


def _link(folder: str, link: str) -> None:
    """Link to a folder; where the system does not allow it, make a folder of links to its files, or of copies."""
    try:
        os.symlink(folder, link, target_is_directory=True)
    except (OSError, NotImplementedError):
        shutil.copytree(folder, link, copy_function=_link_file)


def _link_file(file: str, target: str) -> None:
    method: Callable[[str, str], None]
    for method in (os.link, _copy):
        try:
            method(file, target)
            return
        except OSError:
            if method is _copy:
                raise


def _copy(file: str, target: str) -> None:
    shutil.copyfile(file, target)
