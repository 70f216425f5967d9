"""What a correction is worth on batches that were held out: a quick linear model, and a score that adds up over samples.

Many candidates are compared in every split, so the model is a ridge regression whose penalty leave-one-out chooses in closed form,
from one eigendecomposition: the linear models that follow are of its kind, and none is fitted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 500  # training samples of the probe; of more it takes so many
PENALTIES = np.logspace(-3, 3, 13)  # over the mean eigenvalue
METRICS = {"classification": "balanced accuracy", "regression": "R2", "survival": "concordance"}


class Probe:
    """Ridge regression of what stands for the outcome: class indicators, numbers, or martingale residuals (Therneau 1990)."""

    def __init__(self, task: str) -> None:
        self.task = task

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self:
        """X (n, g), y (n,) as SplitData.outcome has it."""
        if len(X) > MOST:
            chosen = np.sort(np.random.default_rng(1).permutation(len(X))[:MOST])
            X, y = X[chosen], y[chosen]
        X, wanted = np.asarray(X, dtype=float), self._wanted(y)
        self.mean_, self.scale_ = X.mean(axis=0), np.sqrt(X.std(axis=0))  # Pareto, as the models
        self.scale_[self.scale_ == 0] = np.inf
        self.rows_, self.level_ = (X - self.mean_) / self.scale_, wanted.mean(axis=0)
        values, vectors = np.linalg.eigh(self.rows_ @ self.rows_.T)
        values, along = np.maximum(values, 0), vectors.T @ (wanted - self.level_)
        tried = [(self._left_out(vectors, values, along, wanted, p), p) for p in self._penalties(values)]
        self.dual_ = vectors @ (along / (values + min(tried)[1])[:, None])
        self.weights_ = self.rows_.T @ self.dual_ / self.scale_[:, None]
        return self

    def predict(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """(m,) number of the class in sorted order, number, or risk."""
        shown = (np.asarray(X, dtype=float) - self.mean_) @ self.weights_ + self.level_
        if self.task != "classification":
            return shown[:, 0]
        return self.numbers_[
            (shown / self.level_).argmax(axis=1)
        ]  # the class that is furthest above its share

    def _wanted(self, y):
        if self.task == "classification":
            self.numbers_ = np.array(sorted(set(y.tolist())), dtype=float)
            return (y[:, None] == self.numbers_).astype(float)
        return (martingale(y) if self.task == "survival" else y.astype(float))[:, None]

    def _penalties(self, values):
        return PENALTIES * max(float(values.mean()), 1e-12)

    def _left_out(self, vectors, values, along, wanted, penalty):
        """Mean squared error of samples left out one by one."""
        shrunken = values / (values + penalty)
        leverage = (vectors**2) @ shrunken + 1 / len(wanted)
        error = wanted - self.level_ - vectors @ (shrunken[:, None] * along)
        return float(((error / np.maximum(1 - leverage, 1e-6)[:, None]) ** 2).mean())


def martingale(y: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) event less cumulative hazard (Nelson-Aalen) of times and events (outcome.SURVIVAL)."""
    at_risk = (y["time"][None, :] >= y["time"][:, None]).sum(axis=1)
    hazard = np.where(y["event"], 1 / at_risk, 0)
    return y["event"] - ((y["time"][None, :] <= y["time"][:, None]) * hazard).sum(axis=1)


def coded(y: NDArray[Any], task: str) -> NDArray[Any]:
    """Outcome as the probe takes it: a class becomes its number in sorted order."""
    if task != "classification":
        return y
    return np.unique(np.asarray(y).astype(str), return_inverse=True)[1].astype(float)


def shares(predicted: NDArray[np.float64], y: NDArray[Any], task: str) -> NDArray[np.float64]:
    """(n,) what each sample adds to the score of METRICS, so that their sum is the score; NaN in `predicted` is no prediction.

    Survival: the concordance of a pair belongs to both by halves.
    """
    rows, own = ~np.isnan(predicted), np.zeros(len(predicted))
    if not rows.any():
        return own
    if task == "survival":
        own[rows] = _concordant(predicted[rows], y[rows])
    elif task == "regression":
        spread = ((y[rows] - y[rows].mean()) ** 2).sum()
        own[rows] = 1 / rows.sum() - (y[rows] - predicted[rows]) ** 2 / max(spread, 1e-300)
    else:
        classes, places = np.unique(y[rows], return_inverse=True)
        own[rows] = (predicted[rows] == y[rows]) / np.bincount(places)[places] / len(classes)
    return own


def _concordant(risk, y):
    first = (y["time"][:, None] < y["time"]) & y["event"][:, None]
    agree = first * ((risk[:, None] > risk) + 0.5 * (risk[:, None] == risk))
    return (agree.sum(axis=0) + agree.sum(axis=1)) / 2 / max(first.sum(), 1)


def gain(
    better: NDArray[np.float64], than: NDArray[np.float64], batches: NDArray[Any]
) -> tuple[float, float]:
    """(difference of two scores, its standard error over batches), from the `shares` (n,) of both."""
    names, places = np.unique(batches, return_inverse=True)
    of_batch = np.bincount(places, weights=better - than)
    count = len(names)
    spread = ((of_batch - of_batch.mean()) ** 2).sum()
    return float(of_batch.sum()), float(np.sqrt(spread * count / (count - 1))) if count > 1 else np.inf
