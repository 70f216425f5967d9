"""Which figures a run has: {name: figure} of plain plotly dicts, drawn in the browser by resources/report/report.js.

A figure has `layout` and one of `data` (traces), `choices` ({choice: traces}, picked by the reader) or `cloud` (points that
the browser colours by any column).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.evaluation.classification import SHOWN
from rna2model.report.figures import classification, cohort, frontier, genes, scores
from rna2model.report.figures import outcomes as report_outcomes
from rna2model.report.figures.style import positives

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST = 10  # labelled samples, below which no curves are drawn


def make(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """{name: figure} of all figures that this run has data for."""
    task = config["design"]["task"]
    figures = {
        "quality": cohort.quality(run["samples"], config["qc"]),
        "pca": cohort.pca(run),
        "variance": cohort.variance(run["diagnostics"]),
        "comparison": scores.comparison(run, SHOWN[task]),
        "differences": scores.differences(run),
        "permutation": scores.permutation(run),
        "learning": scores.learning(run),
        "frontier": frontier.frontier(run),
        "calibration": scores.calibration(run),
        "features": genes.effects(run),
        "heatmap": genes.heatmap(run),
        "volcano": genes.volcano(run["differential"]),
    }
    figures |= outcomes(run)
    return {name: figure for name, figure in figures.items() if figure}


def outcomes(run: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of truth against prediction, which depend on the task."""
    if run["task"] == "regression":
        return {"predicted": report_outcomes.predicted(run), "residuals": report_outcomes.residuals(run)}
    if run["task"] == "survival":
        return {"kaplan_meier": report_outcomes.kaplan_meier(run)}
    figures: dict[str, Any] = {"confusion": classification.confusion(run)}
    if positives(run):
        figures |= {"roc": classification.roc(run), "precision_recall": classification.precision(run)}
        figures["decision"] = classification.decision(run)
    return figures


def served(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """{name: figure} of a run that only serves: reads, and labelled samples that a frozen bundle predicted."""
    figures: dict[str, Any] = {"quality": cohort.quality(run["samples"], config["qc"])}
    labelled = len(run["predictions"].get(run["shipped"], ()))
    if labelled >= LEAST:
        figures |= {"calibration": scores.calibration(run), **outcomes(run)}
    elif labelled and run["task"] == "classification":
        figures["confusion"] = classification.confusion(run)
    return {name: figure for name, figure in figures.items() if figure}
