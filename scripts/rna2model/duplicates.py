"""One library under two names: in different folds one would give the other away."""

import numpy as np

from rna2model.errors import InputProblem

SAME = 0.999  # correlation of log expression; between libraries of different cultures it stays below (measured: 0.998)
FEWEST_GENES = 100  # of fewer, unrelated samples may agree so well
GENES, ROWS = 2000, 1000  # looked at first, at a time


def check(data, groups=None):
    """InputProblem when two samples of a Cohort are one library, unless they are of one group (donor): exactly the same
    counts, or log expression that correlates by more than SAME over the genes most samples express.

    groups : (n,) or None
    """
    seen = {}
    for row, values in enumerate(data.counts):
        twin = seen.setdefault(values.tobytes(), row)
        if twin != row and _apart(twin, row, groups):
            raise InputProblem(_told(data, twin, row, "have exactly the same counts"))
    for first, second, r in _alike(data.counts):
        if _apart(first, second, groups):
            raise InputProblem(_told(data, first, second, f"correlate by {r:.5f}"))


def _apart(first, second, groups):
    return groups is None or groups[first] != groups[second]


def _told(data, first, second, how):
    return (
        f"samples {data.samples[first]} and {data.samples[second]} {how}: they are one library, and in different folds one"
        " would give the other away. Fill `exclude` for one of them in the sheet, or name what they share as design.group."
    )


def _alike(counts):
    """(row, row, r) of pairs above SAME; a part of the genes first, all of them for what is left."""
    expressed = np.flatnonzero((counts != 0).mean(axis=0) >= 0.5)
    if len(expressed) < FEWEST_GENES:
        return
    logged = counts.max() <= 50 or counts.min() < 0  # logarithms come as they are
    part = _standardised(counts[:, expressed[:: -(-len(expressed) // GENES)]], logged)
    for start in range(0, len(part), ROWS):
        r = part[start : start + ROWS] @ part.T
        for first, second in zip(*np.nonzero(r > 1 - 2 * (1 - SAME)), strict=True):
            if start + first < second:
                pair = _standardised(counts[np.ix_([start + first, second], expressed)], logged)
                whole = float(pair[0] @ pair[1])
                if whole > SAME:
                    yield start + first, second, whole


def _standardised(counts, logged):
    """(n, g) float32 rows of mean 0 and length 1."""
    values = counts.astype(np.float32) if logged else np.log2(counts.astype(np.float32) + 1)
    values -= values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(length > 0, length, 1)
