"""TF1 graphs with each kind of loop, condition, array and state, to be converted; all in float64.

Each function builds outputs from ``x`` ([batch, 3]) and from the variables it makes. They are built with the control
flow and the variables of TensorFlow 1, whichever TensorFlow builds them.
"""

from __future__ import annotations

import contextlib

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


@contextlib.contextmanager
def tf1_graph():
    """A graph in which loops and conditions are built as TensorFlow 1 built them."""
    was_new = v1.control_flow_v2_enabled()
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            yield graph
    finally:
        if was_new:
            v1.enable_control_flow_v2()


def weights(name="w", shape=(3, 3), seed=1, **options):
    value = 0.5 * np.random.RandomState(seed).randn(*shape)
    return v1.get_variable(name, initializer=value, **options)


def while_loop(x):
    w = weights()
    return v1.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, tf.tanh(tf.matmul(s, w))), [0, x])[1]


def while_of_reference_variable(x):
    w = weights(use_resource=False)
    return v1.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, tf.tanh(tf.matmul(s, w))), [0, x])[1]


def data_decide_when_to_stop(x):
    w = weights()
    goes_on = lambda s: tf.reduce_sum(tf.abs(s)) > 0.5  # noqa: E731
    return v1.while_loop(goes_on, lambda s: 0.4 * tf.tanh(tf.matmul(s, w)), [x])


def while_in_while(x):
    w, u = weights(), weights("u", seed=2)

    def inner(s):
        return v1.while_loop(lambda j, t: j < 2, lambda j, t: (j + 1, tf.sin(tf.matmul(t, u) + s)), [0, s])[1]

    return v1.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, tf.matmul(inner(s), w)), [0, x])[1]


def loops_in_a_row(x):
    return while_loop(x) + while_in_row(while_loop_2(x))


def while_loop_2(x):
    u = weights("u", seed=2)
    return v1.while_loop(lambda i, s: i < 2, lambda i, s: (i + 1, tf.sin(tf.matmul(s, u))), [0, x])[1]


def while_in_row(x):
    v = weights("v", seed=3)
    return v1.while_loop(lambda i, s, n: i < n, lambda i, s, n: (i + 1, s * tf.matmul(s, v), n), [0, x, 2])[1]


def condition(x):
    w = weights()
    return v1.cond(tf.reduce_sum(x) > 0, lambda: tf.matmul(x, w), lambda: tf.sin(x) - w[0])


def condition_that_passes_on(x):
    w = weights()
    y = tf.matmul(x, w)
    first, second = v1.cond(tf.reduce_sum(y) > 0, lambda: (y, x), lambda: (x * 2.0, y))
    return first + 3.0 * second


def condition_in_condition(x):
    w, u = weights(), weights("u", seed=2)
    mean = tf.reduce_mean(x)
    return v1.cond(
        mean > 0,
        lambda: v1.cond(mean > 0.3, lambda: tf.matmul(x, w), lambda: tf.matmul(x, u)),
        lambda: v1.cond(mean < -0.3, lambda: tf.exp(tf.matmul(x, u)), lambda: x * w[1]),
    )


def two_conditions_of_one_predicate(x):
    w = weights()
    positive = tf.reduce_sum(x) > 0
    y = v1.cond(positive, lambda: tf.matmul(x, w), lambda: x)
    return v1.cond(positive, lambda: y * y, lambda: tf.matmul(y, w))


def case(x):
    w = weights()
    mean = tf.reduce_mean(x)
    branches = [(mean > 0.5, lambda: tf.matmul(x, w)), (mean > 0, lambda: x * 2.0)]
    return v1.case(branches, default=lambda: tf.sin(tf.matmul(x, w)))


def condition_in_while(x):
    w, u = weights(), weights("u", seed=2)

    def body(i, s):
        return i + 1, v1.cond(tf.reduce_sum(s) > 0, lambda: tf.tanh(tf.matmul(s, w)), lambda: tf.matmul(s, u) + x)

    return v1.while_loop(lambda i, s: i < 4, body, [0, x])[1]


def while_in_condition(x):
    w = weights()
    loop = lambda: v1.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, tf.tanh(tf.matmul(s, w))), [0, x])[1]  # noqa: E731
    return v1.cond(tf.reduce_sum(x) > 0, loop, lambda: x - w[0])


def growing_shape(x):
    w = weights()
    body = lambda i, s: (i + 1, tf.concat([s, tf.tanh(tf.matmul(s[-1:], w))], 0))  # noqa: E731
    shapes = [tf.TensorShape([]), tf.TensorShape([None, 3])]
    return v1.while_loop(lambda i, s: i < 3, body, [0, x], shape_invariants=shapes)[1]


def map_rows(x):
    w = weights()
    return tf.map_fn(lambda row: tf.tanh(tf.linalg.matvec(w, row)), x)


def scan_rows(x):
    w = weights()
    return tf.scan(
        lambda state, row: tf.tanh(tf.linalg.matvec(w, state) + row), x, initializer=tf.zeros([3], tf.float64)
    )


def fold_rows(x):
    w = weights()
    return tf.foldl(lambda state, row: tf.sin(tf.linalg.matvec(w, state)) + row, x)


def growing_array(x):
    w = weights()
    array = v1.TensorArray(tf.float64, size=0, dynamic_size=True, element_shape=[None, 3], clear_after_read=False)

    def body(i, s, array):
        s = tf.tanh(tf.matmul(s, w))
        return i + 1, s, array.write(i, s)

    array = v1.while_loop(lambda i, s, a: i < 3, body, [0, x, array])[2]
    return array.stack() + tf.cast(array.size(), tf.float64) + array.read(1) + tf.reduce_sum(array.gather([2, 0]))


def split_and_joined_array(x):
    w = weights()
    lengths = tf.constant([1, 2], tf.int64)
    array = v1.TensorArray(tf.float64, size=2, infer_shape=False).split(tf.matmul(x, w)[:3], lengths)
    other = v1.TensorArray(tf.float64, size=2, infer_shape=False)
    other = other.write(0, 2.0 * array.read(1)).write(1, array.read(0))
    return other.concat()


def assignment_in_condition(x):
    w = weights()
    count = v1.get_variable("count", initializer=np.float64(0), trainable=False)
    added = v1.cond(tf.reduce_sum(x) > 0, lambda: v1.assign_add(count, 1.0), lambda: v1.assign_sub(count, 0.5))
    with tf.control_dependencies([added]):
        return tf.matmul(x, w) + count.read_value()


def assignment_in_while(x):
    w = weights()
    total = v1.get_variable("total", initializer=np.zeros(3), trainable=False, use_resource=True)

    def body(i, s):
        with tf.control_dependencies([v1.assign_add(total, s[0])]):
            return i + 1, tf.tanh(tf.matmul(s, w))

    state = v1.while_loop(lambda i, s: i < 3, body, [0, x])[1]
    with tf.control_dependencies([state]):
        return state + total.read_value()


def reference_variable_that_changes(x):
    w = weights()
    count = v1.get_variable("count", initializer=np.float64(1), trainable=False, use_resource=False)
    doubled = v1.assign(count, 2.0 * count)
    return tf.matmul(x, w) * doubled


def scattered_reference_variable(x):
    w = weights()
    rows = v1.get_variable("rows", initializer=np.ones([4, 3]), trainable=False, use_resource=False)
    changed = v1.scatter_add(rows, [0, 2], x[:2])
    return tf.matmul(x, w) + tf.reduce_sum(changed, 0)


def embedding_in_while(x):
    """Each way has its own reads: of rows, and of the whole."""
    table, w = weights("table", (6, 3)), weights()

    def body(i, s):
        return i + 1, tf.tanh(tf.matmul(s + tf.nn.embedding_lookup(table, tf.range(tf.shape(s)[0]) % 6), w)) + table[0]

    return v1.while_loop(lambda i, s: i < 3, body, [0, x])[1]


def embedding(x):
    table = weights("table", (6, 3))
    ids = tf.cast(tf.abs(x[:, 0]) * 3.0, tf.int32) % 6
    return x * tf.nn.embedding_lookup(table, ids)


PROGRAMS = [
    while_loop,
    while_of_reference_variable,
    data_decide_when_to_stop,
    while_in_while,
    loops_in_a_row,
    condition,
    condition_that_passes_on,
    condition_in_condition,
    two_conditions_of_one_predicate,
    case,
    condition_in_while,
    while_in_condition,
    growing_shape,
    map_rows,
    scan_rows,
    fold_rows,
    growing_array,
    split_and_joined_array,
    assignment_in_condition,
    assignment_in_while,
    reference_variable_that_changes,
    scattered_reference_variable,
    embedding,
    embedding_in_while,
]


def inputs():
    """Values of ``x`` that take both ways of the conditions, in an order that state depends on."""
    random = np.random.RandomState(5)
    return [random.randn(4, 3) + shift for shift in (1.0, -1.0, 0.2, -0.2)]


def export(program, directory):
    """Writes a program as a TF1 SavedModel.

    Returns:
        For each input what TensorFlow 1 gives: the output, and the gradients of the sum of its sine by the names of the
        variables.
    """
    with tf1_graph(), v1.Session() as session:
        x = v1.placeholder(tf.float64, [None, 3], name="x")
        y = program(x)
        trained = v1.trainable_variables()
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, directory, {"x": x}, {"y": y})
        gradients = v1.gradients(tf.reduce_sum(tf.sin(y)), trained)
        fetches = [y, {each.op.name: tf.convert_to_tensor(slope) for each, slope in zip(trained, gradients)}]
        return [session.run(fetches, {x: value}) for value in inputs()]
