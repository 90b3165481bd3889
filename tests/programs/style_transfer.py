"""Fast style transfer: a model that is called with two images, and returns a tuple.

Runs on TensorFlow 2.15.
"""
import functools
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub


def crop_center(image):
    """Returns a cropped square image."""
    shape = image.shape
    new_shape = min(shape[1], shape[2])
    offset_y = max(shape[1] - shape[2], 0) // 2
    offset_x = max(shape[2] - shape[1], 0) // 2
    return tf.image.crop_to_bounding_box(image, offset_y, offset_x, new_shape, new_shape)


@functools.lru_cache(maxsize=None)
def load_image(seed, image_size=(16, 16)):
    """Makes an image and preprocesses it."""
    img = np.random.RandomState(seed).rand(1, 24, 20, 3).astype(np.float32)
    img = crop_center(img)
    return tf.image.resize(img, image_size, preserve_aspect_ratio=True)


content_image = load_image(1)
style_image = load_image(2, (8, 8))
style_image = tf.nn.avg_pool(style_image, ksize=[3, 3], strides=[1, 1], padding='SAME')

# Load TF Hub module.
hub_handle = os.path.join(sys.argv[1], 'style')
hub_module = hub.load(hub_handle)

outputs = hub_module(content_image, style_image)
stylized_image = outputs[0]
print(stylized_image.shape, stylized_image.numpy().sum(), stylized_image[0, 0].numpy())
print(hub_module(tf.constant(content_image), tf.constant(content_image))[0].numpy().sum())
