"""Gene sets that a model relies on: ranks of their genes' effects, compared with those in models of shuffled labels.

|coefficient x sd| grows with a gene's sd whatever is predicted, so sets of variable genes rank high in every model. What a
set reaches by chance is therefore its own, and only models of shuffled labels know it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Sized

    import pandas as pd
    from numpy.typing import NDArray

COLUMNS = ["class", "gene_set", "genes", "matched", "auc", "correlation", "up_share", "p", "fdr", "strongest"]
COLUMNS += ["chance", "z"]
SHOWN = 5  # genes named for each set
LEAST_SHUFFLES = 20  # below which their spread is not estimated


def table(
    names: Sequence[str],
    symbols: Mapping[str, str],
    sets: Mapping[str, Sized],
    classes: Sequence[Any],
    effects: NDArray[Any],
    members: Mapping[str, NDArray[Any]],
    residuals: NDArray[Any],
    control: NDArray[Any] | None = None,
) -> pd.DataFrame:
    """DataFrame of COLUMNS, the most enriched first, one row for each class and set.

    names : (p,) features; symbols : {feature: symbol}; sets : {set: genes}; members : {set: columns} (gene_sets.members)
    effects : (C, p) of the final model; residuals : (n, p) expression of training samples less the mean of their class
    control : (P, C, p) effects of models of shuffled labels, or None

    `auc` is the chance that a gene of the set has a larger |effect| than a gene outside, `chance` its mean over the models of
    shuffled labels and `z` how many of their sds `auc` lies above it. p is the share of the z of all sets and shuffled models that
    reach the set's z (pooled as by GSEA; Subramanian et al. 2005), fdr Benjamini & Hochberg's within a class. Without
    LEAST_SHUFFLES shuffled models the four are empty and sets are sorted by `auc`.
    """
    import pandas as pd
    from scipy.stats import false_discovery_control

    columns_of = list(members.values())
    correlations = [correlation(residuals[:, columns]) for columns in columns_of]
    parts = []
    for k, (label, effect) in enumerate(zip(classes, effects, strict=True)):
        auc, rows = aucs(np.abs(effect)[None], columns_of)[0], []
        for name, columns, value, together in zip(members, columns_of, auc, correlations, strict=True):
            first = columns[np.argsort(-np.abs(effect)[columns], kind="stable")[:SHOWN]]
            shown = ",".join(symbols.get(names[i]) or names[i] for i in first)
            up = (effect[columns] > 0).mean()
            rows.append(
                (label, name, len(sets[name]), len(columns), value, together, up, np.nan, np.nan, shown)
            )
        part = pd.DataFrame(rows, columns=COLUMNS[:-2]).assign(chance=np.nan, z=np.nan)
        if why_no_p(control) is None:
            assert control is not None  # otherwise why_no_p gives a reason
            part["chance"], part["z"], part["p"] = against(auc, aucs(np.abs(control[:, k]), columns_of))
            part["fdr"] = false_discovery_control(part["p"])
        order = np.lexsort((part["gene_set"], -part["auc"], part["p"]))
        parts.append(part.iloc[order])
    return pd.concat(parts, ignore_index=True)


def why_no_p(control: NDArray[Any] | None) -> str | None:
    """Why gene sets have no p value; None if they have one."""
    if control is not None and len(control) >= LEAST_SHUFFLES:
        return None
    return (
        f"gene sets have no p: what a set reaches by chance is known from {LEAST_SHUFFLES} or more models of shuffled labels, here are"
        f" {0 if control is None else len(control)} (explanation.shuffles)"
    )


def aucs(strength: NDArray[Any], columns_of: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """(P, sets) chance that a gene of a set is stronger than one outside, strength (P, p); columns_of: columns of each set."""
    from scipy.stats import rankdata

    ranks = rankdata(strength, axis=1)
    areas = np.full((len(strength), len(columns_of)), 0.5)  # 0.5 for a set of all genes
    for i, columns in enumerate(columns_of):
        k, outside = len(columns), strength.shape[1] - len(columns)
        if outside:
            areas[:, i] = (ranks[:, columns].sum(axis=1) - k * (k + 1) / 2) / (k * outside)
    return areas


def against(
    auc: NDArray[Any], null: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """((sets,) mean of null, z, p) of auc (sets,) by null (P, sets), the same of models of shuffled labels."""
    mean, sd = null.mean(axis=0), null.std(axis=0, ddof=1)
    varies = sd > 1e-9
    z, by_chance = (
        np.divide(value - mean, sd, out=np.zeros(value.shape), where=np.broadcast_to(varies, value.shape))
        for value in (auc, null)
    )
    pool = np.sort(by_chance[:, varies], axis=None)
    reached = len(pool) - np.searchsorted(pool, z - 1e-9, side="left")
    return mean, z, np.where(varies, (reached + 1) / (len(pool) + 1), 1.0)


def correlation(residuals: NDArray[Any]) -> float:
    """Mean correlation of every two of k genes, residuals (n, k); 0 where it is negative (limma::interGeneCorrelation, as camera
    takes it)."""
    length = np.linalg.norm(residuals, axis=0)
    unit = residuals[:, length > 0] / length[length > 0]
    k = unit.shape[1]
    if k < 2:
        return 0.0
    inflation = (unit.sum(axis=1) ** 2).sum() / k
    return float(max(0.0, (inflation - 1) / (k - 1)))
