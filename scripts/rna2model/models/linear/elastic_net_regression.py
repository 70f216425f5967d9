"""Linear regression with few genes: elastic net (Zou & Hastie 2005) and lasso (Tibshirani 1996), by scikit-learn."""

import warnings
from typing import ClassVar

import numpy as np

from rna2model.models.linear.rotation import scaled
from rna2model.models.regressor import LinearRegressor


class ElasticNetRegression(LinearRegressor):
    """scikit-learn's ElasticNet on genes scaled with the training rows (rotation.py).

    The penalty alpha is a share of the smallest one that leaves no gene, so the grid fits any target's unit; it and
    l1_ratio are chosen by the squared error of pooled inner out-of-fold predictions.
    """

    name = "elastic_net"
    SEARCH: ClassVar[dict] = {
        "l1_ratio": [0.5],
        "alpha_over_largest": [0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05],
    }
    MOST_PASSES = 2000

    def _fit(self, X, y, folds, log):
        Z, mean, scale = scaled(X)
        shares = np.sort(np.asarray(self.search["alpha_over_largest"], dtype=float))[::-1]
        candidates = [
            {"l1_ratio": r, "alpha_over_largest": float(s)} for r in self.search["l1_ratio"] for s in shares
        ]
        chosen = candidates[len(candidates) // 2]
        if folds:
            held_out = [self._out_of_fold(Z, X, y, ratio, shares, folds) for ratio in self.search["l1_ratio"]]
            errors = ((np.concatenate(held_out) - y) ** 2).mean(axis=1)
            chosen = candidates[self._choose(candidates, errors, log)]
        path = shares[shares >= chosen["alpha_over_largest"]]
        weights = self._path(Z, y - y.mean(), chosen["l1_ratio"], path, log)[:, -1]
        self.weights_ = np.ascontiguousarray((weights / scale)[None])
        self.intercept_ = np.array([y.mean()]) - self.weights_ @ mean
        self.settings_.update(chosen, n_genes_used=int(np.count_nonzero(weights)))
        log(f"{self.name}: {self.settings_['n_genes_used']} of {len(weights)} genes")

    def _out_of_fold(self, Z, X, y, ratio, shares, folds):
        """(A, n) predictions of rows held out in inner folds, for each share of the largest penalty."""
        held_out = np.empty((len(shares), len(y)))
        for fold in folds:
            (train, valid), own = fold, fold.of(X)
            turned = Z if own is X else scaled(own)[0]
            mean, level = turned[train].mean(axis=0), y[train].mean()
            weights = self._path(turned[train] - mean, y[train] - level, ratio, shares)
            held_out[:, valid] = ((turned[valid] - mean) @ weights + level).T
        return held_out

    def _path(self, Z, y, ratio, shares, log=None):
        """(p, A) weights for penalties from the largest down; Z and y centred."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import enet_path

        largest = float(np.abs(Z.T @ y).max()) / (len(y) * ratio) or 1.0  # any, where nothing varies
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            _, weights, _ = enet_path(
                np.asfortranarray(Z), y, l1_ratio=ratio, alphas=largest * shares, max_iter=self.MOST_PASSES
            )
        if log and any(issubclass(w.category, ConvergenceWarning) for w in caught):
            self._note(f"stopped after {self.MOST_PASSES} passes over the genes, not settled", log)
        return weights


class Lasso(ElasticNetRegression):
    """The elastic net with the L1 penalty alone."""

    name = "lasso"
    SEARCH: ClassVar[dict] = {**ElasticNetRegression.SEARCH, "l1_ratio": [1.0]}
