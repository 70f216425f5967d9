"""Values for cells that are missing (NaN), learned on training samples and frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

METHODS = ("mean", "knn")
WITH_GAPS = ("imputer.training_", "covariates.training_")  # arrays of artefacts that may hold NaN
NEIGHBOURS = 5  # scikit-learn's default; Troyanskaya et al. 2001 find 10 to 20 as good


class Imputer:
    """Mean of the training samples, or of the nearest ones (Troyanskaya et al. 2001; scikit-learn's KNNImputer).

    Any table of numbers: expression, or clinical covariates (scale those to one unit for `knn`). A column without any
    training value is dropped. Every row is filled by itself, from training rows only.

    Attributes
    ----------
    seen_ : (g,) bool, columns with a training value: those that `transform` gives
    mean_ : (g seen,) mean of each over the training rows that have it
    training_ : (n, g seen) with NaN, the rows that neighbours are looked for in; (0, g seen) for `mean`
    """

    learned = ("seen_", "mean_", "training_")

    def __init__(self, method: str) -> None:
        if method not in METHODS:
            raise InputProblem(f"imputation {method!r} is not one of {', '.join(METHODS)}.")
        self.method = method

    def fit(self, values: NDArray[Any]) -> Self:
        """Learn from training values (n, g), NaN where missing."""
        values = np.asarray(values, dtype=float)
        present = ~np.isnan(values)
        self.seen_ = present.any(axis=0)
        seen, count = values[:, self.seen_], present[:, self.seen_].sum(axis=0)
        self.mean_ = np.nansum(seen, axis=0) / count
        self.training_ = seen.copy() if self.method == "knn" else seen[:0].copy()
        self._knn: Any = None
        return self

    def transform(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """(m, g seen) with no cell missing, row by row; InputProblem for a row without a single value."""
        values = np.array(np.asarray(values, dtype=float)[:, self.seen_])
        gone = np.isnan(values)
        empty: Any = np.flatnonzero(gone.all(axis=1)) if values.shape[1] else []
        if len(empty):
            raise InputProblem(f"row {empty[0] + 1}: every value is missing; leave the sample out.")
        for row in np.flatnonzero(gone.any(axis=1)):
            values[row, gone[row]] = self._fill(values[row])[gone[row]]
        return values

    def _fill(self, row):
        """Values (g seen,) of which those missing in `row` are used."""
        if self.method == "mean":
            return self.mean_
        if self._knn is None:
            from sklearn.impute import KNNImputer

            self._knn = KNNImputer(n_neighbors=min(NEIGHBOURS, len(self.training_))).fit(self.training_)
        return self._knn.transform(row[None])[0]  # alone: in company the distances would round differently

    def arrays(self) -> dict[str, NDArray[Any]]:
        """{name: array} from which `restore` makes the same imputer."""
        return {name: np.asarray(getattr(self, name)) for name in self.learned}

    @classmethod
    def restore(cls, method: str, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The fitted imputer of `arrays`."""
        fitted = cls(method)
        for name in cls.learned:
            setattr(fitted, name, arrays[name])
        fitted._knn = None
        return fitted


def missing_share(values: NDArray[Any]) -> NDArray[np.float64]:
    """(m,) percentage of the cells of each row (m, g) that are NaN."""
    return 100 * np.isnan(np.asarray(values, dtype=float)).mean(axis=1)
