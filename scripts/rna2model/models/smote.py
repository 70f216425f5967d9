"""Synthetic samples of the rarer classes (SMOTE, Chawla et al. 2002; imbalanced-learn), of training rows only.

A synthetic row lies between a row and one of its nearest neighbours of the same class. It is made where the model works: after
normalization, batch correction and selection, with distances between scaled rows (rotation.py). Rows that an inner
fold validates have no part in the rows that fold trains on, and are never synthetic themselves.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from rna2model.models.folds import Fold
from rna2model.models.linear.rotation import scaled

NEIGHBOURS = 5


def smote(
    X: NDArray[np.float64], y: NDArray[np.int64], folds: list[Fold], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[Fold], list[int]]:
    """(X, y, folds, classes that had one sample only) with synthetic rows after the n given ones.

    X (n, p), y (n,) class numbers, folds: list of folds.Fold. As many rows are added for each class as it lacks to the
    largest, (s,) in all, sorted by class. A fold makes rows of its own from its training rows, in the same places, and
    trains on as many of them as its classes lack.
    """
    lacking = np.bincount(y).max() - np.bincount(y)
    labels, start = np.repeat(np.arange(len(lacking)), lacking), np.cumsum(lacking) - lacking
    if not len(labels):
        return X, y, folds, []
    made, copied = synthetic(X, y, lacking, seed)
    resampled = []
    for number, fold in enumerate(folds, start=1):
        (train, valid), own = fold, fold.of(X)
        counts = np.bincount(y[train], minlength=len(lacking))
        rows, alone = synthetic(own[train], y[train], lacking, seed + number)
        copied |= alone
        taken = np.minimum(counts.max() - counts, lacking)
        places = [len(y) + start[k] + np.arange(count) for k, count in enumerate(taken)]
        one = Fold((np.concatenate([train, *places]), valid))
        one.own = functools.partial(_joined, fold, X, rows)
        resampled.append(one)
    return np.concatenate([X, made]), np.concatenate([y, labels]), resampled, sorted(copied)


def synthetic(
    X: NDArray[np.float64], y: NDArray[np.int64], wanted: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float64], set[int]]:
    """((sum of wanted, p) rows of class 0, 1 ..., set of classes with one row, which is copied); wanted (K,) rows."""
    from imblearn.over_sampling import SMOTE

    Z, mean, scale = scaled(X)
    counts, parts, copied = np.bincount(y, minlength=len(wanted)), [], set()
    for k in np.flatnonzero(wanted):
        if counts[k] == 1:
            parts.append(np.repeat(X[y == k], wanted[k], axis=0))
            copied.add(int(k))
            continue
        to = {int(k): int(counts[k] + wanted[k])}
        sampler = SMOTE(sampling_strategy=to, k_neighbors=min(NEIGHBOURS, counts[k] - 1), random_state=seed)
        rows = sampler.fit_resample(Z, y)[0][len(Z) :]
        parts.append(rows * np.where(np.isfinite(scale), scale, 0.0) + mean)
    return np.concatenate(parts).astype(X.dtype), copied


def _joined(fold, X, rows):
    return np.concatenate([fold.of(X), rows])
