"""Permutation test for logistic regression: labels are permuted and the whole procedure is repeated.

For logistic_l2: scaling and rotation do not use labels and are shared; the inner folds, the choice of C and
the fit are repeated for every permutation, all of them in one batch per fold (models/linear/batched_newton.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import splits
from rna2model.evaluation import ranking
from rna2model.evaluation.permutation import draws
from rna2model.models import base
from rna2model.models.linear import batched_newton, logistic
from rna2model.models.linear.rotation import Rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

C_TIMES_GENES = (0.01, 0.1, 1.0, 10.0, 100.0)  # every second of logistic_l2's candidates, the ends left out
CANDIDATES = len(C_TIMES_GENES)


def permutation_test(
    folds: Sequence[draws.PermutationFold],
    labels: Mapping[str, Any],
    groups: Mapping[str, str] | None = None,
    n: int = 200,
    seed: int = 1,
    inner_folds: int = 5,
    log: Callable[..., None] = print,
    batches: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """{statistic, p, n}: AUROC within folds, which count by their pairs, and p = (b + 1) / (n + 1) (Phipson & Smyth 2010).

    folds: list of PermutationFold; labels: {sample: label}; groups, batches: {sample: name} or None; where there are batches, `within_batches`
    has the same of as many labels permuted within them, in the same batch of fits. b counts permutations at
    least as good as the labels themselves. Labels are permuted over the cohort; where there are groups, as
    exchangeable.Exchange says. `mean` and `sd` describe the permutations. Where folds select, columns are chosen anew for
    every permutation and inner fold, which takes a fit each instead of one batch per fold.
    """
    settings = {"inner_folds": inner_folds, "seed": seed}

    def score(_, fold, trained, tested, units):
        aurocs = _aurocs if fold.select is None else _aurocs_with_selection
        return aurocs(fold, trained, tested, units, **settings)

    used = {name: str(labels[name]) for fold in folds for name in (*fold.train, *fold.test)}
    classes = sorted(set(used.values()))
    numbers = {name: classes.index(label) for name, label in used.items()}
    options = groups, n, seed, log, batches
    return draws.run(folds, numbers, "classification", "auroc", score, *options)


def _aurocs(fold, trained, tested, units, inner_folds, seed):
    """(2, K, P) `ranking.pairs` of the test rows for each labelling; trained (P, n), tested (P, m) class numbers."""
    rotation = Rotation(fold.train_expression)
    Cs = np.array(C_TIMES_GENES) / max(rotation.n_varying, 1)
    chosen = _tune(rotation.Z, trained, units, Cs, inner_folds, seed)
    loss, targets = _stacked_targets(trained)
    weights, intercept = batched_newton.solve(loss, rotation.Z, targets, np.ones(trained.T.shape), chosen)
    logits = np.tensordot(rotation.rotate(fold.test_expression), weights, axes=1) + intercept
    alone = np.ones((1, tested.shape[1]))
    pairs = [
        ranking.pairs(logistic.probabilities(logits[:, i]), truth, alone) for i, truth in enumerate(tested)
    ]
    return np.concatenate(pairs, axis=2)


def _aurocs_with_selection(fold, trained, tested, units, **settings):
    """The same with columns chosen for each labelling by itself."""
    alone, values = np.ones((1, tested.shape[1])), []
    for y, truth in zip(trained, tested, strict=True):
        model = logistic.LogisticL2(search={"C_times_genes": list(C_TIMES_GENES)}, **settings)
        model.fit(fold.train_expression, y, groups=units, select=fold.select, log=lambda *_: None)
        probabilities = model.predict_proba(fold.test_expression)
        values.append(ranking.pairs(probabilities, truth, alone))
    return np.concatenate(values, axis=2)


def _tune(Z, trained, units, Cs, inner_folds, seed):
    """(P,) C of each labelling, by the log loss of its own inner folds (LogisticL2's default where it has none)."""
    chosen = np.full(len(trained), logistic.LogisticL2.DEFAULT * Cs[0] / C_TIMES_GENES[0])
    folds = [splits.inner(y, units, inner_folds, seed) for y in trained]
    members = [(i, rows, c) for i, pairs in enumerate(folds) for c in range(len(Cs)) for rows in pairs]
    if not members:
        return chosen
    which = np.array([i for i, _, _ in members])
    masks = np.stack([np.isin(np.arange(len(Z)), train) for _, (train, _), _ in members], axis=1).astype(
        float
    )
    loss, targets = _stacked_targets(trained)
    weights, intercept = batched_newton.solve(
        loss, Z, targets[:, which], masks, Cs[[c for _, _, c in members]], tolerance=1e-6
    )
    logits = np.tensordot(Z, weights, axes=1) + intercept
    lost = np.zeros((len(trained), len(Cs)))
    for member, (i, (_, valid), c) in enumerate(members):
        probabilities = logistic.probabilities(logits[valid, member])
        lost[i, c] += len(valid) * base.log_loss(probabilities, trained[i][valid])
    tuned = np.array([len(pairs) > 0 for pairs in folds])
    chosen[tuned] = Cs[lost[tuned].argmin(axis=1)]
    return chosen


def _stacked_targets(trained):
    """(loss, (n, P, M) targets) of all labellings."""
    loss, first = logistic.logistic_targets(trained[0])
    return loss, np.concatenate([first, *(logistic.logistic_targets(y)[1] for y in trained[1:])], axis=1)
