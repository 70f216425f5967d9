"""The learning curve: smaller training sets lie within larger ones, and all that is fitted is fitted on them alone."""

import itertools
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import cohort, splits
from rna2model.evaluation import learning_curve
from rna2model.training import split_data

DESIGN = {"task": "classification", "target": "condition", "batch": "run", "group": "donor"}
EXPRESSION = {
    "normalization": "tmm", "filter": "auto", "missing": "refuse", "batch_correction": "combat", "reference_batch": None,
    "mean_only": False, "protect_target": False, "adapt_samples": 8, "unseen_batch": "uncorrected",
}  # fmt: skip
FEATURES = {"gene_sets": None, "score": "mean_z", "selection": "moderated_f", "count": 30, "impute": "mean"}
PARAMS = SimpleNamespace(
    design=DESIGN, expression=EXPRESSION, unit="counts", features=FEATURES, covariates={}, gene_sets=None, seed=1,
    inner_folds=2,
)  # fmt: skip
FRACTIONS = [0.4, 0.7, 1.0]


def quiet(*_):
    pass


def written(folder, counts, labels, donors=None):
    """The SplitData of r1f1 over samples in two runs; two samples of each donor."""
    names = [f"s{i:02}" for i in range(len(counts))]
    donors = [f"d{i // 2:02}" for i in range(len(counts))] if donors is None else donors
    cells = zip(names, labels, donors, strict=True)
    metadata = {n: {"condition": c, "run": "xy"[int(n[1:]) // 2 % 2], "donor": d} for n, c, d in cells}
    genes = pd.DataFrame(index=pd.Index([f"g{i}" for i in range(counts.shape[1])], name="gene_id"))
    cohort.build(counts.astype(np.int64), names, genes, metadata).write_h5ad(folder / "training.h5ad")
    manifest = splits.make(names, np.array(labels), groups=np.array(donors), folds=3)
    manifest.to_csv(folder / "manifest.tsv", sep="\t", index=False)
    return split_data.read(folder / "training.h5ad", folder / "manifest.tsv", "r1f1", DESIGN)


@pytest.fixture
def made():
    """Counts of 60 samples of which 20 genes know the class, and the classes of their donors."""
    rng, classes = np.random.default_rng(3), np.repeat(np.arange(30) % 3 == 0, 2)
    means = np.tile(rng.lognormal(4, 1, 120), (60, 1))
    means[:, :20] *= 2.0 ** (1.2 * classes[:, None])
    return rng.poisson(means), np.where(classes, "case", "control").tolist()


def test_smaller_sets_lie_within_larger_ones_with_whole_donors_and_the_same_classes(made, tmp_path):
    data = written(tmp_path, *made)
    sets = [learning_curve.subset(data, fraction, "r1f1", 1) for fraction in (0.1, 0.4, 0.7, 1.0)]
    assert all(set(small) < set(large) for small, large in itertools.pairwise(sets))
    assert sets[-1] == data.train and not set(sets[-1]) & set(data.test)
    donor_of = dict(zip(data.train, data.groups(data.train), strict=True))
    every = Counter(donor_of.values())
    for names in sets:
        assert all(every[donor] == count for donor, count in Counter(map(donor_of.get, names)).items())
        classes = Counter(data.labels(names).tolist())
        assert classes["case"] / len(names) == pytest.approx(1 / 3, abs=0.17) and min(classes.values()) >= 4
    assert learning_curve.subset(data, 0.4, "r1f1", 1) == sets[1]
    assert learning_curve.subset(data, 0.4, "r1f2", 1) != sets[1]


def test_donors_with_both_classes_count_once(made, tmp_path):
    counts, _ = made
    data = written(tmp_path, counts, ["case", "control"] * 30)
    names = learning_curve.subset(data, 0.5, "r1f1", 1)
    assert Counter(data.labels(names).tolist()) == {"case": 10, "control": 10}


def predicted(folder, counts, labels, fractions=(0.4,)):
    data = written(folder, counts, labels)
    fit = learning_curve.fitter("logistic_l2", {}, PARAMS)
    return data, learning_curve.predict(data, "r1f1", fractions, fit, "uncorrected", {}, 1, log=quiet)


def test_samples_outside_the_subset_reach_nothing_that_is_fitted_on_it(made, tmp_path):
    """All other training samples changed beyond recognition, and each tested sample: only its own prediction moves."""
    counts, labels = made
    data, before = predicted(tmp_path, counts, labels)
    inside = set(learning_curve.subset(data, 0.4, "r1f1", 1))
    changed = counts.copy()
    for name in [
        name for name in data.cohort.samples if name not in inside and name not in data.test
    ] + data.test[:1]:
        changed[int(name[1:])] = 9 * changed[int(name[1:])][::-1] + 3
    _, after = predicted(tmp_path, changed, labels)
    assert before[before["sample"] != data.test[0]].equals(after[after["sample"] != data.test[0]])
    assert not before.equals(after)


def test_a_subset_that_cannot_be_trained_is_said_and_left_out(made, tmp_path):
    data, messages = written(tmp_path, *made), []

    def fit(fewer):
        if len(fewer.train) < 25:
            raise learning_curve.InputProblem("too few")
        return learning_curve.fitter("logistic_l2", {}, PARAMS)(fewer)

    table = learning_curve.predict(data, "r1f1", FRACTIONS, fit, "uncorrected", {}, 1, log=messages.append)
    assert set(table["fraction"]) == {"0.7"} and "left out: too few" in messages[0]


def test_the_table_has_a_row_for_each_fraction_and_metric_and_the_models_own_at_one(made, tmp_path):
    counts, labels = made
    parts, wholes, sizes = [], [], {}
    written(tmp_path, counts, labels)
    for split in ("r1f1", "r1f2", "r1f3"):
        data = split_data.read(tmp_path / "training.h5ad", tmp_path / "manifest.tsv", split, DESIGN)
        fit = learning_curve.fitter("logistic_l2", {}, PARAMS)
        parts.append(learning_curve.predict(data, split, FRACTIONS, fit, "uncorrected", {}, 1, log=quiet))
        wholes.append(parts[-1][parts[-1]["fraction"] == "0.7"].drop(columns=["fraction", "n_train"]))
        sizes[split] = len(data.train)
    table = learning_curve.table(pd.concat(parts), pd.concat(wholes), sizes, ("auroc", "brier"))
    assert list(table.columns) == learning_curve.COLUMNS
    assert table["fraction"].tolist() == ["0.4", "0.4", "0.7", "0.7", "1", "1"] and set(table["folds"]) == {3}
    assert (np.diff(table["n_train"].unique()) > 0).all() and table["n_train"].iloc[-1] == 40
    same = table[table["fraction"] == "0.7"]["estimate"].tolist()  # the whole was made of these predictions
    assert table[table["fraction"] == "1"]["estimate"].tolist() == same
    assert ((table["lower"] <= table["estimate"]) & (table["estimate"] <= table["upper"])).all()
    assert table.loc[table["metric"] == "auroc", "estimate"].min() > 0.6
    alone = learning_curve.table(pd.DataFrame(), pd.concat(wholes), sizes, ("auroc",))
    assert alone["fraction"].tolist() == ["1"]
