"""Permutation tests: what is drawn, and quick ways for linear models."""
