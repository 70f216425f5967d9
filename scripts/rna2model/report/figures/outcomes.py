"""Figures of numbers and survival times: out-of-fold predictions of the shipped model against the observed outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.evaluation import risk_groups
from rna2model.report.figures.style import BLUE, GREY, RED, axis, line, plain
from rna2model.report.run_data import first_repeat

if TYPE_CHECKING:
    from collections.abc import Mapping


def predicted(run: Mapping[str, Any]) -> dict[str, Any]:
    """Predicted against true numbers."""
    table = run["predictions"][run["shipped"]]
    ends = [float(table["truth"].min()), float(table["truth"].max())]
    points = line(table["truth"], table["predicted"], run["shipped"], BLUE, "markers")
    points |= {"text": table["sample"].tolist(), "hovertemplate": "%{text}: %{x}, predicted %{y:.4g}"}
    layout = {"height": 420, "xaxis": axis("truth"), "yaxis": axis("predicted")}
    return {"data": [line(ends, ends, "perfect", GREY, dash="dot"), points], "layout": layout}


def residuals(run: Mapping[str, Any]) -> dict[str, Any]:
    """Truth less prediction by the prediction: a trend or a funnel shows that errors depend on the prediction."""
    table = run["predictions"][run["shipped"]]
    points = line(table["predicted"], table["truth"] - table["predicted"], run["shipped"], BLUE, "markers")
    points |= {
        "text": table["sample"].tolist(),
        "hovertemplate": "%{text}: predicted %{x:.4g}, off by %{y:.4g}",
    }
    layout = {
        "height": 420,
        "xaxis": axis("predicted"),
        "yaxis": axis("truth less predicted", zerolinewidth=2),
    }
    return {"data": [points], "layout": layout}


def kaplan_meier(run: Mapping[str, Any]) -> dict[str, Any]:
    """Survival of the risk groups with 95 % bands and numbers at risk; the cut between them comes from training samples alone."""
    curves, traces = risk_groups.curves(first_repeat(run["predictions"][run["shipped"]])), []
    at = risk_groups.ticks(max(each.followed[-1] for each in curves.values()))
    for name, colour, dash in (("low", BLUE, "solid"), ("high", RED, "dash")):
        if name in curves:
            traces += _survival(name, curves[name], at, colour, dash)
    rows = {"tickvals": [1, 0], "ticktext": ["low", "high"], "range": [-0.6, 1.6], "fixedrange": True}
    rows |= {
        "ticks": "outside",
        "ticklen": 14,
        "tickcolor": "rgba(0,0,0,0)",
    }  # room for the numbers at time 0
    title = {"text": "at risk", "xref": "paper", "yref": "y2 domain", "x": 0, "y": 1.02, "yanchor": "bottom"}
    layout = {
        "height": 480,
        "xaxis": axis("", rangemode="tozero", tickvals=plain(at), anchor="y"),
        "yaxis": axis("without event", range=[0, 1.02], domain=[0.3, 1]),
        "yaxis2": axis("", domain=[0, 0.13], showgrid=False, zeroline=False, **rows),
        "annotations": [
            {**title, "xanchor": "right", "showarrow": False},
            {**title, "x": 0.5, "y": 1.35, "text": "time", "xanchor": "center", "showarrow": False},
        ],
    }
    return {"data": traces, "layout": layout}


def _survival(name, curve, at, colour, dash):
    """Traces of one risk group: the ends of its band, its curve, and its numbers at risk."""
    label = f"{name} risk ({len(curve.followed)} samples, {curve.events} events)"
    beside = {"legendgroup": label, "showlegend": False}
    times, traces = [0.0, *curve.times], []
    for end, fill in ((curve.lower, "none"), (curve.upper, "tonexty")):
        known = (
            int(np.isfinite(end).sum()) + 1
        )  # the band of the last step before 0 ends where the curve does
        values = [1.0, *end][:known] + [[1.0, *end][known - 1]] * (known < len(times))
        band = line(times[: known + 1], values, label, colour, **beside)
        band |= {"fill": fill, "fillcolor": _faint(colour), "hoverinfo": "skip"}
        band["line"] |= {"shape": "hv", "width": 0}
        traces.append(band)
    steps = line(times, [1.0, *curve.survival], label, colour, dash=dash, legendgroup=label)
    steps["line"]["shape"] = "hv"
    numbers = {"text": [str(curve.at_risk(t)) for t in at], "yaxis": "y2", "hoverinfo": "skip", **beside}
    numbers |= {"cliponaxis": False}
    row = np.full(len(at), 1.0 if name == "low" else 0.0)
    return [*traces, steps, line(at, row, f"{name}, at risk", colour, mode="text", **numbers)]


def _faint(colour):
    """The colour (#rrggbb) as a transparent fill."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"
