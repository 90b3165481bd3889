"""Directory to ModelInfo, without TensorFlow: wire format, schema, checkpoint index, formats, unsafe ops."""
