"""Weighted ranking metrics, many weightings at once: a bootstrap resample is a weight per sample."""

import numpy as np


class Ranking:
    """Scores of one fold, sorted once; AUROC and average precision for any row weights.

    scores (n,); positive (n,) bool, or (B, n) labellings of the same scores. Equal scores count as one threshold.
    """

    def __init__(self, scores, positive):
        self.order = np.argsort(-np.asarray(scores), kind="stable")
        self.positive = np.asarray(positive, dtype=float)[..., self.order]
        ranked = np.asarray(scores)[self.order]
        self.starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))

    def _counts(self, weights):
        """Weight of positives and negatives at each threshold, from the highest score down; (B, thresholds)."""
        weights = weights[:, self.order]
        positive = np.add.reduceat(weights * self.positive, self.starts, axis=1)
        return positive, np.add.reduceat(weights, self.starts, axis=1) - positive

    def auroc(self, weights):
        """(B,) probability that a positive outranks a negative, ties half; NaN where one side is missing."""
        positive, negative = self._counts(weights)
        below = negative.sum(axis=1, keepdims=True) - np.cumsum(negative, axis=1) + 0.5 * negative
        return _ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))

    def auprc(self, weights):
        """(B,) average precision (scikit-learn's definition); NaN where one side is missing."""
        positive, negative = self._counts(weights)
        found, flagged = np.cumsum(positive, axis=1), np.cumsum(positive + negative, axis=1)
        precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
        both = np.where(negative.sum(axis=1) > 0, positive.sum(axis=1), 0.0)
        return _ratio((positive * precision).sum(axis=1), both)


def fold_means(metric, probabilities, truth, folds, weights):
    """((B,) mean of a ranking metric over folds, number of folds where it is undefined for the first weighting).

    metric: "auroc" or "auprc". probabilities (n, K), truth (n,) class numbers, folds (n,), weights (B, n).
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


def nanmean(values):
    """Mean over the first axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0).astype(float))


def _ratio(numerator, denominator):
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)
