"""unihub.convert: from a TF1 model to a TF2 SavedModel with the same numbers."""
