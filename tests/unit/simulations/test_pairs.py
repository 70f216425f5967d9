"""Folds of unequal size: AUROC and concordance count pairs, not folds."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from rna2model.cohort import outcome
from rna2model.evaluation import classification
from rna2model.evaluation.permutation import any_model
from rna2model.evaluation.permutation.draws import PermutationFold


def cohort_of(sizes, signal, rng):
    """Out-of-fold predictions of folds with (negatives, positives) of `sizes`; scores carry `signal`."""
    parts = []
    for number, (negatives, positives) in enumerate(sizes, start=1):
        y = np.repeat([0, 1], [negatives, positives])
        p = 1 / (1 + np.exp(-(rng.normal(size=len(y)) + signal * (y - 0.5))))
        part = pd.DataFrame({"sample": [f"s{number}_{i}" for i in range(len(y))], "split": f"r1f{number}"})
        part["truth"], part["predicted"] = (
            np.array(["a", "b"])[y],
            np.array(["a", "b"])[(p > 0.5).astype(int)],
        )
        parts.append(part.assign(prob_a=1 - p, prob_b=p))
    return pd.concat(parts, ignore_index=True)


UNEQUAL = [(30, 15), (30, 12), (3, 1), (2, 1)]  # groups of many sizes: folds of 450, 360, 3 and 2 pairs


def test_the_estimate_is_the_share_of_all_pairs_and_the_plain_mean_stands_beside():
    table = cohort_of(UNEQUAL, 1.0, np.random.default_rng(0))
    auroc = classification.metrics(table, n_boot=20)["auroc"]
    folds = [part for _, part in table.groupby("split")]
    each = [roc_auc_score(part["truth"], part["prob_b"]) for part in folds]
    pairs = [(part["truth"] == "a").sum() * (part["truth"] == "b").sum() for part in folds]
    assert pairs == [450, 360, 3, 2]
    assert auroc["estimate"] == pytest.approx(np.average(each, weights=pairs))
    assert auroc["plain_mean"] == pytest.approx(np.mean(each))


def test_folds_of_a_handful_of_pairs_do_not_decide_the_score():
    """AUROC .76 in the population: over cohorts the plain mean varies more than twice as much."""
    rng = np.random.default_rng(1)
    scores = [classification.metrics(cohort_of(UNEQUAL, 1.0, rng), n_boot=2)["auroc"] for _ in range(80)]
    pooled, plain = (np.array([one[key] for one in scores]) for key in ("estimate", "plain_mean"))
    assert pooled.mean() == pytest.approx(0.76, abs=0.02)
    assert plain.std() > 2 * pooled.std()


def test_equal_folds_give_the_plain_mean():
    table = cohort_of([(12, 8)] * 5, 1.0, np.random.default_rng(2))
    auroc = classification.metrics(table, n_boot=2)["auroc"]
    assert auroc["estimate"] == pytest.approx(auroc["plain_mean"])


def folds_of(effect, rng, tests=((0, 20), (20, 34), (34, 40))):
    """(PermutationFold of unequal test sets, labels by sample, table of `found`) of 40 samples."""
    names, y = [f"s{i:02d}" for i in range(40)], np.arange(40) % 2
    X = rng.normal(size=(40, 30)) + effect * y[:, None] * (np.arange(30) < 5)
    made = []
    for number, (start, stop) in enumerate(tests, start=1):
        out = (np.arange(40) >= start) & (np.arange(40) < stop)
        sides = [[name for name, there in zip(names, mask, strict=True) if there] for mask in (~out, out)]
        made.append(PermutationFold(f"r1f{number}", *sides, X[~out], X[out]))
    return made, dict(zip(names, np.array(["a", "b"])[y].tolist(), strict=True))


class Fixed:
    """A model that was not tuned, so that its statistic can be computed by hand."""

    classes_ = ("a", "b")

    def fit(self, X, y, **_):
        mean = [X[np.asarray(y) == label].mean(axis=0) for label in self.classes_]
        self.axis_ = mean[1] - mean[0]
        return self

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-(X @ self.axis_)))
        return np.column_stack([1 - p, p])


def test_the_permutation_test_has_the_statistic_that_is_reported():
    folds, labels = folds_of(0.6, np.random.default_rng(3))
    options = {"n": 5, "log": lambda *_: None}
    test = any_model.permutation_test(folds, labels, lambda _: Fixed(), "classification", **options)
    parts = []
    for fold in folds:
        model = Fixed().fit(fold.train_expression, [labels[name] for name in fold.train])
        p = model.predict_proba(fold.test_expression)
        part = pd.DataFrame({"sample": fold.test, "split": fold.split, "prob_a": p[:, 0], "prob_b": p[:, 1]})
        parts.append(part.assign(truth=[labels[name] for name in fold.test], predicted="a"))
    reported = classification.metrics(pd.concat(parts), n_boot=2)["auroc"]
    assert test["statistic"] == pytest.approx(reported["estimate"])
    assert test["statistic"] != pytest.approx(reported["plain_mean"], abs=1e-4)


def test_concordance_of_survival_counts_pairs_in_score_and_permutation():
    rng = np.random.default_rng(4)
    folds, _ = folds_of(0.0, rng)
    time, event = rng.exponential(size=40), rng.random(40) < 0.6
    y = {f"s{i:02d}": (time[i], event[i]) for i in range(40)}

    class Risk:
        def fit(self, X, y, **_):
            return self

        def predict(self, X):
            return X[:, 0]

    options = {"n": 2, "log": lambda *_: None}
    test = any_model.permutation_test(folds, y, lambda _: Risk(), "survival", **options)
    right = total = 0.0
    for fold in folds:
        rows, risk = (
            [int(name[1:]) for name in fold.test],
            dict(zip(fold.test, fold.test_expression[:, 0], strict=True)),
        )
        for i in rows:
            for j in rows:
                if event[i] and time[j] > time[i]:
                    total += 1
                    right += risk[f"s{i:02d}"] > risk[f"s{j:02d}"]
    assert test["statistic"] == pytest.approx(right / total)
    parts = [
        pd.DataFrame({"sample": fold.test, "split": fold.split, "predicted": fold.test_expression[:, 0]})
        for fold in folds
    ]
    table = pd.concat(parts)
    table["time"] = [y[name][0] for name in table["sample"]]
    table["event"] = [int(y[name][1]) for name in table["sample"]]
    training = {
        fold.split: np.array([y[name] for name in fold.train], dtype=outcome.SURVIVAL) for fold in folds
    }
    concordance = classification.metrics(table, task="survival", training=training, n_boot=2)["harrell_c"]
    assert concordance["estimate"] == pytest.approx(right / total) and "plain_mean" in concordance
