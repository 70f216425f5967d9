"""Survival of predicted risk groups: Kaplan-Meier with 95 % bands and numbers at risk, as R's survfit(conf.type = "log-log").

Predictions are out of fold and the cut is the training samples'; of repeats the first counts. Bands take samples as independent:
with several samples of a group they are too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.evaluation import survival as survival_metrics
from rna2model.evaluation.calibration_bins import Z

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("low", "high")
STEPS = 6  # at most, between times at which numbers at risk are given


@dataclass
class Curve:
    """Step curve of (k,) times: survival after each, its band (NaN where it is 0), and the sorted times of all samples."""

    times: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    followed: np.ndarray
    events: int

    def at(self, t: float) -> tuple[float, ...]:
        """(survival, lower, upper) at time t; NaN beyond the last sample."""
        if t > self.followed[-1]:
            return np.nan, np.nan, np.nan
        place = np.searchsorted(self.times, t, side="right")
        steps = (self.survival, self.lower, self.upper)
        return tuple(float(np.concatenate([[1.0], values])[place]) for values in steps)

    def at_risk(self, t: float) -> int:
        """How many samples were observed until time t or longer."""
        return int(len(self.followed) - np.searchsorted(self.followed, t, side="left"))


def curve(time: NDArray[np.float64], event: NDArray[np.bool_]) -> Curve:
    """The Curve of samples with time (n,) and event (n,) bool."""
    times, survival = survival_metrics.kaplan_meier(time, event)
    followed = np.sort(time)
    at_risk = len(time) - np.searchsorted(followed, times, side="left")
    deaths = np.diff(np.searchsorted(np.sort(time[event]), times, side="right"), prepend=0)
    left = at_risk - deaths
    terms = np.divide(deaths, at_risk * left, out=np.full(len(times), np.inf), where=left > 0)
    inside = (survival > 0) & (survival < 1)
    log = np.log(np.where(inside, survival, 0.5))
    spread = np.where(inside, Z * np.sqrt(np.cumsum(np.where(inside, terms, 0.0))) / -log, 0.0)
    lower, upper = np.exp(log * np.exp(spread)), np.exp(log * np.exp(-spread))
    ends = np.where(survival >= 1, 1.0, np.nan)
    return Curve(
        times,
        survival,
        np.where(inside, lower, ends),
        np.where(inside, upper, ends),
        followed,
        int(event.sum()),
    )


def curves(table: pd.DataFrame) -> dict[str, Curve]:
    """{risk group: Curve} of predictions of one repeat (time, event, risk_group); groups without samples are left out."""
    curve_of_group = {}
    for name in NAMES:
        part = table[table["risk_group"] == name]
        if len(part):
            time, event = part["time"].astype(float).to_numpy(), part["event"].astype(float).to_numpy() > 0
            curve_of_group[name] = curve(time, event)
    return curve_of_group


def ticks(longest: float) -> NDArray[np.float64]:
    """(k,) round times from 0 up to `longest`, at most STEPS steps."""
    size = 10.0 ** np.floor(np.log10(longest / (STEPS + 1)))
    step = next(size * factor for factor in (1, 2, 5, 10) if int(longest / (size * factor) + 1e-9) <= STEPS)
    return np.arange(0, int(longest / step + 1e-9) + 1) * step


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """JSON {risk group: {n, events, times, at_risk, survival, lower, upper}} at the same round times; null is not defined."""
    curve_of_group = curves(table)
    if not curve_of_group:
        return {}
    at = ticks(max(each.followed[-1] for each in curve_of_group.values()))
    groups = {}
    for name, each in curve_of_group.items():
        values = np.array([each.at(t) for t in at])
        groups[name] = {
            "n": len(each.followed),
            "events": each.events,
            "times": [float(f"{t:.9g}") for t in at],
        }
        groups[name]["at_risk"] = [each.at_risk(t) for t in at]
        for key, column in zip(("survival", "lower", "upper"), values.T, strict=True):
            groups[name][key] = [float(v) if np.isfinite(v) else None for v in column]
    return groups
