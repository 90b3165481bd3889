"""Creating models: the third row of the matrix.

The way of ``load``, backwards: what is to be saved, the runtime, the row of the matrix, who writes it, and a directory
that appears when it is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, FrozenSet, Iterable, Mapping, Optional, Tuple

from unihub import errors
from unihub._call import tf_errors
from unihub._graph import export_dir as _export_dir
from unihub._plan import matrix, python_objects
from unihub._plan.plan import choose_server
from unihub._plan.request import parse_word
from unihub._plan.runtime import Runtime, detect_runtime
from unihub._tf import packages
from unihub._types import Backend, Format, Operation

Variants = Iterable[Tuple[Iterable[str], Mapping[str, Any]]]


@dataclass(frozen=True)
class SaveRequest:
    """What the caller asked for, and what was decided.

    Attributes:
        obj: What is to be saved.
        inputs: What a call takes, as the caller gave it; ``None`` where the object tells.
        signatures: The signatures by name, as the caller gave them.
        variants: The graph variants of a module: the tags, and the arguments of the module function for them.
        checkpoint: The prefix of the checkpoint that a module's variables come from.
        session: The session that holds the variables, in a graph.
        runtime: How TensorFlow runs.
        backend: Who writes.
    """

    obj: Any
    inputs: Any
    signatures: Mapping[str, Any]
    variants: Tuple[Tuple[FrozenSet[str], Mapping[str, Any]], ...]
    checkpoint: Optional[str]
    session: Any
    runtime: Runtime
    backend: Backend


def save(
    obj: Any,
    export_dir: Any,
    *,
    format: str = "auto",
    inputs: Any = None,
    signatures: Optional[Mapping[str, Any]] = None,
    variants: Optional[Variants] = None,
    checkpoint: Any = None,
    session: Any = None,
    overwrite: bool = False,
) -> str:
    """Writes a model that TensorFlow Hub's users can load.

    Args:
        obj: For ``tf2-saved-model`` a Keras model, a ``tf.Module``, or a function of tensors. For ``tf1-hub`` a
            function that builds a graph and calls ``unihub.add_signature``, a ``hub.ModuleSpec``, or a module that
            was loaded (by ``unihub.load`` or ``hub.Module``) and trained in a session.
        export_dir: The directory to write; nothing may be there yet.
        format: ``tf1-hub``, ``tf2-saved-model``, or ``auto``: ``tf1-hub`` for a module, a module spec, and a function
            that comes with ``variants`` or a ``checkpoint``.
        inputs: For ``tf2-saved-model``: what a call takes, as a ``tf.TensorSpec`` or an example, or a nest of them. A
            Keras model that knows its inputs, and a ``tf.function`` that was called or has an ``input_signature``,
            need none.
        signatures: For ``tf2-saved-model``: functions by name. By default ``serving_default`` is what a call does.
        variants: For ``tf1-hub``: pairs of tags and of arguments with which the function is called to build the
            variant, such as ``[(set(), {"training": False}), ({"train"}, {"training": True})]``.
        checkpoint: For ``tf1-hub`` from a function or a spec: the checkpoint that has its variables; by default they
            have their initial values.
        session: In a graph, the session that holds the variables; by default the current one.
        overwrite: Whether what is at ``export_dir`` may be replaced.

    Returns:
        The absolute path of the directory.

    Raises:
        UnsupportedError: The compatibility matrix refuses it.
        HandleError: Something is at ``export_dir`` already.
        InputError, SignatureError, TagsError: The arguments do not make a model.
        RuntimeUnavailableError: A package is missing, or too old or too new.
        LoadError: TensorFlow cannot write it.

    Example:
        >>> import tempfile, tensorflow as tf, unihub
        >>> target = tempfile.mkdtemp()
        >>> _ = unihub.save(lambda x: 2 * x, target, inputs=tf.TensorSpec([None], tf.float32))
        >>> unihub.load(target)([1.0, 2.0]).numpy().tolist()
        [2.0, 4.0]
    """
    path = _export_dir.check(export_dir, overwrite)
    wanted = parse_word(Format, "format", format) or _guess_format(obj, variants, checkpoint)
    runtime = detect_runtime()
    cell = matrix.lookup(wanted, Operation.CREATE, runtime.mode, runtime.tensorflow)
    if not cell.supported:
        raise errors.UnsupportedError.refused(cell, path)
    server = choose_server(cell.choices[0].api, None, runtime, matrix.WRITERS)
    request = SaveRequest(
        obj=obj,
        inputs=inputs,
        signatures=signatures or {},
        variants=tuple((frozenset(tags), dict(arguments)) for tags, arguments in variants or ()),
        checkpoint=None if checkpoint is None else str(checkpoint),
        session=session or packages.import_tensorflow().compat.v1.get_default_session(),
        runtime=runtime,
        backend=server.backend,
    )
    with _export_dir.writing(path, overwrite) as directory, tf_errors.saving(path):
        matrix.import_strategy(server.strategy)(request, directory)
    return path


def _guess_format(obj: Any, variants: Any, checkpoint: Any) -> Format:
    is_module = python_objects.is_module_spec(obj) or hasattr(obj, "variable_map")
    return Format.TF1_HUB if is_module or variants or checkpoint else Format.TF2_SAVED_MODEL
