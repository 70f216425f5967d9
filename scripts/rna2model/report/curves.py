"""Bands of corrected intervals around the shipped model's smooth calibration and decision curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.report.figures.style import BLUE, line

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

BAND = "rgba(0,114,178,0.15)"


def smooth(run: Mapping[str, Any], outcome: str) -> list[dict[str, Any]]:
    """[band, curve] of the smooth calibration curve; nothing where the run has none."""
    part = _of(run, "calibration_curve", outcome)
    if part is None:
        return []
    curve = line(part["predicted"], part["observed"], f"{run['shipped']}, smooth", BLUE, dash="dot")
    return [_band(part["predicted"], part, run["shipped"]), curve]


def benefit(run: Mapping[str, Any], outcome: str) -> list[dict[str, Any]]:
    """[band] of the decision curve; nothing where the run has none."""
    part = _of(run, "decision_curve", outcome)
    return [] if part is None else [_band(part["threshold"], part, run["shipped"])]


def _of(run: Mapping[str, Any], key: str, outcome: str) -> pd.DataFrame | None:
    table = run.get(key)
    if table is None:
        return None
    part = table[table["outcome"] == outcome]
    return part if len(part) else None


def _band(x: pd.Series, part: pd.DataFrame, name: str) -> dict[str, Any]:
    """A filled area between the ends of the corrected interval, or of the bootstrap's if there is none."""
    ends = [part[f"{end}_corrected"].fillna(part[end]).to_numpy() for end in ("lower", "upper")]
    known = np.isfinite(ends[0]) & np.isfinite(ends[1])
    x, lower, upper = x.to_numpy()[known], ends[0][known], ends[1][known]
    trace = line(np.r_[x, x[::-1]], np.r_[lower, upper[::-1]], f"{name}, 95 %", BLUE, hoverinfo="skip")
    return trace | {"fill": "toself", "fillcolor": BAND, "line": {"color": BLUE, "width": 0}}
