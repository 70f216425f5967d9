"""Which features matter: the planted ones come first, with their sign; agreement over folds as published."""

import numpy as np
import pytest

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.explain import importance, stability


def cohort(n=60, p=40, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(6, 1, (n, p))
    X[:, 3] += 3 * y
    X[:, 11] -= 3 * y
    return X, np.array(["ill", "well"])[y]


@pytest.mark.parametrize(
    "name", ["logistic_l2", "linear_svm", "elastic_net", "random_forest", "gradient_boosting", "mlp"]
)
def test_planted_features_come_first_with_their_sign(name):
    X, y = cohort()
    model = models.make(name, inner_folds=3).fit(X, y, log=lambda *_: None)
    effect, how = importance.effects(model, X, X.mean(axis=0))
    assert effect.shape == (1, 40) and how
    assert set(np.argsort(-np.abs(effect[0]))[:2]) == {3, 11}
    assert effect[0, 3] > 0 > effect[0, 11]


def test_shap_values_add_up_to_the_forest_s_probability():
    X, y = cohort()
    model = models.make("random_forest", inner_folds=3).fit(X, y, log=lambda *_: None)
    (values,) = importance._shap(model, X[:5])
    probability = model.predict_proba(X[:5])[:, 1]
    base = probability - values.sum(axis=1)
    assert np.ptp(base) < 1e-6


def test_a_model_without_effects_says_so():
    X, y = cohort()
    with pytest.raises(InputProblem, match="knn gives features no effects"):
        importance.effects(models.make("knn").fit(X, y, log=lambda *_: None), X, X.mean(axis=0))


def test_the_table_counts_folds_and_signs():
    folds = [({"a": 0, "b": 1}, np.array([[1.0, 0.0]])), ({"b": 0, "a": 1}, np.array([[-2.0, 3.0]]))]
    table = importance.table(["a", "b", "c"], {"a": "A"}, ["well"], np.array([[2.0, -1.0, 0.0]]), folds)
    assert list(table["feature"]) == ["a", "b"] and list(table["symbol"]) == ["A", ""]
    assert list(table["folds_chosen"]) == [1.0, 0.5] and list(table["same_sign"]) == [1.0, 0.5]
    assert list(table["mean_effect"]) == [2.0, -1.0]


def test_stability_is_one_for_equal_sets_and_near_zero_for_random_ones():
    same = np.tile(np.arange(100) < 10, (5, 1))
    assert stability.nogueira(same)["stability"] == pytest.approx(1)
    rng = np.random.default_rng(0)
    random = np.stack([rng.permutation(np.arange(1000) < 50) for _ in range(40)])
    estimate = stability.nogueira(random)
    assert (
        abs(estimate["stability"]) < 0.02 and estimate["lower"] <= estimate["stability"] <= estimate["upper"]
    )


def test_stability_equals_the_published_formula_for_sets_of_one_size():
    """For sets of one size it is Kuncheva's index averaged over pairs (Nogueira et al. 2018)."""
    rng = np.random.default_rng(1)
    chosen = np.stack([rng.permutation(np.arange(30) < 6) for _ in range(5)])
    pairs = [(chosen[i] & chosen[j]).sum() for i in range(5) for j in range(i)]
    kuncheva = np.mean([(r * 30 - 36) / (6 * 24) for r in pairs])
    assert stability.nogueira(chosen)["stability"] == pytest.approx(kuncheva)
