"""What is known of a model before it is loaded: whether it is safe, and whether TensorFlow has what it needs."""
