"""What a module function says of the module whose graph it builds: its signatures, and the messages attached to it.

It is noted in the graph under construction, under a key that is no string, so that neither the function nor an export
sees it. Whoever calls the function reads it from there; a graph that nobody reads takes no notes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from unihub import errors
from unihub._tf import packages, saved_model


@dataclass(frozen=True)
class Notes:
    """What was said.

    Attributes:
        signatures: The inputs and the outputs by the signature's name, tensors by theirs.
        messages: Protocol messages by their keys.
    """

    signatures: Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]] = field(default_factory=dict)
    messages: Dict[str, Any] = field(default_factory=dict)


_NOTES = ("unihub_module_fn",)
_ATTACHMENT_KEY = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\Z")


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Notes:
    """Calls a module function in the current graph.

    Args:
        function: What builds the graph.
        arguments: Its arguments.

    Returns:
        What it said.
    """
    notes = Notes()
    packages.import_tensorflow().compat.v1.add_to_collection(_NOTES, notes)
    function(**arguments)
    return notes


def add_signature(name: Optional[str] = None, inputs: Any = None, outputs: Any = None) -> None:
    """Gives the module under construction a signature; called within the function that ``unihub.save`` is given.

    Args:
        name: The name; ``default`` by default.
        inputs: The tensors that are fed, by name; a tensor alone has the name ``default``. Sparse and ragged tensors
            will do.
        outputs: The tensors that are returned, in the same way.

    Raises:
        SignatureError: There is a signature of that name already, or no module is under construction.
        InputError: An input or output is no tensor of the module's graph.

    Example:
        >>> import tempfile, tensorflow as tf, unihub
        >>> def half_plus_two():
        ...     x = tf.compat.v1.placeholder(tf.float32, [None])
        ...     unihub.add_signature(inputs=x, outputs=x / 2 + 2)
        >>> with tf.Graph().as_default():
        ...     path = unihub.save(half_plus_two, tempfile.mkdtemp(), format="tf1-hub")
        >>> unihub.load(path)([2.0, 4.0]).numpy().tolist()
        [3.0, 4.0]
    """
    notes = _current_notes("add_signature")
    name = name or "default"
    if not isinstance(name, str):
        raise errors.SignatureError.not_a_name(name)
    if name in notes.signatures:
        raise errors.SignatureError.added_twice(name)
    notes.signatures[name] = (_check(name, "input", inputs), _check(name, "output", outputs))
    for key, tensor in notes.signatures[name][0].items():
        _check_places(name, key, tensor)


def attach_message(key: str, message: Any) -> None:
    """Attaches a protocol message to the module under construction, for ``get_attached_message``.

    Args:
        key: Its key: letters, digits and underscores, a letter first. Of several messages with one key the last is
            kept.
        message: The message as it is now.

    Raises:
        InputError: The key is of another form, or the message is none.
        SignatureError: No module is under construction.

    Example:
        >>> import tempfile, tensorflow as tf, unihub
        >>> def double():
        ...     x = tf.compat.v1.placeholder(tf.float32, [None])
        ...     unihub.add_signature(inputs=x, outputs=2 * x)
        ...     unihub.attach_message("labels", tf.train.BytesList(value=[b"twice"]))
        >>> with tf.Graph().as_default():
        ...     module = unihub.Module(unihub.save(double, tempfile.mkdtemp(), format="tf1-hub"))
        ...     module.get_attached_message("labels", tf.train.BytesList).value[0]
        b'twice'
    """
    notes = _current_notes("attach_message")
    if not isinstance(key, str) or not _ATTACHMENT_KEY.match(key):
        raise errors.InputError.attachment_key(key)
    if not hasattr(message, "SerializeToString") or isinstance(message, type):
        raise errors.InputError.not_a_message(key, message)
    notes.messages[key] = type(message).FromString(message.SerializeToString())


def _current_notes(function: str) -> Notes:
    found = packages.import_tensorflow().compat.v1.get_collection(_NOTES)
    if not found:
        raise errors.SignatureError.outside_module_function(function)
    notes: Notes = found[-1]
    return notes


def _check(signature: str, side: str, tensors: Any) -> Dict[str, Any]:
    """The tensors of one side of a signature by name."""
    tf = packages.import_tensorflow()
    if tensors is None:
        tensors = {}
    named = dict(tensors) if isinstance(tensors, Mapping) else {"default": tensors}
    graph = tf.compat.v1.get_default_graph()
    for key, tensor in named.items():
        if not isinstance(key, str):
            raise errors.SignatureError.not_a_name(key)
        if not isinstance(tensor, (tf.Tensor,) + saved_model.composites_of_signatures()):
            raise errors.InputError.not_a_tensor(signature, side, key, tensor)
        if any(part.graph is not graph for part in tf.nest.flatten(tensor, expand_composites=True)):
            raise errors.InputError.tensor_elsewhere(signature, side, key)
    return named


def _check_places(signature: str, key: str, tensor: Any) -> None:
    """An input's place is taken by another tensor, which cannot be bound to where a third one is."""
    for part in packages.import_tensorflow().nest.flatten(tensor, expand_composites=True):
        places = [place.decode() for place in part.op.colocation_groups()]
        if places != ["loc:@" + part.op.name]:
            raise errors.InputError.colocated("the input {!r} of {!r}".format(key, signature), places)
