"""Interval of an AUROC whose scores come from one model: a fixed hold-out or an external set.

The variance of the structural components (DeLong et al. 1988); with groups, components are summed over the samples of a
group (Obuchowski 1997), which is the same where every group is one sample. For cross-validation it does not hold, as the
scores of its folds come from different models with training samples in common: there the bootstrap stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.evaluation.calibration_bins import Z

if TYPE_CHECKING:
    from rna2model.evaluation.classification import Table


def components(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """(AUROC, (m,) share of negatives below each positive, (n,) share of positives above each negative), ties half.

    scores (N,); positive (N,) bool with both kinds.
    """
    from scipy.stats import rankdata

    m, n = positive.sum(), (~positive).sum()
    ranks = rankdata(scores)
    above = (ranks[positive] - rankdata(scores[positive])) / n
    below = 1.0 - (ranks[~positive] - rankdata(scores[~positive])) / m
    return above.mean(), above, below


def interval(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], groups: NDArray[Any] | None = None
) -> tuple[float, float, float, float]:
    """(AUROC, standard error, lower, upper), 95 % and within 0 and 1; NaN where fewer than two groups have a class."""
    scores, positive = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    groups = np.arange(len(scores)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if min(len(np.unique(groups[side])) for side in (positive, ~positive)) < 2:
        return np.nan, np.nan, np.nan, np.nan
    area, above, below = components(scores, positive)
    m, n, clusters = positive.sum(), (~positive).sum(), groups.max() + 1
    first = np.bincount(groups[positive], above - area, minlength=clusters)
    second = np.bincount(groups[~positive], below - area, minlength=clusters)
    of_first, of_second = (len(np.unique(groups[side])) for side in (positive, ~positive))
    variance = of_first / (of_first - 1) * (first @ first) / m**2
    variance += of_second / (of_second - 1) * (second @ second) / n**2
    variance += 2 * clusters / max(clusters - 1, 1) * (first @ second) / (m * n)
    error = np.sqrt(max(variance, 0.0))
    return area, error, max(0.0, area - Z * error), min(1.0, area + Z * error)


def replace(metrics: dict[str, Any], table: Table) -> dict[str, Any]:
    """`metrics` of classification.metrics with DeLong's interval of AUROC in place of the bootstrap's, which is kept beside it.

    table : classification.Table of one split. `interval` says which it is. The bootstrap stays for more than two classes (whose
    AUROC is an average), and where a class has fewer than two groups.
    """
    auroc = metrics.get("auroc", {})
    if auroc.get("estimate") is None:
        return metrics
    area, error, lower, upper = np.nan, np.nan, np.nan, np.nan
    if len(table.classes) == 2 and len(np.unique(table.fold)) == 1:
        area, error, lower, upper = interval(table.probabilities[:, 1], table.truth == 1, table.cluster)
    if not np.isfinite(area):
        return {**metrics, "auroc": {**auroc, "interval": "bootstrap"}}
    clustered = len(np.unique(table.cluster)) < len(table.cluster)
    replaced = {**auroc, "lower": float(lower), "upper": float(upper), "standard_error": float(error)}
    replaced |= {"interval": "DeLong, groups as Obuchowski" if clustered else "DeLong"}
    replaced |= {"bootstrap_lower": auroc["lower"], "bootstrap_upper": auroc["upper"]}
    if error < 1e-12:
        replaced["note"] = "the classes are separated, so that no interval can show the uncertainty"
    return {**metrics, "auroc": replaced}
