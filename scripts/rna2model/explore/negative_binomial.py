"""Negative-binomial fits of counts, all genes at once, as edgeR makes them (McCarthy, Chen & Smyth 2012).

Arrays are (n_samples, n_genes). The variance of a count is mean + dispersion x mean^2. Offsets are log library sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = 1e-10  # of a weight in the Cox-Reid term (edgeR's compute_apl)
GRID = np.linspace(
    -6, 6, 11
)  # log2 of a gene's dispersion over the common one (edgeR::estimateGLMTagwiseDisp)
LEAST_SUM = 5  # counts of a gene, to have a dispersion of its own


def fit_one(
    counts: NDArray[Any],
    offsets: NDArray[Any],
    dispersions: NDArray[Any],
    steps: int = 50,
    tolerance: float = 1e-10,
) -> NDArray[Any]:
    """(g,) log mean of each gene by Newton's method, -inf for genes without counts (edgeR's mglmOneGroup).

    counts : (n, g); offsets : (n, 1) or (n, g); dispersions : (g,), or (n, g) where samples differ
    """
    offsets, total = np.broadcast_to(offsets, counts.shape), counts.sum(axis=0)
    with np.errstate(divide="ignore"):
        log_mean = np.where(total > 0, np.log(np.mean(counts / np.exp(offsets), axis=0)), -np.inf)
    for _ in range(steps):
        mean = np.exp(log_mean + offsets)
        weight = 1 / (1 + dispersions * mean)
        slope, information = ((counts - mean) * weight).sum(axis=0), (mean * weight).sum(axis=0)
        step = np.divide(slope, information, out=np.zeros_like(slope), where=information > 0)
        log_mean = log_mean + np.clip(step, -5, 5)
        if np.abs(step).max(initial=0) < tolerance:
            break
    return log_mean


def fit(
    counts: NDArray[Any],
    design: NDArray[Any],
    offsets: NDArray[Any],
    dispersions: NDArray[Any],
    steps: int = 250,
    tolerance: float = 1e-10,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """((columns, g) coefficients, (n, g) means) of a log-linear model, by damped Fisher scoring (edgeR::glmFit).

    counts, offsets, dispersions : (n, g); design : (n, columns) of full rank. Where a coefficient is minus infinity (no
    counts on its side), it is as low as the tolerance of the deviance asks.
    """
    start = np.log((counts.sum(axis=0) + SMALLEST) / np.exp(offsets).sum(axis=0))
    ones = np.linalg.lstsq(design, np.ones(len(design)), rcond=None)[0]
    beta = ones[:, None] * start
    mean = np.exp(design @ beta + offsets)
    lost, damping = deviance(counts, mean, dispersions), np.full(counts.shape[1], 1e-6)
    active = np.arange(counts.shape[1])
    for _ in range(steps):
        y, m, phi = counts[:, active], mean[:, active], dispersions[:, active]
        weight = 1 / (1 + phi * m)
        information = np.einsum("ni,ng,nj->gij", design, m * weight, design, optimize=True)
        slope = ((y - m) * weight).T @ design
        extra = damping[active] * np.einsum("gii->gi", information).max(axis=1)
        step = np.linalg.solve(
            information + (extra + 1e-300)[:, None, None] * np.eye(len(beta)), slope[..., None]
        )[..., 0]
        tried = beta[:, active] + np.clip(step.T, -5, 5)
        m = np.exp(np.clip(design @ tried + offsets[:, active], -700, 700))
        tried_deviance = deviance(y, m, phi)
        better = tried_deviance <= lost[active] * (1 + 1e-12) + 1e-12
        gain = lost[active] - tried_deviance
        taken = active[better]
        beta[:, taken], mean[:, taken], lost[taken] = tried[:, better], m[:, better], tried_deviance[better]
        damping[active] = np.where(better, damping[active] / 10, np.maximum(damping[active], 1e-6) * 10)
        still = ~better | (gain > tolerance * (1 + np.abs(tried_deviance)))
        active = active[still & (damping[active] < 1e10)]
        if not len(active):
            break
    return beta, mean


def deviance(counts: NDArray[Any], mean: NDArray[Any], dispersions: NDArray[Any]) -> NDArray[Any]:
    """(g,) deviance of counts (n, g) from their means; dispersions (g,) or (n, g)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(counts > 0, counts * np.log(counts / mean), 0.0)
    both = (counts + 1 / dispersions) * np.log1p(
        dispersions * (counts - mean) / (1 + dispersions * mean)
    )  # log((1 + phi y) / (1 + phi mu))
    return 2 * (own - both).sum(axis=0)


def profile_likelihood(
    counts: NDArray[Any], groups: NDArray[Any], offsets: NDArray[Any], dispersions: NDArray[Any]
) -> NDArray[Any]:
    """(g,) Cox-Reid adjusted profile log likelihood of dispersions (g,), a mean for each group (edgeR's adjustedProfileLik).

    counts : (n, g); groups : (n,) numbers from 0; offsets : (n, 1)
    """
    from scipy.special import gammaln

    total = np.zeros(counts.shape[1])
    size = 1 / np.maximum(dispersions, 1e-8)  # beyond, the logarithms of the gamma function cancel
    for group in range(groups.max() + 1):
        y, offset = counts[groups == group], offsets[groups == group]
        mean = np.exp(fit_one(y, offset, dispersions) + offset)
        with np.errstate(divide="ignore", invalid="ignore"):
            present = np.where(y > 0, y * (np.log(mean) - np.log(mean + size)), 0.0)
        total += (
            present - size * np.log1p(mean / size) + gammaln(y + size) - gammaln(size) - gammaln(y + 1)
        ).sum(axis=0)
        weight = (mean / (1 + dispersions * mean)).sum(axis=0)
        total -= 0.5 * np.log(np.maximum(weight, SMALLEST))
    return total


def common_dispersion(counts: NDArray[Any], groups: NDArray[Any], offsets: NDArray[Any]) -> float:
    """The dispersion that fits all genes together best (edgeR::estimateGLMCommonDisp)."""
    from scipy.optimize import minimize_scalar

    rich = counts[:, counts.sum(axis=0) >= LEAST_SUM]

    def lost(root):
        return -profile_likelihood(rich, groups, offsets, np.full(rich.shape[1], root**4)).sum()

    minimum = minimize_scalar(lost, bounds=(0, 4**0.25), method="bounded", options={"xatol": 1e-5})
    return minimum.x**4


def gene_dispersions(
    counts: NDArray[Any], groups: NDArray[Any], offsets: NDArray[Any], common: float
) -> NDArray[Any]:
    """(g,) dispersion of each gene by itself (edgeR::estimateGLMTagwiseDisp, prior.df=0); the common one for genes of
    fewer than LEAST_SUM counts."""
    dispersions = np.full(counts.shape[1], common)
    rich = counts.sum(axis=0) >= LEAST_SUM
    likelihood = np.stack(
        [
            profile_likelihood(counts[:, rich], groups, offsets, np.full(rich.sum(), common * 2**power))
            for power in GRID
        ],
        axis=1,
    )
    dispersions[rich] = common * 2 ** highest(GRID, likelihood)
    return dispersions


def highest(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """(g,) place of the highest value of the cubic spline through y (g, k) at evenly spaced x (k,).

    The spline of Forsythe, Malcolm & Moler, whose ends are cubics through four points; looked for in the two pieces
    beside the highest point (edgeR::maximizeInterpolant).
    """
    k, h = len(x), x[1] - x[0]
    equations, right = np.zeros((k, k)), np.zeros((k, len(y)))
    for i in range(1, k - 1):
        equations[i, i - 1 : i + 2] = 1, 4, 1
    right[1:-1] = 6 * np.diff(y, 2, axis=1).T / h**2
    equations[0, :2] = equations[-1, -2:] = -1, 1
    right[[0, -1]] = np.diff(y, 3, axis=1).T[[0, -1]] / h**2
    bend = np.linalg.solve(equations, right).T  # second derivatives
    rows, top = np.arange(len(y)), y.argmax(axis=1)
    best, place = y[rows, top], x[top]
    for left in (top - 1, top):
        inside = (left >= 0) & (left < k - 1)
        i = np.clip(left, 0, k - 2)
        b0, b1, start = bend[rows, i], bend[rows, i + 1], y[rows, i]
        cubic, square = (b1 - b0) / (6 * h), b0 / 2
        linear = (y[rows, i + 1] - start) / h - h * (2 * b0 + b1) / 6
        with np.errstate(divide="ignore", invalid="ignore"):
            step = (-square - np.sqrt(square**2 - 3 * cubic * linear)) / (3 * cubic)
            value = start + step * (linear + step * (square + step * cubic))
            better = inside & (step > 0) & (step < h) & (value > best)
        best, place = np.where(better, value, best), np.where(better, x[i] + step, place)
    return place
