"""Disaster tweets with BERT: the vocabulary comes out of the layer, and the layer is fine-tuned.

Runs on TensorFlow 2.15.
"""
import os
import sys

import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, Input
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import Adam

import tensorflow_hub as hub  # isort:skip

tf.keras.utils.set_random_seed(9)
module_url = os.path.join(sys.argv[1], "encoder")
bert_layer = hub.KerasLayer(module_url, trainable=True)

vocab_file = bert_layer.resolved_object.vocab_file.asset_path.numpy()
do_lower_case = bert_layer.resolved_object.do_lower_case.numpy()
with open(vocab_file) as file:
    vocabulary = {word: index for index, word in enumerate(file.read().split())}
print(len(vocabulary), do_lower_case)


def bert_encode(texts, max_len=12):
    all_tokens, all_masks, all_segments = [], [], []
    for text in texts:
        tokens = [vocabulary[word] for word in text.lower().split()][:max_len]
        pad_len = max_len - len(tokens)
        all_tokens.append(tokens + [0] * pad_len)
        all_masks.append([1] * len(tokens) + [0] * pad_len)
        all_segments.append([0] * max_len)
    return np.array(all_tokens, np.int32), np.array(all_masks, np.int32), np.array(all_segments, np.int32)


def build_model(bert_layer, max_len=12):
    input_word_ids = Input(shape=(max_len,), dtype=tf.int32, name="input_word_ids")
    input_mask = Input(shape=(max_len,), dtype=tf.int32, name="input_mask")
    segment_ids = Input(shape=(max_len,), dtype=tf.int32, name="segment_ids")
    outputs = bert_layer({"input_word_ids": input_word_ids, "input_mask": input_mask, "input_type_ids": segment_ids})
    clf_output = outputs["sequence_output"][:, 0, :]
    out = Dense(1, activation='sigmoid')(clf_output)
    model = Model(inputs=[input_word_ids, input_mask, segment_ids], outputs=out)
    model.compile(Adam(learning_rate=2e-3), loss='binary_crossentropy', metrics=['accuracy'])
    return model


train_input = bert_encode(["Word1 word2 word3", "word4 word5", "word29 word2", "word7 word7 word7 word1"])
train_labels = np.array([1, 0, 1, 0])
model = build_model(bert_layer)
print(model.fit(train_input, train_labels, epochs=3, batch_size=2, verbose=0).history)
print(model.predict(train_input, verbose=0))
