"""Prediction sets of new samples: classes (or an interval) that hold the truth in LEVEL per cent of samples like those of training.

Split-conformal on the out-of-fold scores of the shipped model (Vovk et al. 2005), for each class by its own samples, so that a
rare class is covered, too. Rows of a group share a weight of one: the new sample comes from a new group (hierarchical
conformal prediction, Lee, Barber & Willett 2023); rows of repeats do the same for their sample. Assumed is that new samples (or
groups) are exchangeable with those of training: another hospital, protocol or case mix is not. The model of all samples is not the
one of the folds, so that the level is approximate; coverage is therefore measured, each fold by thresholds of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rna2model.evaluation import calibration_bins

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVEL = 90  # per cent
SET, ENDS = f"set_{LEVEL}", (f"set_{LEVEL}_lower", f"set_{LEVEL}_upper")
BETWEEN = "|"  # of the classes of a set
DIGITS = 9


def threshold(scores: NDArray[np.float64], groups: NDArray[Any]) -> float:
    """Score (n,) that LEVEL per cent of new groups stay within, by groups (n,); infinite where they are too few (below 9)."""
    if not len(scores):
        return np.inf
    number, counts = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(scores, kind="stable")
    weight = np.cumsum(1.0 / counts[number][order])
    needed = (len(counts) + 1) * LEVEL / 100
    place = np.searchsorted(weight, needed - 1e-9)
    return float(scores[order][place]) if place < len(scores) else np.inf


def fit(table: pd.DataFrame, task: str, groups: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """JSON of the sets of a model by its out-of-fold predictions: `thresholds` {class or "predicted": score, null for none},
    `groups` behind each, and `out_of_fold`: what `coverage` says when each fold has the thresholds of the other folds.

    None for survival, whose censored times have no score.
    """
    if task == "survival" or not len(table):
        return None
    table = table.reset_index(drop=True)
    unit = _units(table, groups)
    thresholds, behind = _thresholds(table, task, unit)
    repeat = table["split"].str.extract(r"^(r\d+)f", expand=False).fillna("r1")
    parts = []
    for split in sorted(set(table["split"])):
        test = table["split"] == split
        others = ~test & (repeat == repeat[test].iloc[0])
        own, _ = _thresholds(table[others], task, unit[others], _names(table, task))
        parts.append(table[test].assign(**columns(own, table[test], task)))
    finite = {name: value if np.isfinite(value) else None for name, value in thresholds.items()}
    return {
        "level": LEVEL,
        "assumes": "new samples (groups) are exchangeable with those of training",
        "thresholds": finite,
        "groups": behind,
        "out_of_fold": coverage(pd.concat(parts), task, groups),
    }


def read(settings: Mapping[str, Any] | None) -> dict[str, float]:
    """{class or "predicted": threshold} from the JSON of `fit`; empty for None."""
    thresholds = (settings or {}).get("thresholds") or {}
    return {str(name): np.inf if value is None else float(value) for name, value in thresholds.items()}


def columns(thresholds: Mapping[str, float], table: pd.DataFrame, task: str) -> dict[str, list[Any]]:
    """{column: (n,) values} to add to a table of predictions; empty where there are no thresholds. A sample without
    prediction has no set."""
    if not thresholds or task == "survival":
        return {}
    has_one = (table["predicted"].notna() & (table["predicted"].astype(str) != "")).to_numpy()
    if task == "regression":
        value = pd.to_numeric(table["predicted"], errors="coerce").to_numpy(dtype=float)
        ends = (value - thresholds["predicted"], value + thresholds["predicted"])
        return {
            name: [float(f"{v:.{DIGITS}g}") if ok else np.nan for v, ok in zip(end, has_one, strict=True)]
            for name, end in zip(ENDS, ends, strict=True)
        }
    within = np.array([1 - _probabilities(table, name) <= most + 1e-9 for name, most in thresholds.items()])
    names, sets = np.array(list(thresholds), dtype=object), []
    for inside, called, ok in zip(within.T, table["predicted"], has_one, strict=True):
        sets.append(BETWEEN.join(names[inside].tolist() or [str(called)]) if ok else "")
    return {SET: sets}


def coverage(
    table: pd.DataFrame, task: str, groups: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """JSON: share of the samples whose set holds the truth, with Wilson's interval that counts groups; for classes also
    `of_class`, `one_class` (share of sets that name one) and the mean `size`, for numbers the median `width`.

    table : truth, predicted, split and the columns of `columns`; None where these are missing.
    """
    if not len(table) or not ({SET, ENDS[0]} & set(table)):
        return None
    unit = _units(table.reset_index(drop=True), groups)
    if task == "regression":
        truth, lower, upper = (table[name].astype(float).to_numpy() for name in ("truth", *ENDS))
        inside, width = (truth >= lower) & (truth <= upper), float(np.median(upper - lower))
        more: dict[str, Any] = {"width": width if np.isfinite(width) else None}
    else:
        truth, sets = table["truth"].astype(str).to_numpy(), [cell.split(BETWEEN) for cell in table[SET]]
        inside = np.array([name in classes for name, classes in zip(truth, sets, strict=True)])
        sizes = np.array([len(classes) for classes in sets])
        more = {"of_class": {name: float(inside[truth == name].mean()) for name in sorted(set(truth))}}
        more |= {"one_class": float((sizes == 1).mean()), "size": float(sizes.mean())}
    n = len(np.unique(unit))
    share, lower, upper = calibration_bins.wilson(inside.mean() * n, n)
    covered = {"coverage": float(share), "lower": float(lower), "upper": float(upper)}
    return {**covered, "n": int(table["sample"].nunique()), **more}


def _units(table, groups):
    """(n,) str, the group of each row, or its sample."""
    return np.array([str((groups or {}).get(name) or name) for name in table["sample"].astype(str)])


def _names(table, task):
    if task == "regression":
        return ["predicted"]
    return sorted(name.removeprefix("prob_") for name in table if name.startswith("prob_"))


def _thresholds(table, task, unit, names=None):
    """({class or "predicted": threshold}, {the same: number of groups})."""
    names = names or _names(table, task)
    if task == "regression":
        error = np.abs(table["truth"].astype(float) - table["predicted"].astype(float)).to_numpy()
        return {"predicted": threshold(error, unit)}, {"predicted": len(np.unique(unit))}
    truth, thresholds, behind = table["truth"].astype(str).to_numpy(), {}, {}
    for name in names:
        own = truth == name
        thresholds[name] = threshold(1 - _probabilities(table, name)[own], unit[own])
        behind[name] = len(np.unique(unit[own]))
    return thresholds, behind


def _probabilities(table, name):
    """(n,) probability of a class; 0 where a split never saw it."""
    return pd.to_numeric(table[f"prob_{name}"], errors="coerce").fillna(0.0).to_numpy(dtype=float)
