"""What a new sample lacks: filled with what the model would have seen, told, and never a confident answer by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry
from rna2model.expression.features import features
from rna2model.expression.normalization import methods
from rna2model.serving import bundle, incomplete_samples, manifest, out_of_distribution, reference_panel
from rna2model.serving import predict as served

N, G = 36, 60
GENES = [f"g{i}" for i in range(G)]
LABELS = np.tile(["off", "on"], N // 2)
SWITCHES = 6  # genes that are on in one class only, and carry the model


def libraries(seed=1, n=N, labels=LABELS):
    """(n, G) counts of libraries of unlike depth; the first SWITCHES genes are on or off by class."""
    rng = np.random.default_rng(seed)
    means = np.tile(np.random.default_rng(9).lognormal(4, 1, G), (n, 1)) * rng.lognormal(0, 0.3, (n, 1))
    means[:, :SWITCHES] *= np.where(labels[:n, None] == "on", 8, 0.02)
    return rng.negative_binomial(20, 20 / (20 + means)).astype(float)


def made(folder, model="logistic_l2", y=LABELS, size=50, unit="counts", missing="refuse", cells=None):
    """A bundle of libraries(), on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = libraries() if unit == "counts" else np.log2(libraries() + 1)
    method = "cpm" if unit == "counts" else "none"
    normalizer = methods.make(method, GENES, unit=unit, missing=missing).fit(counts, groups=LABELS)
    expression = normalizer.transform(counts)
    none, fitted = registry.make("none").fit(expression, [""] * N), None
    X, paths = expression, {}
    if cells:
        fitted = features.Features(normalizer.genes_, covariates=dict.fromkeys(cells, "number")).fit(X, cells)
        X = fitted.transform(X, cells)
        fitted.save(folder / "f")
        paths["features"] = folder / "f"
    task = "classification" if y.dtype.kind == "U" else "regression"
    predictor = models.make(model, task=task, inner_folds=3, seed=1).fit(X, y, log=lambda *_: None)
    normalizer.save(folder / "n"), none.save(folder / "b"), predictor.save(folder / "m")
    out_of_distribution.OutOfDistribution().fit(expression).save(folder / "o")
    kept = reference_panel.Panel().fit(expression, cells, size) if size is not None else None
    facts = {
        "model": model,
        "batch_correction": "none",
        "classes": {"off": 18, "on": 18},
        "counts_unit": unit,
    }
    facts["training"] = manifest.remember([f"s{i}" for i in range(N)], None, counts, "salt")
    bundle.assemble(
        folder / "bundle",
        folder / "n",
        folder / "b",
        folder / "m",
        facts,
        ood=folder / "o",
        kept=kept,
        **paths,
    )
    return bundle.Bundle(folder / "bundle")


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    return made(tmp_path_factory.mktemp("linear"))


def predict(serve, counts, gone=(), **more):
    """Predictions of counts (m, G) without the columns `gone`."""
    left = [i for i in range(G) if i not in set(gone)]
    names, nowhere = [f"new{i}" for i in range(len(counts))], [""] * len(counts)
    return serve.predict(names, counts[:, left], [GENES[i] for i in left], nowhere, **more)


@pytest.mark.parametrize("model", ["logistic_l2", "random_forest", "linear_svm"])
def test_without_the_genes_that_carry_the_model_nobody_is_predicted(model, tmp_path):
    table = predict(made(tmp_path, model), libraries(2), range(SWITCHES))
    assert set(table["predicted"]) == {""} and table[["prob_on", "prob_off"]].isna().all(axis=None)
    assert table["flags"].str.contains(r"not predicted: \d\d+ % of what the model predicts").all()
    assert table["flags"].str.contains("above all g[0-5], g[0-5]").all()
    assert not served.predicted(table).any()
    assert (table["upper_on"] - table["lower_on"] > 0.5).all()


def test_a_missing_gene_has_the_mean_of_training_after_the_logarithm(serve):
    counts = libraries()
    seen = serve.expression(counts, GENES, [""] * N)[0]
    filled, missing = serve.expression(np.delete(counts, 2, axis=1), GENES[:2] + GENES[3:], [""] * N)
    place = serve.preprocessing.normalizer.genes_.index("g2")
    assert missing == ["g2"] and np.allclose(filled[:, place], seen[:, place].mean())
    others = np.delete(np.arange(len(serve.preprocessing.normalizer.genes_)), place)
    assert np.abs(filled[:, others] - seen[:, others]).max() < 1  # the library is as deep as with the gene


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(SWITCHES, 40), min_size=1, max_size=6), st.integers(0, 5))
def test_genes_that_the_model_hardly_uses_leave_the_prediction_with_an_interval_around_it(serve, gone, row):
    counts, gone = libraries(3), {GENES.index(serve.preprocessing.normalizer.genes_[place]) for place in gone}
    table, whole = predict(serve, counts, gone), predict(serve, counts)
    assert (table["predicted"] == whole["predicted"]).mean() > 0.9
    assert (table["lower_on"] <= table["upper_on"]).all() and (table["upper_on"] <= 1).all()
    assert table["flags"].str.contains("goes with what is missing: see the columns lower and upper").all()
    assert "lower_on" not in whole and set(whole["flags"]) <= {
        "",
        *whole["flags"][whole["flags"].str.startswith("unlike")],
    }
    alone = predict(serve, counts[[row]], gone)
    columns = ["prob_on", "lower_on", "upper_on"]
    assert alone[columns].iloc[0].tolist() == table[columns].iloc[row].tolist()


def test_the_more_of_the_model_is_missing_the_more_depends_on_it(serve):
    shares = []
    for gone in ((SWITCHES,), (0, 1), (0, 1, 2, 3), range(SWITCHES)):
        mask = np.isin(serve.preprocessing.normalizer.genes_, [GENES[i] for i in gone])[None]
        lacking = reference_panel.Missing.of(mask, None)
        shares.append(reference_panel.dependence(incomplete_samples._numbers(serve), serve.panel, lacking, 0))
    assert shares == sorted(shares) and shares[0] < 0.02 and shares[-1] > 0.8


def test_of_independent_genes_the_share_is_that_of_their_variance():
    rng = np.random.default_rng(1)
    X, weights = rng.normal(size=(400, 5)), np.array([3.0, 1, 1, 1, 2])
    kept = reference_panel.Panel().fit(X, size=400)
    gone = reference_panel.Missing.of(np.array([[True, False, False, False, False]]), None)
    share = reference_panel.dependence(lambda Z, _cells: (Z @ weights)[:, None], kept, gone, 0)
    assert share == pytest.approx(9 / 16, abs=0.06)


def test_a_model_that_gives_everybody_the_same_depends_on_nothing(tmp_path):
    table = predict(made(tmp_path, "dummy"), libraries(2), range(SWITCHES))
    assert set(table["predicted"]) <= {"on", "off"} and table["flags"].str.contains("0.0 % of what").all()


def test_a_number_gets_an_interval_and_no_value_where_too_much_is_missing(tmp_path):
    y = np.where(LABELS == "on", 10.0, 2.0) + np.random.default_rng(1).normal(0, 0.5, N)
    serve = made(tmp_path, "ridge", y)
    few, many = predict(serve, libraries(2), [20]), predict(serve, libraries(2), range(SWITCHES))
    assert (few["lower_predicted"] <= few["upper_predicted"]).all() and few["predicted"].notna().all()
    assert many["predicted"].isna().all() and not served.predicted(many).any()


def test_values_that_are_imputed_widen_the_prediction_too(tmp_path):
    serve = made(tmp_path, unit="log", missing="mean")
    values = np.log2(libraries(2) + 1)
    values[0, 0], values[1, :SWITCHES] = np.nan, np.nan
    table = predict(serve, values)
    assert table["lower_on"][2:].isna().all() and table["lower_on"][:2].notna().all()
    assert table["predicted"][1] == "" and (table["predicted"][2:] != "").all()


def test_a_missing_covariate_is_drawn_from_the_training_samples(tmp_path):
    rng = np.random.default_rng(1)
    age = np.where(LABELS == "on", 70, 30) + rng.integers(-3, 4, N)
    cells = {"age": age.astype(str).astype(object)}
    serve = made(tmp_path, cells=cells)
    new = {"age": np.array(["71", "", *age[2:].astype(str)], dtype=object)}
    table = predict(serve, libraries(), cells=new)
    assert np.isnan(table["lower_on"][0]) and table["upper_on"][1] > table["lower_on"][1]
    assert "what the model predicts goes with" in table["flags"][1] and table["flags"][0] == ""


def test_without_a_panel_the_share_of_missing_genes_is_all_that_is_known(tmp_path):
    none = predict(made(tmp_path / "a", size=0), libraries(2), [20])
    assert none["flags"].str.contains("keeps no training samples").all() and "lower_on" not in none
    old = predict(made(tmp_path / "b", size=None), libraries(2), [20])
    assert old["flags"].str.fullmatch(".* % of the model's genes missing: training mean used").all()


def test_the_panel_keeps_so_many_samples_and_survives_the_disk(tmp_path):
    X = np.random.default_rng(1).normal(size=(80, 7))
    kept = reference_panel.Panel().fit(X, {"age": np.arange(80).astype(str)}, size=12)
    kept.save(tmp_path / "panel")
    again = reference_panel.load(tmp_path / "panel")
    assert again.rows_.shape == (12, 7) and np.allclose(again.mean_, X.mean(axis=0))
    rows = [int(cell) for cell in again.cells_["age"]]
    assert np.allclose(again.rows_, X[rows], atol=1e-6)


def test_a_panel_of_other_genes_or_covariates_is_no_part_of_a_bundle(tmp_path):
    serve = made(tmp_path)
    kept = reference_panel.Panel().fit(np.zeros((4, 3)))
    bundle.assemble(*(tmp_path / name for name in ("bundle", "n", "b", "m")), serve.manifest, kept=kept)
    with pytest.raises(InputProblem, match="is not a readable bundle"):
        bundle.Bundle(tmp_path / "bundle")
