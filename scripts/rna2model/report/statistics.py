"""Sentences and tables of the report on intervals, operating points, subgroups and sample size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rna2model.evaluation import operating_point, sample_size
from rna2model.evaluation.classification import SHOWN
from rna2model.report.checks import number
from rna2model.report.run_data import numbers, optional
from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEADLINE = 4  # metrics whose corrected interval is quoted


def gather(results: Path, run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """{statistics: ...} for the page; each part None (or empty) if the run did not make it."""
    task, own = run["task"], results / f"models/{run['shipped']}"
    metrics = run["metrics"][run["shipped"]]
    return {
        "statistics": {
            "corrected": corrected(metrics, task),
            "comparisons": comparisons(run["differences"]),
            "operating": operating_points(metrics),
            "calibration": calibration(metrics),
            "increment": increment(run["differences"], run["shipped"], config["design"]["covariates"]),
            "subgroups": subgroup_table(optional(own / "subgroups.tsv"), task)
            if config["evaluation"]["subgroups"]
            else None,
            "adequacy": _adequacy(optional(results / "models/adequacy.tsv")),
        }
    }


def interval(value: Mapping[str, Any]) -> str:
    """A score with its corrected interval, or the bootstrap's if there is none."""
    for kind in ("_corrected", ""):
        lower, upper = value.get("lower" + kind), value.get("upper" + kind)
        if lower is not None and lower == lower:
            ends = "no interval" if lower == upper else f"{number(lower)} to {number(upper)}"
            return f"{number(value['estimate'])} ({ends})"
    return number(value.get("estimate"))


def corrected(metrics: Mapping[str, Any], task: str) -> str:
    """The shipped model's first scores with corrected intervals, or an empty text."""
    names = [name for name in SHOWN[task] if metrics.get(name, {}).get("lower_corrected") is not None]
    return "; ".join(f"{words(name)} {interval(metrics[name])}" for name in names[:HEADLINE])


def comparisons(table: pd.DataFrame | None) -> str:
    """How many paired differences there are, and how many intervals would exclude zero by chance."""
    if table is None or table.empty or "comparisons" not in table:
        return ""
    n = int(table["comparisons"].iloc[0])
    return (
        f"There are {n} comparisons (pairs of models x metrics). Even if all models were equally good, about one interval in twenty"
        f" would exclude 0; with Bonferroni's correction for {n} comparisons the level is {0.05 / n:.2g}."
    )


def operating_points(metrics: Mapping[str, Any]) -> str:
    """Sensitivity, specificity and predictive values of two classes, or an empty text."""
    names = [name for name in operating_point.NAMES if metrics.get(name, {}).get("estimate") is not None]
    called = {"ppv": "positive predictive value", "npv": "negative predictive value"}
    return "; ".join(f"{called.get(name, name)} {interval(metrics[name])}" for name in names)


def calibration(metrics: Mapping[str, Any]) -> str:
    """Calibration in the large and ICI, or an empty text."""
    names = {
        "calibration_in_the_large": "truth less prediction on average",
        "ici": "mean distance from the curve (ICI)",
    }
    return "; ".join(
        f"{label} {interval(metrics[name])}"
        for name, label in names.items()
        if metrics.get(name, {}).get("estimate") is not None
    )


def increment(table: pd.DataFrame | None, shipped: str, covariates: Sequence[str]) -> str:
    """What the shipped model gains over the covariates alone, or an empty text where there are none."""
    if table is None or not covariates or shipped == "clinical":
        return ""
    if "clinical" not in set(table["against"]):
        return (
            "not known, since the model of covariates alone was not run; add clinical to models in the config"
        )
    rows = table[(table["against"] == "clinical") & (table["model"] == shipped)]
    differences = "; ".join(
        f"{words(row['metric'])} {interval(row | {'estimate': row['difference']})}"
        for row in rows.to_dict("records")
    )
    return f"{shipped} less clinical, {differences}"


def subgroup_table(table: pd.DataFrame | None, task: str) -> pd.DataFrame | None:
    """DataFrame of the levels with the first scores, as the page shows them; None without the file."""
    if table is None or table.empty:
        return None
    shown = [*SHOWN[task][:2], *operating_point.NAMES[:2]]
    table = numbers(table, but=("column", "level", "metric", "note"))
    table["cell"] = [interval(row) for row in table.to_dict("records")]
    first = table.drop_duplicates(["column", "level"])
    made = first[["column", "level"]].assign(samples=first["n"].astype(int))
    if first["events"].notna().any():
        made = made.assign(events=first["events"].fillna(0).astype(int))
    for metric in shown:
        part = table[table["metric"] == metric].set_index(["column", "level"])["cell"]
        if len(part):
            keys = pd.MultiIndex.from_frame(made[["column", "level"]])
            made[words(metric)] = part.reindex(keys).to_numpy()
    few = first["note"].str.contains("few:", regex=False).to_numpy()
    return made.assign(note=["few samples: uncertain" if small else "" for small in few])


def _adequacy(table: pd.DataFrame | None) -> list[str]:
    return (
        []
        if table is None
        else sample_size.sentences(numbers(table, but=("candidates", "r2_from", "criterion", "met")))
    )
