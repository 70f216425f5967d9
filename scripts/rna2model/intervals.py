"""Intervals that also cover the choice of training samples, beside those of the bootstrap, which refits no model.

Models of different folds share most of their training samples, so that scores of folds are not independent, and a bootstrap of
test samples is too narrow: with 30 to 60 samples 95 % intervals hold the performance in about 85 % of cohorts. Nadeau & Bengio
(2003) multiply the variance of the mean of k folds by 1 + k n_test / n_train. Here the variance is that of the bootstrap, which
exists for every metric, and k counts the folds of one repeat: repeats bring no new samples. Ranking within small folds varies
much from repeat to repeat, and the bootstrap of the average of r repeats too little from cohort to cohort: where the variance within one
repeat times 1 / r + k n_test / n_train is the larger one, it is taken. Student's t of the number of groups takes the place of the
normal distribution. Bates, Hastie & Tibshirani's nested cross-validation would train k times as often.
"""

import numpy as np

from rna2model import resampling

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


def factor(table, ratio=1.0):
    """By how much an interval of a resampling.Rows is too narrow; None where one model made all predictions of a repeat.

    ratio : variance of the metric within one repeat, by its variance as the average of all repeats'.

    With k folds n_test / n_train is 1 / (k - 1), of batches held out in turn on average.
    """
    from scipy.stats import norm, t

    repeats = np.unique(table.repeat)
    folds = min(len(np.unique(table.fold[table.of_repeat(name)])) for name in repeats)
    groups = int(table.cluster.max()) + 1
    if folds < 2 or groups < 3:
        return None
    overlap = folds / (folds - 1)
    variance = max(1 + overlap, ratio * (1 / len(repeats) + overlap))
    return float(np.sqrt(variance) * t.ppf(0.975, groups - 1) / norm.ppf(0.975))


def of_repeats(table, seed, only=None):
    """[{metric: (1 + RESAMPLES,)}] of each of the first REPEATS repeats alone; none where there is one repeat."""
    names = sorted(set(table.repeat.tolist()))
    each = [Statistics(table, table.one_repeat, name) for name in names[:REPEATS]]
    return [resampling.bootstrap(one, seed, RESAMPLES, only)[0] for one in each if len(names) > 1]


def ratios(values, alone):
    """{metric: `ratio` of factor} of resampled values {metric: (1 + B,)} and those of repeats alone."""
    found = {}
    for name in values if alone else ():
        spread = [np.nanvar(part[name][1:]) for part in (values, *alone) if np.isfinite(part[name][1:]).any()]
        if len(spread) > 1 and spread[0] > 0:
            found[name] = float(np.mean(spread[1:]) / spread[0])
    return found


def widen(result, table, bounded=True, ratio=None):
    """`result` ({metric: summary}) where each interval has lower_corrected and upper_corrected beside lower and upper.

    They lie `factor` times as far from the estimate. bounded: keep to the metric's range, which a difference has not; ratio :
    what `ratios` says of metrics of several repeats.
    Nothing is added where there is no interval, or one without width, or where one model predicted all (a fixed hold-out).
    """
    ratio = ratio or {}
    return {
        name: _widened(name, value, factor(table, ratio.get(name, 1.0)), bounded)
        for name, value in result.items()
    }


def _widened(name, value, by, bounded):
    estimate, lower, upper = (value.get(key) for key in ("estimate", "lower", "upper"))
    if by is None or lower is None or lower == upper:
        return value
    least, most = _range(name) if bounded else (-np.inf, np.inf)
    return value | {
        "lower_corrected": float(max(least, estimate - by * (estimate - lower))),
        "upper_corrected": float(min(most, estimate + by * (upper - estimate))),
        "correction": f"{METHOD}, {by:.2f} times as wide",
    }


def _range(name):
    """Range of a metric; `auc_at_12` and `sensitivity_case` have that of what they begin with."""
    known = [key for key in RANGES if name == key or name.startswith((f"{key}_at_", f"{key}_"))]
    return RANGES[max(known, key=len)] if known else (-np.inf, np.inf)


class Statistics:
    """A resampling.Rows seen as other statistics: `function(rows, weights, only)` is its one_repeat; `repeat` names one of several."""

    RANKED = ()

    def __init__(self, table, function, repeat=None):
        self.cluster, self.kinds = table.cluster, table.kinds
        self.repeat = table.repeat if repeat is None else np.array([repeat])
        self.of_repeat, self.one_repeat = table.of_repeat, function


def bootstrap(table, function, seed, n_boot):
    """{name: (1 + n_boot, ...)} of function(rows, weights): {name: (B, ...)}, the first on the sample itself."""
    seen = Statistics(table, lambda rows, weights, only: (function(rows, weights), {}))
    return resampling.bootstrap(seen, seed, n_boot)[0]


def summaries(table, function, seed, n_boot=1000, undefined=None):
    """{name: summary with both intervals} of statistics, repeats averaged; function(rows, weights): {name: (B,)}."""
    values = bootstrap(table, function, seed, n_boot)
    found = {
        name: resampling.summary(name, each, table.n_samples, undefined or {})
        for name, each in values.items()
    }
    return widen(found, table)
