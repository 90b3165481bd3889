"""Fine-tunes a small BERT from its hub module on a sentence classification task, and predicts.

Runs on TensorFlow 1.15.
"""
import os
import sys
import tempfile

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

BERT_MODEL_HUB = os.path.join(sys.argv[1], "bert")
MAX_SEQ_LENGTH = 6


def read_tokenization_info():
    """Gets the vocabulary file and casing info from the module."""
    with tf.Graph().as_default():
        bert_module = hub.Module(BERT_MODEL_HUB)
        tokenization_info = bert_module(signature="tokenization_info", as_dict=True)
        with tf.Session() as sess:
            vocab_size, do_lower_case = sess.run(
                [tokenization_info["vocab_size"], tokenization_info["do_lower_case"]]
            )
    return vocab_size, do_lower_case


def create_model(is_training, input_ids, input_mask, segment_ids, labels, num_labels):
    """Creates a classification model."""
    tags = set()
    if is_training:
        tags.add("train")
    bert_module = hub.Module(BERT_MODEL_HUB, tags=tags, trainable=True)
    bert_inputs = dict(input_ids=input_ids, input_mask=input_mask, segment_ids=segment_ids)
    bert_outputs = bert_module(
        inputs=bert_inputs,
        signature="tokens",
        as_dict=True)

    # Use "pooled_output" for classification tasks on an entire sentence, "sequence_output" for token-level output.
    output_layer = bert_outputs["pooled_output"]
    hidden_size = output_layer.shape[-1].value
    output_weights = tf.get_variable(
        "output_weights", [num_labels, hidden_size], initializer=tf.truncated_normal_initializer(stddev=0.02, seed=4))
    output_bias = tf.get_variable("output_bias", [num_labels], initializer=tf.zeros_initializer())
    with tf.variable_scope("loss"):
        logits = tf.nn.bias_add(tf.matmul(output_layer, output_weights, transpose_b=True), output_bias)
        log_probs = tf.nn.log_softmax(logits, axis=-1)
        predicted_labels = tf.squeeze(tf.argmax(log_probs, axis=-1, output_type=tf.int32))
        one_hot_labels = tf.one_hot(labels, depth=num_labels, dtype=tf.float32)
        loss = tf.reduce_mean(-tf.reduce_sum(one_hot_labels * log_probs, axis=-1))
    return loss, predicted_labels, log_probs


def model_fn(features, labels, mode):
    is_training = mode == tf.estimator.ModeKeys.TRAIN
    loss, predicted_labels, log_probs = create_model(
        is_training, features["input_ids"], features["input_mask"], features["segment_ids"], labels, num_labels=2)
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(
            mode, loss=loss, eval_metric_ops={"eval_accuracy": tf.metrics.accuracy(labels, predicted_labels)})
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions={"log_probs": log_probs})
    train_op = tf.train.AdamOptimizer(1e-2).minimize(loss, global_step=tf.train.get_global_step())
    logging_hook = tf.train.LoggingTensorHook({"loss": loss}, every_n_iter=1)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, training_hooks=[logging_hook])


vocab_size, do_lower_case = read_tokenization_info()
print("vocabulary of", vocab_size, "lower case", do_lower_case)
random = np.random.RandomState(0)
ids = random.randint(1, vocab_size, (16, MAX_SEQ_LENGTH)).astype(np.int32)
inputs = {"input_ids": ids, "input_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
labels = (ids[:, 0] > vocab_size // 2).astype(np.int32)
inputs["input_mask"][::2, 4:] = 0

estimator = tf.estimator.Estimator(model_fn, tempfile.mkdtemp(), tf.estimator.RunConfig(tf_random_seed=5))


def input_fn(repeat):
    labelled = {**inputs, "labels": labels}
    data = tf.data.Dataset.from_tensor_slices(labelled).repeat(repeat).batch(8)
    return data.map(lambda batch: (batch, batch["labels"]))


estimator.train(lambda: input_fn(None), max_steps=6)
print(sorted(estimator.evaluate(lambda: input_fn(1)).items()))
