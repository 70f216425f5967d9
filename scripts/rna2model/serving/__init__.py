"""The bundle, and what predicts new samples with it."""
