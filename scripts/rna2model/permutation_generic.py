"""Is there anything to predict, as any model sees it? What is predicted is shuffled and the model trained again, each time whole.

Nothing is shared between permutations, so this costs a complete training (tuning, selection, resampling, calibration) for
each permutation and fold; permutation.py and permutation_ridge.py do the same for two linear models in a fraction of it.
"""

import numpy as np

from rna2model import outcome, permutation_draws, ranking, regression_metrics, survival_metrics
from rna2model.permutation_draws import draw

__all__ = ["METRICS", "draw", "permutation_test"]

METRICS = {"classification": "auroc", "regression": "spearman", "survival": "harrell_c"}


def permutation_test(folds, outcomes, make, task, groups=None, n=200, seed=1, log=print, batches=None):
    """{statistic, p, n, metric, mean, sd}: METRICS[task] within folds, averaged as evaluation.metrics does it, and p = (b + 1) / (n + 1) (Phipson & Smyth 2010).

    folds : list of permutation_draws.PermutationFold; outcomes : {sample: class, number, or (time, event)}; make : function of the number of
    a fold that gives an unfitted model; groups, batches : {sample: name} or None. Classes are permuted as permutation.permuted does, numbers and times
    with their events as permutation_ridge.permuted does. Where there are batches, `within_batches` has the same of half as
    many permutations within them, so that the test takes half as long again.
    """
    of = permutation_draws.tested(folds, groups, batches)
    dtype = outcome.SURVIVAL if task == "survival" else None
    y = np.array([outcomes[name] for name in of.samples], dtype=dtype)
    train_rows = [of.rows(fold.train) for fold in folds]
    made = permutation_draws.arrange(task, y, of, train_rows, n, seed, n_within=(n + 1) // 2)
    found = []
    for number, (fold, rows) in enumerate(zip(folds, train_rows, strict=True)):
        tested = of.rows(fold.test)
        values = []
        for shuffled in made.y:
            model = make(number)
            model.fit(
                fold.train_expression,
                shuffled[rows],
                groups=None if groups is None else of.units[rows],
                select=fold.select,
                log=lambda *_: None,
            )
            values.append(_statistic(task, model, fold.test_expression, shuffled[tested]))
        found.append(np.concatenate(values, axis=2))
        own = ranking.over_folds(found[-1][None])[0]
        log(
            f"permutation test: {fold.split}, {METRICS[task]} {own[0]:.3f}, permuted {np.nanmean(own[1 : n + 1]):.3f}"
        )
    statistic = permutation_draws.over_repeats(folds, found)
    if task != "classification":
        statistic[1:] = np.where(np.isnan(statistic[1:]), 0.5 if task == "survival" else 0.0, statistic[1:])
    return made.result(statistic, METRICS[task])


def _statistic(task, model, X, truth):
    """(2, K, 1) right and all pairs of what `model` says of rows X (m, p); a correlation counts as one pair, where it is defined."""
    alone = np.ones((1, len(X)))
    if task == "classification":
        numbers = outcome.class_numbers(model.classes_, truth)
        return ranking.pairs(model.predict_proba(X), numbers, alone)
    predicted = model.predict(X)
    if task == "regression":
        value = regression_metrics.spearman(truth, predicted, alone)[0]
        return np.array([np.nan_to_num(value), float(not np.isnan(value))])[:, None, None]
    event, longer = survival_metrics.harrell_pairs(truth["time"], truth["event"])
    return survival_metrics.counted(predicted, alone, event, longer)
