"""Retrains an image classifier: bottlenecks of a module, and a new softmax layer on top of them.

Runs on TensorFlow 1.15.
"""
from __future__ import absolute_import, division, print_function

import argparse
import collections
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

FLAGS = None
CLASSES = 3


def create_image_lists():
    """Builds the images of each class: the second half is for testing."""
    random = np.random.RandomState(0)
    result = collections.OrderedDict()
    for label in range(CLASSES):
        images = random.rand(8, 96, 96, 3) * 0.5
        images[..., label] += 0.5  # one colour for each class
        result["class-%d" % label] = images.astype(np.float32)
    return result


def create_module_graph(module_spec):
    """Creates a graph and loads the module into it."""
    height, width = hub.get_expected_image_size(module_spec)
    with tf.Graph().as_default() as graph:
        resized_input_tensor = tf.placeholder(tf.float32, [None, height, width, 3])
        m = hub.Module(module_spec)
        bottleneck_tensor = m(resized_input_tensor)
    return graph, bottleneck_tensor, resized_input_tensor


def add_final_retrain_ops(class_count, bottleneck_tensor):
    batch_size, bottleneck_tensor_size = bottleneck_tensor.get_shape().as_list()
    assert batch_size is None, "We want to work with arbitrary batch size."
    with tf.name_scope("input"):
        bottleneck_input = tf.placeholder_with_default(
            bottleneck_tensor, shape=[batch_size, bottleneck_tensor_size], name="BottleneckInputPlaceholder"
        )
        ground_truth_input = tf.placeholder(tf.int64, [batch_size], name="GroundTruthInput")
    with tf.name_scope("final_retrain_ops"):
        initial_value = tf.truncated_normal([bottleneck_tensor_size, class_count], stddev=0.001, seed=7)
        layer_weights = tf.Variable(initial_value, name="final_weights")
        layer_biases = tf.Variable(tf.zeros([class_count]), name="final_biases")
        logits = tf.matmul(bottleneck_input, layer_weights) + layer_biases
    with tf.name_scope("cross_entropy"):
        cross_entropy_mean = tf.losses.sparse_softmax_cross_entropy(labels=ground_truth_input, logits=logits)
    with tf.name_scope("train"):
        optimizer = tf.train.GradientDescentOptimizer(FLAGS.learning_rate)
        train_step = optimizer.minimize(cross_entropy_mean)
    return train_step, cross_entropy_mean, bottleneck_input, ground_truth_input, tf.nn.softmax(logits)


def main(_):
    module_spec = hub.load_module_spec(FLAGS.models + "/mobilenet")
    graph, bottleneck_tensor, resized_image_tensor = create_module_graph(module_spec)

    with graph.as_default():
        train_step, cross_entropy, bottleneck_input, ground_truth_input, final_tensor = add_final_retrain_ops(
            CLASSES, bottleneck_tensor
        )

    with tf.Session(graph=graph) as sess:
        # Initialize all weights: for the module to their pretrained values, and for the newly added retraining layer.
        sess.run(tf.global_variables_initializer())
        bottlenecks, labels = [], []
        for label, images in enumerate(create_image_lists().values()):
            bottlenecks.append(sess.run(bottleneck_tensor, feed_dict={resized_image_tensor: images}))
            labels += [label] * len(images)
        bottlenecks, labels = np.concatenate(bottlenecks), np.array(labels)
        print("bottlenecks:", bottlenecks.shape, bottlenecks.sum(axis=1))
        for i in range(FLAGS.steps):
            _, value = sess.run(
                [train_step, cross_entropy], feed_dict={bottleneck_input: bottlenecks, ground_truth_input: labels}
            )
            print("%d: Cross entropy = %r" % (i, value))
        predictions = sess.run(final_tensor, feed_dict={bottleneck_input: bottlenecks})
        print("Train accuracy = %r" % np.mean(predictions.argmax(1) == labels))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("models", type=str, help="The directory with the modules.")
    parser.add_argument("--learning_rate", type=float, default=0.01)
    parser.add_argument("--steps", type=int, default=5)
    FLAGS, unparsed = parser.parse_known_args()
    tf.app.run(main=main, argv=[sys.argv[0]] + unparsed)
