"""Is there anything to predict, as any model sees it? What is predicted is shuffled and the model trained again, each time whole.

Nothing is shared between permutations, so this costs a complete training (tuning, selection, resampling, calibration) for
each permutation and fold; permutation.py and permutation_ridge.py do the same for two linear models in a fraction of it.
"""

import numpy as np

from rna2model import outcome, permutation, permutation_ridge, ranking, regression_metrics, survival_metrics
from rna2model.errors import InputProblem

METRICS = {"classification": "auroc", "regression": "spearman", "survival": "harrell_c"}


def permutation_test(folds, outcomes, make, task, groups=None, n=200, seed=1, log=print):
    """{statistic, p, n, metric, mean, sd}: METRICS[task] within folds, averaged as evaluation.metrics does it, and p = (b + 1) / (n + 1) (Phipson & Smyth 2010).

    folds : list of permutation.Fold; outcomes : {sample: class, number, or (time, event)}; make : function of the number of
    a fold that gives an unfitted model; groups : {sample: group} or None. Classes are permuted as permutation.permuted does, numbers and times
    with their events as permutation_ridge.permuted does.
    """
    samples = sorted({name for fold in folds for name in (*fold.train, *fold.test)})
    row = {name: i for i, name in enumerate(samples)}
    y = np.array([outcomes[name] for name in samples], dtype=outcome.SURVIVAL if task == "survival" else None)
    units = np.unique(samples if groups is None else [groups[name] for name in samples], return_inverse=True)[
        1
    ]
    train_rows = [[row[name] for name in fold.train] for fold in folds]
    drawn = [y, *draw(task, y, units, train_rows, n, np.random.default_rng(seed))]
    found = []
    for number, (fold, rows) in enumerate(zip(folds, train_rows, strict=True)):
        tested = [row[name] for name in fold.test]
        values = []
        for shuffled in drawn:
            model = make(number)
            model.fit(
                fold.train_expression,
                shuffled[rows],
                groups=None if groups is None else units[rows],
                select=fold.select,
                log=lambda *_: None,
            )
            values.append(_statistic(task, model, fold.test_expression, shuffled[tested]))
        found.append(np.concatenate(values, axis=2))
        own = ranking.over_folds(found[-1][None])[0]
        log(
            f"permutation test: {fold.split}, {METRICS[task]} {own[0]:.3f}, permuted {np.nanmean(own[1:]):.3f}"
        )
    statistic = permutation.over_repeats(folds, found)
    if task != "classification":
        statistic[1:] = np.where(np.isnan(statistic[1:]), 0.5 if task == "survival" else 0.0, statistic[1:])
    return permutation.summary(statistic, METRICS[task])


def draw(task, y, units, train_rows, n, rng):
    """List of `n` permutations of y, as `permutation_test` says, each of which leaves something to train on."""
    if task == "classification":
        classes, numbers = np.unique(y, return_inverse=True)
        return [classes[new] for new in permutation.draw(numbers, units, train_rows, n, rng)]
    drawn = []
    for _ in range(permutation.MOST_DRAWS + 10 * n):
        new = y[permutation_ridge.permuted(np.arange(len(y)), units, rng)]
        if task == "regression" or all(new["event"][rows].sum() >= 2 for rows in train_rows):
            drawn.append(new)
        if len(drawn) == n:
            return drawn
    raise InputProblem("labels cannot be permuted: too few events to leave two in every training set")


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
