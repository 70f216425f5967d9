"""Intervals that also cover the choice of training samples, beside those of the bootstrap, which refits no model.

Models of different folds share most of their training samples, so that scores of folds are not independent, and a bootstrap of
test samples is too narrow: with 30 to 60 samples 95 % intervals hold the performance in about 85 % of cohorts. Nadeau & Bengio
(2003) multiply the variance of the mean of k folds by 1 + k n_test / n_train. Here the variance is that of the bootstrap, which
exists for every metric, and k counts the folds of one repeat: repeats bring no new samples. Student's t of the number of
groups takes the place of the normal distribution. Bates, Hastie & Tibshirani's nested cross-validation would train k times as often.
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


def factor(table):
    """By how much an interval of a resampling.Rows is too narrow; None where one model made all predictions of a repeat.

    With k folds n_test / n_train is 1 / (k - 1), of batches held out in turn on average.
    """
    from scipy.stats import norm, t

    folds = min(len(np.unique(table.fold[table.of_repeat(name)])) for name in np.unique(table.repeat))
    groups = int(table.cluster.max()) + 1
    if folds < 2 or groups < 3:
        return None
    return float(np.sqrt(1 + folds / (folds - 1)) * t.ppf(0.975, groups - 1) / norm.ppf(0.975))


def widen(result, table, bounded=True):
    """`result` ({metric: summary}) where each interval has lower_corrected and upper_corrected beside lower and upper.

    They lie `factor` times as far from the estimate. bounded: keep to the metric's range, which a difference has not.
    Nothing is added where there is no interval, or one without width, or where one model predicted all (a fixed hold-out).
    """
    by = factor(table)
    return {name: _widened(name, value, by, bounded) for name, value in result.items()}


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
    """A resampling.Rows seen as other statistics: `function(rows, weights)` gives {name: (B,)} of the rows of one repeat."""

    RANKED = ()

    def __init__(self, table, function):
        self.cluster, self.kinds, self.repeat = table.cluster, table.kinds, table.repeat
        self.of_repeat, self.function = table.of_repeat, function

    def one_repeat(self, rows, weights, only):
        return self.function(rows, weights), {}


def summaries(table, function, seed, n_boot=1000, undefined=None):
    """{name: summary with both intervals} of the statistics of `function` (see Statistics), repeats averaged."""
    values, _ = resampling.bootstrap(Statistics(table, function), seed, n_boot)
    found = {
        name: resampling.summary(name, each, table.n_samples, undefined or {})
        for name, each in values.items()
    }
    return widen(found, table)
