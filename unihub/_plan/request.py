"""What the caller asks for: the arguments of ``load``, parsed and checked before anything is read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, FrozenSet, Iterable, Mapping, Optional, Tuple, Type, TypeVar

from unihub import errors
from unihub._audit import trust as _trust
from unihub._audit.trust import Trust
from unihub._types import Api, Keras, Operation, StrEnum

_W = TypeVar("_W", bound=StrEnum)


@dataclass(frozen=True)
class Request:
    """What the caller asked for: the arguments of ``load``, parsed."""

    trainable: bool = False
    signature: Optional[str] = None
    tags: Optional[FrozenSet[str]] = None
    output_key: Optional[str] = None
    as_dict: bool = False
    api: Optional[Api] = None
    keras: Optional[Keras] = None
    name: Optional[str] = None
    load_options: Any = None
    collections: bool = True
    full: bool = False
    reuse: bool = False
    # No matter for what is loaded.
    offline: Optional[bool] = field(default=None, compare=False)
    trust: Trust = field(default=None, compare=False)
    custom_op_libraries: Tuple[str, ...] = field(default=(), compare=False)
    layer_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        return Operation.FINE_TUNE if self.trainable else Operation.INFERENCE


_OWN_OPTIONS = frozenset(Request.__dataclass_fields__) - {"api", "keras", "tags", "layer_options"}


# The names that hub.KerasLayer and hub.load have for arguments of load.
_UPSTREAM_NAMES = {"signature_outputs_as_dict": "as_dict", "options": "load_options"}


def parse_request(
    api: str = "auto", keras: str = "auto", tags: Optional[Iterable[str]] = None, **options: Any
) -> Request:
    """Reads the arguments of ``load``: the words as the enums they stand for, upstream's names as ours.

    Args:
        api: A word of ``Api``, or ``auto``.
        keras: A word of ``Keras``, or ``auto``.
        tags: Tags, or one tag.
        **options: The other arguments; those that are none of load's own are for the Keras layer.

    Returns:
        The request.

    Raises:
        InputError: A word is none of those known, or a flag no bool.
    """
    named = {_UPSTREAM_NAMES.get(name, name): value for name, value in options.items()}
    own = {name: named.pop(name) for name in list(named) if name in _OWN_OPTIONS}
    for flag in ("trainable", "as_dict", "collections", "full", "reuse"):
        own[flag] = _parse_flag(flag, own.get(flag))
    if own.get("offline") is not None:
        own["offline"] = _parse_flag("offline", own["offline"])
    own["trust"] = _trust.parse(own.get("trust"))
    own["custom_op_libraries"] = _parse_paths(own.get("custom_op_libraries"))
    return Request(
        api=parse_word(Api, "api", api),
        keras=parse_word(Keras, "keras", keras),
        tags=None if tags is None else frozenset([tags] if isinstance(tags, str) else tags),
        layer_options=named,
        **own,
    )


def _parse_flag(name: str, value: Any) -> bool:
    if value is None:
        return bool(getattr(Request, name))
    if isinstance(value, bool):
        return value
    raise errors.InputError.unknown_word(name, value, ["True", "False"])


def _parse_paths(value: Any) -> Tuple[str, ...]:
    """One path or several."""
    paths = [value] if isinstance(value, (str, bytes, os.PathLike)) else value or ()
    return tuple(os.fsdecode(path) for path in paths)


def parse_word(words: Type[_W], argument: str, value: str) -> Optional[_W]:
    """The member of an enum that a word names; ``None`` for ``auto``."""
    if value == "auto":
        return None
    try:
        return words(value)
    except ValueError:
        known = ["auto"] + [str(word) for word in words]
        raise errors.InputError.unknown_word(argument, value, known) from None
