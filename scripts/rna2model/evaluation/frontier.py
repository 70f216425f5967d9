"""How good a panel of each size is: out of fold, each fold's own panel of that size, and in the inner folds that chose the size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rna2model.evaluation import classification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = ["size", "genes", "metric", "estimate", "lower", "upper"]
COLUMNS += ["inner", "inner_lower", "inner_upper", "folds_chosen", "shipped"]
Z95 = 1.959964


def table(
    predictions: Mapping[int, pd.DataFrame],
    final: Any,
    folds: Sequence[Any],
    shown: Sequence[str],
    **options: Any,
) -> pd.DataFrame:
    """DataFrame of COLUMNS: the metrics `shown` of each size with 95 % intervals, which size predicts and in how many folds it did.

    predictions : {size: out-of-fold predictions by the panels of that size}; final : the model of all samples; folds : those of the
    folds; options : of classification.metrics. `inner`, of balanced accuracy: the mean over the final model's inner folds and
    1.96 standard errors to either side; empty where there were none.
    """
    inner = {one["size"]: one for one in final.settings_.get("frontier", ())}
    chosen = [model.size_ for model in folds]
    rows: list[Any] = []
    for size in sorted(predictions):
        scores = classification.metrics(predictions[size], **options)
        genes = len(final.panels_[size].genes)
        for name in (name for name in shown if name in scores):
            within: list[Any] = [None] * 3
            if name == "balanced_accuracy" and size in inner:
                middle, reach = inner[size]["balanced_accuracy"], Z95 * inner[size]["se"]
                within = [middle, max(middle - reach, 0.0), min(middle + reach, 1.0)]
            value = [scores[name][key] for key in ("estimate", "lower", "upper")]
            rows.append(
                [size, genes, name, *value, *within, chosen.count(size) / len(chosen), size == final.size_]
            )
    return pd.DataFrame(rows, columns=COLUMNS)
