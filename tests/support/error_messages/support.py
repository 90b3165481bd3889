"""The texts of errors about what the matrix rules out, and conversions."""

from error_messages.facts import CELL, DEFAULT, GRAPH_ERROR, ONE_CHOICE, REFUSAL, RUNTIME
from unihub._types import Api
from unihub.errors import ConversionError, UnsupportedError

GOLDEN = [
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
          Why:  hub.Module makes plain variables of the graph, so each replica would have and train its own.
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
        "UnsupportedError.saving_inside_function",
        UnsupportedError.saving_inside_function(),
        """\
        a model cannot be written inside a tf.function.
          Why:  The function would write it once, while it is traced, and the variables have no values there.
          Hint: call unihub.save outside of it.""",
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
          Why:  A signature has no training mode, update ops or regularization losses; only calling the model itself uses
                them.
          Hint: leave signature= out; or load with trainable=False.""",
    ),
    (
        "UnsupportedError.not_callable",
        UnsupportedError.not_callable("models/coder", [DEFAULT]),
        """\
        models/coder cannot be fine-tuned: its root object cannot be called.
          Why:  It offers signatures only, and these have no training mode, update ops or losses:
                  default(images: float32[None,32,32,3]) -> default: float32[None,64]
          Hint: load with trainable=False; or train the attributes of unihub.load(...).native yourself.""",
    ),
    (
        "UnsupportedError.converted_already",
        UnsupportedError.converted_already("models/reusable"),
        """\
        models/reusable is already a TF2 SavedModel; there is nothing to convert.
          Why:  Only TF1 Hub modules and TF1 SavedModels are converted, because TF2 cannot fine-tune them.
          Hint: load it directly: unihub.load("models/reusable", trainable=True).""",
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
        "UnsupportedError.cannot_be_converted",
        UnsupportedError.cannot_be_converted(
            "models/convnet", "queue (FIFOQueueV2) keeps state of a kind that no SavedModel has."
        ),
        """\
        models/convnet cannot be converted to a TF2 SavedModel.
          Why:  queue (FIFOQueueV2) keeps state of a kind that no SavedModel has.
          Hint: load it directly, for inference; or fine-tune it after tf.compat.v1.disable_v2_behavior().""",
    ),
    (
        "ConversionError.differs",
        ConversionError.differs("models/convnet", "default", "features", 0.0123),
        """\
        the converted model of models/convnet gives different results than the original.
          Why:  For the same inputs the output 'features' of the signature 'default' differs by 0.0123; 1e-5 is allowed.
          Hint: nothing was written. unihub.convert(..., check=False) writes it anyway; please report the model: this should
                not happen.""",
    ),
    (
        "ConversionError.does_not_run",
        ConversionError.does_not_run("models/convnet", "default", GRAPH_ERROR),
        """\
        the converted model of models/convnet does not run.
          Why:  The original takes inputs for which the signature 'default' of the converted model raised ValueError: Matrix
                size-incompatible: [2,7] and [8,4]
          Hint: nothing was written. unihub.convert(..., check=False) writes it anyway; please report the model: this should
                not happen.""",
    ),
]
