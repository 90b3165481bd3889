"""The only place with version checks, import ladders and private imports of other packages.

Each private import says which versions it serves. Nothing is imported before it is asked for, and what cannot be
imported is a ``RuntimeUnavailableError``.
"""
from __future__ import annotations

import contextlib
import importlib
import io
from typing import Any, Iterable, Optional

from packaging.version import InvalidVersion, Version

from unihub import errors

try:  # Python 3.8 and later.
    from importlib import metadata as _metadata
except ImportError:  # Python 3.7, through the requirement in setup.cfg.
    import importlib_metadata as _metadata  # type: ignore[no-redef]


def installed_version(package: str) -> Optional[str]:
    """The version of an installed distribution, without importing it."""
    try:
        return _metadata.version(package)
    except _metadata.PackageNotFoundError:
        return None


def import_tensorflow() -> Any:
    """TensorFlow, or a typed error that says how to get it."""
    try:
        tensorflow = importlib.import_module("tensorflow")
    except ImportError as exc:
        raise errors.RuntimeUnavailableError.no_tensorflow(exc) from exc
    if not hasattr(tensorflow, "compat"):
        raise errors.RuntimeUnavailableError.no_tensorflow(ImportError("the package tensorflow is empty"))
    return tensorflow


def import_tensorflow_hub() -> Any:
    """tensorflow_hub, or a typed error that says why it cannot be imported and what to install."""
    import_tensorflow()
    try:
        return importlib.import_module("tensorflow_hub")
    # It fails in as many ways as its own dependencies do: no pkg_resources (setuptools 82), no tensorflow.estimator
    # (hub 0.15 on TensorFlow 2.16), a tf_keras that does not fit.
    except Exception as exc:
        raise errors.RuntimeUnavailableError.no_tensorflow_hub(exc, installed_version("tensorflow-hub")) from exc


def tensorflow_version() -> str:
    return str(import_tensorflow().__version__)


def tensorflow_before(version: str) -> bool:
    # Release candidates of a version have what it has.
    return Version(Version(tensorflow_version()).base_version) < Version(version)


def load_saved_model(path: str, tags: Optional[Iterable[str]], options: Any) -> Any:
    """``tf.saved_model.load`` under the name it has in every TensorFlow; ``options`` came with 2.3."""
    v1 = import_tensorflow().compat.v1
    tags = None if tags is None else sorted(tags)
    if options is None:
        return v1.saved_model.load_v2(path, tags=tags)
    if tensorflow_before("2.3"):
        raise errors.RuntimeUnavailableError.no_load_options(tensorflow_version())
    return v1.saved_model.load_v2(path, tags=tags, options=options)


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
    expressions in TensorFlow 1.15, and has nothing to gain here in any version.
    """
    tf = import_tensorflow()
    return function if tf.executing_eagerly() else tf.autograph.experimental.do_not_convert(function)
