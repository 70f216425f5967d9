"""Sensitivity, specificity and predictive values at the threshold in use.

The threshold in use is whatever made the column `predicted`: the most probable class, or a cut that was tuned in inner folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.evaluation import classification, corrected_intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

NAMES = ("sensitivity", "specificity", "ppv", "npv")
UNDEFINED = {
    "sensitivity": "no sample is of the class",
    "specificity": "every sample is of the class",
    "ppv": "no sample is called so",
    "npv": "every sample is called so",
}


def looked_at(classes: Sequence[str], positive: str | None = None) -> list[tuple[str, str]]:
    """[(class, ending of its metrics' names)]: of two classes the positive one (the last where none is named), of more each."""
    if len(classes) == 2:
        return [(positive if positive is not None and positive in classes else classes[-1], "")]
    return [(name, f"_{name}") for name in classes]


def metrics(
    predictions: pd.DataFrame,
    groups: Mapping[str, str] | None = None,
    seed: int = 1,
    n_boot: int = 1000,
    positive: str | None = None,
) -> dict[str, Any]:
    """{sensitivity, specificity, ppv, npv: summary with both intervals}; of more than two classes `sensitivity_<class>` ...

    ppv and npv hold only for populations with this cohort's class frequencies.
    """
    table = classification.read(predictions, groups)
    shown = looked_at(table.classes, positive)
    notes = {f"{name}{end}": why for _, end in shown for name, why in UNDEFINED.items()}

    def function(rows, weights):
        shares_of_class = {}
        for name, end in shown:
            number = table.classes.index(name)
            values = shares(table.truth[rows] == number, table.predicted[rows] == number, weights)
            shares_of_class |= {f"{key}{end}": each for key, each in values.items()}
        return shares_of_class

    return corrected_intervals.summaries(table, function, seed, n_boot, notes)


def shares(
    positive: NDArray[np.bool_], called: NDArray[np.bool_], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """{NAMES: (B,)} for positive, called (n,) bool and weights (B, n); NaN if no sample is counted."""
    cells = [positive & called, ~positive & ~called, positive, ~positive, called, ~called]
    right, free, cases, others, yes, no = (weights @ np.array(cells, dtype=float).T).T
    pairs = zip(NAMES, ((right, cases), (free, others), (right, yes), (free, no)), strict=True)
    return {
        name: np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
        for name, (above, below) in pairs
    }
