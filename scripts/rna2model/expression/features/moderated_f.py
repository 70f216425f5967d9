"""Moderated statistics: variances of single genes borrow strength from all genes (Smyth 2004; limma::eBayes)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def f_statistic(X: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """(p,) moderated F of X (n, p) over classes y (n,) int, or of its slope on values y (n,) float.

    Equal to limma's eBayes(lmFit(t(X), design)) with contrasts of all classes; zero where the variance is zero.
    """
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    if np.issubdtype(y.dtype, np.integer):
        design = (y[:, None] == np.unique(y)).astype(float)
    else:
        design = np.column_stack([np.ones(len(y)), y])
    q, _ = np.linalg.qr(design)
    fitted = q @ (q.T @ X)
    parameters = design.shape[1] - 1
    rest = len(X) - design.shape[1]
    between = ((fitted - X.mean(axis=0)) ** 2).sum(axis=0) / max(parameters, 1)
    within = ((X - fitted) ** 2).sum(axis=0) / max(rest, 1)
    variance = squeezed(within, rest)
    return np.divide(between, variance, out=np.zeros_like(between), where=variance > 0)


def squeezed(variance: NDArray[np.float64], df: int) -> NDArray[np.float64]:
    """(p,) posterior variances from sample variances (p,) with `df` degrees of freedom: limma::squeezeVar."""
    if df < 1:
        return np.full_like(variance, 1.0)
    prior, prior_df = prior_of(variance, df)
    if np.isinf(prior_df):
        return np.full_like(variance, prior)
    return (prior_df * prior + df * variance) / (prior_df + df)


def prior_of(variance: NDArray[np.float64], df: int) -> tuple[float, float]:
    """(prior variance, its degrees of freedom), by the moments of the log variances: limma::fitFDist."""
    from scipy.special import digamma, polygamma

    known = variance[variance > 0]
    if len(known) < 2:
        return (float(known[0]) if len(known) else 1.0), 0.0
    known = np.maximum(known, 1e-5 * np.median(known))
    e = np.log(known) - digamma(df / 2) + np.log(df / 2)
    spread = e.var(ddof=1) - polygamma(1, df / 2)
    if spread <= 0:
        return float(np.mean(known)), np.inf
    prior_df = 2 * _inverse_trigamma(spread)
    return float(np.exp(e.mean() + digamma(prior_df / 2) - np.log(prior_df / 2))), float(prior_df)


def _inverse_trigamma(x: float) -> float:
    """y with trigamma(y) = x, by Newton's method on 1 / trigamma, which is nearly linear (limma::trigammaInverse)."""
    from scipy.special import polygamma

    y = 0.5 + 1 / x
    for _ in range(50):
        value = polygamma(1, y)
        step = value * (1 - value / x) / polygamma(2, y)
        y += step
        if -step / y < 1e-8:
            break
    return y
