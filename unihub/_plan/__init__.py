"""ModelInfo, Runtime and Request to Plan: the compatibility matrix and the decision made by it."""
