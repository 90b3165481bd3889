"""unihub.add_signature and unihub.attach_message: what a module function declares about the module it builds.

The declarations are kept in a collection of the graph under construction. Its key is not a string, so neither the
function nor an export sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

from unihub import errors
from unihub._tf import packages, saved_model
from unihub._tf.types import Message, TfTensor


@dataclass(frozen=True)
class Notes:
    """The declarations of a module function.

    Attributes:
        signatures: The inputs and outputs of each signature by its name; the tensors by their names.
        messages: The attached messages by their keys.
    """

    signatures: Dict[str, Tuple[Dict[str, TfTensor], Dict[str, TfTensor]]] = field(default_factory=dict)
    messages: Dict[str, Message] = field(default_factory=dict)


_NOTES = ("unihub_module_fn",)
_ATTACHMENT_KEY = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*\Z")


def call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Notes:
    """Call a module function in the current graph.

    Args:
        function: The module function.
        arguments: Its arguments.

    Returns:
        What the function declared.
    """
    notes = Notes()
    packages.import_tensorflow().compat.v1.add_to_collection(_NOTES, notes)
    function(**arguments)
    return notes


def add_signature(
    name: Optional[str] = None,
    inputs: Union[None, TfTensor, Mapping[str, TfTensor]] = None,
    outputs: Union[None, TfTensor, Mapping[str, TfTensor]] = None,
) -> None:
    """Add a signature to the module that a module function builds; call it inside that function.

    Args:
        name: The name of the signature; ``default`` by default.
        inputs: The input tensors by name. A single tensor is named ``default``. Sparse and ragged tensors work, too.
        outputs: The output tensors, in the same form.

    Raises:
        SignatureError: A signature of that name exists already, or no module is under construction.
        InputError: An input or output is not a tensor of the module's graph.

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
        _check_colocation(name, key, tensor)


def attach_message(key: str, message: Message) -> None:
    """Attach a protocol message to the module under construction, for ``get_attached_message``.

    Args:
        key: The key of the message: a letter, then letters, digits and underscores. A later message with the same key
            replaces an earlier one.
        message: The message. Later changes to it have no effect.

    Raises:
        InputError: The key has another form, or ``message`` is not a protocol message.
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
    collection = packages.import_tensorflow().compat.v1.get_collection(_NOTES)
    if not collection:
        raise errors.SignatureError.outside_module_function(function)
    notes: Notes = collection[-1]
    return notes


def _check(signature: str, side: str, tensors: Union[None, TfTensor, Mapping[str, TfTensor]]) -> Dict[str, TfTensor]:
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
        if any(dense.graph is not graph for dense in tf.nest.flatten(tensor, expand_composites=True)):
            raise errors.InputError.tensor_elsewhere(signature, side, key)
    return named


def _check_colocation(signature: str, key: str, tensor: TfTensor) -> None:
    """Reject an input that is colocated with another op: the caller's tensor, which replaces it, cannot be."""
    for dense in packages.import_tensorflow().nest.flatten(tensor, expand_composites=True):
        groups = [group.decode() for group in dense.op.colocation_groups()]
        if groups != ["loc:@" + dense.op.name]:
            raise errors.InputError.colocated("the input {!r} of {!r}".format(key, signature), groups)
