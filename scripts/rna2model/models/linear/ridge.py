"""Ridge regression, exact in as many dimensions as there are samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.models.linear.rotation import Rotation
from rna2model.models.regressor import LinearRegressor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rna2model.models.folds import Fold


class Ridge(LinearRegressor):
    """Linear regression with an L2 penalty and a free intercept (Hoerl & Kennard 1970); scikit-learn's Ridge.

    Genes are scaled with the training rows (rotation.py). Candidates are the penalty over the number of varying genes,
    chosen by the squared error of pooled inner out-of-fold predictions; one decomposition per inner fold serves them all.
    """

    name = "ridge"
    SEARCH: ClassVar[dict] = {"alpha_over_genes": np.logspace(-3, 4, 15).tolist()}
    DEFAULT = 1.0

    def _fit(self, X, y, folds, log):
        rotation = Rotation(X)
        genes = max(rotation.n_varying, 1)
        alpha = self.DEFAULT * genes
        if folds:
            ratios = np.sort(np.asarray(self.search["alpha_over_genes"], dtype=float))[::-1]
            held_out = out_of_fold(rotation, X, y[:, None], ratios, folds)[:, :, 0]
            errors = ((held_out - y) ** 2).mean(axis=1)
            candidates = [{"alpha": float(ratio * genes)} for ratio in ratios]
            alpha = candidates[self._choose(candidates, errors, log)]["alpha"]
        weights = solve(rotation.Z, y[:, None], np.array([alpha]))[0]
        self.weights_ = np.ascontiguousarray(rotation.to_genes(weights))
        self.intercept_ = rotation.intercept(self.weights_, np.array([y.mean()]))
        self.settings_.update(alpha=float(alpha), n_varying_genes=rotation.n_varying)

    def refit(self, X: NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.float64]:
        """(P, 1, p) coefficients of the same model with the same penalty for other numbers of the rows X (n, p); values (P, n)."""
        rotation = Rotation(X)
        weights = solve(rotation.Z, np.asarray(values).T, np.array([self.settings_["alpha"]]))[0]
        return rotation.to_genes(weights)[:, None, :]


class ClinicalRidge(Ridge):
    """The same on the clinical covariates alone."""

    name, SEES = "clinical", "covariates"


class GenesOnlyRidge(Ridge):
    """The same without the clinical covariates."""

    name, SEES = "genes_only", "genes"


def solve(Z: NDArray[np.float64], Y: NDArray[np.float64], alphas: NDArray[np.float64]) -> NDArray[np.float64]:
    """(A, r, T) weights that minimise |Y - mean - (Z - mean) w|² + alpha |w|², for each of (A,) alphas; Z (n, r), Y (n, T)."""
    left, scale, right = np.linalg.svd(Z - Z.mean(axis=0), full_matrices=False)
    rotated = left.T @ (Y - Y.mean(axis=0))
    shrunken = (scale / (scale**2 + alphas[:, None]))[:, :, None] * rotated
    return right.T @ shrunken


def out_of_fold(
    rotation: Rotation,
    X: NDArray[np.float64],
    Y: NDArray[np.float64],
    ratios: NDArray[np.float64],
    folds: Sequence[Fold],
) -> NDArray[np.float64]:
    """(A, n, T) predictions of rows held out in inner folds; ratios (A,) are penalties over the number of genes."""
    held_out = np.empty((len(ratios), *Y.shape))
    for fold in folds:
        (train, valid), own = fold, fold.of(X)
        turned = rotation if own is X else Rotation(own)
        weights = solve(turned.Z[train], Y[train], ratios * max(turned.n_varying, 1))
        centred = turned.Z[valid] - turned.Z[train].mean(axis=0)
        held_out[:, valid] = centred @ weights + Y[train].mean(axis=0)
    return held_out
