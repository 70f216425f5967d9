"""Permutations of any model: the same answer as the fast ones, signal told from noise, for each task."""

import numpy as np
import pytest

from rna2model import models
from rna2model.cohort import outcome, splits
from rna2model.core.errors import InputProblem
from rna2model.evaluation.permutation import any_model, logistic, ridge
from rna2model.evaluation.permutation.draws import PermutationFold


def quiet(*_):
    pass


def cohort(y, effect, strength, p=60, folds=3, seed=0):
    """Folds of samples of which 20 genes move by `effect` times strength (n,), and what they came to, by name."""
    rng, names = np.random.default_rng(seed), [f"s{i:02d}" for i in range(len(y))]
    X = rng.normal(size=(len(y), p))
    X[:, :20] += effect * strength[:, None]
    manifest = splits.make(names, np.resize(["u", "v"], len(y)), folds=folds, needed=())
    made = []
    for split in splits.names(folds, 1)[:-1]:
        train, test = splits.training_samples(manifest, split, names), splits.test_samples(manifest, split)
        rows = [[int(name[1:]) for name in part] for part in (train, test)]
        made.append(PermutationFold(split, train, test, X[rows[0]], X[rows[1]]))
    return made, dict(zip(names, y, strict=True))


def classes(effect, n=30, seed=0):
    y = np.arange(n) // 2 % 2
    return cohort(np.array(["a", "b"])[y], effect, y - 0.5, seed=seed)


def numbers(effect, n=30, seed=0):
    y = np.random.default_rng(100 + seed).normal(size=n)
    return cohort(y, effect, y, seed=seed)


def lives(effect, n=36, seed=0):
    rng = np.random.default_rng(100 + seed)
    risk = rng.normal(size=n)
    life, lost = rng.exponential(np.exp(-2 * risk)) + 0.01, rng.exponential(2, n) + 0.01
    y = np.array(list(zip(np.minimum(life, lost), life <= lost, strict=True)), dtype=outcome.SURVIVAL)
    return cohort(y, effect, risk, seed=seed)


def maker(name, task):
    return lambda fold: models.make(name, inner_folds=2, task=task)


CASES = [
    ("classification", "knn", classes),
    ("regression", "ridge", numbers),
    ("survival", "cox_ridge", lives),
]


@pytest.mark.parametrize(("task", "name", "made"), CASES)
def test_signal_is_told_from_noise(task, name, made):
    folds, y = made(1.5)
    test = any_model.permutation_test(folds, y, maker(name, task), task, n=19, log=quiet)
    assert test["p"] == 0.05 and test["n"] == 19 and test["metric"] == any_model.METRICS[task]
    p = []
    for seed in range(6):
        folds, y = made(0.0, seed=seed)
        p.append(any_model.permutation_test(folds, y, maker(name, task), task, n=9, log=quiet)["p"])
    assert 0.25 < np.mean(p) < 0.85 and min(p) >= 0.1  # (b + 1) / (n + 1), uniform on noise


def test_the_statistic_and_the_draws_are_those_of_the_fast_tests():
    folds, y = classes(0.6)
    grid = {"C_times_genes": list(logistic.C_TIMES_GENES)}

    def make(fold):
        return models.make("logistic_l2", search=grid)

    slow = any_model.permutation_test(folds, y, make, "classification", n=12, log=quiet)
    fast = logistic.permutation_test(folds, y, n=12, log=quiet)
    assert {key: slow[key] for key in ("statistic", "p", "mean", "sd")} == pytest.approx(
        {key: fast[key] for key in ("statistic", "p", "mean", "sd")}, abs=0.02
    )
    assert slow["statistic"] == pytest.approx(fast["statistic"])
    folds, y = numbers(0.3)
    search = {"alpha_over_genes": ridge.ALPHA_OVER_GENES.tolist()}
    slow = any_model.permutation_test(
        folds,
        y,
        lambda fold: models.make("ridge", search=search, task="regression"),
        "regression",
        n=3,
        log=quiet,
    )
    fast = ridge.permutation_test(folds, y, n=3, log=quiet)
    assert slow["statistic"] == pytest.approx(
        fast["statistic"], abs=0.05
    )  # inner folds are balanced otherwise


def test_every_permutation_trains_a_model_of_its_own_with_what_was_shuffled():
    folds, y = classes(1.0, n=18)
    seen = []

    class Spy:
        classes_ = ("a", "b")

        def fit(self, X, labels, groups=None, select=None, log=print):
            seen.append(tuple(labels))
            return self

        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    any_model.permutation_test(folds, y, lambda fold: Spy(), "classification", n=5, log=quiet)
    assert len(seen) == 3 * 6 and len(set(seen[:6])) > 1
    assert list(seen[0]) == [y[name] for name in folds[0].train]
    assert all(labels.count("a") >= 2 and labels.count("b") >= 2 for labels in seen)


def test_times_stay_with_their_events_and_groups_exchange_as_a_whole():
    _, y = lives(0.0, n=36)
    values, units = np.array(list(y.values()), dtype=outcome.SURVIVAL), np.repeat(np.arange(18), 2)
    drawn = any_model.draw("survival", values, units, [list(range(24))], 5, np.random.default_rng(0))
    pairs = {frozenset(values[2 * i : 2 * i + 2].tolist()) for i in range(18)}
    for new in drawn:
        assert sorted(new.tolist()) == sorted(values.tolist()) and new.tolist() != values.tolist()
        assert {frozenset(new[2 * i : 2 * i + 2].tolist()) for i in range(18)} == pairs
    few = values.copy()
    few["event"] = np.arange(36) == 3
    with pytest.raises(InputProblem, match="too few events"):
        any_model.draw("survival", few, units, [list(range(24))], 5, np.random.default_rng(0))
