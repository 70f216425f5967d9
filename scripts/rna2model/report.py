"""One self-contained page about a run, from what went in to what was predicted."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from rna2model import batch, gate, outcome, report_figures
from rna2model.evaluation import SHOWN

TEMPLATES = Path(__file__).resolve().parents[2] / "resources" / "report"
SMALL = 75  # test samples, below which a score is too uncertain to be quoted alone (TRIPOD+AI discussions)


def render(results, config, models):
    """HTML text of the report of the run in `results` (a Path), with everything it shows inside."""
    import jinja2
    from plotly.offline import get_plotlyjs

    run = gather(Path(results), config, models)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True
    )
    environment.filters["number"] = number
    figures = report_figures.make(run, config)
    return environment.get_template("template.html.j2").render(
        run=run,
        config=config,
        shown=SHOWN[config["design"]["task"]],
        predicted=outcome.title(config["design"]),
        figures={name: embedded(figure) for name, figure in figures.items()},
        pca_choices=list(figures["pca"]["choices"]),
        comparison_choices=list(figures["comparison"]["choices"]),
        provenance=json.dumps({"libraries": run["manifest"]["libraries"], "config": config}, indent=1),
        plotly=get_plotlyjs(),
        style=(TEMPLATES / "report.css").read_text(),
        script=(TEMPLATES / "report.js").read_text(),
    )


def embedded(value):
    """JSON that cannot end the script element it stands in."""
    return (
        json.dumps(value, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "").replace("\u2029", "")
    )


def number(value, digits=3):
    """A number for a table cell; an en dash for none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def gather(results, config, models):
    """Everything the page shows, as a dict of tables and numbers."""
    run = {
        "samples": table(results / "samples.tsv"),
        "components": table(results / "expression/pca.tsv"),
        "metrics": {m: json.loads((results / f"models/{m}/metrics.json").read_text()) for m in models},
        "predictions": {m: table(results / f"models/{m}/predictions.tsv") for m in models},
        "manifest": json.loads((results / "bundle/manifest.json").read_text()),
        "models": models,
        "shipped": config["shipped_model"],
        "served": None,
        "external": None,
    }
    if config["training"]["retrain"] == "never" and (results / "external_validation.json").exists():
        run["external"] = json.loads((results / "external_validation.json").read_text())
    if (results / "predictions.tsv").exists():
        run["served"] = table(results / "predictions.tsv")
    for column in ("reads", "mapped_pct", "assigned_pct"):
        run["samples"][column] = pd.to_numeric(run["samples"].get(column), errors="coerce")
    for frame in (run["components"], *run["predictions"].values()):
        numeric = [
            c for c in frame if c.startswith(("prob_", "survival_", "PC", "pc")) or c in ("time", "event")
        ]
        numeric += (
            ["truth", "predicted"] if config["design"]["task"] == "regression" and "truth" in frame else []
        )
        frame[numeric] = frame[numeric].apply(pd.to_numeric)
    run["flow"] = flow(run, config)
    run["confounding"] = confounding(run, config)
    run["warnings"] = list(warnings(run, config["design"]["task"]))
    return run


def table(path):
    """A TSV as text cells: names and metadata are never numbers here."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def flow(run, config):
    """How many samples went where."""
    samples = run["samples"]
    included = samples[samples["status"] == "included"]
    labelled = set(run["predictions"][run["shipped"]]["sample"])
    return {
        "sheet": len(samples),
        "excluded": int((samples["status"] == "excluded").sum()),
        "included": len(included),
        "labelled": len(labelled),
        "new": len(included) - len(labelled),
        "classes": dict(zip(*np.unique(_labels(run, config)[0], return_counts=True), strict=True))
        if config["design"]["task"] != "regression"
        else {},
    }


def confounding(run, config):
    """Cramer's V of batch and target over the labelled samples, or None without a batch column."""
    if not config["design"]["batch"]:
        return None
    labels, used = _labels(run, config)
    return batch.confounding(used[gate.column_name(config["design"]["batch"])], labels)


def _labels(run, config):
    """((n,) class of each labelled sample or what stands for it, their rows of samples.tsv)."""
    used = run["samples"][run["samples"]["sample"].isin(run["predictions"][run["shipped"]]["sample"])]
    cells = {name: used[gate.column_name(name)].tolist() for name in outcome.columns(config["design"])}
    return outcome.labels(config["design"], cells), used


def warnings(run, task):
    """What a reader must know before any number, worst first."""
    shipped, chance, main = run["metrics"][run["shipped"]], run["metrics"]["dummy"], SHOWN[task][0]
    score, floor = shipped.get(main, {}), chance.get(main, {})
    if score.get("lower") is not None and score["lower"] <= max(floor.get("estimate") or 0, 0):
        yield (
            f"The shipped model ({run['shipped']}) is not clearly better than a model without genes: its interval"
            f" ({number(score['lower'])} to {number(score['upper'])}) reaches dummy's {main.replace('_', ' ')}"
            f" ({number(floor['estimate'])})."
        )
    if run["confounding"] and run["confounding"]["cramers_v"] > 0.3:
        yield (
            f"Batch and target are confounded (Cramer's V {run['confounding']['cramers_v']:.2f}): part of any score"
            " may be the batch. Look at leave-one-batch-out."
        )
    if run["flow"]["labelled"] < SMALL:
        yield f"{run['flow']['labelled']} test samples: below about {SMALL}, no score is precise; quote the intervals."
    for row in run["samples"].itertuples():
        if row.status == "excluded":
            yield f"{row.sample} was excluded: {row.reason}."
        elif getattr(row, "flags", ""):
            yield f"{row.sample}: {row.flags}."
