"""The only place with version checks, import ladders and private imports of other packages.

Each private import says which versions it serves. Nothing is imported before it is asked for, and what cannot be
imported is a ``RuntimeUnavailableError``.
"""
from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.util
import io
import os
import sys
from typing import Any, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from packaging.version import InvalidVersion, Version

from unihub import errors

try:  # Python 3.8 and later.
    from importlib import metadata as _metadata
except ImportError:  # Python 3.7, through the requirement in setup.cfg.
    import importlib_metadata as _metadata  # type: ignore[no-redef]


@functools.lru_cache(maxsize=None)
def installed_version(package: str) -> Optional[str]:
    """The version of an installed distribution, without importing it."""
    try:
        return _metadata.version(package)
    except _metadata.PackageNotFoundError:
        return None


def import_tensorflow() -> Any:
    """TensorFlow, or a typed error that says how to get it."""
    # This is asked several times in each call of a model.
    tensorflow = sys.modules.get("tensorflow")
    if hasattr(tensorflow, "compat"):
        return tensorflow
    try:
        with _no_collections():
            tensorflow = importlib.import_module("tensorflow")
    except ImportError as exc:
        raise errors.RuntimeUnavailableError.no_tensorflow(exc) from exc
    if not hasattr(tensorflow, "compat"):
        raise errors.RuntimeUnavailableError.no_tensorflow(ImportError("the package tensorflow is empty"))
    return tensorflow


# Objects: Python 3.12 begins with 375 frozen ones of its own; any program has several thousand that can be frozen.
_FROZEN_BY_USER = 1000


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """Keeps Python's garbage collector away from an import, a quarter of whose time it would take for TensorFlow.

    Modules stay, so it looks at hundreds of thousands of objects several times over, and finds nothing. They count as
    old afterwards, as if it had looked at them: ``gc.unfreeze`` makes them so. Somebody who froze objects of their own
    keeps them frozen, and whoever stopped the collector finds it stopped.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() < _FROZEN_BY_USER:
            gc.freeze()
            gc.unfreeze()
        gc.enable()


def import_tensorflow_hub() -> Any:
    """tensorflow_hub, or a typed error that says why it cannot be imported and what to install."""
    import_tensorflow()
    try:
        return importlib.import_module("tensorflow_hub")
    # It fails in as many ways as its own dependencies do: no pkg_resources (setuptools 82), no tensorflow.estimator
    # (hub 0.15 on TensorFlow 2.16), a tf_keras that does not fit.
    except Exception as exc:
        raise errors.RuntimeUnavailableError.no_tensorflow_hub(exc, installed_version("tensorflow-hub")) from exc


def import_libcst() -> Any:
    """libcst, or a typed error that says how to get it."""
    try:
        return importlib.import_module("libcst")
    except ImportError as exc:
        raise errors.RuntimeUnavailableError.no_libcst(exc) from exc


def find_hub_attribute(name: Optional[str]) -> Any:
    """An attribute of tensorflow_hub, or a typed error; ``None`` for no name."""
    if name is None:
        return None
    hub = import_tensorflow_hub()
    if not hasattr(hub, name):
        raise errors.RuntimeUnavailableError.no_hub_attribute(name, installed_version("tensorflow-hub"))
    return getattr(hub, name)


# Distributions that bring the package tensorflow, and the tensorflow_hub that is known to import beside it.
TENSORFLOW_DISTRIBUTIONS = (
    *("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos", "tensorflow-rocm"),
    "tf-nightly",
)
_HUB_BEFORE = (("1.15", "0.7.0"), ("2.5", "0.12.0"), ("2.16", "0.15.0"))
_NEWEST_HUB = "0.16.1"


def installed_tensorflow() -> Optional[str]:
    """The version of the installed TensorFlow, without importing it."""
    found = (installed_version(name) for name in TENSORFLOW_DISTRIBUTIONS)
    return next((version for version in found if version is not None), None)


def hub_for(tensorflow: str) -> str:
    """A version of tensorflow_hub that fits a TensorFlow."""
    release = Version(Version(tensorflow).base_version)
    return next((hub for bound, hub in _HUB_BEFORE if release < Version(bound)), _NEWEST_HUB)


def runtimes_of(tensorflow: str) -> Tuple[str, ...]:
    """The runtimes that a TensorFlow can be in; tf2 in 1.x is after ``enable_v2_behavior()``."""
    return ("tf1", "tf2") if Version(tensorflow) < Version("2.0.dev0") else ("tf1-compat", "tf2-graph", "tf2")


def device_names() -> List[str]:
    """The devices that TensorFlow sees; 1.14 to 2.0 have an experimental name for it."""
    config = import_tensorflow().config
    find = getattr(config, "list_physical_devices", None) or config.experimental.list_physical_devices
    return [str(device.name) for device in find()]


def tensorflow_version() -> str:
    return str(import_tensorflow().__version__)


def tensorflow_before(version: str) -> bool:
    return _is_before(tensorflow_version(), version)


@functools.lru_cache(maxsize=None)
def _is_before(installed: str, version: str) -> bool:
    # Release candidates of a version have what it has.
    return Version(Version(installed).base_version) < Version(version)


def load_saved_model(path: str, tags: Optional[Iterable[str]], options: Any) -> Any:
    """``tf.saved_model.load`` under the name it has in every TensorFlow; ``options`` came with 2.3."""
    v1 = import_tensorflow().compat.v1
    if options is not None and tensorflow_before("2.3"):
        raise errors.RuntimeUnavailableError.no_load_options(tensorflow_version())
    given = {} if options is None else {"options": options}
    with _no_second_keras():
        loaded = v1.saved_model.load_v2(path, tags=None if tags is None else sorted(tags), **given)
    leave_to_sessions(loaded)
    return loaded


def without_checkpoint() -> Optional[Any]:
    """The ``tf.saved_model.LoadOptions`` with which variables stay without values, in eager TensorFlow since 2.8."""
    tf = import_tensorflow()
    if tensorflow_before("2.8") or not tf.executing_eagerly():
        return None
    return tf.saved_model.LoadOptions(experimental_skip_checkpoint=True)


def leave_to_sessions(loaded: Any) -> None:
    """Lets nothing but a session destroy the tables of a model that was loaded in a graph.

    TensorFlow 2.4 adds an op to the graph for it when the table's Python object is collected. That may be after the
    graph is gone, and then the process ends with a segmentation fault. 2.10 has no such attribute any more.
    """
    if import_tensorflow().executing_eagerly():
        return
    found = [loaded]
    seen = {id(loaded)}
    for obj in found:
        deleter = getattr(obj, "_resource_deleter", None)
        if deleter is not None:
            deleter._destroy_resource = None
        new = [child for child in tracked_children(obj).values() if id(child) not in seen]
        seen.update(map(id, new))
        found.extend(new)


@contextlib.contextmanager
def _no_second_keras() -> Iterator[None]:
    """Keeps TensorFlow 2.14 and 2.15 from importing tf_keras for the optimizer in a SavedModel that Keras wrote.

    They do so where it is installed. It then has the names under which tf.keras registered its own classes, and
    ``load_model`` of a functional ``.keras`` file looks for a node that is never made, for ever.
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


def optimize_graph(config: Any, meta_graph: Any) -> Any:
    """Grappler on one MetaGraph; TensorFlow 1.14 to 2.22 have it in this private module only."""
    from tensorflow.python.grappler import tf_optimizer

    # It reports the time it took to the process's standard output, at every call, up to TensorFlow 2.4.
    with contextlib.redirect_stdout(io.StringIO()):
        return tf_optimizer.OptimizeGraph(config, meta_graph)


def restored_function_type() -> Any:
    """The type of a function that ``tf.saved_model.load`` gives back; private in TensorFlow 1.14 to 2.22."""
    from tensorflow.python.saved_model import function_deserialization

    return function_deserialization.RestoredFunction


def call_flat(concrete: Any, tensors: Sequence[Any]) -> Any:
    """Calls a concrete function with tensors that are known to fit, in the order of its own inputs.

    Its ``__call__`` binds them to names once more, which takes a third of a small call; that of a signature of TF1
    first writes an error message with all that is in the tensors, which nobody sees. The method has this name in
    TensorFlow 1.14 to 2.22, and is told what the function captures since 1.15.
    """
    captured = () if tensorflow_before("1.15") else (concrete.captured_inputs,)
    return concrete._call_flat(list(tensors), *captured)


def argument_names(concrete: Any) -> Sequence[str]:
    """The names of the tensors that a signature of TF1 takes, in its own order; in TensorFlow 1.14 to 2.22."""
    return concrete._arg_keywords  # type: ignore[no-any-return]


def captured_tensors(concrete: Any) -> List[Any]:
    """What a concrete function captures, a variable by its handle.

    Under a ``tf.distribute`` strategy, in a graph, TensorFlow 2.15 names the variable itself. Its handle is that of
    this replica, and outside of the replicas that of the first.
    """
    in_replica = not import_tensorflow().distribute.in_cross_replica_context()
    found = []
    for value in concrete.captured_inputs:
        if hasattr(value, "handle"):
            value = (value if in_replica else getattr(value, "_primary", value)).handle
        found.append(value)
    return found


def parts_of(variable: Any) -> Sequence[Any]:
    """The variables of the replicas that a variable of a ``tf.distribute`` strategy is made of; none of any other.

    ``tf.distribute.DistributedValues`` has them since TensorFlow 2.1, without a public name.
    """
    values = getattr(import_tensorflow().distribute, "DistributedValues", ())
    return tuple(getattr(variable, "values", ())) if isinstance(variable, values) else ()


def has_remote_workers(strategy: Any) -> bool:
    """Whether the replicas of a strategy run in other processes, which reach nothing but the strategy's variables.

    By its class's name: ``ParameterServerStrategyV2`` is public from TensorFlow 2.4 on, and by two names.
    """
    return any(cls.__name__ == "ParameterServerStrategyV2" for cls in type(strategy).__mro__)


def restored_arguments(loaded: Any) -> Tuple[str, ...]:
    """What the call of an object that ``tf.saved_model.load`` gave takes; none for any other object.

    Python sees no more of it than ``*args, **kwargs``. The specification is there in TensorFlow 1.14 to 2.22.
    """
    function = getattr(loaded, "__call__", None)  # noqa: B004 - the attribute itself is wanted
    if not isinstance(function, restored_function_type()):
        return ()
    described = function.function_spec.fullargspec
    return tuple(described.args) + tuple(described.kwonlyargs)


def is_newer(version: str, than: str) -> bool:
    """Whether one version of TensorFlow is newer than another; a candidate is its release, an unreadable one is not."""
    try:
        return Version(Version(version).base_version) > Version(Version(than).base_version)
    except InvalidVersion:
        return False


def keras2() -> Any:
    """The Keras that ``hub.KerasLayer`` is a layer of: ``tf.keras`` before TensorFlow 2.16, ``tf_keras`` since."""
    if tensorflow_before("2.16"):
        return import_tensorflow().keras
    return importlib.import_module("tf_keras")


def register_keras_serializable(package: str) -> Any:
    """The decorator that lets Keras find a class again when it loads a model; TensorFlow 1.14 has none."""
    register = getattr(keras2().utils, "register_keras_serializable", None)
    return (lambda cls: cls) if register is None else register(package=package)


def as_written(function: Any) -> Any:
    """The function as it stands in its file.

    While TensorFlow traces a user's function, AutoGraph rewrites all that is called from there. It mistakes generator
    expressions in TensorFlow 1.15, and has nothing to gain here in any version. TensorFlow 1.14 has no way to say so.
    """
    return function if import_tensorflow().executing_eagerly() else not_converted(function)


def not_converted(function: Any) -> Any:
    """The same for good, as a decorator."""
    keep = getattr(import_tensorflow().autograph.experimental, "do_not_convert", None)
    return function if keep is None else keep(function)


def read_meta_graphs(path: str) -> Any:
    """The ``MetaGraphDef`` messages of a SavedModel; its protobuf class has been at this place since TensorFlow 1.0."""
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
    return message.meta_graphs


def control_flow_contexts() -> Any:
    """The messages of TF1 loops and conditions by the collection they are kept in; in TensorFlow 1.14 to 2.22."""
    from tensorflow.core.protobuf import control_flow_pb2

    return {"while_context": control_flow_pb2.WhileContextDef, "cond_context": control_flow_pb2.CondContextDef}


def variable_message() -> Any:
    """The message that describes a variable in a collection; in TensorFlow 1.14 to 2.22."""
    from tensorflow.core.framework import variable_pb2

    return variable_pb2.VariableDef


def asset_message() -> Any:
    """The message that describes an asset in a collection."""
    return import_tensorflow().compat.v1.MetaGraphDef().asset_file_def.add().__class__


def slice_of(variable: Any) -> Any:
    """Which part of a partitioned variable a variable is; ``None`` for a whole one. TensorFlow 1.14 to 2.22."""
    return variable._get_save_slice_info()


def control_flow_context() -> Any:
    """The TF1 loop or condition that is being built; ``None`` outside of these. TensorFlow 1.14 to 2.22."""
    return import_tensorflow().compat.v1.get_default_graph()._get_control_flow_context()


@functools.lru_cache(maxsize=None)
def table_resource() -> Any:
    """The class of lookup tables that are made and filled by functions.

    Its base, a resource that ``tf.saved_model.save`` keeps, is public since TensorFlow 2.10; before, it was private and
    in two places.
    """
    base: Any = getattr(import_tensorflow().saved_model.experimental, "TrackableResource", None)
    if base is None:
        from tensorflow.python.training.tracking import tracking

        base = tracking.TrackableResource

    class Table(base):  # type: ignore[misc]
        """A lookup table."""

        def __init__(self, make: Any, fill: Any) -> None:
            super().__init__()
            self._make = make
            self._fill = import_tensorflow().function(fill, autograph=False)

        def fill(self) -> None:
            self._initialize()

        def _create_resource(self) -> Any:
            return self._make()

        def _initialize(self) -> None:
            self._fill(self.resource_handle)

    return Table


def keras3() -> Any:
    """Keras 3 on TensorFlow, or a typed error that says what is in its place."""
    import_tensorflow()
    try:
        keras = importlib.import_module("keras")
    except Exception as exc:
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        if backend != "tensorflow":
            raise errors.RuntimeUnavailableError.other_keras_backend(backend) from exc
        raise errors.RuntimeUnavailableError.no_keras3(installed_version("keras"), exc) from exc
    if not is_keras3(keras):
        raise errors.RuntimeUnavailableError.no_keras3(str(keras.__version__))
    backend = str(keras.config.backend())
    if backend != "tensorflow":
        raise errors.RuntimeUnavailableError.other_keras_backend(backend)
    return keras


def is_keras3(keras: Any) -> bool:
    """Whether the module ``keras`` is Keras 3; the package had the name before."""
    return Version(getattr(keras, "__version__", "0")) >= Version("3.0.0.dev0")


def keras_of_symbol(value: Any) -> Optional[str]:
    """Which Keras a symbolic tensor belongs to, ``keras2`` or ``keras3``; ``None`` for what is no such tensor.

    By its class's name and module, so that neither is imported: ``keras`` is one or the other.
    """
    kind = type(value)
    if kind.__name__ != "KerasTensor":
        return None
    package = kind.__module__.split(".")[0]
    return "keras3" if package == "keras" and is_keras3(sys.modules["keras"]) else "keras2"


def keras3_reads_file() -> bool:
    """Whether ``keras.saving.load_model`` reads a file here; private in Keras 3.0 to 3.15.

    It alone shares objects while it makes the layers; ``clone_model`` and ``from_config`` do not.
    """
    from keras.src.backend.common import global_state

    return global_state.get_global_attribute("shared_objects/id_to_obj_map") is not None


def keras3_is_safe() -> bool:
    """Whether Keras must not run code out of the file it reads; private in Keras 3.0 to 3.15."""
    from keras.src.saving import serialization_lib

    return serialization_lib.in_safe_mode() is not False


def keras3_is_symbolic() -> bool:
    """Whether Keras calls a layer to learn the shapes of its outputs only; private in Keras 3.0 to 3.15."""
    from keras.src.backend.common import stateless_scope

    return bool(stateless_scope.in_stateless_scope())


def take_any_input(layer: Any) -> None:
    """Lets a layer of Keras 3.0 to 3.15 have its inputs as they are: lists of texts, arrays, and their dtypes."""
    layer._convert_input_args = False
    layer._allow_non_tensor_positional_args = True


def keras3_variable_class() -> Any:
    """The class of variables that stand for one of TensorFlow in a Keras 3 layer, without a copy of it.

    Keras 3.0 to 3.15 make the value in ``_initialize`` and keep it in ``_value``.
    """
    return _keras3_variable_class(keras3())


@functools.lru_cache(maxsize=None)
def _keras3_variable_class(keras: Any) -> Any:
    class LoadedVariable(keras.Variable):  # type: ignore[misc]
        """A variable of a loaded model, as Keras tracks it; its value is the model's own variable."""

        def __init__(self, variable: Any, trainable: bool) -> None:
            self._loaded = variable
            name = variable.name.split(":")[0].replace("/", "_")
            super().__init__(variable, dtype=variable.dtype.name, trainable=trainable, name=name)

        def _initialize(self, value: Any) -> None:
            self._value = self._loaded

        @property
        def value(self) -> Any:
            """The variable itself, in any precision: the model reads it, and Keras does not."""
            return self._value

        def replace(self, variable: Any) -> None:
            """Goes on with another variable, which gets this one's value, and the name that optimizers know it by."""
            variable.assign(self._value)
            new, old = (getattr(either, "_primary", either) for either in (variable, self._value))
            new._unique_id = old._unique_id
            self._loaded = self._value = variable

    return LoadedVariable


def compiles_with_xla(ops: Iterable[str]) -> bool:
    """Whether XLA knows all ops; the kernels are listed in a private module of TensorFlow 1.13 to 2.22."""
    from tensorflow.python.framework import kernels

    known = (kernels.get_registered_kernels_for_op(op).kernel for op in ops)
    return _has_xla() and all(any(kernel.device_type == "XLA_CPU_JIT" for kernel in found) for found in known)


@functools.lru_cache(maxsize=None)
def _has_xla() -> bool:
    """Whether TensorFlow was built with XLA; makes it list its kernels, which it does when it is first used."""
    tf = import_tensorflow()
    try:
        tf.function(lambda: tf.constant(0), jit_compile=True)()
    except Exception:  # There are many ways to say so.
        return False
    return True


def saved_model_message() -> Any:
    """The message of ``saved_model.pb``; its protobuf class has been at this place since TensorFlow 1.0."""
    from tensorflow.core.protobuf import saved_model_pb2

    return saved_model_pb2.SavedModel


def read_checkpoint_objects(path: str) -> Any:
    """The object graph of a SavedModel's checkpoint, a ``TrackableObjectGraph``; ``None`` where there is none.

    The message's class has been at this place since TensorFlow 1.15, the key since 1.13.
    """
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    prefix = os.path.join(path, "variables", "variables")
    if not os.path.exists(prefix + ".index"):
        return None
    reader = import_tensorflow().train.load_checkpoint(prefix)
    if not reader.has_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"):
        return None
    return trackable_object_graph_pb2.TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))


@functools.lru_cache(maxsize=None)
def is_stateful_op(name: str) -> bool:
    """Whether an op holds state, or is not known."""
    found = op_definition(name)
    return found is None or bool(found.is_stateful)


def op_definition(name: str) -> Any:
    """The ``OpDef`` of an op, ``None`` if it is not known; these are in a private module of TensorFlow 1.14 to 2.22."""
    from tensorflow.python.framework import op_def_registry

    if hasattr(op_def_registry, "get"):
        return op_def_registry.get(name)
    return op_def_registry.get_registered_ops().get(name)  # Before TensorFlow 2.1.


def is_registered_op(name: str) -> bool:
    """Whether TensorFlow knows an op, be it by a library that was loaded a moment ago.

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
    """Loads a library of custom ops, or raises what TensorFlow does, which is an error of the system's linker."""
    import_tensorflow().load_op_library(path)


def import_if_installed(module: str) -> Optional[BaseException]:
    """Imports a module that may not be there; what went wrong while it was imported, if something did.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    root = module.split(".")[0]
    if root not in sys.modules and importlib.util.find_spec(root) is None:
        raise ModuleNotFoundError("No module named {!r}".format(root), name=root)
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name == module:
            raise
        return exc
    # A library that was built for another TensorFlow fails in whatever way its symbols do.
    except Exception as exc:
        return exc
    return None


def any_message() -> Any:
    """Protobuf's message that holds any other; TensorFlow requires protobuf."""
    from google.protobuf import any_pb2

    return any_pb2.Any


def composites_of_signatures() -> Any:
    """The types of tensors of several parts that a TF1 signature can name; ragged ones came with TensorFlow 1.15."""
    tf = import_tensorflow()
    return (tf.SparseTensor,) if tensorflow_before("1.15") else (tf.SparseTensor, tf.RaggedTensor)


def hub_signature_names(graph: Any) -> List[str]:
    """The signatures that ``hub.add_signature`` noted in a graph; private in tensorflow_hub 0.1 to 0.15."""
    return [name for name, _ in graph.get_collection(("__saved_model_lib_signatures",))]


def new_root() -> Any:
    """An object that tracks its attributes, and has none yet.

    The class has no public name; that of ``tf.Module`` is made of it in TensorFlow 1.14 to 2.22, and has attributes of
    its own. A ``tf.train.Checkpoint`` is, too, and brings a counter that no session initializes.
    """
    return import_tensorflow().Module.__mro__[1]()


def tracked_children(obj: Any) -> Mapping[str, Any]:
    """What an object keeps when it is saved, by name, its functions apart; ``{}`` for what TensorFlow does not track.

    Private in TensorFlow 1.15 to 2.22, and under another name before 2.9.
    """
    if not is_tracking(obj):
        return {}
    # TensorFlow 2.8 has both, and takes another argument for the new one.
    if not tensorflow_before("2.9") and hasattr(obj, "_trackable_children"):
        # The argument is the default; tables have none in TensorFlow 2.9 and 2.10.
        return dict(obj._trackable_children("checkpoint"))
    return {child.name: child.ref for child in obj._checkpoint_dependencies}


def untracked_children(resource: Any) -> List[Any]:
    """What a loaded table has and does not track: the object that names its file, in TensorFlow 1.15."""
    initializer = getattr(resource, "_initializer", None)
    tracked = any(child is initializer for child in tracked_children(resource).values())
    return [initializer] if is_tracking(initializer) and not tracked else []


def is_tracking(obj: Any) -> bool:
    """Whether TensorFlow tracks what an object has: modules, layers, what was loaded; private as above."""
    if isinstance(obj, type):
        return False
    # Up to 2.8 an object has its list only after this, as a Sequential of Keras 2.4 has not by itself.
    getattr(obj, "_maybe_initialize_trackable", lambda: None)()
    return any(hasattr(obj, name) for name in ("_trackable_children", "_checkpoint_dependencies"))


def traces_of(function: Any) -> Sequence[Any]:
    """The concrete functions that are saved of a ``tf.function``; private in TensorFlow 1.15 to 2.22.

    One with an ``input_signature`` is traced for that.
    """
    return list(function._list_all_concrete_functions_for_serialization())


def is_concrete_function(value: Any) -> bool:
    """Whether a value is one trace of a ``tf.function``; the class is public from TensorFlow 2.3."""
    return hasattr(value, "structured_input_signature") and hasattr(value, "captured_inputs")


def keras_of_layer(value: Any) -> Optional[str]:
    """Which Keras a layer or model belongs to, ``keras2`` or ``keras3``; ``None`` for what is neither.

    By the names of its classes, so that no Keras is imported.
    """
    package = _package_of_layer(value)
    if package is None:
        return None
    return "keras3" if package == "keras" and is_keras3(sys.modules["keras"]) else "keras2"


def _package_of_layer(layer: Any) -> Optional[str]:
    """``keras``, ``tf_keras`` or ``tensorflow``: where the base class of all layers comes from."""
    packages = [cls.__module__.split(".") for cls in type(layer).__mro__ if cls.__name__ == "Layer"]
    return next((parts[0] for parts in packages if {"keras", "tf_keras"} & set(parts)), None)


def keras2_session(layer: Any) -> Any:
    """The session in which Keras 2 keeps the variables of a layer, in a graph; Keras initializes them in it.

    ``tf_keras`` has it in the half of its API for TensorFlow 1, from 2.16 to 2.21.
    """
    if _package_of_layer(layer) == "tf_keras":
        return importlib.import_module("tf_keras.api._v1.keras.backend").get_session()
    return import_tensorflow().compat.v1.keras.backend.get_session()


def keras2_input_spec(layer: Any) -> Any:
    """What a layer of Keras 2 was called with, as a nest of specs; private in TensorFlow 1.15 to tf_keras 2.21.

    A model that is no network of layers notes it from 2.0 on, a layer from 2.4 on, ``None`` before its first call.
    """
    return getattr(layer, "_saved_model_inputs_spec", None)


def keras2_weight_losses(layer: Any) -> Sequence[Any]:
    """The losses of one layer of Keras 2 that depend on no input, as callables; private in 1.15 to tf_keras 2.21."""
    return list(getattr(layer, "_callable_losses", ()))


@contextlib.contextmanager
def keeping_losses_and_updates(layers: Iterable[Any]) -> Iterator[None]:
    """Gives layers the losses and updates back that they had before they were called in a function of ours.

    They would be tensors of that function's graph, in which a user's training cannot go on. The lists are private in
    Keras 2 (updates: in graphs only) and in Keras 3.0 to 3.15.
    """
    names = ("_losses", "_updates")
    lists = [getattr(layer, name, None) for layer in layers for name in names]
    kept = [(values, set(map(id, values))) for values in lists if isinstance(values, list)]
    try:
        yield
    finally:
        for values, known in kept:
            values[:] = [value for value in values if id(value) in known]
