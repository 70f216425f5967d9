"""The matrix of a cohort: counts, samples, outcome, splits, duplicates."""
