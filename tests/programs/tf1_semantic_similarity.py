"""Semantic similarity of sentences: embeddings in a session, and their inner products.

Runs on TensorFlow 1.15 and 2.15.
"""
import sys

import numpy as np
import tensorflow.compat.v1 as tf
import tensorflow_hub as hub

tf.disable_eager_execution()
module_url = sys.argv[1] + "/text_embedding"

# Import the Universal Sentence Encoder's TF Hub module
embed = hub.Module(module_url)

messages = [
    # Smartphones
    "I like my phone", "My phone is not good.", "Your cellphone looks great.",
    # Weather
    "Will it snow tomorrow?", "hello world", "the quick brown fox",
]

similarity_input_placeholder = tf.placeholder(tf.string, shape=(None))
similarity_message_encodings = embed(similarity_input_placeholder)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(tf.tables_initializer())
    message_embeddings_ = session.run(similarity_message_encodings, feed_dict={similarity_input_placeholder: messages})

for i, message_embedding in enumerate(np.array(message_embeddings_).tolist()):
    print("Message: {}".format(messages[i]))
    print("Embedding size: {}".format(len(message_embedding)))
    message_embedding_snippet = ", ".join((str(x) for x in message_embedding[:3]))
    print("Embedding: [{}, ...]\n".format(message_embedding_snippet))
corr = np.inner(message_embeddings_, message_embeddings_)
print(corr)
