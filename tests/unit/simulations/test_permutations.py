"""Studies with groups of unequal sizes and with batches that go with the label: what permutations say of each, in numbers."""

import numpy as np
import pytest

from rna2model import models
from rna2model.cohort import outcome, splits
from rna2model.core.errors import InputProblem
from rna2model.evaluation.permutation import any_model, exchangeable, logistic, ridge
from rna2model.evaluation.permutation.draws import PermutationFold
from rna2model.explain import null_models


def quiet(*_):
    pass


def folds_of(X, strata, groups=None, folds=4):
    """([PermutationFold], names) of rows X (n, p)."""
    names = [f"s{i:03}" for i in range(len(X))]
    manifest = splits.make(names, strata, groups=groups, folds=folds, needed=())
    made = []
    for split in splits.names(folds, 1)[:-1]:
        parts = splits.training_samples(manifest, split, names), splits.test_samples(manifest, split)
        rows = [[int(name[1:]) for name in part] for part in parts]
        made.append(PermutationFold(split, *parts, *(X[part] for part in rows)))
    return made, names


def unequal(signal, seed, sizes=tuple(range(1, 13))):
    """(X, one value of each donor, donors): donors with 1, 2, 3 ... samples, half of the genes follow the value."""
    rng = np.random.default_rng(seed)
    donors = np.repeat(np.arange(len(sizes)), sizes)
    value = rng.normal(size=len(sizes))
    X = rng.normal(size=(len(sizes), 40))[donors] + 0.3 * rng.normal(size=(len(donors), 40))
    X[:, :20] += signal * value[donors, None]
    return X, value, donors


def ridge_test(signal, seed, n):
    X, value, donors = unequal(signal, seed)
    folds, names = folds_of(X, np.full(len(X), "all"), donors.astype(str))
    group_of = dict(zip(names, donors.tolist(), strict=True))
    values = dict(zip(names, value[donors], strict=True))
    return ridge.permutation_test(folds, values, groups=group_of, n=n, log=quiet)


def test_numbers_of_donors_with_different_numbers_of_samples_are_exchanged():
    """p was 1.000 and the sd of permutations 0, since no two donors had the same number of samples."""
    test = ridge_test(3.0, 0, 99)
    assert test["p"] <= 0.03 and test["sd"] > 0.05
    p = [ridge_test(0.0, seed, 19)["p"] for seed in range(16)]
    assert 0.33 < np.mean(p) < 0.7  # uniform


def test_survival_of_donors_with_different_numbers_of_samples_is_exchanged():
    X, value, donors = unequal(3.0, 1)
    times = np.array(list(zip(np.exp(-value), value > -1.2, strict=True)), dtype=outcome.SURVIVAL)[donors]
    folds, names = folds_of(X, np.full(len(X), "all"), donors.astype(str), folds=2)
    test = any_model.permutation_test(
        folds,
        dict(zip(names, times, strict=True)),
        lambda fold: models.make("cox_ridge", inner_folds=2, task="survival"),
        "survival",
        groups=dict(zip(names, donors.tolist(), strict=True)),
        n=19,
        log=quiet,
    )
    assert test["p"] == 0.05 and test["sd"] > 0.05


@pytest.mark.parametrize("task", ["regression", "survival", "classification"])
@pytest.mark.parametrize("seed", range(4))
def test_groups_stay_whole_and_so_do_batches(task, seed):
    """Of any groups and batches: one value stays one value, blocks come from groups of the same size, batches keep theirs."""
    rng = np.random.default_rng(seed)
    donors = np.sort(rng.integers(0, 15, 60))
    own = rng.random(15) < 0.6
    y = np.where(own[donors], donors % 3, rng.integers(0, 3, 60)).astype(float)
    if task == "survival":
        y = np.array([(value + 1, value > 0) for value in y], dtype=outcome.SURVIVAL)
    batches = rng.integers(0, 2, 60)
    for runs in (None, batches):
        rearranged = exchangeable.Exchange(y, donors, runs, blocks=task != "classification")
        for _ in range(5):
            new = y[rearranged.draw(rng)]
            for donor in set(donors):
                rows = donors == donor
                one = len(set(y[rows].tolist())) == 1
                assert one == (len(set(new[rows].tolist())) == 1)
                if task != "classification" and not one:
                    sources = [
                        set(y[donors == d].tolist()) for d in set(donors) if (donors == d).sum() == rows.sum()
                    ]
                    assert set(new[rows].tolist()) in sources
        alone = exchangeable.Exchange(y, np.arange(60), batches)
        new = y[alone.draw(rng)]
        assert all(sorted(new[batches == b].tolist()) == sorted(y[batches == b].tolist()) for b in (0, 1))


def test_where_too_little_moves_there_is_no_p_but_what_to_do():
    """Donors of 1 to 12 samples whose values differ a little within each: hardly anything can be exchanged."""
    X, value, donors = unequal(3.0, 0)
    close = value[donors] + 0.01 * np.random.default_rng(0).normal(size=len(donors))
    with pytest.raises(
        InputProblem, match=r"of their variance stays where it is.*give all its samples the same value"
    ):
        exchangeable.check("regression", close, donors)
    folds, names = folds_of(X, np.full(len(X), "all"), donors.astype(str))
    with pytest.raises(InputProblem, match="can hardly be exchanged"):
        ridge.permutation_test(
            folds,
            dict(zip(names, close, strict=True)),
            groups=dict(zip(names, donors.tolist(), strict=True)),
            n=9,
            log=quiet,
        )
    with pytest.raises(InputProblem, match="can hardly be exchanged"):
        null_models.draw("regression", close, donors, [np.arange(len(close))], 5, 1)
    exchangeable.check("regression", np.random.default_rng(0).normal(size=len(donors)), donors)
    with pytest.raises(InputProblem, match="the 4 groups can be arranged in 6 ways only"):
        exchangeable.check("classification", np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.arange(8) // 2)
    mostly = np.repeat(np.arange(12) % 2, 12)
    mostly[::12] = 1 - mostly[::12]  # one sample of each donor is of the other class
    with pytest.raises(InputProblem, match="exchange them within the group only"):
        exchangeable.check("classification", mostly, np.repeat(np.arange(12), 12))
    exchangeable.check(
        "classification", np.tile([0, 1], 12), np.repeat(np.arange(12), 2)
    )  # tumour and normal


def confounded(seed, biology=0.0, n=120, agree=0.7):
    """(folds, labels, batches by name): the batch moves every third gene, and the label agrees with it in 70 % of samples."""
    rng = np.random.default_rng(seed)
    runs = np.arange(n) % 2
    y = np.where(rng.permutation(n) < agree * n, runs, 1 - runs)
    X = rng.normal(size=(n, 45))
    X[:, ::3] += 2.0 * runs[:, None]
    X[:, 1:31:3] += biology * y[:, None]
    folds, names = folds_of(X, y.astype(str))
    labels = dict(zip(names, np.array(["case", "control"])[y], strict=True))
    return folds, labels, dict(zip(names, np.array(["x", "y"])[runs], strict=True))


def test_a_batch_that_goes_with_the_label_makes_p_small_over_the_cohort_but_not_within_batches():
    """Agreement of 70 % without biology: p <= .04 in three of four, within batches it is uniform."""
    over, within = [], []
    for seed in range(12):
        folds, labels, runs = confounded(seed)
        test = logistic.permutation_test(folds, labels, n=29, inner_folds=2, log=quiet, batches=runs)
        over.append(test["p"])
        within.append(test["within_batches"]["p"])
        assert test["within_batches"]["cramers_v"] == pytest.approx(0.4, abs=0.05)
        assert test["within_batches"]["n"] == test["n"] == 29
    assert np.mean(np.array(over) <= 0.04) >= 0.7
    assert 0.3 < np.mean(within) < 0.7 and np.mean(np.array(within) <= 0.05) <= 0.17


def test_biology_is_found_within_batches_by_every_model():
    folds, labels, runs = confounded(1, biology=2.0)
    test = logistic.permutation_test(folds, labels, n=49, inner_folds=3, log=quiet, batches=runs)
    assert test["p"] == test["within_batches"]["p"] == 0.02
    alone = logistic.permutation_test(folds, labels, n=49, inner_folds=3, log=quiet)
    assert {key: test[key] for key in alone} == alone  # the test over the cohort is what it was
    slow = any_model.permutation_test(
        folds,
        labels,
        lambda fold: models.make("knn", inner_folds=2),
        "classification",
        n=19,
        log=quiet,
        batches=runs,
    )
    assert slow["n"] == 19 and slow["within_batches"]["n"] == 10 and slow["within_batches"]["p"] < 0.1


def test_numbers_are_exchanged_within_batches_too():
    over, within = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        runs = np.arange(60) % 2
        y = rng.normal(size=60) + 1.2 * runs
        X = rng.normal(size=(60, 60))
        X[:, ::3] += 2.0 * runs[:, None]
        folds, names = folds_of(X, np.full(60, "all"))
        by_name = dict(zip(names, y, strict=True)), dict(zip(names, runs.tolist(), strict=True))
        test = ridge.permutation_test(folds, by_name[0], n=39, log=quiet, batches=by_name[1])
        over.append(test["p"])
        within.append(test["within_batches"]["p"])
    assert np.mean(np.array(over) <= 0.05) >= 0.7 and 0.3 < np.mean(within) < 0.7


def test_a_batch_that_is_the_label_has_a_note_in_place_of_a_p_within_batches():
    folds, labels, _ = confounded(1, biology=2.0)
    runs = {name: "x" if label == "case" else "y" for name, label in labels.items()}
    test = logistic.permutation_test(folds, labels, n=9, inner_folds=2, log=quiet, batches=runs)
    assert test["p"] == 0.1 and "p" not in test["within_batches"]
    assert "no permutation test within batches is possible" in test["within_batches"]["note"]
    one = logistic.permutation_test(
        folds, labels, n=9, inner_folds=2, log=quiet, batches=dict.fromkeys(labels, "x")
    )
    assert "within_batches" not in one
