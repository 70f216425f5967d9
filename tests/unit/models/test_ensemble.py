"""Stacks: what members say of rows that their inner folds held out, combined; the same members serve a new sample."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rna2model import models
from rna2model.cohort import splits
from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.evaluation import ranking
from rna2model.planning import tool_options
from rna2model.training import pipeline

NAMES = ["logistic_l2", "linear_svm", "knn"]


def quiet(*_):
    pass


def cohort(n=60, p=40, seed=0, classes=2):
    """Expression, labels that ten genes know, numbers, and donors of two samples."""
    rng = np.random.default_rng(seed)
    donor = np.repeat(np.arange(n // 2), 2)
    shift = rng.normal(size=n // 2)[donor]
    X = rng.normal(size=(n, p))
    X[:, :10] += shift[:, None]
    order = shift.argsort().argsort() * classes // n
    return X, np.array(["a", "b", "c"])[order], shift * 2, donor.astype(str)


def members(folder, X, y, groups, names=NAMES, task="classification", **options):
    """Folders of fitted models that keep what their inner folds said."""
    made = []
    for name in names:
        model = pipeline.make_model(name, {"held_out": True, **options}, [], inner_folds=3, task=task)
        model.fit(X, y, groups=groups, log=quiet).save(folder / name)
        made.append(folder / name)
    return made


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ["stack", "average"])
def test_an_ensemble_serves_what_its_members_say(name, classes, tmp_path):
    X, y, _, groups = cohort(classes=classes)
    folders = members(tmp_path, X[:40], y[:40], groups[:40])
    model = models.make(name, members=folders, inner_folds=3).fit(
        X[:40], y[:40], groups=groups[:40], log=quiet
    )
    model.save(tmp_path / name)
    again = models.load(tmp_path / name)
    of_members = [models.load(folder).predict_proba(X[40:]) for folder in folders]
    probabilities = again.predict_proba(X[40:])
    assert probabilities.sum(axis=1) == pytest.approx(1) and np.array_equal(
        probabilities[3], again.predict_proba(X[43:44])[0]
    )
    if name == "average":
        assert probabilities == pytest.approx(np.mean(of_members, axis=0))
    else:
        assert again.settings_["members"] == NAMES and again.coefficients() is None
        assert (again.predict(X[40:]) == y[40:]).mean() > 0.7
    assert not list(
        (tmp_path / name).rglob("held_out.safetensors")
    )  # nothing of a training row leaves with it


def test_a_stack_is_scikit_learns_logistic_regression_on_the_held_out_log_odds(tmp_path):
    X, y, _, groups = cohort()
    folders = members(tmp_path, X, y, groups)
    Z = []
    for folder in folders:
        arrays, _ = artefact.read(folder / "held_out.safetensors", "held_out")
        order = np.argsort(arrays["rows"])
        p = np.clip(arrays["scores"][order], 1e-6, 1)
        Z.append(np.log(p[:, 1] / p[:, 0]))
    Z = np.column_stack(Z)
    stack = models.make("stack", members=folders, inner_folds=3).fit(X, y, groups=groups, log=quiet)
    scale = np.sqrt(Z.std(axis=0) * Z.std(axis=0).mean())  # rotation.py
    theirs = LogisticRegression(C=stack.settings_["C"], tol=1e-10, max_iter=10000).fit(Z / scale, y)
    assert stack.weights_[0] == pytest.approx(theirs.coef_[0] / scale, rel=1e-3)


def test_what_is_kept_is_of_models_that_did_not_see_the_row_or_its_donor(tmp_path):
    """Trees, which scale nothing: exactly those of trees that were fitted to the other donors alone."""
    X, y, _, groups = cohort(seed=3)
    search = {"max_depth": [2], "min_samples_leaf": [2]}
    folder = members(tmp_path, X, y, groups, ["decision_tree"], search={"decision_tree": search})[0]
    arrays, _ = artefact.read(folder / "held_out.safetensors", "held_out")
    of_members = arrays["scores"][np.argsort(arrays["rows"])]
    for train, valid in splits.inner(y, groups, 3, 1):
        assert not set(groups[train]) & set(groups[valid])
        alone = models.make("decision_tree", search=search).fit(X[train], y[train], log=quiet)
        assert np.array_equal(alone.predict_proba(X[valid]), of_members[valid])


def test_a_stack_of_noise_scores_as_noise(tmp_path):
    """Labels without meaning: the outer AUROC is about a half, which in-sample scores of members would raise."""
    rng, scores = np.random.default_rng(1), []
    for seed in range(8):
        X, y = rng.normal(size=(40, 30)), np.repeat(["a", "b"], 20)
        train = np.r_[:13, 20:33]
        test = np.setdiff1d(np.arange(40), train)
        folders = members(tmp_path / str(seed), X[train], y[train], None, ["logistic_l2", "knn"])
        stack = models.make("stack", members=folders, inner_folds=3).fit(X[train], y[train], log=quiet)
        stack.join([models.load(folder) for folder in folders])
        truth, alone = (y[test] == "b").astype(int), np.ones((1, len(test)))
        scores.append(
            ranking.fold_means("auroc", stack.predict_proba(X[test]), truth, np.zeros(len(test)), alone)[0][0]
        )
    assert 0.3 < np.mean(scores) < 0.7


@pytest.mark.parametrize("name", ["stack", "average"])
def test_numbers_are_combined_by_ridge_or_their_mean(name, tmp_path):
    X, _, y, groups = cohort()
    folders = members(tmp_path, X, y, groups, ["ridge", "lasso", "random_forest"], "regression")
    model = models.make(name, task="regression", members=folders, inner_folds=3).fit(
        X, y, groups=groups, log=quiet
    )
    model.save(tmp_path / name)
    again = models.load(tmp_path / name)
    of_members = np.column_stack([models.load(folder).predict(X) for folder in folders])
    assert np.corrcoef(again.predict(X), y)[0, 1] > 0.8
    if name == "average":
        assert again.predict(X) == pytest.approx(of_members.mean(axis=1))


def test_keeping_what_was_held_out_changes_no_model(tmp_path):
    X, y, numbers, groups = cohort()
    for name, task, outcome in (("knn", "classification", y), ("ridge", "regression", numbers)):
        kept = members(tmp_path / "kept", X, outcome, groups, [name], task)[0]
        models.make(name, task=task, inner_folds=3).fit(X, outcome, groups=groups, log=quiet).save(
            tmp_path / name
        )
        for path in (tmp_path / name).iterdir():
            assert path.read_bytes() == (kept / path.name).read_bytes()


def test_members_without_inner_folds_are_refused(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(4, 5)), np.array(["a", "a", "a", "b"])
    folders = members(tmp_path, X, y, None, ["logistic_l2", "knn"])
    with pytest.raises(InputProblem, match="too few samples"):
        models.make("stack", members=folders).fit(X, y, log=quiet)


def test_only_members_of_a_stack_keep_anything():
    config = {"training": {"search": {}, "imbalance": "auto", "calibration": "auto", "threshold": "default"}}
    config |= {
        "design": {"task": "classification", "positive": None},
        "models": ["stack", "knn", "average", "dummy"],
    }
    kept = {name: "held_out" in tool_options.training_options(config, name, []) for name in config["models"]}
    assert kept == {"stack": False, "knn": True, "average": False, "dummy": False}
    config["models"] = ["knn", "dummy"]
    assert "held_out" not in tool_options.training_options(config, "knn", [])
