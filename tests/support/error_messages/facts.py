"""Facts that the texts of several errors speak of."""

from unihub._plan import matrix
from unihub._plan.runtime import Runtime
from unihub._saved_model.unsafe_scan import UnsafeOp
from unihub._types import Format, Keras, Operation, RuntimeMode, Signature, Tensor
from unihub.errors import DownloadError, RuntimeUnavailableError

MODEL = "models/convnet"
ASSET = MODEL + "/assets/vocab.txt"
SHARD = MODEL + "/variables/variables.data-00000-of-00001"

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


GRAPH_ERROR = ValueError("Graph execution error:\n\nDetected at node x\nMatrix size-incompatible: [2,7] and [8,4]\n...")

READ_FILE = UnsafeOp("ReadFile", "read", "graph", "reads files")

FAILURES = [
    RuntimeUnavailableError.no_kagglehub("o/m/tensorFlow2/v/1", ImportError("No module named 'kagglehub'"), True),
    DownloadError.answered("https://www.kaggle.com/models/o/m/tensorFlow2/v/1", 404, "404 Not Found"),
]
