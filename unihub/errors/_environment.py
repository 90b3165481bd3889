"""Errors about packages and ops that this environment lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import brief

if TYPE_CHECKING:
    from unihub._plan.runtime import Runtime
    from unihub._types import Keras


class RuntimeUnavailableError(UnihubError, ImportError):
    """A package is missing, too old or too new."""

    @classmethod
    def no_tensorflow(cls, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "TensorFlow cannot be imported.",
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[tensorflow]'.",
            package="tensorflow",
        )

    @classmethod
    def no_tensorflow_hub(cls, problem: str, version: Optional[str]) -> RuntimeUnavailableError:
        missing = version is None and problem.startswith(("ImportError", "ModuleNotFoundError"))
        return cls(
            "tensorflow_hub {}.".format("is not installed" if missing else "cannot be imported"),
            why=problem,
            hint="pip install 'setuptools<82'; tensorflow_hub needs its pkg_resources."
            if "pkg_resources" in problem
            else "pip install 'tensorflow-hub<0.16' beside TensorFlow 2.15 or older; beside a newer one, say 2.18,\n"
            "pip install --no-deps tensorflow-hub 'tf-keras==2.18.*', which leaves TensorFlow as it is.",
            package="tensorflow_hub",
            version=version,
        )

    @classmethod
    def no_kagglehub(cls, name: str, exc: BaseException, runs_here: bool) -> RuntimeUnavailableError:
        return cls(
            "kagglehub is needed to fetch {} from Kaggle.".format(name),
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[kaggle]'."
            if runs_here
            else "kagglehub needs Python 3.10 or later: fetch the model there, and let KAGGLEHUB_CACHE name its cache.",
            package="kagglehub",
            url="kaggle:" + name,
            answer="kagglehub is not installed",
        )

    @classmethod
    def no_file_system(cls, url: str, scheme: str, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "{}:// needs a package that is not installed ({}).".format(scheme, url),
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[buckets]' for gs:// and s3://; for others, fsspec and the package named above.",
            package="fsspec",
            url=url,
            scheme=scheme,
        )

    @classmethod
    def no_libcst(cls, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "libcst cannot be imported.",
            why="{}: {}\nIt parses the programs that unihub migrate rewrites.".format(type(exc).__name__, exc),
            hint="pip install 'unihub[migrate]'.",
            package="libcst",
        )

    @classmethod
    def no_engine(cls, name: str, package: str, extra: str, exc: BaseException) -> RuntimeUnavailableError:
        return cls(
            "{} cannot be imported.".format(name),
            why="{}: {}".format(type(exc).__name__, exc),
            hint="pip install 'unihub[{}]', here and where the workers run.".format(extra),
            package=package,
        )

    @classmethod
    def no_hub_attribute(cls, attribute: str, version: Optional[str]) -> RuntimeUnavailableError:
        return cls(
            "hub.{} does not exist in tensorflow_hub {}.".format(attribute, version),
            why="This version of tensorflow_hub does not offer it.",
            hint="pip install 'unihub[tensorflow]' in an environment of its own, or a tensorflow-hub that fits your "
            "TensorFlow.",
            package="tensorflow_hub",
            version=version,
        )

    @classmethod
    def no_layer_for(cls, keras: Optional[Keras], runtime: Runtime) -> RuntimeUnavailableError:
        return cls(
            "there is no {} layer in the {} runtime.".format(keras, runtime.mode),
            why="Keras 3 works in eager TensorFlow and in tf.function; it cannot train or predict in a plain graph.",
            hint="set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, or build the model with tf_keras and pass "
            'keras="keras2"; or use api="load".',
            keras=keras,
            runtime=runtime,
        )

    @classmethod
    def no_keras3(cls, version: Optional[str], exc: Optional[BaseException] = None) -> RuntimeUnavailableError:
        installed = "it is not installed." if version is None else "the package keras is version {}.".format(version)
        return cls(
            "Keras 3 cannot be imported.",
            why="{}: {}".format(type(exc).__name__, brief(exc)) if exc and version else installed.capitalize(),
            hint='pip install \'keras>=3\' beside TensorFlow 2.16 or later; or pass keras="keras2", or api="load".',
            package="keras",
            version=version,
        )

    @classmethod
    def other_keras_backend(cls, backend: str) -> RuntimeUnavailableError:
        return cls(
            "a TensorFlow Hub model cannot be a layer of Keras 3 on {}.".format(backend),
            why="The model is a TensorFlow program, and Keras runs all layers of a model on one backend.",
            hint='set KERAS_BACKEND=tensorflow before Keras is imported; or use api="load", and pass arrays between '
            "the two.",
            package="keras",
            backend=backend,
        )

    @classmethod
    def no_load_options(cls, version: str) -> RuntimeUnavailableError:
        return cls(
            "load_options= needs TensorFlow 2.3 or later.",
            why="TensorFlow {} has no tf.saved_model.LoadOptions.".format(version),
            hint="leave load_options= out.",
            package="tensorflow",
            version=version,
        )


class MissingOpsError(UnihubError, RuntimeError):
    """TensorFlow lacks an op or a type that the model uses."""

    @classmethod
    def not_registered(
        cls, path: str, ops: Sequence[str], package: str, release: str, tensorflow: str
    ) -> MissingOpsError:
        """TensorFlow does not know ops of the model.

        Args:
            path: The model.
            ops: The ops.
            package: The package that registers them, or nothing where none is known.
            release: The release of the package that fits, as pip takes it, or nothing where none is known.
            tensorflow: The version of TensorFlow.
        """
        return cls(
            "{} uses ops that TensorFlow {} does not have: {}.".format(path, tensorflow, ", ".join(ops)),
            why="They come from {}, which is not imported here.".format(package)
            if package
            else "No package known to unihub registers them: they are custom ops, or newer or older than this "
            "TensorFlow.",
            hint="{}, and import it before loading.".format(_how_to_get(package, release, tensorflow))
            if package
            else "import the package that registers them, or call tf.load_op_library, before loading; or use the "
            "TensorFlow the model was written with.",
            path=path,
            ops=tuple(ops),
            package=package,
            tensorflow=tensorflow,
        )

    @classmethod
    def broken_package(
        cls, path: str, ops: Sequence[str], package: str, release: str, tensorflow: str, failure: BaseException
    ) -> MissingOpsError:
        """The package that registers the ops is installed but cannot be imported; the arguments are the same."""
        return cls(
            "{} uses ops that TensorFlow {} does not have: {}.".format(path, tensorflow, ", ".join(ops)),
            why="They come from {}, which is installed but cannot be imported: {}: {}".format(
                package, type(failure).__name__, brief(failure)
            ),
            hint="{}: its libraries fit one release of TensorFlow only.".format(
                _how_to_get(package, release, tensorflow)
            ),
            path=path,
            ops=tuple(ops),
            package=package,
            tensorflow=tensorflow,
        )

    @classmethod
    def no_library(cls, library: str) -> MissingOpsError:
        """A library of custom ops does not exist."""
        return cls(
            "there is no library of custom ops at {}.".format(library),
            why="custom_op_libraries= names the files (.so, .dylib, .dll) that register a model's own ops.",
            hint="pass the path of the compiled library; relative paths start at the working directory.",
            library=library,
        )

    @classmethod
    def broken_library(cls, library: str, tensorflow: str, failure: BaseException) -> MissingOpsError:
        """A library of custom ops cannot be loaded."""
        return cls(
            "the library of custom ops {} cannot be loaded.".format(library),
            why="{}: {}".format(type(failure).__name__, brief(failure)),
            hint="compile it against TensorFlow {}, with the flags of tf.sysconfig.get_compile_flags() and "
            "get_link_flags(); a library fits one release of TensorFlow only.".format(tensorflow),
            library=library,
            tensorflow=tensorflow,
        )

    @classmethod
    def no_kernel(cls, path: str, op: str, tensorflow: str) -> MissingOpsError:
        return cls(
            "{} uses the op {}, for which TensorFlow {} has no kernel.".format(path, op, tensorflow),
            why="The op is known by name, but this TensorFlow cannot run it on any device here, or dropped it.",
            hint="load the model with the TensorFlow it was written with; or import the package that brings the "
            "kernel, before loading.",
            path=path,
            ops=(op,),
            package="",
            tensorflow=tensorflow,
        )

    @classmethod
    def type_spec_not_registered(
        cls, path: str, type_spec: str, package: str, distribution: str = ""
    ) -> MissingOpsError:
        return cls(
            "{} uses a type that is not registered here: {}.".format(path, type_spec),
            why="Its class lives in the package {}, and registers itself when that is imported.".format(package),
            hint="pip install {} and import {} before loading.".format(
                distribution or package.replace("_", "-"), package if distribution else "it"
            ),
            path=path,
            type_spec=type_spec,
            package=package,
        )

    @classmethod
    def newer_than_tensorflow(cls, path: str, written: str, tensorflow: str, detail: str) -> MissingOpsError:
        return cls(
            "{} was written by {}, and TensorFlow {} cannot read it.".format(
                path, "TensorFlow " + written if written else "a TensorFlow that it does not name", tensorflow
            ),
            why="{} TensorFlow does not guarantee forward compatibility.".format(detail),
            hint="use {}; or have the model exported again with TensorFlow {}.".format(
                "TensorFlow {} or later".format(written) if written else "a newer TensorFlow", tensorflow
            ),
            path=path,
            written=written,
            tensorflow=tensorflow,
        )


def _how_to_get(package: str, release: str, tensorflow: str) -> str:
    """How to install a package for a version of TensorFlow; ``release`` is empty where none is known to fit."""
    if release:
        return "pip install '{}'".format(release)
    series = ".".join(tensorflow.split(".")[:2])
    return "install {} in the version that its page on PyPI names for TensorFlow {}".format(package, series)
