"""Metrics of predicted risks and survival curves, for many row weightings at once.

Censoring is met by weighting with the inverse probability of being uncensored (Uno et al. 2007, 2011; Graf et al. 1999),
which is estimated on the training rows of each split. An event at T could be seen by who was uncensored just before T, so
its weight is 1/G(T-); who is observed beyond t has 1/G(t). With tied times (whole months) the two differ, and scikit-survival,
to which the rest is held by tests, takes G(T) for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.core.errors import InputProblem
from rna2model.evaluation import bootstrap, cox_slope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

TIED = 1e-8  # risks closer than this are equal
ROWS_AT_ONCE = 512  # of pairs of samples


@dataclass
class Survival(bootstrap.Predictions):
    """Predictions of survival: time, event, risk (n,); at (t,) times of the Brier score, squared (n, t) squared errors of the
    survival curves there and known (n, t) their weights, 0 where a row's status is not known; uncensored (n,) probability to
    be uncensored just before each row's time; landmarks: {name: time} of the time-dependent AUC; last: time from which Uno's C
    counts no event, since few uncensored samples would decide it."""

    time: np.ndarray
    event: np.ndarray
    risk: np.ndarray
    at: np.ndarray
    squared: np.ndarray
    known: np.ndarray
    uncensored: np.ndarray
    landmarks: dict
    last: float

    RANKED: ClassVar[tuple[str, ...]] = ("harrell_c", "uno_c", "auc")
    UNDEFINED: ClassVar[dict[str, str]] = {
        "harrell_c": "no fold has two samples of which one is known to live longer",
        "uno_c": "no fold has two samples of which one is known to live longer",
        "auc": "no fold has samples with an event before and samples observed beyond the times",
        "calibration_slope": "the risks do not vary within the folds, or order all events",
        "integrated_brier": "no training sample was followed as long as the samples that are tested",
    }

    @property
    def kinds(self) -> NDArray[np.bool_]:
        return self.event

    def one_repeat(
        self, rows: NDArray[np.int64], weights: NDArray[np.float64], only: str | None
    ) -> tuple[dict[str, NDArray[np.float64]], dict[str, int]]:
        fold, skipped, values = self.fold[rows], {}, {}
        concordance = {"harrell_c": self._harrell, "uno_c": self._uno}
        for name, pairs in concordance.items():
            if only in (None, name):
                values[name], values[f"plain_{name}"], skipped[name] = bootstrap.pairs_of_folds(
                    fold,
                    weights,
                    lambda i, w, pairs=pairs: counted(self.risk[rows[i]], w, *pairs(rows[i])),
                )
        if only is None or only.startswith("auc"):
            values |= self._aucs(rows, fold, weights, skipped)
        if len(self.at) > 1:
            values["integrated_brier"] = integrated_brier(
                self.at, self.squared[rows], self.known[rows], weights
            )
        if only in (None, "calibration_slope"):
            inputs = self.risk[rows], self.time[rows], self.event[rows], fold, weights
            values["calibration_slope"] = cox_slope.slope(*inputs)
        if only is not None and only not in values:
            raise InputProblem(f"{only!r} is not a metric of survival.")
        return values, skipped

    def _harrell(self, rows):
        """(weight of each sample as the earlier one, which others are known to live longer) of Harrell's C (1982)."""
        return harrell_pairs(self.time[rows], self.event[rows])

    def _uno(self, rows):
        """The same of Uno's C (2011)."""
        _, longer = harrell_pairs(self.time[rows], self.event[rows])
        return np.where(self.time[rows] < self.last, self._inverse(rows) ** 2, 0.0), longer

    def _inverse(self, rows):
        """1 / probability to be uncensored just before an event; 0 for censored rows, and where no training row was followed."""
        usable = self.event[rows] & (self.uncensored[rows] > 0)
        return np.divide(1.0, self.uncensored[rows], out=np.zeros(len(rows)), where=usable)

    def _aucs(self, rows, fold, weights, skipped):
        """Cumulative cases against dynamic controls at each landmark, and their mean over those within follow-up."""
        values, plain, skipped["auc"] = {}, {}, 0
        for name, t in self.landmarks.items():

            def value(i, w, t=t):
                time = self.time[rows[i]]
                case = np.where(time <= t, self._inverse(rows[i]), 0.0)
                return counted(self.risk[rows[i]], w, case, lambda _: time > t)

            values[name], plain[name], folds = bootstrap.pairs_of_folds(fold, weights, value)
            if name not in self.beyond:
                skipped["auc"] = max(skipped["auc"], folds)
        if values:
            within = [name for name in values if name not in self.beyond] or list(values)
            means = {"auc": values, "plain_auc": plain}
            values = values | {
                name: np.mean([each[one] for one in within], axis=0) for name, each in means.items()
            }
        return values

    @property
    def beyond(self) -> list[str]:
        """Names of the landmarks at which no fold has both an event before and a sample observed beyond: the mean of the
        landmarks leaves them out."""
        return [name for name, t in self.landmarks.items() if not self._is_within(t)]

    def _is_within(self, t):
        seen = self.event & (self.uncensored > 0) & (self.time <= t)
        return bool(set(self.fold[seen]) & set(self.fold[self.time > t]))


def read(
    predictions: pd.DataFrame, groups: Mapping[str, str] | None, training: Mapping[str, NDArray[Any]]
) -> Survival:
    """The Survival of a DataFrame sample, split, time, event, predicted, survival_<t> ..., curve_<t> ...

    training : {split: outcome.SURVIVAL array of its training samples}, for the censoring weights
    """
    frame, rows = bootstrap.prepare(predictions, groups)
    time, risk = frame["time"].astype(float).to_numpy(), frame["predicted"].astype(float).to_numpy()
    event = frame["event"].astype(float).to_numpy() > 0
    curves = {name: float(name.partition("_")[2]) for name in frame if name.startswith("curve_")}
    at, survival = np.array(list(curves.values())), frame[list(curves)].astype(float).to_numpy()
    uncensored, known = np.empty(len(frame)), np.zeros(survival.shape)
    for split in np.unique(rows["fold"]):
        own = rows["fold"] == split
        y = training[split]
        censoring = kaplan_meier(y["time"], y["event"], censoring=True)
        uncensored[own] = look_up(censoring, time[own], before=True)
        known[own] = censoring_weights(time[own], event[own], at, uncensored[own], look_up(censoring, at))
    landmarks = {
        f"auc_at_{name.partition('_')[2]}": float(name.partition("_")[2])
        for name in frame
        if name.startswith("survival_")
    }
    return Survival(
        time=time,
        event=event,
        risk=risk,
        at=at,
        squared=(survival - (time[:, None] > at)) ** 2,
        known=known,
        uncensored=uncensored,
        landmarks=landmarks,
        last=at[-1] if len(at) > 1 else np.inf,
        **rows,
    )


def harrell_pairs(
    time: NDArray[np.float64], event: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.int64]], NDArray[np.bool_]]]:
    """`earlier` and `later` of `counted` for samples with time (n,) and event (n,) bool: who is known to live longer."""
    return event.astype(float), lambda i: (time > time[i, None]) | ((time == time[i, None]) & ~event)


def counted(
    risk: NDArray[np.float64],
    weights: NDArray[np.float64],
    earlier: NDArray[np.float64],
    later: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """(2, 1, B) weighted number of pairs in which the earlier sample has the higher risk (equal risks count half), and of all.

    risk (m,); weights (B, m); earlier (m,) weight of a sample as the earlier one of a pair; later: function of row numbers
    (k,) that gives (k, m), which samples are the later one.
    """
    right, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    usable = np.flatnonzero(earlier > 0)
    for start in range(0, len(usable), ROWS_AT_ONCE):
        i = usable[start : start + ROWS_AT_ONCE]
        difference = risk[i, None] - risk
        points = np.where(np.abs(difference) <= TIED, 0.5, difference > 0)
        compared = later(i) * earlier[i, None]
        right += ((weights[:, i] @ (compared * points)) * weights).sum(axis=1)
        pairs += ((weights[:, i] @ compared) * weights).sum(axis=1)
    return np.stack([right, pairs])[:, None]


def censoring_weights(
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    at: NDArray[np.float64],
    uncensored: NDArray[np.float64],
    uncensored_at: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(n, t) weight of each row's status at the times `at` (t,): 1/G of who is observed beyond and of who had the event, 0 of
    who was censored before.

    uncensored (n,): probability to be uncensored just before the rows' times; uncensored_at (t,): at those of `at`. Where a
    row would count that no training row was followed long enough for, nobody's status has a weight.
    """
    ended, beyond = (time[:, None] <= at) & event[:, None], time[:, None] > at
    chance = np.where(beyond, uncensored_at, uncensored[:, None])
    status = ended | beyond
    followed = ~(status & (chance <= 0)).any(axis=0)
    return np.divide(1.0, chance, out=np.zeros(status.shape), where=status & followed)


def integrated_brier(
    at: NDArray[np.float64],
    squared: NDArray[np.float64],
    known: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(B,) Brier score averaged over the times `at` (t,) by trapezoids, for row weights (B, n); squared errors (n, t).

    At each time it is the weighted mean of those whose status is known (n, t), so that a constant prediction of one half
    scores exactly 0.25, whatever the censoring. Times at which nobody's is are left out; NaN without two.
    """
    followed = known.any(axis=0)
    if followed.sum() < 2:
        return np.full(len(weights), np.nan)
    at, squared, known = at[followed], squared[:, followed], known[:, followed]
    total = weights @ known
    score = np.divide(weights @ (known * squared), total, out=np.full(total.shape, np.nan), where=total > 0)
    return np.trapezoid(score, at, axis=1) / (at[-1] - at[0])


def kaplan_meier(
    time: NDArray[np.float64], event: NDArray[np.bool_], censoring: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(times (k,), probability (k,) to be without event after each); of being uncensored with `censoring`, where events
    come before censorings of the same time (Kaplan & Meier 1958)."""
    times = np.unique(time)
    at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
    deaths: Any = np.searchsorted(np.sort(time[event]), times, side="right")
    deaths = np.diff(deaths, prepend=0)
    if not censoring:
        return times, np.cumprod(1.0 - deaths / at_risk)
    lost = np.diff(np.searchsorted(np.sort(time[~event]), times, side="right"), prepend=0)
    left = at_risk - deaths
    return times, np.cumprod(1.0 - np.divide(lost, left, out=np.zeros(len(times)), where=left > 0))


def look_up(
    curve: tuple[NDArray[np.float64], NDArray[np.float64]],
    at: NDArray[np.float64] | float,
    before: bool = False,
) -> NDArray[np.float64]:
    """Value of a step curve (times, values) at times `at`, or just before them; 1 before its first."""
    return np.concatenate([[1.0], curve[1]])[
        np.searchsorted(curve[0], at, side="left" if before else "right")
    ]
