"""Our own code for what upstream does not do. Nothing here is imported before it is needed."""
