"""Tree ensembles of scikit-learn: random forest and histogram gradient boosting."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rna2model.models import base
from rna2model.models.trees import histogram_bins, skops_file

SMALL = 500_000  # values of expression


class Trees(base.Model):
    """A fitted scikit-learn classifier whose classes are 0 ... K - 1.

    Attributes
    ----------
    estimator_ : the classifier
    """

    TRUSTED: ClassVar[tuple[str, ...]] = ()

    def _probabilities(self, X):
        """(n, K), all rows at once: a tree looks at one sample at a time."""
        with _threads(1):
            return self.estimator_.predict_proba(X) if len(X) else np.empty((0, len(self.classes_)))

    def _learn(self, estimator, X, y):
        """`estimator` fitted to rows X and class numbers y, rows weighted by their classes where that is asked for."""
        return estimator.fit(X, y, None if self.class_weight == "none" else self._class_weights(y))

    def _loss(self, probabilities, y, folds):
        """Inner log loss of (n, K) probabilities, over the rows that folds hold out."""
        rows = base.held_out(folds)
        return base.log_loss(probabilities[rows], y[rows], self._class_weights(y[rows]))

    def _useful_threads(self, X):
        """Threads to train with: one for small data, where handing work round costs more than the work."""
        return 1 if X.size < SMALL else self.threads or 1

    def _save(self, folder):
        skops_file.write(folder / skops_file.NAME, self.estimator_)

    def _restore(self, folder):
        self.estimator_ = skops_file.read(folder / skops_file.NAME, trusted=list(self.TRUSTED))


class RandomForest(Trees):
    """Random forest (Breiman 2001): 500 trees, probabilities averaged over trees.

    Candidates are compared by log loss in the inner folds with 50 trees each. Out-of-bag error would
    be cheaper, but a tree's bag shares donors with what it leaves out.
    """

    name = "random_forest"
    SEARCH: ClassVar[dict] = {"max_features": ["sqrt", "4 sqrt"], "min_samples_leaf": [1, 3]}
    TRUSTED = ("sklearn.tree._tree.Tree",)
    TREES, TREES_TUNING = 500, 50

    def _fit(self, X, y, folds, log):
        X = X.astype(np.float32)  # the type that trees compute in
        candidates = self._candidates()
        chosen = candidates[0]
        if folds:
            scores = [self._inner_score(candidate, X, y, folds) for candidate in candidates]
            tried = [{**c, "minus_log_loss": s} for c, s in zip(candidates, scores, strict=True)]
            self.settings_["candidates"], chosen = tried, candidates[int(np.argmax(scores))]
            log(
                f"random_forest: {chosen} of {len(candidates)} candidates, inner minus_log_loss {max(scores):.4f}"
            )
        self.settings_.update(chosen, n_trees=self.TREES)
        forest = self._forest(chosen, self.TREES, X.shape[1], self._useful_threads(X))
        self.estimator_ = self._learn(forest, X, y)
        self.estimator_.n_jobs = 1  # in prediction several would add up the trees in changing order

    def _inner_score(self, candidate, X, y, folds):
        probabilities, threads = np.empty((len(y), len(self.classes_))), self._useful_threads(X)
        for fold in folds:
            train, valid = fold
            own = fold.of(X)
            forest = self._forest(candidate, self.TREES_TUNING, own.shape[1], threads)
            self._learn(forest, own[train], y[train]).n_jobs = 1
            probabilities[valid] = forest.predict_proba(own[valid])
        # a forest predicts 0 if no tree votes for a class; half a vote keeps one sample from deciding the log loss
        return -self._loss(np.maximum(probabilities, 0.5 / self.TREES_TUNING), y, folds)

    def _forest(self, candidate, trees, genes, threads):
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            trees,
            max_features=genes_per_split(candidate["max_features"], genes),
            min_samples_leaf=candidate["min_samples_leaf"],
            random_state=self.seed,
            n_jobs=threads,
        )


class DecisionTree(Trees):
    """One classification tree (Breiman et al. 1984): a baseline of a few genes.

    Depth and leaf size are chosen by the log loss of pooled inner out-of-fold predictions.
    """

    name = "decision_tree"
    SEARCH: ClassVar[dict] = {"max_depth": [1, 2, 4], "min_samples_leaf": [2, 5]}
    TRUSTED = ("sklearn.tree._tree.Tree",)

    def _fit(self, X, y, folds, log):
        from sklearn.tree import DecisionTreeClassifier

        candidates = self._candidates()
        chosen = candidates[len(candidates) // 2]
        if folds:
            scores = [self._inner_score(candidate, X, y, folds) for candidate in candidates]
            tried = [{**c, "minus_log_loss": s} for c, s in zip(candidates, scores, strict=True)]
            self.settings_["candidates"], chosen = tried, candidates[int(np.argmax(scores))]
            log(f"decision_tree: {chosen} of {len(candidates)} candidates")
        self.settings_.update(chosen)
        tree = DecisionTreeClassifier(**chosen, random_state=self.seed)
        self.estimator_ = self._learn(tree, X.astype(np.float32), y)

    def _inner_score(self, candidate, X, y, folds):
        from sklearn.tree import DecisionTreeClassifier

        probabilities = np.empty((len(y), len(self.classes_)))
        for fold in folds:
            (train, valid), own = fold, fold.of(X).astype(np.float32)
            tree = DecisionTreeClassifier(**candidate, random_state=self.seed)
            probabilities[valid] = self._learn(tree, own[train], y[train]).predict_proba(own[valid])
        return -self._loss(np.maximum(probabilities, 0.5 / len(y)), y, folds)  # half a sample, not infinity


class GradientBoosting(Trees):
    """Histogram gradient boosting (HistGradientBoostingClassifier) with small trees.

    The number of rounds, at most 100, is the one with the least log loss in the inner folds; every other
    candidate is a model of its own. Each split of a tree looks at a random tenth of the genes.
    """

    name = "gradient_boosting"
    SEARCH: ClassVar[dict] = {"learning_rate": [0.1], "max_leaf_nodes": [4]}
    TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
    ROUNDS, DEFAULT_ROUNDS = 100, 50

    def _fit(self, X, y, folds, log):
        candidates = self._candidates()
        chosen = {**candidates[0], "max_iter": self.DEFAULT_ROUNDS}
        with _threads(1), histogram_bins.quick():  # with several threads it is slower
            if folds:
                tried = [self._inner_scores(candidate, X, y, folds) for candidate in candidates]
                best, self._inner = max(tried, key=lambda one: one[0]["minus_log_loss"])
                self.settings_["candidates"] = [one for one, _ in tried]
                chosen = {key: best[key] for key in chosen}
                log(f"gradient_boosting: {best} of {len(candidates)} candidates")
            self.estimator_ = without_bin_limits(self._learn(self._booster(chosen, len(y)), X, y))
        self.settings_.update(chosen)

    def _inner_scores(self, candidate, X, y, folds):
        """(the candidate with its best number of rounds and the inner log loss there, (m, K) probabilities there)."""
        staged = np.empty((self.ROUNDS, len(y), len(self.classes_)))
        for fold in folds:
            (train, valid), own = fold, fold.of(X)
            booster = self._booster({**candidate, "max_iter": self.ROUNDS}, len(train))
            rounds = self._learn(booster, own[train], y[train]).staged_predict_proba(own[valid])
            for number, probabilities in enumerate(rounds):
                staged[number, valid] = probabilities
        losses = np.array([self._loss(one, y, folds) for one in staged])
        best = int(losses.argmin())
        tuned = {**candidate, "max_iter": best + 1, "minus_log_loss": -float(losses[best])}
        return tuned, staged[best, base.held_out(folds)]

    def _booster(self, settings, n):
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(**settings, **small_trees(n, self.seed))


def genes_per_split(choice: str | float, genes: int) -> float:
    """How many of `genes` a split of a forest's tree looks at: a number as it is, "sqrt" or "4 sqrt" of them."""
    if not isinstance(choice, str):
        return choice
    return max(1, min(genes, int((4 if choice == "4 sqrt" else 1) * np.sqrt(genes))))


def small_trees(n: int, seed: int) -> dict[str, Any]:
    """Settings of histogram gradient boosting on n samples, the same whatever is predicted."""
    return {
        "min_samples_leaf": max(2, min(20, n // 10)),  # 20, the default, would not split 24 samples
        "max_features": 0.1,
        "max_bins": max(2, min(63, n)),  # more than samples would only take memory
        "early_stopping": False,
        "random_state": seed,
    }


def without_bin_limits(booster: Any) -> Any:
    """A fitted histogram gradient boosting without the limits of its bins, an array per gene that only training reads.

    They are most of the file and of the time to write and read it: trees hold the limits they split at.
    """
    booster._bin_mapper.bin_thresholds_ = []
    return booster


def _threads(number):
    """A context that limits the threads of scikit-learn's own loops."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=number, user_api="openmp")
