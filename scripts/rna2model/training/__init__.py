"""What happens within a split: preprocessing, then a model."""
