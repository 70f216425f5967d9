"""Tree ensembles of scikit-learn that predict numbers; searched, stored and threaded as those of classifiers.py."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from rna2model.models.regressor import Regressor
from rna2model.models.trees import classifiers, histogram_bins


class TreesRegression(Regressor, classifiers.Trees):
    """A fitted scikit-learn regressor, `estimator_`, of the target over `unit`.

    scikit-learn splits no node whose variance is below 2e-16, so a target of 1e-9 would never be learned. `unit` is a power of
    two, which rounds nothing; 1 for targets of usual size.
    """

    @property
    def unit(self) -> float:
        """What the estimator's numbers are multiplied by to be in the target's unit."""
        return self.settings_.get("unit", 1.0)

    def _in_units(self, y):
        """y over the unit, which is kept in the settings where it is not 1."""
        sd = float(np.std(y))
        if not 1e-3 < sd < 1e6:
            self.settings_["unit"] = float(2.0 ** np.floor(np.log2(sd)))
        return y / self.unit

    def _numbers(self, X):
        with classifiers._threads(1):
            return self.estimator_.predict(X).astype(float) * self.unit if len(X) else np.empty(0)


class RandomForestRegression(TreesRegression):
    """Random forest (Breiman 2001): 500 trees averaged; candidates are compared by inner squared error with 50 trees each."""

    name = "random_forest"
    SEARCH: ClassVar[dict] = classifiers.RandomForest.SEARCH
    TRUSTED = classifiers.RandomForest.TRUSTED
    TREES, TREES_TUNING = 500, 50

    def _fit(self, X, y, folds, log):
        X, y = X.astype(np.float32), self._in_units(y)  # the type that trees compute in
        candidates = self._candidates()
        chosen = candidates[0]
        if folds:
            errors = [self._inner_error(candidate, X, y, folds) for candidate in candidates]
            chosen = candidates[self._choose(candidates, errors, log)]
        self.settings_.update(chosen, n_trees=self.TREES)
        self.estimator_ = self._forest(chosen, self.TREES, X, y)

    def _inner_error(self, candidate, X, y, folds):
        held_out = np.empty(len(y))
        for fold in folds:
            (train, valid), own = fold, fold.of(X)
            held_out[valid] = self._forest(candidate, self.TREES_TUNING, own[train], y[train]).predict(
                own[valid]
            )
        return float(((held_out - y) ** 2).mean())

    def _forest(self, candidate, n_trees, X, y):
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(
            n_trees,
            max_features=classifiers.genes_per_split(candidate["max_features"], X.shape[1]),
            min_samples_leaf=candidate["min_samples_leaf"],
            random_state=self.seed,
            n_jobs=self._useful_threads(X),
        ).fit(X, y)
        forest.n_jobs = 1  # in prediction several would add up the trees in changing order
        return forest


class GradientBoostingRegression(TreesRegression):
    """Histogram gradient boosting of squared error; the number of rounds is the one with the least inner error."""

    name = "gradient_boosting"
    SEARCH: ClassVar[dict] = classifiers.GradientBoosting.SEARCH
    TRUSTED = classifiers.GradientBoosting.TRUSTED
    ROUNDS, DEFAULT_ROUNDS = 100, 50

    def _fit(self, X, y, folds, log):
        candidates, y = self._candidates(), self._in_units(y)
        chosen = {**candidates[0], "max_iter": self.DEFAULT_ROUNDS}
        with classifiers._threads(1), histogram_bins.quick():  # with several threads it is slower
            if folds:
                tried = [self._inner_errors(candidate, X, y, folds) for candidate in candidates]
                chosen = tried[self._choose([c for c, _ in tried], [e for _, e in tried], log)][0]
            self.estimator_ = classifiers.without_bin_limits(self._booster(chosen, len(y)).fit(X, y))
        self.settings_.update(chosen)

    def _inner_errors(self, candidate, X, y, folds):
        """(the candidate with its best number of rounds, the inner squared error there)."""
        errors = np.zeros(self.ROUNDS)
        for fold in folds:
            (train, valid), own = fold, fold.of(X)
            booster = self._booster({**candidate, "max_iter": self.ROUNDS}, len(train)).fit(
                own[train], y[train]
            )
            errors += [
                ((staged - y[valid]) ** 2).sum() / len(y) for staged in booster.staged_predict(own[valid])
            ]
        rounds = int(errors.argmin()) + 1
        return {**candidate, "max_iter": rounds}, float(errors.min())

    def _booster(self, settings, n):
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(**settings, **classifiers.small_trees(n, self.seed))
