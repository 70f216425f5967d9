"""Is there a number to predict? Its values are permuted and ridge regression is repeated, tuning included.

Scaling, rotation and the decompositions of the inner folds do not use the values, so all permutations share them.
"""

import numpy as np

from rna2model import permutation, ranking, regression_metrics, splits
from rna2model.models import base, ridge
from rna2model.models.rotation import Rotation

ALPHA_OVER_GENES = np.logspace(3, -2, 6)  # every second of ridge's candidates, the ends left out


def permutation_test(folds, values, groups=None, n=200, seed=1, inner_folds=5, log=print):
    """{statistic, p, n}: Spearman's correlation within folds, averaged, and p = (b + 1) / (n + 1).

    The same as permutation.permutation_test, for values: {sample: float}. Inner folds are not balanced over the values,
    so that they are the same for all permutations.
    """
    samples = sorted({name for fold in folds for name in (*fold.train, *fold.test)})
    row = {name: i for i, name in enumerate(samples)}
    y = np.array([values[name] for name in samples], dtype=float)
    units = np.unique(samples if groups is None else [groups[name] for name in samples], return_inverse=True)[
        1
    ]
    rng = np.random.default_rng(seed)
    drawn = np.array([y, *(permuted(y, units, rng) for _ in range(n))])
    found = []
    for fold in folds:
        train, test = ([row[name] for name in part] for part in (fold.train, fold.test))
        predict = _predict if fold.select is None else _predict_with_selection
        predicted = predict(fold, drawn[:, train].T, units[train], inner_folds, seed)
        alone = np.ones((1, len(test)))
        pairs = zip(drawn[:, test], predicted.T, strict=True)
        found.append(np.array([regression_metrics.spearman(t, p, alone)[0] for t, p in pairs]))
        log(
            f"permutation test: {fold.split}, Spearman {found[-1][0]:.3f}, permuted {np.nanmean(found[-1][1:]):.3f}"
        )
    statistic = ranking.nanmean(np.array(found))
    statistic[1:] = np.where(np.isnan(statistic[1:]), 0.0, statistic[1:])
    return permutation.summary(statistic, "spearman")


def permuted(y, units, rng):
    """(n,) values in an order that is as likely as theirs if expression says nothing about them.

    Groups of the same size exchange all their values, and samples exchange them within their group (Winkler et al. 2015).
    """
    new = np.empty_like(y)
    members = [rng.permutation(np.flatnonzero(units == unit)) for unit in np.unique(units)]
    for size in sorted({len(rows) for rows in members}):
        blocks = [rows for rows in members if len(rows) == size]
        for rows, source in zip(blocks, rng.permutation(len(blocks)), strict=True):
            new[rows] = y[blocks[source]]
    return new


def _predict(fold, Y, units, inner_folds, seed):
    """(m, P) predictions of the test rows by ridge, tuned for each of P columns of Y (n, P)."""
    rotation, X = Rotation(fold.train_expression), fold.train_expression
    chosen = np.full(
        Y.shape[1], list(ALPHA_OVER_GENES).index(min(ALPHA_OVER_GENES, key=lambda a: abs(a - 1)))
    )
    inner = [
        base.Fold(rows) for rows in splits.inner(np.full(len(Y), "all"), units, inner_folds, seed, needed=())
    ]
    if inner:
        held_out = ridge.out_of_fold(rotation, X, Y, ALPHA_OVER_GENES, inner)
        chosen = ((held_out - Y) ** 2).mean(axis=1).argmin(axis=0)
    weights = ridge.solve(rotation.Z, Y, ALPHA_OVER_GENES * max(rotation.n_varying, 1))
    taken = weights[chosen, :, np.arange(Y.shape[1])].T
    return rotation.rotate(fold.test_expression) @ taken + Y.mean(axis=0)


def _predict_with_selection(fold, Y, units, inner_folds, seed):
    """The same with columns chosen for each permutation by itself."""
    predicted = []
    for y in Y.T:
        search = {"alpha_over_genes": ALPHA_OVER_GENES.tolist()}
        model = ridge.Ridge(seed=seed, inner_folds=inner_folds, search=search)
        model.fit(fold.train_expression, y, groups=units, select=fold.select, log=lambda *_: None)
        predicted.append(model.predict(fold.test_expression))
    return np.array(predicted).T
