"""Features of an image module whose spec is loaded once for two graphs; everything is imported by name.

Runs on TensorFlow 1.15.
"""
import sys

import numpy as np
import tensorflow as tf
from tensorflow_hub import (
    Module,
    load_module_spec as load_spec,  # checks that it is there
)


def extract(spec, images):
    """Runs the module of a spec."""
    with tf.Graph().as_default():
        features = Module(spec, name="extractor")(
            {"images": images}, signature="image_feature_vector", as_dict=True,
        )
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return session.run(features)


images = np.random.RandomState(1).rand(2, 96, 96, 3).astype(np.float32)
for name in ("mobilenet",):
    spec = load_spec("%s/%s" % (sys.argv[1], name))
    with tf.Graph().as_default():
        frozen = Module(spec)
        print(name, len(frozen.variables))
    for key, value in sorted(extract(sys.argv[1] + "/" + name, images).items()):
        print(key, value.shape, float(value.sum()))
