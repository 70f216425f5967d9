"""Check before any job that the columns of evaluation.subgroups have levels. Not in subgroups.py, which loads pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.core.missing import is_missing
from rna2model.expression.features.covariates import kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rna2model.inputs.sheet import Sample

MOST_NUMBERS = 12  # different numbers of a column, of more it is a measurement and has no levels


def problems(path: str | Path, labelled: Sequence[Sample], config: Mapping[str, Any]) -> list[str]:
    """Problems (list of str) of evaluation.subgroups for the labelled samples of the sheet at `path` (a list of Sample)."""
    problems, design = [], config["design"]
    target = {design[role] for role in ("target", "time", "event") if design.get(role)}
    for column in config["evaluation"]["subgroups"]:
        cells = [sample.metadata.get(column, "") for sample in labelled]
        levels = {cell for cell in cells if not is_missing(cell)}
        if column in target:
            problems.append(
                f"config: evaluation.subgroups names {column!r}, which is what is predicted; leave it out"
            )
        elif kind(cells) == "number" and len(levels) > MOST_NUMBERS:
            problems.append(
                f"{path}, column {column}: evaluation.subgroups needs levels, and these are {len(levels)} different numbers;"
                " add a column with bands of them (say age_band: under 50, 50 to 70, over 70) and name that"
            )
        elif len(levels) > MOST_NUMBERS and len(levels) > len(cells) / 2:
            problems.append(
                f"{path}, column {column}: evaluation.subgroups needs levels, and this column has {len(levels)} for"
                f" {len(cells)} labelled samples; leave it out, or join its values in another column"
            )
        elif not levels:
            problems.append(
                f"{path}, column {column}: evaluation.subgroups finds it empty in every labelled sample"
            )
    return problems
