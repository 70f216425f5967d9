"""Scores and weights that models share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_PROBABILITY = 1e-12  # a class with probability 0 would cost an infinite log loss


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from logits along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def two_sided(decision: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, K) decision values per class, of (n, 1) for two classes, where the first stays at zero, or (n, K)."""
    return np.column_stack([np.zeros(len(decision)), decision]) if decision.shape[1] == 1 else decision


def log_loss(
    probabilities: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64] | None = None
) -> float:
    """Mean of -log probability of the true class; probabilities (n, K), y (n,) class numbers, weight (n,) of the rows."""
    lost = -np.log(np.maximum(probabilities[np.arange(len(y)), y], LEAST_PROBABILITY))
    return float(np.average(lost, weights=weight))


def held_out(folds: Iterable[Any]) -> NDArray[np.int64]:
    """(m,) sorted rows that inner folds validate: all samples, but no row that was made up."""
    return np.sort(np.concatenate([valid for _, valid in folds]))


def balanced_accuracy(predicted: NDArray[np.int64], y: NDArray[np.int64]) -> float:
    """Mean recall over the classes present in y; both (n,) class numbers."""
    return float(np.mean([np.mean(predicted[y == label] == label) for label in np.unique(y)]))


def balanced_weights(y: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) sample weights that give every class the same total; their mean is one."""
    counts = np.bincount(y)
    return len(y) / (np.count_nonzero(counts) * counts[y])
