"""Permutation test for ridge regression: values are permuted, and tuning and fit are repeated.

Scaling, rotation and the decompositions of the inner folds do not use the values, so all permutations share them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import splits
from rna2model.evaluation import ranking, regression
from rna2model.evaluation.permutation import draws
from rna2model.models.folds import Fold
from rna2model.models.linear import ridge
from rna2model.models.linear.rotation import Rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ALPHA_OVER_GENES = np.logspace(3, -2, 6)  # every second of ridge's candidates, the ends left out
CANDIDATES = len(ALPHA_OVER_GENES)


def permutation_test(
    folds: Sequence[draws.PermutationFold],
    values: Mapping[str, float],
    groups: Mapping[str, str] | None = None,
    n: int = 200,
    seed: int = 1,
    inner_folds: int = 5,
    log: Callable[..., None] = print,
    batches: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """{statistic, p, n}: Spearman's correlation within folds, averaged, and p = (b + 1) / (n + 1).

    The same as logistic.permutation_test, for values: {sample: float}. Inner folds are not balanced over the values,
    so that they are the same for all permutations.
    """

    def score(_, fold, trained, tested, units):
        predict = _predict if fold.select is None else _predict_with_selection
        predicted = predict(fold, trained.T, units, inner_folds, seed)
        alone = np.ones((1, tested.shape[1]))
        pairs = zip(tested, predicted.T, strict=True)
        return np.array([regression.spearman(truth, p, alone)[0] for truth, p in pairs])

    numbers = {name: float(value) for name, value in values.items()}
    options = groups, n, seed, log, batches
    return draws.run(
        folds,
        numbers,
        "regression",
        "spearman",
        score,
        *options,
        combine=lambda _, correlations: ranking.nanmean(np.array(correlations)),
    )


def _predict(fold, Y, units, inner_folds, seed):
    """(m, P) predictions of the test rows by ridge, tuned for each of P columns of Y (n, P)."""
    rotation, X = Rotation(fold.train_expression), fold.train_expression
    chosen = np.full(
        Y.shape[1], list(ALPHA_OVER_GENES).index(min(ALPHA_OVER_GENES, key=lambda a: abs(a - 1)))
    )
    inner = [Fold(rows) for rows in splits.inner(np.full(len(Y), "all"), units, inner_folds, seed, needed=())]
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
