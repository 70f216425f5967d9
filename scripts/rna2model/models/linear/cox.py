"""Cox's proportional hazards with an L2 penalty, exact in as many dimensions as there are samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.models.linear import batched_newton
from rna2model.models.linear.rotation import Rotation
from rna2model.models.survival_base import SurvivalModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class PartialLikelihood:
    """Negative log partial likelihood (Cox 1972) with Breslow's ties, in the form batched_newton.py asks of a loss.

    Rows must be sorted by time. y (n, B, 1) is 1 for rows that take part in member b, else 0: its risk sets are its own.
    The values of rows are meant to be summed; a row's value alone says nothing.
    """

    def __init__(self, survival: NDArray[Any]) -> None:
        time = survival["time"]
        self.event = survival["event"].astype(float)[:, None, None]
        self.first = np.searchsorted(time, time, side="left")  # start of the risk set: ties are in it
        self.last = np.searchsorted(time, time, side="right") - 1

    def value(self, f: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        hazard, top = self._hazard(f, y)
        return y * self.event * (np.log(self._at_risk(hazard)) + top - f)

    def gradient_and_curvature(
        self, f: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], Callable[..., NDArray[np.float64]]]:
        hazard, _ = self._hazard(f, y)
        events, at_risk = y * self.event, self._at_risk(hazard)
        cumulated = hazard * self._until(events / at_risk)

        def curve(d, keep=slice(None)):
            h, risk = hazard[:, keep], at_risk[:, keep]
            pulled = self._until(events[:, keep] * self._from(h * d) / risk**2)
            return cumulated[:, keep] * d - h * pulled

        return cumulated - events, cumulated, curve

    def _hazard(self, f, y):
        """(relative hazards of the rows that take part, the logarithm taken out of them (1, B, 1))."""
        top = np.where(y > 0, f, -np.inf).max(axis=0, keepdims=True)
        return y * np.exp(np.minimum(f - top, 0.0)), top

    def _at_risk(self, hazard):
        return np.maximum(self._from(hazard), 1e-150)  # a risk set without rows; its square is not zero

    def _from(self, values):
        """Sums over the rows whose time is not before each row's."""
        return np.cumsum(values[::-1], axis=0)[::-1][self.first]

    def _until(self, values):
        """Sums over the rows whose time is not after each row's."""
        return np.cumsum(values, axis=0)[self.last]


class CoxRidge(SurvivalModel):
    """Cox regression with an L2 penalty; scikit-survival's CoxPHSurvivalAnalysis(alpha).

    Genes are scaled with the training rows (rotation.py). The penalty over the number of varying genes is chosen by the
    cross-validated partial likelihood (Verweij & van Houwelingen 1993), all candidates and inner folds in one batch.

    Attributes
    ----------
    weights_ : (1, p) float64, log hazard ratio per unit of log2 expression; intercept_ : (1,), centres the training rows
    """

    name = "cox_ridge"
    SEARCH: ClassVar[dict] = {"alpha_over_genes": np.logspace(-2, 4, 13).tolist()}
    DEFAULT = 10.0

    def _weights(self):
        return self.weights_

    def _fit(self, X, y, folds, log):
        order = np.argsort(y["time"], kind="stable")
        place = np.argsort(order)  # new row of each old one
        folds = [(fold, [place[rows] for rows in fold]) for fold in folds]
        rotation, loss = Rotation(X), PartialLikelihood(y[order])
        genes, ratio = max(rotation.n_varying, 1), self.DEFAULT
        if folds:
            ratios = np.sort(np.asarray(self.search["alpha_over_genes"], dtype=float))[::-1]
            scores = held_out_likelihood(loss, rotation, X, order, ratios, folds)
            ratio = ratios[self._choose(ratios * genes, scores, log)]
        weights = solve(loss, rotation.Z[order], np.ones((len(y), 1)), np.array([ratio * genes]))
        self.weights_ = np.ascontiguousarray(rotation.to_genes(weights))
        self.intercept_ = rotation.intercept(self.weights_, np.zeros(1))
        self.settings_.update(alpha=float(ratio * genes), n_varying_genes=rotation.n_varying)
        self._keep_baseline(y, rotation.Z @ weights[:, 0])

    def _choose(self, alphas, scores, log):
        tried = [
            {"alpha": float(a), "partial_likelihood": float(s)} for a, s in zip(alphas, scores, strict=True)
        ]
        self.settings_["candidates"] = tried
        best = int(np.argmax(np.round(scores, 9)))
        log(
            f"{self.name}: alpha {alphas[best]:.3g} of {len(alphas)} candidates, held-out likelihood {scores[best]:.4f}"
        )
        return best

    def _risk(self, row):
        return float(self.weights_[0] @ row.astype(np.float64) + self.intercept_[0])

    def _arrays(self):
        return {**self._baseline(), "weights": self.weights_, "intercept": self.intercept_}

    def _restore(self, folder):
        arrays = super()._restore(folder)
        self.weights_, self.intercept_ = arrays["weights"], arrays["intercept"]


class ClinicalCox(CoxRidge):
    """The same on the clinical covariates alone."""

    name, SEES = "clinical", "covariates"


class GenesOnlyCox(CoxRidge):
    """The same without the clinical covariates."""

    name, SEES = "genes_only", "genes"


def solve(
    loss: PartialLikelihood, Z: NDArray[np.float64], members: NDArray[np.float64], alphas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(r, B) weights of each member: rows Z (n, r) in order of time, members (n, B) 0 or 1, alphas (B,) L2 penalties."""
    weights, _ = batched_newton.solve(loss, Z, members[:, :, None], np.ones(members.shape), 1.0 / alphas)
    return weights[:, :, 0]


def held_out_likelihood(
    loss: PartialLikelihood,
    rotation: Rotation,
    X: NDArray[np.float64],
    order: NDArray[np.int64],
    ratios: NDArray[np.float64],
    folds: Sequence[Any],
) -> NDArray[np.float64]:
    """(A,) cross-validated log partial likelihood per event, for each of (A,) penalties over the number of genes.

    What the rows of a fold add to the likelihood of the others, with weights from the others. `folds`: pairs of an inner
    fold and its (training, validation) rows in order of time.
    """
    total = np.zeros(len(ratios))
    shared = all(fold.of(X) is X for fold, _ in folds)
    for part in [folds] if shared else [[one] for one in folds]:
        turned = rotation if shared else Rotation(part[0][0].of(X))
        Z, alphas = turned.Z[order], ratios * max(turned.n_varying, 1)
        masks = np.zeros((len(Z), len(part)))
        for k, (_, (train, _)) in enumerate(part):
            masks[train, k] = 1.0
        members = np.repeat(masks, len(ratios), axis=1)
        f = (Z @ solve(loss, Z, members, np.tile(alphas, len(part))))[:, :, None]
        gained = loss.value(f, np.ones_like(f)).sum(axis=0) - loss.value(f, members[:, :, None]).sum(axis=0)
        total -= gained[:, 0].reshape(len(part), len(ratios)).sum(axis=0)
    return total / loss.event.sum()
