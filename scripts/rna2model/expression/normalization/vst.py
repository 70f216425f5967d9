"""DESeq2's variance stabilising transformation with the size factors and the dispersion trend frozen."""

import numpy as np

from rna2model.cohort.sample_rows import each
from rna2model.core.errors import InputProblem
from rna2model.expression.normalization.median_of_ratios import MedianOfRatios

SUBSET, LEAST_MEAN = 1000, 5  # DESeq2::vst fits the trend on so many genes, of at least this mean


class VST(MedianOfRatios):
    """Variance stabilising transformation (Anders & Huber 2010; DESeq2::vst, blind, parametric trend).

    The dispersions and their trend are pydeseq2's, on a thousand genes spread over the means as DESeq2::vst does.

    Attributes
    ----------
    trend_ : (2,) asymptotic dispersion and extra-Poisson term: dispersion = trend[0] + trend[1] / mean
    """

    method = "vst"
    learned = ("log_means_", "trend_")

    def _learn(self, kept):
        super()._learn(kept)
        factors = np.fromiter(each(self._factor, kept), float, len(kept))
        means = sum(row / factor for row, factor in zip(kept, factors, strict=True)) / len(kept)
        self.trend_ = _trend(np.rint(list(kept.only(_spread(means)))), factors)

    def _row(self, row):
        asymptotic, extra = self.trend_
        q = row / self._factor(row)
        root = np.sqrt(asymptotic * q * (1 + extra + asymptotic * q))
        return np.log2((1 + extra + 2 * asymptotic * q + 2 * root) / (4 * asymptotic))


def _spread(means):
    """Columns of up to SUBSET genes, spread evenly over the ordered means."""
    order = np.argsort(means, kind="stable")
    order = order[means[order] > LEAST_MEAN]
    if len(order) < 50:
        raise InputProblem(
            f"vst learns how variance follows the mean, and only {len(order)} genes have a mean count over"
            f" {LEAST_MEAN}; use tmm."
        )
    return order[np.rint(np.linspace(0, len(order) - 1, min(SUBSET, len(order)))).astype(int)]


def _trend(counts, factors):
    """(asymptotic dispersion, extra-Poisson term) of counts (n, g), by pydeseq2 with the given size factors."""
    import warnings

    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pydeseq2.dds import DeseqDataSet

        names = [f"s{row}" for row in range(len(counts))]
        table = pd.DataFrame(
            counts.astype(int), index=names, columns=[f"g{c}" for c in range(counts.shape[1])]
        )
        data = DeseqDataSet(
            counts=table, metadata=pd.DataFrame({"all": "x"}, index=names), design="~1", quiet=True
        )
        data.obs["size_factors"] = factors
        data.layers["normed_counts"] = counts / factors[:, None]
        data.var["_normed_means"] = data.layers["normed_counts"].mean(axis=0)
        data.fit_genewise_dispersions()
        data.fit_dispersion_trend()
    if data.uns["disp_function_type"] == "mean":  # no trend: one dispersion for all means
        coefficients = np.array([data.uns["mean_disp"], 0.0])
    else:
        coefficients = np.asarray(data.uns["trend_coeffs"], dtype=float)
    if not np.isfinite(coefficients).all() or coefficients[0] <= 0:
        raise InputProblem("vst: no dispersion trend fits these training samples; use tmm.")
    return coefficients
