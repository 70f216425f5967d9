"""Many elastic-net models on the same rows, fitted at once (accelerated proximal gradient, numpy).

Member b minimises over weights w (p, M) and an unpenalised intercept

    sum_i weight[i, b] * loss(y[i, b], z_i w + intercept)  +  l1[b] |w|  +  l2[b] / 2 ||w||²

With scikit-learn's C and l1_ratio: l1 = l1_ratio / C, l2 = (1 - l1_ratio) / C. Candidates and inner folds share
each pass over the genes, and only genes that may have a weight take part: those most correlated with the label
first, then any whose gradient would move it from zero (Tibshirani et al. 2012), until there is none left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEEPEST = {1: 0.25, 2: 0.5}  # largest curvature of the logistic loss, and of the softmax loss
FIRST_GENES = 500  # in the first round, or five times the samples where that is more


def solve(
    loss: Any,
    Z: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    l1: NDArray[np.float64],
    l2: NDArray[np.float64],
    tolerance: float = 1e-4,
    most_steps: int = 5000,
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """(weights (p, B, M), intercepts (B, M), whether all members settled).

    Z (n, p) centred; y (n, B, M); weight (n, B) in 0 ... 1; l1, l2 (B,). A member has settled when no weight
    moves by more than `tolerance` of its largest.
    """
    w, intercept = np.zeros((Z.shape[1], *y.shape[1:])), np.zeros(y.shape[1:])
    working, settled = np.zeros(Z.shape[1], dtype=bool), True
    new = _strongest(_pull(loss, Z, y, weight, l1, intercept[None]), max(FIRST_GENES, 5 * len(Z)))
    while len(new):
        working[new] = True
        genes = np.flatnonzero(working)
        part = np.ascontiguousarray(Z[:, genes])
        w[genes], intercept, settled = _fista(
            loss, part, y, weight, l1, l2, w[genes], intercept, tolerance, most_steps
        )
        f = (part @ w[genes].reshape(len(genes), -1)).reshape(y.shape) + intercept
        pull = _pull(loss, Z, y, weight, l1, f)
        pull[working] = 0.0
        new = _strongest(np.where(pull > 1.0 + 10.0 * tolerance, pull, 0.0), len(genes))
    return w, intercept, settled


def _pull(loss, Z, y, weight, l1, f):
    """(p,) how hard the loss pulls each gene from zero, in units of the L1 penalty that holds it, over all members."""
    slope = weight[:, :, None] * loss.gradient_and_curvature(np.broadcast_to(f, y.shape), y)[0]
    pull = np.abs(Z.T @ slope.reshape(len(Z), -1)).reshape(Z.shape[1], *y.shape[1:])
    return (pull / np.maximum(l1, 1e-12)[None, :, None]).max(axis=(1, 2))


def _strongest(pull, most):
    """Row numbers of the `most` genes that pull hardest, of those that pull at all."""
    return np.sort(np.argsort(-pull, kind="stable")[: min(most, np.count_nonzero(pull > 0))])


def _fista(loss, Z, y, weight, l1, l2, w, intercept, tolerance, most_steps):
    """FISTA (Beck & Teboulle 2009) with restarts (O'Donoghue & Candès 2015) from the given weights."""
    n, (_, B, M) = len(Z), y.shape
    norm = max(np.linalg.eigvalsh(Z @ Z.T if n <= Z.shape[1] else Z.T @ Z)[-1], 1e-12)
    bias = np.sqrt(norm / n)  # the intercept's column, as long as the longest axis of Z: no slower than it
    rate = 1.0 / (STEEPEST[min(M, 2)] * norm + l2)[None, :, None]
    shrink, decay = rate * l1[None, :, None], rate * l2[None, :, None]
    b = intercept / bias
    v, c, t = w, b, np.ones(B)
    for _ in range(most_steps):
        f = (Z @ v.reshape(len(v), -1)).reshape(n, B, M) + bias * c
        slope = weight[:, :, None] * loss.gradient_and_curvature(f, y)[0]
        moved = v * (1.0 - decay) - rate * (Z.T @ slope.reshape(n, -1)).reshape(v.shape)
        new_w = moved - np.clip(moved, -shrink, shrink)
        new_b = c - rate[0] * bias * slope.sum(axis=0)
        change, change_b = new_w - w, new_b - b
        back = ((v - new_w) * change).sum(axis=(0, 2)) + ((c - new_b) * change_b).sum(axis=1) > 0
        t = np.where(back, 1.0, t)
        next_t = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t**2))
        momentum = np.where(back, 0.0, (t - 1.0) / next_t)
        w, b, t = new_w, new_b, next_t
        v, c = w + momentum[None, :, None] * change, b + momentum[:, None] * change_b
        goal = np.maximum(tolerance * np.maximum(_largest(w), 1e-3 * np.abs(bias * b).max(axis=1)), 1e-15)
        still = np.maximum(_largest(change), np.abs(change_b).max(axis=1)) <= goal
        if (still & ~back).all():  # the step after a restart is short wherever it is
            return w, bias * b, True
    return w, bias * b, False


def _largest(w):
    """(B,) largest absolute weight of each member."""
    return np.maximum(w.max(axis=(0, 2)), -w.min(axis=(0, 2)))
