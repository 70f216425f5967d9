"""Logistic regression with an elastic-net penalty: few genes, correlated ones together (Zou & Hastie 2005)."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.models import base
from rna2model.models.linear import batched_fista
from rna2model.models.linear.logistic import Linear, logistic_targets, probabilities
from rna2model.models.linear.rotation import scaled

COSTLY = 20_000_000  # values of expression above which a fit takes minutes


class ElasticNet(Linear):
    """The objective of scikit-learn's LogisticRegression with l1_ratio; genes scaled (rotation.py), classes not weighted
    unless `imbalance` says so.

    C is given as a multiple of the smallest C that leaves a gene in the model, so the grid fits any cohort;
    it and l1_ratio are tuned by the log loss of pooled inner out-of-fold predictions. The L1 part is no
    function of the products of samples, so every candidate works with all genes: the slowest model here.
    """

    name = "elastic_net"
    SEARCH: ClassVar[dict] = {"l1_ratio": [0.5], "C_over_smallest": [2.0, 6.0, 20.0]}
    STEPS_TUNING, STEPS = 1000, 5000

    def _fit(self, X, y, folds, log):
        Z, mean, scale = scaled(X)
        if Z.size > COSTLY:
            self._note(f"{Z.shape[0]} x {Z.shape[1]} values: takes minutes per split", log)
        weight = self._class_weights(y)
        smallest, multiples = smallest_C(Z, y, weight), sorted(self.search["C_over_smallest"])
        pairs = [
            (ratio, m * smallest / ratio)
            for ratio, m in itertools.product(self.search["l1_ratio"], multiples)
        ]
        chosen = self._tune(Z, y, folds, pairs, log) if folds else pairs[len(pairs) // 2]
        coefficients, intercept = self._solve(Z, y, weight[:, None], [chosen], 1e-6, self.STEPS, log)
        self.weights_ = np.ascontiguousarray(coefficients[:, 0].T / scale)
        self.intercept_ = intercept[0] - self.weights_ @ mean
        used = int((coefficients != 0).any(axis=(1, 2)).sum())
        self.settings_.update(l1_ratio=chosen[0], C=chosen[1], n_genes_used=used)
        log(f"{self.name}: l1_ratio {chosen[0]}, C {chosen[1]:.3g}, {used} of {Z.shape[1]} genes")

    def _tune(self, Z, y, folds, pairs, log):
        """The (l1_ratio, C) with the least log loss of pooled out-of-fold predictions."""
        predicted = np.empty((len(pairs), len(y), len(self.classes_)))
        if folds[0].own is None:
            self._predict_held_out(predicted, Z, y, folds, pairs, log)
        else:
            for fold in folds:
                self._predict_held_out(predicted, scaled(fold.X)[0], y, [fold], pairs, log)
        rows = base.held_out(folds)
        scores = [-base.log_loss(one[rows], y[rows], self._class_weights(y[rows])) for one in predicted]
        tried = [
            {"l1_ratio": r, "C": C, "minus_log_loss": s} for (r, C), s in zip(pairs, scores, strict=True)
        ]
        self.settings_["candidates"], best = tried, int(np.argmax(scores))
        self._inner = predicted[best][rows]
        return pairs[best]

    def _predict_held_out(self, predicted, Z, y, folds, pairs, log):
        """Fill `predicted` (pairs, n, K) at the validation rows of folds with the same columns; all fits in one batch."""
        masks = np.stack(self._fold_weights(y, folds), axis=1)
        weight, repeated = np.tile(masks, len(pairs)), np.repeat(pairs, len(folds), axis=0)
        coefficients, intercept = self._solve(Z, y, weight, repeated, 1e-5, self.STEPS_TUNING, log)
        for i in range(len(pairs)):
            for k, (_, valid) in enumerate(folds):
                member = i * len(folds) + k
                predicted[i, valid] = probabilities(Z[valid] @ coefficients[:, member] + intercept[member])

    def _solve(self, Z, y, weight, pairs, tolerance, most_steps, log):
        """(coefficients (p, B, M), intercepts (B, M)) per sd of expression; pairs (B, 2) of l1_ratio and C."""
        ratio, C = np.asarray(pairs, dtype=float).T
        loss, targets = logistic_targets(y)
        targets = np.repeat(targets, len(C), axis=1)
        w, intercept, settled = batched_fista.solve(
            loss, Z, targets, weight, ratio / C, (1.0 - ratio) / C, tolerance, most_steps
        )
        if not settled and most_steps == self.STEPS:
            self._note(f"stopped after {most_steps} steps, coefficients not settled to {tolerance}", log)
        return w, intercept


class Lasso(ElasticNet):
    """The same with the L1 penalty alone (Tibshirani 1996): of correlated genes it keeps one."""

    name = "lasso"
    SEARCH: ClassVar[dict] = {"l1_ratio": [1.0], "C_over_smallest": [2.0, 6.0, 20.0]}


def smallest_C(
    Z: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64] | None = None
) -> float:
    """1 / largest |gradient| of the log loss at zero coefficients; below it the L1 penalty alone leaves no gene.

    Z (n, p) scaled rows, y (n,) class numbers, weight (n,) of the rows or None for ones.
    """
    weight = np.ones(len(y)) if weight is None else weight
    share = np.bincount(y, weights=weight) / weight.sum()
    gradient = Z.T @ (weight[:, None] * (np.eye(len(share))[y] - share))
    return 1.0 / max(float(np.abs(gradient).max()), 1e-12)
