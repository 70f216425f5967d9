"""Calibration slope of predicted risks: Cox regression of the outcome on the linear predictor (van Houwelingen 2000).

1 is right, below 1 the risks are too extreme. Folds are strata: risks of different models are never compared. Ties as Breslow.
Many row weightings at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 50
LARGEST = 1e3  # of a slope: beyond it the risks order all events, and no finite slope is best


def slope(
    risk: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    fold: NDArray[Any],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(B,) slope; NaN where the risks do not vary within the folds, no event is left, or no finite slope exists.

    risk, time (n,); event (n,) bool; fold (n,); weights (B, n).
    """
    strata = [_Stratum(risk, time, event, np.flatnonzero(fold == name)) for name in np.unique(fold)]
    scale = np.sqrt(np.mean(np.concatenate([part.risk for part in strata]) ** 2))
    if not scale > 1e-9:
        return np.full(len(weights), np.nan)
    for part in strata:
        part.risk = part.risk / scale
    beta, information = np.full(len(weights), scale), np.zeros(len(weights))
    for _ in range(STEPS):
        each = [part.score(beta, weights) for part in strata]
        score, information = (np.sum(values, axis=0) for values in zip(*each, strict=True))
        step = np.divide(score, information, out=np.zeros_like(score), where=information > 1e-12)
        beta = beta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    done = (information > 1e-9) & (np.abs(step) < 1e-6)
    slopes = beta / scale
    return np.where(done & (np.abs(slopes) < LARGEST), slopes, np.nan)


class _Stratum:
    """Rows of one fold in order of time, their risks centred."""

    def __init__(self, risk, time, event, rows):
        self.rows = rows[np.argsort(time[rows], kind="stable")]
        ordered = time[self.rows]
        self.first = np.searchsorted(ordered, ordered, side="left")  # start of the risk set: ties are in it
        self.risk = risk[self.rows] - risk[self.rows].mean()
        self.event = event[self.rows].astype(float)

    def score(self, beta, weights):
        """((B,) derivative of the log partial likelihood, (B,) minus its second derivative) at slopes beta (B,)."""
        own = weights[:, self.rows]
        f = beta[:, None] * self.risk
        hazard = own * np.exp(np.clip(f - f.max(axis=1, keepdims=True), -600.0, 0.0))
        sums = [self._at_risk(hazard * self.risk**power) for power in (0, 1, 2)]
        total = np.maximum(sums[0], 1e-290)
        mean, square = sums[1] / total, sums[2] / total
        events = own * self.event
        return (events * (self.risk - mean)).sum(axis=1), (events * (square - mean**2)).sum(axis=1)

    def _at_risk(self, values):
        return np.cumsum(values[:, ::-1], axis=1)[:, ::-1][:, self.first]
