"""Models that a user brings in a file: functions that return an estimator of scikit-learn, and classes of torch.nn.Module."""
