"""Sentence similarity in TensorFlow 2: hub.load, a function around it, and Pearson correlation.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf

import tensorflow_hub as hub  # isort:skip

module_url = os.path.join(sys.argv[1], "text")
model = hub.load(module_url)
print("module %s loaded" % os.path.basename(module_url))


def embed(input):
    return model(input)


sts_dev = [
    ("the quick fox", "the brown fox", 4.2),
    ("hello", "the fox jumps", 0.5),
    ("quick brown", "brown quick", 5.0),
]


def run_sts_benchmark(batch):
    sts_encode1 = tf.nn.l2_normalize(embed(tf.constant([first for first, _, _ in batch])), axis=1)
    sts_encode2 = tf.nn.l2_normalize(embed(tf.constant([second for _, second, _ in batch])), axis=1)
    cosine_similarities = tf.reduce_sum(tf.multiply(sts_encode1, sts_encode2), axis=1)
    clip_cosine_similarities = tf.clip_by_value(cosine_similarities, -1.0, 1.0)
    return 1.0 - tf.acos(clip_cosine_similarities) / np.pi


scores = run_sts_benchmark(sts_dev)
print(scores.numpy().tolist())
print("Pearson", np.corrcoef(scores, [score for _, _, score in sts_dev])[0, 1])
