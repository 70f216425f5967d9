"""The inner folds in which a model tunes: training rows only, and the data that each fold may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


class Fold(tuple):
    """An inner fold, (training rows, validation rows). `own`: function that gives what the fold may use, (n, k), where its
    columns or made-up rows come from its own training rows; otherwise None, and the fold uses the rows of the fit.
    """

    own: Callable[[], Any] | None = None

    @property
    def X(self) -> NDArray[np.float64] | None:
        """The rows from `own`, computed on each call so that not all folds are in memory; or None."""
        return None if self.own is None else self.own()

    def of(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rows that this fold trains and validates on."""
        return X if self.own is None else self.own()
