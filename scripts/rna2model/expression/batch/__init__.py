"""Batch models: what sets batches apart, learned and taken out."""
