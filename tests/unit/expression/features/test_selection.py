"""Choosing columns: the planted ones are found, noise stays noise, tuning never sees what a fold holds out."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.expression.features import selection

PLANTED = np.arange(10)


def cohort(n=40, p=400, seed=0, effect=2.0):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(6, 1, (n, p)), np.arange(n) % 2
    X[:, PLANTED] += effect * y[:, None]
    X[:, p - 3] = 4.0
    return X, y


@pytest.mark.parametrize("method", selection.METHODS)
@pytest.mark.parametrize("kind", ["classes", "values"])
def test_planted_columns_are_found_and_constant_ones_are_not(method, kind):
    X, y = cohort()
    if kind == "values":
        y = y + np.random.default_rng(1).normal(0, 0.1, len(y))
    columns = selection.Selector(method, 40).columns(X, y)
    assert len(columns) == 40 and 397 not in columns
    recovered = np.isin(PLANTED, columns).sum()
    assert recovered == 10 if method in ("variance", "moderated_f", "rfe") else recovered >= 8


@pytest.mark.parametrize("method", selection.METHODS)
def test_covariates_always_stay_and_a_small_table_is_left_alone(method):
    X, y = cohort(p=60)
    always = np.arange(60) >= 57
    chosen = selection.Selector(method, 5, always=always).columns(X, y)
    assert len(chosen) == 8 and set(chosen) >= {57, 58, 59}  # 57 is constant, but the design wants it
    assert_array_equal(selection.Selector(method, 60).columns(X, y), np.arange(60))


def test_three_classes_work_for_every_method():
    X, y = cohort(n=45)
    y = np.arange(45) % 3
    X[:, PLANTED] += 2.0 * y[:, None]
    for method in selection.METHODS:
        assert np.isin(PLANTED, selection.Selector(method, 40).columns(X, y)).sum() >= 8, method


def test_an_unknown_method_is_named():
    with pytest.raises(InputProblem, match="'best' is not a selection"):
        selection.Selector("best", 5)


@pytest.mark.parametrize("name", ["logistic_l2", "linear_svm", "elastic_net", "random_forest"])
def test_a_model_keeps_its_columns_and_serves_whole_rows(name, tmp_path):
    X, y = cohort()
    labels = np.array(["a", "b"])[y]
    model = models.make(name, inner_folds=3).fit(
        X, labels, select=selection.Selector("moderated_f", 20), log=lambda *_: None
    )
    new, truth = cohort(seed=5)
    assert (model.predict(new) == np.array(["a", "b"])[truth]).mean() > 0.9
    model.save(tmp_path / "model")
    again = models.load(tmp_path / "model")
    assert_array_equal(again.predict_proba(new), model.predict_proba(new))
    weights = again.coefficients()
    if weights is not None:
        assert weights.shape == (1, 400) and np.count_nonzero(weights) <= 20


@pytest.mark.parametrize("name", ["logistic_l2", "linear_svm", "elastic_net", "random_forest"])
def test_tuning_on_noise_looks_like_noise(name):
    """Genes chosen on all training rows would make the inner score of noise far too good."""
    rng = np.random.default_rng(3)
    scores = []
    for _ in range(4):
        X, labels = rng.normal(size=(40, 2000)), np.array(["a", "b"])[rng.permutation(np.arange(40) % 2)]
        model = models.make(name, inner_folds=5)
        model.fit(X, labels, select=selection.Selector("moderated_f", 20), log=lambda *_: None)
        tried = model.settings_["candidates"]
        measure = "balanced_accuracy" if "balanced_accuracy" in tried[0] else "minus_log_loss"
        scores.append(max(one[measure] for one in tried))
    if measure == "balanced_accuracy":
        assert 0.3 < np.mean(scores) < 0.7
    else:
        assert np.mean(scores) < -0.6  # log 2 is 0.69; chosen on all rows it is above -0.3


def test_selection_on_noise_predicts_nothing():
    """Supervised selection inside the fold: chance, neither above nor below."""
    rng = np.random.default_rng(8)
    accuracies = []
    for _ in range(10):
        X, y = rng.normal(size=(60, 1000)), rng.permutation(np.arange(60) % 2)
        train = np.arange(60) < 40
        model = models.make("logistic_l2", inner_folds=3)
        labels = np.array(["a", "b"])[y]
        model.fit(X[train], labels[train], select=selection.Selector("moderated_f", 10), log=lambda *_: None)
        accuracies.append((model.predict(X[~train]) == labels[~train]).mean())
    assert 0.35 < np.mean(accuracies) < 0.65
