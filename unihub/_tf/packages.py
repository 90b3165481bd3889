"""The installed packages and their versions, and importing them: TensorFlow, tensorflow_hub, libcst.

Packages are imported on first use. One that cannot be imported raises a ``RuntimeUnavailableError``.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.util
import os
import sys
from typing import Any, FrozenSet, Iterator, List, Optional, Set, Tuple

from packaging.version import InvalidVersion, Version

from unihub import errors
from unihub._tf.types import HubLibrary, TfModule

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


def import_tensorflow() -> TfModule:
    """TensorFlow, or a typed error that says how to get it."""
    # This is asked several times in each call of a model.
    tensorflow = sys.modules.get("tensorflow")
    if hasattr(tensorflow, "compat"):
        return tensorflow
    try:
        with _pausing_garbage_collection():
            tensorflow = importlib.import_module("tensorflow")
    except ImportError as exc:
        raise errors.RuntimeUnavailableError.no_tensorflow(exc) from exc
    if not hasattr(tensorflow, "compat"):
        raise errors.RuntimeUnavailableError.no_tensorflow(ImportError("the package tensorflow is empty"))
    return tensorflow


# Objects: Python 3.12 begins with 375 frozen ones of its own; any program has several thousand that can be frozen.
_FROZEN_BY_USER = 1000


@contextlib.contextmanager
def _pausing_garbage_collection() -> Iterator[None]:
    """Pause garbage collection during TensorFlow's import, of which it takes up to a quarter.

    Modules stay alive, so the collector scans hundreds of thousands of objects several times and finds nothing.
    ``gc.unfreeze`` then moves these objects to the oldest generation, where a completed scan would have put them.
    Objects that the user froze stay frozen, and a collector that the user disabled stays disabled.
    ``UNIHUB_NO_GC_PAUSE=1`` switches the pause off.
    """
    if not gc.isenabled() or os.environ.get("UNIHUB_NO_GC_PAUSE") == "1":
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


def import_tensorflow_hub() -> HubLibrary:
    """tensorflow_hub, or a typed error that says why it cannot be imported and what to install."""
    import_tensorflow()
    try:
        return importlib.import_module("tensorflow_hub")
    # It fails in as many ways as its own dependencies do: no pkg_resources (setuptools 82), no tensorflow.estimator
    # (hub 0.15 on TensorFlow 2.16), a tf_keras that does not fit.
    except Exception as exc:
        raise errors.RuntimeUnavailableError.no_tensorflow_hub(_printed(exc), hub_version()) from exc


def _printed(exc: BaseException) -> str:
    """An exception as Python prints it, without further lines."""
    return "{}: {}".format(type(exc).__name__, str(exc).split("\n")[0])


# What tensorflow_hub dropped, and in which version.
_DROPPED_BY_HUB = {"Module": "0.16", "create_module_spec": "0.16"}
_OF_HUB = ("KerasLayer", "Module", "create_module_spec")


def hub_offers(version: str) -> FrozenSet[str]:
    """The names that a version of tensorflow_hub has, of those that unihub calls."""
    return frozenset(name for name in _OF_HUB if not _is_dropped(name, version))


def _is_dropped(name: str, version: str) -> bool:
    return name in _DROPPED_BY_HUB and not is_newer(_DROPPED_BY_HUB[name], version)


def hub_version() -> Optional[str]:
    """The version of tensorflow_hub; ``unknown`` where it is no distribution, ``None`` where it is not installed."""
    version = installed_version("tensorflow-hub")
    return version if version is not None or not _is_importable("tensorflow_hub") else "unknown"


def hub_problem(tensorflow: str, version: Optional[str]) -> Optional[str]:
    """Why a tensorflow_hub cannot be imported beside a TensorFlow, as Python prints it; ``None`` if nothing is known.

    Found without importing it, since it imports Keras. tensorflow_hub 0.1 to 0.16.1 import ``pkg_resources``, which
    setuptools 82 dropped. Before 0.16 they need ``tensorflow.estimator``, which TensorFlow 2.16 dropped; from then on
    they need ``tf_keras`` there.
    """
    if version is None:
        return _not_found("tensorflow_hub")
    if sys.modules.get("tensorflow_hub") is not None:
        return None
    has_keras2 = _is_before(tensorflow, "2.16")
    if not has_keras2 and is_newer("0.16", version):
        return "ImportError: cannot import name 'estimator' from 'tensorflow.compat.v1'"
    needed = ("pkg_resources",) if has_keras2 else ("pkg_resources", "tf_keras")
    return next((_not_found(name) for name in needed if not _is_importable(name)), None)


def hub_failure() -> Optional[errors.RuntimeUnavailableError]:
    """What is wrong with tensorflow_hub, found by importing it; ``None`` if it works."""
    try:
        for name in hub_offers(hub_version() or _NEWEST_HUB):
            find_hub_attribute(name)
    except errors.RuntimeUnavailableError as error:
        return error
    return None


def _not_found(name: str) -> str:
    return "ModuleNotFoundError: No module named {!r}".format(name)


# Modules that were found; looking for one takes as long as the rest of a plan. One that is missing may be installed.
_found: Set[str] = set()


def _is_importable(name: str) -> bool:
    """Whether a module is there. A stand-in in ``sys.modules`` need not have a ``__spec__``."""
    if name in sys.modules:
        return sys.modules[name] is not None
    if name not in _found:
        try:
            if importlib.util.find_spec(name) is not None:
                _found.add(name)
        except (ImportError, ValueError):
            return False
    return name in _found


def import_libcst() -> Any:
    """libcst, or a typed error that says how to get it."""
    try:
        return importlib.import_module("libcst")
    except ImportError as exc:
        raise errors.RuntimeUnavailableError.no_libcst(exc) from exc


def find_hub_attribute(name: str) -> Any:
    """An attribute of tensorflow_hub, or a typed error."""
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
    versions = (installed_version(name) for name in TENSORFLOW_DISTRIBUTIONS)
    return next((version for version in versions if version is not None), None)


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


def is_newer(version: str, than: str) -> bool:
    """Whether a version of TensorFlow is newer than another; a release candidate counts as its release.

    A version that cannot be parsed is never newer.
    """
    try:
        return Version(Version(version).base_version) > Version(Version(than).base_version)
    except InvalidVersion:
        return False


def import_if_installed(module: str) -> Optional[BaseException]:
    """Import a module that may not be installed, and return the error that its import raised, if any.

    Raises:
        ModuleNotFoundError: The module is not installed.
    """
    root = module.split(".")[0]
    if not _is_importable(root):
        raise ModuleNotFoundError("No module named {!r}".format(root), name=root)
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name == module:
            raise
        return exc
    # A library built for another TensorFlow can fail with any error.
    except Exception as exc:
        return exc
    return None
