"""Concrete functions, and the functions of loaded SavedModels: their inputs, captured tensors and traces."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple, Type

from unihub._tf.packages import import_tensorflow, tensorflow_before
from unihub._tf.types import ConcreteFunction, Graph, TensorNest, TfFunction, TfTensor, Trackable


def restored_function_type() -> Type[TfFunction]:
    """The type of the functions that ``tf.saved_model.load`` restores; private in TensorFlow 1.14 to 2.22."""
    from tensorflow.python.saved_model import function_deserialization

    restored: Type[TfFunction] = function_deserialization.RestoredFunction
    return restored


def restored_call(loaded: Trackable) -> Optional[TfFunction]:
    """The function behind the ``__call__`` of an object that ``tf.saved_model.load`` gave; ``None`` for other objects.

    Its traces are its ``concrete_functions``.
    """
    function = getattr(loaded, "__call__", None)  # noqa: B004 - the attribute itself is wanted
    return function if isinstance(function, restored_function_type()) else None


def call_flat(concrete: ConcreteFunction, tensors: Sequence[TfTensor]) -> TensorNest:
    """Calls a concrete function with tensors that are known to fit, in the order of its own inputs.

    Its ``__call__`` binds them to names again, which takes a third of a small call. For a signature of TF1 it also
    formats an error message with the tensors' contents and discards it. The method has this name in TensorFlow 1.14 to
    2.22, and takes the captured inputs since 1.15.
    """
    captured = () if tensorflow_before("1.15") else (concrete.captured_inputs,)
    return concrete._call_flat(list(tensors), *captured)


def argument_names(concrete: ConcreteFunction) -> Sequence[str]:
    """The names of the tensors that a signature of TF1 takes, in its own order; in TensorFlow 1.14 to 2.22."""
    names: Sequence[str] = concrete._arg_keywords
    return names


def captured_tensors(concrete: ConcreteFunction) -> List[TfTensor]:
    """The tensors that a concrete function captures; for a variable, its handle.

    Under a ``tf.distribute`` strategy, in a graph, TensorFlow 2.15 lists the variable itself. Its handle is that of
    this replica, or of the first replica in cross-replica context.
    """
    in_replica = not import_tensorflow().distribute.in_cross_replica_context()
    tensors = []
    for value in concrete.captured_inputs:
        if hasattr(value, "handle"):
            value = (value if in_replica else getattr(value, "_primary", value)).handle
        tensors.append(value)
    return tensors


def restored_arguments(loaded: Trackable) -> Tuple[str, ...]:
    """The argument names of a loaded object's call; none for any other object.

    Python's own signature is ``*args, **kwargs``. The private specification is there in TensorFlow 1.14 to 2.22.
    """
    function = restored_call(loaded)
    if function is None:
        return ()
    described = function.function_spec.fullargspec
    return tuple(described.args) + tuple(described.kwonlyargs)


def traces_of(function: TfFunction) -> Sequence[ConcreteFunction]:
    """The concrete functions of a ``tf.function`` that would be saved; private in TensorFlow 1.15 to 2.22.

    A function with an ``input_signature`` is traced for it.
    """
    return list(function._list_all_concrete_functions_for_serialization())


def is_self(argument: object) -> bool:
    """Whether an argument in a ``structured_input_signature`` is a method's ``self``.

    TensorFlow 1.15 to 2.22 put an instance of a private class in its place.
    """
    return type(argument).__name__ == "UnknownArgument"


def is_spec(value: object) -> bool:
    """Whether a value in a ``structured_input_signature`` describes a tensor, dense or composite.

    By its attributes: ``tf.TypeSpec``, the base class of all specs, is private in TensorFlow 1.14.
    """
    return hasattr(value, "is_compatible_with") and hasattr(value, "value_type") or hasattr(value, "dtype")


def is_function(value: object) -> bool:
    """Whether a value is a ``tf.function``; its class has no public name in TensorFlow 1.14 to 2.22."""
    return hasattr(value, "get_concrete_function") and hasattr(value, "python_function")


def is_dense(value: object) -> bool:
    """Whether a value is a dense tensor, or the spec of one.

    In TensorFlow 1.15 to 2.22, composite tensors have their spec in a private attribute, and dense tensors have none.
    """
    tf = import_tensorflow()
    return isinstance(value, tf.TensorSpec) or (tf.is_tensor(value) and not hasattr(value, "_type_spec"))


def graph_of(tensor: TfTensor) -> Optional[Graph]:
    """The graph of a symbolic tensor; ``None`` for eager tensors, where it raises in TensorFlow 1.14 to 2.22."""
    return getattr(tensor, "graph", None)


def is_concrete_function(value: object) -> bool:
    """Whether a value is one trace of a ``tf.function``; the class is public from TensorFlow 2.3."""
    return hasattr(value, "structured_input_signature") and hasattr(value, "captured_inputs")
