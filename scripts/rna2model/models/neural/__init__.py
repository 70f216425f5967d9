"""Models in PyTorch: networks, losses, the training loop and its checkpoints."""
