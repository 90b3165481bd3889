"""Detection style: the signature of a TF1 module, taken once and called with a tensor, its outputs by name.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

module_handle = os.path.join(sys.argv[1], "mobilenet")
detector = hub.load(module_handle).signatures['default']


def run_detector(detector, image):
    converted_img = tf.image.convert_image_dtype(image, tf.float32)[tf.newaxis, ...]
    result = detector(converted_img)
    return {key: value.numpy() for key, value in result.items()}


image = (np.random.RandomState(0).rand(96, 96, 3) * 255).astype(np.uint8)
for key, value in sorted(run_detector(detector, image).items()):
    print(key, value.shape, value.sum(), value.reshape(-1)[:5])

# The same for a model with several signatures.
module = hub.load(os.path.join(sys.argv[1], "signatures_only"))
print(sorted(module.signatures))
code = module.signatures["encode"](x=tf.ones([2, 8]))["code"]
print(code.numpy(), module.signatures["decode"](code=code)["x"].numpy())
# And for one that an Estimator exported.
print(hub.load(handle=os.path.join(sys.argv[1], "half_plus_two"), tags=None).signatures["serving_default"](
    tf.constant([[1.0]])))
