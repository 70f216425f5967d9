"""How much a model's answer changes when one feature's values are exchanged among samples: for any estimator.

The change itself, not that of a score (Breiman 2001; Fisher, Rudin & Dominici 2019), so that it needs no labels and compares with
SHAP values. A feature that stands for others that vary with it shares its effect with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

EXCHANGES = 2  # times that every sample gets the value of another
MOST_VALUES = 8_000_000  # of the copies that a model is asked about at once


def effects(answers: Callable[[NDArray[Any]], NDArray[np.float64]], X: NDArray[Any]) -> NDArray[np.float64]:
    """(C, p) mean absolute change of each answer, positive where it grows with the feature.

    answers : function of (n, p) to (n, C); X (n, p) samples. Blocks of features that change nothing together are not asked one
    by one: a tree reads few of them.
    """
    X, own = np.asarray(X), np.asarray(answers(X))
    change, along = np.zeros((own.shape[1], X.shape[1])), np.zeros((own.shape[1], X.shape[1]))
    for shift in range(1, min(EXCHANGES, len(X) - 1) + 1):
        other = np.roll(np.random.default_rng(shift).permutation(len(X)), shift)
        difference = X[other] - X
        for column in _that_matter(answers, X, own, other):
            for k, moved in enumerate((column[1] - own).T):
                change[k, column[0]] += np.abs(moved).mean() / EXCHANGES
                along[k, column[0]] += moved @ difference[:, column[0]]
    return change * np.where(along < 0, -1.0, 1.0)


def _that_matter(answers, X, own, other):
    """Pairs (column, (n, C) answers where samples have the `other`s' values of it) of the columns that change any."""
    at_once = max(1, MOST_VALUES // X.size)
    todo = [part for part in np.array_split(np.arange(X.shape[1]), int(np.sqrt(X.shape[1])) or 1)]
    while todo:
        batch, todo = todo[:at_once], todo[at_once:]
        copies = np.tile(X, (len(batch), 1, 1))
        for copy, columns in zip(copies, batch, strict=True):
            copy[:, columns] = X[other][:, columns]
        changed = np.asarray(answers(copies.reshape(-1, X.shape[1]))).reshape(len(batch), *own.shape)
        for columns, one in zip(batch, changed, strict=True):
            if np.array_equal(one, own):
                continue
            if len(columns) == 1:
                yield columns[0], one
            else:
                todo += np.array_split(columns, 2)
