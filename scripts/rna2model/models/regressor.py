"""What regression models have in common, and the one without genes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rna2model.cohort import outcome
from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.models import base


class Regressor(base.Model):
    """A model of a number: `predict` gives it in the target's own unit.

    A subclass writes `_fit` with y (n,) float64 and `_number` (the prediction of one sample).
    """

    _number: Any

    task = "regression"

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) predicted numbers. A sample gets the same alone and in company."""
        return self._numbers(self._input(X))

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        raise InputProblem(f"{self.name} predicts numbers, which have no class probabilities.")

    def _numbers(self, X):
        return np.array(
            [self._number(np.array(row)) for row in X], dtype=float
        )  # a copy: equal memory layout

    def _outcome(self, y, groups):
        y = np.asarray(y, dtype=float)
        self.classes_ = []
        if not np.isfinite(y).all() or len(np.unique(y)) < 2:
            raise InputProblem(f"{self.name}: the {len(y)} training samples need different, finite numbers.")
        strata, needed = outcome.strata("regression", y, groups, self.inner_folds)
        return y, strata, needed, {"target_mean": float(y.mean()), "target_sd": float(y.std())}

    def _adjust(self, X, y, folds, log):
        """Numbers have nothing to adjust; a stack may ask what models fitted in the inner folds say of the rows held out."""
        if not (folds and self.keeps_held_out):
            return
        held = np.empty(len(y))
        for valid, seen, one in self._refitted(X, y, folds):
            held[valid] = one._numbers(seen)
        rows = base.held_out(folds)
        self.held_out_ = rows, held[rows, None]

    def _choose(self, candidates, errors, log):
        """The candidate with the least inner squared error, the first among equals; all are kept in the settings."""
        tried = [{**c, "minus_mse": -float(e)} for c, e in zip(candidates, errors, strict=True)]
        best = int(np.argmin(np.asarray(errors) * (1 - 1e-9 * (np.arange(len(errors)) == 0))))
        self.settings_["candidates"] = tried
        log(
            f"{self.name}: {candidates[best]} of {len(candidates)} candidates, inner error {errors[best]:.4g}"
        )
        return best


class LinearRegressor(Regressor):
    """A number that is linear in expression.

    Attributes
    ----------
    weights_ : (1, p) float64, target's unit per unit of log2 expression; intercept_ : (1,) float64
    """

    def _weights(self):
        return self.weights_

    def _number(self, row):
        return float(self.weights_[0] @ row.astype(np.float64) + self.intercept_[0])

    def _arrays(self):
        return {"weights": self.weights_, "intercept": self.intercept_}

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        self.weights_, self.intercept_ = arrays["weights"], arrays["intercept"]


class DummyRegression(Regressor):
    """The mean of the training samples, for every sample.

    Attributes
    ----------
    mean_ : (1,) float64
    """

    name = "dummy"

    def _fit(self, X, y, folds, log):
        self.mean_ = np.array([y.mean()])
        log(f"dummy: mean {self.mean_[0]:.6g}")

    def _number(self, row):
        return float(self.mean_[0])

    def _arrays(self):
        return {"mean": self.mean_}

    def _restore(self, folder):
        self.mean_ = artefact.read(folder / base.WEIGHTS, self.name)[0]["mean"]
