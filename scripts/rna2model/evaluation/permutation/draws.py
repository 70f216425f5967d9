"""Permutations of a test and its p value: over the whole cohort, and within batches if the design has any.

If batch and outcome are associated, batch effects alone make the p over the cohort small. Within batches they are the same in
every permutation, so that p tests what expression predicts beyond the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from rna2model.evaluation import bootstrap, ranking
from rna2model.evaluation.permutation import exchangeable
from rna2model.expression.batch import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_DRAWS = 1000
CONFOUNDED = 0.3  # Cramer's V of batch and label from which they go together, however few samples there are


@dataclass
class PermutationFold:
    """One split: its name, the samples it trains on and tests, what models see of them (n, p), and the
    selection.Selector that chooses columns of it, or None."""

    split: str
    train: list
    test: list
    train_expression: np.ndarray
    test_expression: np.ndarray
    select: object = None


@dataclass
class Tested:
    """The samples of a permutation test by name and row, their units (groups, or themselves) and batches or None, (n,) each."""

    samples: list
    row: dict
    units: np.ndarray
    batches: np.ndarray | None

    def rows(self, names: Sequence[str]) -> list[int]:
        return [self.row[name] for name in names]


def tested(
    folds: Sequence[PermutationFold], groups: Mapping[str, str] | None, batches: Mapping[str, str] | None
) -> Tested:
    """The Tested of a list of PermutationFold; groups, batches : {sample: name} or None. A single batch counts as none."""
    samples = sorted({name for fold in folds for name in (*fold.train, *fold.test)})
    own = samples if groups is None else [groups[name] for name in samples]
    runs = None if batches is None else np.array([batches[name] for name in samples])
    return Tested(
        samples,
        {name: i for i, name in enumerate(samples)},
        np.unique(own, return_inverse=True)[1],
        None if runs is None or len(set(runs.tolist())) < 2 else runs,
    )


@dataclass
class Drawn:
    """y (1 + n + m, samples): the outcome, n permutations over the cohort and m within batches; note: why there are none of the latter."""

    y: np.ndarray
    n: int
    note: str | None
    batches: np.ndarray | None
    association: dict

    def result(self, statistic: NDArray[np.float64], metric: str) -> dict[str, Any]:
        """Content of permutation.json for statistic (1 + n + m,), with `within_batches` if there are batches."""
        reported = summary(statistic[: self.n + 1], metric)
        if self.batches is not None:
            within = {"note": self.note}
            if self.note is None:
                try:
                    within = summary(np.append(statistic[0], statistic[self.n + 1 :]), metric)
                except InputProblem as problem:
                    within = {"note": str(problem)}
            reported["within_batches"] = within | self.association
        return reported


def arrange(
    task: str,
    y: NDArray[Any],
    of: Tested,
    train_rows: Sequence[Sequence[int]],
    n: int,
    seed: int,
    n_within: int | None = None,
) -> Drawn:
    """The Drawn of y (samples,) over the samples `of` (Tested); n_within: permutations within batches, n where it is None.

    InputProblem where permutations over the cohort have too few arrangements or move too little (exchangeable.check); where only
    those within batches do, they are left out with a note.
    """
    exchangeable.check(task, y, of.units)
    rng = np.random.default_rng(seed)
    drawn, note, together = [y, *draw(task, y, of.units, train_rows, n, rng)], None, {}
    if of.batches is not None:
        together = association(of.batches, outcome.classes(task, y))
        try:
            exchangeable.check(task, y, of.units, of.batches)
            drawn += draw(task, y, of.units, train_rows, n if n_within is None else n_within, rng, of.batches)
        except InputProblem as problem:
            note = f"no permutation test within batches is possible: {problem}"
    return Drawn(np.array(drawn), n, note, of.batches, together)


def run(
    folds: Sequence[PermutationFold],
    outcomes: Mapping[str, Any],
    task: str,
    metric: str,
    score: Callable[..., NDArray[np.float64]],
    groups: Mapping[str, str] | None,
    n: int,
    seed: int,
    log: Callable[..., None],
    batches: Mapping[str, str] | None,
    n_within: int | None = None,
    combine: Callable[..., NDArray[np.float64]] | None = None,
) -> dict[str, Any]:
    """The result of a permutation test (`Drawn.result`): the loop over folds that all models share.

    folds : list of PermutationFold; outcomes : {sample: class, number, or (time, event)}; groups, batches : {sample: name} or None
    score : function of a fold's number, the fold, outcomes (1 + n + m, samples) of its training and of its tested rows, and the
        units (samples,) of the training rows; gives what `combine` takes of a fold, for each labelling
    combine : function of folds and their scores that gives (1 + n + m,) what is reported; over_repeats
    """
    combine = combine or over_repeats
    of = tested(folds, groups, batches)
    y = np.array(
        [outcomes[name] for name in of.samples], dtype=outcome.SURVIVAL if task == "survival" else None
    )
    train_rows = [of.rows(fold.train) for fold in folds]
    made = arrange(task, y, of, train_rows, n, seed, n_within)
    scores = []
    for number, (fold, rows) in enumerate(zip(folds, train_rows, strict=True)):
        scores.append(score(number, fold, made.y[:, rows], made.y[:, of.rows(fold.test)], of.units[rows]))
        own = combine([fold], scores[-1:])
        log(
            f"permutation test: {fold.split}, {metric} {own[0]:.3f}, permuted {np.nanmean(own[1 : n + 1]):.3f}"
        )
    statistic = combine(folds, scores)
    if task != "classification":  # constant predictions score at chance level
        statistic[1:] = np.where(np.isnan(statistic[1:]), 0.5 if task == "survival" else 0.0, statistic[1:])
    return made.result(statistic, metric)


def association(batches: NDArray[Any], classes: NDArray[Any]) -> dict[str, Any]:
    """{cramers_v, associated} of batches and classes (n,): associated by a chi-squared test at 0.05, or V above CONFOUNDED."""
    from scipy.stats import chi2

    crossed = registry.confounding(batches, classes)
    rows, columns = len(crossed["table"]), len(next(iter(crossed["table"].values())))
    v, freedom = crossed["cramers_v"], (rows - 1) * (columns - 1)
    statistic = v**2 * len(classes) * min(rows - 1, columns - 1)
    associated = freedom > 0 and (v > CONFOUNDED or chi2.sf(statistic, freedom) < 0.05)
    return {"cramers_v": round(v, 4), "associated": bool(associated)}


def draw(
    task: str,
    y: NDArray[Any],
    units: NDArray[Any],
    train_rows: Sequence[Sequence[int]],
    n: int,
    rng: np.random.Generator,
    batches: NDArray[Any] | None = None,
) -> list[NDArray[Any]]:
    """List of `n` permutations of y, each of which leaves something to train on: two samples of each class, two events."""
    if task == "classification":
        classes, numbers = np.unique(y, return_inverse=True)
        return [classes[new] for new in draw_classes(numbers, units, train_rows, n, rng, batches)]
    drawn, rearranged = [], exchangeable.Exchange(y, units, batches, blocks=True)
    for _ in range(MOST_DRAWS + 10 * n):
        new = y[rearranged.draw(rng)]
        if task == "regression" or all(new["event"][rows].sum() >= 2 for rows in train_rows):
            drawn.append(new)
        if len(drawn) == n:
            return drawn
    raise InputProblem("labels cannot be permuted: too few events to leave two in every training set")


def draw_classes(
    y: NDArray[np.int64],
    units: NDArray[Any],
    train_rows: Sequence[Sequence[int]],
    n: int,
    rng: np.random.Generator,
    batches: NDArray[Any] | None = None,
) -> list[NDArray[np.int64]]:
    """`n` permutations of class numbers y that leave every training set with two samples of each class.

    Where classes are so small that hardly any does, labels are permuted within the test folds of the first repeat, which
    keeps in every training set what it has of each class; there one sample of each is enough, as for the labels themselves.
    """
    for least, strata in ((2, np.zeros(len(y), dtype=int)), (1, tested_in(len(y), train_rows))):
        parts: list[Any] = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
        parts = [
            (rows, exchangeable.Exchange(y[rows], units[rows], None if batches is None else batches[rows]))
            for rows in parts
        ]
        drawn = []
        for _ in range(MOST_DRAWS + 10 * n):
            new = y.copy()
            for rows, part in parts:
                new[rows] = y[rows[part.draw(rng)]]
            if all(np.bincount(new[rows], minlength=y.max() + 1).min() >= least for rows in train_rows):
                drawn.append(new)
            if len(drawn) == n:
                return drawn
    raise InputProblem("labels cannot be permuted without emptying a class of a training set")


def tested_in(n: int, train_rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """(n,) number of the first training set that leaves a row out; -1 where none does."""
    first_without = np.full(n, -1)
    for number, rows in reversed(list(enumerate(train_rows))):
        first_without[np.setdiff1d(np.arange(n), rows)] = number
    return first_without


def over_repeats(
    folds: Sequence[PermutationFold], pairs: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """(1 + n,) reported score from each fold's (2, K, 1 + n) concordant and all pairs."""
    return ranking.over_folds(np.array(pairs), [bootstrap.repeat_of(fold.split) for fold in folds])[0]


def summary(statistic: NDArray[np.float64], metric: str) -> dict[str, Any]:
    """Summary of a permutation test by statistic (1 + n,): the true labels first, then n permutations.

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


def without_values(test: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of permutation.json that metrics.json keeps: all but the scores of single permutations."""
    kept = {key: value for key, value in test.items() if key != "values"}
    if "within_batches" in kept:
        kept["within_batches"] = without_values(kept["within_batches"])
    return kept
