"""Makes the TF1 Hub modules of tests/data/tf1_modules with the real tensorflow_hub, and records how they are trained.

Written by TensorFlow 1.15.5 with tensorflow_hub 0.12.0 on Python 3.7::

    python tests/support/make_modules.py
"""

from __future__ import annotations

import os
import shutil

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

from module_programs import PROGRAMS, mobilenet_batch, sample

v1 = tf.compat.v1
TARGET = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "tf1_modules")


def variable(name, shape, seed, trainable=True):
    value = np.random.RandomState(seed).randn(*shape) * 0.3
    return v1.get_variable(name, initializer=value, trainable=trainable, dtype=None)


def moving(x):
    """A batch norm by hand, with update ops, in training mode."""
    mean = v1.get_variable("moving_mean", [x.shape[-1]], tf.float64, v1.zeros_initializer(), trainable=False)
    batch = tf.reduce_mean(x, 0)
    v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, v1.assign_sub(mean, 0.1 * (mean - batch)).op)
    return mean, batch


def loop(is_training):
    """A TF1 while loop and a condition over trained weights, with statistics."""
    x = v1.placeholder(tf.float64, [None, 4], name="x")
    steps = v1.placeholder_with_default(3, [], name="steps")
    w = variable("w", [4, 4], 1)
    if is_training:
        mean, batch = moving(x)
        centred = x - batch
    else:
        mean = v1.get_variable("moving_mean", [4], tf.float64, v1.zeros_initializer(), trainable=False)
        centred = x - mean
    v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.reduce_sum(tf.square(w)))
    _, state = v1.while_loop(
        lambda i, s: i < steps, lambda i, s: (i + 1, tf.tanh(tf.matmul(s, w)) + 0.1 * centred), [0, centred]
    )
    gate = v1.get_variable("gate", initializer=np.float64(0.5))
    y = tf.cond(tf.reduce_sum(state) > 0, lambda: state * gate, lambda: state - gate)
    hub.add_signature("default", {"x": x, "steps": steps}, {"default": y, "state": state})


def updates(is_training):
    """Two signatures; update ops of one, of the other, and of none."""
    a, b = v1.placeholder(tf.float64, [None, 3], name="a"), v1.placeholder(tf.float64, [None, 3], name="b")
    w = variable("w", [3, 2], 2)
    calls = v1.get_variable("calls", [], tf.int64, v1.zeros_initializer(), trainable=False)
    with v1.variable_scope("a"):
        mean_a = v1.get_variable("mean", [3], tf.float64, v1.zeros_initializer(), trainable=False)
    with v1.variable_scope("b"):
        mean_b = v1.get_variable("mean", [3], tf.float64, v1.ones_initializer(), trainable=False)
    if is_training:
        for mean, value in ((mean_a, a), (mean_b, b)):
            step = v1.assign_sub(mean, 0.5 * (mean - tf.reduce_mean(value, 0)))
            v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, step.op)
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, v1.assign_add(calls, 1).op)
    # A training graph that reads what it updates would be a race.
    centre_a, centre_b = (tf.reduce_mean(a, 0), tf.reduce_mean(b, 0)) if is_training else (mean_a, mean_b)
    both = tf.matmul(a - centre_a, w) + tf.matmul(b - centre_b, w)
    hub.add_signature("default", {"a": a}, {"default": tf.matmul(a - centre_a, w)})
    hub.add_signature("both", {"a": a, "b": b}, {"default": both})
    hub.add_signature("constant", {}, {"default": tf.reduce_sum(w), "weights": tf.identity(w)})


def mixed(is_training):
    """Partitioned variables, sparse and ragged inputs, a vocabulary, an attached message, reference variables."""
    del is_training
    ids = v1.sparse_placeholder(tf.int64, name="ids")
    words = v1.placeholder(tf.string, [None], name="words")
    table = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(VOCABULARY, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), 2
    )
    with v1.variable_scope("embedding", partitioner=v1.fixed_size_partitioner(3)):
        weights = v1.get_variable(
            "weights", [9, 4], tf.float64, v1.random_normal_initializer(seed=3), use_resource=False
        )
    hub.add_signature("sparse", {"ids": ids}, {"default": tf.nn.safe_embedding_lookup_sparse(weights, ids)})
    hub.add_signature("default", {"words": words}, {"default": tf.nn.embedding_lookup(weights, table.lookup(words))})
    ragged = v1.ragged.placeholder(tf.int64, 1, name="ragged")
    looked = tf.ragged.map_flat_values(lambda v: tf.cast(v, tf.float64) * 2.0, ragged)
    hub.add_signature("ragged", {"rows": ragged}, {"default": looked})
    hub.attach_message("note", v1.train.Features(feature={"k": v1.train.Feature()}))


# Relative, because TensorFlow makes the name of a table of it.
VOCABULARY = "vocabulary.txt"


def record(name):
    """What training programs give with hub.Module, for comparison where it does not exist any more."""
    losses, variables = PROGRAMS[name](hub.Module, os.path.join(TARGET, name))
    arrays = {"losses": losses}
    arrays.update(("final/" + key, value) for key, value in variables.items())
    np.savez(os.path.join(TARGET, name + ".finetune.npz"), **arrays)


def record_first_step():
    """What one step of training does to MobileNet, as hub.Module takes it: the losses before it, and the statistics.

    Not the weights: in float32 their gradients differ by 1 % between hub.Module on this and on a later TensorFlow.
    """
    x, w, y = mobilenet_batch()
    path = os.path.join(os.path.dirname(TARGET), "tf1_hub", "mobilenet")
    with tf.Graph().as_default():
        module = hub.Module(path, trainable=True, tags={"train"})
        task = tf.reduce_mean(tf.square(tf.matmul(module(x), w) - y))
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            arrays = {"losses": np.array(session.run([task, v1.losses.get_regularization_loss()]))}
            session.run(v1.get_collection(v1.GraphKeys.UPDATE_OPS))
            moved = {name: part for name, part in module.variable_map.items() if "moving" in name}
            arrays.update(("final/" + name, sample(value)) for name, value in session.run(moved).items())
    np.savez_compressed(path + ".first_step.npz", **arrays)


def main():
    shutil.rmtree(TARGET, ignore_errors=True)
    os.makedirs(TARGET)
    os.chdir(TARGET)
    with open(VOCABULARY, "w") as file:
        file.write("\n".join(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"]) + "\n")
    for module_fn, variants in ((loop, True), (updates, True), (mixed, False)):
        spec = hub.create_module_spec(
            module_fn, [(set(), {"is_training": False}), ({"train"}, {"is_training": True})][: 2 if variants else 1]
        )
        with tf.Graph().as_default(), v1.Session() as session:
            v1.set_random_seed(1)
            module = hub.Module(spec)
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            module.export(os.path.join(TARGET, module_fn.__name__), session)
    os.remove(VOCABULARY)
    for name in PROGRAMS:
        record(name)
    record_first_step()


if __name__ == "__main__":
    main()
