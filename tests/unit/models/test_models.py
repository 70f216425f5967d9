"""Models: held to scikit-learn where it has the same objective, and to what any honest model must keep."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.models import platt
from rna2model.models.linear import batched_fista, batched_newton, elastic_net, logistic, rotation

ALL = list(models.NAMES)
LINEAR = ["logistic_l2", "linear_svm", "elastic_net"]
ONE = {"learning_rate": [0.01], "weight_decay": [0.1], "dropout": [0.2]}  # one candidate, to be quick
SEARCH = {name: ONE for name in models.TORCH}
SEARCH |= {name: ONE | {"auxiliary": [0.1]} for name in ("autoencoder", "vae")}
SEARCH["transformer"] = ONE | {"genes": [60]}


def quiet(*_):
    pass


def make(name, **options):
    """A model with a short search."""
    return models.make(name, search=SEARCH.get(name), **options)


def expression(n=36, p=120, K=2, effect=1.5, seed=0):
    """log2 expression with common factors; 15 genes per class are higher in it by `effect`."""
    genes, rng = np.random.default_rng(99), np.random.default_rng(seed)  # one population, many cohorts
    y, levels, loadings = np.arange(n) % K, genes.normal(5, 2, p), genes.normal(size=(3, p))
    X = levels + rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 3)) @ loadings
    for k in range(K):
        X[y == k, 15 * k : 15 * (k + 1)] += effect
    return X, np.array(["amber", "blue", "coral"])[y]


def auroc(scores, positive):
    above = scores[positive][:, None] - scores[~positive][None, :]
    return np.mean((above > 0) + 0.5 * (above == 0))


def test_the_registry_imports_nothing_heavy():
    heavy = "[m for m in ('torch', 'sklearn', 'pandas') if m in sys.modules]"
    code = f"import sys; sys.path[:] = {sys.path}; import rna2model.models.linear.logistic; print({heavy})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", ALL)
def test_a_model_learns_predicts_and_reloads_identically(name, K, tmp_path):
    X, y = expression(K=K)
    new, _ = expression(K=K, seed=1, n=60)
    model = make(name).fit(X, y, log=quiet)
    probabilities = model.predict_proba(new)
    assert model.classes_ == sorted(set(y)) and probabilities.shape == (60, K)
    assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-12)
    assert_array_equal(model.predict(new), np.array(model.classes_)[probabilities.argmax(axis=1)])

    model.save(tmp_path / "model")
    again = models.load(tmp_path / "model")
    assert_array_equal(again.predict_proba(new), probabilities)
    assert again.settings_ == json.loads(json.dumps(model.settings_))
    assert_array_equal(model.predict_proba(new[7:8])[0], probabilities[7])
    assert_array_equal(model.predict_proba(new[::-1])[::-1], probabilities)


@pytest.mark.parametrize(
    "name", [name for name in ALL if name not in ("dummy", "gradient_boosting", "decision_tree")]
)
def test_a_strong_signal_is_found(name):
    X, y = expression()
    new, truth = expression(seed=1, n=60)
    assert (make(name).fit(X, y, log=quiet).predict(new) == truth).mean() > 0.85


@pytest.mark.parametrize("name", ALL)
def test_equal_seeds_give_equal_bytes(name, tmp_path):
    X, y = expression(n=24, p=40)
    for folder in ("one", "two"):
        make(name, seed=3).fit(X, y, log=quiet).save(tmp_path / folder)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.parametrize("name", ALL)
def test_constant_genes_and_two_samples_per_class_give_numbers(name):
    X, y = expression(n=4, p=30)
    X[:, :5], X[:, 5] = 3.3, 0.0
    model = models.make(name).fit(X, y, log=quiet)
    assert np.isfinite(model.predict_proba(X + 1.0)).all()
    assert model.settings_["inner_folds"] == 0
    if name != "dummy":
        assert "too few samples" in model.settings_["notes"][0]


@pytest.mark.parametrize("name", LINEAR)
def test_all_genes_constant_is_no_information_not_an_error(name):
    model = models.make(name).fit(np.full((12, 6), 2.0), ["a", "b"] * 6, log=quiet)
    assert_allclose(model.predict_proba(np.full((1, 6), 2.0)), 0.5, atol=1e-6)


def test_a_gene_that_knows_the_label_in_test_rows_only_changes_nothing():
    """The canary: constant in training rows, so no model may use it. The dummy cannot anyway."""
    X, y = expression(n=40, p=60, effect=0.0)
    X[:, -1] = 4.0
    leaking = X.copy()
    leaking[30:, -1] = np.where(y[30:] == "blue", 9.0, 0.0)
    for name in ALL:
        model = make(name).fit(X[:30], y[:30], log=quiet)
        assert_array_equal(model.predict_proba(X[30:]), model.predict_proba(leaking[30:]))


def test_shuffled_labels_are_predicted_at_chance():
    """Mean held-out AUROC over 20 cohorts without any biology; a fast model stands for the others."""
    aurocs = []
    for seed in range(20):
        X, y = expression(n=60, p=100, effect=0.0, seed=seed)
        y = np.random.default_rng(seed).permutation(y)
        scores = models.make("logistic_l2").fit(X[:40], y[:40], log=quiet).predict_proba(X[40:])[:, 1]
        aurocs.append(auroc(scores, y[40:] == "blue"))
    assert 0.4 < np.mean(aurocs) < 0.6


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("shape", [(36, 120), (90, 20)])
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_logistic_l2_equals_scikit_learn(K, shape, c):
    from sklearn.linear_model import LogisticRegression

    X, y = expression(*shape, K=K)
    model = models.make("logistic_l2", search={"C_times_genes": [c]}).fit(X, y, log=quiet)
    Z, _, scale = rotation.scaled(X)
    theirs = LogisticRegression(C=c / shape[1], tol=1e-10, max_iter=100_000).fit(Z, y)
    assert_allclose(model.coefficients() * scale, theirs.coef_, atol=1e-4 * np.abs(theirs.coef_).max())
    assert_allclose(model.predict_proba(X), theirs.predict_proba(Z), atol=1e-4)


@pytest.mark.parametrize("c", [0.01, 1.0])
def test_the_support_vector_machine_equals_scikit_learn_with_a_free_intercept(c):
    """LinearSVC penalises its intercept; intercept_scaling=1000 makes that penalty negligible."""
    from sklearn.svm import LinearSVC

    X, y = expression(90, 20)
    Z, _, _ = rotation.scaled(X)
    rotated = rotation.Rotation(X)
    weights, _ = batched_newton.solve(
        batched_newton.SquaredHinge,
        rotated.Z,
        logistic.one_against_rest((y == "blue").astype(int)),
        np.ones((90, 1)),
        np.array([c / 20]),
    )
    theirs = LinearSVC(C=c / 20, tol=1e-10, max_iter=100_000, dual=False, intercept_scaling=1000).fit(Z, y)
    assert_allclose(rotated.to_genes(weights[:, :, 0]) * rotated.scale, theirs.coef_, atol=1e-5)


@pytest.mark.parametrize("K", [2, 3])
def test_the_elastic_net_reaches_the_minimum_of_scikit_learn(K):
    from sklearn.linear_model import LogisticRegression

    X, y = expression(60, 150, K=K)
    Z, _, _ = rotation.scaled(X)
    numbers = np.unique(y, return_inverse=True)[1]
    C = 6.0 * elastic_net.smallest_C(Z, numbers) / 0.5
    loss, targets = logistic.logistic_targets(numbers)
    w, _, settled = batched_fista.solve(
        loss, Z, targets, np.ones((60, 1)), np.array([0.5 / C]), np.array([0.5 / C]), 1e-7
    )
    theirs = LogisticRegression(C=C, l1_ratio=0.5, solver="saga", tol=1e-8, max_iter=20_000).fit(Z, numbers)
    assert settled
    assert_allclose(w[:, 0].T, theirs.coef_, atol=1e-3 * np.abs(theirs.coef_).max())
    assert (w[:, 0] != 0).any(axis=1).sum() < 75


def test_members_of_a_batch_do_not_touch_each_other():
    """Inner folds as zero weights give what a fit on those rows alone gives."""
    X, y = expression(40, 15, K=3)
    Z, _, _ = rotation.scaled(X)
    numbers, rows = np.unique(y, return_inverse=True)[1], np.arange(40) < 28
    loss, targets = logistic.logistic_targets(numbers)
    both, _ = batched_newton.solve(
        loss,
        Z,
        np.repeat(targets, 2, axis=1),
        np.stack([rows, np.ones(40)], axis=1).astype(float),
        np.array([0.1, 5.0]),
    )
    alone, _ = batched_newton.solve(loss, Z[rows], targets[rows], np.ones((28, 1)), np.array([0.1]))
    assert_allclose(both[:, 0], alone[:, 0], atol=1e-5)


@pytest.mark.parametrize("name", LINEAR)
def test_a_coefficient_is_the_change_of_the_logit_per_unit_of_log2_expression(name):
    X, y = expression(K=2)
    model = models.make(name).fit(X, y, log=quiet)
    logit = [np.log(p[1] / p[0]) for p in model.predict_proba(X[:1] + np.eye(120)[[0, 0]] * [[0.0], [1.0]])]
    assert logit[1] - logit[0] == pytest.approx(model.coefficients()[0, 0], abs=1e-8)
    assert models.make("mlp").coefficients() is None


def test_calibration_recovers_the_slope_of_a_score():
    rng = np.random.default_rng(0)
    score = rng.normal(size=(4000, 1))
    y = (rng.random(4000) < 1 / (1 + np.exp(-(2.0 * score[:, 0] - 0.5)))).astype(int)
    slope, offset = platt.fit(score, y, np.ones(4000))
    assert slope == pytest.approx(2.0, abs=0.2) and offset[0] == pytest.approx(-0.5, abs=0.15)
    assert platt.fit(-score, y, np.ones(4000))[0] > 0  # never turns the model round


def test_what_cannot_be_trained_or_served_is_refused():
    X, y = expression()
    with pytest.raises(InputProblem, match="all 36 training samples are 'x'"):
        models.make("logistic_l2").fit(X, ["x"] * 36)
    with pytest.raises(InputProblem, match="not finite"):
        models.make("dummy").fit(np.where(np.arange(120) == 3, np.nan, X), y)
    with pytest.raises(InputProblem, match="trained on 120 genes, the samples have 119"):
        models.make("dummy").fit(X, y, log=quiet).predict_proba(X[:, 1:])
    with pytest.raises(InputProblem, match="not a model"):
        models.make("perceptron")
    with pytest.raises(InputProblem, match="cannot search depth"):
        models.make("mlp", search={"depth": [3]})


def test_donors_stay_whole_in_the_inner_folds():
    """Labels follow donors, and genes know the donor only: inside honest folds nothing is learned."""
    rng = np.random.default_rng(1)
    donors = np.repeat(np.arange(12), 5)
    X = rng.normal(size=(12, 80))[donors] * 2 + 0.1 * rng.normal(size=(60, 80))
    y = np.array(["a", "b"])[donors % 2]
    with_donors = models.make("logistic_l2").fit(X, y, groups=donors, log=quiet)
    without = models.make("logistic_l2").fit(X, y, log=quiet)
    best = [max(c["minus_log_loss"] for c in m.settings_["candidates"]) for m in (with_donors, without)]
    assert best[0] < -0.5 and best[1] > -0.1


def test_a_gpu_that_is_not_there_is_said_and_the_cpu_used(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    X, y = expression(n=12, p=20)
    model = models.make("mlp", device="cuda").fit(X, y, log=quiet)
    assert model.settings_["device"] == "cpu" and "no GPU is available" in model.settings_["notes"][0]


class Harmful:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["random_forest", "logistic_l2"])
def test_loading_never_runs_what_a_folder_holds(name, tmp_path):
    X, y = expression(n=12, p=10)
    models.make(name).fit(X, y, log=quiet).save(tmp_path / "model")
    weights = next(file for file in (tmp_path / "model").iterdir() if file.name != "model.json")
    weights.write_bytes(pickle.dumps(Harmful(tmp_path / "harm")))
    with pytest.raises(InputProblem, match="not a readable"):
        models.load(tmp_path / "model")
    assert not (tmp_path / "harm").exists()


def test_a_skops_file_with_foreign_types_is_refused(tmp_path):
    import subprocess as harmless

    import skops.io

    X, y = expression(n=12, p=10)
    models.make("random_forest").fit(X, y, log=quiet).save(tmp_path)
    skops.io.dump({"call": harmless.Popen}, tmp_path / "model.skops")
    with pytest.raises(InputProblem, match="types that a model of this project never has"):
        models.load(tmp_path)
