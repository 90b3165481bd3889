"""Classifies text with BERT: a preprocessing model and an encoder, both from the hub, in a functional model.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

tf.keras.utils.set_random_seed(3)

tfhub_handle_encoder = os.path.join(sys.argv[1], "encoder")
tfhub_handle_preprocess = os.path.join(sys.argv[1], "preprocess")

bert_preprocess_model = hub.KerasLayer(tfhub_handle_preprocess)
text_test = ['this is such an amazing movie!']
text_preprocessed = bert_preprocess_model(text_test)
print(f'Keys       : {sorted(text_preprocessed.keys())}')
print(f'Word Ids   : {text_preprocessed["input_word_ids"][0, :12]}')

bert_model = hub.KerasLayer(tfhub_handle_encoder)
bert_results = bert_model(text_preprocessed)
print(f'Pooled Outputs Values:{bert_results["pooled_output"][0, :12]}')
print(f'Sequence Outputs Shape:{bert_results["sequence_output"].shape}')


def build_classifier_model():
    text_input = tf.keras.layers.Input(shape=(), dtype=tf.string, name='text')
    preprocessing_layer = hub.KerasLayer(tfhub_handle_preprocess, name='preprocessing')
    encoder_inputs = preprocessing_layer(text_input)
    encoder = hub.KerasLayer(tfhub_handle_encoder, trainable=True, name='BERT_encoder')
    outputs = encoder(encoder_inputs)
    net = outputs['pooled_output']
    net = tf.keras.layers.Dropout(0.1)(net)
    net = tf.keras.layers.Dense(1, activation=None, name='classifier')(net)
    return tf.keras.Model(text_input, net)


classifier_model = build_classifier_model()
bert_raw_result = classifier_model(tf.constant(text_test))
print(tf.sigmoid(bert_raw_result))

texts = np.array(["good movie", "bad movie", "an amazing film", "boring", "so good", "so bad", "amazing", "awful"])
labels = np.array([1, 0, 1, 0, 1, 0, 1, 0])
classifier_model.compile(
    optimizer=tf.keras.optimizers.Adam(1e-2),
    loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=tf.metrics.BinaryAccuracy())
history = classifier_model.fit(texts, labels, batch_size=4, epochs=3, verbose=0)
print(history.history)
loss, accuracy = classifier_model.evaluate(texts, labels, verbose=0)
print(f'Loss: {loss}', f'Accuracy: {accuracy}', len(classifier_model.trainable_variables))
