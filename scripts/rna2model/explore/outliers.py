"""Outliers among the samples, with a verdict in words that never excludes a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.explore import clusters, pca

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

FEWEST = 8  # samples, below which outliers are not looked for
ROBUST = 20  # samples from which the covariance is estimated without the outliers
GROUP = 4  # samples of one label and batch, from which they are compared with each other
LEVEL = 0.01  # about the chance that a large cohort without outliers shows one; a small one shows more
DEVIATIONS = 3.5  # robust standard deviations below the usual correlation
COLUMNS = ["sample", "mahalanobis", "p", "p_cutoff", "median_correlation", "correlation_cutoff", "verdict"]


def find(
    values: NDArray[Any], samples: Sequence[str], labels: NDArray[Any], batches: NDArray[Any] | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """(DataFrame of COLUMNS, details) for values (n, g) log2 expression.

    mahalanobis : distance from the centre on the first principal components, after the median of the sample's group (label
    and batch, where that has GROUP samples) was taken out; robust (minimum covariance determinant, Rousseeuw & Van Driessen 1999)
    from ROBUST samples, otherwise with the exact distribution of the largest distance (beta). p_cutoff is LEVEL over n.
    median_correlation : of a sample to the others; the cut-off is DEVIATIONS robust deviations below the middle, on
    Fisher's scale.
    """
    import pandas as pd

    n = len(samples)
    middle = clusters.median_correlation(values) if n > 1 else np.full(n, np.nan)
    if n < FEWEST:
        frame = pd.DataFrame({"sample": samples, "median_correlation": middle.round(4)})
        frame["verdict"] = f"too few samples to say: {FEWEST} are needed"
        return frame.reindex(columns=COLUMNS), {"method": None, "components": 0}
    scores = pca.scores(_residuals(values, labels, batches), max(2, min(5, n // 5)))
    method, distance, p = _mahalanobis(scores)
    cutoff, low = LEVEL / n, _lowest_usual(middle)
    far, unlike = p < cutoff, middle < low
    words = np.select(
        [far & unlike, far, unlike],
        [
            "look at it: far from the others on the principal components, and low correlation with them",
            "look at it: far from the others on the principal components",
            "look at it: low correlation with the others",
        ],
        "like the others",
    )
    columns = [samples, distance.round(4), p, cutoff, middle.round(4), round(low, 4), words]
    frame = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return frame, {"method": method, "components": scores.shape[1]}


def _residuals(values, labels, batches):
    """Values less the median of their group: label and batch, else label, else batch, else all; the first that has GROUP
    samples. A sample without a label is compared with its batch."""
    labels, n = np.asarray(labels).astype(str), len(values)
    batches = np.full(n, "") if batches is None else np.asarray(batches).astype(str)
    left, done = values - np.median(values, axis=0), np.zeros(n, bool)
    for keys in (zip(labels, batches, strict=True), zip(labels, strict=True), zip(batches, strict=True)):
        members = {}
        for row, key in enumerate(keys):
            members.setdefault(key, []).append(row)
        for key, rows in members.items():
            rows = np.array(rows)
            if len(rows) >= GROUP and key[0]:
                new = rows[~done[rows]]
                left[new] = values[new] - np.median(values[rows], axis=0)
                done[new] = True
    return left


def _mahalanobis(scores):
    """(method, (n,) distances, (n,) p values) of principal component scores (n, k)."""
    import warnings

    from scipy import stats

    n, k = scores.shape
    if k == 0:
        return None, np.zeros(n), np.ones(n)
    centred = scores - scores.mean(axis=0)
    square = (centred**2 / centred.var(axis=0, ddof=1)).sum(axis=1)  # components are uncorrelated
    classical = stats.beta.sf(np.minimum(square * n / (n - 1) ** 2, 1), k / 2, (n - k - 1) / 2)
    if n < ROBUST:
        return "classical", np.sqrt(square), classical
    from sklearn.covariance import MinCovDet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        robust = MinCovDet(random_state=1).fit(scores).mahalanobis(scores)
    freedom = _freedom(n, k)
    scale = (freedom - k + 1) / (k * freedom)
    p = stats.f.sf(robust * scale, k, freedom - k + 1)
    return "robust", np.sqrt(robust), np.maximum(p, np.finfo(float).tiny)


def _freedom(n: int, k: int) -> float:
    """Degrees of freedom of a robust covariance, for the F distribution of distances from it (Hardin & Rocke 2005):
    heavier tails than chi-square, as small cohorts have."""
    return max(0.3 * n, k + 1.0)


def _lowest_usual(middle: NDArray[Any]) -> float:
    """The median correlation below which a sample is an outlier."""
    z = np.arctanh(np.clip(middle, -0.999999, 0.999999))
    spread = 1.4826 * np.median(np.abs(z - np.median(z)))
    return float(np.tanh(np.median(z) - DEVIATIONS * max(spread, 0.02)))
