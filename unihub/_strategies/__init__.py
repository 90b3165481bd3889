"""Plan to model: one module for each way to load, and what they share."""
