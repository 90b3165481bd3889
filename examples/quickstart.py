"""Loads a TF1 Hub module and a TF2 SavedModel with the same line, whatever TensorFlow is here.

Runs everywhere: TensorFlow 1.14 to 2.22, eager or not; ``--v1`` switches TensorFlow 2's behaviour off first.

    python examples/quickstart.py

It prints what was found in each model, what was decided and why, and the numbers. The lines that begin with "output"
are the same in every environment. Where the compatibility matrix has no way (a TF2 SavedModel before TensorFlow 1.15),
the refusal stands in their place.
"""

from __future__ import annotations

import os
import sys

import numpy as np
import tensorflow as tf

import unihub

MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")

EXAMPLES = {
    "text_embedding": ["hello world", "the cat", "of a dog nobody knows"],
    "reusable": np.linspace(-1.0, 1.0, 16).reshape(2, 8).astype(np.float32),
}


def values_of(model, outputs):
    """What is in tensors: they are values in eager TensorFlow, and ops to run in a graph."""
    if tf.executing_eagerly():
        return outputs.numpy()
    with tf.compat.v1.Session() as session:
        model.initialize(session)
        return session.run(outputs)


def show(name, inputs):
    """Prints what is in a model, what is done with it here, and what it answers."""
    path = os.path.join(MODELS, name)
    print("\n== {} ==\nfound:\n{}".format(name, unihub.inspect(path)))
    try:
        model = unihub.load(path)
    except (unihub.errors.UnsupportedError, unihub.errors.RuntimeUnavailableError) as error:
        print("refused:\n{}: {}".format(type(error).__name__, error))
        return False
    print("decided:\n{}".format(model.plan))
    for number, row in enumerate(values_of(model, model(inputs))):
        # Adding zero makes 0.00000 of -0.00000.
        print("output", name, number, " ".join("{:.5f}".format(round(float(value), 5) + 0.0) for value in row[:8]))
    return True


def main():
    """Shows each model; gives what ``sys.exit`` takes."""
    if "--v1" in sys.argv[1:]:
        tf.compat.v1.disable_v2_behavior()
    print("TensorFlow", tf.__version__, "eager" if tf.executing_eagerly() else "graph")
    loaded = [show(name, inputs) for name, inputs in EXAMPLES.items()]
    return 0 if any(loaded) else "no model could be loaded"


if __name__ == "__main__":
    sys.exit(main())
