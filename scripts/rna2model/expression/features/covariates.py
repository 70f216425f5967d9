"""Clinical columns of the sheet as numbers: measured values, and one column for each category seen in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.core.missing import is_missing
from rna2model.expression.features import imputation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


def kind(cells: Iterable[str]) -> str:
    """ "number" where every cell that is not missing is one, else "category"."""
    present = [cell for cell in cells if not is_missing(cell)]
    return "number" if present and all(_is_number(cell) for cell in present) else "category"


def _is_number(cell: str) -> bool:
    try:
        return np.isfinite(float(cell))
    except ValueError:
        return False


class Covariates:
    """Learned from training rows: categories, means and scale, and values for missing cells.

    Attributes
    ----------
    names_ : list of str, the columns of `transform`: `age` for a number, `sex=female` for a category
    """

    def __init__(self, kinds: Mapping[str, str], impute: str = "mean") -> None:
        """kinds : {sheet column: "number" or "category"}; impute : "mean" or "knn"."""
        self.kinds, self.impute = dict(kinds), impute

    def fit(self, cells: Mapping[str, Sequence[str] | NDArray[Any]]) -> Self:
        """cells : {sheet column: (n,) str} of the training samples."""
        self.categories_ = {
            column: sorted({cell for cell in cells[column] if not is_missing(cell)})
            for column, what in self.kinds.items()
            if what == "category"
        }
        self.names_ = [
            name
            for column, what in self.kinds.items()
            for name in (
                [column] if what == "number" else [f"{column}={c}" for c in self.categories_[column]]
            )
        ]
        values = self._values(cells)
        empty = np.isnan(values).all(axis=0)
        if not self.names_ or empty.any():
            which = [name for name, gone in zip(self.names_, empty, strict=True) if gone] or list(self.kinds)
            raise InputProblem(
                f"covariate {', '.join(which)} has no value in the training samples; leave it out of design.covariates."
            )
        self.mean_, sd = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        self.scale_ = np.where(sd > 0, sd, np.inf)
        self.imputer_ = imputation.Imputer(self.impute).fit(self._scaled(values))
        return self

    def transform(self, cells: Mapping[str, Sequence[str] | NDArray[Any]]) -> NDArray[np.float64]:
        """(m, k) standardised values of samples; a missing cell as imputed, a category unknown to training all zeros
        before scaling."""
        values = self._scaled(self._values(cells))
        values[np.isnan(values).all(axis=1)] = (
            self.imputer_.mean_
        )  # a row without any value has no neighbours
        return self.imputer_.transform(values)

    def unknown(self, cells: Mapping[str, Sequence[str] | NDArray[Any]]) -> list[str]:
        """For each sample a text with its categories unknown to training, empty without any."""
        texts = []
        for row in range(len(next(iter(cells.values()), []))):
            new = [
                f"{column} {str(cells[column][row])!r} was not in training"
                for column, known in self.categories_.items()
                if not is_missing(cells[column][row]) and cells[column][row] not in known
            ]
            texts.append("; ".join(new))
        return texts

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"mean": self.mean_, "scale": self.scale_, **self.imputer_.arrays()}

    def settings(self) -> dict[str, Any]:
        return {
            "kinds": self.kinds,
            "impute": self.impute,
            "categories": self.categories_,
            "covariates": self.names_,
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        fitted = cls(settings["kinds"], settings["impute"])
        fitted.categories_, fitted.names_ = settings["categories"], settings["covariates"]
        fitted.mean_, fitted.scale_ = arrays["mean"], arrays["scale"]
        fitted.imputer_ = imputation.Imputer.restore(fitted.impute, arrays)
        return fitted

    def _scaled(self, values):
        return (values - self.mean_) / self.scale_

    def _values(self, cells):
        """(m, k) floats, NaN where the cell is missing."""
        columns = []
        for column, what in self.kinds.items():
            missing = np.array([is_missing(cell) for cell in cells[column]], dtype=bool)
            if what == "number":
                columns.append([_number(column, cell) for cell in cells[column]])
                continue
            for category in self.categories_[column]:
                own = (np.asarray(cells[column]) == category).astype(float)
                columns.append(np.where(missing, np.nan, own))
        rows = len(next(iter(cells.values()), []))
        return np.array(columns, dtype=float).reshape(len(columns), rows).T


def _number(column: str, cell: str) -> float:
    if is_missing(cell):
        return np.nan
    if not _is_number(cell):
        raise InputProblem(
            f"covariate {column}: {cell!r} is not a number, as all values in training are; correct the sheet."
        )
    return float(cell)
