"""DESeq2's size factors, learned on training libraries."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.expression.normalization.base import Normalizer


class MedianOfRatios(Normalizer):
    """DESeq2's size factors (Anders & Huber 2010; estimateSizeFactors, type="ratio"), then log2(count/factor + 1).

    Learned: the log geometric mean of each gene over the training libraries, for genes positive in all.
    These lines rather than pydeseq2's, which lets a zero of a new library into the median, as -inf.
    """

    method = "deseq2"
    learned: ClassVar[tuple[str, ...]] = ("log_means_",)

    def _learn(self, kept):
        with np.errstate(divide="ignore"):
            self.log_means_ = sum(np.log(row) for row in kept) / len(kept)
        if not np.isfinite(self.log_means_).any():
            raise InputProblem(
                "deseq2: no gene has a count in every training sample, so its size factors do not exist; use tmm."
            )

    def _factor(self, row):
        used = np.isfinite(self.log_means_) & (row > 0)
        if not used.any():
            raise InputProblem("it expresses none of the genes that deseq2 learned size factors on; use tmm.")
        return np.exp(np.median(np.log(row[used]) - self.log_means_[used]))

    def _row(self, row):
        return np.log2(row / self._factor(row) + 1)
