"""What all normalizers share: the gene filter, the checks, missing genes, saving.

Every row is computed by itself, so that a sample gets bit for bit the same numbers alone, in a batch, or
in another order.
"""

import numpy as np

from rna2model import artefact, filtering
from rna2model.errors import InputProblem

KIND = "normalizer"
COUNT_UNITS = ("counts", "expected_counts")


class Normalizer:
    """A method is a subclass with `_row`, and `_learn` for what it takes from training libraries.

    Attributes
    ----------
    gene_ids : list of str, genes expected as input, in order; genes_ : those kept, the output's columns
    kept_ : (n_genes,) bool
    proportions_ : (n_kept,) mean share of each kept gene in the training libraries, for missing genes
    """

    method = ""
    units = COUNT_UNITS  # what the values may be
    learned = ()  # names of further arrays that `fit` sets

    def __init__(self, gene_ids, gene_lengths=None, gene_filter="auto", unit="counts"):
        if unit not in self.units:
            raise InputProblem(
                f"normalization {self.method!r} needs {' or '.join(self.units)}, but counts_unit is {unit!r};"
                " set expression.normalization to none."
            )
        self.gene_ids, self.gene_filter, self.unit = [str(gene) for gene in gene_ids], gene_filter, unit
        self.lengths = None if gene_lengths is None else np.asarray(gene_lengths, dtype=float)

    def fit(self, counts, groups=None):
        """Learn from training libraries: counts (n, n_genes); groups (n,) labels, for the filter's group size."""
        counts = self._checked(counts)
        if not len(counts):
            raise InputProblem("there is no training sample to fit the normalization on.")
        if self.unit != "log":
            _refuse_zerolibraries(counts)
        self.kept_ = self._filter(counts, groups)
        if not self.kept_.any():
            raise InputProblem(
                f"no gene of {len(self.kept_)} has enough counts in the {len(counts)} training samples."
            )
        kept = self._kept(counts)
        whole = np.ones(len(kept)) if self.unit == "log" else libraries(kept)
        self.proportions_ = sum(row / total for row, total in zip(kept, whole, strict=True)) / len(kept)
        self._learn(kept)
        return self

    def transform(self, counts):
        """(m, n_kept) log2 expression of counts (m, n_genes), row by row."""
        kept = self._kept(self._checked(counts))
        return each(self._row, kept, out=np.empty(kept.shape))

    def factors(self, counts):
        """(m,) dimensionless normalization factors of counts (m, n_genes)."""
        kept = self._kept(self._checked(counts))
        return each(self._factor, kept, out=np.empty(len(kept)))

    @property
    def genes_(self):
        return [gene for gene, kept in zip(self.gene_ids, self.kept_, strict=True) if kept]

    def align(self, values, gene_ids):
        """(values (m, n_genes) in the order of `self.gene_ids`, missing: kept genes that were not given).

        Genes of no interest are dropped. A missing gene gets its mean training share of the library (for
        logarithms its mean), so that its normalised value is about the training mean.
        """
        place = {}
        for column, gene in enumerate(map(str, gene_ids)):
            if place.setdefault(gene, column) != column and gene in self.gene_ids:
                raise InputProblem(f"gene {gene} is there twice; add up the rows of one gene.")
        values = _numbers(values)
        found = np.array([gene in place for gene in self.gene_ids])
        aligned = np.zeros((len(values), len(self.gene_ids)))
        aligned[:, found] = values[:, [place[gene] for gene in self.gene_ids if gene in place]]
        absent = self.kept_ & ~found
        if absent.any():
            share = self.proportions_[absent[self.kept_]]
            if self.unit == "log":
                aligned[:, absent] = share
            else:
                whole = aligned[:, self.kept_].sum(axis=1, keepdims=True) / max(1 - share.sum(), 1e-9)
                aligned[:, absent] = share * whole
        return aligned, [gene for gene, gone in zip(self.gene_ids, absent, strict=True) if gone]

    def save(self, path):
        """Write the fitted normalizer to `path`."""
        names = ("kept_", "proportions_", *self.learned)
        arrays = {name: np.asarray(getattr(self, name)) for name in names}
        if self.lengths is not None:
            arrays["lengths"] = self.lengths
        settings = {name: getattr(self, name) for name in ("method", "gene_ids", "gene_filter", "unit")}
        artefact.write(path, arrays, {"kind": KIND, **settings})

    def _checked(self, counts):
        counts = _numbers(counts)
        if counts.shape[1] != len(self.gene_ids):
            raise InputProblem(
                f"the normalizer expects {len(self.gene_ids)} genes, the samples have {counts.shape[1]}."
            )
        if not np.isfinite(counts).all():
            row, gene = np.argwhere(~np.isfinite(counts))[0]
            raise InputProblem(
                f"row {row + 1}, gene {self.gene_ids[gene]}: {counts[row, gene]} is not a finite number."
            )
        if self.unit != "log" and (counts < 0).any():
            row, gene = np.argwhere(counts < 0)[0]
            raise InputProblem(f"row {row + 1}, gene {self.gene_ids[gene]}: {counts[row, gene]} is negative.")
        return counts

    def _filter(self, counts, groups):
        if self.gene_filter == "none":
            return np.ones(counts.shape[1], dtype=bool)
        if self.unit in COUNT_UNITS:
            return filtering.by_expression(counts, groups)
        return np.ptp(counts, axis=0) > 0  # not the variance: that of a constant can be rounding

    def _kept(self, counts):
        """(m, n_kept), rows contiguous, each with something in it."""
        kept = np.compress(self.kept_, counts, axis=1)
        if self.unit != "log":
            _refuse_zerolibraries(kept)
        return kept

    def _learn(self, kept):
        """Set the attributes of `learned` from counts (n, n_kept)."""

    def _factor(self, row):
        return 1.0


def each(compute, rows, out):
    """`out` (m, ...) filled with compute(row) of each row alone; an InputProblem says which row it was."""
    for number, row in enumerate(rows):
        try:
            out[number] = compute(row)
        except InputProblem as problem:
            raise InputProblem(f"row {number + 1}: {problem}") from None
    return out


def libraries(counts):
    """(m,) library sizes, each summed as `row.sum()` sums it, bit for bit."""
    return np.array([row.sum() for row in counts])


def _numbers(values):
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputProblem(f"expression values must be numbers ({error}).") from None


def _refuse_zerolibraries(counts):
    empty = np.flatnonzero(~counts.any(axis=1))
    if len(empty):
        raise InputProblem(
            f"{len(empty)} samples have no counts in the genes used (first: row {empty[0] + 1})."
        )
