"""The texts of errors about TensorFlow failing."""

from error_messages.facts import GRAPH_ERROR
from unihub.errors import LoadError

GOLDEN = [
    (
        "LoadError.loading",
        LoadError.loading("models/odd", KeyError("no such node")),
        """\
        TensorFlow failed to load models/odd.
          Why:  KeyError: 'no such node'
          Hint: unihub.inspect('models/odd') shows what the model holds; the exception above has TensorFlow's own message.""",
    ),
    (
        "LoadError.calling",
        LoadError.calling("models/odd", GRAPH_ERROR),
        """\
        TensorFlow failed while it ran models/odd.
          Why:  ValueError: Matrix size-incompatible: [2,7] and [8,4]
          Hint: compare the inputs with model.info; the exception above has TensorFlow's own message.""",
    ),
    (
        "LoadError.saving",
        LoadError.saving("models/out", GRAPH_ERROR),
        """\
        the model could not be written to models/out.
          Why:  ValueError: Matrix size-incompatible: [2,7] and [8,4]
          Hint: nothing was written; the exception above has the original message.""",
    ),
    (
        "LoadError.unfed_placeholder",
        LoadError.unfed_placeholder("models/odd", "min/Placeholder"),
        """\
        models/odd needs a value for 'min/Placeholder', which is not an input of the signature.
          Why:  The outputs depend on a placeholder that the signature does not list, so no call can feed it.
          Hint: have the model exported again with the placeholder as an input, or with a constant in its place.""",
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
]
