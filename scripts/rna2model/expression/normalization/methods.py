"""The normalization methods: fitted on training samples, then a pure function of one sample to log2 expression."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rna2model.cohort.sample_rows import each
from rna2model.cohort.units import COUNT_UNITS
from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.expression.features.imputation import Imputer
from rna2model.expression.normalization.base import KIND, SETTINGS, Normalizer
from rna2model.expression.normalization.distribution import CenteredLogRatio, Quantile, Rank
from rna2model.expression.normalization.median_of_ratios import MedianOfRatios
from rna2model.expression.normalization.vst import VST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

PRIOR = 2.0  # edgeR::cpm(log=TRUE, prior.count=2)


class Unnormalized(Normalizer):
    """Values as they are: logarithms unchanged, everything else log2(x + 1)."""

    method = "none"
    units = (*COUNT_UNITS, "tpm", "log")

    def _row(self, row):
        return row if self.unit == "log" else np.log2(row + 1)


class CPM(Normalizer):
    """log2 counts per million, edgeR::cpm(log=TRUE, prior.count=2) with the mean library size frozen.

    edgeR scales the prior count by library size over the cohort's mean library size; that mean is learned.
    Libraries are counted over the kept genes, so that further genes of a new sample change nothing.
    """

    method = "cpm"
    learned: ClassVar[tuple[str, ...]] = ("mean_library_",)
    scale_ = 1.0

    def _learn(self, kept):
        raw = np.fromiter(each(self._raw_factor, kept), float, len(kept))
        self.scale_ = float(np.exp(np.mean(np.log(raw))))
        self._training_factors = raw / self.scale_  # so that fit_transform need not compute them again
        self.mean_library_ = np.mean(kept.sums() * self._training_factors)

    def _raw_factor(self, row):
        """Factor of one library before training factors are made to multiply to one."""
        return 1.0

    def _factor(self, row):
        return self._raw_factor(row) / self.scale_

    def _row(self, row):
        return self._log_cpm(row, self._factor(row))

    def _of_training(self, kept):
        return map(self._log_cpm, kept, self._training_factors)

    def _log_cpm(self, row, factor):
        library = row.sum() * factor
        prior = PRIOR * library / self.mean_library_
        return np.log2(1e6 * (row + prior) / (library + 2 * prior))


class TMM(CPM):
    """Trimmed mean of M-values (Robinson & Oshlack 2010; edgeR::calcNormFactors, method="TMM"), then log2 CPM.

    Learned on the training libraries: the reference library and the scale that makes their factors multiply
    to one, so that a new library is normalised alone and the training libraries get back edgeR's factors.
    """

    method = "tmm"
    learned = ("mean_library_", "reference_", "scale_")
    LOGRATIO_TRIM, SUM_TRIM = 0.3, 0.05

    def _learn(self, kept):
        self.reference_ = kept[self._reference_row(kept)]
        self.__dict__.pop("_reference_terms", None)
        super()._learn(kept)

    @staticmethod
    def _reference_row(kept):
        """The library whose upper quartile is closest to the mean one; the deepest if quartiles are zero."""
        expressed = _expressed(kept)
        quartiles = np.array([np.quantile(row[expressed], 0.75) / row.sum() for row in kept])
        if np.median(quartiles) < 1e-20:
            return int(np.argmax([np.sqrt(row).sum() for row in kept]))
        return int(np.argmin(np.abs(quartiles - quartiles.mean())))

    @cached_property
    def _reference_terms(self):
        """(columns where the reference has counts; there its share of the library, log2 share, part of the variance)."""
        columns, total = np.flatnonzero(self.reference_ > 0), self.reference_.sum()
        counts = self.reference_[columns]
        return columns, counts / total, np.log2(counts / total), (total - counts) / total / counts

    def _raw_factor(self, row):
        columns, *terms = self._reference_terms
        seen, total = row[columns], row.sum()
        both = seen > 0
        seen, reference_share, reference_log, reference_variance = (x[both] for x in (seen, *terms))
        share = seen / total
        ratio = np.log2(share / reference_share)
        if not len(ratio) or np.abs(ratio).max() < 1e-6:
            return 1.0
        mean = (np.log2(share) + reference_log) / 2
        keep = _within(ratio, self.LOGRATIO_TRIM) & _within(mean, self.SUM_TRIM)
        if not keep.any():
            return 1.0
        variance = ((total - seen) / total / seen + reference_variance)[keep]
        weighted = (ratio[keep] / variance).sum() / (1 / variance).sum()
        return 2.0**weighted


class UpperQuartile(CPM):
    """Upper quartile (Bullard et al. 2010; edgeR::calcNormFactors, method="upperquartile"), then log2 CPM."""

    method = "upper_quartile"
    learned = ("mean_library_", "expressed_", "scale_")

    def _learn(self, kept):
        self.expressed_ = _expressed(kept)
        super()._learn(kept)

    def _raw_factor(self, row):
        quartile = np.quantile(row[self.expressed_], 0.75)
        if quartile <= 0:
            raise InputProblem("the upper quartile of its counts is zero, so it has no factor; use tmm.")
        return quartile / row.sum()


class TPM(Normalizer):
    """log2(TPM + 1) (Wagner et al. 2012), from counts and exonic lengths, or from TPM as given. Stateless."""

    method = "tpm"
    units: ClassVar[tuple[str, ...]] = (*COUNT_UNITS, "tpm")

    def _learn(self, kept):
        known = self.lengths is not None and len(self.lengths) == len(self.gene_ids)
        if self.unit != "tpm" and not (known and (np.isfinite(self.lengths) & (self.lengths > 0)).all()):
            raise InputProblem(
                f"{self.method} needs the length of every gene; give reference.gtf with all genes of the matrix."
            )

    def _row(self, row):
        if self.unit == "tpm":
            return np.log2(row + 1)
        rate = row / self.lengths[self.kept_]
        return np.log2(1e6 * rate / rate.sum() + 1)


class FPKM(TPM):
    """log2(FPKM + 1) (Mortazavi et al. 2008; edgeR::rpkm): fragments per kilobase and million. Stateless.

    Libraries are counted over the kept genes, as in every method here.
    """

    method = "fpkm"
    units = COUNT_UNITS

    def _row(self, row):
        return np.log2(1e9 * row / self.lengths[self.kept_] / row.sum() + 1)


CLASSES = (
    *(Unnormalized, CPM, TPM, FPKM, TMM, UpperQuartile, MedianOfRatios),
    *(VST, CenteredLogRatio, Rank, Quantile),
)
METHODS = {cls.method: cls for cls in CLASSES}


def make(
    method: str,
    gene_ids: Iterable[str],
    gene_lengths: NDArray[Any] | None = None,
    gene_filter: str | dict[str, Any] = "auto",
    unit: str = "counts",
    missing: str = "refuse",
) -> Normalizer:
    """An unfitted normalizer of `method`, a key of METHODS.

    gene_filter : auto, none, or {auto: bool, min_mean: log2, min_variance: log2 squared, top_variance: n genes}
    missing : what becomes of NaN among logarithms: refuse, mean, knn
    """
    if method not in METHODS:
        raise InputProblem(f"normalization {method!r} is not one of {', '.join(METHODS)}.")
    return METHODS[method](gene_ids, gene_lengths, gene_filter, unit, missing)


def fit(data: Any, expression: Mapping[str, Any], unit: str) -> Normalizer:
    """The normalizer of a split, a split_data.SplitData: gene filter and method, learned from its training samples.

    expression : the config's section; unit : its counts_unit
    """
    made = make(
        expression["normalization"],
        gene_ids=data.cohort.genes,
        gene_lengths=data.cohort.lengths,
        gene_filter=expression["filter"],
        unit=unit,
        missing=expression["missing"],
    )
    # groups: only the class sizes are used
    return made.fit(data.counts(data.train), groups=data.labels(data.train))


def load(path: str | Path) -> Normalizer:
    """The fitted normalizer saved at `path`."""
    arrays, settings = artefact.read(path, KIND)
    fitted = make(gene_lengths=arrays.get("lengths"), **{name: settings[name] for name in SETTINGS})
    for name in ("kept_", "chosen_", "proportions_", *fitted.learned):
        setattr(fitted, name, arrays[name] if arrays[name].ndim else float(arrays[name]))
    if fitted.missing != "refuse":
        parts = {name.removeprefix("imputer."): array for name, array in arrays.items()}
        fitted.imputer_ = Imputer.restore(fitted.missing, parts)
    return fitted


def _expressed(rows):
    """(k,) bool, genes with a count in any sample."""
    expressed = np.zeros(rows.shape[1], dtype=bool)
    for row in rows:
        expressed |= row > 0
    return expressed


def _within(values, trim):
    """(n,) bool, values between the trimmed tails, by R's average ranks.

    Ranks grow with the values, so the two values at the ends decide; a tie there is in or out as a whole.
    """
    low = int(np.floor(len(values) * trim)) + 1
    high = len(values) + 1 - low
    least, most = np.partition(values, (low - 1, high - 1))[[low - 1, high - 1]]
    above = values >= least if _average_rank(values, least) >= low else values > least
    below = values <= most if _average_rank(values, most) <= high else values < most
    return above & below


def _average_rank(values, value):
    """Rank of `value` among `values` as R's rank(): the mean of the ranks its ties share, from 1."""
    less, equal = np.count_nonzero(values < value), np.count_nonzero(values == value)
    return less + (equal + 1) / 2
