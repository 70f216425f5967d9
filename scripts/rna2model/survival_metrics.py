"""How good predicted risks and survival curves are; for any row weights, many at once.

Censoring is met by weighting with the inverse probability of being uncensored (Uno et al. 2007, 2011; Graf et al. 1999),
which is estimated on the training rows of each split. Held to scikit-survival by tests.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rna2model import resampling
from rna2model.errors import InputProblem

TIED = 1e-8  # risks closer than this are equal
ROWS_AT_ONCE = 512  # of pairs of samples


@dataclass
class Survival(resampling.Rows):
    """Predictions of survival: time, event, risk (n,); brier (n,) integrated Brier score of each row, or None; uncensored
    (n,) probability to be uncensored at each row's time; landmarks: {name: time} of the time-dependent AUC; last: time from
    which Uno's C counts no event, since few uncensored samples would decide it."""

    time: np.ndarray
    event: np.ndarray
    risk: np.ndarray
    brier: np.ndarray | None
    uncensored: np.ndarray
    landmarks: dict
    last: float

    RANKED: ClassVar[tuple] = ("harrell_c", "uno_c", "auc")
    UNDEFINED: ClassVar[dict] = {
        "harrell_c": "no fold has two samples of which one is known to live longer",
        "uno_c": "no fold has two samples of which one is known to live longer",
        "auc": "no fold has samples with an event before and samples observed beyond the times",
    }

    @property
    def kinds(self):
        return self.event

    def one_repeat(self, rows, weights, only):
        fold, skipped, values = self.fold[rows], {}, {}
        concordance = {"harrell_c": self._harrell, "uno_c": self._uno}
        for name, pairs in concordance.items():
            if only in (None, name):
                values[name], values[f"plain_{name}"], skipped[name] = resampling.pairs_of_folds(
                    fold,
                    weights,
                    lambda i, w, pairs=pairs: counted(self.risk[rows[i]], w, *pairs(rows[i])),
                )
        if only is None or only.startswith("auc"):
            values |= self._aucs(rows, fold, weights, skipped)
        if self.brier is not None:
            values["integrated_brier"] = weights @ self.brier[rows] / weights.sum(axis=1)
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
        """1 / probability to be uncensored at the time of an event; 0 for censored rows, and where nobody could be seen."""
        usable = self.event[rows] & (self.uncensored[rows] > 0)
        return np.divide(1.0, self.uncensored[rows], out=np.zeros(len(rows)), where=usable)

    def _aucs(self, rows, fold, weights, skipped):
        """Cumulative cases against dynamic controls at each landmark, and their mean."""
        values, plain = {}, {}
        for name, t in self.landmarks.items():

            def value(i, w, t=t):
                time = self.time[rows[i]]
                case = np.where(time <= t, self._inverse(rows[i]), 0.0)
                return counted(self.risk[rows[i]], w, case, lambda _: time > t)

            values[name], plain[name], skipped["auc"] = resampling.pairs_of_folds(fold, weights, value)
        if values:
            means = {"auc": values, "plain_auc": plain}
            values = values | {name: np.mean(list(of.values()), axis=0) for name, of in means.items()}
        return values


def read(predictions, groups, training):
    """The Survival of a DataFrame sample, split, time, event, predicted, survival_<t> ..., curve_<t> ...

    training : {split: outcome.SURVIVAL array of its training samples}, for the censoring weights
    """
    frame, rows = resampling.prepare(predictions, groups)
    time, risk = frame["time"].astype(float).to_numpy(), frame["predicted"].astype(float).to_numpy()
    event = frame["event"].astype(float).to_numpy() > 0
    curves = {name: float(name.partition("_")[2]) for name in frame if name.startswith("curve_")}
    at, survival = np.array(list(curves.values())), frame[list(curves)].astype(float).to_numpy()
    uncensored, brier = np.empty(len(frame)), np.full(len(frame), np.nan)
    for split in np.unique(rows["fold"]):
        own = rows["fold"] == split
        y = training[split]
        censoring = kaplan_meier(y["time"], y["event"], censoring=True)
        uncensored[own] = look_up(censoring, time[own])
        if len(at) > 1:
            brier[own] = integrated_brier(
                time[own], event[own], survival[own], at, uncensored[own], look_up(censoring, at)
            )
    landmarks = {
        f"auc_at_{name.partition('_')[2]}": float(name.partition("_")[2])
        for name in frame
        if name.startswith("survival_")
    }
    return Survival(
        time=time,
        event=event,
        risk=risk,
        brier=brier if len(at) > 1 else None,
        uncensored=uncensored,
        landmarks=landmarks,
        last=at[-1] if len(at) > 1 else np.inf,
        **rows,
    )


def harrell_pairs(time, event):
    """`earlier` and `later` of `concordant` for samples with time (n,) and event (n,) bool: who is known to live longer."""
    return event.astype(float), lambda i: (time > time[i, None]) | ((time == time[i, None]) & ~event)


def concordant(risk, weights, earlier, later):
    """(B,) weighted share of pairs in which the earlier sample has the higher risk, equal risks count half.

    risk (m,); weights (B, m); earlier (m,) weight of a sample as the earlier one of a pair; later: function of row numbers
    (k,) that gives (k, m), which samples are the later one. NaN without a pair.
    """
    right, pairs = counted(risk, weights, earlier, later)[:, 0]
    return np.divide(right, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def counted(risk, weights, earlier, later):
    """(2, 1, B) weighted number of the pairs of `concordant` that are right, and of all."""
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


def integrated_brier(time, event, survival, at, uncensored, uncensored_at):
    """(n,) Brier score of each row averaged over the times `at` (t,) by trapezoids; survival (n, t) probabilities.

    uncensored (n,) and uncensored_at (t,): probability to be uncensored at the rows' times and at those of `at`.
    """
    known, beyond = (time[:, None] <= at) & event[:, None], time[:, None] > at
    weight = np.divide(1.0, uncensored, out=np.zeros_like(uncensored), where=uncensored > 0)[:, None] * known
    weight += np.divide(1.0, uncensored_at, out=np.zeros_like(at), where=uncensored_at > 0) * beyond
    return np.trapezoid(weight * (survival - beyond) ** 2, at, axis=1) / (at[-1] - at[0])


def kaplan_meier(time, event, censoring=False):
    """(times (k,), probability (k,) to be without event after each); of being uncensored with `censoring`, where events
    come before censorings of the same time (Kaplan & Meier 1958)."""
    times = np.unique(time)
    at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
    deaths = np.searchsorted(np.sort(time[event]), times, side="right")
    deaths = np.diff(deaths, prepend=0)
    if not censoring:
        return times, np.cumprod(1.0 - deaths / at_risk)
    lost = np.diff(np.searchsorted(np.sort(time[~event]), times, side="right"), prepend=0)
    left = at_risk - deaths
    return times, np.cumprod(1.0 - np.divide(lost, left, out=np.zeros(len(times)), where=left > 0))


def look_up(curve, at):
    """Value of a step curve (times, values) at times `at`; 1 before its first."""
    return np.concatenate([[1.0], curve[1]])[np.searchsorted(curve[0], at, side="right")]
