"""Learning curves of cohorts with and without something to learn: what the last step changes, with its interval."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from rna2model import models
from rna2model.cohort import splits
from rna2model.evaluation import classification, predictions
from rna2model.evaluation import learning_curve as learningcurve
from rna2model.report import learning_curve as report_learning

SHOWN = ("auroc", "brier")


@dataclass
class Made:
    """The part of split_data.SplitData that a learning curve needs, over rows of X by the names of samples."""

    X: np.ndarray
    y: np.ndarray
    train: list
    test: list

    def expression(self, names, *_, **__):
        return self.X[[int(name[1:]) for name in names]]

    def labels(self, names):
        return self.y[[int(name[1:]) for name in names]]

    outcome = labels

    def groups(self, names):
        return None


def curve_of(seed, effect, n, genes=40, fractions=(0.2, 0.5), subsets=3, folds=3):
    """(table of the curve, {fraction: predictions}) of a linear model; `effect` moves all genes between the classes."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 2)
    X, y = rng.normal(size=(n, genes)) + effect * y[:, None], np.array(["a", "b"])[y]
    names = [f"s{i:03}" for i in range(n)]
    manifest = splits.make(names, y, folds=folds, seed=seed)

    def fit(data):
        model = models.make("logistic_l2", inner_folds=2, search={"C_times_genes": [0.1]})
        return model.fit(data.expression(data.train), data.labels(data.train), log=lambda *_: None), None

    parts, whole, sizes = [], [], {}
    for split in splits.names(folds, 1)[:-1]:
        train, test = splits.training_samples(manifest, split, names), splits.test_samples(manifest, split)
        data = Made(X, y, train, test)
        quiet = {"log": lambda *_: None, "subsets": subsets}
        parts.append(learningcurve.predict(data, split, fractions, fit, "uncorrected", {}, 1, **quiet))
        model, _ = fit(data)
        table = predictions.table(test, model, data.expression(test), {})
        whole.append(predictions.scored(table, split, data.labels(test)))
        sizes[split] = len(train)
    parts, whole = pd.concat(parts), pd.concat(whole)
    return learningcurve.table(parts, whole, sizes, SHOWN, n_boot=300), parts, whole


def test_subsets_are_averaged_and_their_spread_is_told():
    table, parts, whole = curve_of(1, 0.2, 60)
    row = table.set_index(["fraction", "metric"])
    assert set(table["subsets"][:-2]) == {3} and set(table["folds"]) == {3}
    each = []
    for _, one in parts[parts["fraction"] == "0.5"].groupby("subset"):
        each.append(
            classification.metrics(one.drop(columns=["fraction", "subset", "n_train"]), n_boot=1)["auroc"][
                "estimate"
            ]
        )
    assert len(set(each)) > 1
    assert row.loc[("0.5", "auroc"), "estimate"] == pytest.approx(np.mean(each))
    assert row.loc[("0.5", "auroc"), "sd"] == pytest.approx(np.std(each, ddof=1))
    full = classification.metrics(whole, n_boot=1)["auroc"]["estimate"]
    assert row.loc[("1", "auroc"), "change"] == pytest.approx(full - np.mean(each))
    assert table["change"][:-2].isna().all() and pd.isna(row.loc[("1", "auroc"), "sd"])
    once, _, _ = curve_of(1, 0.2, 60, subsets=1)
    assert once["sd"].isna().all() and once["change"].iloc[-1] is not None


def test_more_samples_help_where_there_is_still_something_to_learn():
    """A weak effect on each of 400 genes: AUROC goes on rising."""
    table, _, _ = curve_of(0, 0.12, 150, genes=400, fractions=(0.1,))
    last = table[(table["fraction"] == "1") & (table["metric"] == "auroc")].iloc[0]
    assert last["change_lower"] > 0
    sentence = report_learning.sentence(_numbers(table), SHOWN)
    assert sentence.endswith("more samples would still help.") and "3 subsets" in sentence


def test_nothing_is_promised_where_there_is_nothing_to_learn():
    """Labels without meaning: of 20 last steps about one leaves 0 out, on either side."""
    promised = 0
    for seed in range(20):
        table, _, _ = curve_of(seed, 0.0, 60, fractions=(0.5,))
        promised += report_learning.sentence(_numbers(table), SHOWN).endswith("would still help.")
    assert promised <= 2


def test_a_lower_error_is_a_better_one_and_a_curve_of_one_point_says_nothing():
    rows = [["0.5", 20, 3, "brier", 0.25, 0.2, 0.3, 3, 0.01, None, None, None]]
    rows.append(["1", 40, 3, "brier", 0.2, 0.15, 0.25, 1, None, -0.05, -0.08, -0.02])
    table = _numbers(pd.DataFrame(rows, columns=learningcurve.COLUMNS))
    assert report_learning.sentence(table, ("auroc", "brier")).endswith("more samples would still help.")
    worse = table.assign(
        change=-table["change"], change_lower=-table["change_upper"], change_upper=-table["change_lower"]
    )
    assert "fewer samples did better" in report_learning.sentence(worse, ("brier",))
    assert report_learning.sentence(table[1:], ("brier",)) == report_learning.sentence(None, SHOWN) == ""


def _numbers(table):
    columns = [name for name in table if name != "metric"]
    return table.assign(**{name: pd.to_numeric(table[name]) for name in columns})
