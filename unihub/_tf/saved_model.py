"""Reading SavedModels: TensorFlow's loader under each of its names, and the protobuf messages of a SavedModel."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, Type

from unihub import errors
from unihub._tf.packages import import_tensorflow, tensorflow_before, tensorflow_version
from unihub._tf.tracking import tracked_children
from unihub._tf.types import Graph, LoadOptions, Message, MetaGraphDef, Trackable


def load_saved_model(path: str, tags: Optional[Iterable[str]], options: LoadOptions) -> Trackable:
    """``tf.saved_model.load`` under the name it has in every TensorFlow; ``options`` came with 2.3."""
    v1 = import_tensorflow().compat.v1
    if options is not None and tensorflow_before("2.3"):
        raise errors.RuntimeUnavailableError.no_load_options(tensorflow_version())
    given = {} if options is None else {"options": options}
    with _no_second_keras():
        loaded = v1.saved_model.load_v2(path, tags=None if tags is None else sorted(tags), **given)
    leave_to_sessions(loaded)
    return loaded


def without_checkpoint() -> Optional[LoadOptions]:
    """The ``tf.saved_model.LoadOptions`` with which variables stay without values, in eager TensorFlow since 2.8."""
    tf = import_tensorflow()
    if tensorflow_before("2.8") or not tf.executing_eagerly():
        return None
    return tf.saved_model.LoadOptions(experimental_skip_checkpoint=True)


def leave_to_sessions(loaded: Trackable) -> None:
    """Leaves the tables of a model that was loaded in a graph to be destroyed with the session.

    TensorFlow 2.4 adds a destroy op to the graph when the table's Python object is garbage collected. If the graph is
    gone by then, the process ends with a segmentation fault. TensorFlow 2.10 no longer has the attribute.
    """
    if import_tensorflow().executing_eagerly():
        return
    objects = [loaded]
    seen = {id(loaded)}
    for obj in objects:
        deleter = getattr(obj, "_resource_deleter", None)
        if deleter is not None:
            deleter._destroy_resource = None
        new = [child for child in tracked_children(obj).values() if id(child) not in seen]
        seen.update(map(id, new))
        objects.extend(new)


@contextlib.contextmanager
def _no_second_keras() -> Iterator[None]:
    """Keeps TensorFlow 2.14 and 2.15 from importing tf_keras for the optimizer in a SavedModel that Keras wrote.

    Where it is installed, its import takes over the names under which tf.keras registered its own classes. Then
    ``load_model`` of a functional ``.keras`` file loops forever, looking for a node that is never made.
    """
    name = "tf_keras"
    if name in sys.modules or not tensorflow_before("2.16"):
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say that a module cannot be imported.
    try:
        yield
    finally:
        del sys.modules[name]


def read_meta_graphs(path: str) -> Sequence[MetaGraphDef]:
    """The ``MetaGraphDef`` messages of a SavedModel; its class is in this module since TensorFlow 1.0."""
    from google.protobuf import text_format
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    binary = os.path.join(path, "saved_model.pb")
    if os.path.exists(binary):
        with open(binary, "rb") as file:
            message.ParseFromString(file.read())
    else:
        with open(binary + "txt", encoding="utf-8") as file:
            text_format.Parse(file.read(), message)
    meta_graphs: Sequence[MetaGraphDef] = message.meta_graphs
    return meta_graphs


def control_flow_contexts() -> Mapping[str, Type[Message]]:
    """The messages of TF1 loops and conditions by the collection they are kept in; in TensorFlow 1.14 to 2.22."""
    from tensorflow.core.protobuf import control_flow_pb2

    return {"while_context": control_flow_pb2.WhileContextDef, "cond_context": control_flow_pb2.CondContextDef}


def variable_message() -> Type[Message]:
    """The message that describes a variable in a collection; in TensorFlow 1.14 to 2.22."""
    from tensorflow.core.framework import variable_pb2

    message: Type[Message] = variable_pb2.VariableDef
    return message


def asset_message() -> Type[Message]:
    """The message that describes an asset in a collection."""
    return type(import_tensorflow().compat.v1.MetaGraphDef().asset_file_def.add())


def saved_model_message() -> Type[Message]:
    """The message of ``saved_model.pb``; its class is in this module since TensorFlow 1.0."""
    from tensorflow.core.protobuf import saved_model_pb2

    message: Type[Message] = saved_model_pb2.SavedModel
    return message


def read_checkpoint_objects(path: str) -> Optional[Message]:
    """The object graph of a SavedModel's checkpoint, a ``TrackableObjectGraph``; ``None`` where there is none.

    The message's class is in this module since TensorFlow 1.15; the key exists since 1.13.
    """
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    prefix = os.path.join(path, "variables", "variables")
    if not os.path.exists(prefix + ".index"):
        return None
    reader = import_tensorflow().train.load_checkpoint(prefix)
    if not reader.has_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"):
        return None
    return trackable_object_graph_pb2.TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))


def registered_gradients(library: Message) -> Iterable[Message]:
    """The custom gradients in a ``FunctionDefLibrary``; TensorFlow has the field since 2.5."""
    return getattr(library, "registered_gradients", ())


def has_handle_data(argument: Message) -> bool:
    """Whether a function's argument notes the shape of the variable it takes; TensorFlow has the field since 2.5."""
    return bool(getattr(argument, "handle_data", ()))


def dependencies_of(node: Message) -> Iterable[Message]:
    """References to the objects that must be loaded before a ``SavedObject``; TensorFlow has the field since 2.8."""
    return getattr(node, "dependencies", ())


def saveables_of(node: Message) -> List[Message]:
    """The functions that save and restore a ``SavedObject``; TensorFlow has the field since 2.4."""
    return list(getattr(node, "saveable_objects", {}).values())


def clear_dependencies_and_saveables(node: Message) -> None:
    """Clears the two fields above in a ``SavedObject``, where this TensorFlow has them."""
    for field in ("dependencies", "saveable_objects"):
        if hasattr(node, field):
            node.ClearField(field)


def keep_function_aliases(meta_info: Message, names: Set[str]) -> None:
    """Drops the aliases of all other functions from a ``MetaInfoDef``; TensorFlow 1.15 lacks the field."""
    aliases = getattr(meta_info, "function_aliases", {})
    for name in set(aliases) - names:
        del aliases[name]


def any_message() -> Type[Message]:
    """Protobuf's message that holds any other; TensorFlow requires protobuf."""
    from google.protobuf import any_pb2

    message: Type[Message] = any_pb2.Any
    return message


def composites_of_signatures() -> Tuple[type, ...]:
    """The types of tensors of several parts that a TF1 signature can name; ragged ones came with TensorFlow 1.15."""
    tf = import_tensorflow()
    return (tf.SparseTensor,) if tensorflow_before("1.15") else (tf.SparseTensor, tf.RaggedTensor)


def hub_signature_names(graph: Graph) -> List[str]:
    """The signatures that ``hub.add_signature`` noted in a graph; private in tensorflow_hub 0.1 to 0.15."""
    return [name for name, _ in graph.get_collection(("__saved_model_lib_signatures",))]
