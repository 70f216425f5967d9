"""Splits: who trains, who is tested, and what never happens."""

import numpy as np
import pytest

from rna2model.cohort import splits
from rna2model.core.errors import InputProblem


def cohort(n=47, donors=17, seed=0):
    """Names, unbalanced labels, and donors with one to six samples, most of them with both labels."""
    rng = np.random.default_rng(seed)
    names = [f"s{i:03d}" for i in range(n)]
    return names, np.where(rng.random(n) < 0.3, "case", "control"), rng.integers(0, donors, n).astype(str)


def held_out(manifest):
    return manifest[manifest["role"] == "test"]


def test_names_are_known_before_any_data():
    assert splits.names(2, 2, ["lab1"]) == ["r1f1", "r1f2", "r2f1", "r2f2", "full", "batch.lab1"]


def test_every_sample_is_tested_once_per_repeat_and_trains_elsewhere():
    names, labels, _ = cohort()
    manifest = splits.make(names, labels, folds=5, repeats=3)
    assert list(manifest.columns) == ["sample", "repeat", "fold", "role"]
    assert len(manifest) == 47 * 5 * 3
    assert (held_out(manifest).groupby(["repeat", "sample"]).size() == 1).all()
    train = splits.training_samples(manifest, "r2f3", names)
    test = splits.test_samples(manifest, "r2f3")
    assert sorted(train + test) == names


def test_classes_differ_by_one_sample_between_folds():
    names, labels, _ = cohort()
    manifest = held_out(splits.make(names, labels, folds=5)).copy()
    manifest["label"] = manifest["sample"].map(dict(zip(names, labels, strict=True)))
    counts = manifest.groupby(["label", "fold"]).size().unstack()
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()
    assert np.ptp(counts.sum().to_numpy()) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_never_split(seed):
    names, labels, donors = cohort(seed=seed)
    manifest = held_out(splits.make(names, labels, donors, folds=4, repeats=2, seed=seed))
    donor = manifest["sample"].map(dict(zip(names, donors, strict=True)))
    assert (manifest.groupby([manifest["repeat"], donor])["fold"].nunique() == 1).all()


def test_groups_are_balanced_at_least_as_well_as_scikit_learn():
    from sklearn.model_selection import StratifiedGroupKFold

    def imbalance(fold, labels):
        counts = np.array(
            [[np.sum((fold == k) & (labels == c)) for k in range(4)] for c in np.unique(labels)]
        )
        return float(((counts / counts.sum(axis=1, keepdims=True)) ** 2).sum())

    for seed in range(10):
        _, labels, donors = cohort(60, 20, seed)
        ours = splits.assign(labels, donors, 4, np.random.default_rng(seed))
        theirs = np.empty(60, dtype=int)
        folds = StratifiedGroupKFold(4, shuffle=True, random_state=seed).split(labels, labels, donors)
        for k, (_, test) in enumerate(folds):
            theirs[test] = k
        assert imbalance(ours, labels) <= imbalance(theirs, labels) + 0.02


def test_row_order_does_not_matter_but_the_seed_and_the_repeat_do():
    names, labels, donors = cohort()
    order = np.random.default_rng(3).permutation(len(names))
    first = splits.make(names, labels, donors, folds=4, repeats=2, seed=7)
    again = splits.make(np.array(names)[order], labels[order], donors[order], folds=4, repeats=2, seed=7)
    assert first.equals(again)
    assert not first.equals(splits.make(names, labels, donors, folds=4, repeats=2, seed=8))
    one, two = (held_out(first)[held_out(first)["repeat"] == r]["fold"].to_numpy() for r in (1, 2))
    assert not np.array_equal(one, two)


def test_full_trains_on_all_and_a_batch_split_holds_out_its_batch():
    names, labels, _ = cohort(20)
    manifest = splits.make(names, labels, folds=3).astype(str)  # as read from a file
    batches = {name: "lab1" if i < 8 else "lab2" for i, name in enumerate(names)}
    assert splits.training_samples(manifest, "full", names) == names
    assert splits.test_samples(manifest, "full") == []
    assert splits.training_samples(manifest, "batch.lab1", names, batches=batches) == names[8:]
    assert splits.test_samples(manifest, "batch.lab1", names, batches=batches) == names[:8]
    assert len(splits.test_samples(manifest, "r1f2")) in (6, 7)


def test_what_cannot_be_split_is_refused_with_the_numbers():
    names = [f"s{i}" for i in range(12)]
    with pytest.raises(InputProblem, match=r"rare: 3 samples in 3 groups.*evaluation\.folds to 3"):
        splits.make(names, ["rare"] * 3 + ["common"] * 9, folds=5)
    with pytest.raises(InputProblem, match="a: 6 samples in 2 groups"):
        splits.make(names, ["a"] * 6 + ["b"] * 6, groups=list("xxxyyy") + list("pqrstu"), folds=3)
    with pytest.raises(InputProblem, match="two classes are needed"):
        splits.make(names, ["a"] * 12, folds=3)
    with pytest.raises(InputProblem, match="more than once: s1"):
        splits.make([*names[:-1], "s1"], ["a", "b"] * 6, folds=2)
    with pytest.raises(InputProblem, match="not a split"):
        splits.test_samples(splits.make(names, ["a", "b"] * 6, folds=2), "fold1")


def test_inner_folds_respect_groups_and_shrink_with_the_smallest_class():
    labels, groups = np.array(["a"] * 8 + ["b"] * 4), np.array(list("ppqqrrss") + list("pqxy"))
    pairs = splits.inner(labels, groups, folds=5, seed=1)
    assert len(pairs) == 4  # four groups hold each class
    for train, valid in pairs:
        assert not set(groups[train]) & set(groups[valid])
        assert set(labels[train]) == {"a", "b"}
    assert splits.inner(np.array(["a", "a", "b", "b"]), None, 5, 1) == []
    assert splits.inner(labels, np.array(["p"] * 8 + ["q"] * 4), 5, 1) == []
