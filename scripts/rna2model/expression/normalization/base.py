"""The base class of normalizers: gene filter, checks, missing genes, saving.

Every row is computed by itself, so that a sample gets bit for bit the same numbers alone, in a batch, or
in another order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from rna2model.cohort.sample_rows import SampleRows, each
from rna2model.cohort.units import COUNT_UNITS
from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.expression.features.imputation import Imputer
from rna2model.expression.normalization import gene_filter as filtering

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

KIND = "normalizer"
HALF = 0.5  # of a count, so that none has a logarithm, too (as in limma's voom)
SETTINGS = ("method", "gene_ids", "gene_filter", "unit", "missing")


class Normalizer:
    """A method is a subclass with `_row`, and `_learn` for what it takes from training libraries.

    Attributes
    ----------
    gene_ids : list of str, genes expected as input, in order; genes_ : the output's columns
    kept_ : (n_genes,) bool, genes that are normalised together: those of the libraries, quantiles, ranks
    chosen_ : (n_kept,) bool, of these the ones that are given out; all, unless `gene_filter` is a mapping
    proportions_ : (n_kept,) mean share of each kept gene in the training libraries, for missing genes
    """

    method = ""
    units: ClassVar[tuple[str, ...]] = COUNT_UNITS  # what the values may be
    learned: ClassVar[tuple[str, ...]] = ()  # names of further arrays that `fit` sets

    imputer_: Imputer | None

    def __init__(
        self,
        gene_ids: Iterable[str],
        gene_lengths: NDArray[Any] | None = None,
        gene_filter: str | dict[str, Any] = "auto",
        unit: str = "counts",
        missing: str = "refuse",
    ) -> None:
        if unit not in self.units:
            raise InputProblem(
                f"normalization {self.method!r} needs {' or '.join(self.units)}, but counts_unit is {unit!r};"
                " set expression.normalization to none."
            )
        if missing != "refuse" and unit != "log":
            raise InputProblem(
                f"expression.missing {missing!r} is for logarithms; {unit} have no missing values."
            )
        self.gene_ids, self.gene_filter, self.unit = [str(gene) for gene in gene_ids], gene_filter, unit
        self.lengths = None if gene_lengths is None else np.asarray(gene_lengths, dtype=float)
        self.missing, self.imputer_ = missing, None

    def fit(self, counts: Any, groups: NDArray[Any] | None = None) -> Self:
        """Learn from training libraries: counts (n, n_genes), dense or sparse; groups (n,) labels, for the filter's group
        size."""
        self._fit(counts, groups)
        return self

    def fit_transform(
        self, counts: Any, groups: NDArray[Any] | None = None, dtype: DTypeLike = float
    ) -> NDArray[Any]:
        """`fit`, then `transform` of the same counts, in less time."""
        kept = self._fit(counts, groups)
        return self._given_out(self._of_training(kept), len(kept), dtype)

    def _fit(self, counts, groups):
        """Learn; returns the SampleRows (n, n_kept) of the kept genes."""
        rows = self._checked(counts)
        if not len(rows):
            raise InputProblem("there is no training sample to fit the normalization on.")
        if self.unit != "log":
            _refuse_zerolibraries(rows)
        self.kept_ = self._filter(rows, groups)
        if not self.kept_.any():
            raise InputProblem(
                f"no gene of {len(self.kept_)} has enough counts in the {len(rows)} training samples."
            )
        if self.missing != "refuse":
            self.imputer_ = Imputer(self.missing).fit(np.array(list(rows.only(np.flatnonzero(self.kept_)))))
        kept = self._kept(rows)
        whole = np.ones(len(kept)) if self.unit == "log" else kept.sums()
        self.proportions_ = sum(row / total for row, total in zip(kept, whole, strict=True)) / len(kept)
        self._learn(kept)
        self.chosen_ = np.ones(len(self.proportions_), dtype=bool)
        if isinstance(self.gene_filter, dict):
            self.chosen_ = filtering.by_variation(self.gene_filter, self._of_training(kept))
            if not self.chosen_.any():
                raise InputProblem(
                    f"no gene of {len(self.kept_)} is left by expression.filter {self.gene_filter}."
                )
        return kept

    def transform(self, counts: Any, dtype: DTypeLike = float) -> NDArray[Any]:
        """(m, n_chosen) log2 expression of counts (m, n_genes), dense or sparse, row by row.

        Arithmetic is in float64; `dtype` float32 halves the memory of what is given out.
        """
        kept = self._kept(self._checked(counts))
        return self._given_out(each(self._row, kept), len(kept), dtype)

    def within_sample(self, counts: Any) -> NDArray[np.float64]:
        """(m, n_chosen) log2 values of counts (m, n_genes), in the order that the genes have in each sample; logarithms as
        they are. Of two genes with a and b counts the difference is log2((a + 0.5) / (b + 0.5)), whatever else was counted.
        """
        kept = self._kept(self._checked(counts))
        rows = kept if self.unit == "log" else (np.log2((row + HALF) / (row.sum() + 1) * 1e6) for row in kept)
        return self._given_out(rows, len(kept), float)

    def factors(self, counts: Any) -> NDArray[np.float64]:
        """(m,) dimensionless normalization factors of counts (m, n_genes)."""
        kept = self._kept(self._checked(counts))
        return np.fromiter(each(self._factor, kept), float, len(kept))

    @property
    def genes_(self) -> list[str]:
        kept = np.flatnonzero(self.kept_)[self.chosen_]
        return [self.gene_ids[place] for place in kept]

    def align(self, values: Any, gene_ids: Iterable[str]) -> tuple[NDArray[Any], list[str]]:
        """(values (m, n_genes) in the order of `self.gene_ids`, missing: kept genes that were not given).

        Genes of no interest are dropped. A missing gene gets its mean training share of the library (for
        logarithms its mean), so that its normalised value is about the training mean.
        """
        genes = [str(gene) for gene in gene_ids]
        place = {gene: column for column, gene in enumerate(genes)}
        if len(place) < len(genes):
            _refuse_twice(genes, set(self.gene_ids))
        values = values.toarray() if hasattr(values, "toarray") else SampleRows.of(values).values
        if values.shape[1] != len(genes):
            raise InputProblem(f"the values have {values.shape[1]} columns for {len(genes)} genes.")
        columns = np.array([place.get(gene, -1) for gene in self.gene_ids])
        present = columns >= 0
        absent = self.kept_ & ~present
        aligned = np.zeros((len(values), len(self.gene_ids)), dtype=float if absent.any() else values.dtype)
        aligned[:, present] = values[:, columns[present]]
        if absent.any():
            share = self.proportions_[absent[self.kept_]]
            if self.unit == "log":
                aligned[:, absent] = share
            else:
                sums = SampleRows(aligned, np.flatnonzero(self.kept_)).sums()
                aligned[:, absent] = share * sums[:, None] / max(1 - share.sum(), 1e-9)
        return aligned, [self.gene_ids[place] for place in np.flatnonzero(absent)]

    def save(self, path: str | Path) -> None:
        """Write the fitted normalizer to `path`."""
        names = ("kept_", "chosen_", "proportions_", *self.learned)
        arrays = {name: np.asarray(getattr(self, name)) for name in names}
        if self.lengths is not None:
            arrays["lengths"] = self.lengths
        if self.imputer_ is not None:
            arrays |= {f"imputer.{name}": array for name, array in self.imputer_.arrays().items()}
        settings = {name: getattr(self, name) for name in SETTINGS}
        artefact.write(path, arrays, {"kind": KIND, **settings})

    def _checked(self, counts):
        """SampleRows of checked counts; InputProblem with the place of an impossible value."""
        rows = SampleRows.of(counts)
        if rows.shape[1] != len(self.gene_ids):
            raise InputProblem(
                f"the normalizer expects {len(self.gene_ids)} genes, the samples have {rows.shape[1]}."
            )
        least = -np.inf if self.unit == "log" else 0
        for number, row in enumerate(rows if rows.shape[1] else ()):
            low, high = (np.fmin, np.fmax) if self.missing != "refuse" else (np.minimum, np.maximum)
            if not (least <= low.reduce(row) and -np.inf < low.reduce(row) and high.reduce(row) < np.inf):
                self._explain(row, number)
        return rows

    def _explain(self, row, number):
        """InputProblem that names the first wrong value of a row."""
        wrong = np.isinf(row) if self.missing != "refuse" else ~np.isfinite(row)
        what = "not a finite number"
        if not wrong.any():
            wrong, what = row < 0, "negative"
        if not wrong.any():
            raise InputProblem(f"row {number + 1}: every value is missing; leave the sample out.")
        gene = np.flatnonzero(wrong)[0]
        raise InputProblem(f"row {number + 1}, gene {self.gene_ids[gene]}: {row[gene]} is {what}.")

    def _filter(self, rows, groups):
        """(n_genes,) bool."""
        if filtering.starts_with_auto(self.gene_filter):
            return (
                filtering.by_expression(rows, groups) if self.unit in COUNT_UNITS else filtering.varying(rows)
            )
        if self.missing == "refuse":
            return np.ones(rows.shape[1], dtype=bool)
        return np.any([~np.isnan(row) for row in rows], axis=0)

    def _kept(self, rows):
        """SampleRows of the kept genes, nothing missing, each with something in it."""
        kept = rows.only(np.flatnonzero(self.kept_))
        if self.imputer_ is not None:
            kept = SampleRows(self.imputer_.transform(np.array(list(kept)).reshape(kept.shape)))
        if self.unit != "log":
            _refuse_zerolibraries(kept)
        return kept

    def _given_out(self, expression, count, dtype):
        """(count, n_chosen) of rows (n_kept,) of expression."""
        out = np.empty((count, np.count_nonzero(self.chosen_)), dtype)
        chosen = slice(None) if self.chosen_.all() else self.chosen_
        for place, row in enumerate(expression):
            out[place] = row[chosen]
        return out

    def _of_training(self, kept):
        """`_row` of each of the training SampleRows."""
        return map(self._row, kept)

    def _learn(self, kept):
        """Set the attributes of `learned` from SampleRows (n, n_kept)."""

    def _row(self, row: Any) -> Any:
        """(k,) log2 expression of one sample's kept genes (k,)."""
        raise NotImplementedError

    def _factor(self, row):
        return 1.0


def _refuse_twice(genes, known):
    seen = set()
    for gene in genes:
        if gene in seen and gene in known:
            raise InputProblem(f"gene {gene} is there twice; add up the rows of one gene.")
        seen.add(gene)


def _refuse_zerolibraries(rows):
    empty = [number for number, row in enumerate(rows, start=1) if not row.any()]
    if empty:
        raise InputProblem(f"{len(empty)} samples have no counts in the genes used (first: row {empty[0]}).")
