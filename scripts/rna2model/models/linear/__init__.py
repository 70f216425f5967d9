"""Models that are linear in expression."""
