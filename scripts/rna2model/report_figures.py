"""Which figures a run has: {name: figure} of plain plotly dicts, drawn in the browser by resources/report/report.js.

A figure has `layout` and one of `data` (traces), `choices` ({choice: traces}, picked by the reader) or `cloud` (points that
the browser colours by any column).
"""

from rna2model import report_cohort, report_genes, report_outcomes, report_scores
from rna2model.evaluation import SHOWN
from rna2model.report_parts import positives

LEAST = 10  # labelled samples, of fewer no curve says anything


def make(run, config):
    """{name: figure} of all figures that this run has data for."""
    task = config["design"]["task"]
    figures = {
        "quality": report_cohort.quality(run["samples"], config["qc"]),
        "pca": report_cohort.pca(run),
        "variance": report_cohort.variance(run["diagnostics"]),
        "comparison": report_scores.comparison(run, SHOWN[task]),
        "differences": report_scores.differences(run),
        "permutation": report_scores.permutation(run),
        "learning": report_scores.learning(run),
        "calibration": report_scores.calibration(run),
        "features": report_genes.effects(run),
        "heatmap": report_genes.heatmap(run),
        "volcano": report_genes.volcano(run["differential"]),
    }
    figures |= outcomes(run)
    return {name: figure for name, figure in figures.items() if figure}


def outcomes(run):
    """The figures of truth against prediction, which depend on the task."""
    if run["task"] == "regression":
        return {"predicted": report_outcomes.predicted(run), "residuals": report_outcomes.residuals(run)}
    if run["task"] == "survival":
        return {"kaplan_meier": report_outcomes.kaplan_meier(run)}
    figures = {"confusion": report_scores.confusion(run)}
    if positives(run):
        figures |= {"roc": report_scores.roc(run), "precision_recall": report_scores.precision(run)}
        figures["decision"] = report_scores.decision(run)
    return figures


def served(run, config):
    """{name: figure} of a run that only serves: reads, and labelled samples that a frozen bundle predicted."""
    figures = {"quality": report_cohort.quality(run["samples"], config["qc"])}
    labelled = len(run["predictions"].get(run["shipped"], ()))
    if labelled >= LEAST:
        figures |= {"calibration": report_scores.calibration(run), **outcomes(run)}
    elif labelled and run["task"] == "classification":
        figures["confusion"] = report_scores.confusion(run)
    return {name: figure for name, figure in figures.items() if figure}
