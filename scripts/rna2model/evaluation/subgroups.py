"""Scores in each level of columns of the sheet (sex, age band, site): whether the model works in every subgroup it is meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rna2model.core.missing import is_missing
from rna2model.evaluation import classification, operating_point

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

COLUMNS = ["column", "level", "n", "groups", "events", "metric", "estimate", "lower", "upper"]
COLUMNS += ["lower_corrected", "upper_corrected", "note"]
NOT_GIVEN = "(not given)"
FEW, FEW_EVENTS = 20, 10  # samples, and of either outcome, below which a level is noted as small
ALSO = {"classification": ("log_loss", "calibration_intercept"), "regression": (), "survival": ()}
COMPARING = ("balanced_accuracy", "mcc", "f1_macro", "auroc", "auprc", "calibration_slope")


def table(
    predictions: pd.DataFrame,
    cells: Mapping[str, Mapping[str, Any]],
    design: Mapping[str, Any],
    groups: Mapping[str, str] | None = None,
    seed: int = 1,
    n_boot: int = 1000,
    training: Mapping[str, NDArray[Any]] | None = None,
) -> pd.DataFrame:
    """DataFrame of COLUMNS: for each column and level every metric that is shown, with both intervals.

    cells : {column: {sample: level}}. A level counts for as many rows as it has samples, however few: `note` says where they
    are too few, and why a metric has no value. events : samples of the positive class (of more than two the level's rarest),
    or events; groups : different donors
    """
    rows = []
    for column, of_sample in cells.items():
        levels = predictions["sample"].map(lambda name, of=of_sample: _level(of.get(name, "")))
        for level in sorted(levels.unique(), key=lambda name: (name == NOT_GIVEN, name)):
            part = predictions[(levels == level).to_numpy()].reset_index(drop=True)
            n, events, note = _size(part, predictions, design)
            own = part["sample"].nunique() if not groups else part["sample"].map(groups).nunique()
            for metric, value in _scores(part, predictions, design, groups, seed, n_boot, training).items():
                notes = "; ".join(filter(None, [note, value.get("note")]))
                row = [column, level, n, own, events, metric, value["estimate"]]
                rows.append([*row, *(value.get(key) for key in COLUMNS[7:11]), notes])
    return pd.DataFrame(rows, columns=COLUMNS)


def _level(cell):
    return NOT_GIVEN if is_missing(cell) else str(cell)


def _size(part, whole, design):
    """(samples, events, note if the level is small)."""
    each = part.drop_duplicates("sample")
    n, events, other = len(each), None, None
    if design["task"] == "survival":
        events = int((each["event"].astype(float) > 0).sum())
    elif design["task"] == "classification":
        classes = sorted(whole["truth"].astype(str).unique())
        counts = each["truth"].astype(str).value_counts().reindex(classes, fill_value=0)
        shown = operating_point.looked_at(classes, design.get("positive"))
        events = int(counts[shown[0][0]] if len(shown) == 1 else counts.min())
        other = n - events
    if n < FEW or (events is not None and events < FEW_EVENTS) or (other is not None and other < FEW_EVENTS):
        more = "" if events is None else f", {events} events"
        return n, events, f"few: {n} samples{more}"
    return n, events, ""


def _scores(part, whole, design, groups, seed, n_boot, training):
    """{metric: summary} of one level; metrics that compare classes are undefined if the level lacks one."""
    task = design["task"]
    own = {name: training[name] for name in part["split"].unique()} if training else None
    scores = classification.metrics(part, groups=groups, seed=seed, n_boot=n_boot, task=task, training=own)
    names = list(dict.fromkeys([*classification.SHOWN[task], *ALSO[task]]))
    shown = {name: scores[name] for name in names if name in scores}
    if task != "classification":
        return shown
    lacking = sorted(set(whole["truth"].astype(str)) - set(part["truth"].astype(str)))
    for name in COMPARING if lacking else ():
        if name in shown:
            why = f"the level has no sample of {', '.join(lacking)}"
            shown[name] = {
                "estimate": None,
                "lower": None,
                "upper": None,
                "n": scores[name]["n"],
                "note": why,
            }
    if whole["truth"].nunique() == 2:
        shown |= operating_point.metrics(part, groups, seed, n_boot, design.get("positive"))
    return shown
