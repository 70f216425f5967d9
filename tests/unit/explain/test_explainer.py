"""Explanations beside chance: shuffled labels, other seeds, gene sets as limma tests them, and single samples."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import mannwhitneyu

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.explain import gene_set_importance, importance, lime, null_models
from tests.unit.explain.test_importance import cohort


def fitted(name, X, y, **more):
    return models.make(name, inner_folds=3, **more).fit(X, y, log=lambda *_: None)


def drawn(y, n=40, groups=None, trained=None):
    everyone = np.arange(len(y))
    return null_models.draw("classification", y, groups, trained or [everyone], n, seed=3)


@pytest.mark.parametrize("name", ["logistic_l2", "linear_svm"])
@pytest.mark.parametrize("K", [2, 3])
def test_models_of_shuffled_labels_in_one_batch_are_those_fitted_one_by_one(name, K):
    X, _ = cohort(n=30, p=50)
    y = np.array(["a", "b", "c"])[np.arange(30) % K]
    model = fitted(name, X, y)
    outcomes = drawn(y, n=3)
    together = null_models.effects(model, X, outcomes, X)
    for labels, effect in zip(outcomes, together, strict=True):
        numbers = np.searchsorted(model.classes_, labels)
        alone = model.refit(X, numbers[None])[0]
        same = models.make(name, inner_folds=3, search={"C_times_genes": [model.settings_["C"] * 50]})
        whole = same.fit(X, labels, log=lambda *_: None).coefficients()
        whole = whole / same.settings_.get("calibration_slope", 1.0)
        assert_allclose(alone, whole, atol=1e-5 * np.abs(whole).max())
        assert_allclose(effect, alone * X.std(axis=0), atol=1e-4 * np.abs(effect).max())


def test_ridge_of_shuffled_numbers_is_the_ridge_fitted_to_them():
    X, _ = cohort(n=30, p=50)
    y = X[:, 3] + np.random.default_rng(1).normal(size=30)
    model = models.make("ridge", inner_folds=3, task="regression").fit(X, y, log=lambda *_: None)
    assert_allclose(model.refit(X, [y])[0], model.coefficients(), atol=1e-10)


def test_planted_features_exceed_shuffled_labels_and_others_do_so_by_chance():
    X, y = cohort(n=80, p=400)
    model = fitted("logistic_l2", X, y)
    effect, _ = importance.effects(model, X, X.mean(axis=0))
    above = np.abs(effect) > null_models.limit(null_models.effects(model, X, drawn(y, 100), X), effect)
    assert above[0, [3, 11]].all()
    others = np.delete(above[0], [3, 11]).mean()
    assert others < 0.08  # 0.05 by chance, less what the planted ones take from their share


def test_labels_that_say_nothing_exceed_shuffled_ones_as_often_as_they_should():
    X = np.random.default_rng(5).normal(size=(60, 2000))
    y = np.array(["a", "b"])[np.arange(60) % 2]
    model = fitted("logistic_l2", X, y)
    effect, _ = importance.effects(model, X, X.mean(axis=0))
    above = np.abs(effect) > null_models.limit(null_models.effects(model, X, drawn(y, 100), X), effect)
    assert 0.02 < above.mean() < 0.1


def test_stability_of_shuffled_labels_is_that_of_genes_which_vary_most():
    """Forty genes of large variance come first whatever the labels are: agreement over folds that means nothing."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 400)) * np.where(np.arange(400) < 40, 8, 1)
    y = np.array(["a", "b"])[np.arange(60) % 2]
    parts, outcomes = [], drawn(y, 10)
    for fold in range(3):
        rows = np.flatnonzero(np.arange(60) // 2 % 3 != fold)
        model = fitted("logistic_l2", X[rows], y[rows])
        parts.append((list(range(400)), null_models.effects(model, X[rows], outcomes[:, rows], X[rows])))
    agreement = null_models.agreement(parts)
    assert agreement["n"] == 10 and agreement["mean"] > 0.5 and agreement["upper"] >= agreement["mean"]


def test_shuffles_keep_groups_whole_and_classes_in_every_training_set():
    y = np.array(["a"] * 12 + ["b"] * 4)
    groups = np.repeat(np.arange(8), 2)
    trained = [np.arange(12), np.arange(4, 16)]
    for labels in drawn(y, 20, groups, trained):
        assert (labels.reshape(8, 2)[:, 0] == labels.reshape(8, 2)[:, 1]).all()
        assert all((labels[rows] == label).sum() >= 2 for rows in trained for label in "ab")
    with pytest.raises(InputProblem, match="cannot be permuted"):
        drawn(y, 5, groups, [np.arange(2), np.arange(16)])


def test_linear_models_are_shuffled_by_default_others_on_request():
    X, y = cohort()
    linear, forest = fitted("logistic_l2", X, y), fitted("random_forest", X, y)
    assert (
        null_models.wanted("auto", linear) == null_models.SHUFFLES and null_models.wanted("auto", forest) == 0
    )
    assert null_models.wanted(7, forest) == 7 and null_models.wanted(0, linear) == 0
    effect = null_models.effects(forest, X, drawn(y, 2), X[:20])
    assert effect.shape == (2, 1, 40) and not np.array_equal(effect[0], effect[1])


def test_models_that_draw_are_explained_with_other_seeds_too():
    X, y = cohort()
    assert null_models.of_other_seeds(fitted("logistic_l2", X, y), X, y, X) == []
    forest = fitted("random_forest", X, y)
    seeds = null_models.of_other_seeds(forest, X, y, X[:20])
    own, _ = importance.effects(forest, X[:20], X[:20].mean(axis=0))
    assert len(seeds) == null_models.SEEDS and all(not np.array_equal(own, other) for other in seeds)
    assert all({3, 11} == set(np.argsort(-np.abs(effect[0]))[:2]) for effect in seeds)


def test_the_auc_of_a_set_is_that_of_the_rank_sum_test():
    """scipy's Mann-Whitney U over the pairs, with a tie."""
    strength = np.array([3.1, 0.2, 0.2, 5.5, 1.7, 2.2, 0.9, 4.1, 0.4, 1.1, 2.9, 0.7])
    columns = np.array([0, 2, 7, 10])
    others = np.delete(strength, columns)
    expected = mannwhitneyu(strength[columns], others).statistic / (4 * 8)
    aucs = gene_set_importance.aucs(strength[None], [columns, np.arange(12)])
    assert aucs[0] == pytest.approx([expected, 0.5])


def test_the_correlation_of_a_set_is_limma_s():
    """limma 3.54.1: interGeneCorrelation(y, matrix(1, 5, 1)) of 3 genes x 5 samples."""
    y = np.array([[1.2, 0.4, -0.3, 2.2, 1.9], [0.8, 0.1, -0.9, 1.4, 2.5], [0.3, -1.2, 0.6, 1.1, 0.2]])
    residuals = (y - y.mean(axis=1, keepdims=True)).T
    assert gene_set_importance.correlation(residuals) == pytest.approx(0.501347415784, rel=1e-10)
    with_constant = np.column_stack([residuals, np.zeros(5)])
    assert gene_set_importance.correlation(with_constant) == pytest.approx(0.501347415784, rel=1e-10)


def test_the_planted_set_is_found_and_a_correlated_one_is_not_overrated():
    rng = np.random.default_rng(4)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 300))
    X[:, :10] += 1.5 * y[:, None]
    X[:, 10:30] += 2 * rng.normal(size=(60, 1))  # vary together, whatever the label
    labels = np.array(["ill", "well"])[y]
    model = fitted("logistic_l2", X, labels)
    effect, _ = importance.effects(model, X, X.mean(axis=0))
    residuals = X - np.stack([X[y == k].mean(axis=0) for k in (0, 1)])[y]
    members = {"planted": np.arange(10), "together": np.arange(10, 30), "noise": np.arange(30, 50)}
    names = [f"g{i}" for i in range(300)]
    sets = {name: [names[i] for i in columns] for name, columns in members.items()}
    described = names, {"g0": "GENE"}, sets, ["well"], effect, members, residuals
    control = null_models.effects(model, X, drawn(labels, 100), X)
    table = gene_set_importance.table(*described, control=control)
    assert list(table.columns) == gene_set_importance.COLUMNS and table["gene_set"][0] == "planted"
    row = table.set_index("gene_set")
    assert (
        row.loc["planted", "fdr"] < 0.05
        and row.loc["planted", "z"] > 3
        and row.loc["planted", "up_share"] == 1
    )
    assert row.loc["together", "correlation"] > 0.6 and row.loc["together", "p"] > 0.05
    without = gene_set_importance.table(*described, control=control[:19])
    assert without[["p", "fdr", "z", "chance"]].isna().all(axis=None) and without["gene_set"][0] == "planted"
    assert (
        "no p" in gene_set_importance.why_no_p(control[:19]) and gene_set_importance.why_no_p(control) is None
    )
    assert set(row.loc["planted", "strongest"].split(",")) <= {"GENE", *names[:10]}


def test_a_surrogate_of_a_linear_model_is_that_model():
    """Log odds are linear in expression, so what a gene adds is its coefficient times its distance from the mean."""
    X, y = cohort()
    model = fitted("logistic_l2", X, y)
    columns, mean = lime.candidates(model, X), X.mean(axis=0)
    weights, fidelity = lime.explain(model, X[0], mean, columns, k=1)
    expected = (model.coefficients()[0] * (X[0] - mean))[columns]
    assert_allclose(weights, expected, atol=0.01 * np.abs(expected).max())
    assert fidelity > 0.999


@pytest.mark.parametrize("name", ["random_forest", "knn", "mlp"])
def test_samples_of_any_model_are_explained_by_the_planted_genes(name):
    X, y = cohort()
    model = fitted(name, X[10:], y[10:])
    table = lime.table(model, ["a", "b"], X[:2], X[10:], list(range(40)), {3: "THREE"}, "full", None)
    assert list(table.columns) == lime.COLUMNS
    for sample, part in table.groupby("sample"):
        k = "ab".index(sample)
        assert set(part["explained"]) == {y[k]} and set(part["feature"][:2]) == {3, 11}
        assert (part["weight"][:2] > 0).all() and 0.5 < part["fidelity"].iloc[0] <= 1


def test_a_number_is_explained_in_its_own_unit():
    X, _ = cohort()
    model = models.make("ridge", inner_folds=3, task="regression").fit(X, 5 * X[:, 3], log=lambda *_: None)
    table = lime.table(model, ["a"], X[:1], X, list(range(40)), {}, "full", "age")
    assert isinstance(table, pd.DataFrame) and table["explained"][0] == "age" and table["feature"][0] == 3
    expected = model.coefficients()[0, 3] * (X[0, 3] - X[:, 3].mean())
    assert table["weight"][0] == pytest.approx(expected, rel=0.01)


def test_models_of_shuffled_labels_treat_classes_as_the_explained_model_does(monkeypatch):
    X, _ = cohort(n=30, p=50)
    y = np.array(["a"] * 20 + ["b"] * 10)
    made, make = [], models.make
    monkeypatch.setattr(models, "make", lambda name, **more: made.append(more) or make(name, **more))
    model = fitted("logistic_l2", X, y, imbalance="smote")
    assert null_models.wanted("auto", model) == 0 and null_models.wanted(2, model) == 2
    assert null_models.effects(model, X, np.array([y, y[::-1]]), X).shape == (2, 1, X.shape[1])
    assert [more["imbalance"] for more in made] == ["smote"] * 3
