"""Intervals that also cover the choice of training samples, beside those of the bootstrap, which refits no model.

Models of different folds share most of their training samples, so that scores of folds are not independent, and a bootstrap of
test samples is too narrow: with 30 to 60 samples 95 % intervals hold the performance in about 85 % of cohorts. Nadeau & Bengio
(2003) multiply the variance of the mean of k folds by 1 + k n_test / n_train. Here the variance is that of the bootstrap, which
exists for every metric, and k counts the folds of one repeat: repeats bring no new samples. Two things make more of it: ranking
within small folds varies from repeat to repeat, so that the bootstrap of an average of r repeats varies too little (the variance within
one repeat times 1 / r + k n_test / n_train stands in); and models that tune differently make errors of folds differ by more than
their samples do (Nadeau & Bengio's own variance between folds does). The largest is taken. Student's t of the number of groups takes
the place of the normal distribution. Bates, Hastie & Tibshirani's nested cross-validation would train k times as often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.evaluation import bootstrap as resampling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

METHOD = "corrected resampled variance (Nadeau & Bengio 2003)"
RANGES = {  # of metrics that have one: an interval does not leave it
    **dict.fromkeys(("accuracy", "balanced_accuracy", "f1_macro", "auroc", "auprc", "auc"), (0.0, 1.0)),
    **dict.fromkeys(("harrell_c", "uno_c", "sensitivity", "specificity", "ppv", "npv"), (0.0, 1.0)),
    **dict.fromkeys(("mcc", "spearman", "pearson"), (-1.0, 1.0)),
    **dict.fromkeys(("brier", "log_loss", "mae", "rmse", "integrated_brier"), (0.0, np.inf)),
    **dict.fromkeys(("ici", "e50", "e90"), (0.0, np.inf)),
    "r2": (-np.inf, 1.0),
}


REPEATS, RESAMPLES = 3, 200  # of which the variance within one repeat is the mean
ERRORS = (
    "brier",
    "log_loss",
    "mae",
    "integrated_brier",
)  # means over samples, which a fold has as well as the whole


def factor(table: resampling.Predictions, inflation: float = 1.0) -> float | None:
    """By how much an interval of a bootstrap.Predictions is too narrow; None where one model made all predictions of a repeat.

    inflation : of the metric, see `inflations`; with k folds n_test / n_train is 1 / (k - 1), of batches held out in turn on average
    """
    from scipy.stats import norm, t

    folds, groups = _folds(table)[0], int(table.cluster.max()) + 1
    if folds < 2 or groups < 3:
        return None
    variance = max(1 + folds / (folds - 1), inflation)
    return float(np.sqrt(variance) * t.ppf(0.975, groups - 1) / norm.ppf(0.975))


def _folds(table):
    """(folds of one repeat, number of repeats)."""
    names = np.unique(table.repeat)
    return min(len(np.unique(table.fold[table.of_repeat(name)])) for name in names), len(names)


def parts(
    table: resampling.Predictions, seed: int, metrics: Sequence[str]
) -> tuple[list[dict[str, NDArray[np.float64]]], dict[str, NDArray[np.float64]]]:
    """([{metric: (1 + RESAMPLES,)}] of each of the first REPEATS repeats alone, none where there is one; {metric: (folds,)}
    of the ERRORS in each fold alone)."""
    names = sorted(set(table.repeat.tolist()))
    each = [Statistics(table, table.one_repeat, name) for name in names[:REPEATS]]
    only = metrics[0] if len(metrics) == 1 else None
    alone = [resampling.bootstrap(one, seed, RESAMPLES, only)[0] for one in each if len(names) > 1]
    rows = [np.flatnonzero(table.fold == fold) for fold in np.unique(table.fold)]
    by_fold = {
        name: np.array([table.one_repeat(own, np.ones((1, len(own))), name)[0][name][0] for own in rows])
        for name in ERRORS
        if name in metrics
    }
    return alone, by_fold


def inflations(
    values: Mapping[str, NDArray[np.float64]],
    table: resampling.Predictions,
    alone: Sequence[Mapping[str, NDArray[np.float64]]],
    by_fold: Mapping[str, NDArray[np.float64]],
) -> dict[str, float]:
    """{metric: variance that repeats and folds give, by that of the bootstrap} of resampled values {metric: (1 + B,)}.

    alone, by_fold : what `parts` found. With the variance S2 between folds Nadeau & Bengio's is S2 (1 / all folds + n_test / n_train).
    """
    folds, repeats = _folds(table)
    ratios = {}
    for name in values if folds > 1 else ():
        spread = _variance(values[name][1:])
        among = [_variance(part[name][1:]) for part in alone]
        estimates = [np.mean(among) * (1 / repeats + folds / (folds - 1))] if among else []
        if name in by_fold:
            between = by_fold[name].var(ddof=1)
            estimates.append(between * (1 / (folds * repeats) + 1 / (folds - 1)))
        if spread > 0 and estimates:
            ratios[name] = float(np.nanmax([1.0, *(estimate / spread for estimate in estimates)]))
    return ratios


def _variance(values):
    return np.nanvar(values) if np.isfinite(values).any() else np.nan


def widen(
    result: Mapping[str, dict[str, Any]],
    table: resampling.Predictions,
    bounded: bool = True,
    inflation: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """`result` ({metric: summary}) where each interval has lower_corrected and upper_corrected beside lower and upper.

    They lie `factor` times as far from the estimate, of ERRORS on the scale of their logarithm. bounded: keep to the metric's
    range, which a difference has not; inflation : what `inflations` says. Nothing is added where there is no interval, or one
    without width, or where one model predicted all (a fixed hold-out).
    """
    inflation = inflation or {}
    return {
        name: _widened(name, value, factor(table, inflation.get(name, 1.0)), bounded)
        for name, value in result.items()
    }


def _widened(name, value, by, bounded):
    estimate, lower, upper = (value.get(key) for key in ("estimate", "lower", "upper"))
    if by is None or lower is None or lower == upper:
        return value
    if bounded and name in ERRORS and lower > 0:
        ends = estimate * (lower / estimate) ** by, estimate * (upper / estimate) ** by
    else:
        ends = estimate - by * (estimate - lower), estimate + by * (upper - estimate)
    least, most = _range(name) if bounded else (-np.inf, np.inf)
    return value | {
        "lower_corrected": float(max(least, ends[0])),
        "upper_corrected": float(min(most, ends[1])),
        "correction": f"{METHOD}, {by:.2f} times as wide",
    }


def _range(name):
    """Range of a metric; `auc_at_12` and `sensitivity_case` have that of what they begin with."""
    known = [key for key in RANGES if name == key or name.startswith((f"{key}_at_", f"{key}_"))]
    return RANGES[max(known, key=len)] if known else (-np.inf, np.inf)


class Statistics:
    """A bootstrap.Predictions seen as other statistics: `function(rows, weights, only)` is its one_repeat; `repeat` names one of several."""

    RANKED = ()

    def __init__(
        self, table: resampling.Predictions, function: Callable[..., Any], repeat: str | None = None
    ) -> None:
        self.cluster, self.kinds = table.cluster, table.kinds
        self.repeat = table.repeat if repeat is None else np.array([repeat])
        self.of_repeat, self.one_repeat = table.of_repeat, function


def bootstrap(
    table: resampling.Predictions,
    function: Callable[[NDArray[np.int64], NDArray[np.float64]], dict[str, NDArray[np.float64]]],
    seed: int,
    n_boot: int,
) -> dict[str, NDArray[np.float64]]:
    """{name: (1 + n_boot, ...)} of function(rows, weights): {name: (B, ...)}, the first on the sample itself."""
    seen = Statistics(table, lambda rows, weights, only: (function(rows, weights), {}))
    return resampling.bootstrap(seen, seed, n_boot)[0]


def summaries(
    table: resampling.Predictions,
    function: Callable[[NDArray[np.int64], NDArray[np.float64]], dict[str, NDArray[np.float64]]],
    seed: int,
    n_boot: int = 1000,
    undefined: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """{name: summary with both intervals} of statistics, repeats averaged; function(rows, weights): {name: (B,)}."""
    values = bootstrap(table, function, seed, n_boot)
    intervals = {
        name: resampling.summary(name, each, table.n_samples, undefined or {})
        for name, each in values.items()
    }
    return widen(intervals, table)


def resampled(
    table: resampling.Predictions, metric: str, seed: int, n_boot: int
) -> tuple[NDArray[np.float64], list[dict[str, NDArray[np.float64]]], dict[str, NDArray[np.float64]]]:
    """(values (1 + n_boot,), what `parts` finds) of one metric of one model, for `difference`."""
    values = resampling.bootstrap(table, seed, n_boot, only=metric)[0][metric]
    return values, *parts(table, seed, [metric])


def difference(
    first: tuple[NDArray[np.float64], list[dict[str, NDArray[np.float64]]], dict[str, NDArray[np.float64]]],
    second: tuple[NDArray[np.float64], list[dict[str, NDArray[np.float64]]], dict[str, NDArray[np.float64]]],
    metric: str,
    table: resampling.Predictions,
) -> dict[str, Any]:
    """Summary with both intervals of metric(first) - metric(second), each from `resampled` with the same draws."""
    (a, a_alone, a_folds), (b, b_alone, b_folds) = first, second
    alone = [{metric: one[metric] - other[metric]} for one, other in zip(a_alone, b_alone, strict=True)]
    by_fold = {name: a_folds[name] - b_folds[name] for name in a_folds}
    interval = {metric: resampling.summary(metric, a - b, table.n_samples, table.UNDEFINED)}
    inflation = inflations({metric: a - b}, table, alone, by_fold)
    return widen(interval, table, bounded=False, inflation=inflation)[metric]
