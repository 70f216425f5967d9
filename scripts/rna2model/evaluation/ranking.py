"""Weighted ranking metrics, many weightings at once: a bootstrap resample is a weight per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence


class Ranking:
    """Scores of one fold, sorted once; AUROC and average precision for any row weights.

    scores (n,); positive (n,) bool, or (B, n) labellings of the same scores. Equal scores count as one threshold.
    """

    def __init__(self, scores: NDArray[np.float64], positive: NDArray[Any]) -> None:
        self.order = np.argsort(-np.asarray(scores), kind="stable")
        self.positive = np.asarray(positive, dtype=float)[..., self.order]
        ranked = np.asarray(scores)[self.order]
        self.starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))

    def _counts(self, weights):
        """Weight of positives and negatives at each threshold, from the highest score down; (B, thresholds)."""
        weights = weights[:, self.order]
        positive = np.add.reduceat(weights * self.positive, self.starts, axis=1)
        return positive, np.add.reduceat(weights, self.starts, axis=1) - positive

    def pairs(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """((B,) pairs in which the positive outranks the negative, ties half, (B,) all pairs of a positive and a negative)."""
        positive, negative = self._counts(weights)
        below = negative.sum(axis=1, keepdims=True) - np.cumsum(negative, axis=1) + 0.5 * negative
        return (positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1)

    def auroc(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(B,) probability that a positive outranks a negative, ties half; NaN where one side is missing."""
        return _ratio(*self.pairs(weights))

    def auprc(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(B,) average precision (scikit-learn's definition); NaN where one side is missing."""
        positive, negative = self._counts(weights)
        true_positives, flagged = np.cumsum(positive, axis=1), np.cumsum(positive + negative, axis=1)
        precision = np.divide(true_positives, flagged, out=np.zeros_like(true_positives), where=flagged > 0)
        both = np.where(negative.sum(axis=1) > 0, positive.sum(axis=1), 0.0)
        return _ratio((positive * precision).sum(axis=1), both)


def fold_means(
    metric: str,
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    folds: NDArray[Any],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int]:
    """((B,) mean of a ranking metric over folds, number of folds where it is undefined for the first weighting).

    metric: "auroc" or "auprc"; of AUROC the score is `over_folds`, which weighs folds by their pairs. probabilities (n, K), truth (n,) class numbers, folds (n,), weights (B, n).
    Two classes: the last is the positive one. More: the mean of one class against the rest, over the classes
    the fold holds. A fold where no class has a rest is left out.
    """
    K = probabilities.shape[1]
    classes = [1] if K == 2 else range(K)
    values = []
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        part = weights[:, rows]
        each = [getattr(Ranking(probabilities[rows, k], truth[rows] == k), metric)(part) for k in classes]
        values.append(nanmean(np.array(each)))
    return nanmean(np.array(values)), int(np.isnan(np.array(values)[:, 0]).sum())


def pairs(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(2, K, B) right and all pairs of one fold, of each class against the rest (of two classes the last alone); as `fold_means`."""
    K = probabilities.shape[1]
    classes = [1] if K == 2 else range(K)
    return np.stack([Ranking(probabilities[:, k], truth == k).pairs(weights) for k in classes], axis=1)


def over_folds(
    pairs: NDArray[np.float64], repeats: Sequence[str] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """((B,) share of right pairs, (B,) plain mean over folds, number of folds without a pair for the first weighting).

    pairs (F, 2, K, B) : concordant and all pairs of each fold, which may be weighted. Samples of different folds are never compared;
    folds count by their number of pairs. Classes count the same, and so do `repeats` (F,), if given.
    """
    share = _ratio(pairs[:, 0], pairs[:, 1])
    each = nanmean(np.moveaxis(share, 1, 0))
    labels = np.zeros(len(pairs)) if repeats is None else np.asarray(repeats)
    summed = [pairs[labels == label].sum(axis=0) for label in np.unique(labels)]
    values = nanmean(np.array([nanmean(_ratio(*one)) for one in summed]))
    return values, nanmean(each), int(np.isnan(each[:, 0]).sum())


def nanmean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the first axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0).astype(float))


def _ratio(numerator, denominator):
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)
