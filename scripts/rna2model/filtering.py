"""Which genes carry enough counts to learn from."""

import numpy as np

LARGE_GROUP, LARGE_SHARE = 10, 0.7  # edgeR's large.n and min.prop
TOLERANCE = 1e-14


def by_expression(counts, groups=None, min_count=10, min_total=15):
    """(n_genes,) bool, genes worth keeping: edgeR::filterByExpr (Chen, Lun & Smyth 2016).

    counts : (n_samples, n_genes); groups : (n_samples,) labels, of which only the size of the smallest
    group is used, or None for a single group. No library may be zero.
    """
    sizes = np.unique(groups, return_counts=True)[1] if groups is not None else [len(counts)]
    needed = min(sizes)
    if needed > LARGE_GROUP:
        needed = LARGE_GROUP + (needed - LARGE_GROUP) * LARGE_SHARE
    library = counts.sum(axis=1)
    cutoff = min_count / np.median(library) * 1e6
    expressed = np.zeros(counts.shape[1], dtype=int)
    for row, total in zip(counts, library, strict=True):  # one row at a time: no copy of a large cohort
        expressed += row * 1e6 / total >= cutoff
    return (expressed >= needed - TOLERANCE) & (counts.sum(axis=0) >= min_total - TOLERANCE)
