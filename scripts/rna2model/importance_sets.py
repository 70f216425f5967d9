"""Which gene sets a model leans on: a rank test of the genes' effects, aware that genes of a set vary together."""

import numpy as np

COLUMNS = ["class", "gene_set", "genes", "matched", "auc", "correlation", "up_share", "p", "fdr", "strongest"]
SHOWN = 5  # genes named for each set


def table(names, symbols, sets, classes, effects, members, residuals):
    """DataFrame of COLUMNS, the most enriched first, one row for each class and set.

    names : (p,) features; symbols : {feature: symbol}; sets : {set: genes}; members : {set: columns} (genesets.members)
    effects : (C, p) of the final model; residuals : (n, p) expression of training samples less the mean of their class

    `auc` is the chance that a gene of the set has a larger |effect| than a gene outside (0.5 by chance), p the one-sided rank
    test of it that camera uses (Wu & Smyth 2012), and fdr Benjamini & Hochberg's within a class.
    """
    import pandas as pd
    from scipy.stats import false_discovery_control

    correlations = {name: correlation(residuals[:, columns]) for name, columns in members.items()}
    parts = []
    for label, effect in zip(classes, effects, strict=True):
        rows, strength = [], np.abs(effect)
        for name, columns in members.items():
            auc, p = rank_test(strength, columns, correlations[name])
            first = columns[np.argsort(-strength[columns], kind="stable")[:SHOWN]]
            told = ",".join(symbols.get(names[i]) or names[i] for i in first)
            up = (effect[columns] > 0).mean()
            rows.append(
                (label, name, len(sets[name]), len(columns), auc, correlations[name], up, p, np.nan, told)
            )
        part = pd.DataFrame(rows, columns=COLUMNS)
        part["fdr"] = false_discovery_control(part["p"])
        parts.append(part.sort_values(["p", "gene_set"], kind="stable"))
    return pd.concat(parts, ignore_index=True)


def correlation(residuals):
    """Mean correlation of every two of k genes, residuals (n, k); 0 where it is negative (limma::interGeneCorrelation, as camera
    takes it)."""
    length = np.linalg.norm(residuals, axis=0)
    unit = residuals[:, length > 0] / length[length > 0]
    k = unit.shape[1]
    if k < 2:
        return 0.0
    inflation = (unit.sum(axis=1) ** 2).sum() / k
    return float(max(0.0, (inflation - 1) / (k - 1)))


def rank_test(statistic, columns, correlation):
    """(AUC, p) of whether statistic (p,) is larger at `columns` than elsewhere (limma::rankSumTestWithCorrelation, greater)."""
    from scipy.stats import norm, rankdata

    n, n1 = len(statistic), len(columns)
    n2, ranks = n - n1, rankdata(statistic)
    if n2 == 0:
        return 0.5, 1.0
    U = ranks[columns].sum() - n1 * (n1 + 1) / 2  # pairs that the set wins
    if correlation == 0 or n1 == 1:
        variance = n1 * n2 * (n + 1) / 12
    else:
        angles = np.arcsin([1.0, 0.5, correlation / 2, (correlation + 1) / 2])
        pairs = np.array([1, n2 - 1, (n1 - 1) * (n2 - 1), n1 - 1])
        variance = n1 * n2 * (angles * pairs).sum() / (2 * np.pi)
    ties = np.unique(ranks, return_counts=True)[1].astype(float)
    variance *= 1 - (ties * (ties + 1) * (ties - 1)).sum() / (n * (n + 1) * (n - 1))
    z = (U - n1 * n2 / 2 - 0.5) / np.sqrt(variance) if variance > 0 else 0.0
    return U / (n1 * n2), float(norm.sf(z))
