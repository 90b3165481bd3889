"""Objects that TensorFlow tracks for checkpoints and SavedModels, and their children."""

from __future__ import annotations

import functools
from typing import Callable, List, Mapping, Optional, Type

from unihub._tf.packages import import_tensorflow, tensorflow_before
from unihub._tf.types import SliceInfo, TfTensor, TfVariable, Trackable


def slice_of(variable: TfVariable) -> SliceInfo:
    """Which slice of a partitioned variable a variable is; ``None`` for a full one. TensorFlow 1.14 to 2.22."""
    return variable._get_save_slice_info()


def is_resource_variable(variable: TfVariable) -> bool:
    """Whether a variable is a resource; TF1's reference variables have no handle. TensorFlow 1.14 to 2.22."""
    return hasattr(variable, "handle")


def handle_of(value: Trackable) -> Optional[TfTensor]:
    """The handle of a variable or table, ``None`` for other objects.

    TensorFlow 1.14 to 2.22 use one attribute for variables and another for all other resources.
    """
    is_variable = isinstance(value, import_tensorflow().Variable)
    return getattr(value, "handle" if is_variable else "resource_handle", None)


@functools.lru_cache(maxsize=None)
def table_resource() -> Type[Trackable]:
    """The class of lookup tables that are made and filled by functions.

    Its base, a resource that ``tf.saved_model.save`` keeps, is public since TensorFlow 2.10; before, it was private and
    in two places.
    """
    experimental = import_tensorflow().saved_model.experimental
    base: Type[Trackable]
    if hasattr(experimental, "TrackableResource"):
        base = experimental.TrackableResource
    else:
        from tensorflow.python.training.tracking import tracking

        base = tracking.TrackableResource

    class Table(base):  # type: ignore[misc]
        """A lookup table."""

        def __init__(self, make: Callable[[], TfTensor], fill: Callable[[TfTensor], None]) -> None:
            super().__init__()
            self._make = make
            self._fill = import_tensorflow().function(fill, autograph=False)

        def fill(self) -> None:
            self._initialize()

        def _create_resource(self) -> TfTensor:
            return self._make()

        def _initialize(self) -> None:
            self._fill(self.resource_handle)

    return Table


def new_root() -> Trackable:
    """An object that tracks its attributes, and has none yet.

    The class has no public name; that of ``tf.Module`` is made of it in TensorFlow 1.14 to 2.22, and has attributes of
    its own. A ``tf.train.Checkpoint`` is, too, and brings a counter that no session initializes.
    """
    return import_tensorflow().Module.__mro__[1]()


def tracked_children(obj: Trackable) -> Mapping[str, Trackable]:
    """The children that are saved with an object, by name, without its functions; ``{}`` for untracked objects.

    Private in TensorFlow 1.15 to 2.22, and under another name before 2.9.
    """
    if not is_tracking(obj):
        return {}
    # TensorFlow 2.8 has both, and takes another argument for the new one.
    if not tensorflow_before("2.9") and hasattr(obj, "_trackable_children"):
        # The argument is the default; tables have none in TensorFlow 2.9 and 2.10.
        return dict(obj._trackable_children("checkpoint"))
    return {child.name: child.ref for child in obj._checkpoint_dependencies}


def untracked_children(resource: Trackable) -> List[Trackable]:
    """The initializer of a loaded table, which names its file and which TensorFlow 1.15 does not track."""
    initializer = getattr(resource, "_initializer", None)
    tracked = any(child is initializer for child in tracked_children(resource).values())
    return [initializer] if is_tracking(initializer) and not tracked else []


def is_tracking(obj: Trackable) -> bool:
    """Whether TensorFlow tracks what an object has: modules, layers, what was loaded; private as above."""
    if isinstance(obj, type):
        return False
    # Up to 2.8 an object has its list only after this, as a Sequential of Keras 2.4 has not by itself.
    getattr(obj, "_maybe_initialize_trackable", lambda: None)()
    return any(hasattr(obj, name) for name in ("_trackable_children", "_checkpoint_dependencies"))
