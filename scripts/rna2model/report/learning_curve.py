"""A sentence on whether more samples would still help: the gain of the last step of the learning curve, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

LOWER_IS_BETTER = ("brier", "log_loss", "mae", "rmse", "integrated_brier")


def sentence(table: pd.DataFrame | None, shown: Iterable[str]) -> str:
    """Sentence on the last step of a learning curve (learning_curve.COLUMNS) in the first metric of `shown`; empty without a curve."""
    if table is None or "change_lower" not in table or table.empty:
        return ""
    part = table[table["metric"] == next((name for name in shown if name in set(table["metric"])), "")]
    part = part.sort_values("fraction")
    if len(part) < 2 or part["change_lower"].isna().iloc[-1]:
        return ""
    before, last = part.iloc[-2], part.iloc[-1]
    sign = -1 if last["metric"] in LOWER_IS_BETTER else 1
    ends = sorted((sign * last["change_lower"], sign * last["change_upper"]))
    subsets = int(before["subsets"])
    step = (
        f"From {before['n_train']:g} to {last['n_train']:g} training samples {words(last['metric'])} changed by"
        f" {last['change']:+.3f} ({last['change_lower']:+.3f} to {last['change_upper']:+.3f};"
        f" {subsets} subset{'s' * (subsets > 1)} of each fold): "
    )
    if ends[0] > 0:
        return f"{step}more samples would still help."
    if ends[1] < 0:
        return f"{step}fewer samples did better; look for outlying samples or batch effects."
    return f"{step}the interval includes 0, so this cohort cannot tell whether more samples would help."
