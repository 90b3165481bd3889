"""The way through unihub: handle, resolve, inspect, plan, gate, strategy, model. The body of ``load`` is all of it.

Each step is one function with one result type and can be used on its own. No step calls an earlier one.

================  =======================================================  =============================================
folder            what it does                                             add here
================  =======================================================  =============================================
``_tf``           adapts to versions of TensorFlow, Keras, tensorflow_hub  a new TensorFlow; a new Keras
``_types``        the words: formats, runtimes, apis, backends             the word for whatever is new
``errors``        every error and its wording                              a new error
``_saved_model``  directory to ``ModelInfo``, without TensorFlow           a new format; an unsafe op
``_resolve``      handle to directory                                      a new source (``sources.py``)
``_audit``        the gate: may it be loaded, are its ops there            a package of ops (``op_packages.py``)
``_plan``         ``ModelInfo``, ``Runtime`` and ``Request`` to ``Plan``   a new runtime (``runtime.py``, ``matrix.py``)
``_graph``        MetaGraphs and export directories
``_call``         inputs to outputs
``_partial``      loads only the subset that a plan needs
``_strategies``   ``Plan`` to model                                        a new strategy; the layer of a new Keras
``_save``         ``unihub.save``
``_convert``      ``unihub.convert``
================  =======================================================  =============================================

A folder imports only from folders above it in this table, and the first three from each other; a test keeps that. Above
all of them, ``_cli`` is the command line and ``integrations`` is Beam and Spark; ``_migrate`` rewrites programs.
``docs/extending.md`` has the steps for each addition.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, Optional, Tuple, Union

from unihub import _resolve
from unihub._audit import gate
from unihub._call import tf_errors
from unihub._plan import python_objects
from unihub._plan.plan import Plan, decide
from unihub._plan.request import parse_request
from unihub._plan.runtime import detect_runtime
from unihub._saved_model import reader
from unihub._saved_model.model_info import ModelInfo
from unihub._strategies import hub_backend, loaded_cache
from unihub._strategies.model import Model
from unihub._tf.autograph import outside_autograph


@outside_autograph
def load(
    handle: Any,
    trainable: bool = False,
    signature: Optional[str] = None,
    *,
    tags: Optional[Iterable[str]] = None,
    output_key: Optional[str] = None,
    as_dict: bool = False,
    api: str = "auto",
    keras: str = "auto",
    name: Optional[str] = None,
    load_options: Any = None,
    collections: bool = True,
    full: bool = False,
    reuse: bool = False,
    trust: Union[None, bool, str, Iterable[str]] = None,
    custom_op_libraries: Iterable[Any] = (),
    offline: Optional[bool] = None,
    **layer_options: Any,
) -> Model:
    """Loads a TensorFlow Hub model, whatever its format, in whatever way TensorFlow runs here.

    Args:
        handle: What ``resolve`` takes, such as a directory, an archive, a URL or the name of a model on Kaggle; or a
            callable or a ``hub.ModuleSpec``.
        trainable: Whether the model is to be fine-tuned; its variables are frozen otherwise.
        signature: Which signature to call. By default a TF1 Hub module is called by ``default``, a callable SavedModel
            by itself, any other by ``serving_default``, ``default`` or its only signature.
        tags: Which graph variant to load. By default ``{"train"}`` for fine-tuning where there is one, else the plain
            one.
        output_key: The name of the one output that a call returns.
        as_dict: Whether a call returns all outputs in a dict by name. Otherwise a call of a signature returns the
            output named ``default``, else the only one, else the dict; a call of the model itself what the model
            returns.
        api: ``module``, ``load``, ``keras``, or ``auto`` for the first choice of the matrix.
        keras: ``keras2``, ``keras3``, or ``auto`` for what ``tf.keras`` is here.
        name: The name of the layer, or the scope of the variables in a graph.
        load_options: A ``tf.saved_model.LoadOptions``.
        collections: Whether a trainable model adds its variables, update ops and losses to the collections of the
            graph, as ``hub.Module`` does; without meaning outside of graphs.
        full: Whether to load all of a model of which only a signature or the call is asked for. By default only what
            that reaches is loaded, which is many times faster for what Keras wrote; other signatures and attributes
            are not there then.
        reuse: Whether to give back the very object that was loaded before in this process, from the same files with
            the same arguments.
        trust: Whether the model may have ops that do more than compute (``inspect(...).unsafe_ops``). By default, what
            ``UNIHUB_TRUST`` says; else one that was fetched from the network is refused, and one on this machine loaded
            with an ``errors.UnsafeModelWarning``. ``True`` trusts it, ``False`` refuses it wherever it is; the names of
            ops trust those.
        custom_op_libraries: The libraries (``.so``) that register the model's own ops; they are loaded first.
        offline: Whether to use what is on this machine only; by default, whether ``UNIHUB_OFFLINE`` is set.
        **layer_options: For ``api="keras"``: ``arguments``, ``output_shape``, ``input_shape``, ``dtype`` and what
            else a Keras layer takes; in Keras 3 ``self_contained``, as ``KerasLayer`` says.

    Returns:
        A model; with ``api="keras"`` it is a layer of the Keras in use. It can be called as
        ``model(inputs, training=None)`` and has ``variables``, ``trainable_variables``, ``regularization_losses``
        (callables without arguments), ``update_ops``, ``signatures``, ``info``, ``plan``, ``native`` and
        ``initialize(session)``.

    Raises:
        HandleError, ModelNotFoundError, DownloadError: The handle leads to no model.
        IntegrityError, UnknownFormatError: What is there is not whole, or no model of TensorFlow Hub.
        UnsupportedError: The compatibility matrix refuses it.
        RuntimeUnavailableError: A package is missing, or too old or too new.
        SignatureError, TagsError, InputError: The arguments do not fit the model.
        UnsafeModelError: It has ops that do more than compute, and is not trusted.
        MissingOpsError, LoadError: TensorFlow cannot load it.

    Example:
        >>> import unihub
        >>> model = unihub.load("tests/data/tf1_hub/text_embedding")
        >>> model(["hello world"]).shape.as_list()
        [1, 20]
    """
    request = parse_request(
        trainable=trainable, signature=signature, tags=tags, output_key=output_key, as_dict=as_dict, api=api,
        keras=keras, name=name, load_options=load_options, collections=collections, full=full, reuse=reuse,
        trust=trust, custom_op_libraries=custom_op_libraries, offline=offline, **layer_options
    )  # fmt: skip
    source, info = _read(handle, request.offline)
    decision = hub_backend.choose(lambda runtime: decide(handle, source, info, runtime, request), detect_runtime())
    gate.check_trust(decision)
    with tf_errors.loading(decision):
        gate.check_requirements(decision)
        return loaded_cache.load_or_reuse(decision)


@outside_autograph
def plan(handle: Any, trainable: bool = False, signature: Optional[str] = None, **options: Any) -> Plan:
    """Decide what ``load`` would do with the same arguments, and why, without doing it.

    The plan does not depend on whether the model may be trusted: ``inspect`` lists its unsafe ops, and ``load`` checks
    them.

    Args:
        handle: As for ``load``.
        trainable: As for ``load``.
        signature: As for ``load``.
        **options: The other arguments of ``load``.

    Returns:
        The plan: ``format``, ``runtime``, ``api``, ``backend``, ``tags``, ``signature`` and ``reasons`` among others.
        It prints as a table.

    Raises:
        UnihubError: What ``load`` would refuse before it checks whether the model is trusted.

    Example:
        >>> import unihub
        >>> str(unihub.plan("tests/data/tf1_hub/convnet").backend)
        'unihub'
    """
    request = parse_request(trainable=trainable, signature=signature, **options)
    source, info = _read(handle, request.offline)
    return decide(handle, source, info, detect_runtime(), request)


def _read(handle: Any, offline: Optional[bool]) -> Tuple[Any, ModelInfo]:
    """What a strategy loads, and what it is: a resolved and inspected directory, or a Python object as it is."""
    if python_objects.is_object(handle):
        return handle, python_objects.describe(handle)
    info = inspect(handle, offline=offline)
    return info.path, info


@outside_autograph
def inspect(handle: Any, *, offline: Optional[bool] = None) -> ModelInfo:
    """Reads what a model holds from its files, without TensorFlow.

    Args:
        handle: As for ``resolve``.
        offline: As for ``resolve``.

    Returns:
        The format, the variants and their signatures, ops, variables and assets.

    Raises:
        HandleError, ModelNotFoundError, DownloadError: The handle leads to no model.
        IntegrityError, UnknownFormatError: What is there is not whole, or no model of TensorFlow Hub.

    Example:
        >>> import unihub
        >>> str(unihub.inspect("tests/data/tf1_hub/convnet").format)
        'tf1-hub'
    """
    return reader.inspect(_resolve.resolve(handle, offline=offline))


@outside_autograph
def Module(spec: Any, trainable: bool = False, name: str = "module", tags: Optional[Iterable[str]] = None) -> Model:
    """``load`` with ``api="module"``, under the name and with the arguments of ``hub.Module``.

    Args:
        spec: As ``handle`` of ``load``.
        trainable: As for ``load``.
        name: The scope of the variables.
        tags: As for ``load``.

    Returns:
        A model in the current graph; in eager TensorFlow 2 it is refused.

    Example:
        >>> import tensorflow as tf, unihub
        >>> with tf.Graph().as_default():
        ...     module = unihub.Module("tests/data/tf1_hub/text_embedding", name="embedding")
        ...     module(["hello world"]).shape.as_list()[-1]
        20
    """
    return load(spec, trainable, name=name, tags=tags, api="module")


@outside_autograph
def KerasLayer(
    handle: Any, trainable: bool = False, arguments: Optional[Dict[str, Any]] = None, **options: Any
) -> Model:
    """``load`` with ``api="keras"``, under the name and with the arguments of ``hub.KerasLayer``.

    Args:
        handle: As for ``load``.
        trainable: As for ``load``.
        arguments: Further arguments for each call of the model.
        **options: The other arguments of ``load`` and of a Keras layer. In Keras 3, ``self_contained=True`` puts the
            SavedModel into a ``.keras`` file; otherwise the file names the handle, and has the trained weights.

    Returns:
        A layer of the Keras in use. ``keras.models.load_model`` finds it again after ``import unihub``, and a
        self-contained file needs ``safe_mode=False``, since a SavedModel is a program.

    Example:
        >>> import tensorflow as tf, unihub
        >>> layer = unihub.KerasLayer("tests/data/saved_model/reusable", trainable=True)
        >>> isinstance(layer, tf.keras.layers.Layer), len(layer.trainable_weights)
        (True, 4)
    """
    if arguments is not None:
        options["arguments"] = arguments
    return load(handle, trainable, api="keras", **options)
