"""pydeseq2 with the dispersion trend and its prior as DESeq2 fits them.

pydeseq2 0.5.4 lets genes of no visible dispersion pull the trend and never takes an outlier back, and has no prior for
three residual degrees of freedom or fewer, which are most small designs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydeseq2.dds import DeseqDataSet
from scipy import special, stats

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LEAST = 100  # times the smallest dispersion: genes below are left out of the trend fit
NEAR = 1e-4, 15  # dispersions over the trend, between which a gene takes part


class DESeq2(DeseqDataSet):
    """DeseqDataSet with DESeq2's parametricDispersionFit and estimateDispersionsPriorVar."""

    def _fit_parametric_dispersion_trend(self, vst=False):
        dispersions, means, _ = self._informative()
        coefficients = trend(dispersions, means)
        if coefficients is None:
            return self._fit_mean_dispersion_trend(vst)
        self.uns["trend_coeffs"], self.uns["disp_function_type"] = coefficients, "parametric"
        self.var["fitted_dispersions"] = np.nan
        seen = self.var["non_zero"]
        self.var.loc[seen, "fitted_dispersions"] = coefficients.iloc[0] + coefficients.iloc[1] / self.var.loc[
            seen, "_normed_means"
        ].astype(float)

    def _fit_mean_dispersion_trend(self, vst=False):
        """The mean of the dispersions that can be seen; where none can, each gene keeps its own, as DESeq2 advises."""
        if self._informative()[2].any() or vst:
            return super()._fit_mean_dispersion_trend(vst)
        own = self.var["genewise_dispersions"]
        self.var["fitted_dispersions"] = own
        self.uns["mean_disp"], self.uns["disp_function_type"] = own.median(), "mean"

    def fit_dispersion_prior(self) -> None:
        """Variance of log dispersions around the trend, beyond what sampling makes; at least 0.25."""
        dispersions, _, chosen = self._informative()
        if not chosen.any():
            self.uns["_squared_logres"], self.uns["prior_disp_var"] = 0.0, np.float64(0.25)
            return
        residuals = np.log(dispersions) - np.log(self.var.loc[chosen, "fitted_dispersions"].to_numpy(float))
        free = self.n_obs - self.obsm["design_matrix"].shape[1]
        self.uns["_squared_logres"] = float(stats.median_abs_deviation(residuals, scale="normal") ** 2)
        if free <= 3:
            beyond = matched_variance(residuals, free)
        else:
            beyond = self.uns["_squared_logres"] - special.polygamma(1, free / 2)
        self.uns["prior_disp_var"] = np.float64(max(beyond, 0.25))

    def _informative(self):
        """(dispersions, means, (g,) bool) of the genes whose dispersion is above the floor."""
        dispersions = self.var["genewise_dispersions"].to_numpy(float)
        chosen = dispersions > LEAST * self.min_disp  # False for NaN
        return dispersions[chosen], self.var["_normed_means"].to_numpy(float)[chosen], chosen


def trend(dispersions: NDArray[Any], means: NDArray[Any]) -> pd.Series | None:
    """Series a0, a1 of dispersion = a0 + a1 / mean, a gamma regression without outliers; None where none fits."""
    import pandas as pd

    coefficients = np.array([0.1, 1.0])
    design = np.column_stack([np.ones(len(means)), 1 / means])
    for _ in range(11):
        ratio = dispersions / (design @ coefficients)
        good = (ratio > NEAR[0]) & (ratio < NEAR[1])
        before, coefficients = coefficients, _gamma(dispersions[good], design[good], coefficients)
        if coefficients is None or (coefficients <= 0).any():
            return None
        if (np.log(coefficients / before) ** 2).sum() < 1e-6:
            return pd.Series(coefficients, index=["a0", "a1"])
    return None


def _gamma(y, design, start, steps=100):
    """(2,) coefficients of a gamma regression with identity link, by reweighted least squares; None where it fails."""
    coefficients = start
    for _ in range(steps):
        mean = design @ coefficients
        if len(y) < 3 or (mean <= 0).any():
            return None
        before = coefficients
        coefficients = np.linalg.lstsq(design / mean[:, None], y / mean, rcond=None)[0]
        if np.abs(coefficients - before).max() < 1e-10 * np.abs(coefficients).max():
            return coefficients
    return coefficients


def matched_variance(residuals: NDArray[Any], free: int) -> float:
    """The variance that, added to log chi-square / free, looks most like the residuals (DESeq2 draws at random for this;
    here the distribution is integrated)."""
    breaks = np.arange(-20, 21) / 2
    seen = np.histogram(residuals, breaks)[0] / max(len(residuals), 1) * 2  # a density: bins are halves
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    candidates = np.linspace(0, 8, 1000)
    lost = np.empty(len(candidates))
    for number, variance in enumerate(candidates):
        shifted = breaks[:, None] - np.sqrt(variance) * nodes
        below = stats.chi2.cdf(np.exp(shifted) * free, free) @ (weights / weights.sum())
        expected = np.diff(below) * 2
        lost[number] = (seen * (np.log(seen + 2e-4) - np.log(expected + 2e-4))).sum()
    return candidates[lost.argmin()]
