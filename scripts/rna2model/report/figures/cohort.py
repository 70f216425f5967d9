"""Figures of the samples themselves: reads, principal components, and what explains their variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rna2model.qc import gate
from rna2model.report.figures.style import BLUE, COLOURS, GREY, ORANGE, RED, axis, plain
from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

STATUS = {"included": BLUE, "excluded": RED}
FOUND = (
    "status",
    "strandedness",
    "inferred_sex",
)  # columns of the gate that colour samples, after the sheet's own
MOST_LEVELS = 20  # of a column that colours by value; the rarest of more become one
MOST_NAMES = 60  # samples that an axis names
LIMITS = ("min_reads", "min_mapped_pct", "min_assigned_pct")  # of `qc`, in the order of the rows of a figure
OTHER = "(other)"


def quality(samples: pd.DataFrame, limits: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Reads, mapped and assigned share of every sample, the excluded ones in another colour; None for a matrix.

    limits : {min_reads, min_mapped_pct, min_assigned_pct}, drawn as dotted lines
    """
    if not samples["reads"].notna().any():
        return None
    ordered, traces = samples.sort_values("sample"), []
    for row, column in enumerate(("reads", "mapped_pct", "assigned_pct")):
        for status, colour in STATUS.items():
            part = ordered[ordered["status"] == status]
            trace = {"type": "bar", "name": status, "legendgroup": status, "showlegend": row == 0}
            trace |= {"x": part["sample"].tolist(), "y": plain(part[column]), "marker": {"color": colour}}
            trace |= {
                "customdata": part["reason"].tolist(),
                "hovertemplate": "%{x}: %{y} %{customdata}<extra></extra>",
            }
            traces.append({**trace, "yaxis": f"y{row + 1}" if row else "y"})
    named = len(ordered) <= MOST_NAMES
    layout: dict[str, Any] = {"height": 520, "barmode": "stack", "bargap": 0.2 if named else 0}
    layout["xaxis"] = axis("" if named else "samples by name", type="category", anchor="y3", tickangle=-60)
    layout["xaxis"] |= {"categoryorder": "array", "categoryarray": ordered["sample"].tolist()}
    layout["xaxis"]["showticklabels"] = named
    for row, title in enumerate(("reads", "mapped %", "in genes %")):
        top = 1 - row * 0.35
        layout[f"yaxis{'' if row == 0 else row + 1}"] = axis(title, domain=[max(top - 0.3, 0), top])
    layout["shapes"] = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": f"y{row + 1}" if row else "y"}
        | {"y0": value, "y1": value, "line": {"color": ORANGE, "width": 2, "dash": "dot"}}
        for row, value in enumerate((limits or {}).get(key) for key in LIMITS)
        if value
    ]
    return {"data": traces, "layout": layout}


def pca(run: Mapping[str, Any]) -> dict[str, Any]:
    """Principal components before and after batch correction, with every column that can colour them."""
    samples = run["samples"].set_index("sample")
    samples = samples[samples.index.isin(run["components"]["sample"])]
    columns = {name: _colours(samples[name]) for name in colouring(samples, run["first"])}
    place = {name: row for row, name in enumerate(samples.index)}
    layout: dict[str, Any] = {"height": 440}
    views = []
    names = list(dict.fromkeys(run["components"]["view"]))
    width = 0.44 if len(names) > 1 else 1
    for number, view in enumerate(names):
        part = run["components"][run["components"]["view"] == view]
        second = part["PC2"] if "PC2" in part else np.zeros(len(part))
        rows = [place[name] for name in part["sample"]]
        views.append({"rows": rows, "x": plain(part["PC1"]), "y": plain(second), "name": words(view)})
        suffix, left, shares = number + 1 if number else "", number * 0.56, part.iloc[0]
        title = f"PC1 ({shares['pc1_pct']:g} %)<br>{words(view)}"
        placed = {"domain": [left, left + width], "anchor": f"y{suffix}", "zeroline": False}
        layout[f"xaxis{suffix}"] = axis(title, **placed)
        share = shares.get("pc2_pct", 0)
        layout[f"yaxis{suffix}"] = axis(f"PC2 ({share:g} %)", anchor=f"x{suffix}", zeroline=False)
    cloud = {"samples": samples.index.tolist(), "views": views, "columns": columns, "colours": COLOURS}
    return {"cloud": cloud, "choices": dict.fromkeys(columns), "layout": layout}


def colouring(samples: pd.DataFrame, first: Collection[str] = ()) -> list[str]:
    """Columns to colour samples by: `first`, then metadata in the sheet's order, then technical ones; never the gate's numbers."""
    columns = [c for c in samples if c != "sample" and (c not in gate.COLUMNS or c in FOUND)]
    informative = [c for c in columns if _is_number(samples[c]) or _groups(samples[c])]
    return sorted(informative, key=lambda c: (c not in first, c in FOUND, samples[c].nunique() < 2)) or [
        "status"
    ]


def _groups(cells: pd.Series) -> bool:
    """Whether text cells group the samples; a column with a different name for each of many samples does not."""
    return cells.nunique() <= MOST_LEVELS or cells.nunique() < len(cells)


def _is_number(cells: pd.Series) -> bool:
    """Whether cells are numbers with more distinct values than groups would have."""
    values = pd.to_numeric(cells[cells != ""], errors="coerce")
    return values.notna().all() and values.nunique() > 8


def _colours(cells: pd.Series) -> dict[str, Any]:
    """{kind: number, values} or {kind: class, levels, values: number of the level} of a column's cells."""
    if _is_number(cells):
        return {"kind": "number", "values": plain(pd.to_numeric(cells, errors="coerce"))}
    cells = cells.replace("", "(empty)")
    common = cells.value_counts(sort=True).index
    if len(common) > MOST_LEVELS:
        cells = cells.where(cells.isin(common[: MOST_LEVELS - 1]), OTHER)
    levels = sorted(set(cells), key=lambda level: (level in (OTHER, "(empty)"), level))
    order = {level: number for number, level in enumerate(levels)}
    return {"kind": "class", "levels": levels, "values": [order[cell] for cell in cells]}


def variance(diagnostics: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Shares of expression variance that batch and target explain, before and after correction; None without a target."""
    views = {
        name: view["variance"]
        for name, view in (diagnostics or {}).get("views", {}).items()
        if view["variance"]
    }
    if not views:
        return None
    parts = {
        "batch": ("batch alone", RED),
        "shared": ("batch or target, not to be told apart", COLOURS[4]),
        "target": ("target alone", BLUE),
        "rest": ("neither", GREY),
    }
    traces = []
    for part, (name, colour) in parts.items():
        shares = [max(view.get(part, 0.0), 0.0) for view in views.values()]
        if any(part in view for view in views.values()):
            trace: dict[str, Any] = {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "marker": {"color": colour},
            }
            trace |= {"x": plain(np.array(shares) * 100), "y": [words(view) for view in views]}
            traces.append({**trace, "hovertemplate": f"{name}: %{{x:.1f}} %<extra>%{{y}}</extra>"})
    layout = {"height": 130 + 45 * len(views), "barmode": "stack"}
    layout |= {"xaxis": axis("% of variance on the first components", range=[0, 100])}
    return {"data": traces, "layout": {**layout, "yaxis": axis("", autorange="reversed")}}
