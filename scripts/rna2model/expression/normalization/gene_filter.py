"""Filter genes that are too weakly expressed to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort.sample_rows import SampleRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

LARGE_GROUP, LARGE_SHARE = 10, 0.7  # edgeR's large.n and min.prop
TOLERANCE = 1e-14


def by_expression(
    counts: Any, groups: NDArray[Any] | None = None, min_count: float = 10, min_total: float = 15
) -> NDArray[np.bool_]:
    """(n_genes,) bool, genes worth keeping: edgeR::filterByExpr (Chen, Lun & Smyth 2016).

    counts : (n_samples, n_genes); groups : (n_samples,) labels, of which only the size of the smallest
    group is used, or None for a single group. No library may be zero.
    """
    rows = SampleRows.of(counts)
    sizes = np.unique(groups, return_counts=True)[1] if groups is not None else [len(rows)]
    needed = min(sizes)
    if needed > LARGE_GROUP:
        needed = LARGE_GROUP + (needed - LARGE_GROUP) * LARGE_SHARE
    library = rows.sums()
    cutoff = min_count / np.median(library) * 1e6
    expressed, total = np.zeros(rows.shape[1], dtype=int), np.zeros(rows.shape[1])
    for row, size in zip(rows, library, strict=True):
        expressed += row * 1e6 / size >= cutoff
        total += row
    return (expressed >= needed - TOLERANCE) & (total >= min_total - TOLERANCE)


def varying(rows: SampleRows) -> NDArray[np.bool_]:
    """(n_genes,) bool, genes with two different values; NaN is no value."""
    least, most = np.full(rows.shape[1], np.inf), np.full(rows.shape[1], -np.inf)
    for row in rows:
        np.fmin(least, row, out=least)
        np.fmax(most, row, out=most)
    return most > least  # not the variance: that of a constant can be rounding


def starts_with_auto(gene_filter: str | dict[str, Any]) -> bool:
    """Whether `auto` comes first: always, unless the filter is `none` or a mapping with `auto: false`."""
    return gene_filter.get("auto", True) if isinstance(gene_filter, dict) else gene_filter == "auto"


def by_variation(gene_filter: Mapping[str, Any], expression: Iterable[Any]) -> NDArray[np.bool_]:
    """(k,) bool, genes within the limits of a mapping {min_mean, min_variance, top_variance}; all without one.

    expression : rows of log2 expression (k,) of the training samples, one after the other
    Of genes that vary equally the first ones are kept.
    """
    mean: Any
    squares: Any
    count, mean, squares = 0, 0.0, 0.0
    for row in expression:
        count += 1  # Welford 1962: one pass, no matrix
        away = row - mean
        mean = mean + away / count
        squares = squares + away * (row - mean)
    variance = squares / max(count - 1, 1)
    kept = (mean >= gene_filter.get("min_mean", -np.inf)) & (variance >= gene_filter.get("min_variance", 0))
    order = np.flatnonzero(kept)[np.argsort(-variance[kept], kind="stable")]
    kept[order[gene_filter.get("top_variance", len(order)) :]] = False
    return kept
