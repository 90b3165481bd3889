"""Handles that are objects: a callable with the interface of a Reusable SavedModel, or a ``hub.ModuleSpec``.

They have no files to read, so what inspect tells of a directory is asked of the object here.
"""

from __future__ import annotations

import inspect
from typing import Any, Tuple

from unihub import errors
from unihub._saved_model.model_info import Call, Contents, MetaGraph, ModelInfo, Variable
from unihub._tf import functions
from unihub._types import Format, Signature, Tensor

_KINDS = {True: "sparse", False: "dense"}


def is_object(handle: Any) -> bool:
    """Whether a handle is an object, and names no place."""
    return is_module_spec(handle) or (callable(handle) and not isinstance(handle, type))


def is_module_spec(handle: Any) -> bool:
    """Whether it is a ``hub.ModuleSpec``, told by its interface, so that tensorflow_hub need not be imported."""
    return all(hasattr(handle, name) for name in ("get_tags", "get_signature_names", "get_input_info_dict"))


def describe(handle: Any) -> ModelInfo:
    """What an object is, in the words of inspect.

    Args:
        handle: A callable or a ``hub.ModuleSpec``.

    Returns:
        Its format and variants; ``path`` is its type's name.

    Raises:
        HandleError: It cannot be described.
    """
    path = "<{}>".format(getattr(handle, "__name__", type(handle).__name__))
    if is_module_spec(handle):
        variants = tuple(_describe_variant(handle, tags) for tags in handle.get_tags())
        return ModelInfo(path, Format.TF1_HUB, variants)
    return ModelInfo(path, Format.TF2_SAVED_MODEL, (_describe_callable(handle, path),))


def _describe_variant(spec: Any, tags: Any) -> MetaGraph:
    names = sorted(spec.get_signature_names(tags))
    signatures = tuple(
        Signature(
            name,
            _describe_tensors(spec.get_input_info_dict(name, tags)),
            _describe_tensors(spec.get_output_info_dict(name, tags)),
        )
        for name in names
    )
    # A spec does not tell its variables before it is instantiated, so the strategy checks what there is to train.
    return MetaGraph(tags=frozenset(tags), signatures=signatures)


def _describe_tensors(infos: Any) -> Tuple[Tensor, ...]:
    return tuple(
        Tensor(
            name,
            info.dtype.name,
            None if info.get_shape().ndims is None else tuple(info.get_shape().as_list()),
            _KINDS[bool(info.is_sparse)],
        )
        for name, info in sorted(infos.items())
    )


def _describe_callable(handle: Any, path: str) -> MetaGraph:
    try:
        arguments = functions.restored_arguments(handle) or tuple(inspect.signature(handle).parameters)
    except (TypeError, ValueError) as exc:
        raise errors.HandleError.unusable(path, "its arguments cannot be read: {}".format(exc)) from exc
    variables = tuple(
        Variable(variable.name.split(":")[0], variable.dtype.name, tuple(variable.shape.as_list()), variable.trainable)
        for variable in getattr(handle, "variables", ())
    )
    return MetaGraph(
        tags=frozenset({"serve"}),
        signatures=(),
        contents=Contents(variables=variables),
        has_object_graph=True,
        call=Call(arguments, traces=0),
    )
