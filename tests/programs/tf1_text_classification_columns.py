"""Text classification with a canned Estimator and a feature column, and the embedding once more by hand.

The feature column has nothing in its place in unihub, so that both packages stay.

Runs on TensorFlow 1.15.
"""
import sys
import tempfile

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

module = sys.argv[1] + "/text_embedding"
texts = np.array(["the quick brown fox", "hello world", "a lazy dog", "bad"])
train_input_fn = tf.estimator.inputs.numpy_input_fn(
    {"sentence": texts}, np.array([1, 1, 0, 0]), num_epochs=None, shuffle=False
)

embedded_text_feature_column = hub.text_embedding_column(key="sentence", module_spec=module)
estimator = tf.estimator.LinearClassifier(
    feature_columns=[embedded_text_feature_column],
    optimizer=tf.train.AdagradOptimizer(learning_rate=0.1),
    config=tf.estimator.RunConfig(tempfile.mkdtemp(), tf_random_seed=1),
)
estimator.train(input_fn=train_input_fn, steps=10)
print(sorted(estimator.evaluate(input_fn=train_input_fn, steps=1).items()))

with tf.Graph().as_default(), tf.Session() as session:
    embeddings = hub.Module(module)(tf.constant(texts))
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    print(session.run(embeddings))
