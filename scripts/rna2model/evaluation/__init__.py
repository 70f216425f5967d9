"""Scores, intervals, permutation tests, calibration, subgroups, learning curves."""
