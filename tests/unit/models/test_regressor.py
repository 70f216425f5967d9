"""Numbers: models held to scikit-learn, metrics to scikit-learn and scipy, and an honest chance level."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn import metrics as sk

from rna2model import models
from rna2model.cohort import splits
from rna2model.core.errors import InputProblem
from rna2model.evaluation import classification, predictions, regression
from rna2model.evaluation.permutation import exchangeable, ridge
from rna2model.evaluation.permutation.draws import PermutationFold
from rna2model.models.linear import rotation

ALL = models.for_task("regression")


def quiet(*_):
    pass


def make(name, **options):
    return models.make(name, task="regression", **options)


def expression(n=40, p=120, effect=1.0, seed=0):
    """log2 expression in which 15 genes move with a number of mean 50 and sd 10."""
    genes, rng = np.random.default_rng(99), np.random.default_rng(seed)
    z, levels = rng.normal(size=n), genes.normal(5, 2, p)
    X = levels + rng.normal(size=(n, p))
    X[:, :15] += effect * z[:, None]
    return X, 50 + 10 * z


@pytest.mark.parametrize("name", ALL)
def test_a_model_learns_predicts_and_reloads_identically(name, tmp_path):
    X, y = expression()
    new, truth = expression(seed=1, n=60)
    model = make(name).fit(X, y, log=quiet)
    predicted = model.predict(new)
    if name != "dummy":
        assert stats.spearmanr(predicted, truth)[0] > 0.6
    model.save(tmp_path / "one")
    make(name).fit(X, y, log=quiet).save(tmp_path / "two")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    again = models.load(tmp_path / "one")
    assert_array_equal(again.predict(new), predicted)
    assert_array_equal(model.predict(new[::-1])[::-1], predicted)
    assert model.predict(new[7:8])[0] == predicted[7]
    assert again.settings_ == json.loads(json.dumps(model.settings_))


@pytest.mark.parametrize("shape", [(40, 120), (90, 20)])
@pytest.mark.parametrize("ratio", [0.01, 1.0, 100.0])
def test_ridge_equals_scikit_learn(shape, ratio):
    from sklearn.linear_model import Ridge

    X, y = expression(*shape)
    model = make("ridge", search={"alpha_over_genes": [ratio]}).fit(X, y, log=quiet)
    Z, _, scale = rotation.scaled(X)
    theirs = Ridge(alpha=ratio * shape[1], solver="svd").fit(Z, y)
    assert_allclose(model.coefficients()[0] * scale, theirs.coef_, atol=1e-8)
    assert_allclose(model.predict(X), theirs.predict(Z), atol=1e-8)


def test_ridge_scores_candidates_as_refits_on_the_inner_folds_would():
    from sklearn.linear_model import Ridge

    X, y = expression()
    model = make("ridge", inner_folds=4).fit(X, y, log=quiet)
    Z, (strata, needed) = rotation.scaled(X)[0], model._outcome(y, None)[1:3]
    held_out = np.empty(40)
    for train, valid in splits.inner(strata, None, 4, 1, needed):
        held_out[valid] = Ridge(alpha=120.0, solver="svd").fit(Z[train], y[train]).predict(Z[valid])
    (tried,) = (c for c in model.settings_["candidates"] if c["alpha"] == pytest.approx(120.0))
    assert -tried["minus_mse"] == pytest.approx(((held_out - y) ** 2).mean())


@pytest.mark.parametrize(("name", "ratio"), [("elastic_net", 0.5), ("lasso", 1.0)])
def test_the_sparse_models_equal_scikit_learn(name, ratio):
    from sklearn.linear_model import ElasticNet

    X, y = expression()
    model = make(name, search={"alpha_over_largest": [0.2]}).fit(X, y, log=quiet)
    Z, _, scale = rotation.scaled(X)
    alpha = 0.2 * np.abs(Z.T @ (y - y.mean())).max() / (40 * ratio)
    theirs = ElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-8, max_iter=100_000).fit(Z, y)
    assert_allclose(model.coefficients()[0] * scale, theirs.coef_, atol=0.02)
    assert 0 < model.settings_["n_genes_used"] < 60


@pytest.mark.parametrize("name", ALL)
def test_a_gene_that_knows_the_number_in_test_rows_only_changes_nothing(name):
    X, y = expression(effect=0.0)
    X[:, -1] = 4.0
    leaking = X.copy()
    leaking[30:, -1] = y[30:]
    model = make(name).fit(X[:30], y[:30], log=quiet)
    assert_array_equal(model.predict(X[30:]), model.predict(leaking[30:]))


@pytest.mark.parametrize("name", ALL)
def test_few_samples_and_constant_genes_give_numbers(name):
    X, y = expression(n=5)
    X[:, :5] = 3.3
    assert np.isfinite(make(name).fit(X[:2], y[:2], log=quiet).predict(X + 1.0)).all()


def test_what_cannot_be_trained_is_refused():
    X, y = expression()
    with pytest.raises(InputProblem, match="different, finite numbers"):
        make("ridge").fit(X, np.full(40, 3.0))
    with pytest.raises(InputProblem, match="'logistic_l2' is not a model for regression"):
        make("logistic_l2")
    with pytest.raises(InputProblem, match="no class probabilities"):
        make("dummy").fit(X, y, log=quiet).predict_proba(X)


def table(n=60, folds=3, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(10, 2, n).round(1)
    frame = pd.DataFrame({"sample": [f"s{i:02}" for i in range(n)], "truth": truth.astype(str)})
    frame["predicted"] = (truth + rng.normal(0, noise, n)).round(1).astype(str)
    return frame.assign(split=[f"r1f{i % folds + 1}" for i in range(n)])


def test_metrics_equal_scikit_learn_and_scipy():
    frame = table()
    metrics = classification.metrics(frame, task="regression", n_boot=50)
    t, p = frame["truth"].astype(float), frame["predicted"].astype(float)
    folds = [frame["split"] == f for f in ("r1f1", "r1f2", "r1f3")]
    expected = {
        "r2": sk.r2_score(t, p),
        "mae": sk.mean_absolute_error(t, p),
        "rmse": sk.root_mean_squared_error(t, p),
        "calibration_slope": stats.linregress(p, t).slope,
        "calibration_intercept": (t - p).mean(),
        "spearman": np.mean([stats.spearmanr(t[f], p[f])[0] for f in folds]),
        "pearson": np.mean([stats.pearsonr(t[f], p[f])[0] for f in folds]),
    }
    assert set(metrics) == set(expected)
    for name, value in expected.items():
        assert metrics[name]["estimate"] == pytest.approx(value), name
        assert metrics[name]["lower"] <= metrics[name]["estimate"] <= metrics[name]["upper"]


def test_a_resample_is_a_weighting():
    """A row of weight 3 counts as three equal rows, ties of ranks included."""
    rng = np.random.default_rng(0)
    t, p, times = rng.normal(size=25).round(1), rng.normal(size=25).round(1), rng.integers(0, 4, 25)
    rows = np.repeat(np.arange(25), times)
    weights = times[None].astype(float)
    assert regression.spearman(t, p, weights)[0] == pytest.approx(stats.spearmanr(t[rows], p[rows])[0])
    assert regression.pooled(t, p, weights)["r2"][0] == pytest.approx(sk.r2_score(t[rows], p[rows]))


def test_the_mean_has_no_rank_correlation_and_no_slope():
    frame = table().assign(predicted=lambda t: t["split"].str[-1])  # constant within folds
    metrics = classification.metrics(frame, task="regression", n_boot=50)
    for name in ("spearman", "pearson", "calibration_slope"):
        assert metrics[name]["estimate"] is None and "vary" in metrics[name]["note"]
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_the_bootstrap_draws_groups():
    frame = pd.concat([table(30).assign(sample=lambda t, i=i: t["sample"] + str(i)) for i in range(4)])
    donors = {name: name[:3] for name in frame["sample"]}
    wide, narrow = (classification.metrics(frame, groups=g, task="regression")["mae"] for g in (donors, None))
    assert wide["upper"] - wide["lower"] > 1.6 * (narrow["upper"] - narrow["lower"])


def cohort_folds(effect, seed):
    X, y = expression(n=30, p=60, effect=effect, seed=seed)
    names = [f"s{i:02}" for i in range(30)]
    manifest = splits.make(names, np.full(30, "all"), folds=3, needed=())
    folds = []
    for split in ("r1f1", "r1f2", "r1f3"):
        train, test = splits.training_samples(manifest, split, names), splits.test_samples(manifest, split)
        rows = [[int(name[1:]) for name in part] for part in (train, test)]
        folds.append(PermutationFold(split, train, test, X[rows[0]], X[rows[1]]))
    return folds, dict(zip(names, y, strict=True))


def test_permutations_tell_signal_from_noise():
    signal = ridge.permutation_test(*cohort_folds(2.0, 0), n=99, log=quiet)
    assert signal["p"] == pytest.approx(0.01) and signal["statistic"] > 0.8
    p = [ridge.permutation_test(*cohort_folds(0.0, s), n=19, log=quiet)["p"] for s in range(20)]
    assert 0.3 < np.mean(p) < 0.75  # uniform on noise


def test_groups_exchange_their_values_as_wholes():
    y, donors = np.arange(12.0), np.array([0] * 4 + [1] * 4 + [2] * 3 + [3])
    rng = np.random.default_rng(0)
    for _ in range(20):
        new = y[exchangeable.Exchange(y, donors, blocks=True).draw(rng)]
        assert sorted(new) == y.tolist() and new[11] == 11.0
        assert {frozenset(new[donors == d]) for d in (0, 1)} == {frozenset(y[donors == d]) for d in (0, 1)}


def test_predicted_numbers_are_written_alike_everywhere():
    X, y = expression()
    model = make("ridge").fit(X, y, log=quiet)
    frame = predictions.table([f"s{i}" for i in range(3)], model, X[:3])
    assert list(frame) == ["sample", "predicted"] and frame["predicted"].tolist() == pytest.approx(
        model.predict(X[:3])
    )
    assert len(predictions.table([], model, X[:0])) == 0
