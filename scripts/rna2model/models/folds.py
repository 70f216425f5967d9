"""The inner folds in which a model tunes: training rows only, and what each of them may use."""

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
        """What `own` gives, made anew so that folds do not all stand in memory; or None."""
        return None if self.own is None else self.own()

    def of(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """What this fold trains and validates on."""
        return X if self.own is None else self.own()
