"""Every message that unihub can raise, as a user reads it."""

import inspect

from unihub import errors
from unihub._plan import matrix
from unihub._plan.runtime import Runtime
from unihub._saved_model.unsafe_scan import UnsafeOp
from unihub._types import Api, Format, Keras, Operation, RuntimeMode, Signature, Tensor, Use
from unihub.errors import (
    ConversionError,
    DownloadError,
    HandleError,
    InputError,
    IntegrityError,
    LoadError,
    MissingOpsError,
    ModelNotFoundError,
    RuntimeUnavailableError,
    SignatureError,
    TagsError,
    UnknownFormatError,
    UnsafeModelError,
    UnsupportedError,
)
from words import words_of

# Each class of errors, and the builtin that callers catch.
BUILTINS = {
    "HandleError": ValueError,
    "ModelNotFoundError": FileNotFoundError,
    "DownloadError": OSError,
    "IntegrityError": OSError,
    "UnknownFormatError": ValueError,
    "SignatureError": ValueError,
    "TagsError": ValueError,
    "InputError": TypeError,
    "UnsupportedError": NotImplementedError,
    "ConversionError": RuntimeError,
    "RuntimeUnavailableError": ImportError,
    "MissingOpsError": RuntimeError,
    "UnsafeModelError": PermissionError,
    "LoadError": RuntimeError,
}

LEAVES = sorted(BUILTINS)

IMAGES = Tensor("images", "float32", (None, 32, 32, 3))
DEFAULT = Signature("default", (IMAGES,), (Tensor("default", "float32", (None, 64)),))
SUM = Signature(
    "sum", (Tensor("a", "float32", None), Tensor("b", "float32", (None, None), "sparse")), (Tensor("c", "float32", ()),)
)
NO_INPUTS = Signature("count", (), (Tensor("output", "int64", ()),))

CELL = matrix.TABLE[Format.TF1_HUB, Operation.INFERENCE, RuntimeMode.TF2]
ONE_CHOICE = matrix.TABLE[Format.TF1_SAVED_MODEL, Operation.INFERENCE, RuntimeMode.TF1]
REFUSAL = matrix.TABLE[Format.TF1_HUB, Operation.FINE_TUNE, RuntimeMode.TF2]
RUNTIME = Runtime(RuntimeMode.TF1_COMPAT, "2.18.1", "0.16.1", Keras.KERAS3)

NO_PKG_RESOURCES = ModuleNotFoundError("No module named 'pkg_resources'")
NO_ESTIMATOR = AttributeError("module 'tensorflow' has no attribute 'estimator'\nand more")
GRAPH_ERROR = ValueError("Graph execution error:\n\nDetected at node x\nMatrix size-incompatible: [2,7] and [8,4]\n...")

READ_FILE = UnsafeOp("ReadFile", "read", "graph", "reads files")

# The constructor, what it makes of typical facts, and its text.
FAILURES = [
    RuntimeUnavailableError.no_kagglehub("o/m/tensorFlow2/v/1", ImportError("No module named 'kagglehub'"), True),
    DownloadError.answered("https://www.kaggle.com/models/o/m/tensorFlow2/v/1", 404, "404 Not Found"),
]

GOLDEN = [
    (
        "InputError.not_trust",
        InputError.not_trust(3),
        """\
        trust=3 says nothing.
          Why:  It is True, False, None, the name of an op, or a collection of such names.
          Hint: pass True for a model whose author you trust, or the names that inspect(...).unsafe_ops lists.""",
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
          Hint: pass the path of the compiled library; relative paths begin in the working directory.""",
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
        "UnsafeModelError.untrusted",
        UnsafeModelError.untrusted("https://example.com/model", [READ_FILE]),
        """\
        https://example.com/model was fetched from the network and may do more than compute.
          Why:  It has these ops:
                  ReadFile reads files (read, in the graph)
          Hint: unihub.inspect('https://example.com/model').unsafe_ops lists all of them. If you trust who wrote it, load it
                with trust=True, or with trust=['ReadFile'] for no other ops than these; or set UNIHUB_TRUST likewise.""",
    ),
    (
        "UnsafeModelError.refused",
        UnsafeModelError.refused("models/own", [READ_FILE]),
        """\
        models/own may do more than compute, and trust=False (or UNIHUB_TRUST=0) forbids that.
          Why:  It has these ops:
                  ReadFile reads files (read, in the graph)
          Hint: leave trust out to load a model of your own with a warning; or name the ops you accept, as trust=['ReadFile'].""",
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
        "SignatureError.unknown",
        SignatureError.unknown("models/convnet", "defualt", [DEFAULT, SUM]),
        """\
        models/convnet has no signature named 'defualt'.
          Why:  It has these:
                  default(images: float32[None,32,32,3]) -> default: float32[None,64]
                  sum(a: float32[?], b: sparse float32[None,None]) -> c: float32[]
          Hint: pass one of them as signature=, or leave it out. Did you mean 'default'?""",
    ),
    (
        "SignatureError.unknown",
        SignatureError.unknown("models/bare", "default", []),
        """\
        models/bare has no signature named 'default'.
          Why:  It has no signatures at all.
          Hint: leave signature= out.""",
    ),
    (
        "SignatureError.not_loaded",
        SignatureError.not_loaded("models/convnet", "encode", Use("serving_default", layer=True)),
        """\
        'encode' of models/convnet is not there.
          Why:  Only what was asked for was loaded: the signature serving_default and a layer's weights and losses. If the
                model has it, it was left out.
          Hint: load the model with full=True.""",
    ),
    (
        "SignatureError.required",
        SignatureError.required("models/sums", [SUM, NO_INPUTS]),
        """\
        models/sums does not say which of its signatures to call.
          Why:  None is named 'serving_default' or 'default', and there is not just one:
                  sum(a: float32[?], b: sparse float32[None,None]) -> c: float32[]
                  count() -> output: int64[]
          Hint: pass signature= with one of the names.""",
    ),
    (
        "SignatureError.required",
        SignatureError.required("models/weights", []),
        """\
        models/weights cannot be called.
          Why:  It has no signatures, and its root object is no function.
          Hint: have it exported again with signatures; what it holds are the attributes of
                tf.saved_model.load("models/weights").""",
    ),
    (
        "SignatureError.unknown_output",
        SignatureError.unknown_output("the signature 'feature_map'", "maps", ["map", "default"]),
        """\
        the signature 'feature_map' has no output named 'maps'.
          Why:  Its outputs are: default, map.
          Hint: pass one of them as output_key=, or as_dict=True for all. Did you mean 'map'?""",
    ),
    (
        "TagsError.unknown",
        TagsError.unknown("models/convnet", {"gpu", "train"}, [set(), {"train"}]),
        """\
        models/convnet has no graph variant with the tags {'gpu', 'train'}.
          Why:  Its variants are: {}, {'train'}.
          Hint: pass one of these as tags=, or leave it out.""",
    ),
    (
        "TagsError.required",
        TagsError.required("models/served", [{"serve", "gpu"}, {"serve", "tpu"}]),
        """\
        models/served does not say which of its graph variants to load.
          Why:  None is plain or tagged {'serve'}, and there is not just one: {'gpu', 'serve'}, {'serve', 'tpu'}.
          Hint: pass one of these as tags=.""",
    ),
    (
        "TagsError.train_variant_is_frozen",
        TagsError.train_variant_is_frozen("models/convnet", {"train"}),
        """\
        the graph variant {'train'} of models/convnet is for training, and trainable is False.
          Why:  It keeps dropout active and uses the statistics of each batch, so its outputs would be silently wrong.
          Hint: leave tags= out for inference; or load with trainable=True.""",
    ),
    (
        "InputError.wrong_names",
        InputError.wrong_names(SUM, ["a", "bb"]),
        """\
        the inputs do not have the names that 'sum' expects.
          Why:  expected a, b; got a, bb.
          Hint: pass a dict with exactly these names. Did you mean 'b'?""",
    ),
    (
        "InputError.needs_dict",
        InputError.needs_dict(SUM),
        """\
        'sum' has 2 inputs, and got one value without a name.
          Why:  Its inputs are:
                  a: float32[?]
                  b: sparse float32[None,None]
          Hint: pass a dict by input name.""",
    ),
    (
        "InputError.needs_dict",
        InputError.needs_dict(NO_INPUTS),
        """\
        'count' has 0 inputs, and got one value without a name.
          Why:  It takes no inputs at all.
          Hint: call it with an empty dict.""",
    ),
    (
        "InputError.does_not_fit",
        InputError.does_not_fit("images", str(IMAGES), "int64[2,32,32,3]"),
        """\
        the input 'images' does not fit the model.
          Why:  expected images: float32[None,32,32,3]; got int64[2,32,32,3].
          Hint: convert it before the call.""",
    ),
    (
        "InputError.fits_no_trace",
        InputError.fits_no_trace("models/reusable", "float32[2,7]", ["x: float32[None,8], training: True"]),
        """\
        the arguments fit none of the ways in which models/reusable can be called.
          Why:  got float32[2,7]; expected one of
                  x: float32[None,8], training: True
          Hint: convert the inputs to one of these structures, dtypes and shapes.""",
    ),
    (
        "InputError.training_is_no_bool",
        InputError.training_is_no_bool(1),
        """\
        training= must be True, False or None; got int.
          Why:  It selects which of the functions in the model is called, before TensorFlow runs it.
          Hint: pass a Python bool; to switch inside a graph, call the model in both branches of tf.cond. Further arguments of
                the model go by their names.""",
    ),
    (
        "InputError.frozen",
        InputError.frozen("models/reusable"),
        """\
        models/reusable was loaded with trainable=False and cannot be called with training=True.
          Why:  A frozen model never runs in training mode: dropout and batch statistics would change its outputs.
          Hint: load it with trainable=True; or call it without training=.""",
    ),
    (
        "InputError.contradicts_variant",
        InputError.contradicts_variant("models/convnet", {"train"}, False),
        """\
        models/convnet was loaded as the graph variant {'train'} and cannot be called with training=False.
          Why:  In the tf1-hub format the variant is chosen when the model is loaded, for all of its calls.
          Hint: leave training= out; or load the model once more with tags= for the other variant.""",
    ),
    (
        "InputError.other_graph",
        InputError.other_graph("models/convnet"),
        """\
        models/convnet was loaded in another graph than the one it is used in.
          Why:  In graph runtimes a model belongs to the tf.Graph that was current when it was loaded.
          Hint: load it again inside this graph (an Estimator's model_fn loads its own).""",
    ),
    (
        "InputError.other_strategy",
        InputError.other_strategy("models/convnet", "MirroredStrategy", None),
        """\
        models/convnet is used in the scope of a MirroredStrategy, and was loaded outside of it.
          Why:  Its variables are not the strategy's: each replica or worker would change its own, or find none.
          Hint: call unihub.load inside `with strategy.scope():`, with the strategy that trains.""",
    ),
    (
        "InputError.finalized_graph",
        InputError.finalized_graph(),
        """\
        initialize() cannot add to a finalized graph.
          Why:  It needs ops that tell which variables are still uninitialized, and this graph takes no more ops.
          Hint: call it before the graph is finalized; a MonitoredSession and an Estimator initialize by themselves.""",
    ),
    (
        "InputError.unknown_option",
        InputError.unknown_option("signatures", ["trainable", "signature", "tags"]),
        """\
        there is no argument 'signatures' here.
          Why:  Known are trainable, signature, tags; any other belongs to a Keras layer.
          Hint: leave it out, or load the model with api="keras". Did you mean 'signature'?""",
    ),
    (
        "InputError.unknown_word",
        InputError.unknown_word("api", "kears", ["auto", "module", "load", "keras"]),
        """\
        api='kears' is none of the words it knows.
          Why:  expected one of auto, module, load, keras.
          Hint: pass one of these. Did you mean 'keras'?""",
    ),
    (
        "InputError.needs_tensorflow_version",
        InputError.needs_tensorflow_version(),
        """\
        there is no TensorFlow to plan for.
          Why:  None is installed here, and none was named.
          Hint: name one, as in --tensorflow 2.15; or pip install 'unihub[tensorflow]'.""",
    ),
    (
        "InputError.no_such_runtime",
        InputError.no_such_runtime("tf1", "2.15", ("tf1-compat", "tf2-graph", "tf2")),
        """\
        TensorFlow 2.15 has no runtime tf1.
          Why:  It runs as tf1-compat, tf2-graph or tf2; tf1 is TensorFlow 1.x, tf1-compat and tf2-graph belong to 2.x.
          Hint: name another runtime, or another version of TensorFlow.""",
    ),
    (
        "InputError.unknown_word",
        InputError.unknown_word("trainable", 1, ["True", "False"]),
        """\
        trainable=1 is none of the words it knows.
          Why:  expected one of True, False.
          Hint: pass one of these.""",
    ),
    (
        "UnsupportedError.refused",
        UnsupportedError.refused(REFUSAL, "models/convnet"),
        """\
        fine-tuning a tf1-hub model in the tf2 runtime is not supported (models/convnet).
          Why:  TF2 does not load the update ops and regularization losses that fine-tuning a TF1 Hub module needs.
          Hint: unihub.convert("models/convnet", "out") makes a TF2 SavedModel that can be fine-tuned; or call
                tf.compat.v1.disable_v2_behavior() first, or build the model inside a tf.Graph; or load with trainable=False.""",
    ),
    (
        "UnsupportedError.no_such_api",
        UnsupportedError.no_such_api(CELL, Api.MODULE, "models/convnet"),
        """\
        inference with a tf1-hub model in the tf2 runtime is not supported through api='module' (models/convnet).
          Why:  The matrix has for this cell: load (signature); keras (signature).
          Hint: leave api= out, or pass api='load' or api='keras'.""",
    ),
    (
        "UnsupportedError.no_such_api",
        UnsupportedError.no_such_api(ONE_CHOICE, Api.KERAS, "models/export"),
        """\
        inference with a tf1-saved-model model in the tf1 runtime is not supported through api='keras' (models/export).
          Why:  The matrix has for this cell: load (signature).
          Hint: leave api= out, or pass api='load'.""",
    ),
    (
        "UnsupportedError.module_inside_function",
        UnsupportedError.module_inside_function("models/convnet"),
        """\
        a tf1-hub module cannot be used while TensorFlow traces a function (models/convnet).
          Why:  hub.Module builds graph variables; inside a function they keep random values, without an error.
          Hint: load and call it in the graph itself, outside of tf.function and, in TensorFlow 2, of tf.cond and
                tf.while_loop; or load it in eager TensorFlow 2 for inference.""",
    ),
    (
        "UnsupportedError.module_in_strategy",
        UnsupportedError.module_in_strategy("models/convnet", "MirroredStrategy"),
        """\
        a tf1-hub module cannot be loaded in the scope of a MirroredStrategy (models/convnet).
          Why:  hub.Module makes plain variables of the graph, so that each replica would have, and train, its own.
          Hint: unihub.convert('models/convnet', 'out') makes a TF2 SavedModel of it; load that in the scope.""",
    ),
    (
        "UnsupportedError.out_of_reach",
        UnsupportedError.out_of_reach("models/convnet", "tf1-hub", "ParameterServerStrategyV2"),
        """\
        a tf1-hub model cannot be loaded in the scope of a ParameterServerStrategyV2 (models/convnet).
          Why:  TensorFlow keeps the variables of a TF1 graph in the process that loads it, the coordinator, where no worker
                can read them.
          Hint: unihub.convert('models/convnet', 'out') makes a TF2 SavedModel of it; load that in the scope.""",
    ),
    (
        "UnsupportedError.nothing_to_train",
        UnsupportedError.nothing_to_train("models/frozen"),
        """\
        models/frozen has no trainable variables, so trainable=True has nothing to train.
          Why:  The model marks none of its variables as trainable; training would run and change nothing.
          Hint: load it with trainable=False; or ask its publisher for a version that can be fine-tuned.""",
    ),
    (
        "UnsupportedError.signature_is_not_trainable",
        UnsupportedError.signature_is_not_trainable("models/reusable", "serving_default"),
        """\
        fine-tuning models/reusable through its signature 'serving_default' is not supported.
          Why:  A signature knows no training mode, no update ops and no regularization losses; only calling the model itself
                does.
          Hint: leave signature= out; or load with trainable=False.""",
    ),
    (
        "UnsupportedError.not_callable",
        UnsupportedError.not_callable("models/coder", [DEFAULT]),
        """\
        models/coder cannot be fine-tuned: its root object cannot be called.
          Why:  It offers signatures only, and these know no training mode, update ops or losses:
                  default(images: float32[None,32,32,3]) -> default: float32[None,64]
          Hint: load with trainable=False; or train the attributes of unihub.load(...).native yourself.""",
    ),
    (
        "RuntimeUnavailableError.no_tensorflow",
        RuntimeUnavailableError.no_tensorflow(ModuleNotFoundError("No module named 'tensorflow'")),
        """\
        TensorFlow cannot be imported.
          Why:  ModuleNotFoundError: No module named 'tensorflow'
          Hint: pip install 'unihub[tensorflow]'.""",
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
        "InputError.rows_differ",
        InputError.rows_differ("shapes", (2, 3), (4,)),
        """\
        the rows of a batch have different shapes.
          Why:  the first has (2, 3); another has (4,).
          Hint: give all rows the same names, dtypes and shapes; or make batches of one row.""",
    ),
    (
        "InputError.no_column",
        InputError.no_column("sum", "sum: complex64[]"),
        """\
        the output 'sum' cannot be a column of Spark's.
          Why:  A column holds numbers and texts, of known rank and one row for each that went in; this is
                sum: complex64[]
          Hint: choose another output with output_key=, or another signature.""",
    ),
    (
        "InputError.not_by_rows",
        InputError.not_by_rows("(4, 8)", 3),
        """\
        an output of the model has no row for each that went in.
          Why:  3 went in; the output has the shape (4, 8).
          Hint: choose another output with output_key=, or another signature.""",
    ),
    (
        "RuntimeUnavailableError.no_tensorflow_hub",
        RuntimeUnavailableError.no_tensorflow_hub(ModuleNotFoundError("No module named 'tensorflow_hub'"), None),
        """\
        tensorflow_hub is not installed.
          Why:  ModuleNotFoundError: No module named 'tensorflow_hub'
          Hint: pip install 'tensorflow-hub<0.16' beside TensorFlow 2.15 or older; beside a newer one, say 2.18,
                pip install --no-deps tensorflow-hub 'tf-keras==2.18.*', which leaves TensorFlow as it is.""",
    ),
    (
        "RuntimeUnavailableError.no_tensorflow_hub",
        RuntimeUnavailableError.no_tensorflow_hub(NO_PKG_RESOURCES, "0.16.1"),
        """\
        tensorflow_hub cannot be imported.
          Why:  ModuleNotFoundError: No module named 'pkg_resources'
          Hint: pip install 'setuptools<82'; tensorflow_hub needs its pkg_resources.""",
    ),
    (
        "RuntimeUnavailableError.no_tensorflow_hub",
        RuntimeUnavailableError.no_tensorflow_hub(NO_ESTIMATOR, "0.15.0"),
        """\
        tensorflow_hub cannot be imported.
          Why:  AttributeError: module 'tensorflow' has no attribute 'estimator'
          Hint: pip install 'tensorflow-hub<0.16' beside TensorFlow 2.15 or older; beside a newer one, say 2.18,
                pip install --no-deps tensorflow-hub 'tf-keras==2.18.*', which leaves TensorFlow as it is.""",
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
        "UnsafeModelError.self_contained",
        UnsafeModelError.self_contained("models/bert"),
        """\
        the file holds a SavedModel (once models/bert), and Keras reads it in safe mode.
          Why:  A SavedModel is a program: who loads it runs what its author wrote, and may read and write files.
          Hint: if you trust the source of the file, load_model(..., safe_mode=False), or call
                keras.config.enable_unsafe_deserialization() first; a layer without self_contained=True needs neither.""",
    ),
    (
        "InputError.other_keras",
        InputError.other_keras("hub", Keras.KERAS3, Keras.KERAS2),
        """\
        'hub' is a keras3 layer, and was called with a tensor of keras2.
          Why:  The layer belongs to Keras 3 (keras), and the model around it to Keras 2 (tf_keras, or tf.keras before
                TensorFlow 2.16); the two cannot be mixed.
          Hint: load it with keras="keras2"; or build the model around it with the Keras of the layer.""",
    ),
    (
        "InputError.other_keras",
        InputError.other_keras("hub", Keras.KERAS2, Keras.KERAS3),
        """\
        'hub' is a keras2 layer, and was called with a tensor of keras3.
          Why:  The layer belongs to Keras 2 (tf_keras, or tf.keras before TensorFlow 2.16), and the model around it to Keras
                3 (keras); the two cannot be mixed.
          Hint: load it with keras="keras3"; or build the model around it with the Keras of the layer.""",
    ),
    (
        "InputError.needs_output_shape",
        InputError.needs_output_shape("hub"),
        """\
        an output of 'hub' has no known rank, and a Keras model needs one.
          Why:  The model's files do not tell the shape, and Keras plans the layers that follow by it.
          Hint: pass the shapes without the batch as output_shape=, nested as the outputs are.""",
    ),
    (
        "InputError.unknown_layer_option",
        InputError.unknown_layer_option("output_shapes", ["dtype", "output_shape"]),
        """\
        a Keras 3 layer has no argument 'output_shapes'.
          Why:  Known are dtype, output_shape, and the arguments of unihub.load.
          Hint: leave it out. Did you mean 'output_shape'?""",
    ),
    (
        "IntegrityError.missing_in_keras_file",
        IntegrityError.missing_in_keras_file("models/bert"),
        """\
        the file was saved with the SavedModel of models/bert in it, which is not there.
          Why:  A layer that was loaded with self_contained=True keeps the model among the assets of the .keras file.
          Hint: Read the .keras file as it was saved; weights alone go into a model that is built by your code.""",
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
          Why:  NodeDef mentions attr 'f' not in Op. An older TensorFlow is not promised to read what a newer one writes.
          Hint: use TensorFlow 2.21.0 or later; or have the model exported again with TensorFlow 1.15.5.""",
    ),
    (
        "MissingOpsError.newer_than_tensorflow",
        MissingOpsError.newer_than_tensorflow("models/new", "", "1.15.5", "NodeDef mentions attr 'f' not in Op."),
        """\
        models/new was written by a TensorFlow that it does not name, and TensorFlow 1.15.5 cannot read it.
          Why:  NodeDef mentions attr 'f' not in Op. An older TensorFlow is not promised to read what a newer one writes.
          Hint: use a newer TensorFlow; or have the model exported again with TensorFlow 1.15.5.""",
    ),
    (
        "HandleError.exists",
        HandleError.exists("models/new"),
        """\
        models/new exists already.
          Why:  What is there would be overwritten, or mixed with what is written.
          Hint: Give another directory, or delete this one first; unihub.save takes overwrite=True.""",
    ),
    (
        "LoadError.loading",
        LoadError.loading("models/odd", KeyError("no such node")),
        """\
        TensorFlow failed to load models/odd.
          Why:  KeyError: 'no such node'
          Hint: unihub.inspect('models/odd') shows what the model holds; the exception above has TensorFlow's own words.""",
    ),
    (
        "LoadError.calling",
        LoadError.calling("models/odd", GRAPH_ERROR),
        """\
        TensorFlow failed while it ran models/odd.
          Why:  ValueError: Matrix size-incompatible: [2,7] and [8,4]
          Hint: compare the inputs with model.info; the exception above has TensorFlow's own words.""",
    ),
    (
        "LoadError.uninitialized_table",
        LoadError.uninitialized_table("models/text", RuntimeError("Table not initialized."), eager=False),
        """\
        models/text uses a lookup table that is not initialized.
          Why:  RuntimeError: Table not initialized.
          Hint: in graph runtimes call model.initialize(session) once, before the first run.""",
    ),
    (
        "LoadError.uninitialized_table",
        LoadError.uninitialized_table("models/text", RuntimeError("Table not initialized."), eager=True),
        """\
        models/text uses a lookup table that is not initialized.
          Why:  The model holds no initializer that could be run when it was loaded.
          Hint: have the model exported again, with the table's initializer as its main op.""",
    ),
    (
        "LoadError.unfed_placeholder",
        LoadError.unfed_placeholder("models/odd", "min/Placeholder"),
        """\
        models/odd needs a value for 'min/Placeholder', which is no input of the signature.
          Why:  The outputs depend on a placeholder that the signature does not list, so no call can feed it.
          Hint: have the model exported again with the placeholder as an input, or with a constant in its place.""",
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
        "ModelNotFoundError.no_checkpoint",
        ModelNotFoundError.no_checkpoint("models/model.ckpt-7"),
        """\
        there is no checkpoint at models/model.ckpt-7.
          Why:  Neither models/model.ckpt-7.index nor a checkpoint's directory of that name exists.
          Hint: Pass what Saver.save returned: the name of the checkpoint's files up to .index and .data-*.""",
    ),
    (
        "SignatureError.outside_module_function",
        SignatureError.outside_module_function("add_signature"),
        """\
        unihub.add_signature was called where no module is under construction.
          Why:  It speaks of the graph that a module function builds, and the current graph is no such graph.
          Hint: call it in the function that is given to unihub.save, and there neither in a tf.function nor in a branch or
                loop of TensorFlow 2.""",
    ),
    (
        "SignatureError.none_added",
        SignatureError.none_added({"train"}),
        """\
        the module function added no signature to the graph variant {'train'}.
          Why:  A module is called through its signatures; without one it cannot be used.
          Hint: call unihub.add_signature in the function, with the tensors that go in and come out.""",
    ),
    (
        "SignatureError.added_twice",
        SignatureError.added_twice("default"),
        """\
        the module function added the signature 'default' twice.
          Why:  The second would take the place of the first.
          Hint: give each signature a name of its own; without a name it is called 'default'.""",
    ),
    (
        "SignatureError.not_a_name",
        SignatureError.not_a_name(3),
        """\
        3 cannot name a signature, or an input or output of one.
          Why:  expected a str; got int.
          Hint: pass a str.""",
    ),
    (
        "TagsError.repeated",
        TagsError.repeated(set()),
        """\
        two graph variants have the tags {}.
          Why:  A graph variant is chosen by its tags, so these two could not be told apart.
          Hint: give each variant tags of its own; the plain one has none.""",
    ),
    (
        "InputError.not_a_tensor",
        InputError.not_a_tensor("default", "output", "logits", [1.0]),
        """\
        the output 'logits' of the signature 'default' is no tensor.
          Why:  expected a Tensor, a SparseTensor or (from TensorFlow 1.15) a RaggedTensor; got list.
          Hint: pass a tensor; tf.identity makes one of a variable, tf.constant of an array.""",
    ),
    (
        "InputError.tensor_elsewhere",
        InputError.tensor_elsewhere("default", "input", "images"),
        """\
        the input 'images' of the signature 'default' belongs to another graph.
          Why:  A module function is called in a graph of its own, and only what it makes there is in the module.
          Hint: make the tensor in the module function itself.""",
    ),
    (
        "InputError.colocated",
        InputError.colocated("the input 'images' of 'default'", ["loc:@tower/w"]),
        """\
        the input 'images' of 'default' must not be placed beside another op.
          Why:  It is colocated with tower/w. When the module is used, its place is taken by what is elsewhere.
          Hint: make it outside of tf.colocate_with; the other op may be placed beside it instead.""",
    ),
    (
        "InputError.attachment_key",
        InputError.attachment_key("no key"),
        """\
        'no key' is no key for a message.
          Why:  A key is made of letters, digits and underscores, and begins with a letter.
          Hint: rename it.""",
    ),
    (
        "InputError.not_a_message",
        InputError.not_a_message("note", "a text"),
        """\
        what is to be attached as 'note' is no protocol message.
          Why:  expected a protobuf message; got str.
          Hint: pass one, such as a tf.train.Features, or a message class of your own.""",
    ),
    (
        "InputError.unsupported_collections",
        InputError.unsupported_collections(["losses", "mine"], ["update_ops", "variables"]),
        """\
        the module function filled collections that no module can have: losses, mine.
          Why:  Whoever loads a module takes over these alone: update_ops, variables.
          Hint: leave them empty; del tf.compat.v1.get_collection_ref('losses')[:] at the end of the function does.""",
    ),
    (
        "InputError.asset_is_no_constant",
        InputError.asset_is_no_constant("vocabulary/path"),
        """\
        the asset 'vocabulary/path' is no constant.
          Why:  The files of a module are named by constants in its graph, one text each; these are set when it is loaded.
          Hint: pass the file's path as a str.""",
    ),
    (
        "InputError.variables_disagree",
        InputError.variables_disagree("dense/w", "float32[4,3]", set(), "float32[4,5]", {"train"}),
        """\
        there is more than one variable 'dense/w'.
          Why:  It is float32[4,3] in the graph variant {}, and float32[4,5] in the graph variant {'train'}.
          Hint: give it one dtype and shape; or, if these are different variables, names of their own.""",
    ),
    (
        "InputError.variables_disagree",
        InputError.variables_disagree("dense/w", "float32[4,3]", set(), "float64[4,3]", None),
        """\
        there is more than one variable 'dense/w'.
          Why:  It is float32[4,3] in the graph variant {}, and float64[4,3] in the checkpoint.
          Hint: give it one dtype and shape; or, if these are different variables, names of their own.""",
    ),
    (
        "InputError.missing_in_checkpoint",
        InputError.missing_in_checkpoint("models/model.ckpt-7", ["dense/b", "dense/w"], ["dense/bias", "dense/kernel"]),
        """\
        the checkpoint models/model.ckpt-7 lacks 2 of the module's variables.
          Why:  Missing are dense/b, dense/w; the checkpoint has dense/bias, dense/kernel.
          Hint: build the variables in the module function under the names that they had when they were trained. Did you mean
                'dense/bias'?""",
    ),
    (
        "InputError.no_session",
        InputError.no_session(),
        """\
        there is no session that holds the variables of the module.
          Why:  The values of a module that was loaded in a graph are in the session that initialized or trained it.
          Hint: save it inside of "with session.as_default():", or pass the session.""",
    ),
    (
        "InputError.session_of_other_graph",
        InputError.session_of_other_graph(),
        """\
        the session does not hold the variables of the module.
          Why:  It runs another graph than the one that the module was loaded in.
          Hint: pass the session in which the module was initialized or trained.""",
    ),
    (
        "InputError.not_a_module",
        InputError.not_a_module(3),
        """\
        a int cannot be written as a tf1-hub model.
          Why:  expected a function that builds a graph and calls unihub.add_signature, a hub.ModuleSpec, or a module that was
                loaded.
          Hint: wrap it into such a function; or write a TF2 SavedModel, which takes Keras models, tf.Module and functions of
                tensors.""",
    ),
    (
        "InputError.no_use_for",
        InputError.no_use_for("checkpoint", "a module that was loaded"),
        """\
        a module that was loaded takes no checkpoint.
          Why:  It brings its own, or has none.
          Hint: leave the argument checkpoint out.""",
    ),
    (
        "HandleError.not_a_target",
        HandleError.not_a_target(3),
        """\
        3 names no directory to write to.
          Why:  A model is written to a directory, named by a str or a pathlib path.
          Hint: Pass the path of a directory that is not there yet.""",
    ),
    (
        "InputError.not_savable",
        InputError.not_savable(3),
        """\
        an int cannot be written as a tf2-saved-model.
          Why:  There is nothing in it that could be called with tensors, and written.
          Hint: pass a Keras model or layer, a tf.Module with a tf.function, a function of tensors, or what unihub.load
                returned for a SavedModel.""",
    ),
    (
        "InputError.needs_inputs",
        InputError.needs_inputs(print),
        """\
        it is not known what a call of a builtin_function_or_method takes.
          Why:  A SavedModel holds traces only, and nothing was traced here that tells the dtypes and shapes.
          Hint: pass inputs=tf.TensorSpec([None, 8], tf.float32), an array as an example, or a nest of these.""",
    ),
    (
        "InputError.no_example",
        InputError.no_example("images"),
        """\
        inputs= has a str where a spec or an example is needed.
          Why:  A call takes tensors; lists and dicts in inputs= are the nest that they stand in.
          Hint: pass a tf.TensorSpec; or an example as a numpy array or a tensor.""",
    ),
    (
        "InputError.inputs_by_name",
        InputError.inputs_by_name(["images", "size"]),
        """\
        the function has 2 arguments, and inputs= does not tell each.
          Why:  Its arguments are images, size.
          Hint: pass a dict with exactly these names as inputs=.""",
    ),
    (
        "InputError.only_for_modules",
        InputError.only_for_modules("variants"),
        """\
        variants= does not go with the format tf2-saved-model.
          Why:  It belongs to tf1-hub modules, which have graph variants and are written from checkpoints.
          Hint: leave it out; or pass format="tf1-hub".""",
    ),
    (
        "InputError.untracked",
        InputError.untracked("Tried to export a function which references\n 'untracked' resource Tensor(\"table:0\")."),
        """\
        the function uses a table or variable that nothing keeps.
          Why:  Tried to export a function which references 'untracked' resource Tensor("table:0").
          Hint: make it an attribute of a tf.Module whose __call__ is the function, and save that.""",
    ),
    (
        "InputError.needs_session",
        InputError.needs_session("dense/kernel:0"),
        """\
        there is no session to read the variable 'dense/kernel:0' from.
          Why:  In a graph the values of variables are in a session.
          Hint: call unihub.save inside "with session.as_default():"; or pass session=.""",
    ),
    (
        "InputError.uninitialized",
        InputError.uninitialized("dense/kernel:0"),
        """\
        the variable 'dense/kernel:0' has no value in the session.
          Why:  It was neither initialized nor restored there, so there is nothing to write.
          Hint: run tf.compat.v1.global_variables_initializer() in that session, or restore a checkpoint, first.""",
    ),
    (
        "InputError.reference_variable",
        InputError.reference_variable("dense/kernel:0"),
        """\
        the variable 'dense/kernel:0' is of reference type.
          Why:  A TF2 SavedModel has resource variables only; TensorFlow 1 makes the other kind by default.
          Hint: call tf.compat.v1.enable_resource_variables() before the variables are made.""",
    ),
    (
        "InputError.variable_elsewhere",
        InputError.variable_elsewhere("dense/kernel:0"),
        """\
        the variable 'dense/kernel:0' is not in the graph of the session.
          Why:  It was made in another tf.Graph, or eagerly, and the session has no value of it.
          Hint: save the model where its variables are: outside of every graph, or with the session of their graph.""",
    ),
    (
        "SignatureError.not_traced",
        SignatureError.not_traced("predict", print, 0),
        """\
        'predict' among the signatures is not one function of known inputs.
          Why:  It is a builtin_function_or_method, not traced.
          Hint: pass a tf.function with an input_signature, or what its get_concrete_function() returns.""",
    ),
    (
        "SignatureError.not_traced",
        SignatureError.not_traced("predict", print, 2),
        """\
        'predict' among the signatures is not one function of known inputs.
          Why:  It is a builtin_function_or_method with 2 traces.
          Hint: pass a tf.function with an input_signature, or what its get_concrete_function() returns.""",
    ),
    (
        "LoadError.saving",
        LoadError.saving("models/out", GRAPH_ERROR),
        """\
        the model could not be written to models/out.
          Why:  ValueError: Matrix size-incompatible: [2,7] and [8,4]
          Hint: nothing was written; the exception above has the words of whoever raised it.""",
    ),
    (
        "ConversionError.differs",
        ConversionError.differs("models/convnet", "default", "features", 0.0123),
        """\
        the conversion of models/convnet gives other numbers than the original.
          Why:  For the same inputs the output 'features' of the signature 'default' differs by 0.0123; 1e-5 is allowed.
          Hint: nothing was written. unihub.convert(..., check=False) writes it all the same; please report the model, for
                this should not happen.""",
    ),
    (
        "ConversionError.does_not_run",
        ConversionError.does_not_run("models/convnet", "default", GRAPH_ERROR),
        """\
        the conversion of models/convnet does not run.
          Why:  The original takes inputs for which the signature 'default' of the converted model raised ValueError: Matrix
                size-incompatible: [2,7] and [8,4]
          Hint: nothing was written. unihub.convert(..., check=False) writes it all the same; please report the model, for
                this should not happen.""",
    ),
    (
        "UnsupportedError.cannot_be_converted",
        UnsupportedError.cannot_be_converted(
            "models/convnet", "queue (FIFOQueueV2) keeps state of a kind that no SavedModel has."
        ),
        """\
        models/convnet cannot be converted to a TF2 SavedModel.
          Why:  queue (FIFOQueueV2) keeps state of a kind that no SavedModel has.
          Hint: load it as it is, for inference; or fine-tune it after tf.compat.v1.disable_v2_behavior().""",
    ),
    (
        "UnsupportedError.converted_already",
        UnsupportedError.converted_already("models/reusable"),
        """\
        models/reusable is a TF2 SavedModel, and there is nothing to convert.
          Why:  What is converted are TF1 Hub modules and TF1 SavedModels, which TF2 cannot fine-tune.
          Hint: load it as it is: unihub.load("models/reusable", trainable=True).""",
    ),
    (
        "UnsupportedError.converts_in_eager_only",
        UnsupportedError.converts_in_eager_only("models/convnet", RUNTIME),
        """\
        models/convnet cannot be converted in the tf1-compat runtime.
          Why:  A TF2 SavedModel is written from TF2's functions and variables, outside of all graphs.
          Hint: call unihub.convert in a process of its own with TensorFlow 2, before anything switches v2 behavior off, and
                outside of tf.Graph and tf.function; then load what it wrote here.""",
    ),
    (
        "UnsupportedError.saving_inside_function",
        UnsupportedError.saving_inside_function(),
        """\
        a model cannot be written inside a tf.function.
          Why:  The function would write it once, while it is traced, and the variables have no values there.
          Hint: call unihub.save outside of it.""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 403, "403 Forbidden"),
        """\
        https://a/b could not be fetched.
          Why:  403 Forbidden.
          Hint: The model may be private, or want a login or a consent: see its page in a browser.""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 404, "404 Not Found"),
        """\
        https://a/b could not be fetched.
          Why:  404 Not Found.
          Hint: Check the address, and whether that version of the model still exists.""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 429, "429 Too Many Requests", 3600.0),
        """\
        https://a/b could not be fetched.
          Why:  429 Too Many Requests.
          Hint: The server asks to come back after 3600 s.""",
    ),
    (
        "DownloadError.answered",
        DownloadError.answered("https://a/b", 500, "500 Internal Server Error"),
        """\
        https://a/b could not be fetched.
          Why:  500 Internal Server Error.
          Hint: The server has trouble of its own; try again later.""",
    ),
    (
        "DownloadError.cannot_write",
        DownloadError.cannot_write("https://a/b", "/cache", "[Errno 28] No space left on device"),
        """\
        https://a/b could not be fetched.
          Why:  It could not be written to the cache at /cache ([Errno 28] No space left on device).
          Hint: Let the environment variable UNIHUB_CACHE_DIR name a directory that can be written and has room.""",
    ),
    (
        "DownloadError.certificate",
        DownloadError.certificate("https://a/b", "SSLCertVerificationError: self signed certificate"),
        """\
        https://a/b could not be fetched.
          Why:  Its certificate is not trusted (SSLCertVerificationError: self signed certificate).
          Hint: If your network puts a certificate of its own in between, let REQUESTS_CA_BUNDLE name the file with it; and
                check the clock of this machine.""",
    ),
    (
        "DownloadError.no_connection",
        DownloadError.no_connection("https://a/b", "ConnectionRefusedError: [Errno 111] Connection refused"),
        """\
        https://a/b could not be fetched.
          Why:  The connection failed (ConnectionRefusedError: [Errno 111] Connection refused).
          Hint: Check the network, and whether a proxy is needed (https_proxy). What has come is kept for a day.""",
    ),
    (
        "DownloadError.no_space",
        DownloadError.no_space("https://a/b", "/cache", 2000000, 1000),
        """\
        https://a/b could not be fetched.
          Why:  It needs 2,000,000 bytes in the cache at /cache, where 1,000 are free.
          Hint: Let the environment variable UNIHUB_CACHE_DIR name a directory that can be written and has room.""",
    ),
    (
        "DownloadError.no_such_host",
        DownloadError.no_such_host("https://a/b", "a", "gaierror: [Errno -2] Name or service not known"),
        """\
        https://a/b could not be fetched.
          Why:  The name of the server is not known (gaierror: [Errno -2] Name or service not known).
          Hint: Check the name a, and the DNS of this machine; behind a proxy, set https_proxy.""",
    ),
    (
        "DownloadError.nowhere",
        DownloadError.nowhere(
            "kaggle:o/m/tensorFlow2/v/1", FAILURES, "o/m/tensorFlow2/v/1", "unihub resolve kaggle:o/m/tensorFlow2/v/1"
        ),
        """\
        kaggle:o/m/tensorFlow2/v/1 could not be fetched.
          Why:  kaggle:o/m/tensorFlow2/v/1: kagglehub is not installed
                https://www.kaggle.com/models/o/m/tensorFlow2/v/1: 404 Not Found
          Hint: pip install 'unihub[kaggle]'.
                Check the address, and whether that version of the model still exists.
                Where the network allows it, this fetches it beforehand: unihub resolve kaggle:o/m/tensorFlow2/v/1
                On Kaggle its name is o/m/tensorFlow2/v/1: kagglehub.model_download('o/m/tensorFlow2/v/1').""",
    ),
    (
        "DownloadError.nowhere",
        DownloadError.nowhere("https://a/b", [], "", "unihub resolve https://a/b"),
        """\
        https://a/b could not be fetched.
          Why:  No place is known that may have it.
          Hint: Where the network allows it, this fetches it beforehand: unihub resolve https://a/b""",
    ),
    (
        "DownloadError.offline",
        DownloadError.offline("https://a/b", "/cache/models/b-0123456789abcdef", "unihub resolve https://a/b"),
        """\
        https://a/b is not on this machine.
          Why:  It is not at /cache/models/b-0123456789abcdef, and no connection is opened: UNIHUB_OFFLINE is set, or
                offline=True.
          Hint: Where there is a connection, with the same UNIHUB_CACHE_DIR: unihub resolve https://a/b""",
    ),
    (
        "DownloadError.proxy",
        DownloadError.proxy("https://a/b", "OSError: Tunnel connection failed: 407 Proxy Authentication Required"),
        """\
        https://a/b could not be fetched.
          Why:  The proxy failed (OSError: Tunnel connection failed: 407 Proxy Authentication Required).
          Hint: Check https_proxy, http_proxy and no_proxy: the proxy they name did not let the request through.""",
    ),
    (
        "DownloadError.redirects",
        DownloadError.redirects("https://a/b", 20),
        """\
        https://a/b could not be fetched.
          Why:  More than 20 redirects.
          Hint: The server is set up wrong, or wants a cookie: open the address in a browser.""",
    ),
    (
        "DownloadError.through_fsspec",
        DownloadError.through_fsspec("s3://a/b", ValueError("no credentials")),
        """\
        s3://a/b could not be fetched.
          Why:  ValueError: no credentials.
          Hint: See whether fsspec.open('s3://a/b') works by itself; it may need credentials.""",
    ),
    (
        "DownloadError.through_kagglehub",
        DownloadError.through_kagglehub("o/m/tensorFlow2/v/1", ValueError("'nonesuch' is not a valid ModelFramework")),
        """\
        kaggle:o/m/tensorFlow2/v/1 could not be fetched.
          Why:  ValueError: 'nonesuch' is not a valid ModelFramework.
          Hint: See whether kagglehub.model_download('o/m/tensorFlow2/v/1') works by itself.""",
    ),
    (
        "DownloadError.timed_out",
        DownloadError.timed_out("https://a/b", 60, "UNIHUB_TIMEOUT"),
        """\
        https://a/b could not be fetched.
          Why:  Hardly anything came for 60 s.
          Hint: Try again, which goes on where it stopped; let UNIHUB_TIMEOUT allow more seconds.""",
    ),
    (
        "DownloadError.web_page",
        DownloadError.web_page("https://a/b"),
        """\
        https://a/b could not be fetched.
          Why:  A web page, not an archive.
          Hint: Open the address in a browser: it may want a login, or have no archive of the model.""",
    ),
    (
        "IntegrityError.archive_inflates",
        IntegrityError.archive_inflates("/m.tgz", 200, "UNIHUB_MAX_ARCHIVE_RATIO"),
        """\
        the archive /m.tgz was refused: unpacked, it has more than 200 times its size.
          Why:  A small archive can be made to unpack to any size and fill the disk.
          Hint: If you trust it, let the environment variable UNIHUB_MAX_ARCHIVE_RATIO allow more.""",
    ),
    (
        "IntegrityError.damaged_entry",
        IntegrityError.damaged_entry(
            "/cache/models/b-0123456789abcdef", ["saved_model.pb is missing", "assets/words.txt has 3 bytes, not 4"]
        ),
        """\
        the copy in the cache at /cache/models/b-0123456789abcdef is damaged.
          Why:  Since it was fetched: saved_model.pb is missing, assets/words.txt has 3 bytes, not 4.
          Hint: Where there is a connection it is fetched again by itself; unihub cache prune removes it.""",
    ),
    (
        "IntegrityError.not_as_promised",
        IntegrityError.not_as_promised("https://a/b", "0123", "4567"),
        """\
        what came from https://a/b is not what the server says it sends.
          Why:  Its MD5 digest is 4567, and the server promised 0123.
          Hint: Try again; if it stays so, something between here and the server changes what is sent.""",
    ),
    (
        "IntegrityError.not_the_pinned",
        IntegrityError.not_the_pinned("m.tgz@sha256:0123", "0123", ["4567"]),
        """\
        the content of m.tgz@sha256:0123 is another.
          Why:  Its SHA-256 digest is 4567.
          Hint: Somebody has replaced the model, or the pin is that of another version. Nothing is kept of it.""",
    ),
    (
        "IntegrityError.not_the_pinned",
        IntegrityError.not_the_pinned("https://a/b@sha256:0123", "0123", ["4567", "89ab"]),
        """\
        the content of https://a/b@sha256:0123 is another.
          Why:  Its SHA-256 digest is 4567 (content), 89ab (archive).
          Hint: Somebody has replaced the model, or the pin is that of another version. Nothing is kept of it.""",
    ),
    (
        "ModelNotFoundError.not_in_cache",
        ModelNotFoundError.not_in_cache("https://a/b", "/cache"),
        """\
        there is nothing of https://a/b in the cache.
          Why:  No entry at /cache has that name, or was fetched for that handle.
          Hint: unihub cache ls lists what is there.""",
    ),
    (
        "RuntimeUnavailableError.no_file_system",
        RuntimeUnavailableError.no_file_system(
            "gs://a/b", "gs", ImportError("Please install gcsfs to access Google Storage")
        ),
        """\
        gs:// needs a package that is not installed (gs://a/b).
          Why:  ImportError: Please install gcsfs to access Google Storage
          Hint: pip install 'unihub[buckets]' for gs:// and s3://; for others, fsspec and what the line above names.""",
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
        "UnknownFormatError.named_by_handle",
        UnknownFormatError.named_by_handle("o/m/tfLite/v/1", "tflite", "o/m/tfLite/v/1"),
        """\
        o/m/tfLite/v/1 is a TensorFlow Lite model, not a SavedModel.
          Why:  It was converted for small devices, and the conversion cannot be undone. The handle says so, and nothing was
                downloaded.
          Hint: path = kagglehub.model_download('o/m/tfLite/v/1'); then: tf.lite.Interpreter(model_path=path) runs it.""",
    ),
    (
        "UnknownFormatError.named_by_handle",
        UnknownFormatError.named_by_handle("https://a/model.keras", "keras", ""),
        """\
        https://a/model.keras is a Keras model, not a SavedModel.
          Why:  The .keras format holds a Keras configuration and weights; Keras rebuilds the model from its own classes. The
                handle says so, and nothing was downloaded.
          Hint: Download it to a path; then: tf.keras.models.load_model(path) loads it; model.export(directory), or
                tf.saved_model.save(model, directory) before Keras 3, makes a SavedModel of it.""",
    ),
    (
        "UnknownFormatError.named_by_handle",
        UnknownFormatError.named_by_handle("o/m/pyTorch/v/1", "framework", "o/m/pyTorch/v/1"),
        """\
        o/m/pyTorch/v/1 is a model for another framework, not a SavedModel.
          Why:  TensorFlow loads what was written for TensorFlow. The handle says so, and nothing was downloaded.
          Hint: path = kagglehub.model_download('o/m/pyTorch/v/1'); then: load it with that framework; or choose a variation
                for tensorFlow2 on the model's page.""",
    ),
]

# Constructors whose texts stand in another file, with words of theirs by which the text is found there.
ELSEWHERE = {
    "HandleError.not_a_place": (
        "_resolve/test_resolve.py",
        "A model is looked for by a str, a pathlib path, or bytes.",
    ),
    "HandleError.empty": (
        "_resolve/test_resolve.py",
        "An empty string names no model; most often a variable was never set.",
    ),
    "HandleError.nul": (
        "_resolve/test_resolve.py",
        "No path can hold one; the text was probably read from a binary file.",
    ),
    "HandleError.one_slash": ("_resolve/test_resolve.py", "which make one slash of two."),
    "HandleError.unknown_scheme": ("_resolve/test_sources.py", "Copy the model to a local directory and pass that."),
    "HandleError.other_machine": ("_resolve/test_resolve.py", "and only this one's files can be read."),
    "HandleError.file_url_without_path": ("_resolve/test_resolve.py", "and there is nothing after it."),
    "HandleError.bad_url": ("_resolve/test_resolve.py", "Copy the address from a browser, or from the model's page."),
    "HandleError.bad_pin": ("_resolve/test_resolve.py", "A digest has 64 hexadecimal digits behind a handle,"),
    "HandleError.no_kaggle_model": (
        "_resolve/test_resolve.py",
        "A model there has an owner, a name, a framework and a variation,",
    ),
    "HandleError.unusable": ("_resolve/test_resolve.py", "Pass a directory or an archive that this user may read."),
    "HandleError.not_a_number": ("_resolve/test_archive.py", ", which holds without it; or unset it."),
    "ModelNotFoundError.missing_path": (
        "_saved_model/test_formats.py",
        "No such file or directory; of the directories above it,",
    ),
    "DownloadError.cannot_unpack": ("_resolve/test_archive.py", "could not be unpacked into the cache at"),
    "IntegrityError.missing_graph": ("_saved_model/test_formats.py", "is not whole: saved_model.pb is missing."),
    "IntegrityError.missing_variables": (
        "_saved_model/test_formats.py",
        "TensorFlow restores the model's variables from there",
    ),
    "IntegrityError.missing_assets": (
        "_saved_model/test_formats.py",
        "The model reads its vocabularies and other assets from there.",
    ),
    "IntegrityError.git_lfs_pointer": ("_saved_model/test_formats.py", "is a git-lfs pointer, not the file itself."),
    "IntegrityError.short_file": ("_saved_model/test_formats.py", "and the variables in it need"),
    "IntegrityError.damaged": ("_saved_model/test_formats.py", "Reading it failed:"),
    "IntegrityError.changed": ("_saved_model/test_model_info.py", "has changed since the model was inspected"),
    "IntegrityError.unreadable": (
        "_saved_model/test_formats.py",
        "Check the permissions of the file and of the directories above it",
    ),
    "IntegrityError.broken_archive": ("_resolve/test_archive.py", "Download or copy it again, and look at what it is:"),
    "IntegrityError.harmful_member": ("_resolve/test_archive.py", "was refused because of its member"),
    "IntegrityError.archive_too_large": ("_resolve/test_archive.py", "was refused: unpacked, it has more than"),
    "UnknownFormatError.empty_directory": ("_saved_model/test_formats.py", "holds no model: it is empty."),
    "UnknownFormatError.other_format": ("_saved_model/test_formats.py", "is a web page, not a model."),
    "UnknownFormatError.nested_model": ("_saved_model/test_formats.py", "is not a model, but holds one."),
    "UnknownFormatError.nothing_known": (
        "_saved_model/test_formats.py",
        "It is a file, in no format that is known here;",
    ),
}

NO_SIGNATURES_TO_TRAIN = """\
    fine-tuning a tf1-saved-model model in the {} runtime is not supported (models/it).
      Why:  A SavedModel without an object graph has signatures for inference only: it keeps no trainable functions,
            update ops or losses.
      Hint: load with trainable=False, and train layers on top of its outputs; or make it a TF2 SavedModel with
            unihub.convert("models/it", "out")."""
NO_WAY_TO_CREATE = """\
    creating a tf1-saved-model model in the {} runtime is not supported (models/it).
      Why:  TensorFlow Hub has no way to create this format.
      Hint: create a TF2 SavedModel, with format="tf2-saved-model"."""
TOO_OLD = """\
    {} a tf2-saved-model model in the {} runtime is not supported (models/it).
      Why:  TensorFlow 1.14.0 is older than 1.15, the first that can read TF2 SavedModels.
      Hint: pip install 'tensorflow>=1.15'."""

# Each "-" of the matrix, on a TensorFlow 2.
REFUSED = {
    ("tf1-hub", "fine-tune", "tf2"): """\
    fine-tuning a tf1-hub model in the tf2 runtime is not supported (models/it).
      Why:  TF2 does not load the update ops and regularization losses that fine-tuning a TF1 Hub module needs.
      Hint: unihub.convert("models/it", "out") makes a TF2 SavedModel that can be fine-tuned; or call
            tf.compat.v1.disable_v2_behavior() first, or build the model inside a tf.Graph; or load with trainable=False.""",
    ("tf1-hub", "create", "tf2"): """\
    creating a tf1-hub model in the tf2 runtime is not supported (models/it).
      Why:  A TF1 Hub module is a set of TF1 graphs; TF2 builds none.
      Hint: create a TF2 SavedModel, with format="tf2-saved-model"; or call tf.compat.v1.disable_v2_behavior() first.""",
    **{
        ("tf1-saved-model", "fine-tune", runtime): NO_SIGNATURES_TO_TRAIN.format(runtime)
        for runtime in ("tf1", "tf1-compat", "tf2-graph", "tf2")
    },
    **{
        ("tf1-saved-model", "create", runtime): NO_WAY_TO_CREATE.format(runtime)
        for runtime in ("tf1", "tf1-compat", "tf2-graph", "tf2")
    },
}

# And those that TensorFlow 1.14 adds; it has the runtime tf1, and tf2 when its eager mode was switched on.
REFUSED_BEFORE_1_15 = {
    ("tf2-saved-model", operation, runtime): TOO_OLD.format(doing, runtime)
    for operation, doing in (
        ("inference", "inference with"),
        ("fine-tune", "fine-tuning"),
        ("create", "creating"),
    )
    for runtime in ("tf1", "tf2")
}


def constructors():
    """The named constructors of all classes of errors, by their names."""
    classes = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, errors.UnihubError)]
    return {
        "{}.{}".format(cls.__name__, name)
        for cls in classes
        for name, member in vars(cls).items()
        if isinstance(member, classmethod)
    }


def refusal(key, tensorflow):
    format, operation, runtime = Format(key[0]), Operation(key[1]), RuntimeMode(key[2])
    return UnsupportedError.refused(matrix.lookup(format, operation, runtime, tensorflow), "models/it")


def all_texts():
    made = [error for _, error, _ in GOLDEN]
    made += [refusal(key, "2.15.1") for key in sorted(REFUSED)]
    made += [refusal(key, "1.14.0") for key in sorted(REFUSED_BEFORE_1_15)]
    return [words_of(error) for error in made]
