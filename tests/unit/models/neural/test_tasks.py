"""Torch models of numbers and of survival: the loop of the classifiers, held to what is true of any honest model."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from rna2model.explain import importance, integrated_gradients
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.models.neural import checkpoint, loop, losses
from rna2model.serving import bundle
from tests.unit.models import test_regressor as test_regression
from tests.unit.models import test_survival_base as test_survival
from tests.unit.models.neural.test_torch import assert_equal_networks, build_of, folds_of, groups_of, plan_of
from tests.unit.models.test_models import SEARCH, expression, quiet

TORCH = sorted(models.TORCH)
TASKS = ["regression", "survival"]
COHORT = {"regression": test_regression.expression, "survival": test_survival.cohort}


def make(name, task, **options):
    return models.make(name, task=task, search=SEARCH[name], inner_folds=3, **options)


def quality(task, truth, predicted):
    """R2, or Harrell's C."""
    if task == "regression":
        return 1 - ((predicted - truth) ** 2).mean() / truth.var()
    earlier = truth["event"][:, None] & (truth["time"][:, None] < truth["time"])
    higher = predicted[:, None] - predicted
    return ((higher > 0) + 0.5 * (higher == 0))[earlier].mean()


@pytest.fixture(scope="module", params=[(name, task) for task in TASKS for name in TORCH], ids="-".join)
def fitted(request):
    """(task, X, y, model) of a model of each name and task."""
    name, task = request.param
    X, y = COHORT[task](n=60, p=150, effect=1.5)
    return task, X, y, make(name, task).fit(X, y, log=quiet)


def test_a_planted_signal_is_found(fitted):
    task, _, _, model = fitted
    new, truth = COHORT[task](n=200, p=150, effect=1.5, seed=1)
    assert quality(task, truth, model.predict(new)) > {"regression": 0.4, "survival": 0.6}[task]


def test_a_model_reloads_identically_without_pickle(fitted, tmp_path):
    task, X, y, model = fitted
    new, _ = COHORT[task](n=30, p=150, seed=1)
    predicted = model.predict(new)
    model.save(tmp_path / "one")
    assert {file.name for file in (tmp_path / "one").iterdir()} == {"model.json", "weights.safetensors"}
    again = models.load(tmp_path / "one")
    assert_array_equal(again.predict(new), predicted)
    assert_array_equal(again.predict(new[::-1])[::-1], predicted)
    assert again.predict(new[7:8])[0] == predicted[7]
    assert again.settings_ == json.loads(json.dumps(model.settings_))
    if task == "survival":
        times = np.percentile(y["time"], [25, 50, 75])
        assert_array_equal(again.survival(predicted, times), model.survival(predicted, times))
        assert model.predict(X).mean() == pytest.approx(0.0, abs=1e-9)  # relative to the training samples


def test_attributions_add_up_to_the_difference_of_the_predictions(fitted):
    _, X, _, model = fitted
    baseline, predicted = X.mean(axis=0), model.predict(X[:4])
    assert_allclose(integrated_gradients.logit(model, X[:4]), predicted, rtol=1e-4, atol=1e-4)
    attributions = integrated_gradients.integrated_gradients(model, X[:4], baseline)
    difference = predicted - model.predict(baseline[None])
    assert_allclose(attributions.sum(axis=1), difference, atol=0.03 * np.abs(difference).max())
    with pytest.raises(InputProblem, match="not one of the classes"):
        integrated_gradients.logit(model, X, "blue")


def test_the_planted_genes_have_the_largest_effects(fitted):
    _, X, _, model = fitted
    effect, how = importance.effects(model, X, X.mean(axis=0))
    assert effect.shape == (1, 150) and how == "integrated gradients"
    assert np.abs(effect[0, :15]).mean() > 1.25 * np.abs(effect[0, 15:]).mean()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", TORCH)
def test_shuffled_targets_are_predicted_at_chance(name, task):
    scores = []
    for seed in range(4):  # no common factor: of one, shuffled targets get either sign by chance
        X, y = COHORT[task](n=40, p=40, effect=0.0, seed=seed)
        new, truth = COHORT[task](n=100, p=40, effect=0.0, seed=50 + seed)
        y = np.random.default_rng(seed).permutation(y)
        scores.append(quality(task, truth, make(name, task).fit(X, y, log=quiet).predict(new)))
    if task == "regression":
        assert np.mean(scores) < 0.15
    else:
        assert 0.38 < np.mean(scores) < 0.62


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", TORCH)
def test_networks_trained_together_are_those_trained_one_by_one(name, task):
    """Settings x folds x seeds in one program, with the loss of the task and one output."""
    build, groups = build_of(name, 1), groups_of(name, folds_of())
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(24, 1))
    loss = losses.squared_error
    if task == "survival":
        truth = np.column_stack([rng.integers(0, 12, 24), np.arange(24) % 3 > 0]).astype(float)
        loss = losses.cox_breslow
    settings = [
        {"learning_rate": 0.01, "weight_decay": decay, "dropout": 0.2, "auxiliary": 0.3, "seed": seed}
        for decay in (0.1, 1.0)
        for seed in (1, 7)
    ]
    together = loop.train(build, folds_of(), settings, truth, plan_of(loss=loss, groups=groups))
    for f, c in ((0, 0), (2, 3)):
        alone = loop.train(build, [folds_of()[f]], [settings[c]], truth, plan_of(loss=loss))
        # the partial likelihood does not depend on the bias of the output: its gradient is rounding
        assert_equal_networks(together, alone, f, c, {"output.bias"} if task == "survival" else ())


@pytest.mark.parametrize("task", TASKS)
def test_the_chosen_setting_is_the_best_by_the_measure_of_the_task(task):
    X, y = COHORT[task](n=60, p=40)
    search = {"weight_decay": [0.1, 3.0], "learning_rate": [0.01], "dropout": [0.2]}
    model = models.make("mlp", task=task, search=search, inner_folds=3).fit(X, y, log=quiet)
    measure = {"regression": "minus_mse", "survival": "partial_likelihood"}[task]
    tried = model.settings_["candidates"]
    best = max(tried, key=lambda one: one[measure])
    assert len(tried) == 2 and model.settings_["epochs"] == best["epochs"]
    assert model.settings_["weight_decay"] == best["weight_decay"]
    if task == "regression":
        assert -best[measure] < y.var()  # in the target's unit


def test_predictions_follow_the_unit_of_the_target():
    """Months or years, the same model."""
    X, y = test_regression.expression(n=40, p=40)
    new, _ = test_regression.expression(n=20, p=40, seed=1)
    predicted = [
        make("mlp", "regression").fit(X, a * y + b, log=quiet).predict(new) for a, b in ((1, 0), (12, 7))
    ]
    assert_allclose(predicted[1], 12 * predicted[0] + 7, rtol=1e-4)


def test_risk_does_not_depend_on_the_unit_of_time():
    X, y = test_survival.cohort(n=60, p=40)
    days = y.copy()
    days["time"] *= 30.4375
    fits = [make("mlp", "survival").fit(X, one, log=quiet) for one in (y, days)]
    assert_array_equal(fits[0].predict(X), fits[1].predict(X))
    risk = fits[0].predict(X[:5])
    months = np.array([3.0, 12.0])
    assert_allclose(fits[0].survival(risk, months), fits[1].survival(risk, months * 30.4375 + 1e-9))


def test_the_baseline_is_that_of_breslow():
    """Cumulative hazard: events over the summed hazards of those at risk (Breslow 1972), at the model's own risks."""
    X, y = test_survival.cohort(n=50, p=30, ties=True)
    model = make("cnn", "survival").fit(X, y, log=quiet)
    hazard = np.exp(model.predict(X))
    times = np.unique(y["time"][y["event"]])
    steps = [((y["time"] == t) & y["event"]).sum() / hazard[y["time"] >= t].sum() for t in times]
    assert_allclose(model.survival(np.zeros(1), times)[0], np.exp(-np.cumsum(steps)), rtol=1e-8)


@pytest.mark.parametrize("task", TASKS)
def test_equal_seeds_give_equal_bytes_and_a_gene_in_test_rows_only_changes_nothing(task, tmp_path):
    X, y = COHORT[task](n=50, p=30)
    X[:, -1] = 4.0
    changed = X.copy()
    changed[40:, -1] = np.arange(10)
    fitted = [make("mlp", task, seed=3).fit(X[:40], y[:40], log=quiet) for _ in range(2)]
    for model, folder in zip(fitted, ("one", "two"), strict=True):
        model.save(tmp_path / folder)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert_array_equal(fitted[0].predict(X[40:]), fitted[0].predict(changed[40:]))


def test_cohorts_in_minibatches_learn_risks_too(monkeypatch):
    X, y = test_survival.cohort(n=300, p=40)
    kind = type(make("mlp", "survival"))
    monkeypatch.setattr(kind, "MINIBATCH", 64)
    new, truth = test_survival.cohort(n=200, p=40, seed=1)
    model = make("mlp", "survival").fit(X, y, log=quiet)
    assert quality("survival", truth, model.predict(new)) > 0.65


def test_truth_of_survival_is_rank_and_event():
    y = np.array([(3.5, True), (1.25, False), (3.5, False)], dtype=outcome.SURVIVAL)
    _, truth, outputs = make("mlp", "survival")._objective(y)
    assert outputs == 1 and truth.tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize("task", TASKS)
def test_as_many_genes_as_samples_are_no_trap(task):
    """Axes along which training rows hardly differ must not decide about new ones (double descent, Belkin 2019)."""
    X, y = COHORT[task](n=60, p=60)
    new, truth = COHORT[task](n=200, p=60, seed=1)
    predicted = models.make("mlp", task=task, inner_folds=3).fit(X, y, log=quiet).predict(new)
    assert quality(task, truth, predicted) > {"regression": 0.5, "survival": 0.62}[task]


class Interrupted(Exception):
    """A job that ends in the middle of training."""


@pytest.mark.parametrize("task", TASKS)
def test_an_interrupted_training_goes_on_to_the_same_bytes(task, tmp_path, monkeypatch):
    X, y = COHORT[task](n=40, p=30)
    save, saved = checkpoint.Checkpoint.save, []

    def interrupted(self, *state):
        save(self, *state)
        saved.append(1)
        if len(saved) == 12:
            raise Interrupted

    monkeypatch.setattr(checkpoint.Checkpoint, "due", lambda self: True)
    monkeypatch.setattr(checkpoint.Checkpoint, "save", interrupted)
    with pytest.raises(Interrupted):
        make("vae", task, checkpoint=tmp_path / "checkpoint").fit(X, y, log=quiet)
    log = []
    make("vae", task, checkpoint=tmp_path / "checkpoint").fit(X, y, log=log.append).save(tmp_path / "one")
    make("vae", task).fit(X, y, log=quiet).save(tmp_path / "two")
    assert any("goes on after epoch" in line for line in log)
    for file in (tmp_path / "two").iterdir():
        assert file.read_bytes() == (tmp_path / "one" / file.name).read_bytes()


def test_a_bundle_serves_them(fitted, tmp_path):
    task, X, _, model = fitted
    X = np.round(2.0 ** (X + 6.0))  # counts that no filter drops
    genes, names = [f"g{i}" for i in range(X.shape[1])], [f"s{i}" for i in range(len(X))]
    methods.make("none", genes).fit(X).save(tmp_path / "n")
    registry.make("none").fit(X, ["all"] * len(X)).save(tmp_path / "b")
    model.save(tmp_path / "m")
    landmarks = {"survival_5": 5.0, "survival_20": 20.0} if task == "survival" else {}
    facts = {"model": model.name, "task": task, "landmarks": landmarks, "batch_correction": "none"}
    bundle.assemble(tmp_path / "bundle", tmp_path / "n", tmp_path / "b", tmp_path / "m", facts)
    served = bundle.Bundle(tmp_path / "bundle")
    table = served.predict(names, X, genes, ["all"] * len(X))
    expected = model.predict(served.expression(X, genes, ["all"] * len(X))[0])
    assert_allclose(table["predicted"], expected, rtol=1e-8)
    if task == "survival":
        assert table["risk_group"].tolist() == model.risk_group(expected).tolist()
        assert_allclose(table["survival_5"], model.survival(expected, [5.0])[:, 0], atol=1e-8)
        assert (table["survival_5"] >= table["survival_20"]).all()


@pytest.mark.parametrize("task", TASKS)
def test_samples_without_target_shape_the_autoencoder(task):
    X, y = COHORT[task](n=40, p=30)
    unlabelled, _ = COHORT[task](n=25, p=30, seed=3)
    without = make("autoencoder", task).fit(X, y, log=quiet)
    model = make("autoencoder", task, unlabelled=unlabelled).fit(X, y, log=quiet)
    assert model.settings_["n_unlabelled"] == 25 and model.settings_["n_train"] == 40
    assert np.isfinite(model.predict(X)).all() and (model.predict(X) != without.predict(X)).any()


def test_a_number_starts_from_the_weights_of_a_classifier():
    """The encoder of the same genes, whatever its head was for."""
    X, labels = expression(n=24, p=40)
    before = models.make("mlp", search=SEARCH["mlp"]).fit(X, labels, log=quiet)
    new, y = COHORT["regression"](n=40, p=40)
    model = make("mlp", "regression", pretrained=before.arrays_).fit(new, y, log=quiet)
    assert (
        "starts from pretrained weights" in model.settings_["notes"] and np.isfinite(model.predict(new)).all()
    )


@pytest.mark.parametrize("task", [*TASKS, "classification"])
def test_a_training_that_diverged_is_an_error_not_a_model(task):
    X, y = COHORT.get(task, expression)(n=24, p=20)
    search = {**SEARCH["mlp"], "learning_rate": [1e30]}
    with pytest.raises(InputProblem, match="mlp: training diverged with learning_rate 1e"):
        models.make("mlp", task=task, search=search, inner_folds=2).fit(X, y, log=quiet)
