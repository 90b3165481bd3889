"""MetaGraphs and export directories: what partial loading, saving and converting share."""
