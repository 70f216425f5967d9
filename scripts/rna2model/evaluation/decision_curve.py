"""Net benefit of acting on a model, with intervals (Vickers & Elkin 2006; Vickers et al. 2008)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rna2model.evaluation import bootstrap, classification, corrected_intervals
from rna2model.evaluation.operating_point import looked_at

if TYPE_CHECKING:
    from collections.abc import Mapping

THRESHOLDS = np.arange(1, 100) / 100
ENDS = ["lower", "upper", "lower_corrected", "upper_corrected"]
COLUMNS = ["outcome", "threshold", "net_benefit", *ENDS, "everybody"]
COLUMNS += ["advantage", *(f"advantage_{end}" for end in ENDS)]


def table(
    predictions: pd.DataFrame,
    groups: Mapping[str, str] | None = None,
    seed: int = 1,
    n_boot: int = 1000,
    positive: str | None = None,
) -> pd.DataFrame:
    """DataFrame of COLUMNS: of two classes the positive one, of more each.

    net_benefit : true positives less false ones at the odds of the threshold, per sample; everybody : the same of acting on
    all; advantage : net benefit less the better of acting on all and on nobody, from the same resamples
    """
    rows = classification.read(predictions, groups)
    frames = [_of_class(rows, name, seed, n_boot) for name, _ in looked_at(rows.classes, positive)]
    return pd.concat(frames, ignore_index=True).round({name: 9 for name in COLUMNS[1:]})


def _of_class(table, name, seed, n_boot):
    number = table.classes.index(name)
    positive, probability = table.truth == number, table.probabilities[:, number]
    odds = THRESHOLDS / (1 - THRESHOLDS)

    def function(rows, weights):
        cases, called = positive[rows, None], probability[rows, None] >= THRESHOLDS
        total = weights.sum(axis=1, keepdims=True)
        benefit = weights @ np.where(called, np.where(cases, 1.0, -odds), 0.0) / total
        share = weights @ positive[rows, None] / total
        everybody = share - (1 - share) * odds
        return {"benefit": benefit, "everybody": everybody, "advantage": benefit - np.maximum(everybody, 0)}

    values = corrected_intervals.bootstrap(table, function, seed, n_boot)
    made = []
    for k, threshold in enumerate(THRESHOLDS):
        summaries = {
            key: bootstrap.summary(key, values[key][:, k], 0, {}) for key in ("benefit", "advantage")
        }
        summaries = corrected_intervals.widen(summaries, table)
        row = [name, threshold, *(summaries["benefit"].get(key) for key in ("estimate", *ENDS))]
        row += [values["everybody"][0, k], *(summaries["advantage"].get(key) for key in ("estimate", *ENDS))]
        made.append(row)
    return pd.DataFrame(made, columns=COLUMNS)
