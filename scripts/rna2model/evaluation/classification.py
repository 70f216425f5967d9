"""How good out-of-fold predictions are: metrics with 95 % intervals.

What is estimated: the performance, on a new sample (or group) from the same population, of a model trained as
in one fold. Threshold metrics, Brier, log loss and calibration pool the out-of-fold predictions of a repeat.
AUROC and AUPRC compare samples with each other, and scores of different folds come from different models, so
they are computed within each fold and averaged; so are correlations and concordance of the other tasks. Of AUROC and
concordance a fold counts by its pairs that can be compared; `plain_mean` counts every fold the same. Repeats are averaged; they never count as more samples.

Intervals: percentiles of a bootstrap that draws groups (samples where there are no groups) with replacement and
keeps every row in its fold. They do not refit the models, so they leave out the variation between training sets;
`lower_corrected` and `upper_corrected` have it (corrected_intervals.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from rna2model.evaluation import (
    bootstrap,
    calibration_line,
    chance_level,
    corrected_intervals,
    ranking,
    regression,
    survival,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

# Metrics shown in tables and figures. The first needs no threshold, and is the one of headline, figures and checks.
SHOWN = {
    "classification": (
        "auroc",
        "log_loss",
        "balanced_accuracy",
        "auprc",
        "mcc",
        "f1_macro",
        "brier",
        "calibration_slope",
        "calibration_intercept",
    ),
    "regression": ("r2", "spearman", "pearson", "mae", "rmse", "calibration_slope"),
    "survival": ("harrell_c", "uno_c", "auc", "integrated_brier", "calibration_slope"),
}
# Metrics of paired differences between models: ranking, probabilities, predicted classes.
COMPARED = {task: shown[: 3 if task == "classification" else 2] for task, shown in SHOWN.items()}
# Metrics to compare with scores in new batches or cohorts: a shift of all predictions does not change their order.
TRANSPORTED = {
    "classification": ("auroc", "balanced_accuracy"),
    "regression": ("r2",),
    "survival": ("harrell_c",),
}
LEAST_PROBABILITY = 1e-9  # predictions are written with 9 digits


@dataclass
class Table(bootstrap.Predictions):
    """Out-of-fold predictions of a classification.

    probabilities (n, K); truth, predicted (n,) class numbers; classes (K,), the positive one of two last
    """

    probabilities: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    classes: list

    RANKED: ClassVar[tuple[str, ...]] = ("auroc", "auprc")
    UNDEFINED: ClassVar[dict[str, str]] = {
        "auroc": "no fold has a sample of each class",
        "auprc": "no fold has a sample of each class",
        "calibration_slope": "the predicted probabilities separate the classes, or do not vary within the folds",
    }

    @property
    def kinds(self) -> NDArray[np.int64]:
        return self.truth

    def one_repeat(
        self, rows: NDArray[np.int64], weights: NDArray[np.float64], only: str | None
    ) -> tuple[dict[str, NDArray[np.float64]], dict[str, int]]:
        return _one_repeat(self, rows, weights, only)


def metrics(
    predictions: pd.DataFrame,
    groups: Mapping[str, str] | None = None,
    seed: int = 1,
    n_boot: int = 1000,
    task: str = "classification",
    training: Mapping[str, NDArray[Any]] | None = None,
) -> dict[str, Any]:
    """{metric: {estimate, lower, upper, n}} of a table sample, split, truth, predicted, prob_<class>...

    `groups` is {sample: group}. n is the number of different samples. lower <= estimate <= upper always: where
    the percentiles do not include the estimate (a biased bootstrap), the interval is widened to it. A metric
    that is undefined is null, with a note; ranking metrics say how many folds they skipped, auprc its prevalence and
    its `chance`, what labels without meaning reach (chance_level.py).
    Other tasks have other columns and need for survival the `training` samples (survival.read).
    """
    table = _read(task, predictions, groups, training)
    values, skipped = bootstrap.bootstrap(table, seed, n_boot)
    plain = {name: values.pop(f"plain_{name}") for name in table.RANKED if f"plain_{name}" in values}
    result = {
        name: bootstrap.summary(name, each, table.n_samples, table.UNDEFINED) for name, each in values.items()
    }
    inflation = corrected_intervals.inflations(
        values, table, *corrected_intervals.parts(table, seed, list(values))
    )
    result = corrected_intervals.widen(result, table, inflation=inflation)
    for name in table.RANKED:
        if name in result:
            result[name]["folds_skipped"] = skipped[name]
        if name in plain:
            result[name]["plain_mean"] = None if np.isnan(plain[name][0]) else float(plain[name][0])
    if task == "classification":
        result["auprc"] |= {"prevalence": _prevalence(table), **_chance(table, seed)}
    if task == "survival" and "auc" in result and table.beyond:
        result["auc"]["landmarks_left_out"] = table.beyond
    return result


def leading(task: str, scores: Mapping[str, Any]) -> str:
    """Name of the headline metric: the first, or the next if that is undefined (folds of one class)."""
    known = [name for name in TRANSPORTED[task] if (scores.get(name) or {}).get("estimate") is not None]
    return known[0] if known else SHOWN[task][0]


def paired_difference(
    first: pd.DataFrame,
    second: pd.DataFrame,
    metric: str,
    groups: Mapping[str, str] | None = None,
    seed: int = 1,
    n_boot: int = 1000,
    task: str = "classification",
    training: Mapping[str, NDArray[Any]] | None = None,
) -> dict[str, Any]:
    """{estimate, lower, upper, n} of metric(first) - metric(second) on the same samples and splits.

    Both models see the same resamples, so what makes a sample hard for both cancels.
    """
    one, other = (_read(task, predictions, groups, training) for predictions in (first, second))
    if one.rows != other.rows:
        raise InputProblem("the two tables of predictions do not hold the same samples and splits.")
    a, b = (corrected_intervals.resampled(table, metric, seed, n_boot) for table in (one, other))
    return corrected_intervals.difference(a, b, metric, one)


def _read(task, predictions, groups, training):
    if task == "regression":
        return regression.read(predictions, groups)
    if task == "survival":
        return survival.read(predictions, groups, training)
    return read(predictions, groups)


def read(predictions: pd.DataFrame, groups: Mapping[str, str] | None = None) -> Table:
    """The Table of a DataFrame of predictions; a class that a split never saw has probability 0 there."""
    frame, rows = bootstrap.prepare(predictions, groups)
    truth, predicted = frame["truth"].astype(str).to_numpy(), frame["predicted"].astype(str).to_numpy()
    columns = {name.removeprefix("prob_"): name for name in frame.columns if name.startswith("prob_")}
    classes = sorted({*columns, *truth.tolist(), *predicted.tolist()})
    if len(classes) == len(columns) == 2:
        classes = list(columns)  # as the model has them, the positive one last
    probabilities = np.zeros((len(frame), len(classes)))
    for k, name in enumerate(classes):
        if name in columns:
            probabilities[:, k] = frame[columns[name]].fillna(0.0).to_numpy(dtype=float)
    return Table(
        probabilities=probabilities,
        truth=outcome.class_numbers(classes, truth),
        predicted=outcome.class_numbers(classes, predicted),
        classes=classes,
        **rows,
    )


def _one_repeat(table, rows, weights, only):
    """({metric: (B,)}, {ranking metric: folds skipped}) of one repeat; `only` names one metric to compute."""
    probabilities, truth = table.probabilities[rows], table.truth[rows]
    values, skipped = {}, {}
    if only is None or only in ("accuracy", "balanced_accuracy", "mcc", "f1_macro"):
        values |= threshold_metrics(truth, table.predicted[rows], weights, len(table.classes))
    fold = table.fold[rows]
    if only in (None, "auroc"):
        value = bootstrap.pairs_of_folds(
            fold, weights, lambda i, w: ranking.pairs(probabilities[i], truth[i], w)
        )
        values["auroc"], values["plain_auroc"], skipped["auroc"] = value
    if only in (None, "auprc"):
        values["auprc"], skipped["auprc"] = ranking.fold_means("auprc", probabilities, truth, fold, weights)
    for name in values.keys() & {"auroc", "plain_auroc", "auprc"}:
        values[name][_lacks_a_class(truth, weights)] = np.nan
    if only is None or only in ("brier", "log_loss"):
        values |= probability_metrics(probabilities, truth, weights)
    if len(table.classes) == 2 and (only is None or only.startswith("calibration")):
        values |= _calibration(probabilities[:, 1], truth == 1, table.fold[rows], weights)
    if only is not None and only not in values:
        raise InputProblem(f"{only!r} is not a metric of {len(table.classes)} classes.")
    return values, skipped


def threshold_metrics(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], weights: NDArray[np.float64], K: int
) -> dict[str, NDArray[np.float64]]:
    """{metric: (B,)} from weighted confusion matrices; as scikit-learn defines them.

    NaN if a weighting has no row of one of the true classes.
    """
    cells = np.eye(K * K)[truth * K + predicted]
    confusion = (weights @ cells).reshape(len(weights), K, K)
    hits, true, called = np.einsum("bkk->bk", confusion), confusion.sum(axis=2), confusion.sum(axis=1)
    total, right = true.sum(axis=1), hits.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, f1 = hits / true, 2.0 * hits / (true + called)  # NaN for an absent class
        spread = np.sqrt((total**2 - (true**2).sum(axis=1)) * (total**2 - (called**2).sum(axis=1)))
        mcc = np.where(spread > 0, (right * total - (true * called).sum(axis=1)) / spread, 0.0)
    lacks = _lacks_a_class(truth, weights)
    return {
        "accuracy": right / total,
        "balanced_accuracy": np.where(lacks, np.nan, ranking.nanmean(recall.T)),
        "mcc": np.where(lacks, np.nan, mcc),
        "f1_macro": np.where(lacks, np.nan, ranking.nanmean(f1.T)),
    }


def _lacks_a_class(truth, weights):
    """(B,) whether a weighting leaves out every row of one of the classes."""
    return (weights @ (truth[:, None] == np.unique(truth)) <= 0).any(axis=1)


def probability_metrics(
    probabilities: NDArray[np.float64], truth: NDArray[np.int64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Brier score and log loss, (B,) each.

    Brier is (p - y)² of the positive class for two classes, and its sum over all classes for more, as in
    scikit-learn.
    """
    K = probabilities.shape[1]
    error = (probabilities - np.eye(K)[truth]) ** 2
    brier = error[:, 1] if K == 2 else error.sum(axis=1)
    loss = -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], LEAST_PROBABILITY))
    total = weights.sum(axis=1)
    return {"brier": weights @ brier / total, "log_loss": weights @ loss / total}


def _calibration(probability, positive, folds, weights):
    """Slope and intercept, (B,) each; no slope where probabilities differ between folds only (a dummy)."""
    logit = calibration_line.logit(probability)
    varies = any(np.ptp(logit[folds == fold]) > 1e-6 for fold in np.unique(folds))
    slope = calibration_line.slope(logit, positive, weights) if varies else np.full(len(weights), np.nan)
    return {
        "calibration_slope": slope,
        "calibration_intercept": calibration_line.intercept(logit, positive, weights),
    }


def _chance(table, seed):
    """{"chance": AUPRC expected of permuted labels on the same scores; also "chance_of_class" for more than two classes}."""
    each = []
    for name in sorted(set(table.repeat.tolist())):
        rows = table.of_repeat(name)
        predicted = table.probabilities[rows], table.truth[rows], table.fold[rows], table.cluster[rows]
        overall, of_class = chance_level.average_precision(*predicted, seed)
        each.append([overall, *of_class])
    means = [None if np.isnan(value) else float(value) for value in ranking.nanmean(np.array(each))]
    more = {"chance_of_class": dict(zip(table.classes, means[1:], strict=True))}
    return {"chance": means[0]} | (more if len(table.classes) > 2 else {})


def _prevalence(table):
    """Share of the positive class; averaged over classes for more than two."""
    shares = np.bincount(table.truth, minlength=len(table.classes)) / len(table.truth)
    return float(shares[1] if len(shares) == 2 else shares.mean())
