"""Figures of the report as plain plotly dicts; colours are Okabe and Ito's, safe for colour-blind readers."""

import numpy as np

from rna2model import gate, survival_metrics
from rna2model.evaluation import SHOWN

COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#999999"]
STATUS = {"included": COLOURS[0], "excluded": COLOURS[3]}
FOUND = (
    "status",
    "strandedness",
    "inferred_sex",
)  # columns of the gate that colour samples, after the sheet's own
MOST_LEVELS = 20  # a column with more values colours nothing


def make(run, config):
    """{name: {"data": traces, "layout": layout}} or with "choices" for a figure with a chooser."""
    task = config["design"]["task"]
    figures = {"pca": pca(run), "comparison": comparison(run, SHOWN[task])}
    if run["samples"]["reads"].notna().any():
        figures["quality"] = quality(run["samples"])
    if task == "regression":
        figures["predicted"] = predicted(run)
    elif task == "survival":
        figures["kaplan_meier"] = kaplan_meier(run)
    else:
        figures["confusion"] = confusion(run)
    if len(classes(run)) == 2:
        figures["roc"], figures["calibration"] = roc(run), calibration(run)
    return figures


def classes(run):
    """Class names, in the order of the probability columns."""
    columns = run["predictions"][run["shipped"]].columns
    return [name.removeprefix("prob_") for name in columns if name.startswith("prob_")]


def axis(title, **options):
    return {"title": {"text": title}, "automargin": True, **options}


def quality(samples):
    """Reads, mapped and assigned share of every sample, the excluded ones in another colour."""
    ordered = samples.sort_values("sample")
    traces = []
    for row, column in enumerate(("reads", "mapped_pct", "assigned_pct")):
        suffix = "" if row == 0 else str(row + 1)
        for status, colour in STATUS.items():
            part = ordered[ordered["status"] == status]
            traces.append(
                {
                    "type": "bar",
                    "name": status,
                    "legendgroup": status,
                    "showlegend": row == 0,
                    "x": part["sample"].tolist(),
                    "y": [None if value != value else float(value) for value in part[column]],
                    "marker": {"color": colour},
                    "text": part["reason"].tolist(),
                    "hovertemplate": "%{x}: %{y}<br>%{text}",
                    "textposition": "none",
                    "yaxis": f"y{suffix}",
                }
            )
    layout = {
        "height": 560,
        "barmode": "stack",
        "xaxis": axis("", type="category", anchor="y3", tickangle=-60),
    }
    for row, title in enumerate(("reads", "mapped %", "in genes %")):
        top = 1 - row * 0.35
        layout[f"yaxis{'' if row == 0 else row + 1}"] = axis(title, domain=[max(top - 0.3, 0), top])
    return {"data": traces, "layout": layout}


def pca(run):
    """Both views side by side; one set of traces per metadata column, of which the chooser shows one."""
    samples = run["samples"].set_index("sample")
    views = list(dict.fromkeys(run["components"]["view"]))
    choices = {}
    for column in _colouring(samples):
        traces = []
        for place, view in enumerate(views):
            part = run["components"][run["components"]["view"] == view]
            values = samples.loc[part["sample"], column].replace("", "(empty)").to_numpy()
            for number, value in enumerate(sorted(set(values))):
                chosen = part[values == value]
                traces.append(_points(chosen, value, number, place))
        choices[column] = traces
    layout = {"height": 430}
    for place, view in enumerate(views):
        part = run["components"][run["components"]["view"] == view].iloc[0]
        suffix, left = ("" if place == 0 else place + 1), place * 0.55
        title = f"{view.replace('_', ' ')}: PC1 ({part['pc1_pct']} %)"
        layout[f"xaxis{suffix}"] = axis(
            title, domain=[left, left + 0.45], anchor=f"y{suffix}", zeroline=False
        )
        layout[f"yaxis{suffix}"] = axis(
            f"PC2 ({part.get('pc2_pct', 0)} %)", anchor=f"x{suffix}", zeroline=False
        )
    return {"choices": choices, "layout": layout}


def _points(rows, value, number, place):
    suffix = "" if place == 0 else place + 1
    return {
        "type": "scatter",
        "mode": "markers",
        "name": value,
        "legendgroup": value,
        "showlegend": place == 0,
        "x": rows["PC1"].tolist(),
        "y": rows["PC2"].tolist() if "PC2" in rows else [0] * len(rows),
        "text": rows["sample"].tolist(),
        "hovertemplate": "%{text}",
        "marker": {"size": 9, "color": COLOURS[number % len(COLOURS)], "symbol": number // len(COLOURS)},
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
    }


def _colouring(samples):
    """Columns with 1 to MOST_LEVELS values; metadata before technical ones."""
    columns = [c for c in samples if c not in gate.COLUMNS or c in FOUND]
    columns = [c for c in columns if 1 <= samples[c].nunique() <= MOST_LEVELS]
    return sorted(columns, key=lambda c: (c in FOUND, samples[c].nunique() < 2)) or ["status"]


def comparison(run, metrics):
    """Estimate and 95 % interval of every model; the chooser picks the metric."""
    choices = {}
    for metric in metrics:
        found = {m: run["metrics"][m].get(metric, {}) for m in run["models"]}
        found = {m: value for m, value in found.items() if value.get("estimate") is not None}
        if not found:
            continue
        low, mid, high = ([value[key] for value in found.values()] for key in ("lower", "estimate", "upper"))
        low = [m if v is None else v for v, m in zip(low, mid, strict=True)]
        high = [m if v is None else v for v, m in zip(high, mid, strict=True)]
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": mid,
            "y": list(found),
            "error_x": {
                "type": "data",
                "symmetric": False,
                "color": COLOURS[7],
                "array": [h - m for h, m in zip(high, mid, strict=True)],
                "arrayminus": [m - v for m, v in zip(mid, low, strict=True)],
            },
            "marker": {"size": 10, "color": [COLOURS[7] if m == "dummy" else COLOURS[0] for m in found]},
            "hovertemplate": "%{y}: %{x:.3f}",
            "showlegend": False,
        }
        choices[metric.replace("_", " ")] = [trace]
    height = 120 + 32 * len(run["models"])
    return {
        "choices": choices,
        "layout": {"height": height, "yaxis": axis("", autorange="reversed"), "xaxis": axis("")},
    }


def predicted(run):
    """Predicted against true numbers of the shipped model, out of fold."""
    table = run["predictions"][run["shipped"]]
    ends = [float(table["truth"].min()), float(table["truth"].max())]
    points = _line(
        table["truth"].tolist(), table["predicted"].tolist(), run["shipped"], COLOURS[0], "markers"
    )
    points |= {"text": table["sample"].tolist(), "hovertemplate": "%{text}: %{x}, predicted %{y:.4g}"}
    layout = {"height": 420, "xaxis": axis("truth"), "yaxis": axis("predicted")}
    return {"data": [_line(ends, ends, "perfect", COLOURS[7], dash="dot"), points], "layout": layout}


def kaplan_meier(run):
    """Survival of the shipped model's risk groups: out of fold, the cut between them from training samples alone."""
    table, traces = run["predictions"][run["shipped"]], []
    table = table[table["split"].str.match("r1f")]  # a sample once
    for name, colour in (("low", COLOURS[0]), ("high", COLOURS[3])):
        part = table[table["risk_group"] == name]
        if len(part):
            time, survival = survival_metrics.kaplan_meier(
                part["time"].to_numpy(), part["event"].to_numpy() > 0
            )
            label = f"{name} risk ({len(part)} samples, {int(part['event'].sum())} events)"
            trace = _line([0.0, *time.tolist()], [1.0, *survival.tolist()], label, colour)
            trace["line"]["shape"] = "hv"
            traces.append(trace)
    layout = {"height": 420, "xaxis": axis("time"), "yaxis": axis("without event", range=[0, 1.02])}
    return {"data": traces, "layout": layout}


def confusion(run):
    """Truth against prediction of the shipped model, out of fold."""
    table, names = run["predictions"][run["shipped"]], classes(run)
    counts = [[int(((table["truth"] == t) & (table["predicted"] == p)).sum()) for p in names] for t in names]
    trace = {
        "type": "heatmap",
        "z": counts,
        "x": names,
        "y": names,
        "text": counts,
        "texttemplate": "%{text}",
        "colorscale": [[0, "#f2f6fa"], [1, COLOURS[0]]],
        "showscale": False,
        "hovertemplate": "truth %{y}, predicted %{x}: %{z}",
    }
    layout = {
        "height": 340,
        "xaxis": axis("predicted", type="category"),
        "yaxis": axis("truth", type="category", autorange="reversed"),
    }
    return {"data": [trace], "layout": layout}


def roc(run):
    """Per model the mean over folds of the ROC curves: scores of different folds are not on one scale."""
    positive, grid = f"prob_{classes(run)[1]}", np.linspace(0, 1, 101)
    traces = [_line([0, 1], [0, 1], "chance", "#999999", dash="dot")]
    for number, model in enumerate(m for m in run["models"] if m != "dummy"):
        curves = [
            np.interp(grid, *_roc(part[positive].to_numpy(), (part["truth"] == classes(run)[1]).to_numpy()))
            for _, part in run["predictions"][model].groupby("split")
            if part["truth"].nunique() == 2
        ]
        if curves:
            mean = np.concatenate([[0.0], np.mean(curves, axis=0)])
            traces.append(
                _line([0, *grid.tolist()], mean.round(4).tolist(), model, COLOURS[number % len(COLOURS)])
            )
    layout = {"height": 400, "xaxis": axis("false positive rate"), "yaxis": axis("true positive rate")}
    return {"data": traces, "layout": layout}


def _roc(score, positive):
    """(false, true) positive rates at every distinct score, from the highest down."""
    order = np.argsort(-score, kind="stable")
    score, positive = score[order], positive[order]
    last = np.r_[np.diff(score) != 0, True]
    true, false = np.cumsum(positive)[last], np.cumsum(~positive)[last]
    return np.r_[0, false / false[-1]], np.r_[0, true / true[-1]]


def calibration(run, bins=5):
    """Observed share of the positive class in bins of predicted probability."""
    positive = f"prob_{classes(run)[1]}"
    traces = [_line([0, 1], [0, 1], "perfect", "#999999", dash="dot")]
    for number, model in enumerate(m for m in run["models"] if m != "dummy"):
        table = run["predictions"][model].sort_values(positive)
        parts = [part for part in np.array_split(np.arange(len(table)), bins) if len(part)]
        x = [float(table[positive].iloc[part].mean()) for part in parts]
        y = [float((table["truth"].iloc[part] == classes(run)[1]).mean()) for part in parts]
        traces.append(_line(x, y, model, COLOURS[number % len(COLOURS)], mode="lines+markers"))
    title = f"predicted probability of {classes(run)[1]}"
    layout = {
        "height": 400,
        "xaxis": axis(title, range=[-0.02, 1.02]),
        "yaxis": axis("observed share", range=[-0.02, 1.02]),
    }
    return {"data": traces, "layout": layout}


def _line(x, y, name, colour, mode="lines", dash="solid"):
    return {
        "type": "scatter",
        "mode": mode,
        "x": x,
        "y": y,
        "name": name,
        "line": {"color": colour, "dash": dash},
    }
