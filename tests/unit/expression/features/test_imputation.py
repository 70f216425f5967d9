"""Missing values are filled from training samples only, each sample by itself, and never without a word."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rna2model import models
from rna2model.cohort import units
from rna2model.core.errors import InputProblem
from rna2model.expression.features import imputation
from rna2model.expression.normalization import methods
from rna2model.qc import gate
from rna2model.serving import bundle

GENES = [f"g{i}" for i in range(60)]
METHODS = ["mean", "knn"]


@pytest.fixture(scope="module")
def values():
    """Log2 expression of 30 samples of two kinds that differ in half the genes; a tenth of the cells missing, and gene 7 in
    all of the first twenty."""
    rng = np.random.default_rng(8)
    full = rng.normal(6, 1, 60) + rng.normal(0, 0.1, (30, 60))
    full[::2, :30] += 3
    holes = full.copy()
    holes[rng.random(full.shape) < 0.1] = np.nan
    holes[:20, 7] = np.nan
    return full, holes


def test_the_mean_is_that_of_the_training_rows_that_have_the_value():
    fitted = imputation.Imputer("mean").fit([[1, np.nan, np.nan], [3, 4, np.nan]])
    assert fitted.transform([[np.nan, 7, 9], [5, np.nan, np.nan]]).tolist() == [[2, 7], [5, 4]]


def test_neighbours_are_nearer_to_the_truth_than_the_mean(values):
    full, holes = values
    error = {}
    for method in METHODS:
        fitted = imputation.Imputer(method).fit(holes[:20])
        truth, gone = full[20:, fitted.seen_], np.isnan(holes[20:, fitted.seen_])
        error[method] = np.abs(fitted.transform(holes[20:])[gone] - truth[gone]).mean()
    assert error["knn"] < 0.3 * error["mean"]


@pytest.mark.parametrize("method", METHODS)
def test_each_row_is_filled_by_itself_also_after_reload(method, values):
    _, holes = values
    fitted = imputation.Imputer(method).fit(holes[:20])
    together = fitted.transform(holes)
    assert not np.isnan(together).any() and together.shape == (30, 59) and not fitted.seen_[7]
    assert_array_equal(np.vstack([fitted.transform(row[None]) for row in holes]), together)
    assert_array_equal(fitted.transform(holes[::-1])[::-1], together)
    again = imputation.Imputer.restore(method, fitted.arrays())
    assert_array_equal(again.transform(holes), together)
    kept = holes[:, fitted.seen_]
    assert_array_equal(together[~np.isnan(kept)], kept[~np.isnan(kept)])


def test_a_table_of_covariates_is_filled_the_same_way():
    age_and_score = np.array([[30, 1.0], [40, 2.0], [50, np.nan], [np.nan, 3.0]])
    fitted = imputation.Imputer("knn").fit(age_and_score)
    assert fitted.transform(age_and_score).tolist() == [[30, 1], [40, 2], [50, 1.5], [35, 3]]
    with pytest.raises(InputProblem, match="row 2: every value is missing"):
        fitted.transform([[1, 1], [np.nan, np.nan]])
    with pytest.raises(InputProblem, match="'median' is not one of mean, knn"):
        imputation.Imputer("median")


@pytest.mark.parametrize("missing", METHODS)
@pytest.mark.parametrize("method", ["none", "rank", "quantile"])
def test_a_normalizer_of_logarithms_fills_from_its_training_rows(method, missing, values, tmp_path):
    _, holes = values
    fitted = methods.make(method, GENES, unit="log", missing=missing).fit(holes[:20])
    assert "g7" not in fitted.genes_ and len(fitted.genes_) == 59
    together = fitted.transform(holes)
    assert np.isfinite(together).all()
    assert_array_equal(np.vstack([fitted.transform(row[None]) for row in holes]), together)
    fitted.save(tmp_path / "n")
    assert_array_equal(methods.load(tmp_path / "n").transform(holes), together)
    assert_array_equal(
        methods.make(method, GENES, unit="log", missing=missing).fit_transform(holes[:20]),
        together[:20],
    )
    changed = holes.copy()
    changed[20:] += 50
    again = methods.make(method, GENES, unit="log", missing=missing).fit(changed[:20])
    again.save(tmp_path / "again")
    assert (tmp_path / "n").read_bytes() == (tmp_path / "again").read_bytes()
    aligned, gone = fitted.align(holes[:, 1:], GENES[1:])
    assert gone == ["g0"] and np.isfinite(fitted.transform(aligned)).all()


def test_without_a_filter_a_gene_that_training_never_saw_is_dropped_too(values):
    _, holes = values
    fitted = methods.make("none", GENES, gene_filter="none", unit="log", missing="mean").fit(holes[:20])
    assert len(fitted.genes_) == 59 and np.isfinite(fitted.transform(holes)).all()


def test_missing_values_are_an_error_unless_asked_for_and_always_among_counts(values):
    _, holes = values
    with pytest.raises(InputProblem, match="nan is not a finite number"):
        methods.make("none", GENES, unit="log").fit(holes)
    with pytest.raises(InputProblem, match="is for logarithms"):
        methods.make("tmm", GENES, missing="mean")
    infinite = holes.copy()
    infinite[3, 4] = np.inf
    with pytest.raises(InputProblem, match="row 4, gene g4: inf is not"):
        methods.make("none", GENES, unit="log", missing="mean").fit(infinite)
    infinite[3] = np.nan
    with pytest.raises(InputProblem, match="row 4: every value is missing"):
        methods.make("none", GENES, unit="log", missing="mean").fit(infinite)


def test_a_matrix_with_gaps_is_refused_with_the_remedy_or_let_through(values):
    import pandas as pd

    table = pd.DataFrame(values[1].T, index=GENES, columns=[f"s{i}" for i in range(30)])
    (problem,) = units.check(table, "log", "m.tsv")[1]
    assert "is missing or not finite; to fill it in, set expression.missing" in problem
    values_read, problems = units.check(table, "log", "m.tsv", missing="knn")
    assert problems == [] and np.isnan(values_read).sum() == np.isnan(table).sum().sum()
    problems = units.check(table, "counts", "m.tsv", missing="knn")[1]
    assert any("is missing or not finite (" in problem for problem in problems)
    table["s3"] = np.nan
    assert units.empty_samples(list(table), table.to_numpy(), "log") == ["s3"]


def test_the_share_of_missing_values_is_flagged_for_every_sample(values, tmp_path):
    full, holes = values
    labels = np.tile(["a", "b"], 15)
    assert gate.of_matrix("s", "", {}, 12.34)["flags"] == "12.3 % of its values are missing and imputed"
    normalizer = methods.make("none", GENES, unit="log", missing="knn").fit(holes[:20])
    normalizer.save(tmp_path / "n")
    from rna2model.expression.batch import registry

    expression = normalizer.transform(holes[:20])
    registry.make("none").fit(expression, ["x"] * 20).save(tmp_path / "b")
    models.make("logistic_l2", inner_folds=3).fit(expression, labels[:20], log=lambda *_: None).save(
        tmp_path / "m"
    )
    bundle.assemble(
        tmp_path / "bundle", tmp_path / "n", tmp_path / "b", tmp_path / "m", {"classes": {"a": 10, "b": 10}}
    )
    table = bundle.Bundle(tmp_path / "bundle").predict(
        ["x", "y"], np.vstack([full[20], holes[21]]), GENES, ["x", "x"]
    )
    assert table["flags"][0] == "" and table["flags"][1] == (
        f"{100 * np.isnan(holes[21]).mean():.1f} % of its values are missing and imputed"
    )
    assert list(table["predicted"]) == ["a", "b"]
