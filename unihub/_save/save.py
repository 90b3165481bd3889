"""unihub.save: create models, the third row of the compatibility matrix.

The steps: the format, the runtime, the row of the matrix, the backend, and an atomic directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, FrozenSet, Iterable, Mapping, Optional, Tuple

from unihub import errors
from unihub._call import tf_errors
from unihub._graph import export_dir as _export_dir
from unihub._plan import matrix, python_objects
from unihub._plan.plan import choose_backend
from unihub._plan.request import parse_word
from unihub._plan.runtime import Runtime, detect_runtime
from unihub._strategies import hub_backend
from unihub._tf import packages
from unihub._tf.types import Session, SpecNest, TfFunction
from unihub._types import Backend, Format, Operation, PathLike

# The tags of each graph variant of a module, and the arguments of the module function for it.
Variants = Tuple[Tuple[FrozenSet[str], Mapping[str, Any]], ...]


@dataclass(frozen=True)
class SaveRequest:
    """The arguments of ``save``, and what it decides.

    Attributes:
        obj: The object to save.
        inputs: Specs or examples of the inputs of a call; ``None`` if the object knows them.
        signatures: The caller's signatures by name.
        variants: The graph variants of a module.
        checkpoint: The prefix of the checkpoint with the values of a module's variables.
        session: The session that holds the variables, in a graph.
        runtime: How TensorFlow runs.
        backend: The backend that writes.
    """

    obj: Any
    inputs: Optional[SpecNest]
    signatures: Mapping[str, TfFunction]
    variants: Variants
    checkpoint: Optional[str]
    session: Optional[Session]
    runtime: Runtime
    backend: Backend


def save(
    obj: Any,
    export_dir: PathLike,
    *,
    format: str = "auto",
    inputs: Optional[SpecNest] = None,
    signatures: Optional[Mapping[str, TfFunction]] = None,
    variants: Optional[Iterable[Tuple[Iterable[str], Mapping[str, Any]]]] = None,
    checkpoint: Optional[PathLike] = None,
    session: Optional[Session] = None,
    overwrite: bool = False,
) -> str:
    """Write a model that TensorFlow Hub's users can load.

    Args:
        obj: For ``tf2-saved-model`` a Keras model, a ``tf.Module``, or a function of tensors. For ``tf1-hub`` a
            function that builds a graph and calls ``unihub.add_signature``, a ``hub.ModuleSpec``, or a module loaded
            by ``unihub.load`` or ``hub.Module`` and trained in a session.
        export_dir: The directory to write. It must not exist yet, or be empty.
        format: ``tf1-hub``, ``tf2-saved-model``, or ``auto``: ``tf1-hub`` for a module, a module spec, and a function
            with ``variants`` or a ``checkpoint``.
        inputs: For ``tf2-saved-model``: the inputs of a call, as a ``tf.TensorSpec`` or an example, or a nested
            structure of them. A Keras model that knows its inputs, and a ``tf.function`` that was called or has an
            ``input_signature``, need none.
        signatures: For ``tf2-saved-model``: functions by name. By default ``serving_default`` does what a call does.
        variants: For ``tf1-hub``: pairs of tags and arguments. The function is called with the arguments to build the
            variant, for example ``[(set(), {"training": False}), ({"train"}, {"training": True})]``.
        checkpoint: For ``tf1-hub`` from a function or a spec: the checkpoint with the values of its variables. By
            default the variables have their initial values.
        session: In a graph, the session that holds the variables; by default the current one.
        overwrite: Whether to replace what is at ``export_dir``.

    Returns:
        The absolute path of the directory.

    Raises:
        UnsupportedError: The compatibility matrix refuses it.
        HandleError: Something is at ``export_dir`` already.
        InputError, SignatureError, TagsError: The arguments do not describe a model.
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
    wanted = parse_word(Format, "format", format) or _guess_format(obj, bool(variants), bool(checkpoint))
    runtime = detect_runtime()
    cell = matrix.lookup(wanted, Operation.CREATE, runtime.mode, runtime.tensorflow)
    if not cell.supported:
        raise errors.UnsupportedError.refused(cell, path)
    service = hub_backend.choose(lambda here: choose_backend(cell.choices[0].api, None, here, matrix.WRITERS), runtime)
    request = SaveRequest(
        obj=obj,
        inputs=inputs,
        signatures=signatures or {},
        variants=tuple((frozenset(tags), dict(arguments)) for tags, arguments in variants or ()),
        checkpoint=None if checkpoint is None else str(checkpoint),
        session=session or packages.import_tensorflow().compat.v1.get_default_session(),
        runtime=runtime,
        backend=service.backend,
    )
    with _export_dir.writing(path, overwrite) as directory, tf_errors.saving(path):
        matrix.import_strategy(service.strategy)(request, directory)
    return path


def _guess_format(obj: object, has_variants: bool, has_checkpoint: bool) -> Format:
    is_module = python_objects.is_module_spec(obj) or hasattr(obj, "variable_map")
    return Format.TF1_HUB if is_module or has_variants or has_checkpoint else Format.TF2_SAVED_MODEL
