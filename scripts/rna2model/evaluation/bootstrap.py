"""Intervals of any metric: a bootstrap of groups whose resamples are weightings of the rows, many at once.

A resample without one of the classes (without an event) leaves a metric that compares classes undefined: it has no value
there. Where fewer than RARE groups hold a class, most resamples of several such classes would be without value, so that
these groups are drawn among themselves; all others are drawn from the cohort as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.core.errors import InputProblem
from rna2model.evaluation import ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from rna2model.evaluation.corrected_intervals import Statistics

RARE = 5  # groups; of 5, one of 150 resamples has none
VALUES_AT_ONCE = 4_000_000  # resamples x rows held in memory


@dataclass
class Predictions:
    """Out-of-fold predictions of one model, sorted by split and sample; a task adds what it predicts.

    fold, repeat (n,) str; cluster (n,) int, what the bootstrap draws; n_samples different samples; rows: (split, sample)

    `kinds`: (n,) what each row counts as (class, event), or None where no value is rare.
    A task lists the metrics computed within folds in RANKED, the reasons for undefined ones in UNDEFINED, and has
    `one_repeat(rows, weights, only)`: ({metric: (B,)}, {metric of RANKED: folds skipped}) for weights (B, len(rows)).
    """

    fold: np.ndarray
    repeat: np.ndarray
    cluster: np.ndarray
    n_samples: int
    rows: list

    RANKED: ClassVar[tuple[str, ...]] = ()
    UNDEFINED: ClassVar[dict[str, str]] = {}

    @property
    def kinds(self) -> NDArray[Any] | None:
        return None

    if TYPE_CHECKING:

        def one_repeat(
            self, rows: NDArray[np.int64], weights: NDArray[np.float64], only: str | None
        ) -> tuple[dict[str, NDArray[np.float64]], dict[str, int]]: ...

    def of_repeat(self, name: str) -> NDArray[np.int64]:
        """Row numbers of one repeat."""
        return np.flatnonzero(self.repeat == name)


def prepare(
    predictions: pd.DataFrame, groups: Mapping[str, str] | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """(the table sorted by split and sample, keyword arguments of Predictions); `groups` is {sample: group} or None."""
    if len(predictions) == 0:
        raise InputProblem("there are no out-of-fold predictions to evaluate.")
    frame = predictions.sort_values(["split", "sample"], kind="stable")
    sample, split = frame["sample"].astype(str).tolist(), frame["split"].astype(str).tolist()
    units = [str(groups[name]) for name in sample] if groups else sample
    return frame, {
        "fold": np.array(split),
        "repeat": np.array([repeat_of(name) for name in split]),
        "cluster": np.unique(units, return_inverse=True)[1],
        "n_samples": len(set(sample)),
        "rows": list(zip(split, sample, strict=True)),
    }


def bootstrap(
    table: Predictions | Statistics, seed: int, n_boot: int, only: str | None = None
) -> tuple[dict[str, NDArray[np.float64]], dict[str, int]]:
    """({metric: (1 + n_boot,) values, the first on the sample itself}, {ranking metric: folds skipped there})."""
    rng, clusters = np.random.default_rng(seed), table.cluster.max() + 1
    pools = _pools(table.cluster, table.kinds)
    step = max(1, VALUES_AT_ONCE // max(len(table.cluster), clusters))
    parts: list[dict[str, NDArray[np.float64]]]
    skipped: dict[str, int]
    parts, done, skipped = [], 0, {}
    while done < n_boot or not parts:
        draws = _draw(rng, pools, clusters, min(step, n_boot - done))
        done += len(draws)
        if not parts:
            draws = np.concatenate([np.ones((1, clusters)), draws])
        values, folds = _all_repeats(table, draws[:, table.cluster].astype(float), only)
        parts.append(values)
        skipped = skipped or folds
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, skipped


def _pools(cluster, kinds):
    """(clusters,) number of the pool that each is drawn in: 0, or one of those that hold a rare kind of rows.

    Clusters of two rare kinds join their pools, which would be too small otherwise.
    """
    pools = np.zeros(cluster.max() + 1, dtype=int)
    if kinds is None:
        return pools
    for number, kind in enumerate(np.unique(kinds), start=1):
        holders = np.unique(cluster[kinds == kind])
        if len(holders) < RARE:
            joined = np.isin(pools, pools[holders]) & (pools > 0)
            pools[joined] = pools[holders] = number
    return pools


def _draw(rng, pools, clusters, size):
    """(size, clusters) how often each is drawn; from every pool as many as it has."""
    draws = np.zeros((size, clusters), dtype=np.int64)
    for pool in np.unique(pools):
        members = np.flatnonzero(pools == pool)
        draws[:, members] = rng.multinomial(
            len(members), np.full(len(members), 1.0 / len(members)), size=size
        )
    return draws


def _all_repeats(table, weights, only):
    """Mean over repeats of every metric, for each weighting; and the folds each ranking metric skipped."""
    each, skipped = [], dict.fromkeys(table.RANKED, 0)
    for name in sorted(set(table.repeat.tolist())):
        rows = table.of_repeat(name)
        values, folds = table.one_repeat(rows, weights[:, rows], only)
        each.append(values)
        skipped = {metric: skipped[metric] + folds.get(metric, 0) for metric in skipped}
    return {metric: ranking.nanmean(np.array([v[metric] for v in each])) for metric in each[0]}, skipped


def within_folds(
    folds: NDArray[Any],
    weights: NDArray[np.float64],
    value: Callable[..., NDArray[np.float64]],
) -> tuple[NDArray[np.float64], int]:
    """((B,) mean over folds of `value(rows, their weights)`, number of folds where it is undefined for the first weighting)."""
    each = [(rows, weights[:, rows]) for rows in (np.flatnonzero(folds == fold) for fold in np.unique(folds))]
    values = np.array([value(rows, part) for rows, part in each])
    return ranking.nanmean(values), int(np.isnan(values[:, 0]).sum())


def pairs_of_folds(
    folds: NDArray[Any],
    weights: NDArray[np.float64],
    counts: Callable[..., NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """`ranking.over_folds` of `counts(rows, their weights)`: (2, K, B) right and all pairs of a fold."""
    each = [(rows, weights[:, rows]) for rows in (np.flatnonzero(folds == fold) for fold in np.unique(folds))]
    return ranking.over_folds(np.array([counts(rows, part) for rows, part in each]))


def repeat_of(split: str) -> str:
    """The repeat of the cross-validation that a split belongs to; batches left out are one."""
    return split.partition("f" if split.startswith("r") else ".")[0]


def summary(name: str, values: NDArray[np.float64], n: int, undefined: Mapping[str, str]) -> dict[str, Any]:
    """The JSON of one metric; never NaN. `undefined`: {metric: why it may have no value}."""
    estimate, resampled = values[0], values[1:][~np.isnan(values[1:])]
    if np.isnan(estimate):
        note = undefined.get(name, "not defined for these predictions")
        return {"estimate": None, "lower": None, "upper": None, "n": n, "note": note}
    result: dict[str, Any] = {"estimate": float(estimate), "lower": None, "upper": None, "n": n}
    if len(resampled) < max(2, (len(values) - 1) / 2):
        return {**result, "note": f"undefined in most resamples ({undefined.get(name, 'too few samples')})"}
    lower, upper = np.percentile(resampled, [2.5, 97.5])
    result |= {"lower": float(min(lower, estimate)), "upper": float(max(upper, estimate))}
    if np.ptp(resampled) <= 1e-12 * np.abs(resampled).max():  # of a metric in any unit
        result["note"] = "every resample gives this value, so the interval cannot show the uncertainty"
    return result
