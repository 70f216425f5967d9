"""Figure of a panel's scores by the number of its genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.report.figures.style import BLUE, axis, error, line
from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def frontier(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Scores by the size of the panel, with 95 % intervals; None without a panel."""
    table = run.get("frontier")
    if table is None or table.empty:
        return None
    choices = {}
    for metric, part in table.groupby("metric", sort=False):
        part = part[part["estimate"].notna()].sort_values("size")
        if len(part):
            points = line(part["size"], part["estimate"], "panel", BLUE, mode="lines+markers")
            points["error_y"] = error(part["estimate"], part["lower"], part["upper"])
            choices[words(metric)] = [points]
    layout = {"height": 300, "xaxis": axis("genes at most", rangemode="tozero"), "yaxis": axis("score")}
    return {"choices": choices, "layout": layout} if choices else None


def sentence(table: pd.DataFrame | None) -> str:
    """Which size is shipped and what it loses to the best, out of fold; empty without a table."""
    if table is None or table.empty:
        return ""
    part = table[table["metric"] == "balanced_accuracy"].sort_values("size")
    part = part[part["estimate"].notna()]
    own = part[part["shipped"].astype(str) == "True"]
    if own.empty:
        return ""
    own, best = own.iloc[0], part.loc[part["estimate"].idxmax()]
    text = (
        f"The panel of at most {own['size']} genes is used: {words('balanced_accuracy')} {own['estimate']:.3f}"
        f" ({own['lower']:.3f} to {own['upper']:.3f})"
    )
    if best["size"] == own["size"]:
        return f"{text}, which no other size exceeds."
    return f"{text}; with {best['size']} it is {best['estimate']:.3f} ({best['lower']:.3f} to {best['upper']:.3f})."
