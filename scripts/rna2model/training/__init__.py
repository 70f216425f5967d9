"""Training within a split: preprocessing, then a model."""
