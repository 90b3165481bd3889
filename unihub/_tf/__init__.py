"""The only place that knows versions: version checks, import ladders, private TensorFlow, tensorflow_hub and Keras."""
