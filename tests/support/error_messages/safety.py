"""The texts of errors about models that may do harm."""

from error_messages.facts import READ_FILE
from unihub.errors import UnsafeModelError

GOLDEN = [
    (
        "UnsafeModelError.self_contained",
        UnsafeModelError.self_contained("models/bert"),
        """\
        the file contains a SavedModel (originally models/bert), and Keras loads it in safe mode.
          Why:  A SavedModel is a program: loading it runs its author's code, which may read and write files.
          Hint: if you trust the source of the file, load_model(..., safe_mode=False), or call
                keras.config.enable_unsafe_deserialization() first; a layer without self_contained=True needs neither.""",
    ),
    (
        "UnsafeModelError.untrusted",
        UnsafeModelError.untrusted("https://example.com/model", [READ_FILE]),
        """\
        https://example.com/model was fetched from the network and may do more than compute.
          Why:  It has these ops:
                  ReadFile reads files (read, in the graph)
          Hint: unihub.inspect('https://example.com/model').unsafe_ops lists all of them. If you trust its author, load it
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
]
