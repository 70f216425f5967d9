"""How good out-of-fold predictions are: metrics with 95 % intervals.

What is estimated: the performance, on a new sample (or group) from the same population, of a model trained as
in one fold. Threshold metrics, Brier, log loss and calibration pool the out-of-fold predictions of a repeat.
AUROC and AUPRC compare samples with each other, and scores of different folds come from different models, so
they are computed within each fold and averaged. Repeats are averaged; they never count as more samples.

Intervals: percentiles of a bootstrap that draws groups (samples where there are no groups) with replacement and
keeps every row in its fold. They do not refit the models, so they leave out the variation between training sets.
"""

from dataclasses import dataclass

import numpy as np

from rna2model import calibration_line, ranking
from rna2model.errors import InputProblem

LEAST_PROBABILITY = 1e-9  # predictions are written with 9 digits
VALUES_AT_ONCE = 4_000_000  # resamples x rows held in memory
UNDEFINED = {
    "auroc": "no fold has a sample of each class",
    "auprc": "no fold has a sample of each class",
    "calibration_slope": "the predicted probabilities separate the classes, or do not vary within the folds",
}


@dataclass
class Table:
    """Out-of-fold predictions of one model, sorted by split and sample.

    probabilities (n, K); truth, predicted (n,) class numbers; fold, repeat (n,) str; cluster (n,) int, what the
    bootstrap draws; classes (K,) sorted; n_samples different samples
    """

    probabilities: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    fold: np.ndarray
    repeat: np.ndarray
    cluster: np.ndarray
    classes: list
    n_samples: int
    rows: list

    def of_repeat(self, name):
        """Row numbers of one repeat."""
        return np.flatnonzero(self.repeat == name)


def metrics(predictions, groups=None, seed=1, n_boot=1000):
    """{metric: {estimate, lower, upper, n}} of a table sample, split, truth, predicted, prob_<class>...

    `groups` is {sample: group}. n is the number of different samples. lower <= estimate <= upper always: where
    the percentiles do not include the estimate (a biased bootstrap), the interval is widened to it. A metric
    that is undefined is null, with a note; auroc and auprc say how many folds they skipped, auprc its prevalence.
    """
    table = read(predictions, groups)
    values, skipped = bootstrap(table, seed, n_boot)
    result = {name: _summary(name, each, table.n_samples) for name, each in values.items()}
    for name in ("auroc", "auprc"):
        result[name]["folds_skipped"] = skipped[name]
    result["auprc"]["prevalence"] = _prevalence(table)
    return result


def paired_difference(first, second, metric, groups=None, seed=1, n_boot=1000):
    """{estimate, lower, upper, n} of metric(first) - metric(second) on the same samples and splits.

    Both models see the same resamples, so what makes a sample hard for both cancels.
    """
    one, other = read(first, groups), read(second, groups)
    if one.rows != other.rows:
        raise InputProblem("the two tables of predictions do not hold the same samples and splits.")
    a, b = (bootstrap(table, seed, n_boot, only=metric)[0][metric] for table in (one, other))
    return _summary(metric, a - b, one.n_samples)


def read(predictions, groups=None):
    """The Table of a DataFrame of predictions; a class that a split never saw has probability 0 there."""
    if len(predictions) == 0:
        raise InputProblem("there are no out-of-fold predictions to evaluate.")
    frame = predictions.sort_values(["split", "sample"], kind="stable")
    truth, predicted = frame["truth"].astype(str).to_numpy(), frame["predicted"].astype(str).to_numpy()
    columns = {name.removeprefix("prob_"): name for name in frame.columns if name.startswith("prob_")}
    classes = sorted({*columns, *truth.tolist(), *predicted.tolist()})
    probabilities = np.zeros((len(frame), len(classes)))
    for k, name in enumerate(classes):
        if name in columns:
            probabilities[:, k] = frame[columns[name]].fillna(0.0).to_numpy(dtype=float)
    sample, split = frame["sample"].astype(str).tolist(), frame["split"].astype(str).tolist()
    units = [str(groups[name]) for name in sample] if groups else sample
    return Table(
        probabilities=probabilities,
        truth=np.searchsorted(classes, truth),
        predicted=np.searchsorted(classes, predicted),
        fold=np.array(split),
        repeat=np.array([name.partition("f" if name.startswith("r") else ".")[0] for name in split]),
        cluster=np.unique(units, return_inverse=True)[1],
        classes=classes,
        n_samples=len(set(sample)),
        rows=list(zip(split, sample, strict=True)),
    )


def bootstrap(table, seed, n_boot, only=None):
    """({metric: (1 + n_boot,) values, the first on the sample itself}, {ranking metric: folds skipped there})."""
    rng, clusters = np.random.default_rng(seed), table.cluster.max() + 1
    step = max(1, VALUES_AT_ONCE // max(len(table.truth), clusters))
    parts, done, skipped = [], 0, {}
    while done < n_boot or not parts:
        draws = rng.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=min(step, n_boot - done))
        done += len(draws)
        if not parts:
            draws = np.concatenate([np.ones((1, clusters)), draws])
        values, folds = _all_repeats(table, draws[:, table.cluster].astype(float), only)
        parts.append(values)
        skipped = skipped or folds
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, skipped


def _all_repeats(table, weights, only):
    """Mean over repeats of every metric, for each weighting; and the folds each ranking metric skipped."""
    each, skipped = [], {"auroc": 0, "auprc": 0}
    for name in sorted(set(table.repeat.tolist())):
        rows = table.of_repeat(name)
        values, folds = _one_repeat(table, rows, weights[:, rows], only)
        each.append(values)
        skipped = {metric: skipped[metric] + folds.get(metric, 0) for metric in skipped}
    return {metric: ranking.nanmean(np.array([v[metric] for v in each])) for metric in each[0]}, skipped


def _one_repeat(table, rows, weights, only):
    """({metric: (B,)}, {ranking metric: folds skipped}) of one repeat; `only` names one metric to compute."""
    probabilities, truth = table.probabilities[rows], table.truth[rows]
    values, skipped = {}, {}
    if only is None or only in ("accuracy", "balanced_accuracy", "mcc", "f1_macro"):
        values |= threshold_metrics(truth, table.predicted[rows], weights, len(table.classes))
    for name in ("auroc", "auprc"):
        if only in (None, name):
            values[name], skipped[name] = ranking.fold_means(
                name, probabilities, truth, table.fold[rows], weights
            )
    if only is None or only in ("brier", "log_loss"):
        values |= probability_metrics(probabilities, truth, weights)
    if len(table.classes) == 2 and (only is None or only.startswith("calibration")):
        values |= _calibration(probabilities[:, 1], truth == 1, table.fold[rows], weights)
    if only is not None and only not in values:
        raise InputProblem(f"{only!r} is not a metric of {len(table.classes)} classes.")
    return values, skipped


def threshold_metrics(truth, predicted, weights, K):
    """{metric: (B,)} from weighted confusion matrices; as scikit-learn defines them."""
    cells = np.eye(K * K)[truth * K + predicted]
    confusion = (weights @ cells).reshape(len(weights), K, K)
    hits, true, called = np.einsum("bkk->bk", confusion), confusion.sum(axis=2), confusion.sum(axis=1)
    total, right = true.sum(axis=1), hits.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, f1 = hits / true, 2.0 * hits / (true + called)  # NaN for a class that is not there
        spread = np.sqrt((total**2 - (true**2).sum(axis=1)) * (total**2 - (called**2).sum(axis=1)))
        mcc = np.where(spread > 0, (right * total - (true * called).sum(axis=1)) / spread, 0.0)
    return {
        "accuracy": right / total,
        "balanced_accuracy": ranking.nanmean(recall.T),
        "mcc": mcc,
        "f1_macro": ranking.nanmean(f1.T),
    }


def probability_metrics(probabilities, truth, weights):
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


def _summary(name, values, n):
    """The JSON of one metric; never NaN."""
    estimate, resampled = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(estimate):
        note = UNDEFINED.get(name, "not defined for these predictions")
        return {"estimate": None, "lower": None, "upper": None, "n": n, "note": note}
    result = {"estimate": float(estimate), "lower": None, "upper": None, "n": n}
    if len(resampled) < max(2, (len(values) - 1) / 2):
        return {**result, "note": f"undefined in most resamples ({UNDEFINED.get(name, 'too few samples')})"}
    lower, upper = np.percentile(resampled, [2.5, 97.5])
    result |= {"lower": float(min(lower, estimate)), "upper": float(max(upper, estimate))}
    if np.ptp(resampled) < 1e-12:
        result["note"] = "every resample gives this value, so the interval cannot show the uncertainty"
    return result


def _prevalence(table):
    """Share of the positive class, the AUPRC of a model that knows nothing; averaged over classes for more than two."""
    shares = np.bincount(table.truth, minlength=len(table.classes)) / len(table.truth)
    return float(shares[1] if len(shares) == 2 else shares.mean())
