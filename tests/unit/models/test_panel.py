"""panel: few genes, ratios to stable ones, the smallest size that does as well; held to scikit-learn and to simulations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.models import panel
from rna2model.models.linear import stable_genes
from tests.unit.models.test_models import expression, quiet

ONE = {"size": [10], "references": [5], "C": [1.0]}


def cohort(n=60, p=400, signal=4, effect=2.0, seed=0):
    """log2 values of n samples: `signal` genes differ by `effect`, genes 10 to 14 hardly vary, each sample has its own depth."""
    genes, rng = np.random.default_rng(99), np.random.default_rng(seed)  # one population, many cohorts
    level, sd = genes.normal(6, 2, p), np.full(p, 0.8)
    level[10:15], sd[10:15] = 10, 0.1
    y = np.arange(n) % 2
    X = level + sd * rng.normal(size=(n, p)) + rng.normal(0, 1.5, (n, 1))
    X[y == 1, :signal] += effect
    return X, np.array(["case", "control"])[1 - y]


def test_references_are_the_genes_that_do_not_vary_whatever_the_depth():
    X, _ = cohort()
    assert stable_genes.references(X, 5).tolist() == [10, 11, 12, 13, 14]


def test_genes_that_differ_are_chosen_and_a_small_panel_is_shipped():
    X, y = cohort(effect=3.0)
    new, truth = cohort(effect=3.0, seed=5)
    model = models.make("panel", search={"C": [0.1, 1.0]}).fit(X, y, log=quiet)
    assert model.size_ == 5  # four genes hold all there is
    assert {0, 1, 2, 3} <= set(model.panels_[5].genes.tolist())
    assert set(model.used().tolist()) == {*model.panels_[5].genes.tolist(), 10, 11, 12, 13, 14}
    assert (model.predict(new) == truth).mean() > 0.95
    assert sorted(model.panels_) == [5, 10, 20, 50]
    for size, one in model.panels_.items():
        assert len(one.genes) <= size and not set(one.genes) & set(one.references)


def test_the_size_is_the_smallest_within_one_standard_error_of_the_best():
    X, y = cohort(signal=30, effect=0.9)
    model = models.make("panel", search={"size": [2, 30], "C": [0.1, 1.0]}).fit(X, y, log=quiet)
    frontier = model.settings_["frontier"]
    assert [one["size"] for one in frontier] == [2, 30]
    best = max(frontier, key=lambda one: one["balanced_accuracy"])
    enough = [
        one["size"]
        for one in frontier
        if one["balanced_accuracy"] >= best["balanced_accuracy"] - best["se"] - 1e-9
    ]
    assert model.size_ == min(enough) == 30
    small = model.at_size(2)
    assert_array_equal(small.predict_proba(X), models.make("panel", search={"size": [2], "C": [frontier[0]["C"]]}).fit(X, y, log=quiet).predict_proba(X))  # fmt: skip
    assert model.size_ == 30


def test_labels_without_meaning_are_predicted_at_chance_in_the_inner_folds():
    right = []
    for seed in range(3):
        X, _ = cohort(n=40, p=1000, signal=0, seed=seed)
        y = np.random.default_rng(seed).permutation(np.array(["a", "b"] * 20))
        right.append(
            models.make("panel", search=ONE)
            .fit(X, y, log=quiet)
            .settings_["frontier"][0]["balanced_accuracy"]
        )
    assert 0.35 < np.mean(right) < 0.65  # 0.9 and more if genes were chosen with the labels of all rows


@pytest.mark.parametrize("K", [2, 3])
def test_the_refit_is_scikit_learns_ridge_on_standardised_log_ratios(K):
    from sklearn.linear_model import LogisticRegression

    X, y = expression(K=K)
    model = models.make("panel", search=ONE).fit(X, y, log=quiet)
    one = model.panels_[10]
    ratios = X[:, one.genes] - X[:, one.references].mean(axis=1, keepdims=True)
    Z = (ratios - ratios.mean(axis=0)) / ratios.std(axis=0)
    reference = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(Z, y)
    assert_allclose(model.predict_proba(X), reference.predict_proba(Z), atol=1e-5)


@pytest.mark.parametrize("K", [2, 3])
def test_coefficients_are_those_of_single_genes_and_depth_cancels(K):
    X, y = expression(K=K)
    model = models.make("panel", search=ONE).fit(X, y, log=quiet)
    probabilities = model.predict_proba(X)
    deeper = X + np.random.default_rng(0).normal(0, 4, (len(X), 1))
    assert_allclose(model.predict_proba(deeper), probabilities, atol=1e-9)
    logits = X @ model.coefficients().T + model.panels_[10].intercept
    assert_allclose(panel.base.softmax(panel.two_sided(logits)), probabilities, atol=1e-9)
    assert_allclose(model.coefficients().sum(axis=1), 0, atol=1e-9)
