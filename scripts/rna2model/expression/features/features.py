"""From expression to the columns that a model sees: genes or scores of gene sets, and clinical covariates beside them.

Learned without labels, on the training rows of a split; what needs labels is in selection.py, inside the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.expression.features.covariates import Covariates
from rna2model.expression.features.gene_sets import ssgsea

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

KIND = "features"


class Features:
    """Gene-set scores (`mean_z`, `ssgsea`) instead of genes, and covariates of equal weight as a block.

    sets : {name: (k,) columns of the expression} or None for the genes themselves
    score : "mean_z", the mean of genes standardised by the training rows (Lee et al. 2008), or "ssgsea"
    covariates : {sheet column: "number" or "category"}; impute : "mean" or "knn", for their missing cells

    Attributes
    ----------
    names_ : list of str, columns of `transform`; the last `n_covariates_` of them are covariates
    """

    def __init__(
        self,
        genes: Iterable[Any],
        sets: Mapping[str, NDArray[Any]] | None = None,
        score: str = "mean_z",
        covariates: Mapping[str, str] | None = None,
        impute: str = "mean",
    ) -> None:
        self.genes, self.sets, self.score = [str(gene) for gene in genes], sets, score
        self.covariates = Covariates(covariates, impute) if covariates else None

    def fit(self, X: NDArray[Any], cells: Mapping[str, Sequence[str] | NDArray[Any]] | None = None) -> Self:
        """X (n, p) log2 expression; cells {sheet column: (n,) str} of the covariates."""
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        sd = X.std(axis=0, dtype=np.float64)
        self.scale_ = np.where(sd > 0, sd, np.inf)
        scores = self._scores(X)
        self.names_, self.n_covariates_, self.weight_ = self._column_names(), 0, 0.0
        if self.covariates:
            assert cells is not None  # where there are covariates
            self.covariates.fit(cells)
            self.n_covariates_ = len(self.covariates.names_)
            self.names_ += self.covariates.names_
            # models scale by the square root of the sd: then both blocks have the same variance in all
            self.weight_ = float(scores.std(axis=0, dtype=np.float64).sum()) / self.n_covariates_ or 1.0
        return self

    def transform(
        self, X: NDArray[Any], cells: Mapping[str, Sequence[str] | NDArray[Any]] | None = None
    ) -> NDArray[Any]:
        """(m, len(names_)) features of samples, row by row."""
        scores = self._scores(X)
        if not self.covariates:
            return scores
        assert cells is not None  # where there are covariates
        return np.column_stack([scores, self.weight_ * self.covariates.transform(cells)])

    @property
    def always_(self) -> NDArray[np.bool_]:
        """(p,) bool, columns that no selection removes."""
        return np.arange(len(self.names_)) >= len(self.names_) - self.n_covariates_

    def flags(
        self, cells: Mapping[str, Sequence[str] | NDArray[Any]] | None, samples: Sequence[str]
    ) -> list[str]:
        """A flag about the covariates of each sample, or an empty text."""
        if not self.covariates:
            return [""] * len(samples)
        assert cells is not None  # where there are covariates
        return self.covariates.unknown(cells)

    def save(self, path: str | Path) -> None:
        arrays = {"mean": self.mean_, "scale": self.scale_}
        settings = {"kind": KIND, "genes": self.genes, "score": self.score, "names": self.names_}
        settings |= {"weight": self.weight_, "sets": None, "covariates": None}
        if self.sets is not None:
            settings["sets"] = list(self.sets)
            arrays |= {f"set{number}": columns for number, columns in enumerate(self.sets.values())}
        if self.covariates:
            settings["covariates"] = self.covariates.settings()
            arrays |= {f"covariates.{name}": array for name, array in self.covariates.arrays().items()}
        artefact.write(path, arrays, settings)

    def _column_names(self):
        return list(self.genes if self.sets is None else self.sets)

    def _scores(self, X):
        if X.shape[1] != len(self.genes):
            raise InputProblem(f"the features expect {len(self.genes)} genes, the samples have {X.shape[1]}.")
        if self.sets is None:
            return X
        out = np.empty((len(X), len(self.sets)))
        columns = list(self.sets.values())
        for number, row in enumerate(X):
            if self.score == "ssgsea":
                out[number] = ssgsea(row, columns)
            else:
                z = (row - self.mean_) / self.scale_
                out[number] = [z[genes].mean() for genes in columns]
        return out


def load(path: str | Path) -> Features:
    """The fitted Features stored at `path`."""
    arrays, settings = artefact.read(path, KIND)
    sets = settings["sets"] and {name: arrays[f"set{i}"] for i, name in enumerate(settings["sets"])}
    fitted = Features(settings["genes"], sets, settings["score"])
    fitted.mean_, fitted.scale_ = arrays["mean"], arrays["scale"]
    fitted.names_, fitted.weight_, fitted.n_covariates_ = settings["names"], settings["weight"], 0
    if settings["covariates"]:
        own = {
            name.removeprefix("covariates."): array
            for name, array in arrays.items()
            if name.startswith("covariates.")
        }
        fitted.covariates = Covariates.restore(own, settings["covariates"])
        fitted.n_covariates_ = len(fitted.covariates.names_)
    return fitted
