"""Cohorts in which one class is rare: models that weigh classes and models that do not are compared under one rule."""

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from rna2model import models
from rna2model.evaluation import calibration_line
from rna2model.models import base, calibrators

PREVALENCE = 0.1
WEIGHTED = {"imbalance": "class_weights"}


def quiet(*_):
    """No log."""


def cohort(n, genes, effect, rng, informative=20, prevalence=PREVALENCE):
    """(expression, class numbers) with `prevalence` of the last class, which differs in `informative` genes."""
    y = rng.permutation((np.arange(n) < round(prevalence * n)).astype(int))
    X = rng.normal(size=(n, genes))
    X[:, :informative] += effect * y[:, None]
    return X, y


def facts(name, options, n, genes, effect, seeds=4):
    """Means over cohorts of (AUROC, calibration intercept, balanced accuracy, share predicted positive) on new samples."""
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        X, y = cohort(n, genes, effect, rng)
        new, truth = cohort(2000, genes, effect, rng)
        model = models.make(name, **options).fit(X, np.array(["common", "rare"])[y], log=quiet)
        p, called = model.predict_proba(new)[:, 1], model.predict(new) == "rare"
        logit, alone = calibration_line.logit(p), np.ones((1, len(truth)))
        intercept = calibration_line.intercept(logit, truth == 1, alone)[0]
        right = base.balanced_accuracy(called.astype(int), truth)
        rows.append([roc_auc_score(truth, p), intercept, right, called.mean()])
    return np.mean(rows, axis=0)


def test_weighted_and_unweighted_models_of_one_auroc_are_equal_at_a_prevalence_of_a_tenth():
    """AUROC .78 of both; the most probable class gave balanced accuracies of .52 and .69, intercepts of 0 and -1.8."""
    plain, weighted = (facts("logistic_l2", options, 400, 100, 0.35) for options in ({}, WEIGHTED))
    assert plain[0] == pytest.approx(0.78, abs=0.02) and weighted[0] == pytest.approx(plain[0], abs=0.02)
    assert weighted[2] == pytest.approx(plain[2], abs=0.03) and plain[2] > 0.68
    assert abs(plain[1]) < 0.2 and abs(weighted[1]) < 0.2


def test_a_sigmoid_over_class_weights_ends_at_the_training_prevalence():
    """A calibrator that was weighted as the model left an intercept of -2."""
    for name, options in (("logistic_l2", WEIGHTED | {"calibration": "sigmoid"}), ("linear_svm", {})):
        _, intercept, right, _ = facts(name, options, 400, 100, 0.35)
        assert abs(intercept) < 0.2 and right > 0.68


@pytest.mark.parametrize("name", ["logistic_l2", "knn"])
def test_more_genes_than_samples_leave_no_model_at_one_class(name):
    """200 samples, 1,000 genes: a penalised model with weights says the same of nearly all, on one side of the share."""
    none, weighted = (facts(name, options, 200, 1000, 0.6, seeds=2) for options in ({}, WEIGHTED))
    for means in (none, weighted):
        assert abs(means[1]) < 0.5 and 0.02 < means[3] < 0.75
    assert weighted[2] - weighted[0] == pytest.approx(
        none[2] - none[0], abs=0.06
    )  # the worse ranking is not the rule's


def test_decision_values_are_brought_to_the_prevalence_with_and_without_weights():
    """A support vector machine without its sigmoid: sigmoid(-1) of a common sample lies above a prevalence of .1."""
    for imbalance in ("none", "auto", "smote"):
        means = facts("linear_svm", {"calibration": "none", "imbalance": imbalance}, 200, 100, 0.4, seeds=3)
        assert abs(means[1]) < 0.3 and means[2] > 0.62


def test_a_sigmoid_of_decision_values_that_hardly_vary_is_not_held_back_by_their_common_offset():
    """No inner fold found a signal, so that all decision values are near -0.8: the mean probability was 1.6e-6."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, y = cohort(200, 1000, 0.35, rng)
        model = models.make("linear_svm", imbalance="none").fit(X, np.array(["common", "rare"])[y], log=quiet)
        new, _ = cohort(1000, 1000, 0.35, rng)
        assert model.predict_proba(new)[:, 1].mean() == pytest.approx(PREVALENCE, abs=0.04)


def test_factors_are_elkans_and_scaling_reaches_the_shares():
    shares = np.array([0.7, 0.2, 0.1])
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=500)
    by_hand = p * shares / (1 / 3)
    expected = by_hand / by_hand.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(calibrators.Prevalence(3 * shares).apply(p), expected)
    fitted = calibrators.Prevalence(3 * shares).fit(p, shares)
    np.testing.assert_allclose(fitted.apply(p).mean(axis=0), shares, atol=1e-8)


def test_a_model_that_knows_nothing_says_the_commoner_class_and_equal_classes_the_most_probable():
    shares = np.array([0.9, 0.1])
    p = np.array([[0.9, 0.1], [0.89, 0.11], [0.91, 0.09], [0.2, 0.8]])
    assert calibrators.by_share(p, shares).tolist() == [0, 1, 0, 1]
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(2), size=300)
    np.testing.assert_array_equal(calibrators.by_share(p, np.array([0.5, 0.5])), p.argmax(axis=1))
    assert calibrators.by_share(np.array([[0.5, 0.5]]), np.array([0.5, 0.5])).tolist() == [0]


@pytest.mark.parametrize("name", ["knn", "random_forest", "logistic_l2"])
def test_the_prevalence_is_stored_and_serves_and_older_models_stay_as_they_were(name, tmp_path):
    rng = np.random.default_rng(3)
    X, y = cohort(80, 30, 1.0, rng)
    labels = np.array(["common", "rare"])[y]
    model = models.make(name, **WEIGHTED)
    model.TREES = 40
    model.fit(X, labels, log=quiet).save(tmp_path / "model")
    again = models.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.rule == {"class": "rare", "threshold": pytest.approx(0.1), "tuned": False}
    path = tmp_path / "model/model.json"
    stored = json.loads(path.read_text())
    assert (stored["prevalence"] is None) == (
        name == "logistic_l2"
    )  # linear models have it in their intercept
    path.write_text(json.dumps({k: v for k, v in stored.items() if k not in ("shares", "prevalence")}))
    old = models.load(tmp_path / "model")
    most = np.array(old.classes_)[old.predict_proba(X).argmax(axis=1)]
    assert old.predict(X).tolist() == most.tolist() and old.rule["threshold"] == 0.5
