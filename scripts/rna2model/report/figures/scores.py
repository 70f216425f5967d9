"""Figures of how good models are: comparison, calibration, shuffled labels, more training samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.evaluation import calibration_bins
from rna2model.report import curves
from rna2model.report.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    UNIT,
    axis,
    error,
    line,
    plain,
    rivals,
)
from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BARS = 25  # of the histogram of shuffled labels


def comparison(run: Mapping[str, Any], metrics: Iterable[str]) -> dict[str, Any]:
    """Estimate and 95 % interval of every model; the chooser picks the metric."""
    choices = {}
    for metric in metrics:
        scores = {m: run["metrics"][m].get(metric, {}) for m in run["models"]}
        scores = {m: value for m, value in scores.items() if value.get("estimate") is not None}
        if scores:
            values = [
                [_value(value, key) for value in scores.values()] for key in ("estimate", "lower", "upper")
            ]
            choices[words(metric)] = [_intervals(list(scores), *values)]
    height = 110 + 30 * len(run["models"])
    return {"choices": choices, "layout": _rows(height)}


def _value(value, key):
    return np.nan if value.get(key) is None else value[key]


def _intervals(names, estimate, lower, upper):
    """A point and an interval for each name, dummy in grey."""
    points = {"size": 10, "color": [GREY if name == "dummy" else BLUE for name in names]}
    trace = {"type": "scatter", "mode": "markers", "x": plain(estimate), "y": names, "marker": points}
    ends = [
        f"{low:.3f} to {high:.3f}" if low < high else "no interval"
        for low, high in zip(lower, upper, strict=True)
    ]
    trace |= {"customdata": ends, "hovertemplate": "%{y}: %{x:.3f} (%{customdata})<extra></extra>"}
    return trace | {"error_x": error(estimate, lower, upper), "showlegend": False}


def _rows(height, title=""):
    return {"height": height, "yaxis": axis("", autorange="reversed", type="category"), "xaxis": axis(title)}


def differences(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Every model less an anchor on the same samples, with its 95 % interval; the chooser picks anchor and metric."""
    table = run["differences"]
    if table is None or table.empty:
        return None
    choices = {}
    for (against, metric), part in table.groupby(["against", "metric"], sort=False):
        values = (part[key].to_numpy() for key in ("difference", "lower", "upper"))
        choices[f"{words(metric)}, less {against}"] = [_intervals(part["model"].tolist(), *values)]
    layout = _rows(110 + 30 * table["model"].nunique(), "difference")
    layout["xaxis"] |= {"rangemode": "tozero", "zeroline": True, "zerolinewidth": 2}
    return {"choices": choices, "layout": layout}


def calibration(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Observed against predicted, in bins of equal size with 95 % intervals; a choice for each class or time."""
    choices: dict[str, list[Any]] = {}
    titles = {"classification": "share of samples", "survival": "share without event"}
    for model, look in rivals(run):
        table = run["calibration"].get(model)
        if table is None:
            table = calibration_bins.table(run["predictions"][model], run["task"])
        for name, part in table.groupby("outcome", sort=False):
            part = part[part["observed"].notna()]
            name = words(name) if run["task"] == "survival" else str(name)
            own = model == run["shipped"]
            more = {"visible": True if own else "legendonly", "customdata": part["n"].astype(int).tolist()}
            more["hovertemplate"] = "%{x:.3g} predicted, %{y:.3g} observed in %{customdata} samples"
            more["error_y"] = error(part["observed"], part["lower"], part["upper"], look["colour"])
            points = line(part["predicted"], part["observed"], model, mode="lines+markers", **look, **more)
            choices.setdefault(name, []).append(points)
    for traces in choices.values():
        values = [v for trace in traces for v in (*trace["x"], *trace["y"]) if v is not None]
        ends = [min(values, default=0), max(values, default=1)] if run["task"] == "regression" else [0, 1]
        traces.insert(0, line(ends, ends, "perfect", GREY, dash="dot"))
    for name, traces in choices.items():
        traces[1:1] = curves.smooth(run, name)
    whole = {} if run["task"] == "regression" else UNIT
    layout = {"height": 400, "xaxis": axis("predicted", **whole)}
    layout["yaxis"] = axis(f"observed {titles.get(run['task'], 'mean')}", **whole)
    return {"choices": choices, "layout": layout} if choices else None


def permutation(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Scores of shuffled labels as a histogram, with the score of the labels themselves; None where they are not known."""
    choices, reach = {}, []
    for model in run["models"]:
        test = (run["permutations"] or {}).get(model)
        if test and test.get("values"):
            values, reached = np.array(test["values"], dtype=float), test["statistic"]
            counts, edges = np.histogram(values[np.isfinite(values)], bins=BARS)
            bars: dict[str, Any] = {"type": "bar", "name": f"{test['n']} shuffles", "marker": {"color": GREY}}
            bars |= {
                "x": plain((edges[1:] + edges[:-1]) / 2),
                "y": counts.tolist(),
                "width": plain(np.diff(edges)),
            }
            mark = line([reached, reached], [0, counts.max()], f"{model}: {reached:.3f}", ORANGE)
            mark["line"]["width"] = 3
            title = words(test.get("metric", "auroc"))
            choices[f"{model}, {title}"] = [bars, mark]
            reach += [edges[0], edges[-1], reached]
    if not choices:
        return None
    room = 0.03 * (max(reach) - min(reach)) or 0.1
    shown = axis("score", range=plain([min(reach) - room, max(reach) + room]))
    return {
        "choices": choices,
        "layout": {"height": 320, "bargap": 0, "xaxis": shown, "yaxis": axis("shuffles")},
    }


def learning(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Scores by the number of training samples, with 95 % intervals."""
    table = run["learning"]
    if table is None or table.empty:
        return None
    choices = {}
    for metric, part in table.groupby("metric", sort=False):
        part = part[part["estimate"].notna()].sort_values("n_train")
        if len(part):
            points = line(part["n_train"], part["estimate"], run["shipped"], BLUE, mode="lines+markers")
            points["error_y"] = error(part["estimate"], part["lower"], part["upper"])
            choices[words(metric)] = [points]
    layout = {"height": 340, "xaxis": axis("training samples", rangemode="tozero"), "yaxis": axis("score")}
    return {"choices": choices, "layout": layout} if choices else None
