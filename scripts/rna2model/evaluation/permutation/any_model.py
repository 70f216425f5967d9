"""Permutation test for any model: the outcome is shuffled and the whole model is trained again.

Nothing is shared between permutations, so this costs a complete training (tuning, selection, resampling, calibration) for
each permutation and fold; logistic.py and ridge.py do the same for two linear models in a fraction of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import outcome
from rna2model.evaluation import ranking, regression, survival
from rna2model.evaluation.permutation import draws
from rna2model.evaluation.permutation.draws import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["METRICS", "draw", "permutation_test"]

METRICS = {"classification": "auroc", "regression": "spearman", "survival": "harrell_c"}


def permutation_test(
    folds: Sequence[draws.PermutationFold],
    outcomes: Mapping[str, Any],
    make: Callable[[int], Any],
    task: str,
    groups: Mapping[str, str] | None = None,
    n: int = 200,
    seed: int = 1,
    log: Callable[..., None] = print,
    batches: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """{statistic, p, n, metric, mean, sd}: METRICS[task] within folds, averaged as classification.metrics does it, and p = (b + 1) / (n + 1) (Phipson & Smyth 2010).

    folds : list of draws.PermutationFold; outcomes : {sample: class, number, or (time, event)}; make : function of the number of
    a fold that gives an unfitted model; groups, batches : {sample: name} or None. Classes are permuted as exchangeable.Exchange does, numbers and times
    with their events as it does with `blocks`. Where there are batches, `within_batches` has the same of half as
    many permutations within them, so that the test takes half as long again.
    """

    def score(number, fold, trained, tested, units):
        values = []
        for y, truth in zip(trained, tested, strict=True):
            model = make(number)
            own = {"groups": None if groups is None else units, "select": fold.select}
            model.fit(fold.train_expression, y, **own, log=lambda *_: None)
            values.append(_statistic(task, model, fold.test_expression, truth))
        return np.concatenate(values, axis=2)

    options = groups, n, seed, log, batches
    return draws.run(folds, outcomes, task, METRICS[task], score, *options, n_within=(n + 1) // 2)


def _statistic(task, model, X, truth):
    """(2, K, 1) concordant and all pairs of `model`'s predictions for rows X (m, p); a defined correlation counts as one pair."""
    alone = np.ones((1, len(X)))
    if task == "classification":
        numbers = outcome.class_numbers(model.classes_, truth)
        return ranking.pairs(model.predict_proba(X), numbers, alone)
    predicted = model.predict(X)
    if task == "regression":
        value = regression.spearman(truth, predicted, alone)[0]
        return np.array([np.nan_to_num(value), float(not np.isnan(value))])[:, None, None]
    event, longer = survival.harrell_pairs(truth["time"], truth["event"])
    return survival.counted(predicted, alone, event, longer)
