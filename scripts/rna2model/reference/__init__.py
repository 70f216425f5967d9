"""Genome, annotation and indices."""
