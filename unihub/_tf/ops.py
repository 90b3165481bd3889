"""Registered ops and types, and the graphs that ops are in."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import io
from typing import Callable, FrozenSet, Iterable, Optional, Sequence, TypeVar

from unihub._tf.packages import import_tensorflow, tensorflow_before
from unihub._tf.types import ControlFlowContext, Graph, GraphDef, Message, MetaGraphDef, OpDef


def optimize_graph(config: Message, meta_graph: MetaGraphDef) -> GraphDef:
    """Grappler on one MetaGraph; TensorFlow 1.14 to 2.22 have it in this private module only."""
    from tensorflow.python.grappler import tf_optimizer

    # TensorFlow 1.14 to 2.4 print the time of every call.
    with contextlib.ExitStack() as stack:
        if tensorflow_before("2.5"):
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        return tf_optimizer.OptimizeGraph(config, meta_graph)


def control_flow_context() -> Optional[ControlFlowContext]:
    """The TF1 loop or condition that is being built; ``None`` outside of these. TensorFlow 1.14 to 2.22."""
    return import_tensorflow().compat.v1.get_default_graph()._get_control_flow_context()


def current_graph() -> Optional[Graph]:
    """The graph that ops go to outside of all functions; ``None`` in eager TensorFlow."""
    tf = import_tensorflow()
    if tf.executing_eagerly():
        return None
    with tf.init_scope():
        return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def add_to_collection(name: str, items: Sequence[object]) -> None:
    """Adds the items that a collection of the current graph does not have yet."""
    collection = import_tensorflow().compat.v1.get_collection_ref(name)
    known = {id(item) for item in collection}
    collection.extend(item for item in items if id(item) not in known)


_T = TypeVar("_T")


def kept_by_graph(graph: Graph, name: str, make: Callable[[], _T]) -> _T:
    """An object that unihub keeps as an attribute of a ``tf.Graph``, made on first use; it lives as long as the graph.

    It is not in a graph collection, because those are written into exported MetaGraphs.
    """
    if not hasattr(graph, name):
        setattr(graph, name, make())
    kept: _T = getattr(graph, name)
    return kept


def compiles_with_xla(ops: Iterable[str]) -> bool:
    """Whether XLA knows all ops; the kernels are listed in a private module of TensorFlow 1.13 to 2.22."""
    from tensorflow.python.framework import kernels

    known = (kernels.get_registered_kernels_for_op(op).kernel for op in ops)
    return _has_xla() and all(
        any(kernel.device_type == "XLA_CPU_JIT" for kernel in kernels_of_op) for kernels_of_op in known
    )


@functools.lru_cache(maxsize=None)
def _has_xla() -> bool:
    """Whether TensorFlow was built with XLA. The compilation also makes TensorFlow list XLA's kernels."""
    tf = import_tensorflow()
    try:
        tf.function(lambda: tf.constant(0), jit_compile=True)()
    except Exception:  # There are many ways to say so.
        return False
    return True


@functools.lru_cache(maxsize=None)
def is_stateful_op(name: str) -> bool:
    """Whether an op is stateful or unknown."""
    definition = op_definition(name)
    return definition is None or bool(definition.is_stateful)


def op_definition(name: str) -> Optional[OpDef]:
    """The ``OpDef`` of an op, ``None`` if it is not known; these are in a private module of TensorFlow 1.14 to 2.22."""
    from tensorflow.python.framework import op_def_registry

    if hasattr(op_def_registry, "get"):
        return op_def_registry.get(name)
    return op_def_registry.get_registered_ops().get(name)  # Before TensorFlow 2.1.


def is_registered_op(name: str) -> bool:
    """Whether TensorFlow knows an op, including those of libraries loaded at run time.

    ``tf.raw_ops`` lists only those it is built with. The register is in a private module of TensorFlow 1.14 to 2.22;
    before 2.1 it has only the ops with a function in Python, and the C API, which pywrap_tensorflow has, all.
    """
    from tensorflow.python.framework import op_def_registry

    if hasattr(op_def_registry, "get"):
        return op_def_registry.get(name) is not None
    return name in op_def_registry.get_registered_ops() or name in _ops_of_c_api()


def _ops_of_c_api() -> FrozenSet[str]:
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python import pywrap_tensorflow

    listed = pywrap_tensorflow.TF_GetBuffer(pywrap_tensorflow.TF_GetAllOpList())
    return frozenset(op.name for op in op_def_pb2.OpList.FromString(listed).op)


def is_registered_type_spec(name: str) -> bool:
    """Whether TensorFlow knows a type by its name.

    The register is private: in ``type_spec_registry`` of TensorFlow 2.15 to 2.21, in ``type_spec`` of 2.10; there is
    none in 2.4, where a type counts as known, for TensorFlow to say.
    """
    import_tensorflow()
    for module in ("type_spec_registry", "type_spec"):
        try:
            lookup = importlib.import_module("tensorflow.python.framework." + module).lookup
        except (ImportError, AttributeError):
            continue
        try:
            return lookup(name) is not None
        except ValueError:
            return False
    return True


def load_op_library(path: str) -> None:
    """Loads a library of custom ops; TensorFlow raises the errors of the system's linker."""
    import_tensorflow().load_op_library(path)
