"""Metrics of predicted numbers, for many row weightings at once.

Nothing here depends on the target's unit: what counts as rounding is a share of the spread, so that a target in mol/l of 1e-9
has the scores of the same target in nmol/l.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.core.errors import InputProblem
from rna2model.evaluation import bootstrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

LEAST_ROWS = 3  # of a fold: two points always lie on a line


@dataclass
class Numbers(bootstrap.Predictions):
    """Predictions of a number: truth, predicted (n,) float64, in the target's unit."""

    truth: np.ndarray
    predicted: np.ndarray

    RANKED: ClassVar[tuple[str, ...]] = ("spearman", "pearson")
    UNDEFINED: ClassVar[dict[str, str]] = {
        "spearman": "in no fold do predictions and truth vary",
        "pearson": "in no fold do predictions and truth vary",
        "calibration_slope": "the predictions do not vary within the folds",
    }

    def one_repeat(
        self, rows: NDArray[np.int64], weights: NDArray[np.float64], only: str | None
    ) -> tuple[dict[str, NDArray[np.float64]], dict[str, int]]:
        truth, predicted, fold = self.truth[rows], self.predicted[rows], self.fold[rows]
        values, skipped = pooled(truth, predicted, weights), {}
        if all(np.ptp(predicted[fold == f]) < 1e-9 * np.ptp(truth) for f in np.unique(fold)):
            values["calibration_slope"][:] = np.nan
        for name, function in (("spearman", spearman), ("pearson", pearson)):
            if only in (None, name):
                values[name], skipped[name] = bootstrap.within_folds(
                    fold, weights, lambda i, w, function=function: function(truth[i], predicted[i], w)
                )
        if only is not None and only not in values:
            raise InputProblem(f"{only!r} is not a metric of regression.")
        return values, skipped


def read(predictions: pd.DataFrame, groups: Mapping[str, str] | None = None) -> Numbers:
    """The Numbers of a DataFrame sample, split, truth, predicted."""
    frame, rows = bootstrap.prepare(predictions, groups)
    truth, predicted = (frame[name].astype(float).to_numpy() for name in ("truth", "predicted"))
    return Numbers(truth=truth, predicted=predicted, **rows)


def pooled(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """{metric: (B,)}: R squared against the mean of these samples, MAE and RMSE in the target's unit, the slope of the line
    truth = a + slope predicted (below 1: predictions too extreme), and the intercept of truth = intercept + predicted
    (calibration in the large, as for classes: by how much predictions are too low on average)."""
    unit = _unit(truth)
    truth, predicted = truth / unit, predicted / unit
    total = weights.sum(axis=1)
    error, squared = weights @ np.abs(truth - predicted) / total, weights @ (truth - predicted) ** 2 / total
    mean, mean_predicted = weights @ truth / total, weights @ predicted / total
    variance = (weights * (truth - mean[:, None]) ** 2).sum(axis=1) / total
    away = predicted - mean_predicted[:, None]
    spread = (weights * away**2).sum(axis=1) / total
    together = (weights * away * (truth - mean[:, None])).sum(axis=1) / total
    slope = _ratio(together, spread)
    return {
        "r2": 1.0 - _ratio(squared, variance),
        "mae": error * unit,
        "rmse": np.sqrt(squared) * unit,
        "calibration_slope": slope,
        "calibration_intercept": (mean - mean_predicted) * unit,
    }


def pearson(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B,) correlation; NaN where one of them does not vary, or where fewer than LEAST_ROWS rows have a weight."""
    x, y = (np.broadcast_to(values / _unit(values), weights.shape) for values in (truth, predicted))
    return _correlation(x, y, weights)


def spearman(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B,) correlation of ranks, ties at their middle; a weight is how often a row is there."""
    return _correlation(_ranks(truth, weights), _ranks(predicted, weights), weights)


def _unit(values):
    """Power of two near the range of values (n,), so that dividing by it rounds nothing; 1 where only rounding varies."""
    spread = np.ptp(values)
    return float(2.0 ** np.floor(np.log2(spread))) if spread > 1e-12 * np.abs(values).max() else 1.0


def _ranks(values, weights):
    """(B, n) weighted middle ranks."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    size = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(size, axis=1) - size / 2
    tie = np.zeros(len(values), dtype=int)
    tie[order] = np.cumsum(np.isin(np.arange(len(values)), starts)) - 1
    return middle[:, tie]


def _correlation(x, y, weights):
    weights = np.where((weights > 0).sum(axis=1, keepdims=True) < LEAST_ROWS, 0.0, weights)
    total = weights.sum(axis=1, keepdims=True)
    x, y = (v - _ratio((weights * v).sum(axis=1, keepdims=True), total) for v in (x, y))
    spread = (weights * x**2).sum(axis=1) * (weights * y**2).sum(axis=1)
    return _ratio((weights * x * y).sum(axis=1), np.sqrt(spread))


def _ratio(numerator, denominator):
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 1e-12)
