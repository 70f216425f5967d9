"""Choosing columns (genes, gene-set scores) before a model is trained. Most methods use labels, so they are refitted
inside every inner fold, too: genes chosen with all labels would leak the held-out ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.expression.features import moderated_f

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rna2model.expression.features.features import Features

STEP = 0.5  # share of the columns that one round of recursive elimination removes
TREES = 300


class Selector:
    """The `count` best columns by `method`, and with them the columns that always stay (clinical covariates).

    method : a name of METHODS, or "none" for all columns
    always : (p,) bool, columns that stay; never : (p,) bool, columns that are left out; either may be None
    seed : for methods that draw
    """

    def __init__(
        self,
        method: str,
        count: int,
        always: NDArray[np.bool_] | None = None,
        never: NDArray[np.bool_] | None = None,
        seed: int = 1,
    ) -> None:
        if method not in METHODS and method != "none":
            raise InputProblem(f"{method!r} is not a selection. Selections: {', '.join(METHODS)}.")
        self.method, self.count, self.always, self.never, self.seed = method, count, always, never, seed

    def columns(self, X: NDArray[Any], y: NDArray[Any]) -> NDArray[np.int64]:
        """(k,) sorted numbers of the columns chosen on training rows X (n, p) with y (n,) as `target` takes it.

        Ties go to the first column; constant columns are taken last.
        """
        nothing = np.zeros(X.shape[1], dtype=bool)
        always = nothing if self.always is None else self.always
        free = np.flatnonzero(~always & ~(nothing if self.never is None else self.never))
        if self.method != "none" and len(free) > self.count:
            worth = METHODS[self.method](X[:, free], target(y), self.count, self.seed)
            worth = np.where(np.ptp(X[:, free], axis=0) > 0, worth, -np.inf)
            free = free[np.argsort(-worth, kind="stable")[: self.count]]
        return np.sort(np.concatenate([np.flatnonzero(always), free]))


def make(
    settings: Mapping[str, Any], features: Features | None = None, seed: int = 1, sees: str = "all"
) -> Selector | None:
    """The Selector of the config's `features` section, None where all columns are used.

    features : the split's, whose covariates stay, or None; sees : "all", "genes" (no covariates) or "covariates"
    """
    covariates = None if features is None else features.always_
    if sees == "covariates":
        assert covariates is not None  # such a model needs them
        return Selector("none", 0, always=covariates, never=~covariates)
    if sees == "genes":
        return Selector(settings["selection"], settings["count"], never=covariates, seed=seed)
    if settings["selection"] == "none":
        return None
    return Selector(settings["selection"], settings["count"], always=covariates, seed=seed)


def target(y: NDArray[Any]) -> NDArray[Any]:
    """(n,) what columns are judged by: class numbers, values, or for times with events how many more events a sample had
    than its time would lead to expect without any gene (martingale residuals, Therneau et al. 1990)."""
    y = np.asarray(y)
    if y.dtype.names is None:
        return y
    time, event = y["time"], y["event"].astype(float)
    at_risk = (time[None, :] >= time[:, None]).sum(axis=1)
    hazard = ((time[None, :] <= time[:, None]) * (event / at_risk)[None, :]).sum(axis=1)  # Nelson-Aalen
    return event - hazard


def is_class(y: NDArray[Any]) -> bool:
    """Whether y (n,) holds class numbers, not measured values."""
    return np.issubdtype(np.asarray(y).dtype, np.integer)


def _variance(X, y, count, seed):
    return X.var(axis=0, dtype=np.float64)


def _moderated_f(X, y, count, seed):
    """Moderated F statistic over the classes; for values the moderated t of the slope, squared."""
    return moderated_f.f_statistic(X, y)


def _mutual_information(X, y, count, seed):
    """Nearest-neighbour estimate (Kraskov et al. 2004; Ross 2014), scikit-learn."""
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    estimate = mutual_info_classif if is_class(y) else mutual_info_regression
    neighbours = min(3, np.bincount(y).min() - 1) if is_class(y) else 3
    return estimate(X, y, n_neighbors=max(neighbours, 1), random_state=seed)


def _l1(X, y, count, seed):
    """Largest coefficients of the L1-penalised model (lasso; logistic for classes) with at least `count` columns, or as
    many as there can be: at most the number of rows."""
    Z = _standardised(X)
    worth = np.zeros(Z.shape[1])
    for fitted in _l1_path(Z, y):
        worth = np.abs(fitted).max(axis=0)
        if np.count_nonzero(worth) >= min(count, len(Z)):
            break
    return worth


def _l1_path(Z, y):
    """Coefficients (K, p) with more and more columns."""
    from sklearn.linear_model import LogisticRegression, lasso_path
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.svm import l1_min_c

    if not is_class(y):
        largest = np.abs(Z.T @ (y - y.mean())).max() / len(y)
        _, path, _ = lasso_path(Z, y - y.mean(), alphas=largest * np.geomspace(0.9, 0.01, 20))
        yield from (path[:, [i]].T for i in range(path.shape[1]))
        return
    for C in l1_min_c(Z, y, loss="log") * 2.0 ** np.arange(1, 9):
        model = LogisticRegression(l1_ratio=1, C=C, solver="liblinear", intercept_scaling=10, random_state=0)
        if y.max() == 1:
            yield model.fit(Z, y).coef_
        else:
            fitted = OneVsRestClassifier(model).fit(Z, y)
            yield np.concatenate([one.coef_ for one in fitted.estimators_])


def _trees(X, y, count, seed):
    """Mean decrease in impurity over extremely randomised trees (Geurts et al. 2006)."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesClassifier if is_class(y) else ExtraTreesRegressor
    return kind(TREES, random_state=seed, n_jobs=1, max_features="sqrt").fit(X, y).feature_importances_


def _rfe(X, y, count, seed):
    """Recursive elimination of half the columns by a linear support vector machine (Guyon et al. 2002)."""
    from sklearn.feature_selection import RFE
    from sklearn.svm import SVC, SVR

    kind = SVC if is_class(y) else SVR
    ranking = (
        RFE(kind(kernel="linear"), n_features_to_select=count, step=STEP).fit(_standardised(X), y).ranking_
    )
    return -ranking.astype(float)


def _standardised(X):
    sd = X.std(axis=0, dtype=np.float64)
    return (X - X.mean(axis=0, dtype=np.float64)) / np.where(sd > 0, sd, 1.0)


METHODS = {
    "variance": _variance,
    "moderated_f": _moderated_f,
    "mutual_information": _mutual_information,
    "l1": _l1,
    "trees": _trees,
    "rfe": _rfe,
}
