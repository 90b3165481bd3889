"""How TensorFlow runs at the moment of a call.

Nothing is remembered between calls: one process goes through several runtimes (an Estimator's ``model_fn`` in an eager
program, a ``tf.function``, ``tf.init_scope``), so the answer is read off TensorFlow each time, by public API only.
"""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from typing import Any, Dict, FrozenSet, Optional

from unihub import errors
from unihub._tf import modes, packages
from unihub._tf.strategy import has_remote_workers
from unihub._types import Keras, RuntimeMode


@dataclass(frozen=True)
class Runtime:
    """What is true of TensorFlow here and now.

    Attributes:
        mode: Which column of the matrix holds.
        tensorflow: The version of TensorFlow.
        tensorflow_hub: The version of the installed tensorflow_hub, ``None`` without one.
        keras: Which Keras ``tf.keras`` is.
        inside_function: Whether a ``tf.function`` (or ``Dataset.map``) is being traced.
        distribution: The class of the ``tf.distribute`` strategy whose scope this is, ``None`` outside of one.
        python: The version of Python.
        elsewhere: Whether it is another process's, of which only the versions are known.
        hub_problem: Why the installed tensorflow_hub cannot be imported, as Python prints it; ``None`` if it can.
        remote_workers: Whether the replicas of the ``tf.distribute`` strategy run in other processes, which reach
            nothing but the strategy's variables.
    """

    mode: RuntimeMode
    tensorflow: str
    tensorflow_hub: Optional[str]
    keras: Keras
    inside_function: bool = False
    distribution: Optional[str] = None
    python: str = platform.python_version()
    elsewhere: bool = False
    hub_problem: Optional[str] = None
    remote_workers: bool = False

    @property
    def hub_offers(self) -> FrozenSet[str]:
        """The names of tensorflow_hub that unihub can call here; empty where it cannot be imported."""
        if self.tensorflow_hub is None or self.hub_problem is not None:
            return frozenset()
        return packages.hub_offers(self.tensorflow_hub)

    def to_dict(self) -> Dict[str, Any]:
        """The same as plain texts, fit for JSON."""
        return dict(asdict(self), mode=str(self.mode), keras=str(self.keras), hub_offers=sorted(self.hub_offers))

    def __str__(self) -> str:
        inside = " inside a tf.function" if self.inside_function else ""
        scope = " in the scope of {}".format(self.distribution) if self.distribution else ""
        return "{}{}{} (TensorFlow {}, tensorflow_hub {}, {})".format(
            self.mode, inside, scope, self.tensorflow, self.tensorflow_hub or "not installed", self.keras
        )


def detect_runtime() -> Runtime:
    """Reads how TensorFlow runs now, here, in this thread.

    Returns:
        The runtime. Eager TensorFlow, and a function traced from it, is ``tf2``, also in TensorFlow 1.15 after
        ``enable_v2_behavior()``.

    Raises:
        RuntimeUnavailableError: TensorFlow is not installed or cannot be imported.
    """
    tf = packages.import_tensorflow()
    inside_function = not tf.executing_eagerly() and building_function()
    version, hub = packages.tensorflow_version(), packages.hub_version()
    strategy = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
    return Runtime(
        mode=_detect_mode(inside_function),
        tensorflow=version,
        tensorflow_hub=hub,
        keras=Keras(modes.keras_chosen_by(version)),
        inside_function=inside_function,
        distribution=None if strategy is None else type(strategy).__name__,
        hub_problem=packages.hub_problem(version, hub),
        remote_workers=strategy is not None and has_remote_workers(strategy),
    )


def runtime_elsewhere(
    mode: Optional[str] = None,
    tensorflow: Optional[str] = None,
    tensorflow_hub: Optional[str] = None,
    keras: Optional[str] = None,
) -> Runtime:
    """A runtime by the versions in it, without importing anything.

    Args:
        mode: One that such a TensorFlow has; by default the one it starts in.
        tensorflow: A version; by default the installed one.
        tensorflow_hub: A version, or ``none``; by default the installed one beside the installed TensorFlow, else one
            that fits.
        keras: The version of what ``tf.keras`` is; by default the one that TensorFlow chooses.

    Returns:
        The runtime.

    Raises:
        InputError: No TensorFlow is named or installed, or it has no such runtime.
    """
    version = tensorflow or packages.installed_tensorflow()
    if version is None:
        raise errors.InputError.needs_tensorflow_version()
    known = packages.runtimes_of(version)
    if mode is not None and mode not in known:
        raise errors.InputError.no_such_runtime(mode, version, known)
    hub = tensorflow_hub or (packages.hub_for(version) if tensorflow else packages.installed_version("tensorflow-hub"))
    return Runtime(
        mode=RuntimeMode(mode or ("tf1" if "tf1" in known else "tf2")),
        tensorflow=version,
        tensorflow_hub=None if hub == "none" else hub,
        keras=Keras(modes.keras_chosen_by(version) if keras is None else modes.keras_of_version(keras)),
        elsewhere=True,
    )


def building_function() -> bool:
    """Whether TensorFlow traces a function here, rather than building a plain graph."""
    return bool(packages.import_tensorflow().compat.v1.get_default_graph().building_function)


def _detect_mode(inside_function: bool) -> RuntimeMode:
    tf = packages.import_tensorflow()
    if tf.executing_eagerly():
        return RuntimeMode.TF2
    has_v2_behavior = modes.has_v2_behavior()
    # Without v2 behaviour, TensorFlow 2.4 to 2.10 report that a function in the global graph is in an eager program.
    if inside_function and has_v2_behavior and modes.is_eager_outside():
        return RuntimeMode.TF2
    if modes.is_tensorflow1():
        return RuntimeMode.TF1
    return RuntimeMode.TF2_GRAPH if has_v2_behavior else RuntimeMode.TF1_COMPAT
