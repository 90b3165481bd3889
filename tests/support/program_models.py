"""The models that the programs of tests/programs use: some of tests/data, and some that the running TensorFlow writes."""

from __future__ import annotations

import os
import shutil

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")
COPIED = (
    "tf1_hub/convnet",
    "tf1_hub/convnet64",
    "tf1_hub/mobilenet",
    "tf1_hub/multi_signature",
    "tf1_hub/text_embedding",
    "saved_model/reusable",
    "saved_model/signatures_only",
    "saved_model/text",
    "tf1_saved_model/half_plus_two",
)
LENGTH, WORDS, SIZE = 12, 30, 6


def write_all(directory):
    """Puts all models there that this TensorFlow reads."""
    for name in COPIED:
        shutil.copytree(os.path.join(DATA, *name.split("/")), os.path.join(directory, os.path.basename(name)))
    if tf.__version__.startswith("1."):
        write_bert(os.path.join(directory, "bert"))
        v1.enable_v2_behavior()
        v1.saved_model.experimental.save(Encoder(), os.path.join(directory, "encoder_with_losses"))
        return
    tf.keras.utils.set_random_seed(0)
    bert = encoder()
    bert.vocab_file = tf.saved_model.Asset(write_vocabulary(directory))
    bert.do_lower_case = tf.Variable(True, trainable=False)
    bert.save(os.path.join(directory, "encoder"))
    classifier().save(os.path.join(directory, "classifier"))
    for name, module in (("preprocess", Preprocess()), ("style", Style()), ("encoder_with_losses", Encoder())):
        tf.saved_model.save(module, os.path.join(directory, name))


def write_vocabulary(directory):
    path = os.path.join(directory, "vocabulary.txt")
    with open(path, "w") as file:
        file.write("".join("word{}\n".format(number) for number in range(WORDS)))
    return path


def random(seed, *shape):
    return np.random.RandomState(seed).randn(*shape).astype(np.float32)


def write_bert(path):
    """A TF1 Hub module with the signatures and variants that BERT has."""
    import tensorflow_hub as hub

    def module_fn(is_training):
        names = ("input_ids", "input_mask", "segment_ids")
        inputs = {name: v1.placeholder(tf.int32, [None, None], name) for name in names}
        table = v1.get_variable("word_embeddings", initializer=random(1, WORDS, SIZE))
        kinds = v1.get_variable("token_type_embeddings", initializer=random(2, 2, SIZE))
        kernel = v1.get_variable("pooler", initializer=random(3, SIZE, SIZE))
        sequence = tf.nn.embedding_lookup(table, inputs["input_ids"])
        sequence += tf.nn.embedding_lookup(kinds, inputs["segment_ids"])
        sequence *= tf.cast(inputs["input_mask"], tf.float32)[..., None]
        if is_training:
            sequence = tf.nn.dropout(sequence, rate=0.1, seed=4)
        pooled = tf.tanh(tf.matmul(tf.reduce_mean(sequence, 1), kernel))
        outputs = {"pooled_output": pooled, "sequence_output": sequence}
        hub.add_signature("tokens", inputs, outputs)
        info = {"vocab_size": tf.constant(WORDS), "do_lower_case": tf.constant(True)}
        hub.add_signature("tokenization_info", {}, info)

    variants = [(set(), {"is_training": False}), ({"train"}, {"is_training": True})]
    spec = hub.create_module_spec(module_fn, variants)
    with tf.Graph().as_default(), v1.Session() as session:
        module = hub.Module(spec)
        session.run(v1.global_variables_initializer())
        module.export(path, session)


def encoder():
    """A Keras model with the inputs and outputs that BERT has."""
    layers = tf.keras.layers
    names = ("input_word_ids", "input_mask", "input_type_ids")
    inputs = {name: tf.keras.Input([LENGTH], dtype=tf.int32, name=name) for name in names}
    sequence = layers.Embedding(WORDS, SIZE)(inputs["input_word_ids"])
    sequence = layers.Add()([sequence, layers.Embedding(2, SIZE)(inputs["input_type_ids"])])
    sequence = layers.LayerNormalization()(sequence)
    sequence = layers.Lambda(lambda both: both[0] * tf.cast(both[1], tf.float32)[..., None])(
        [sequence, inputs["input_mask"]]
    )
    pooled = layers.Dense(SIZE, activation="tanh")(layers.GlobalAveragePooling1D()(sequence))
    return tf.keras.Model(inputs, {"pooled_output": pooled, "sequence_output": sequence})


def classifier():
    """A Keras model that classifies images."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=[16, 16, 3]),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7),
        ]
    )


class Preprocess(tf.Module):
    """Texts as the inputs of the encoder."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        words = tf.strings.split(tf.strings.lower(texts))
        ids = tf.ragged.map_flat_values(lambda flat: tf.strings.to_hash_bucket_fast(flat, WORDS - 1) + 1, words)
        ids = tf.cast(ids.to_tensor(shape=[None, LENGTH]), tf.int32)
        return {"input_word_ids": ids, "input_mask": tf.cast(ids > 0, tf.int32), "input_type_ids": tf.zeros_like(ids)}


class Style(tf.Module):
    """Gives an image the colours of another."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(0.1 * random(5, 3, 3, 3, 3))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)] * 2)
    def __call__(self, content, style):
        mean = tf.reduce_mean(style, [1, 2], keepdims=True)
        return (tf.sigmoid(tf.nn.conv2d(content, self.kernel, 1, "SAME") + mean),)


class Encoder(tf.Module):
    """A reusable SavedModel with a statistic and a regularization loss."""

    # Attributes, for properties are not saved.
    variables = None
    trainable_variables = None

    def __init__(self):
        super().__init__()
        kernel, bias = tf.Variable(random(6, 4, 4), name="kernel"), tf.Variable(random(7, 4), name="bias")
        mean = tf.Variable(np.zeros(4, np.float32), name="mean", trainable=False)
        self.variables, self.trainable_variables = [kernel, bias, mean], [kernel, bias]
        self.regularization_losses = [tf.function(lambda: 0.1 * tf.reduce_sum(tf.square(kernel)), input_signature=[])]
        for training in (False, True):
            self.__call__.get_concrete_function(tf.TensorSpec([None, 4], tf.float32), training=training)

    @tf.function(autograph=False)
    def __call__(self, x, training=False):
        kernel, bias, mean = self.variables
        batch = tf.reduce_mean(x, 0)
        if training:
            mean.assign(0.9 * mean + 0.1 * batch)
        return tf.matmul(x - (batch if training else mean), kernel) + bias
