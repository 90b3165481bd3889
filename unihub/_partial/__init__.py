"""Loading only what the planned use needs: cutting a model to a subset, caching the subset, restoring its variables."""
