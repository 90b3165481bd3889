"""Text classification with an Estimator: a model_fn around a text embedding, trained, evaluated and used.

Runs on TensorFlow 1.15.
"""
import sys
import tempfile

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

MODELS = sys.argv[1]
TEXTS = np.array(
    ["the quick brown fox", "hello world", "a lazy dog", "good movie", "bad movie", "the movie was bad", "good day", "dog"]
)
LABELS = np.array([1, 1, 0, 1, 0, 0, 1, 0])


def model_fn(features, labels, mode, params):
    is_training = mode == tf.estimator.ModeKeys.TRAIN
    embed = hub.Module(params["module"], trainable=is_training)  # fine-tuned with the classifier
    net = embed(features["sentence"])
    net = tf.layers.dense(net, 8, tf.nn.relu, kernel_initializer=tf.glorot_uniform_initializer(seed=1))
    logits = tf.layers.dense(net, 2, kernel_initializer=tf.glorot_uniform_initializer(seed=2))
    predictions = {"probabilities": tf.nn.softmax(logits)}
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    metrics = {"accuracy": tf.metrics.accuracy(labels, tf.argmax(logits, 1))}
    train_op = tf.train.AdagradOptimizer(0.3).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


estimator = tf.estimator.Estimator(
    model_fn, tempfile.mkdtemp(), tf.estimator.RunConfig(tf_random_seed=3), params={"module": MODELS + "/text_embedding"}
)
train_input_fn = tf.estimator.inputs.numpy_input_fn({"sentence": TEXTS}, LABELS, num_epochs=None, shuffle=False)
predict_input_fn = tf.estimator.inputs.numpy_input_fn({"sentence": TEXTS}, LABELS, shuffle=False)

print("before", estimator.train(train_input_fn, steps=1).evaluate(predict_input_fn))
estimator.train(input_fn=train_input_fn, steps=20)
print("after", sorted(estimator.evaluate(input_fn=predict_input_fn).items()))
for prediction in estimator.predict(predict_input_fn):
    print(prediction["probabilities"])
