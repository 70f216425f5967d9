"""From decision values to probabilities (Platt 1999; for more classes one slope and an offset per class).

One slope keeps the order of samples and the model linear in expression. It is kept positive: a negative
one would turn the model round on the strength of the inner folds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rna2model.models import scores

LEAST_SLOPE, PRIOR_SD = 1e-3, 10.0  # the prior on log(slope) and offsets is nearly flat; it keeps them finite


def fit(
    decision: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """(slope > 0, (M,) offsets) so that slope * decision + offset are logits.

    decision (n, M) out-of-fold values, M = 1 for two classes or K; y (n,) class numbers; weight (n,).
    Targets are smoothed as Platt does, (n_k + 1) / (n_k + K) for the true class, so separable data stay finite.
    """
    centre = decision.mean(
        axis=0
    )  # a large common offset, as of a strong penalty, is none that the prior should hold back
    unit = max(float(np.sqrt(np.mean((decision - centre) ** 2))), 1e-12)
    targets, values = _smoothed(y), scores.two_sided(decision - centre) / unit
    theta = np.zeros(1 + values.shape[1])  # log slope, offsets
    for _ in range(200):
        gradient, hessian = _derivatives(theta, values, targets, weight)
        step = -np.linalg.solve(hessian, gradient)
        step *= min(1.0, 2.0 / np.abs(step).max())
        theta, moved = _descend(theta, step, values, targets, weight)
        if moved < 1e-10:
            break
    slope = max(np.exp(theta[0]), LEAST_SLOPE) / unit
    if decision.shape[1] == 1:
        return float(slope), theta[2:] - theta[1] - slope * centre
    return float(slope), theta[1:] - theta[1] - slope * (centre - centre[0])


def _smoothed(y):
    """(n, K) target probabilities."""
    counts = np.bincount(y)
    own = (counts + 1.0) / (counts + len(counts))
    targets = np.repeat(((1.0 - own) / (len(counts) - 1))[y][:, None], len(counts), axis=1)
    targets[np.arange(len(y)), y] = own[y]
    return targets


def _loss(theta, values, targets, weight):
    logits = np.exp(theta[0]) * values + theta[1:]
    top = logits.max(axis=1)
    normalizer = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return weight @ (normalizer - (targets * logits).sum(axis=1)) + 0.5 * (theta**2).sum() / PRIOR_SD**2


def _derivatives(theta, values, targets, weight):
    """Gradient and a positive definite (Fisher) Hessian of the loss."""
    scaled = np.exp(theta[0]) * values  # derivative of the logits by log slope
    p = scores.softmax(scaled + theta[1:])
    error = weight[:, None] * (p - targets)
    gradient = np.append((error * scaled).sum(), error.sum(axis=0)) + theta / PRIOR_SD**2
    design = np.concatenate(
        [scaled[:, :, None], np.broadcast_to(np.eye(p.shape[1]), (*p.shape, p.shape[1]))], axis=2
    )
    centred = design - (p[:, :, None] * design).sum(axis=1, keepdims=True)
    hessian = np.einsum("nk,nki,nkj->ij", weight[:, None] * p, centred, centred)
    return gradient, hessian + np.eye(len(theta)) / PRIOR_SD**2


def _descend(theta, step, values, targets, weight):
    """The step, halved until the loss falls; (new theta, largest change)."""
    before = _loss(theta, values, targets, weight)
    for _ in range(40):
        if _loss(theta + step, values, targets, weight) <= before:
            return theta + step, np.abs(step).max()
        step = step / 2.0
    return theta, 0.0
