"""Inputs to outputs: binding, trace matching, inlining, and where TensorFlow's errors become ours."""
