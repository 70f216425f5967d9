"""Gene-set scores and clinical covariates: learned on training rows, the same for a sample alone, saved and served."""

import gzip

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model.core.errors import InputProblem
from rna2model.expression.features import covariates, features, gene_sets

GENES = [f"g{number}" for number in range(60)]
SETS = {"up": np.arange(10), "mixed": np.arange(5, 30)}
KINDS = {"age": "number", "sex": "category"}


def expression(n=20, seed=0):
    return np.random.default_rng(seed).normal(6, 1, (n, 60))


def clinical(n=20):
    return {"age": np.array([str(20 + 3 * i) for i in range(n)]), "sex": np.array(["m", "f"] * (n // 2))}


@pytest.mark.parametrize("score", ["mean_z", "ssgsea"])
@pytest.mark.parametrize("impute", ["mean", "knn"])
def test_a_sample_alone_gets_what_it_gets_in_company_and_after_saving(tmp_path, score, impute):
    fitted = features.Features(GENES, SETS, score, KINDS, impute).fit(expression(), clinical())
    new, cells = expression(4, seed=1), {"age": ["30", "", "41", ""], "sex": ["m", "f", "", ""]}
    together = fitted.transform(new, cells)
    fitted.save(tmp_path / "features.safetensors")
    again = features.load(tmp_path / "features.safetensors")
    assert again.names_ == ["up", "mixed", "age", "sex=f", "sex=m"]
    assert_array_equal(again.always_, [False, False, True, True, True])
    for row in (3, 1, 0, 2):
        alone = again.transform(new[[row]], {column: [values[row]] for column, values in cells.items()})
        assert_array_equal(alone[0], together[row])
    assert np.isfinite(together).all()


def test_mean_z_is_the_mean_of_genes_standardised_by_the_training_rows():
    X = expression()
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    scores = features.Features(GENES, SETS).fit(X).transform(X[:3])
    assert_allclose(scores, np.stack([z[:3, :10].mean(axis=1), z[:3, 5:30].mean(axis=1)], axis=1), rtol=1e-12)


def test_ssgsea_ranks_a_sample_by_itself():
    X = expression()
    X[:, :10] += np.linspace(0, 5, 20)[:, None]
    scores = features.Features(GENES, SETS, "ssgsea").fit(X).transform(X)
    assert np.corrcoef(scores[:, 0], np.arange(20))[0, 1] > 0.8
    monotone = features.Features(GENES, SETS, "ssgsea").fit(X).transform(np.exp(X / 3))
    assert_allclose(monotone, scores, rtol=1e-9)


def test_ssgsea_equals_gseapy_s():
    import gseapy
    import pandas as pd

    rng = np.random.default_rng(2)
    row, sets = rng.normal(size=500), [rng.choice(500, size, replace=False) for size in (5, 40, 200)]
    named = {f"s{k}": [f"g{column}" for column in columns] for k, columns in enumerate(sets)}
    # gseapy 1.1 knows no string dtype of pandas 3
    index = pd.Index([f"g{column}" for column in range(500)], dtype=object)
    data = pd.DataFrame({"sample": row}, index=index)
    theirs = gseapy.ssgsea(
        data, named, sample_norm_method="rank", min_size=1, no_plot=True, outdir=None
    ).res2d
    theirs = theirs.set_index("Term").loc[list(named), "ES"].astype(float)
    assert_allclose(gene_sets.ssgsea(row, sets), theirs, rtol=1e-9)


def test_genes_and_covariates_weigh_the_same_as_blocks():
    X, cells = expression(), clinical()
    Z = features.Features(GENES, None, covariates=KINDS).fit(X, cells).transform(X, cells)
    sd = Z.std(axis=0)
    assert_array_equal(Z[:, :60], X)
    assert sd[60:].sum() == pytest.approx(sd[:60].sum())


def test_missing_cells_get_the_training_mean_and_new_categories_nothing():
    fitted = covariates.Covariates(KINDS).fit(clinical())
    ages = np.array(clinical()["age"], dtype=float)
    values = fitted.transform({"age": ["", "50", ""], "sex": ["m", "x", ""]})
    assert_allclose(values[0, 0], 0, atol=1e-12)
    assert_allclose(values[1, 0], (50 - ages.mean()) / ages.std())
    assert_allclose(values[1, 1:], -1)  # zero before scaling, of two equally common categories
    assert_allclose(values[2], 0, atol=1e-12)
    assert fitted.unknown({"age": ["1"], "sex": ["x"]}) == ["sex 'x' was not in training"]


def test_the_training_rows_decide_what_a_category_is_and_text_for_a_number_is_refused():
    assert covariates.kind(["1", "2.5", "", "NA"]) == "number"
    assert covariates.kind(["1", "high"]) == covariates.kind(["", "NA"]) == "category"
    fitted = covariates.Covariates(KINDS).fit(clinical())
    with pytest.raises(InputProblem, match="covariate age: 'old' is not a number"):
        fitted.transform({"age": ["old"], "sex": ["m"]})
    with pytest.raises(InputProblem, match="covariate age has no value in the training samples"):
        covariates.Covariates({"age": "number"}).fit({"age": ["", "NA"]})


def test_gene_sets_are_read_and_matched_by_id_or_symbol(tmp_path):
    path = tmp_path / "sets.gmt.gz"
    path.write_bytes(gzip.compress(b"up\tabout\tA1\tA2\tA3\tA4\tA5\tA5\nfew\t\tA1\tB1\n\n"))
    sets = gene_sets.read_gmt(path)
    assert sets == {"up": ["A1", "A2", "A3", "A4", "A5"], "few": ["A1", "B1"]}
    symbols = ["A5", "A4", "A3", "A2", "A1", "A1"]
    assert_array_equal(gene_sets.members(sets, [f"ENSG{i}" for i in range(6)], symbols)["up"], range(6))
    assert list(gene_sets.members(sets, symbols)) == ["up"]
    with pytest.raises(InputProblem, match="none of 2 gene sets has 5 genes in the data"):
        gene_sets.members(sets, ["ENSG1"])


@pytest.mark.parametrize(
    "text, problem",
    [
        ("up\tabout\n", "line 1"),
        ("up\t\tA\nup\t\tB\n", "'up' is there twice"),
        ("", "has no gene sets"),
    ],
)
def test_a_broken_gmt_names_the_line(tmp_path, text, problem):
    (tmp_path / "sets.gmt").write_text(text)
    with pytest.raises(InputProblem, match=problem):
        gene_sets.read_gmt(tmp_path / "sets.gmt")
