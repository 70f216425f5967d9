"""design.positive: the same cohort with either class as the positive one."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from rna2model import models
from rna2model.cohort import outcome
from rna2model.evaluation import classification, predictions
from rna2model.inputs import config, sheet
from rna2model.inputs import design_checks as designs
from rna2model.report.figures.style import positives

LABELS = ["control", "treated"]


def cohort(n=60, seed=0):
    """(expression, labels): 15 of the samples are `control`, which by the alphabet is not the positive class."""
    rng = np.random.default_rng(seed)
    y = np.r_[np.zeros(15, dtype=int), np.ones(n - 15, dtype=int)]
    X = rng.normal(size=(n, 30))
    X[:, :6] += 0.9 * y[:, None]
    return X, np.array(LABELS)[y]


def fitted(name, positive, **options):
    X, labels = cohort()
    model = models.make(name, positive=positive, inner_folds=3, **options)
    return model.fit(X, labels, log=lambda *_: None)


@pytest.mark.parametrize("name", ["logistic_l2", "linear_svm", "elastic_net", "knn", "decision_tree"])
def test_the_same_model_speaks_of_the_other_class(name, tmp_path):
    new, _ = cohort(seed=1)
    by_name, by_alphabet = (fitted(name, positive) for positive in ("control", None))
    assert by_alphabet.classes_ == LABELS and by_name.classes_ == LABELS[::-1]
    assert by_name.rule["class"] == "control" and by_name.rule["threshold"] == pytest.approx(0.25)
    np.testing.assert_allclose(by_name.predict_proba(new)[:, ::-1], by_alphabet.predict_proba(new), atol=1e-4)
    agree = by_name.predict(new) == by_alphabet.predict(new)
    assert agree.mean() > 0.95
    if by_name.coefficients() is not None:
        np.testing.assert_allclose(by_name.coefficients(), -by_alphabet.coefficients(), atol=1e-4)
    by_name.save(tmp_path / "model")
    again = models.load(tmp_path / "model")
    assert again.classes_ == by_name.classes_ and again.predict(new).tolist() == by_name.predict(new).tolist()
    assert again.positive == "control"


def test_scores_and_figures_follow_the_columns_of_the_predictions():
    new, truth = cohort(seed=1)
    metrics_by_class, tables = {}, {}
    for positive in LABELS:
        model = fitted("logistic_l2", positive)
        table = predictions.table([f"s{i:02d}" for i in range(60)], model, new)
        tables[positive] = predictions.scored(table, "r1f1", truth)
        metrics_by_class[positive] = classification.metrics(tables[positive], n_boot=20)
        score = tables[positive][f"prob_{positive}"]
        expected = average_precision_score(truth == positive, score)
        assert metrics_by_class[positive]["auprc"]["estimate"] == pytest.approx(expected)
        assert metrics_by_class[positive]["auprc"]["prevalence"] == pytest.approx((truth == positive).mean())
        run = {"shipped": "m", "predictions": {"m": tables[positive]}}
        assert positives(run) == [positive]
    for name in ("auroc", "balanced_accuracy", "brier", "log_loss"):
        both = [metrics_by_class[positive][name]["estimate"] for positive in LABELS]
        assert both[0] == pytest.approx(both[1], abs=1e-3), name
    assert (
        metrics_by_class["control"]["auprc"]["estimate"]
        < metrics_by_class["treated"]["auprc"]["estimate"] - 0.02
    )
    intercepts = [metrics_by_class[positive]["calibration_intercept"]["estimate"] for positive in LABELS]
    assert intercepts[0] == pytest.approx(-intercepts[1], abs=1e-2)


def problems(positive, labels=LABELS, **more):
    """What is said of a sheet of 12 samples with these labels before any job."""
    settings = {
        "counts": "m.tsv",
        "samples": "s.tsv",
        "design": {"target": "arm", "positive": positive, **more},
    }
    samples = {}
    for number in range(12):
        cells = {"arm": labels[number % len(labels)]}
        samples[f"s{number}"] = sheet.Sample(f"s{number}", number + 2, "auto", "", cells)
    return designs.check_columns("s.tsv", samples, config.complete(settings)[0])


def test_a_wrong_name_is_refused_with_the_labels_there_are():
    assert problems("treated") == problems("control") == problems(None) == []
    (problem,) = problems("Treated")
    assert "design.positive 'Treated'; its labels are 'control' (6), 'treated' (6)" in problem
    (problem,) = problems("a", ["a", "b", "c"])
    assert "names one of two classes, here are 3: 'a' (4), 'b' (4), 'c' (4); leave it out" in problem
    assert problems(1, ["0", "1"]) == [] and "'2'; its labels are '0' (6)" in problems(2, ["0", "1"])[0]


def test_numbers_and_times_have_no_positive_class():
    from rna2model.inputs import config_contradictions

    for task in ("regression", "survival"):
        settings = {"counts": "m.tsv", "design": {"task": task, "positive": "a", "time": "t", "event": "e"}}
        messages = config_contradictions.problems(config.complete(settings)[0])
        assert any("design.positive is for design.task classification" in line for line in messages)


def test_classes_are_ordered_by_the_alphabet_and_the_positive_one_last():
    assert outcome.class_order(["b", "a", "b"]) == ["a", "b"] == outcome.class_order(["a", "b"], "b")
    assert outcome.class_order(["a", "b"], "a") == ["b", "a"]
    assert outcome.class_numbers(["b", "a"], ["a", "b", "b"]).tolist() == [1, 0, 0]
