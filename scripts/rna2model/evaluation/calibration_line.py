"""Slope and intercept of the calibration line (Cox 1958; Van Calster et al. 2019), for many weightings at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CLIP = 1e-6  # probabilities closer to 0 or 1 are taken as this
LARGEST_SLOPE = 1e3


def slope(
    logit: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B,) slope b of truth ~ a + b logit: 1 is right, below 1 the probabilities are too extreme. NaN as in `line`."""
    return line(logit, positive, weights)[:, 1]


def line(
    logit: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B, 2) a and b of truth ~ a + b logit.

    logit (n,), positive (n,) bool, weights (B, n). NaN where the classes are separated (no finite slope),
    one is missing, or the logits do not vary.
    """
    theta = np.zeros((len(weights), 2))
    theta[:, 1] = 1.0
    for _ in range(50):
        p = sigmoid(theta[:, :1] + theta[:, 1:] * logit)
        error, w = weights * (p - positive), weights * p * (1.0 - p)
        gradient = np.stack([error.sum(axis=1), error @ logit], axis=1)
        step = _solve2(w.sum(axis=1), w @ logit, w @ logit**2, gradient)
        step *= np.minimum(1.0, 3.0 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-12))
        theta -= step
        if np.abs(step).max() < 1e-8:
            break
    defined = ~_separated(logit, positive, weights) & (np.abs(theta[:, 1]) < LARGEST_SLOPE)
    return np.where(defined[:, None], theta, np.nan)


def intercept(
    logit: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B,) intercept a of truth ~ a + logit (calibration in the large): 0 is right; NaN where a class is missing."""
    a = np.zeros((len(weights), 1))
    for _ in range(100):
        p = sigmoid(a + logit)
        step = (weights * (p - positive)).sum(axis=1) / np.maximum((weights * p * (1 - p)).sum(axis=1), 1e-12)
        a -= np.clip(step, -1.0, 1.0)[:, None]
        if np.abs(step).max() < 1e-10:
            break
    both = (weights @ positive.astype(float) > 0) & (weights @ (~positive).astype(float) > 0)
    return np.where(both, a[:, 0], np.nan)


def logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(p / (1 - p)) of clipped probabilities."""
    p = np.clip(probability, CLIP, 1.0 - CLIP)
    return np.log(p) - np.log1p(-p)


def _separated(logit, positive, weights):
    """(B,) True where some threshold on the logit splits the weighted rows without error, either way round."""
    present = weights > 0
    lows = [np.where(present & side, logit, np.inf).min(axis=1) for side in (positive, ~positive)]
    highs = [np.where(present & side, logit, -np.inf).max(axis=1) for side in (positive, ~positive)]
    return (lows[0] >= highs[1]) | (lows[1] >= highs[0])


def _solve2(a, b, c, g):
    """(B, 2) solutions of [[a, b], [b, c]] x = g, with a trace of ridge."""
    a, c = a + 1e-9, c + 1e-9
    det = np.maximum(a * c - b * b, 1e-12)
    return np.stack([(c * g[:, 0] - b * g[:, 1]) / det, (a * g[:, 1] - b * g[:, 0]) / det], axis=1)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of log odds, the other way round from `logit`."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))
