"""Figures of genes: what the shipped model uses, how it is expressed, and what differs between the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.report.figures.style import BLUE, COLOURS, DIVERGING, GREY, RED, axis, line, plain
from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

SHOWN_FEATURES = 20
MOST_POINTS, LEVEL = 4000, 0.05  # genes of a volcano, false discovery rate
NAMED = 10  # genes of a volcano
MOST_STRIPES = len(COLOURS) - 1  # classes that have a colour of their own


def effects(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The strongest features with their spread over folds; a choice for each explained class."""
    table = run["features"]
    if table is None or table.empty:
        return None
    table = table.assign(label=_labels(table), above=table.get("above_control", ""))
    choices, shown = {}, []
    for name, part in table.groupby("class", sort=False):
        part = part.iloc[np.argsort(-part["effect"].abs().to_numpy(), kind="stable")[:SHOWN_FEATURES]]
        shown += part["label"].tolist()
        looks = {"True": ("above shuffled labels", BLUE), "False": ("not above shuffled labels", GREY)}
        looks = looks if part["above"].isin(list(looks)).any() else {"": ("effect", BLUE)}
        traces = [_bars(part[part["above"] == key], *look) for key, look in looks.items()]
        choices[str(name)] = [trace for trace in traces if trace["x"]]
    rows = min(SHOWN_FEATURES, table["feature"].nunique())
    layout = {"height": 130 + 22 * rows, "barmode": "overlay", "xaxis": axis("effect", zerolinewidth=2)}
    layout["yaxis"] = axis("", autorange="reversed", type="category", categoryorder="array", dtick=1)
    layout["yaxis"]["categoryarray"] = list(dict.fromkeys(shown))
    return {"choices": choices, "layout": layout}


def _labels(table: pd.DataFrame) -> list[str]:
    """Symbol of each feature, with its id where it has none or shares it."""
    shared = table.drop_duplicates("feature")["symbol"].value_counts()
    return [
        row.feature
        if not row.symbol
        else row.symbol
        if shared[row.symbol] == 1
        else f"{row.symbol} ({row.feature})"
        for row in table.itertuples()
    ]


def _bars(part: pd.DataFrame, name: str, colour: str) -> dict[str, Any]:
    hover = [
        f"{row.feature}: mean over folds {row.mean_effect:.3g} ± {row.sd:.2g}, chosen in {row.folds_chosen:.0%} of folds,"
        f" same sign in {row.same_sign:.0%}"
        for row in part.itertuples()
    ]
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "marker": {"color": colour},
        "customdata": hover,
    }
    trace |= {"x": plain(part["effect"]), "y": part["label"].tolist()}
    bars = {"type": "data", "array": plain(part["sd"]), "color": "#666666", "thickness": 1}
    return trace | {"error_x": bars, "hovertemplate": "%{y}: %{x:.3g}<br>%{customdata}<extra></extra>"}


def heatmap(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Expression of the strongest features over samples in the order of what is predicted, which a stripe shows."""
    shown = run["heatmap"]
    if shown is None:
        return None
    limit, truth = 2.5, shown["truth"]
    samples, names = shown["samples"], _unique(shown["names"])
    hover = [[f"{value}" for value in truth]] * len(names)
    trace = {
        "type": "heatmap",
        "z": [plain(np.round(row, 2)) for row in shown["values"]],
        "x": samples,
        "y": names,
    }
    trace |= {"zmin": -limit, "zmax": limit, "colorscale": DIVERGING, "customdata": hover}
    trace["colorbar"] = {"title": {"text": "z"}, "thickness": 12, "len": 0.9, "outlinewidth": 0}
    trace["hovertemplate"] = "%{y} in %{x} (%{customdata}): z %{z}<extra></extra>"
    layout: dict[str, Any] = {"height": 190 + 15 * len(names)}
    layout["xaxis"] = axis(
        "", type="category", showticklabels=len(samples) <= 60, tickangle=-60, showgrid=False
    )
    layout["yaxis"] = axis(
        "", type="category", autorange="reversed", domain=[0, 0.93], dtick=1, showgrid=False
    )
    layout["yaxis2"] = axis("", type="category", domain=[0.95, 1], showgrid=False)
    return {"data": [trace, *_stripe(run, samples, truth)], "layout": layout}


def _stripe(run, samples, truth):
    """One row of what is predicted: a trace for each class, or a scale of numbers."""
    row = {
        "type": "heatmap",
        "x": samples,
        "y": [words(run["task"]) if run["task"] != "classification" else "class"],
    }
    row |= {"yaxis": "y2", "showscale": False, "xaxis": "x"}
    if run["task"] != "classification":
        title = "time" if run["task"] == "survival" else "truth"
        scale = {"z": [plain(truth)], "colorscale": "Cividis", "y": [title]}
        return [row | scale | {"hovertemplate": "%{x}: %{z}<extra></extra>"}]
    traces = []
    for place, name in enumerate(dict.fromkeys(truth)):
        colour = COLOURS[place] if place < MOST_STRIPES else GREY
        z = [[1 if value == name else None for value in truth]]
        look = {"z": z, "colorscale": [[0, colour], [1, colour]], "name": name, "legendcolour": colour}
        traces.append({**row, **look, "hovertemplate": f"%{{x}}: {name}<extra></extra>"})
    return traces


def _unique(names):
    """Names made unique: a repeated name gets a number."""
    counted, out = {}, []
    for name in names:
        counted[name] = counted.get(name, 0) + 1
        out.append(name if counted[name] == 1 else f"{name} ({counted[name]})")
    return out


def volcano(table: pd.DataFrame | None) -> dict[str, Any] | None:
    """log2 fold change against -log10 p of every contrast; all significant genes, and as many others as fit."""
    if table is None or table["p"].notna().sum() == 0:
        return None
    choices = {}
    for contrast, part in table[table["p"].notna()].groupby("contrast", sort=False):
        part = part.sort_values("p", kind="stable")
        part = part.assign(height=-np.log10(np.maximum(part["p"], 1e-300)))
        part["label"] = part["symbol"].where(part["symbol"] != "", part["gene_id"])
        called = part["padj"].fillna(1) < LEVEL
        rest, called = part[~called], part[called].head(MOST_POINTS)
        room = max(MOST_POINTS - len(called), 500)
        if len(rest) > room:
            rest = rest.iloc[np.unique(np.linspace(0, len(rest) - 1, room).astype(int))]
        called = called.assign(named=_apart(called))
        up = called["log2_fold_change"] > 0
        choices[words(contrast)] = [
            _genes(rest, "not significant", GREY, 4),
            _genes(called[up], f"higher (FDR < {LEVEL})", RED, 7),
            _genes(called[~up], f"lower (FDR < {LEVEL})", BLUE, 7),
        ]
    layout = {"height": 440, "xaxis": axis("log2 fold change"), "yaxis": axis("-log10 p", rangemode="tozero")}
    return {"choices": choices, "layout": layout}


def _apart(part):
    """(n,) names of the NAMED most significant genes that stand apart from each other, empty for the others."""
    names, taken = [""] * len(part), []
    places = part[["log2_fold_change", "height"]].to_numpy(float)
    room = np.maximum(np.ptp(places, axis=0) * (0.1, 0.06), 1e-9) if len(places) else 1
    for row, place in enumerate(places):
        if len(taken) < NAMED and all((np.abs(place - other) > room).any() for other in taken):
            names[row] = part["label"].iloc[row]
            taken.append(place)
    return names


def _genes(part, name, colour, size):
    trace = line(part["log2_fold_change"], part["height"], f"{name}: {len(part)}", colour, "markers")
    trace["marker"] |= {"size": size, "opacity": 0.8}
    if "named" in part:
        trace |= {
            "mode": "markers+text",
            "text": part["named"].tolist(),
            "textposition": "top center",
            "cliponaxis": False,
        }
    hover = {"customdata": part["label"].tolist(), "hovertemplate": "%{customdata}: %{x:.2f}<extra></extra>"}
    return trace | hover
