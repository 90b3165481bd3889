"""Creates a module from a checkpoint, and uses it.

Runs on TensorFlow 1.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

HERE = os.getcwd()
VOCABULARY_SIZE, SIZE = 10, 3


def module_fn(normalize=False):
    """Builds the graph of an embedding of ids."""
    ids = tf.placeholder(tf.int64, [None], name="ids")
    table = tf.get_variable("table", [VOCABULARY_SIZE, SIZE], initializer=tf.zeros_initializer())
    embedded = tf.nn.embedding_lookup(table, ids)
    if normalize:
        embedded = tf.nn.l2_normalize(embedded, 1)
    hub.add_signature("default", {"ids": ids}, {"default": embedded})
    hub.add_signature("norm", inputs={"ids": ids}, outputs=tf.norm(embedded, axis=1))


def train(path):
    """Writes a checkpoint."""
    with tf.Graph().as_default(), tf.Session() as session:
        value = np.random.RandomState(0).randn(VOCABULARY_SIZE, SIZE)
        tf.get_variable("table", initializer=tf.constant(value, tf.float32))
        session.run(tf.global_variables_initializer())
        return tf.train.Saver().save(session, path)


checkpoint = train(os.path.join(sys.argv[2] if len(sys.argv) > 2 else HERE, "model.ckpt"))
target = os.path.join(HERE, "embedding")
tags_and_args = [(set(), {"normalize": False}), ({"unit"}, {"normalize": True})]

spec = hub.create_module_spec(module_fn, tags_and_args)
spec.export(target, checkpoint_path=checkpoint)

for tags in (None, {"unit"}):
    with tf.Graph().as_default(), tf.Session() as session:
        module = hub.Module(target, trainable=bool(tags), tags=tags)
        outputs = [module([1, 5]), module([1, 5], signature="norm")]
        session.run(tf.global_variables_initializer())
        for value in session.run(outputs):
            print(value.tolist())
