"""Predictions of samples that lack genes or covariates: with an interval, or none where too much depends on what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rna2model.evaluation.predictions import significant
from rna2model.serving import reference_panel as panels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rna2model.serving.bundle import Bundle

LIMIT = 20  # per cent of a prediction's variance that may go with what is missing


def complete(
    table: pd.DataFrame,
    serve: Bundle,
    expression: NDArray[np.float64],
    cells: Mapping[str, NDArray[Any]] | None,
    missing: panels.Missing,
) -> tuple[pd.DataFrame, list[str]]:
    """(table, flags) of Bundle predictions: `lower_` and `upper_` columns for samples that lack something, and no prediction
    for those whose prediction depends on it by more than LIMIT per cent. flags : for each sample a text, may be empty.

    serve : the Bundle; expression (m, p), where missing genes have their training mean; missing : reference_panel.Missing
    """
    flags, rows = [""] * len(table), missing.rows()
    if not len(rows) or serve.panel is None:
        return table, flags
    numbers, names = _numbers(serve), _names(serve)
    if not len(serve.panel.rows_):
        for row in rows:
            flags[row] = (
                "the bundle keeps no training samples (training.panel: 0): how much depends on it is unknown"
            )
        return table, flags
    covariates_given = {
        column: np.asarray(values, dtype=object)[rows] for column, values in (cells or {}).items()
    }
    ends: Any = panels.interval(
        numbers, serve.panel, expression[rows], covariates_given, missing.of_rows(rows)
    )
    shown = np.full((len(table), 2 * len(names)), np.nan)
    shown[rows] = np.stack(ends, axis=2).reshape(len(rows), -1)
    columns = [f"{side}_{name}" for name in names for side in ("lower", "upper")]
    shown = pd.DataFrame(significant(shown), columns=columns, index=table.index)
    table = pd.concat([table, shown], axis=1)
    for (_, covariates), same in missing.patterns().items():
        if same[0] not in rows:
            continue
        share = 100 * panels.dependence(numbers, serve.panel, missing, same[0])
        text = _text(serve, numbers, missing, same[0], covariates, share)
        for row in same:
            flags[row] = text
        if share > LIMIT:
            _blank(table, same)
    return table, flags


def _numbers(serve):
    """Function of expression and covariates that gives (m, c): probabilities, or the one number that is predicted."""

    def numbers(expression, cells):
        X = serve.preprocessing.add_features(expression, cells)
        if serve.model.task == "classification":
            return serve.model.predict_proba(X)
        return np.asarray(serve.model.predict(X), dtype=float)[:, None]

    return numbers


def _names(serve):
    """Names of the predicted numbers: the classes, or `predicted`."""
    return list(serve.model.classes_) if serve.model.task == "classification" else ["predicted"]


def _text(serve, numbers, missing, row, covariates, share):
    """The flag of a sample that lacks genes or covariates."""
    genes = np.array(serve.preprocessing.normalizer.genes_, dtype=object)
    named = genes[panels.closest(numbers, serve.panel, missing.genes[row])].tolist() + list(covariates)
    if share > LIMIT:
        return (
            f"not predicted: {share:.0f} % of what the model predicts goes with genes or covariates that are missing"
            f" (limit {LIMIT} %), above all {', '.join(named)}"
        )
    return (
        f"{share:.1f} % of what the model predicts goes with what is missing: see the columns lower and upper"
    )


def _blank(table, rows):
    """Empty the predictions in `rows` of the table."""
    labels = table.index[rows]
    outputs = ("predicted", "risk_group")
    for name in table.columns:
        if name in outputs or name.startswith(("prob_", "survival_", "curve_")):
            if name in outputs and table[name].dtype.kind not in "f":
                table[name] = table[name].astype(object)
            table.loc[labels, name] = "" if table[name].dtype == object else np.nan
