"""A smooth calibration curve, and how far predictions lie from it: ICI, E50, E90 (Austin & Steyerberg 2019).

The curve is Cleveland's lowess (1979) of truth on prediction, locally linear over two thirds of the samples, without robustness
steps: R's lowess(p, y, iter = 0), the curve of rms::val.prob. A resample weighs rows and keeps their neighbourhoods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rna2model.evaluation import bootstrap, classification, corrected_intervals
from rna2model.evaluation.operating_point import looked_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPAN = 2 / 3  # of the samples are a neighbourhood
STEP = 0.01  # of the range of predictions, within which the curve is interpolated, as in R
POINTS = 50  # of the curve that is written
COLUMNS = ["outcome", "predicted", "observed", "lower", "upper", "lower_corrected", "upper_corrected"]


def measure(
    predictions: pd.DataFrame,
    task: str,
    groups: Mapping[str, str] | None = None,
    seed: int = 1,
    n_boot: int = 1000,
    positive: str | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """(metrics, curve): {metric: summary} and a DataFrame of COLUMNS.

    calibration_in_the_large : mean truth less mean prediction, 0 is right
    ici, e50, e90 : mean, median and 90 % quantile of |prediction - curve| over the samples, in the unit of the prediction.
    They are never below 0: of perfect predictions of few samples they are not 0 either.
    Of more than two classes each has its own (`ici_<class>`). Survival has none here: ({}, no rows).
    """
    metrics: dict[str, Any]
    curves: list[Any]
    metrics, curves = {}, []
    for outcome, end, table, predicted, truth in _outcomes(predictions, task, groups, positive):
        grid = np.linspace(predicted.min(), predicted.max(), POINTS)
        limits = (0.0, 1.0) if task == "classification" else (-np.inf, np.inf)
        values = corrected_intervals.bootstrap(table, _function(predicted, truth, grid), seed, n_boot)
        curve = values.pop("curve")
        summaries = {
            f"{name}{end}": bootstrap.summary(name, v, table.n_samples, {}) for name, v in values.items()
        }
        metrics |= corrected_intervals.widen(summaries, table)
        points = {str(k): bootstrap.summary("curve", curve[:, k], 0, {}) for k in range(POINTS)}
        for at, point in zip(grid, corrected_intervals.widen(points, table).values(), strict=True):
            row = [point.get(key) for key in ("estimate", *COLUMNS[3:])]
            curves.append([outcome, at, *(None if v is None else np.clip(v, *limits) for v in row)])
    frame = pd.DataFrame(curves, columns=COLUMNS)
    return metrics, frame.round({name: 9 for name in COLUMNS[1:]})


def _outcomes(predictions, task, groups, positive):
    """(outcome, ending of its metrics' names, Rows, (n,) predicted, (n,) truth) of what is predicted."""
    if task == "survival":
        return
    table = classification._read(task, predictions, groups, None)
    if task == "regression":
        yield "value", "", table, table.predicted, table.truth
        return
    for name, end in looked_at(table.classes, positive):
        number = table.classes.index(name)
        yield name, end, table, table.probabilities[:, number], (table.truth == number).astype(float)


def _function(predicted, truth, grid):
    def function(rows, weights):
        x, y = predicted[rows], truth[rows]
        both = lowess(x, y, weights, np.concatenate([x, grid]))
        away, total = np.abs(both[:, : len(x)] - x), weights.sum(axis=1)
        half, most = quantiles(away, weights, (0.5, 0.9))
        return {
            "calibration_in_the_large": weights @ (y - x) / total,
            "ici": (weights * away).sum(axis=1) / total,
            "e50": half,
            "e90": most,
            "curve": both[:, len(x) :],
        }

    return function


def lowess(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B, m) curve of y (n,) on x (n,) at `at` (m,), for weights (B, n) of the rows; flat beyond the ends."""
    anchors, near = neighbourhoods(x)
    sums = [weights @ (near * part).T for part in (1.0, x, x * x, y, x * y)]
    total, mean_x, mean_xx, mean_y, mean_xy = sums[0], *(part / _positive(sums[0]) for part in sums[1:])
    spread = mean_xx - mean_x**2
    sloped = spread > (0.001 * np.ptp(x)) ** 2
    slope = np.where(sloped, (mean_xy - mean_x * mean_y) / np.where(sloped, spread, 1.0), 0.0)
    values = np.where(total > 0, mean_y + slope * (anchors - mean_x), np.nan)
    if len(anchors) == 1:
        return np.repeat(values, len(at), axis=1)
    left = np.clip(np.searchsorted(anchors, at, side="right") - 1, 0, len(anchors) - 2)
    share = np.clip((at - anchors[left]) / (anchors[left + 1] - anchors[left]), 0.0, 1.0)
    return values[:, left] * (1 - share) + values[:, left + 1] * share


def neighbourhoods(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(anchors (k,), tricube weights (k, n)): places where the curve is fitted, and how much each row counts there."""
    ranked = np.sort(x)
    anchors: Any
    step, anchors = STEP * np.ptp(x), [ranked[0]]
    while anchors[-1] < ranked[-1]:
        within = np.searchsorted(ranked, anchors[-1] + step, side="right") - 1
        after = np.searchsorted(ranked, anchors[-1], side="right")
        anchors.append(ranked[max(within, after)])
    anchors = np.array(anchors)
    away = np.abs(x - anchors[:, None])
    size = max(min(int(SPAN * len(x) + 1e-7), len(x)), 2) - 1
    width = np.partition(away, min(size, len(x) - 1), axis=1)[:, min(size, len(x) - 1), None]
    share = np.divide(away, width, out=np.zeros_like(away), where=width > 0)
    near = np.where(away <= 0.001 * width, 1.0, (1 - np.minimum(share, 1.0) ** 3) ** 3)
    return anchors, np.where(away <= 0.999 * width, near, 0.0)


def quantiles(
    values: NDArray[np.float64], counts: NDArray[np.float64], shares: Sequence[float]
) -> list[NDArray[np.float64]]:
    """List of (B,) quantiles (R's type 7) of values (B, n) of which each is there `counts` (B, n) times."""
    order = np.argsort(values, axis=1)
    ranked, reached = (np.take_along_axis(a, order, axis=1) for a in (values, counts))
    reached = np.cumsum(reached, axis=1)
    of_share = []
    for share in shares:
        place = (reached[:, -1] - 1) * share
        ends = [
            np.take_along_axis(ranked, _first_above(reached, k), axis=1)[:, 0]
            for k in (np.floor(place), np.ceil(place))
        ]
        of_share.append(ends[0] + (place - np.floor(place)) * (ends[1] - ends[0]))
    return of_share


def _first_above(reached, k):
    return np.minimum((reached <= k[:, None] + 1e-9).sum(axis=1), reached.shape[1] - 1)[:, None]


def _positive(values):
    return np.where(values > 0, values, 1.0)
