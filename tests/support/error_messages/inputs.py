"""The texts of errors about the arguments of a call and of ``unihub.load``."""

from error_messages.facts import IMAGES, NO_INPUTS, SUM
from unihub._types import Keras
from unihub.errors import InputError

GOLDEN = [
    (
        "InputError.not_trust",
        InputError.not_trust(3),
        """\
        invalid value for trust: 3.
          Why:  expected True, False, None, the name of an op, or a collection of such names.
          Hint: pass True for a model whose author you trust, or the names that inspect(...).unsafe_ops lists.""",
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
        'sum' has 2 inputs, but got one value without a name.
          Why:  Its inputs are:
                  a: float32[?]
                  b: sparse float32[None,None]
          Hint: pass a dict by input name.""",
    ),
    (
        "InputError.needs_dict",
        InputError.needs_dict(NO_INPUTS),
        """\
        'count' has 0 inputs, but got one value without a name.
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
        "InputError.rows_differ",
        InputError.rows_differ("shapes", (2, 3), (4,)),
        """\
        the rows of a batch have different shapes.
          Why:  the first has (2, 3); another has (4,).
          Hint: give all rows the same names, dtypes and shapes; or make batches of one row.""",
    ),
    (
        "InputError.not_by_rows",
        InputError.not_by_rows("(4, 8)", 3),
        """\
        an output of the model does not have one row for each input row.
          Why:  3 rows went in; the output has the shape (4, 8).
          Hint: choose another output with output_key=, or another signature.""",
    ),
    (
        "InputError.no_column",
        InputError.no_column("sum", "sum: complex64[]"),
        """\
        the output 'sum' cannot be a Spark column.
          Why:  A column holds numbers or strings of known rank, with one row for each input row; this is
                sum: complex64[]
          Hint: choose another output with output_key=, or another signature.""",
    ),
    (
        "InputError.fits_no_trace",
        InputError.fits_no_trace("models/reusable", "float32[2,7]", ["x: float32[None,8], training: True"]),
        """\
        the arguments do not match any way to call models/reusable.
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
          Hint: pass a Python bool; to switch inside a graph, call the model in both branches of tf.cond. Pass further
                arguments of the model by name.""",
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
          Why:  The model's files do not state the shape, and Keras builds the next layers from it.
          Hint: pass the shapes without the batch as output_shape=, nested as the outputs are.""",
    ),
    (
        "InputError.unknown_layer_option",
        InputError.unknown_layer_option("output_shapes", ["dtype", "output_shape"]),
        """\
        a Keras 3 layer has no argument 'output_shapes'.
          Why:  Valid arguments are dtype, output_shape, and those of unihub.load.
          Hint: leave it out. Did you mean 'output_shape'?""",
    ),
    (
        "InputError.finalized_graph",
        InputError.finalized_graph(),
        """\
        initialize() cannot add to a finalized graph.
          Why:  It needs ops that report which variables are still uninitialized, and this graph takes no more ops.
          Hint: call it before the graph is finalized; a MonitoredSession and an Estimator initialize by themselves.""",
    ),
    (
        "InputError.unknown_option",
        InputError.unknown_option("signatures", ["trainable", "signature", "tags"]),
        """\
        unknown argument 'signatures'.
          Why:  Valid arguments are trainable, signature, tags; others belong to a Keras layer.
          Hint: leave it out, or load the model with api="keras". Did you mean 'signature'?""",
    ),
    (
        "InputError.unknown_word",
        InputError.unknown_word("api", "kears", ["auto", "module", "load", "keras"]),
        """\
        invalid value for api: 'kears'.
          Why:  expected one of auto, module, load, keras.
          Hint: pass one of these. Did you mean 'keras'?""",
    ),
    (
        "InputError.unknown_word",
        InputError.unknown_word("trainable", 1, ["True", "False"]),
        """\
        invalid value for trainable: 1.
          Why:  expected one of True, False.
          Hint: pass one of these.""",
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
]
