"""Figures of predicted classes against the truth: ROC, precision and recall, net benefit, confusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.report import curves
from rna2model.report.figures.style import GREY, SHADES, UNIT, axis, classes, line, positives, rivals

if TYPE_CHECKING:
    from collections.abc import Mapping

GRID = np.linspace(0, 1, 101)
THRESHOLDS = np.arange(1, 100) / 100
MOST_NUMBERS = 15  # classes, of more the cells are too small for numbers


def roc(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """For each class and model the mean over folds of the ROC curves: scores of different folds are not on one scale."""
    start = np.concatenate([[0.0], GRID])
    return _curves(
        run,
        lambda score, truth: np.concatenate([[0.0], np.interp(GRID, *_roc(score, truth))]),
        start,
        {name: line([0, 1], [0, 1], "chance", GREY, dash="dot") for name in positives(run)},
        {"xaxis": axis("false positive rate", **UNIT), "yaxis": axis("true positive rate", **UNIT)},
    )


def precision(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The same of precision by recall, as steps with the area of the AUPRC; the floor is what shuffled labels reach."""
    floors = {
        name: line([0, 1], [value, value], f"labels without meaning: {value:.3f}", GREY, dash="dot")
        for name, value in ((name, _chance(run, name)) for name in positives(run))
    }
    layout = {"xaxis": axis("recall", **UNIT), "yaxis": axis("precision", **UNIT)}
    return _curves(run, _precision, GRID, floors, layout, shape="vh", called=_with_area)


def _chance(run, name):
    """Chance level of a class's AUPRC (metrics.json); the share of the class if the run has none."""
    auprc = _scores_of(run).get("auprc") or {}
    chance = (auprc.get("chance_of_class") or {}).get(name, auprc.get("chance"))
    return float((run["predictions"][run["shipped"]]["truth"] == name).mean()) if chance is None else chance


def _scores_of(run):
    """Metrics of the predictions that the page shows, of the run's own or of an external validation."""
    return run["metrics"][run["shipped"]] if "metrics" in run else (run["external"] or {}).get("metrics", {})


def _with_area(model, values):
    return f"{model}: {np.mean(values[1:]):.3f}"


def _curves(run, curve, x, floors, layout, shape="linear", called=lambda model, _: model):
    choices = {}
    for name in positives(run):
        traces = [floors[name]]
        for model, look in rivals(run):
            table, column = run["predictions"][model], f"prob_{name}"
            parts = [
                part for _, part in table.groupby("split") if 0 < (part["truth"] == name).sum() < len(part)
            ]
            of_fold = [
                curve(part[column].fillna(0).to_numpy(), (part["truth"] == name).to_numpy())
                for part in parts
                if column in part
            ]
            if of_fold:
                values = np.mean(of_fold, axis=0)
                trace = line(x, values, called(model, values), **look)
                trace["line"]["shape"] = shape
                traces.append(trace)
        if len(traces) > 1:
            choices[name] = traces
    return {"choices": choices, "layout": {"height": 400, **layout}} if choices else None


def _ranked(score, positive):
    """Cumulated (false, true) positives at every distinct score, from the highest down."""
    order = np.argsort(-score, kind="stable")
    score, positive = score[order], positive[order]
    last = np.r_[np.diff(score) != 0, True]
    return np.cumsum(~positive)[last], np.cumsum(positive)[last]


def _roc(score, positive):
    """(false, true) positive rates."""
    false, true = _ranked(score, positive)
    return np.r_[0, false / false[-1]], np.r_[0, true / true[-1]]


def _precision(score, positive):
    """Mean precision in each step of recall that ends at a point of GRID, so that the mean of the steps is the average precision."""
    false, true = _ranked(score, positive)
    recall = np.r_[0, true / true[-1]]
    area = np.r_[0, np.cumsum(np.diff(recall) * true / (true + false))]
    first = np.flatnonzero(np.r_[True, np.diff(recall) > 0])  # area grows only where recall does
    steps = np.diff(np.interp(GRID, recall[first], area[first])) / np.diff(GRID)
    return np.r_[steps[0], steps]


def decision(run: Mapping[str, Any]) -> dict[str, Any]:
    """Net benefit of acting on a model, by the probability above which one would act (Vickers & Elkin 2006)."""
    choices = {}
    for name in positives(run):
        truth = (run["predictions"][run["shipped"]]["truth"] == name).to_numpy()
        odds, share = THRESHOLDS / (1 - THRESHOLDS), truth.mean()
        traces = [
            line(THRESHOLDS, np.zeros(len(THRESHOLDS)), "act on nobody", GREY, dash="dot"),
            line(THRESHOLDS, share - (1 - share) * odds, "act on everybody", GREY, dash="dash"),
        ]
        for model, look in rivals(run):
            table = run["predictions"][model]
            if f"prob_{name}" in table:
                shown = True if model == run["shipped"] else "legendonly"
                traces.append(line(THRESHOLDS, _benefit(table, name), model, visible=shown, **look))
        traces[2:2] = curves.benefit(run, name)
        choices[name] = traces
    low = min(-0.05, -0.15 * float(share))
    layout = {"height": 400, "xaxis": axis("act above this probability", **UNIT)}
    return {
        "choices": choices,
        "layout": layout | {"yaxis": axis("net benefit", range=[low, 1.05 * _highest(choices)])},
    }


def _highest(choices):
    """Highest net benefit of a model."""
    return max([0.05, *(max(trace["y"]) for traces in choices.values() for trace in traces)])


def _benefit(table, name):
    """(99,) net benefit at THRESHOLDS: true positives less false ones at the odds of the threshold, per sample."""
    positive = (table["truth"] == name).to_numpy()
    called = table[f"prob_{name}"].fillna(0).to_numpy()[:, None] >= THRESHOLDS
    true, false = (called & positive[:, None]).mean(axis=0), (called & ~positive[:, None]).mean(axis=0)
    return true - false * THRESHOLDS / (1 - THRESHOLDS)


def confusion(run: Mapping[str, Any]) -> dict[str, Any]:
    """Truth against prediction of each model, out of fold: counts, coloured by their share of the true class."""
    names, choices = classes(run), {}
    for model, _ in rivals(run):
        table = run["predictions"][model]
        counts = [
            [int(((table["truth"] == t) & (table["predicted"] == p)).sum()) for p in names] for t in names
        ]
        shares = [[value / max(sum(row), 1) for value in row] for row in counts]
        trace = {"type": "heatmap", "z": shares, "x": names, "y": names, "text": counts, "zmin": 0, "zmax": 1}
        trace |= {"colorscale": SHADES, "showscale": False, "xgap": 2, "ygap": 2}
        trace |= {"texttemplate": "%{text}" if len(names) <= MOST_NUMBERS else ""}
        trace["hovertemplate"] = "truth %{y}, predicted %{x}: %{text} (%{z:.0%} of %{y})<extra></extra>"
        choices[model] = [trace]
    layout = {
        "height": min(200 + 45 * len(names), 720),
        "xaxis": axis("predicted", type="category", showgrid=False),
    }
    layout["yaxis"] = axis("truth", type="category", autorange="reversed", showgrid=False)
    return {"choices": choices, "layout": layout}
