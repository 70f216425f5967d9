"""Normalization by the distribution of values within a sample: log ratios, ranks, quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort.units import COUNT_UNITS
from rna2model.expression.normalization.base import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANY_UNIT = (*COUNT_UNITS, "tpm", "log")


class CenteredLogRatio(Normalizer):
    """Centred log ratio (Aitchison 1982), log2 of (count + 0.5) less its mean over the kept genes. Stateless."""

    method = "clr"
    units = (*COUNT_UNITS, "tpm")
    PRIOR = 0.5

    def _row(self, row):
        logs = np.log2(row + self.PRIOR)
        return logs - logs.mean()


class Rank(Normalizer):
    """Rank of each gene among the kept genes of its sample, ties averaged, scaled into (0, 1). Stateless."""

    method = "rank"
    units = ANY_UNIT

    def _row(self, row):
        return (average_ranks(row) - 0.5) / len(row)


class Quantile(Normalizer):
    """Quantile normalization (Bolstad et al. 2003; limma::normalizeQuantiles with ties) of log2(value + 1), or of
    logarithms as given.

    Attributes
    ----------
    target_ : (n_kept,) mean of the sorted training samples: the distribution every sample is given
    """

    method = "quantile"
    units = ANY_UNIT
    learned = ("target_",)

    def _learn(self, kept):
        self.target_ = sum(np.sort(self._logs(row)) for row in kept) / len(kept)

    def _row(self, row):
        return np.interp(average_ranks(self._logs(row)), np.arange(1, len(row) + 1), self.target_)

    def _logs(self, row):
        return row if self.unit == "log" else np.log2(row + 1)


def average_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) ranks from 1, as R's rank(): ties share the mean of their ranks."""
    order = np.argsort(values, kind="stable")
    first = np.r_[True, np.diff(values[order]) != 0]
    group = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    ends = np.r_[starts[1:], len(values)]
    ranks = np.empty(len(values))
    ranks[order] = ((starts + 1 + ends) / 2)[group]
    return ranks
