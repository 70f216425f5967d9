"""What `batch_correction: auto` chose, from what, and what a single new sample gets, in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.report.checks import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

TITLES = {
    "correction": "correction",
    "rule": "a new batch",
    "score": "score",
    "gain": "more than none",
    "error": "standard error",
    "one_class": "if all were of one class",
    "splits": "splits that chose it",
}


def gather(manifest: Mapping[str, Any] | None, table: pd.DataFrame | None) -> dict[str, Any] | None:
    """{sentences, candidates} of the bundle's choice and of models/batch_choice.tsv, or None where nothing was chosen."""
    chosen = (manifest or {}).get("batch_choice")
    if not chosen:
        return None
    return {"sentences": sentences(chosen), "candidates": candidates(chosen, table)}


def sentences(chosen: Mapping[str, Any]) -> list[str]:
    """What the final model's training samples chose, and what a new sample gets that comes alone."""
    if chosen["note"]:
        return [f"Batches were not corrected: {chosen['note']}."]
    lines = [
        f"Each of {chosen['batches']} batches was predicted from the others, treated as a new batch will be. Chosen: {_rule(chosen)}."
    ]
    alone, size = chosen["alone"], chosen["adapt_samples"]
    if chosen["unseen_batch"] == "adapt" and size:
        lines.append(
            f"A sample of a new batch that comes alone, or with fewer than {size} of its batch, is predicted as it is and flagged:"
            f" {chosen['metric']} {number(alone['score'])}. The best for samples that come one by one would be {alone['best']}"
            f" ({number(alone['best_score'])}): set expression.unseen_batch to uncorrected if yours do."
        )
        lines.append(
            "Adapting takes a batch for a mixture of classes like that of training; of a batch of one class it takes the class away."
        )
    else:
        lines.append(
            f"A new sample is treated the same alone and in company: {chosen['metric']} {number(alone['score'])}."
        )
    return lines


def candidates(chosen: Mapping[str, Any], table: pd.DataFrame | None) -> pd.DataFrame:
    """DataFrame of TITLES: the candidates of the split `full`, and how many of all splits chose each."""
    import pandas as pd

    rows = []
    for one in chosen["candidates"]:
        row = {"correction": one["correction"], "rule": _unseen(one)}
        row |= {key: number(one[key]) for key in ("score", "gain", "error", "one_class")}
        rows.append(row | {"splits": _count(one, table)})
    return pd.DataFrame(rows, columns=list(TITLES)).rename(columns=TITLES)


def _rule(one):
    return (
        "no correction" if one["correction"] == "none" else f"{one['correction']}, a new batch {_unseen(one)}"
    )


def _unseen(one):
    if one["unseen_batch"] == "adapt" and one["adapt_samples"]:
        return f"adapted from {one['adapt_samples']} samples on"
    return "ranked like all" if one["correction"] == "rank" else "left as it is"


def _count(one, table):
    if table is None:
        return "–"
    same = (table["correction"] == one["correction"]) & (table["unseen_batch"] == one["unseen_batch"])
    return f"{(same & (table['chosen'] == 'True')).sum()} of {table['split'].nunique()}"
