"""Differences of models on the same samples and resamples: what makes a sample hard for both cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rna2model.core.errors import InputProblem
from rna2model.evaluation import classification, corrected_intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

COLUMNS = ["model", "against", "metric", "difference", "lower", "upper"]
COLUMNS += ["lower_corrected", "upper_corrected", "comparisons"]


def metrics(task: str) -> list[str]:
    """The metrics whose differences are written; rmse is the proper score of numbers."""
    return [*classification.COMPARED[task], *(["rmse"] if task == "regression" else [])]


def differences(
    predictions: Mapping[str, pd.DataFrame],
    anchors: Sequence[str],
    design: Mapping[str, Any],
    groups: Mapping[str, str] | None = None,
    seed: int = 1,
    n_boot: int = 1000,
    training: Mapping[str, NDArray[Any]] | None = None,
) -> pd.DataFrame:
    """DataFrame of COLUMNS: every model of `predictions` ({model: table}) less every anchor.

    `comparisons` is how many pairs of models and metrics the table has, either way round counted once. Each model is resampled once for each metric, all with the same draws.
    """
    task, rows = design["task"], []
    read = {name: classification._read(task, table, groups, training) for name, table in predictions.items()}
    first = next(iter(read.values()))
    if any(table.rows != first.rows for table in read.values()):
        raise InputProblem("the tables of predictions do not hold the same samples and splits.")
    for metric in metrics(task):
        values = {
            name: corrected_intervals.resampled(table, metric, seed, n_boot) for name, table in read.items()
        }
        for model in read:
            for other in anchors:
                if other != model and other in read:
                    difference = corrected_intervals.difference(values[model], values[other], metric, first)
                    rows.append([model, other, metric, difference["estimate"]])
                    rows[-1] += [difference.get(key) for key in COLUMNS[4:8]]
    order = {name: place for place, name in enumerate(predictions)}
    rows.sort(key=lambda row: (order[row[0]], anchors.index(row[1])))
    different = len({(frozenset(row[:2]), row[2]) for row in rows})
    return pd.DataFrame([[*row, different] for row in rows], columns=COLUMNS)
