"""Average precision expected by chance: labels permuted on the same scores, folds and groups.

It lies above the share of the class: the mean over all orders of n samples with m positives is
((m - 1) / (n - 1) (n - H_n) + H_n) / n, H_n = 1 + 1/2 + ... + 1/n (Bestgen 2015), which is .37 in a fold of ten with two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.evaluation import ranking

if TYPE_CHECKING:
    pass

DRAWS, VALUES_AT_ONCE, FEWEST = 1000, 4_000_000, 50


def average_precision(
    probabilities: NDArray[np.float64],
    truth: NDArray[np.int64],
    folds: NDArray[Any],
    units: NDArray[Any],
    seed: int = 1,
) -> tuple[float, NDArray[np.float64]]:
    """(mean over permutations and folds of the AUPRC of `ranking.fold_means`, (K,) the same of each class against the rest).

    probabilities (n, K), truth (n,) class numbers, folds (n,), units (n,) groups (samples where there are none). Labels are
    permuted within each fold: groups of one label exchange it as a whole, in others the samples exchange theirs. NaN
    where no fold has a sample of each class; of two classes only the last has a value of its own.
    """
    rng, K = np.random.default_rng(seed), probabilities.shape[1]
    auprcs: Any
    classes, auprcs = [1] if K == 2 else range(K), []
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        drawn, alone = permuted(truth[rows], units[rows], rng), np.ones((1, len(rows)))
        of_class = np.full((K, len(drawn)), np.nan)
        for k in classes:
            if 0 < (truth[rows] == k).sum() < len(rows):  # the fold counts for this class
                of_class[k] = ranking.Ranking(probabilities[rows, k], drawn == k).auprc(alone)
        own = ranking.nanmean(of_class.T)
        auprcs.append([ranking.nanmean(own), *own])
    auprcs = ranking.nanmean(np.array(auprcs))
    return auprcs[0], auprcs[1:]


def permuted(y: NDArray[np.int64], units: NDArray[Any], rng: np.random.Generator) -> NDArray[np.int64]:
    """(draws, n) permutations of class numbers y (n,), units (n,) exchanged as `average_precision` says."""
    draws = int(np.clip(VALUES_AT_ONCE // len(y), FEWEST, DRAWS))
    names, unit = np.unique(units, return_inverse=True)
    if len(names) == len(y):
        return rng.permuted(np.tile(y, (draws, 1)), axis=1)
    lowest, highest = np.full(len(names), y.max()), np.full(len(names), y.min())
    np.minimum.at(lowest, unit, y)
    np.maximum.at(highest, unit, y)
    whole = lowest == highest
    label_of = np.tile(lowest, (draws, 1))
    label_of[:, whole] = rng.permuted(label_of[:, whole], axis=1)
    new = label_of[:, unit]
    for number in np.flatnonzero(~whole):
        rows = unit == number
        new[:, rows] = rng.permuted(np.tile(y[rows], (draws, 1)), axis=1)
    return new
