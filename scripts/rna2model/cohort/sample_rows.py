"""Process a samples x genes matrix row by row, so that a large cohort is never copied to float64 as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray


class SampleRows:
    """The samples of values (n, g), dense or sparse (scipy), of any number type; each row comes as its own float64 array.

    columns : (k,) int, the columns that are taken, or None for all
    """

    def __init__(self, values: Any, columns: NDArray[Any] | None = None) -> None:
        self.values, self.columns = values, columns
        self.is_sparse = hasattr(values, "indptr")

    @classmethod
    def of(cls, values: Any) -> SampleRows:
        """SampleRows of anything that holds numbers in two dimensions; InputProblem for text."""
        if isinstance(values, cls):
            return values
        if hasattr(values, "tocsr"):
            values = values.tocsr()
            if not values.has_canonical_format:
                values = values.copy()
                values.sum_duplicates()
            return cls(values)
        values = np.asarray(values)
        if values.dtype.kind not in "iufb":
            try:
                values = values.astype(float)
            except (TypeError, ValueError) as error:
                raise InputProblem(f"expression values must be numbers ({error}).") from None
        return cls(values)

    def __len__(self) -> int:
        return self.values.shape[0]

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> NDArray[np.float64]:
        if self.is_sparse:
            row, values = np.zeros(self.values.shape[1]), self.values
            part = slice(values.indptr[number], values.indptr[number + 1])
            row[values.indices[part]] = values.data[part]
        else:
            row = np.array(self.values[number], dtype=float)
        return row if self.columns is None else row[self.columns]

    @property
    def shape(self) -> tuple[int, int]:
        """(n samples, k columns taken)."""
        return len(self), self.values.shape[1] if self.columns is None else len(self.columns)

    def only(self, columns: NDArray[Any]) -> SampleRows:
        """The same samples with `columns` (k,) int of the present ones."""
        return SampleRows(self.values, columns if self.columns is None else self.columns[columns])

    def sums(self) -> NDArray[np.float64]:
        """(n,) sum of each sample, as `row.sum()` sums it, bit for bit."""
        return np.array([row.sum() for row in self])


def each(compute: Callable[[Any], Any], rows: Iterable[Any]) -> Iterator[Any]:
    """compute(row) of each row alone, one after the other; an InputProblem says which row it was."""
    for number, row in enumerate(rows, start=1):
        try:
            yield compute(row)
        except InputProblem as problem:
            raise InputProblem(f"row {number}: {problem}") from None
