"""SavedModels with planted unsafe ops, written by the TensorFlow at hand: each kind of op at each depth."""

from __future__ import annotations

import os

import tensorflow as tf

from live_runtime import HAS_KERAS2, RUNTIME

v1 = tf.compat.v1
raw = tf.raw_ops


def text(value="/nonexistent/file"):
    return tf.constant(value)


def _table():
    return raw.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)


def _initialize_table():
    return raw.InitializeTableFromTextFileV2(
        table_handle=_table(), filename=text(), key_index=-2, value_index=-1, vocab_size=1, delimiter="\t"
    )


def _sampler():
    return raw.FixedUnigramCandidateSampler(
        true_classes=tf.zeros([1, 1], tf.int64), num_true=1, num_sampled=1, unique=False, range_max=2,
        vocab_file="/nonexistent/file",
    )  # fmt: skip


def _text_lines():
    return raw.TextLineDataset(filenames=text(), compression_type=text(""), buffer_size=tf.constant(1, tf.int64))


def _records():
    return raw.TFRecordDataset(filenames=text(), compression_type=text(""), buffer_size=tf.constant(1, tf.int64))


def _fixed_records():
    one = tf.constant(1, tf.int64)
    return raw.FixedLengthRecordDatasetV2(
        filenames=text(), header_bytes=one, record_bytes=one, footer_bytes=one, buffer_size=one,
        compression_type=text(""),
    )  # fmt: skip


def _cached():
    numbers = tf.constant(3, tf.int64)
    inner = raw.RangeDataset(
        start=numbers, stop=numbers, step=numbers, output_types=[tf.int64], output_shapes=[[]]
    )  # fmt: skip
    return raw.CacheDataset(
        input_dataset=inner, filename=text("/tmp/cached"), output_types=[tf.int64], output_shapes=[[]]
    )


def _sql():
    return raw.SqlDataset(
        driver_name=text("sqlite"), data_source_name=text(), query=text("select 1"),
        output_types=[tf.int64], output_shapes=[[]],
    )  # fmt: skip


def _reading_checkpoint():
    return raw.RestoreV2(prefix=text(), tensor_names=[b"x"], shape_and_slices=[b""], dtypes=[tf.float32])


def _writing_checkpoint():
    return raw.SaveV2(prefix=text(), tensor_names=[b"x"], shape_and_slices=[b""], tensors=[tf.constant(1.0)])


def _remapping():
    return raw.GenerateVocabRemapping(
        new_vocab_file=text(), old_vocab_file=text(), new_vocab_offset=0, num_new_vocab=1
    )  # fmt: skip


def _remapped():
    return raw.LoadAndRemapMatrix(
        ckpt_path=text(), old_tensor_name=text("x"), row_remapping=tf.constant([0], tf.int64),
        col_remapping=tf.constant([], tf.int64), initializing_values=tf.constant([], tf.float32),
        num_rows=1, num_cols=1,
    )  # fmt: skip


def _summaries():
    return raw.CreateSummaryFileWriter(
        writer=raw.SummaryWriter(), logdir=text(), max_queue=1, flush_millis=1, filename_suffix=text("x")
    )


def _merge():
    return raw.MergeV2Checkpoints(checkpoint_prefixes=[b"/nonexistent/a"], destination_prefix=text())


# The op and what makes it.
KINDS = {
    "ReadFile": lambda: raw.ReadFile(filename=text()),
    "WriteFile": lambda: raw.WriteFile(filename=text(), contents=text("x")),
    "MatchingFiles": lambda: raw.MatchingFiles(pattern=text("/nonexistent/*")),
    "SaveV2": _writing_checkpoint,
    "RestoreV2": _reading_checkpoint,
    "MergeV2Checkpoints": _merge,
    "LoadAndRemapMatrix": _remapped,
    "GenerateVocabRemapping": _remapping,
    "InitializeTableFromTextFileV2": _initialize_table,
    "FixedUnigramCandidateSampler": _sampler,
    "ImmutableConst": lambda: raw.ImmutableConst(dtype=tf.float32, shape=[1], memory_region_name="/nonexistent"),
    "RecordInput": lambda: raw.RecordInput(file_pattern="/nonexistent/*"),
    "WholeFileReaderV2": lambda: raw.WholeFileReaderV2(),
    "TextLineReaderV2": lambda: raw.TextLineReaderV2(),
    "TFRecordReaderV2": lambda: raw.TFRecordReaderV2(),
    "FixedLengthRecordReaderV2": lambda: raw.FixedLengthRecordReaderV2(record_bytes=1),
    "TextLineDataset": _text_lines,
    "TFRecordDataset": _records,
    "FixedLengthRecordDatasetV2": _fixed_records,
    "CacheDataset": _cached,
    "SqlDataset": _sql,
    "PyFuncStateless": lambda: raw.PyFuncStateless(input=[tf.constant(1.0)], token="pyfunc_0", Tout=[tf.float32]),
    "EagerPyFunc": lambda: raw.EagerPyFunc(input=[tf.constant(1.0)], token="pyfunc_0", Tout=[tf.float32]),
    "CreateSummaryFileWriter": _summaries,
    "PrintV2": lambda: raw.PrintV2(input=text("x"), output_stream="file:///nonexistent/file"),
    "Abort": lambda: raw.Abort(),
}
LATER = {
    "DebugIdentityV2": lambda: raw.DebugIdentityV2(
        input=tf.constant(1.0), tfdbg_run_id="x", debug_urls=["file:///nonexistent"]
    ),
    "DebugIdentity": lambda: raw.DebugIdentity(input=tf.constant(1.0), debug_urls=["file:///nonexistent"]),
    "MatchingFilesDataset": lambda: raw.MatchingFilesDataset(patterns=text("/nonexistent/*")),
    "LMDBDataset": lambda: raw.LMDBDataset(filenames=text(), output_types=[tf.string], output_shapes=[[]]),
}
# Some came with later versions of TensorFlow.
KINDS.update({name: make for name, make in LATER.items() if hasattr(raw, name)})


def plant(kinds):
    """Ops of these kinds where the code runs, and a number that does not depend on them."""
    for kind in kinds:
        KINDS[kind]()
    return tf.constant(1.0)


def graph_function(function):
    """A function as it stands here: loops and lists of Python are none of the graph's."""
    return tf.function(function, autograph=False)


def in_graph(kinds):
    return plant(kinds)


def in_function(kinds):
    return graph_function(lambda: plant(kinds))()


def in_nested_function(kinds):
    inner = graph_function(lambda: plant(kinds))
    middle = graph_function(lambda: inner() + 1.0)
    return graph_function(lambda: middle() + 1.0)()


def in_cond(kinds):
    chosen = graph_function(lambda x: tf.cond(x > 0.0, lambda: plant(kinds), lambda: tf.constant(2.0)))
    return chosen(v1.placeholder_with_default(1.0, []))


def in_while(kinds):
    body = lambda i: i + plant(kinds)  # noqa: E731
    return graph_function(lambda: tf.while_loop(lambda i: i < 2.0, body, [tf.constant(0.0)]))()


def in_dataset(kinds):
    data = tf.data.Dataset.range(1).map(lambda x: plant(kinds))
    v1.data.make_one_shot_iterator(data)
    return tf.constant(1.0)


# What is built in a graph, whose output a signature has.
DEPTHS = {
    "graph": in_graph,
    "function": in_function,
    "nested function": in_nested_function,
    "cond": in_cond,
    "while": in_while,
    "dataset": in_dataset,
}


def write_graph(path, build, is_init=False, module=False):
    """A TF1 SavedModel, or a TF1 Hub module, with the ops behind its signature or among what initializes it."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, [], "x")
        variable = v1.get_variable("v", [], use_resource=True)
        session.run(variable.initializer)
        planted = build()
        y = x + variable.read_value() if is_init else x + planted
        signature = v1.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
        builder = v1.saved_model.builder.SavedModelBuilder(path)
        builder.add_meta_graph_and_variables(
            session, [] if module else ["serve"], {"default" if module else "serving_default": signature},
            main_op=tf.group(planted) if is_init else None,
        )  # fmt: skip
        builder.save()
    if module:
        with open(os.path.join(path, "tfhub_module.pb"), "wb") as file:
            file.write(b"\x08\x03")
    return path


def write_object(path, kinds):
    """A TF2 SavedModel, written eagerly."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)], autograph=False)
        def __call__(self, x):
            return x + plant(kinds)

    module = Module()
    tf.saved_model.save(module, path, signatures={"serving_default": module.__call__})
    return path


# Keras 3 writes no such layer into a SavedModel, and graphs need a session for it.
HAS_LAMBDA = RUNTIME == "tf2" and HAS_KERAS2


def write_lambda(path):
    """A Keras 2 model with a layer that is Python code."""
    model = tf.keras.Sequential([tf.keras.layers.Lambda(lambda x: x + 1.0, input_shape=[2], name="plus_one")])
    model.save(path, save_format="tf")
    return path
