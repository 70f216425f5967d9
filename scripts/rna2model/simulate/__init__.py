"""The demo's genome, annotation, reads and truth."""
