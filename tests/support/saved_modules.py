"""Module functions, one for each thing that a module can hold, to be written on one TensorFlow and read on another.

``write_all`` writes them with ``unihub.save``, and records beside each what its own graph computes; ``check_all`` reads
them with the real ``hub.Module``. Neither needs pytest, so that each can be run by another Python::

    python tests/support/saved_modules.py write DIRECTORY        # in a graph runtime
    python tests/support/saved_modules.py check DIRECTORY ...    # where tensorflow_hub has hub.Module
"""

from __future__ import annotations

import os
import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
WORDS = ("alpha", "beta", "gamma", "delta")
HAS_RAGGED = hasattr(tf, "RaggedTensor") and tf.__version__[:5] != "1.14."


def variable(name, shape, seed, **options):
    value = np.float32(np.random.RandomState(seed).randn(*shape))
    return v1.get_variable(name, initializer=value, **options)


def classifier(training=False):
    """Variables, statistics that update ops move, a regularization loss, a variant for training, two signatures."""
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    with v1.variable_scope("dense"):
        w, b = variable("w", [4, 3], 1), variable("b", [3], 2)
    mean = v1.get_variable("moving_mean", [4], initializer=v1.zeros_initializer(), trainable=False)
    batch = tf.reduce_mean(x, 0)
    if training:
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, v1.assign_sub(mean, 0.1 * (mean - batch)).op)
    v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, 0.01 * tf.reduce_sum(tf.square(w)))
    centred = x - (batch if training else mean)
    logits = tf.matmul(centred, w) + b
    add_signature(inputs=x, outputs=logits)
    add_signature("all", {"images": x}, {"default": tf.nn.softmax(logits), "centred": centred})
    attach_message("note", note("training" if training else "plain"))


def vocabulary(path):
    """A vocabulary, the table it fills, and an embedding."""
    words = v1.placeholder(tf.string, [None], name="words")
    initializer = tf.lookup.TextFileInitializer(path, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
    table = tf.lookup.StaticVocabularyTable(initializer, 1)
    embedding = variable("embedding", [len(WORDS) + 1, 5], 3)
    add_signature(inputs={"words": words}, outputs=tf.gather(embedding, table.lookup(words)))


def sparse():
    """A sparse input, and a sparse output."""
    ids = v1.sparse_placeholder(tf.float32, [None, 6], name="ids")
    w = variable("w", [6, 2], 4)
    doubled = tf.SparseTensor(ids.indices, ids.values * 2.0, ids.dense_shape)
    add_signature(inputs={"ids": ids}, outputs={"default": v1.sparse_tensor_dense_matmul(ids, w), "doubled": doubled})


def ragged():
    """A ragged input, and a ragged output."""
    rows = v1.ragged.placeholder(tf.int64, 1, name="rows")
    embedding = variable("embedding", [7], 5)
    scaled = tf.ragged.map_flat_values(lambda ids: tf.gather(embedding, ids), rows)
    add_signature(inputs={"rows": rows}, outputs={"default": scaled, "sums": tf.reduce_sum(scaled, 1)})


def loop(training=False):
    """A loop and a condition, of the kind that the runtime builds."""
    x = v1.placeholder(tf.float32, [None, 3], name="x")
    steps = v1.placeholder_with_default(2, [], name="steps")
    w, gate = variable("w", [3, 3], 6), variable("gate", [], 7)
    state = v1.while_loop(
        lambda i, s: i < steps, lambda i, s: (i + 1, tf.tanh(tf.matmul(s, w))), [tf.constant(0), tf.identity(x)]
    )[1]
    chosen = v1.cond(tf.reduce_sum(state) > 0, lambda: state * gate, lambda: state - gate)
    if training:
        v1.add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, tf.square(gate))
    add_signature(inputs={"x": x, "steps": steps}, outputs={"default": chosen, "state": state})


def partitioned():
    """A variable in parts, and variables of reference type."""
    ids = v1.placeholder(tf.int64, [None], name="ids")
    with v1.variable_scope("", use_resource=False), v1.variable_scope(
        "table", partitioner=v1.fixed_size_partitioner(3)
    ):
        weights = v1.get_variable("weights", [8, 4], initializer=count_rows)
    add_signature(inputs=ids, outputs=v1.nn.embedding_lookup(list(weights), ids, partition_strategy="div"))


def count_rows(shape, dtype=tf.float32, partition_info=None):
    """Rows that tell which row of the whole they are."""
    first = partition_info.var_offset[0]
    rows = np.arange(first, first + list(map(int, shape))[0])
    return tf.constant(np.outer(rows, np.arange(1, shape[1] + 1)), dtype)


def constant():
    """Neither inputs nor variables."""
    add_signature(outputs={"default": tf.constant([1.0, 2.0]), "text": tf.constant("a text")})


def note(text):
    """A message to attach."""
    return v1.train.Feature(bytes_list=v1.train.BytesList(value=[text.encode()]))


def add_signature(*args, **kwargs):
    import unihub

    unihub.add_signature(*args, **kwargs)


def attach_message(*args):
    import unihub

    unihub.attach_message(*args)


def modules(directory):
    """The functions by name, each with its variants; what they need is written to a directory."""
    path = os.path.join(directory, "vocabulary.txt")
    with open(path, "w") as file:
        file.write("".join(word + "\n" for word in WORDS))
    both = [(set(), {}), ({"train"}, {"training": True})]
    found = {
        "classifier": (classifier, both),
        "vocabulary": (vocabulary, [(set(), {"path": path})]),
        "sparse": (sparse, None),
        "loop": (loop, both),
        "partitioned": (partitioned, None),
        "constant": (constant, None),
    }
    if HAS_RAGGED:
        found["ragged"] = (ragged, None)
    return found


def values_for(signature_inputs):
    """A value for each input, as ``tf.nest.flatten`` takes it apart."""
    random = np.random.RandomState(8)
    values = {}
    for name, tensor in sorted(signature_inputs.items()):
        if isinstance(tensor, tf.SparseTensor):
            values[name] = [np.array([[0, 1], [1, 4], [2, 0]], np.int64), random.randn(3).astype("f"), np.array([3, 6])]
        elif hasattr(tensor, "row_splits"):
            values[name] = [np.array([1, 6, 2, 0]), np.array([0, 3, 3, 4])]
        elif tensor.dtype == tf.string:
            values[name] = [np.array([b"beta", b"unknown", b"delta"])]
        elif tensor.dtype.is_integer:
            values[name] = [np.array([2, 7, 0]) if tensor.shape.ndims else np.array(3)]
        else:
            values[name] = [random.randn(*[3 if size is None else size for size in tensor.shape.as_list()]).astype("f")]
    return values


def flatten(tensor):
    return tf.nest.flatten(tensor, expand_composites=True)


def compute(function, arguments):
    """What a function's own graph computes, as flat records: SIGNATURE/in/NAME.PART and SIGNATURE/out/NAME.PART."""
    from unihub._save import module_function

    records = {}
    with tf.Graph().as_default(), v1.variable_scope("", use_resource=True):
        signatures = module_function.call(function, arguments).signatures
        with v1.Session() as session:
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            for signature, (inputs, outputs) in signatures.items():
                values = values_for(inputs)
                feeds = {part: v for name in inputs for part, v in zip(flatten(inputs[name]), values[name])}
                found = session.run({name: flatten(tensor) for name, tensor in outputs.items()}, feeds)
                for side, named in (("in", values), ("out", found)):
                    for name, parts in named.items():
                        for index, part in enumerate(parts):
                            records["{}/{}/{}.{}".format(signature, side, name, index)] = _storable(part)
    return records


def _storable(value):
    value = np.asarray(value)
    return value.astype("S") if value.dtype.kind == "O" else value


def key_of(tags):
    """What stands for a variant in the name of its records."""
    return "-".join(sorted(tags)) or "plain"


def write_all(directory, **options):
    """Writes each module, and beside it NAME.VARIANT.golden.npz."""
    import unihub

    os.makedirs(directory, exist_ok=True)
    for name, (function, variants) in modules(directory).items():
        target = os.path.join(directory, name)
        unihub.save(function, target, format="tf1-hub", variants=variants, **options)
        for tags, arguments in variants or [(set(), {})]:
            np.savez("{}.{}.golden.npz".format(target, key_of(tags)), **compute(function, arguments))


def read(directory, name, tags):
    """The records of one variant: ``{signature: {side: {name: parts}}}``."""
    found = {}
    with np.load(os.path.join(directory, "{}.{}.golden.npz".format(name, key_of(tags)))) as arrays:
        for key in sorted(arrays.files):
            signature, side, rest = key.split("/")
            parts = found.setdefault(signature, {"in": {}, "out": {}})[side].setdefault(rest.split(".")[0], [])
            parts.append(arrays[key])
    return found


def pack(info, parts):
    """The tensor that a value's parts make."""
    if len(parts) == 3:
        return tf.SparseTensor(*parts)
    if len(parts) == 2:
        return tf.RaggedTensor.from_row_splits(*parts)
    return tf.constant(parts[0], info.dtype)


def check(module_class, directory, name, tags):
    """Reads one variant with a class like ``hub.Module``; returns the largest difference."""
    worst = 0.0
    with tf.Graph().as_default():
        module = module_class(os.path.join(directory, name), trainable=True, tags=set(tags))
        records = read(directory, name, tags)
        assert sorted(module.get_signature_names()) == sorted(records)
        outputs = {}
        for signature, sides in records.items():
            infos = module.get_input_info_dict(signature)
            inputs = {key: pack(infos[key], parts) for key, parts in sides["in"].items()}
            assert set(infos) == set(inputs)
            assert set(module.get_output_info_dict(signature)) == set(sides["out"])
            found = module(inputs, signature=signature, as_dict=True)
            outputs[signature] = {key: flatten(tensor) for key, tensor in found.items()}
        check_facts(name, tags, module)
        with v1.Session() as session:
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            values = session.run(outputs)
    for signature, sides in records.items():
        for key, parts in sides["out"].items():
            for part, wanted in zip(values[signature][key], parts):
                worst = max(worst, difference(part, wanted))
    return worst


def difference(found, wanted):
    if wanted.dtype.kind == "S":
        return 0.0 if (np.asarray(found).astype("S") == wanted).all() else np.inf
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    return float(np.max(np.abs(found - wanted))) if wanted.size else 0.0


def check_facts(name, tags, module):
    """What a module holds beside its numbers."""
    training = "train" in tags
    counts = [
        len(v1.get_collection(key))
        for key in (v1.GraphKeys.TRAINABLE_VARIABLES, v1.GraphKeys.UPDATE_OPS, v1.GraphKeys.REGULARIZATION_LOSSES)
    ]
    wanted = {
        "classifier": [2, 2 * training, 1],  # An application of each signature brings the update op.
        "vocabulary": [1, 0, 0],
        "sparse": [1, 0, 0],
        "ragged": [1, 0, 0],
        "loop": [2, 0, int(training)],
        "partitioned": [3, 0, 0],
        "constant": [0, 0, 0],
    }
    assert counts == wanted[name], (name, counts)
    if name == "classifier":
        message = module.get_attached_message("note", v1.train.Feature, required=True)
        assert message.bytes_list.value[0] == (b"training" if training else b"plain")
        assert sorted(module.variable_map) == ["dense/b", "dense/w", "moving_mean"]


def check_all(directory):
    """Reads all that was written there with the real ``hub.Module``; returns the largest differences by variant."""
    import tensorflow_hub as hub

    found = {}
    for file in sorted(os.listdir(directory)):
        if file.endswith(".golden.npz"):
            name, variant = file.split(".")[:2]
            tags = set() if variant == "plain" else {variant}
            found[name + "." + variant] = check(hub.Module, directory, name, tags)
    # Two have two variants; TensorFlow 1.14 has no ragged tensors to write.
    assert len(found) in (8, 9) and max(found.values()) <= 1e-5, found
    return found


if __name__ == "__main__":
    v1.logging.set_verbosity(v1.logging.ERROR)
    if sys.argv[1] == "write":
        if tf.__version__[0] == "2" and "graph" not in sys.argv[3:]:
            v1.disable_v2_behavior()
        with tf.Graph().as_default():
            write_all(sys.argv[2])
    else:
        for directory in sys.argv[2:]:
            found = check_all(directory)
            print("{:24} {} variants, {:.1e}".format(os.path.basename(directory), len(found), max(found.values())))
