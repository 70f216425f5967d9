"""L2-penalised linear models: logistic regression and the linear support vector machine.

Both are fitted in rotated coordinates (rotation.py), all candidates and inner folds at once (batched_newton.py), and
mapped back to one coefficient per gene, so a prediction needs numpy only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from rna2model.core import artefact
from rna2model.models import base, platt
from rna2model.models.linear import batched_newton
from rna2model.models.linear.rotation import Rotation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rna2model.models.folds import Fold


class Linear(base.Model):
    """Logits that are linear in expression.

    Attributes
    ----------
    weights_ : (1 or K, p) float64, logit per unit of log2 expression; one row, towards the last of two classes
    intercept_ : (1 or K,) float64
    """

    def _weights(self):
        return self.weights_

    def signature(self) -> dict[str, Any]:
        weights: Any = self.coefficients()
        named = self.classes_[-len(weights) :]
        terms = [
            ("gene", named[number], int(column), None, float(weights[number, column]))
            for number, column in np.argwhere(weights != 0)
        ]
        offsets = dict(zip(named, self.intercept_.tolist(), strict=True))
        return {"kind": "linear", "terms": terms, "slope": 1.0, "offsets": offsets}

    def _scores(self, row):
        logits = self.weights_ @ row.astype(np.float64) + self.intercept_
        if len(logits) > 1:
            return base.softmax(logits)
        p = 0.5 * (1.0 + np.tanh(0.5 * logits[0]))
        return np.array([1.0 - p, p])

    def _arrays(self):
        return {"weights": self.weights_, "intercept": self.intercept_}

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        self.weights_, self.intercept_ = arrays["weights"], arrays["intercept"]

    def _fold_weights(self, y, folds):
        """One (n,) array per inner fold, the weights of its training rows by their classes and zero elsewhere."""
        return [_spread(self._class_weights(y[train]), train, len(y)) for train, _ in folds]

    def _keep(self, rotation, weights, intercept):
        """Map (r, M) rotated weights and (M,) intercepts back to genes."""
        self.weights_ = np.ascontiguousarray(rotation.to_genes(weights))  # as it is read back: equal rounding
        self.intercept_ = rotation.intercept(self.weights_, intercept)

    def _absorb(self):
        """Offsets and a sigmoid stay linear in expression, so that coefficients go on being those of the prediction."""
        if self.prevalence_ is not None:
            offsets = np.log(self.prevalence_.factors)
            self.intercept_ = self.intercept_ + (offsets[1:] - offsets[:1] if len(offsets) == 2 else offsets)
            self.prevalence_ = None
        if self.calibrator_ is not None and self.calibrator_.kind == "sigmoid":
            self.weights_ = self.calibrator_.slope * self.weights_
            self.intercept_ = self.calibrator_.slope * self.intercept_ + self.calibrator_.offsets
            self.calibrator_ = None

    def _choose(self, Cs, scores, measure, log):
        """The C with the highest score, the smallest among equals; kept in the settings."""
        tried = [{"C": float(C), measure: float(score)} for C, score in zip(Cs, scores, strict=True)]
        self.settings_["candidates"] = tried
        best = int(np.argmax(np.round(scores, 9)))
        log(f"{self.name}: C {Cs[best]:.3g} of {len(Cs)} candidates, inner {measure} {scores[best]:.4f}")
        return best


class LogisticL2(Linear):
    """Logistic (two classes) or multinomial regression with an L2 penalty; scikit-learn's LogisticRegression.

    Genes are scaled with the training rows (rotation.py), the intercept is not penalised, classes are not weighted
    unless `imbalance` says so: the probabilities keep the class frequencies of the training rows. C is tuned by the log loss of pooled
    inner out-of-fold predictions. Candidates are C times the number of varying genes, since the variance of a
    linear score grows with that number: the same grid serves 50 genes and 20,000.
    """

    name = "logistic_l2"
    SEARCH: ClassVar[dict] = {"C_times_genes": np.logspace(-3, 3, 10).tolist()}
    DEFAULT = 1.0

    def _fit(self, X, y, folds, log):
        rotation = Rotation(X)
        loss, targets = logistic_targets(y)
        C = self.DEFAULT / rotation.columns
        if folds:
            multiples = np.sort(np.asarray(self.search["C_times_genes"], dtype=float))
            rows = base.held_out(folds)
            decision = out_of_fold(loss, rotation, targets, self._fold_weights(y, folds), multiples, folds)
            held = [probabilities(decision[rows, i]) for i in range(len(multiples))]
            scores = [-base.log_loss(one, y[rows], self._class_weights(y[rows])) for one in held]
            Cs = multiples / rotation.columns
            best = self._choose(Cs, scores, "minus_log_loss", log)
            C, self._inner = Cs[best], held[best]
        weight = self._class_weights(y)[:, None]
        weights, intercept = batched_newton.solve(loss, rotation.Z, targets, weight, np.array([C]))
        self._keep(rotation, weights[:, 0], intercept[0])
        self.settings_.update(C=float(C), n_varying_genes=rotation.n_varying)

    def refit(self, X: NDArray[np.float64], labellings: NDArray[np.int64]) -> NDArray[np.float64]:
        """(P, 1 or K, p) coefficients of the same model with the same C for other labels of the rows X (n, p), all in one
        batch; labellings (P, n) class numbers, every class in each. All columns of X are used."""
        rotation = Rotation(X)
        loss, first = logistic_targets(labellings[0])
        targets = np.concatenate([first, *(logistic_targets(y)[1] for y in labellings[1:])], axis=1)
        members = np.ones(targets.shape[:2]), np.full(len(labellings), self.settings_["C"])
        return _refitted(rotation, batched_newton.solve(loss, rotation.Z, targets, *members)[0])


class Clinical(LogisticL2):
    """Logistic regression on the clinical covariates alone: what expression has to add to."""

    name, SEES = "clinical", "covariates"


class GenesOnly(LogisticL2):
    """logistic_l2 without the clinical covariates: what they add is the difference between the two."""

    name, SEES = "genes_only", "genes"


class LinearSVM(Linear):
    """Linear support vector machine, squared hinge loss, one class against the rest (LinearSVC).

    Unlike LinearSVC the intercept is not penalised. Classes weigh the same (`imbalance: auto`); C is tuned by the balanced accuracy
    of inner out-of-fold decisions, and those of the chosen C calibrate the probabilities (platt.py), without weights.
    Without inner folds, and with `calibration` none or isotonic, the decision value is the logit.
    """

    name = "linear_svm"
    SEARCH: ClassVar[dict] = {"C_times_genes": np.logspace(-4, 2, 10).tolist()}
    DEFAULT = 0.1
    CLASS_WEIGHT = "balanced"
    CALIBRATES = True

    def _fit(self, X, y, folds, log):
        rotation = Rotation(X)
        targets = one_against_rest(y)
        C, slope, offsets = self.DEFAULT / rotation.columns, 1.0, 0.0
        if folds:
            multiples = np.sort(np.asarray(self.search["C_times_genes"], dtype=float))
            Cs, rows = multiples / rotation.columns, base.held_out(folds)
            weights, truth = self._fold_weights(y, folds), y[rows]
            decision = out_of_fold(batched_newton.SquaredHinge, rotation, targets, weights, multiples, folds)[
                rows
            ]
            scores = [base.balanced_accuracy(decide(decision[:, i]), truth) for i in range(len(Cs))]
            best = self._choose(Cs, scores, "balanced_accuracy", log)
            if self.calibration in ("auto", "sigmoid"):
                slope, offsets = platt.fit(decision[:, best], truth, np.ones(len(truth)))
                self._at_shares = True
            C, self._inner = Cs[best], probabilities(slope * decision[:, best] + offsets)
        members = targets.shape[1]
        weight = np.repeat(self._class_weights(y)[:, None], members, axis=1)
        w, intercept = batched_newton.solve(
            batched_newton.SquaredHinge, rotation.Z, targets, weight, np.full(members, C)
        )
        self._keep(rotation, slope * w[:, :, 0], slope * intercept[:, 0] + offsets)
        self.settings_.update(C=float(C), calibration_slope=slope, n_varying_genes=rotation.n_varying)

    def refit(self, X: NDArray[np.float64], labellings: NDArray[np.int64]) -> NDArray[np.float64]:
        """The same as `LogisticL2.refit`; coefficients of decision values, which no slope calibrates."""
        rotation, parts = Rotation(X), [one_against_rest(y) for y in labellings]
        width = parts[0].shape[1]
        weight = np.stack([base.balanced_weights(y) for y in labellings], axis=1).repeat(width, axis=1)
        Cs = np.full(weight.shape[1], self.settings_["C"])
        targets = np.concatenate(parts, axis=1)
        weights, _ = batched_newton.solve(batched_newton.SquaredHinge, rotation.Z, targets, weight, Cs)
        return _refitted(rotation, weights.reshape(len(weights), len(labellings), width))


def logistic_targets(y: NDArray[np.int64]) -> tuple[Any, NDArray[np.float64]]:
    """(loss, (n, 1, M) targets): signs for two classes, one-hot for more."""
    if y.max() == 1:
        return batched_newton.Logistic, np.where(y == 1, 1.0, -1.0)[:, None, None]
    return batched_newton.Softmax, np.eye(y.max() + 1)[y][:, None, :]


def one_against_rest(y: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, T, 1) signs: one problem for two classes, one per class for more."""
    if y.max() == 1:
        return np.where(y == 1, 1.0, -1.0)[:, None, None]
    return np.where(y[:, None] == np.arange(y.max() + 1), 1.0, -1.0)[:, :, None]


def out_of_fold(
    loss: Any,
    rotation: Rotation,
    targets: NDArray[np.float64],
    weights: Sequence[NDArray[np.float64]],
    multiples: NDArray[np.float64],
    folds: Sequence[Fold],
) -> NDArray[np.float64]:
    """(n, number of C, T * M) decision values of rows held out in inner folds.

    targets (n, T, M); weights: one (n,) array per fold; multiples: C times the number of columns; folds: folds.Fold.
    Folds that share their columns are fitted in one batch; a fold with columns of its own has its own rotation.
    """
    decision = np.empty((len(targets), len(multiples), targets.shape[1] * targets.shape[2]))
    if folds[0].own is None:
        parts: Any = [(rotation, weights, folds)]
    else:
        parts = ((Rotation(cast(Any, fold.X)), [w], [fold]) for w, fold in zip(weights, folds, strict=True))
    for own, part_weights, part_folds in parts:
        Cs = multiples / own.columns
        _decide_held_out(decision, loss, own.Z, targets, part_weights, Cs, part_folds)
    return decision


def _decide_held_out(decision, loss, Z, targets, weights, Cs, folds):
    """Fill `decision` at the validation rows of `folds`, all fits in one batch."""
    n, T, M = targets.shape
    masked = np.stack(
        [w * np.isin(np.arange(n), train) for w, (train, _) in zip(weights, folds, strict=True)], axis=1
    )
    shape = (len(Cs), len(folds), T)
    w, intercept = batched_newton.solve(
        loss, Z,
        np.broadcast_to(targets[:, None, None], (n, *shape, M)).reshape(n, -1, M),
        np.broadcast_to(masked[:, None, :, None], (n, *shape)).reshape(n, -1),
        np.broadcast_to(np.asarray(Cs)[:, None, None], shape).ravel(),
    )  # fmt: skip
    w, intercept = w.reshape(-1, *shape, M), intercept.reshape(*shape, M)
    for k, (_, valid) in enumerate(folds):
        decision[valid] = (np.tensordot(Z[valid], w[:, :, k], axes=1) + intercept[:, k]).reshape(
            len(valid), len(Cs), -1
        )


def probabilities(decision: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, K) probabilities from (n, 1) or (n, K) logits."""
    return base.softmax(
        np.column_stack([np.zeros(len(decision)), decision]) if decision.shape[1] == 1 else decision
    )


def decide(decision: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) class numbers from (n, 1) or (n, K) decision values."""
    return (decision[:, 0] > 0).astype(int) if decision.shape[1] == 1 else decision.argmax(axis=1)


def _refitted(rotation, weights):
    """(P, M, p) coefficients per gene from rotated ones (r, P, M)."""
    flat = rotation.to_genes(weights.reshape(len(weights), -1))
    return flat.reshape(*weights.shape[1:], -1)


def _spread(values, rows, n):
    """(n,) array that holds `values` at `rows` and zero elsewhere."""
    full = np.zeros(n)
    full[rows] = values
    return full
