"""The texts of errors about missing packages and ops."""

from error_messages.facts import RUNTIME
from unihub._types import Keras
from unihub.errors import MissingOpsError, RuntimeUnavailableError

GOLDEN = [
    (
        "RuntimeUnavailableError.no_tensorflow",
        RuntimeUnavailableError.no_tensorflow(ModuleNotFoundError("No module named 'tensorflow'")),
        """\
        TensorFlow cannot be imported.
          Why:  ModuleNotFoundError: No module named 'tensorflow'
          Hint: pip install 'unihub[tensorflow]'.""",
    ),
    (
        "RuntimeUnavailableError.no_tensorflow_hub",
        RuntimeUnavailableError.no_tensorflow_hub("ModuleNotFoundError: No module named 'tensorflow_hub'", None),
        """\
        tensorflow_hub is not installed.
          Why:  ModuleNotFoundError: No module named 'tensorflow_hub'
          Hint: pip install 'tensorflow-hub<0.16' beside TensorFlow 2.15 or older; beside a newer one, say 2.18,
                pip install --no-deps tensorflow-hub 'tf-keras==2.18.*', which leaves TensorFlow as it is.""",
    ),
    (
        "RuntimeUnavailableError.no_tensorflow_hub",
        RuntimeUnavailableError.no_tensorflow_hub("ModuleNotFoundError: No module named 'pkg_resources'", "0.16.1"),
        """\
        tensorflow_hub cannot be imported.
          Why:  ModuleNotFoundError: No module named 'pkg_resources'
          Hint: pip install 'setuptools<82'; tensorflow_hub needs its pkg_resources.""",
    ),
    (
        "RuntimeUnavailableError.no_tensorflow_hub",
        RuntimeUnavailableError.no_tensorflow_hub(
            "ImportError: cannot import name 'estimator' from 'tensorflow.compat.v1'", "0.15.0"
        ),
        """\
        tensorflow_hub cannot be imported.
          Why:  ImportError: cannot import name 'estimator' from 'tensorflow.compat.v1'
          Hint: pip install 'tensorflow-hub<0.16' beside TensorFlow 2.15 or older; beside a newer one, say 2.18,
                pip install --no-deps tensorflow-hub 'tf-keras==2.18.*', which leaves TensorFlow as it is.""",
    ),
    (
        "RuntimeUnavailableError.no_kagglehub",
        RuntimeUnavailableError.no_kagglehub(
            "o/m/tensorFlow2/v/1", ModuleNotFoundError("No module named 'kagglehub'"), True
        ),
        """\
        kagglehub is needed to fetch o/m/tensorFlow2/v/1 from Kaggle.
          Why:  ModuleNotFoundError: No module named 'kagglehub'
          Hint: pip install 'unihub[kaggle]'.""",
    ),
    (
        "RuntimeUnavailableError.no_kagglehub",
        RuntimeUnavailableError.no_kagglehub(
            "o/m/tensorFlow2/v/1", ModuleNotFoundError("No module named 'kagglehub'"), False
        ),
        """\
        kagglehub is needed to fetch o/m/tensorFlow2/v/1 from Kaggle.
          Why:  ModuleNotFoundError: No module named 'kagglehub'
          Hint: kagglehub needs Python 3.10 or later: fetch the model there, and let KAGGLEHUB_CACHE name its cache.""",
    ),
    (
        "RuntimeUnavailableError.no_file_system",
        RuntimeUnavailableError.no_file_system(
            "gs://a/b", "gs", ImportError("Please install gcsfs to access Google Storage")
        ),
        """\
        gs:// needs a package that is not installed (gs://a/b).
          Why:  ImportError: Please install gcsfs to access Google Storage
          Hint: pip install 'unihub[buckets]' for gs:// and s3://; for others, fsspec and the package named above.""",
    ),
    (
        "RuntimeUnavailableError.no_libcst",
        RuntimeUnavailableError.no_libcst(ModuleNotFoundError("No module named 'libcst'")),
        """\
        libcst cannot be imported.
          Why:  ModuleNotFoundError: No module named 'libcst'
                It parses the programs that unihub migrate rewrites.
          Hint: pip install 'unihub[migrate]'.""",
    ),
    (
        "RuntimeUnavailableError.no_engine",
        RuntimeUnavailableError.no_engine(
            "Apache Beam", "apache_beam", "beam", ModuleNotFoundError("No module named 'apache_beam'")
        ),
        """\
        Apache Beam cannot be imported.
          Why:  ModuleNotFoundError: No module named 'apache_beam'
          Hint: pip install 'unihub[beam]', here and where the workers run.""",
    ),
    (
        "RuntimeUnavailableError.no_hub_attribute",
        RuntimeUnavailableError.no_hub_attribute("KerasLayer", "0.4.0"),
        """\
        hub.KerasLayer does not exist in tensorflow_hub 0.4.0.
          Why:  This version of tensorflow_hub does not offer it.
          Hint: pip install 'unihub[tensorflow]' in an environment of its own, or a tensorflow-hub that fits your TensorFlow.""",
    ),
    (
        "RuntimeUnavailableError.no_layer_for",
        RuntimeUnavailableError.no_layer_for(Keras.KERAS3, RUNTIME),
        """\
        there is no keras3 layer in the tf1-compat runtime.
          Why:  Keras 3 works in eager TensorFlow and in tf.function; it cannot train or predict in a plain graph.
          Hint: set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, or build the model with tf_keras and pass
                keras="keras2"; or use api="load".""",
    ),
    (
        "RuntimeUnavailableError.no_keras3",
        RuntimeUnavailableError.no_keras3("2.15.0"),
        """\
        Keras 3 cannot be imported.
          Why:  The package keras is version 2.15.0.
          Hint: pip install 'keras>=3' beside TensorFlow 2.16 or later; or pass keras="keras2", or api="load".""",
    ),
    (
        "RuntimeUnavailableError.no_keras3",
        RuntimeUnavailableError.no_keras3(None),
        """\
        Keras 3 cannot be imported.
          Why:  It is not installed.
          Hint: pip install 'keras>=3' beside TensorFlow 2.16 or later; or pass keras="keras2", or api="load".""",
    ),
    (
        "RuntimeUnavailableError.no_keras3",
        RuntimeUnavailableError.no_keras3("3.6.0", ImportError("No module named 'h5py'")),
        """\
        Keras 3 cannot be imported.
          Why:  ImportError: No module named 'h5py'
          Hint: pip install 'keras>=3' beside TensorFlow 2.16 or later; or pass keras="keras2", or api="load".""",
    ),
    (
        "RuntimeUnavailableError.other_keras_backend",
        RuntimeUnavailableError.other_keras_backend("jax"),
        """\
        a TensorFlow Hub model cannot be a layer of Keras 3 on jax.
          Why:  The model is a TensorFlow program, and Keras runs all layers of a model on one backend.
          Hint: set KERAS_BACKEND=tensorflow before Keras is imported; or use api="load", and pass arrays between the two.""",
    ),
    (
        "RuntimeUnavailableError.no_load_options",
        RuntimeUnavailableError.no_load_options("1.15.5"),
        """\
        load_options= needs TensorFlow 2.3 or later.
          Why:  TensorFlow 1.15.5 has no tf.saved_model.LoadOptions.
          Hint: leave load_options= out.""",
    ),
    (
        "MissingOpsError.not_registered",
        MissingOpsError.not_registered(
            "models/bert", ["CaseFoldUTF8"], "tensorflow-text", "tensorflow-text==2.15.*", "2.15.1"
        ),
        """\
        models/bert uses ops that TensorFlow 2.15.1 does not have: CaseFoldUTF8.
          Why:  They come from tensorflow-text, which is not imported here.
          Hint: pip install 'tensorflow-text==2.15.*', and import it before loading.""",
    ),
    (
        "MissingOpsError.not_registered",
        MissingOpsError.not_registered("models/audio", ["IO>AudioDecode"], "tensorflow-io", "", "2.15.1"),
        """\
        models/audio uses ops that TensorFlow 2.15.1 does not have: IO>AudioDecode.
          Why:  They come from tensorflow-io, which is not imported here.
          Hint: install tensorflow-io in the version that its page on PyPI names for TensorFlow 2.15, and import it before
                loading.""",
    ),
    (
        "MissingOpsError.not_registered",
        MissingOpsError.not_registered("models/own", ["Zap", "Zip"], "", "", "2.15.1"),
        """\
        models/own uses ops that TensorFlow 2.15.1 does not have: Zap, Zip.
          Why:  No package known to unihub registers them: they are custom ops, or newer or older than this TensorFlow.
          Hint: import the package that registers them, or call tf.load_op_library, before loading; or use the TensorFlow the
                model was written with.""",
    ),
    (
        "MissingOpsError.broken_package",
        MissingOpsError.broken_package(
            "models/bert",
            ["CaseFoldUTF8"],
            "tensorflow-text",
            "tensorflow-text==2.15.*",
            "2.15.1",
            ImportError("undefined symbol: x"),
        ),
        """\
        models/bert uses ops that TensorFlow 2.15.1 does not have: CaseFoldUTF8.
          Why:  They come from tensorflow-text, which is installed but cannot be imported: ImportError: undefined symbol: x
          Hint: pip install 'tensorflow-text==2.15.*': its libraries fit one release of TensorFlow only.""",
    ),
    (
        "MissingOpsError.no_library",
        MissingOpsError.no_library("ops/zap.so"),
        """\
        there is no library of custom ops at ops/zap.so.
          Why:  custom_op_libraries= names the files (.so, .dylib, .dll) that register a model's own ops.
          Hint: pass the path of the compiled library; relative paths start at the working directory.""",
    ),
    (
        "MissingOpsError.broken_library",
        MissingOpsError.broken_library("ops/zap.so", "2.15.1", OSError("invalid ELF header")),
        """\
        the library of custom ops ops/zap.so cannot be loaded.
          Why:  OSError: invalid ELF header
          Hint: compile it against TensorFlow 2.15.1, with the flags of tf.sysconfig.get_compile_flags() and get_link_flags();
                a library fits one release of TensorFlow only.""",
    ),
    (
        "MissingOpsError.no_kernel",
        MissingOpsError.no_kernel("models/tfx", "BoostedTreesBucketize", "2.21.0"),
        """\
        models/tfx uses the op BoostedTreesBucketize, for which TensorFlow 2.21.0 has no kernel.
          Why:  The op is known by name, but this TensorFlow cannot run it on any device here, or dropped it.
          Hint: load the model with the TensorFlow it was written with; or import the package that brings the kernel, before
                loading.""",
    ),
    (
        "MissingOpsError.type_spec_not_registered",
        MissingOpsError.type_spec_not_registered(
            "models/p", "tfp.X", "tensorflow_probability", "tensorflow-probability"
        ),
        """\
        models/p uses a type that is not registered here: tfp.X.
          Why:  Its class lives in the package tensorflow_probability, and registers itself when that is imported.
          Hint: pip install tensorflow-probability and import tensorflow_probability before loading.""",
    ),
    (
        "MissingOpsError.type_spec_not_registered",
        MissingOpsError.type_spec_not_registered("models/ranking", "tensorflow_ranking.Spec", "tensorflow_ranking"),
        """\
        models/ranking uses a type that is not registered here: tensorflow_ranking.Spec.
          Why:  Its class lives in the package tensorflow_ranking, and registers itself when that is imported.
          Hint: pip install tensorflow-ranking and import it before loading.""",
    ),
    (
        "MissingOpsError.newer_than_tensorflow",
        MissingOpsError.newer_than_tensorflow("models/new", "2.21.0", "1.15.5", "NodeDef mentions attr 'f' not in Op."),
        """\
        models/new was written by TensorFlow 2.21.0, and TensorFlow 1.15.5 cannot read it.
          Why:  NodeDef mentions attr 'f' not in Op. TensorFlow does not guarantee forward compatibility.
          Hint: use TensorFlow 2.21.0 or later; or have the model exported again with TensorFlow 1.15.5.""",
    ),
    (
        "MissingOpsError.newer_than_tensorflow",
        MissingOpsError.newer_than_tensorflow("models/new", "", "1.15.5", "NodeDef mentions attr 'f' not in Op."),
        """\
        models/new was written by a TensorFlow that it does not name, and TensorFlow 1.15.5 cannot read it.
          Why:  NodeDef mentions attr 'f' not in Op. TensorFlow does not guarantee forward compatibility.
          Hint: use a newer TensorFlow; or have the model exported again with TensorFlow 1.15.5.""",
    ),
]
