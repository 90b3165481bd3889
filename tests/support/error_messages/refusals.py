"""The refusals of the matrix: each ``-``, as the error that it becomes."""

from unihub._plan import matrix
from unihub._types import Format, Operation, RuntimeMode
from unihub.errors import UnsupportedError

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


def refusal(key, tensorflow):
    format, operation, runtime = Format(key[0]), Operation(key[1]), RuntimeMode(key[2])
    return UnsupportedError.refused(matrix.lookup(format, operation, runtime, tensorflow), "models/it")
