"""Calibration in bins: out-of-fold predictions and the observed outcome in each bin.

Repeats are averaged sample by sample before, so that a sample counts once. Bins hold equally many samples (ties stay together).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rna2model.evaluation import survival
from rna2model.evaluation.predictions import significant

COLUMNS = ["outcome", "bin", "n", "predicted", "observed", "lower", "upper"]
MOST_BINS, LEAST_IN_BIN = 10, 10
Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def table(predictions: pd.DataFrame, task: str) -> pd.DataFrame:
    """DataFrame of COLUMNS: in each bin the mean prediction and what was observed, with a 95 % interval.

    classification : probability of each class (of two, of the last) and its share of the samples (Wilson's interval)
    regression : predicted number and the mean of the true ones (Student's t)
    survival : probability to be without event at each landmark, and the Kaplan-Meier estimate of the bin there (Greenwood's
    interval of log(-log), survival::survfit's log-log); empty where all of a bin are censored before the landmark

    Intervals take samples as independent: with several samples of a donor they are too narrow.
    """
    rows = []
    for name, predicted, observe in _outcomes(predictions, task):
        for number, members in enumerate(bins(predicted), start=1):
            values = observe(members)
            rows.append([name, number, len(members), predicted[members].mean(), *values])
    shown = pd.DataFrame(rows, columns=COLUMNS)
    return shown.assign(**{name: significant(shown[name]) for name in COLUMNS[3:]})


def bins(predicted: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """List of row numbers, sorted by predicted (n,): as many bins of equal size as hold LEAST_IN_BIN each, 2 to MOST_BINS."""
    number = int(np.clip(len(predicted) // LEAST_IN_BIN, 2, MOST_BINS))
    edges = np.unique(np.quantile(predicted, np.arange(1, number) / number))
    place = np.searchsorted(edges, predicted, side="left")
    return [np.flatnonzero(place == k) for k in np.unique(place)]


def _outcomes(predictions, task):
    """(name, (n,) predictions, function of row numbers that gives observed, lower, upper) of what is predicted."""
    averaged = _by_sample(predictions, task)
    first = predictions.drop_duplicates("sample").set_index("sample").loc[averaged.index]
    if task == "regression":
        truth = first["truth"].astype(float).to_numpy()
        yield "value", averaged["predicted"].to_numpy(), lambda rows: mean_interval(truth[rows])
    elif task == "survival":
        time, event = first["time"].astype(float).to_numpy(), first["event"].astype(float).to_numpy() > 0
        for name in averaged:
            at = float(name.partition("_")[2])
            yield (
                name,
                averaged[name].to_numpy(),
                lambda rows, at=at: survival_interval(time[rows], event[rows], at),
            )
    else:
        truth, names = first["truth"].astype(str).to_numpy(), list(averaged)
        for name in names[1:] if len(names) == 2 else names:
            is_class = truth == name.removeprefix("prob_")
            yield (
                name.removeprefix("prob_"),
                averaged[name].to_numpy(),
                lambda rows, is_class=is_class: wilson(is_class[rows].sum(), len(rows)),
            )


def _by_sample(predictions, task):
    """DataFrame of the predictions of each sample, averaged over repeats; a class that a split never saw has probability 0."""
    names = (
        ["predicted"]
        if task == "regression"
        else [n for n in predictions if n.startswith(("prob_", "survival_"))]
    )
    values = predictions[names].apply(pd.to_numeric).fillna(0.0)
    return values.groupby(predictions["sample"].astype(str)).mean().sort_index()


def wilson(hits: float, n: int) -> tuple[float, float, float]:
    """(share, lower, upper) of `hits` among n, 95 % (Wilson 1927)."""
    share = hits / n
    centre, half = share + Z**2 / (2 * n), Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    lower, upper = (centre - half) / (1 + Z**2 / n), (centre + half) / (1 + Z**2 / n)
    return share, max(0.0, lower), min(1.0, upper)


def mean_interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """(mean, lower, upper) of values (n,), 95 % by Student's t; no interval for one value."""
    if len(values) < 2:
        return values.mean(), np.nan, np.nan
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean(), values.mean() - half, values.mean() + half


def survival_interval(
    time: NDArray[np.float64], event: NDArray[np.bool_], at: float
) -> tuple[float, float, float]:
    """(Kaplan-Meier probability to be without event at `at`, lower, upper), NaN where it is not defined.

    No estimate beyond the last time if that is censored; no interval where the estimate is 0 or 1.
    """
    last = time.max()
    if at > last and not event[time == last].all():
        return np.nan, np.nan, np.nan
    estimate = float(survival.look_up(survival.kaplan_meier(time, event), at))
    if not 0 < estimate < 1:
        return estimate, np.nan, np.nan
    times = np.unique(time[event & (time <= at)])
    at_risk = np.array([(time >= t).sum() for t in times])
    deaths = np.array([(event & (time == t)).sum() for t in times])
    spread = Z * np.sqrt((deaths / (at_risk * (at_risk - deaths))).sum()) / abs(np.log(estimate))
    return estimate, estimate ** np.exp(spread), estimate ** np.exp(-spread)
