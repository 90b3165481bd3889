"""A module with several signatures: named at the call, with dicts of inputs and outputs, dense and sparse.

Runs on TensorFlow 1.15.
"""
import sys

import numpy as np
import tensorflow as tf
from tensorflow_hub import Module

m = Module(sys.argv[1] + "/multi_signature", name="several")
print(sorted(m.get_signature_names()))
print(sorted(m.get_input_info_dict("sum")), sorted(m.get_output_info_dict("sum")))

x = tf.constant(np.arange(8.0).reshape(2, 4), tf.float32)
scaled = m(x, signature="scale")
cube = m(x, signature="scale", as_dict=True)["cube"]
sums = m({"a": x, "b": 2.0 * x}, signature="sum", as_dict=True)
sparse = m(dict(x=tf.SparseTensor([[0, 1], [1, 2]], [1.0, 2.0], [2, 4])), signature="sparse")

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for value in session.run([scaled, cube, sums["total"], sums["y"], sparse]):
        print(value.tolist())
    print([variable.op.name for variable in m.variables], session.run(m.variables[0]))
    print(sorted(m.variable_map))
