"""Imbalance, calibration and threshold: learned from inner held-out rows, stored in the model, the same when served."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.cohort import splits
from rna2model.evaluation import predictions
from rna2model.expression.features import selection
from rna2model.models import base, calibrators, smote
from rna2model.models.folds import Fold
from tests.unit.models.test_models import SEARCH, expression, quiet

ADJUSTED = [name for name in models.NAMES if name not in ("dummy", "clinical", "genes_only")]
FAST = ["logistic_l2", "linear_svm", "elastic_net", "knn", "decision_tree"]
SMOTE = {"imbalance": "smote", "calibration": "sigmoid", "threshold": "tuned"}


def unequal(n=60, p=80, rare=12, effect=1.2, seed=0):
    """(expression, labels) of which `rare` are of the last class, blue."""
    X, y = expression(n=2 * n, p=p, effect=effect, seed=seed)
    rows = np.sort(
        np.concatenate([np.flatnonzero(y == "amber")[: n - rare], np.flatnonzero(y == "blue")[:rare]])
    )
    return X[rows], y[rows]


def make(name, **options):
    model = models.make(name, inner_folds=3, search=SEARCH.get(name), **options)
    model.TREES = 60  # of a forest, to be quick
    return model


def folds_of(y, seed=1):
    return [Fold(fold) for fold in splits.inner(y, None, 3, seed)]


@pytest.mark.parametrize("options", [SMOTE, {"imbalance": "class_weights", "calibration": "isotonic"}])
@pytest.mark.parametrize("name", ADJUSTED)
def test_an_adjusted_model_predicts_and_reloads_identically(name, options, tmp_path):
    X, y = unequal(n=40)
    new, _ = unequal(seed=1)
    model = make(name, **options).fit(X, y, log=quiet)
    probabilities, predicted = model.predict_proba(new), model.predict(new)
    assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-12)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    if "threshold" in options:
        assert 0 < model.threshold_ < 1
        assert_array_equal(predicted == "blue", probabilities[:, 1] >= model.threshold_)
    model.save(tmp_path / "model")
    again = models.load(tmp_path / "model")
    assert_array_equal(again.predict_proba(new), probabilities)
    assert_array_equal(again.predict(new), predicted)
    assert_array_equal(again.predict_proba(new[4:5])[0], probabilities[4])
    table = predictions.table([f"s{i}" for i in range(len(new))], again, new)
    assert table["predicted"].tolist() == predicted.tolist()
    assert again.settings_ == json.loads(json.dumps(model.settings_))
    assert (
        again.settings_["class_weight"]
        == {"smote": "smote", "class_weights": "balanced"}[options["imbalance"]]
    )


@pytest.mark.parametrize("name", ["logistic_l2", "linear_svm", "random_forest", "mlp"])
def test_three_classes_are_resampled_and_calibrated_and_have_no_threshold(name):
    X, y = expression(n=60, K=3)
    keep = np.ones(60, dtype=bool)
    keep[np.flatnonzero(y == "coral")[8:]] = False
    for kind in ("sigmoid", "isotonic"):
        model = make(name, **{**SMOTE, "calibration": kind}).fit(X[keep], y[keep], log=quiet)
        new, truth = expression(n=60, K=3, seed=1)
        assert (model.predict(new) == truth).mean() > 0.6  # chance is a third; 60 trees are few
        assert_allclose(model.predict_proba(new).sum(axis=1), 1.0, atol=1e-12)
        assert model.threshold_ is None and "3 classes have no threshold" in " ".join(
            model.settings_["notes"]
        )
    assert model.settings_["synthetic"] == {"amber": 0, "blue": 0, "coral": 12}


def test_a_synthetic_row_lies_between_two_training_rows_of_its_class_and_fold():
    X, labels = unequal(n=40, p=30)
    y = (labels == "blue").astype(int)
    made, truth, folds, copied = smote.smote(X, y, folds_of(labels), 1)
    assert copied == [] and np.bincount(truth).tolist() == [28, 28] and (truth[40:] == 1).all()
    assert_array_equal(made[:40], X)
    for fold in folds:
        train, valid = fold
        own = fold.of(made)
        assert_array_equal(own[:40], X)
        assert (
            set(valid) <= set(range(40))
            and np.bincount(truth[train]).tolist() == [(truth[train] == 0).sum()] * 2
        )
        parents = X[train[(train < 40) & (truth[train] == 1)]]
        for row in own[train[train >= 40]]:
            through = min(
                np.linalg.norm(row - a - (b - a) * np.clip((row - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1))
                for i, a in enumerate(parents)
                for b in parents[i + 1 :]
            )
            assert through < 1e-9


def test_rows_that_a_fold_validates_change_nothing_that_it_makes_up():
    X, labels = unequal(n=40, p=30)
    y = (labels == "blue").astype(int)
    _, _, folds, _ = smote.smote(X, y, folds_of(labels), 1)
    for number, fold in enumerate(folds):
        changed = X.copy()
        changed[fold[1]] = 50.0 - 3 * changed[fold[1]]
        _, _, others, _ = smote.smote(changed, y, folds_of(labels), 1)
        assert_array_equal(others[number].X[40:], fold.X[40:])


def test_small_classes_have_fewer_neighbours_and_a_single_sample_is_copied_and_said():
    rng = np.random.default_rng(0)
    rows, copied = smote.synthetic(rng.normal(size=(15, 5)), np.repeat([0, 1, 2], [11, 3, 1]), [0, 8, 10], 1)
    assert rows.shape == (18, 5) and copied == {2}
    assert len(np.unique(rows[:8], axis=0)) == 8 and len(np.unique(rows[8:], axis=0)) == 1
    X, y = unequal(n=20, rare=1)
    model = make("logistic_l2", imbalance="smote").fit(X, y, log=quiet)
    assert "one sample of blue: copied" in " ".join(model.settings_["notes"])
    assert model.settings_["synthetic"] == {"amber": 0, "blue": 18} and model.settings_["n_train"] == 20


def test_constant_genes_stay_constant_in_synthetic_rows():
    X, labels = unequal(n=30, p=20)
    X[:, 3] = 2.5
    made, *_ = smote.smote(X, (labels == "blue").astype(int), [], 1)
    assert np.isfinite(made).all() and (made[:, 3] == 2.5).all()


@pytest.mark.parametrize("name", ["knn", "random_forest", "logistic_l2", "mlp"])
def test_inner_scores_of_noise_with_synthetic_samples_are_those_of_noise(name):
    """Copies of validation rows among the training rows would be recognised: nearest neighbours above all."""
    rng, losses = np.random.default_rng(3), []
    for _ in range(3):
        X, y = rng.normal(size=(50, 200)), np.repeat(["a", "b"], [40, 10])
        model = make(name, imbalance="smote").fit(X, y, log=quiet)
        losses.append(max(one["minus_log_loss"] for one in model.settings_["candidates"]))
    assert np.mean(losses) < -0.6  # log 2 is 0.69


@pytest.mark.parametrize("name", ["knn", "logistic_l2", "random_forest"])
def test_labels_without_signal_are_predicted_at_chance_with_everything_on(name):
    """SMOTE, selection by labels, calibration and a tuned threshold on noise, judged on rows that saw none of it."""
    rng, accuracies = np.random.default_rng(7), []
    for _ in range(12 if name != "random_forest" else 4):
        X, y = rng.normal(size=(130, 150)), rng.permutation(np.repeat(["a", "b"], [100, 30]))
        model = make(name, **SMOTE)
        model.fit(X[:60], y[:60], select=selection.Selector("moderated_f", 30), log=quiet)
        accuracies.append(np.mean([(model.predict(X[60:])[y[60:] == k] == k).mean() for k in "ab"]))
    assert 0.42 < np.mean(accuracies) < 0.58


@pytest.mark.parametrize("C", [0.01, 1.0])
def test_class_weights_of_logistic_regression_are_those_of_scikit_learn(C):
    from sklearn.linear_model import LogisticRegression

    from rna2model.models.linear import rotation

    X, y = unequal()
    model = models.make("logistic_l2", search={"C_times_genes": [C]}, imbalance="class_weights")
    model.fit(X, y, log=quiet)
    Z, _, scale = rotation.scaled(X)
    other = LogisticRegression(C=C / X.shape[1], class_weight="balanced", tol=1e-10, max_iter=5000).fit(Z, y)
    assert_allclose(model.coefficients(), other.coef_ / scale, atol=1e-4)


@pytest.mark.parametrize("name", FAST)
def test_weighted_classes_are_heard_and_none_takes_samples_as_they_come(name):
    """Weights change the model; its probabilities are those of the training shares (14 of 120) all the same."""
    X, y = unequal(n=120, rare=14, effect=0.5)
    new, _ = unequal(n=240, rare=28, effect=0.5, seed=2)
    probabilities = {}
    for how in ("none", "class_weights", "smote"):
        model = make(name, imbalance=how, calibration="none").fit(X, y, log=quiet)
        probabilities[how] = model.predict_proba(new)[:, 1]
        assert probabilities[how].mean() == pytest.approx(14 / 120, abs=0.08)
    assert np.abs(probabilities["class_weights"] - probabilities["none"]).max() > 1e-3
    assert np.abs(probabilities["smote"] - probabilities["class_weights"]).max() > 1e-3
    auto = make(name).fit(X, y, log=quiet).settings_["class_weight"]
    assert auto == ("balanced" if name == "linear_svm" else "none")


def test_the_dummy_stays_what_it_is():
    X, y = unequal()
    probabilities = make("dummy", **SMOTE).fit(X, y, log=quiet).predict_proba(X)
    assert_array_equal(probabilities, make("dummy").fit(X, y, log=quiet).predict_proba(X))


def test_the_threshold_has_the_best_balanced_accuracy_of_all():
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.2).astype(int)
    p = np.round(np.clip(0.15 + 0.2 * y + 0.1 * rng.normal(size=200), 0, 1), 2)
    best = calibrators.best_threshold(p, y)
    tried = [base.balanced_accuracy((p >= t).astype(int), y) for t in np.linspace(-0.005, 1.005, 203)]
    assert base.balanced_accuracy((p >= best).astype(int), y) == pytest.approx(max(tried))
    assert calibrators.best_threshold(
        np.array([0.1, 0.4, 0.7, 0.9]), np.array([0, 0, 1, 1])
    ) == pytest.approx(0.55)
    assert calibrators.best_threshold(np.full(4, 0.2), np.array([0, 0, 1, 1])) == 0.5


@pytest.mark.parametrize("name", ["logistic_l2", "random_forest"])
def test_the_share_and_a_tuned_threshold_find_the_rare_class_and_the_most_probable_does_not(name):
    X, y = unequal(n=120, rare=15, effect=0.7)
    new, truth = unequal(n=300, rare=60, effect=0.7, seed=2)
    recall = []
    for threshold in ("default", "tuned"):
        model = make(name, threshold=threshold).fit(X, y, log=quiet)
        most = np.array(model.classes_)[model.predict_proba(new).argmax(axis=1)]
        for predicted in (most, model.predict(new)):
            recall.append(np.mean([(predicted[truth == k] == k).mean() for k in ("amber", "blue")]))
    assert recall[1] > recall[0] + 0.05 and recall[3] > recall[2] + 0.05


@pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
def test_calibration_undoes_a_distortion(kind):
    """Probabilities whose logits are three times too large, as an overfitted model says them."""
    rng = np.random.default_rng(1)
    logit = rng.normal(size=4000)
    y = (rng.random(4000) < 1 / (1 + np.exp(-logit))).astype(int)
    overconfident = 1 / (1 + np.exp(-3 * logit))
    fitted = calibrators.CALIBRATORS[kind]().fit(
        np.column_stack([1 - overconfident, overconfident]), y, np.ones(4000)
    )
    calibrated = fitted.apply(np.column_stack([1 - overconfident, overconfident]))[:, 1]
    assert np.abs(calibrated - 1 / (1 + np.exp(-logit))).mean() < 0.03
    again = calibrators.restore(json.loads(json.dumps(fitted.described())))
    assert_array_equal(again.apply(np.column_stack([1 - overconfident, overconfident]))[:, 1], calibrated)
    assert (np.diff(calibrated[np.argsort(overconfident)]) >= 0).all()


def test_isotonic_lines_are_those_of_scikit_learn():
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(2)
    p = rng.random(300)
    y = (rng.random(300) < p**2).astype(int)
    fitted = calibrators.Isotonic().fit(np.column_stack([1 - p, p]), y, np.ones(300))
    other = IsotonicRegression(y_min=1 / 302, y_max=301 / 302, out_of_bounds="clip").fit(p, y)
    new = rng.random(50) * 1.2 - 0.1
    assert_allclose(fitted.apply(np.column_stack([1 - new, new]))[:, 1], other.predict(new), atol=1e-12)


@pytest.mark.parametrize(
    "name", ["decision_tree", "gradient_boosting", "mlp", "elastic_net", "knn", "random_forest"]
)
def test_calibrated_probabilities_are_no_worse_where_nobody_looked(name):
    """Log loss on new samples, of cohorts with a weak signal."""
    losses = []
    for seed in range(3):
        X, y = expression(n=60, p=60, effect=0.5, seed=seed)
        new, truth = expression(n=300, p=60, effect=0.5, seed=100 + seed)
        number = (truth == "blue").astype(int)
        fits = [make(name, calibration=how).fit(X, y, log=quiet) for how in ("none", "sigmoid")]
        losses.append([base.log_loss(model.predict_proba(new), number) for model in fits])
    plain, calibrated = np.mean(losses, axis=0)
    assert calibrated < plain + 0.02


@pytest.mark.parametrize("name", ["elastic_net", "logistic_l2"])
def test_coefficients_stay_those_of_the_prediction_after_a_sigmoid(name):
    X, y = unequal()
    model = make(name, calibration="sigmoid").fit(X, y, log=quiet)
    assert model.calibrator_ is None and model.settings_["calibration"]["kind"] == "sigmoid"
    steps = model.predict_proba(X[:1] + np.eye(80)[[0, 0]] * [[0.0], [1.0]])
    moved = np.diff(np.log(steps[:, 1] / steps[:, 0]))[0]
    assert moved == pytest.approx(model.coefficients()[0, 0], abs=1e-8)


def test_the_support_vector_machine_keeps_its_own_sigmoid():
    X, y = unequal()
    auto, sigmoid, none = (
        make("linear_svm", calibration=k).fit(X, y, log=quiet) for k in ("auto", "sigmoid", "none")
    )
    assert_array_equal(auto.predict_proba(X), sigmoid.predict_proba(X))
    assert none.settings_["calibration_slope"] == 1.0 != auto.settings_["calibration_slope"]


def test_without_inner_folds_nothing_is_adjusted_and_it_is_said():
    X, y = expression(n=4, p=30)
    model = make("random_forest", calibration="sigmoid", threshold="tuned").fit(X, y, log=quiet)
    assert model.threshold_ is None and model.calibrator_ is None
    assert "without inner folds neither calibrated nor a threshold tuned" in model.settings_["notes"]
