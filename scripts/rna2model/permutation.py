"""Is there anything to predict? Labels are permuted and the whole procedure is repeated.

For logistic_l2: scaling and rotation do not use labels and are shared; the inner folds, the choice of C and
the fit are repeated for every permutation, all of them in one batch per fold (models/newton.py).
"""

from dataclasses import dataclass

import numpy as np

from rna2model import ranking, resampling, splits
from rna2model.errors import InputProblem
from rna2model.models import base, linear, newton
from rna2model.models.rotation import Rotation

C_TIMES_GENES = (0.01, 0.1, 1.0, 10.0, 100.0)  # every second of logistic_l2's candidates, the ends left out
MOST_DRAWS = 1000


@dataclass
class Fold:
    """One split: its name, the samples it trains on and tests, what models see of them (n, p), and the
    selection.Selector that chooses columns of it, or None."""

    split: str
    train: list
    test: list
    train_expression: np.ndarray
    test_expression: np.ndarray
    select: object = None


def permutation_test(folds, labels, groups=None, n=200, seed=1, inner_folds=5, log=print):
    """{statistic, p, n}: AUROC within folds, which count by their pairs, and p = (b + 1) / (n + 1) (Phipson & Smyth 2010).

    folds: list of Fold; labels: {sample: label}; groups: {sample: group} or None. b counts permutations at
    least as good as the labels themselves. Labels are permuted over the cohort; where there are groups, as
    `permuted` says. `mean` and `sd` describe the permutations. Where folds select, columns are chosen anew for
    every permutation and inner fold, which takes a fit each instead of one batch per fold.
    """
    samples = sorted({name for fold in folds for name in (*fold.train, *fold.test)})
    row = {name: i for i, name in enumerate(samples)}
    classes = sorted({str(labels[name]) for name in samples})
    y = np.searchsorted(classes, [str(labels[name]) for name in samples])
    units = (
        np.arange(len(samples))
        if groups is None
        else np.unique([groups[s] for s in samples], return_inverse=True)[1]
    )
    train_rows = [[row[name] for name in fold.train] for fold in folds]
    drawn = np.array([y, *draw(y, units, train_rows, n, np.random.default_rng(seed))])
    values = []
    for fold, rows in zip(folds, train_rows, strict=True):
        tested = drawn[:, [row[name] for name in fold.test]]
        settings = {"inner_folds": inner_folds, "seed": seed}
        if fold.select is None:
            values.append(_aurocs(fold, drawn[:, rows], tested, units[rows], **settings))
        else:
            values.append(_aurocs_with_selection(fold, drawn[:, rows], tested, units[rows], settings))
        own = ranking.over_folds(values[-1][None])[0]
        log(f"permutation test: {fold.split}, AUROC {own[0]:.3f}, permuted {np.nanmean(own[1:]):.3f}")
    statistic = over_repeats(folds, values)
    return summary(statistic, "auroc")


def over_repeats(folds, found):
    """(1 + n,) the score as it is reported, of (2, K, 1 + n) right and all pairs of each fold."""
    return ranking.over_folds(np.array(found), [resampling.repeat_of(fold.split) for fold in folds])[0]


def summary(statistic, metric):
    """What a permutation test says: statistic (1 + n,) of the labels themselves and of n permutations.

    Permutations without a value, whose folds test no two classes, are left out. InputProblem where the labels have none.
    """
    values = statistic[1:][~np.isnan(statistic[1:])]
    if np.isnan(statistic[0]) or not len(values):
        raise InputProblem("no fold tests samples that can be compared; set evaluation.folds lower")
    n = len(values)
    reached = int((values >= statistic[0] - 1e-12).sum())
    return {
        "statistic": float(statistic[0]),
        "p": (reached + 1) / (n + 1),
        "n": n,
        "metric": metric,
        "mean": float(values.mean()),
        "sd": float(values.std()),
        "values": [round(float(value), 6) for value in values],
    }


def permuted(y, units, rng):
    """(n,) labels in an order that is as likely as theirs if expression says nothing about them.

    Groups with one label exchange it as a whole (a donor is a case or a control); in groups with several
    labels (tumour and normal of a patient) the samples exchange them within the group.
    """
    new, whole = y.copy(), []
    for unit in np.unique(units):
        rows = np.flatnonzero(units == unit)
        if len(set(y[rows].tolist())) == 1:
            whole.append(rows)
        else:
            new[rows] = rng.permutation(y[rows])
    for rows, source in zip(whole, rng.permutation(len(whole)), strict=True):
        new[rows] = y[whole[source][0]]
    return new


def draw(y, units, train_rows, n, rng):
    """`n` permutations that leave every training set with two samples of each class.

    Where classes are so small that hardly any does, labels are permuted within the test folds of the first repeat, which
    keeps in every training set what it has of each class; there one sample of each is enough, as for the labels themselves.
    """
    classes = y.max() + 1
    within = tested_in(len(y), train_rows)
    for least, strata in ((2, np.zeros(len(y), dtype=int)), (1, within)):
        drawn = []
        for _ in range(MOST_DRAWS + 10 * n):
            new = _permuted_within(strata, y, units, rng)
            if all(np.bincount(new[rows], minlength=classes).min() >= least for rows in train_rows):
                drawn.append(new)
            if len(drawn) == n:
                return drawn
    raise InputProblem("labels cannot be permuted without emptying a class of a training set")


def tested_in(n, train_rows):
    """(n,) number of the first training set that leaves a row out; -1 where none does."""
    found = np.full(n, -1)
    for number, rows in reversed(list(enumerate(train_rows))):
        found[np.setdiff1d(np.arange(n), rows)] = number
    return found


def _permuted_within(strata, y, units, rng):
    """`permuted` in each stratum by itself."""
    if not strata.any():
        return permuted(y, units, rng)
    new = y.copy()
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        new[rows] = permuted(y[rows], units[rows], rng)
    return new


def _aurocs(fold, trained, tested, units, inner_folds, seed):
    """(2, K, P) `ranking.pairs` of the test rows for each labelling; trained (P, n), tested (P, m) class numbers."""
    rotation = Rotation(fold.train_expression)
    Cs = np.array(C_TIMES_GENES) / max(rotation.n_varying, 1)
    chosen = _tune(rotation.Z, trained, units, Cs, inner_folds, seed)
    loss, targets = _stacked_targets(trained)
    weights, intercept = newton.solve(loss, rotation.Z, targets, np.ones(trained.T.shape), chosen)
    logits = np.tensordot(rotation.rotate(fold.test_expression), weights, axes=1) + intercept
    alone = np.ones((1, tested.shape[1]))
    found = [
        ranking.pairs(linear.probabilities(logits[:, i]), truth, alone) for i, truth in enumerate(tested)
    ]
    return np.concatenate(found, axis=2)


def _aurocs_with_selection(fold, trained, tested, units, settings):
    """The same with columns chosen for each labelling by itself."""
    alone, values = np.ones((1, tested.shape[1])), []
    for y, truth in zip(trained, tested, strict=True):
        model = linear.LogisticL2(search={"C_times_genes": list(C_TIMES_GENES)}, **settings)
        model.fit(fold.train_expression, y, groups=units, select=fold.select, log=lambda *_: None)
        probabilities = model.predict_proba(fold.test_expression)
        values.append(ranking.pairs(probabilities, truth, alone))
    return np.concatenate(values, axis=2)


def _tune(Z, trained, units, Cs, inner_folds, seed):
    """(P,) C of each labelling, by the log loss of its own inner folds (LogisticL2's default where it has none)."""
    chosen = np.full(len(trained), linear.LogisticL2.DEFAULT * Cs[0] / C_TIMES_GENES[0])
    folds = [splits.inner(y, units, inner_folds, seed) for y in trained]
    members = [(i, rows, c) for i, pairs in enumerate(folds) for c in range(len(Cs)) for rows in pairs]
    if not members:
        return chosen
    which = np.array([i for i, _, _ in members])
    masks = np.stack([np.isin(np.arange(len(Z)), train) for _, (train, _), _ in members], axis=1).astype(
        float
    )
    loss, targets = _stacked_targets(trained)
    weights, intercept = newton.solve(
        loss, Z, targets[:, which], masks, Cs[[c for _, _, c in members]], tolerance=1e-6
    )
    logits = np.tensordot(Z, weights, axes=1) + intercept
    lost = np.zeros((len(trained), len(Cs)))
    for member, (i, (_, valid), c) in enumerate(members):
        probabilities = linear.probabilities(logits[valid, member])
        lost[i, c] += len(valid) * base.log_loss(probabilities, trained[i][valid])
    tuned = np.array([len(pairs) > 0 for pairs in folds])
    chosen[tuned] = Cs[lost[tuned].argmin(axis=1)]
    return chosen


def _stacked_targets(trained):
    """(loss, (n, P, M) targets) of all labellings."""
    loss, first = linear.logistic_targets(trained[0])
    return loss, np.concatenate([first, *(linear.logistic_targets(y)[1] for y in trained[1:])], axis=1)
