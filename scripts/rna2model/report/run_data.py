"""What the report reads: the tables and numbers of a finished run, as far as they are there."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

TOP_GENES = 40  # of the features' table, in the heat map
MOST_COLUMNS = 200  # samples of a heat map


def gather(results: Path, config: Mapping[str, Any], models: Iterable[str]) -> dict[str, Any]:
    """Everything the page shows, as a dict of tables and numbers; None for what this run did not make."""
    task, shipped = config["design"]["task"], config["shipped_model"]
    own, seen = results / f"models/{shipped}", results / "expression"
    frozen = config["training"]["retrain"] == "never"
    models = sorted(models, key=lambda model: model == "dummy")  # dummy comes last
    run = {
        "task": task,
        "unit": config["counts_unit"],
        "models": models,
        "shipped": shipped,
        "samples": table(results / "samples.tsv"),
        "components": numbers(table(seen / "pca.tsv"), ("PC", "pc")),
        "metrics": {m: document(results / f"models/{m}/metrics.json") for m in models},
        "predictions": {m: predictions(results / f"models/{m}/predictions.tsv", task) for m in models},
        "permutations": {m: document(results / f"models/{m}/permutation.json") for m in models},
        "calibration": {m: optional(results / f"models/{m}/calibration.tsv") for m in models},
        "calibration_curve": optional(own / "calibration_curve.tsv"),
        "decision_curve": optional(own / "decision_curve.tsv"),
        "differences": optional(results / "models/differences.tsv"),
        "folds": optional(results / "splits/manifest.tsv"),
        "one_library": optional(results / "splits/one_library.tsv"),
        "diagnostics": document(seen / "diagnostics.json"),
        "outliers": None if frozen else optional(seen / "outliers.tsv"),
        "differential": optional(seen / "differential.tsv"),
        "features": optional(own / "features.tsv"),
        "stability": document(own / "stability.json"),
        "learning": optional(own / "learning_curve.tsv") if config["evaluation"]["learning_curve"] else None,
        "transfer": optional(results / "models/transfer.tsv")
        if config["evaluation"].get("transfer")
        else None,
        "frontier": optional(results / "models/panel/frontier.tsv") if "panel" in config["models"] else None,
        "manifest": document(results / "bundle/manifest.json"),
        "served": served(results / "predictions.tsv"),
        "external": document(results / "external_validation.json") if frozen else None,
        "versions": optional(results / "versions.tsv"),
        "batch_choice": optional(results / "models/batch_choice.tsv"),
    }
    if config["expression"]["batch_correction"] == "none":  # both views would be the same
        run["components"] = run["components"][run["components"]["view"] != "batch_corrected"]
        ((run["diagnostics"] or {}).get("views") or {}).pop("batch_corrected", None)
    for column in ("reads", "mapped_pct", "assigned_pct"):
        run["samples"][column] = pd.to_numeric(run["samples"].get(column), errors="coerce")
    for key, text in TEXT.items():
        if run[key] is not None:
            run[key] = numbers(run[key], but=text)
    run["calibration"] = {
        m: numbers(part, but=("outcome",)) for m, part in run["calibration"].items() if part is not None
    }
    run["heatmap"] = top_expression(run, seen / f"{config['expression']['normalization']}.tsv.gz")
    run["fewer"] = fewer(run)
    return run


TEXT = {  # text columns of optional tables
    "differences": ("model", "against", "metric"),
    "calibration_curve": ("outcome",),
    "decision_curve": ("outcome",),
    "outliers": ("sample", "verdict"),
    "differential": ("contrast", "gene_id", "symbol"),
    "features": ("feature", "symbol", "class", "above_control"),
    "learning": ("metric",),
    "frontier": ("metric", "shipped"),
    "transfer": ("model", "metric"),
}


def table(path: Path) -> pd.DataFrame:
    """A TSV as text cells: names and metadata are never numbers here."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def optional(path: Path) -> pd.DataFrame | None:
    """The table at `path`, or None if there is no such file."""
    return table(path) if path.exists() else None


def document(path: Path) -> Any:
    """The content of a JSON file, or None if there is no such file."""
    return json.loads(path.read_text()) if path.exists() else None


def numbers(
    frame: pd.DataFrame, start: str | tuple[str, ...] = (), but: Collection[str] | None = None
) -> pd.DataFrame:
    """`frame` with the columns of these prefixes (or all columns but some) as numbers, NaN for empty cells."""
    chosen = [c for c in frame if (c.startswith(start) if but is None else c not in but)]
    frame[chosen] = frame[chosen].apply(pd.to_numeric, errors="coerce")
    return frame


def predictions(path: Path, task: str) -> pd.DataFrame:
    """Out-of-fold predictions with their numbers as numbers."""
    more = {"regression": ("truth", "predicted"), "survival": ("time", "event", "predicted")}
    return numbers(table(path), ("prob_", "survival_", *more.get(task, ())))


def served(path: Path) -> pd.DataFrame | None:
    """Predictions of new samples with their probabilities as numbers, or None."""
    table = optional(path)
    return None if table is None else numbers(table, ("prob_", "survival_", "lower_", "upper_", "set_90_"))


def first_repeat(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of the first repeat of the cross-validation, so that each sample is there once."""
    return frame[~frame["split"].str.match(r"r(?!1f)\d+f")] if len(frame) else frame


def top_expression(run: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    """{genes, names, samples, values (genes, samples)} of the strongest features, or None without them.

    Read line by line: of a matrix of 20,000 genes and 1,000 samples only TOP_GENES rows become numbers. Of more than
    MOST_COLUMNS samples as many are taken, evenly over the classes (or the order of what is predicted).
    """
    if run["features"] is None or not path.exists():
        return None
    features = run["features"].drop_duplicates("feature").head(TOP_GENES)
    symbols = dict(zip(features["feature"], features["symbol"], strict=True))
    rows = {}
    with gzip.open(path, "rt") as file:
        header = next(file).rstrip("\n").split("\t")[1:]
        for line in file:
            gene, _, rest = line.partition("\t")
            if gene in symbols:
                rows[gene] = np.array(rest.split("\t"), dtype=float)
    genes = [gene for gene in symbols if gene in rows]
    order = {name: place for place, name in enumerate(header)}
    truth = _truth(run)
    truth = truth[truth["sample"].isin(order)].sort_values(["truth", "sample"], kind="stable")
    if not genes or truth.empty:
        return None
    chosen = truth.iloc[np.unique(np.linspace(0, len(truth) - 1, MOST_COLUMNS).round().astype(int))]
    values = np.array([rows[gene] for gene in genes])[:, [order[name] for name in chosen["sample"]]]
    spread = values.std(axis=1, keepdims=True)
    return {
        "genes": genes,
        "names": [symbols[gene] or gene for gene in genes],
        "samples": chosen["sample"].tolist(),
        "truth": chosen["truth"].tolist(),
        "values": (values - values.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1),
    }


def fewer(run: Mapping[str, Any]) -> str:
    """Why the heat map has fewer than TOP_GENES genes or is missing; empty if it has them all."""
    if run["features"] is None:
        return ""
    used = run["features"]["feature"].nunique()
    shown = len(run["heatmap"]["genes"]) if run["heatmap"] else 0
    lacking = min(used, TOP_GENES) - shown
    text = f"The model uses {used} features. " if used < TOP_GENES else ""
    if lacking:
        text += (
            f"Of its {min(used, TOP_GENES)} strongest features {lacking} have no row here: covariates and gene sets, and genes"
            " that the filter of the whole cohort leaves out, are not in the matrix that is shown."
        )
    return text.strip()


def _truth(run: Mapping[str, Any]) -> pd.DataFrame:
    """DataFrame sample, truth of the labelled samples, each once; for survival the time."""
    predictions = run["predictions"][run["shipped"]].drop_duplicates("sample")
    return predictions.rename(columns={"time": "truth"} if run["task"] == "survival" else {})[
        ["sample", "truth"]
    ]
