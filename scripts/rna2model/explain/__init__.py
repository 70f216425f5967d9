"""What moved a model, and how stable that is."""
