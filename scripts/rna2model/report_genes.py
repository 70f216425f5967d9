"""Figures of genes: what the shipped model uses, how it is expressed, and what differs between the classes."""

import numpy as np

from rna2model.report_parts import BLUE, COLOURS, DIVERGING, GREY, RED, axis, line, plain, words

SHOWN_FEATURES = 20
MOST_POINTS, LEVEL = 4000, 0.05  # genes of a volcano, false discovery rate
NAMED, SMALL_POINT = 5, 4  # genes with a name on each side; size of the points without one
MOST_STRIPES = len(COLOURS) - 1  # classes that have a colour of their own


def effects(run):
    """The strongest features with their spread over folds; a choice for each explained class."""
    table = run["features"]
    if table is None or table.empty:
        return None
    choices = {}
    for name, part in table.groupby("class", sort=False):
        part = part.reindex(part["effect"].abs().sort_values(ascending=False, kind="stable").index)
        part = part.head(SHOWN_FEATURES)
        above = part.get("above_control", part["effect"].astype(str)).astype(str)
        known = above.isin(["True", "False"]).any()
        groups = {"True": ("above shuffled labels", BLUE), "False": ("not above shuffled labels", GREY)}
        groups = groups if known else {None: ("effect", BLUE)}
        choices[str(name)] = [
            _bars(part if key is None else part[above == key], *look) for key, look in groups.items()
        ]
    rows = min(SHOWN_FEATURES, table["feature"].nunique())
    order = {
        n: [_label(row) for row in table[table["class"] == n].itertuples()] for n in table["class"].unique()
    }
    layout = {"height": 130 + 22 * rows, "barmode": "overlay", "xaxis": axis("effect", zerolinewidth=2)}
    layout["yaxis"] = axis("", autorange="reversed", type="category", categoryorder="array", dtick=1)
    layout["yaxis"]["categoryarray"] = list(
        dict.fromkeys(label for names in order.values() for label in names)
    )[:500]
    return {"choices": {n: [t for t in traces if t["x"]] for n, traces in choices.items()}, "layout": layout}


def _label(row):
    return row.symbol or row.feature


def _bars(part, name, colour):
    told = [
        f"{row.feature}: mean over folds {row.mean_effect:.3g} ± {row.sd:.2g}, chosen in {row.folds_chosen:.0%} of folds,"
        f" same sign in {row.same_sign:.0%}"
        for row in part.itertuples()
    ]
    trace = {"type": "bar", "orientation": "h", "name": name, "marker": {"color": colour}, "customdata": told}
    trace |= {"x": plain(part["effect"]), "y": [_label(row) for row in part.itertuples()]}
    bars = {"type": "data", "array": plain(part["sd"]), "color": "#666666", "thickness": 1}
    return trace | {"error_x": bars, "hovertemplate": "%{y}: %{x:.3g}<br>%{customdata}<extra></extra>"}


def heatmap(run):
    """Expression of the strongest features over samples in the order of what is predicted, which a stripe shows."""
    found = run["heatmap"]
    if found is None:
        return None
    limit, truth = 2.5, found["truth"]
    samples, names = found["samples"], _unique(found["names"])
    hover = [[f"{value}" for value in truth]] * len(names)
    trace = {
        "type": "heatmap",
        "z": [plain(np.round(row, 2)) for row in found["values"]],
        "x": samples,
        "y": names,
    }
    trace |= {"zmin": -limit, "zmax": limit, "colorscale": DIVERGING, "customdata": hover}
    trace["colorbar"] = {"title": {"text": "z"}, "thickness": 12, "len": 0.9, "outlinewidth": 0}
    trace["hovertemplate"] = "%{y} in %{x} (%{customdata}): z %{z}<extra></extra>"
    layout = {"height": 190 + 15 * len(names)}
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
    """Names, the second of a kind with a number."""
    counted, out = {}, []
    for name in names:
        counted[name] = counted.get(name, 0) + 1
        out.append(name if counted[name] == 1 else f"{name} ({counted[name]})")
    return out


def volcano(table):
    """log2 fold change against -log10 p of every contrast; all significant genes, and as many others as fit."""
    if table is None or table["p"].notna().sum() == 0:
        return None
    choices = {}
    for contrast, part in table[table["p"].notna()].groupby("contrast", sort=False):
        part = part.sort_values("p", kind="stable")
        called = part["padj"].fillna(1) < LEVEL
        rest = part[~called]
        room = max(MOST_POINTS - int(called.sum()), 500)
        rest = (
            rest.iloc[np.unique(np.linspace(0, len(rest) - 1, room).astype(int))]
            if len(rest) > room
            else rest
        )
        called = part[called].head(MOST_POINTS)
        up = called["log2_fold_change"] > 0
        choices[words(contrast)] = [
            _genes(rest, "not significant", GREY, SMALL_POINT),
            _genes(called[up], f"higher (FDR < {LEVEL})", RED, 7),
            _genes(called[~up], f"lower (FDR < {LEVEL})", BLUE, 7),
        ]
    layout = {"height": 440, "xaxis": axis("log2 fold change"), "yaxis": axis("-log10 p", rangemode="tozero")}
    return {"choices": choices, "layout": layout}


def _genes(part, name, colour, size):
    p = np.maximum(part["p"].to_numpy(float), 1e-300)
    trace = line(part["log2_fold_change"], -np.log10(p), f"{name}: {len(part)}", colour, "markers")
    trace["marker"] |= {"size": size, "opacity": 0.8}
    labels = [symbol or gene for symbol, gene in zip(part["symbol"], part["gene_id"], strict=True)]
    if size > SMALL_POINT:  # the first are the most significant: named where they stand
        trace |= {"mode": "markers+text", "text": [*labels[:NAMED], *[""] * (len(labels) - NAMED)]}
        trace |= {"textposition": "top center", "cliponaxis": False}
    return trace | {"customdata": labels, "hovertemplate": "%{customdata}: %{x:.2f}<extra></extra>"}
