"""Planted genes and gene sets are found, batches leave the counts, and a design that cannot answer is said to be one."""

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort.cohort import Cohort
from rna2model.core.errors import InputProblem
from rna2model.explore import combat_seq, deseq2, differential, enrichment
from rna2model.explore import negative_binomial as nb
from rna2model.expression.batch import registry
from rna2model.expression.features import gene_sets
from rna2model.inputs import config
from rna2model.planning import preflight

DESIGN = {"task": "classification", "target": "condition", "batch": "run", "group": None, "covariates": []}


def counts(n=16, genes=300, changed=30, seed=0, batches=("x", "y")):
    """(counts, labels, batches, log2 fold changes): half of the changed genes rise in class b, half fall."""
    rng = np.random.default_rng(seed)
    labels, runs = np.resize(["a", "b"], n), np.repeat(batches, n // len(batches))
    change = np.zeros(genes)
    change[:changed] = np.resize([2.0, -2.0], changed)
    shifts = {name: rng.normal(0, 0.8, genes) for name in batches}
    level = rng.uniform(4, 10, genes) + np.outer(labels == "b", change)
    level += np.stack([shifts[run] for run in runs])
    shape = 20.0
    return rng.poisson(rng.gamma(shape, 2**level / shape)), labels, runs, change


def names(n):
    return [f"s{number}" for number in range(n)]


def test_planted_genes_are_found_with_their_fold_change_whatever_the_batch():
    matrix, labels, runs, change = counts()
    genes = [f"g{number}" for number in range(len(change))]
    table, notes = differential.test(matrix, labels, {"batch": runs}, genes, {"g0": "FIRST"})
    assert list(table) == differential.COLUMNS and notes == []
    assert set(table["contrast"]) == {"b_vs_a"} and table["symbol"].iloc[0] == "FIRST"
    significant = (table["padj"] < 0.05).to_numpy()
    assert significant[change != 0].mean() > 0.9 and significant[change == 0].mean() < 0.05
    assert table["log2_fold_change"][change != 0].to_numpy() == pytest.approx(change[change != 0], abs=1.0)


def test_three_classes_are_each_tested_against_the_first():
    matrix = counts(n=18, genes=120, batches=("x", "y", "z"))[0]
    labels = np.resize(["a", "b", "c"], 18)
    table, _ = differential.test(matrix, labels, {}, [f"g{n}" for n in range(120)])
    assert list(dict.fromkeys(table["contrast"])) == ["b_vs_a", "c_vs_a"] and len(table) == 240


def test_a_class_of_one_is_left_out_and_said_so():
    matrix, labels, _, _ = counts(n=9, genes=100, batches=("x",))
    labels = labels.astype(object)
    labels[0] = "alone"
    table, notes = differential.test(matrix, labels, {}, [f"g{n}" for n in range(100)])
    assert set(table["contrast"]) == {"b_vs_a"} and "alone" in notes[0]


def test_redundant_columns_of_the_design_are_dropped():
    labels = np.resize(["a", "b"], 8)
    runs = np.repeat(["x", "y"], 4)
    matrix, notes = differential.design(labels, ["a", "b"], {"batch": runs, "centre": runs})
    assert matrix.shape == (8, 3) and np.linalg.matrix_rank(matrix) == 3 and "centre" in notes[0]


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (np.resize(["x", "y"], 8), "cannot be told from"),
        (np.array([f"r{n // 2}" for n in range(8)]), None),
        (np.array([f"r{min(n, 6)}" for n in range(8)]), "cannot be told from|cannot carry"),
    ],
)
def test_designs_that_cannot_answer_are_refused(runs, words):
    labels = np.resize(["a", "b"], 8)
    if words is None:
        assert differential.design(labels, ["a", "b"], {"batch": runs})[0].shape == (8, 5)
    else:
        with pytest.raises(InputProblem, match=words):
            differential.design(labels, ["a", "b"], {"batch": runs})


def test_a_numeric_covariate_is_one_column_and_an_empty_cell_is_refused():
    labels, age = np.resize(["a", "b"], 8), np.array([str(n) for n in (30, 41, 55, 29, 60, 33, 47, 52)])
    assert differential.design(labels, ["a", "b"], {"age": age})[0].shape == (8, 3)
    age[2] = ""
    with pytest.raises(InputProblem, match="have no age"):
        differential.design(labels, ["a", "b"], {"age": age})


def cohort(labels, runs, matrix, donors=None):
    obs = {"condition": list(labels), "run": list(runs), "donor": list(donors or names(len(matrix)))}
    return Cohort(matrix, names(len(matrix)), [f"g{n}" for n in range(matrix.shape[1])], None, obs)


def test_unlabelled_samples_change_nothing():
    matrix, labels, runs, _ = counts(n=12, genes=120)
    alone = differential.of_cohort(cohort(labels, runs, matrix), {}, DESIGN, "counts", "auto")
    more = cohort([*labels, "", "NA"], [*runs, "x", "new"], np.vstack([matrix, matrix[:2] * 50]))
    with_new = differential.of_cohort(more, {}, DESIGN, "counts", "auto")
    pd.testing.assert_frame_equal(alone[0], with_new[0])
    assert alone[1] is None and alone[2]["design"] == "run + condition"


@pytest.mark.parametrize(
    ("labels", "unit", "words"),
    [
        (np.resize(["a", "b"], 12), "log", "needs counts"),
        (np.repeat(["a", "b"], 6), "counts", "cannot be told from"),
        (np.array(["a"] * 11 + ["b"]), "counts", "fewer than two classes"),
        (np.full(12, ""), "counts", "no sample has a label"),
    ],
)
def test_what_cannot_be_tested_is_a_note_and_no_error(labels, unit, words):
    matrix, _, runs, _ = counts(n=12, genes=60)
    table, note, _ = differential.of_cohort(cohort(labels, runs, matrix), {}, DESIGN, unit, "none")
    assert list(table) == differential.COLUMNS and not len(table) and words in note


def test_donors_with_several_samples_are_warned_of():
    matrix, labels, runs, _ = counts(n=12, genes=60)
    data = cohort(labels, runs, matrix, ["d1", "d2"] * 6)
    warned = differential.of_cohort(data, {}, DESIGN | {"group": "donor"}, "counts", "none")[2]["warnings"]
    assert "donor" in warned[0]


def test_the_dispersion_trend_is_found_in_spite_of_outliers():
    rng = np.random.default_rng(0)
    means = 2 ** rng.uniform(2, 12, 3000)
    dispersions = (0.05 + 2 / means) * rng.gamma(5, 1 / 5, 3000)
    dispersions[:60] *= 1000
    assert deseq2.trend(dispersions, means).to_numpy() == pytest.approx([0.05, 2], rel=0.1)
    assert deseq2.trend(np.full(5, np.nan), np.ones(5)) is None


def test_the_prior_of_small_designs_is_the_variance_that_was_put_in():
    rng = np.random.default_rng(0)
    residuals = np.log(rng.chisquare(3, 20000) / 3) + rng.normal(0, np.sqrt(1.5), 20000)
    assert deseq2.matched_variance(residuals, 3) == pytest.approx(1.5, abs=0.15)


@pytest.mark.parametrize("seed", range(12))
def test_every_gene_of_a_handful_of_samples_has_an_answer(seed):
    """Counts that spread no more than Poisson's show no dispersion; with a zero in every gene no geometric mean exists."""
    rng = np.random.default_rng(seed)
    samples, genes = (4, 5)[seed % 2], (8, 60)[seed // 2 % 2]
    counts = rng.poisson(rng.lognormal(1, 1, genes), (samples, genes))
    if seed % 3 == 0:
        counts[rng.integers(0, samples, genes), np.arange(genes)] = 0
    table, _ = differential.test(
        counts, ["a", "a", "b", "b", "b"][:samples], {}, [f"g{i}" for i in range(genes)]
    )
    seen = counts.any(axis=0)
    assert np.isfinite(table["log2_fold_change"].to_numpy(float)[seen]).all()
    assert (table["base_mean"].to_numpy(float) > 0).tolist() == seen.tolist()
    p = table["p"].to_numpy(float)
    assert ((p >= 0) & (p <= 1))[seen].mean() > 0.9  # Cook's distances leave out a few


def test_a_planted_gene_set_is_enriched_by_symbol_and_by_id(tmp_path):
    rng = np.random.default_rng(0)
    stat = rng.normal(0, 1, 400)
    stat[:20] += 4
    table = pd.DataFrame({"contrast": "b_vs_a", "gene_id": [f"ENSG{n}" for n in range(400)], "stat": stat})
    table["symbol"], table["base_mean"] = [f"SYM{n}" for n in range(400)], 10.0
    for prefix, by in (("SYM", "symbol"), ("ENSG", "gene_id")):
        lines = {
            "PLANTED": [f"{prefix}{n}" for n in range(15)] + ["unknown"] * 1,
            "RANDOM": [f"{prefix}{n}" for n in range(100, 120)],
            "SMALL": [f"{prefix}1"],
        }
        path = tmp_path / "sets.gmt"
        path.write_text("".join("\t".join([name, "about", *genes]) + "\n" for name, genes in lines.items()))
        enriched, details = enrichment.test(table, gene_sets.read_gmt(path))
        sets = enriched.set_index("gene_set")
        assert details == {"matched_by": by, "matched_pct": pytest.approx(100 * 35 / 36, abs=0.01)}
        assert sets.loc["PLANTED", "nes"] > 2 and sets.loc["PLANTED", "fdr"] < 0.01
        assert sets.loc["RANDOM", "fdr"] > 0.05 and "SMALL" not in sets.index
        assert (sets.loc["PLANTED", "genes"], sets.loc["PLANTED", "matched"]) == (16, 15)


def test_sets_of_other_names_are_a_note():
    table = pd.DataFrame(columns=differential.COLUMNS)
    table.loc[0] = ["b_vs_a", "g1", "", 5.0, 1.0, 1.0, 1.0, 0.3, 0.3]
    sets = {"OTHER": ["x1", "x2"]}
    enriched, details = enrichment.test(table, sets)
    assert not len(enriched) and "0.0 % of the genes" in enrichment.why_empty(table, sets, details)


@pytest.mark.parametrize(
    ("text", "words"),
    [("A\tabout\n", "line 1"), ("A\td\tg1\nA\td\tg2\n", "line 2.*twice"), ("\n", "no gene sets")],
)
def test_a_broken_gmt_is_refused_before_any_job(tmp_path, text, words):
    path = tmp_path / "sets.gmt"
    path.write_text(text)
    with pytest.raises(InputProblem, match=words):
        gene_sets.read_gmt(path)
    (tmp_path / "counts.tsv").write_text("gene\ts1\n")
    settings = {"counts": "counts.tsv", "expression": {"gene_sets": "sets.gmt"}, "samples": "no.tsv"}
    problems = preflight.check(settings, [tmp_path])[2]
    assert any("expression.gene_sets" in problem for problem in problems)


def test_combat_seq_takes_the_batch_out_and_leaves_counts():
    matrix, labels, runs, _ = counts(n=24, genes=200)
    adjusted = combat_seq.adjust(matrix, runs, labels)
    assert adjusted.dtype.kind == "i" and adjusted.min() >= 0 and adjusted.shape == matrix.shape

    def gap(values):
        logs = np.log2(values + 1)
        return np.abs(logs[runs == "x"].mean(axis=0) - logs[runs == "y"].mean(axis=0)).mean()

    assert gap(adjusted) < 0.25 * gap(matrix)


def test_combat_seq_leaves_genes_that_a_batch_lacks_and_refuses_what_it_cannot_tell():
    matrix, _, runs, _ = counts(n=12, genes=50)
    matrix[runs == "x", 7] = 0
    assert np.array_equal(combat_seq.adjust(matrix, runs)[:, 7], matrix[:, 7])
    assert np.array_equal(combat_seq.adjust(matrix, np.full(12, "x")), matrix)
    with pytest.raises(InputProblem, match="two samples in each batch, and z has one"):
        combat_seq.adjust(matrix, np.array([*runs[:-1], "z"]))
    with pytest.raises(InputProblem, match="cannot be told apart"):
        combat_seq.adjust(matrix, runs, runs)


def test_negative_binomial_fits_find_the_parameters():
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(400), np.resize([0, 1], 400)])
    beta, offsets = np.array([[3.0, 5.0], [1.0, -0.5]]), rng.normal(0, 0.3, (400, 1)) * np.ones((1, 2))
    mean = np.exp(design @ beta + offsets)
    y = rng.poisson(rng.gamma(5, mean / 5)).astype(float)
    coefficients, fitted = nb.fit(y, design, offsets, np.full_like(y, 0.2))
    assert coefficients == pytest.approx(beta, abs=0.15)
    score = design.T @ ((y - fitted) / (1 + 0.2 * fitted))
    assert np.abs(score).max() < 1e-3  # the likelihood is flat at its maximum
    groups = np.resize([0, 1], 400)
    assert nb.common_dispersion(y, groups, offsets[:, :1]) == pytest.approx(0.2, rel=0.15)


def test_no_model_can_be_trained_on_combat_seq():
    problems = config.complete({"expression": {"batch_correction": "ComBat-seq"}, "design": {"batch": "b"}})[
        1
    ]
    assert len(problems) == 1 and "no form that serves new samples" in problems[0]
    assert "expression.combat_seq to true" in problems[0] and "combat_seq" not in registry.METHODS
    with pytest.raises(InputProblem):
        registry.make("combat_seq")


def test_combat_seq_to_look_at_needs_batches_and_counts():
    assert "design.batch" in config.complete({"expression": {"combat_seq": True}})[1][0]
    settings = {
        "expression": {"combat_seq": True},
        "design": {"batch": "b"},
        "counts": "m",
        "counts_unit": "log",
    }
    assert any("needs counts" in problem for problem in config.complete(settings)[1])


def test_donors_with_samples_of_both_classes_make_a_paired_design():
    matrix, _labels, _, _ = counts(n=12, genes=150, batches=("x",))
    donors = [f"d{number // 2}" for number in range(12)]
    obs = {"condition": list(np.resize(["a", "b"], 12)), "run": ["x"] * 12, "donor": donors}
    cohort = Cohort(matrix, [f"s{n}" for n in range(12)], [f"g{n}" for n in range(150)], None, obs)
    design = {**DESIGN, "batch": None, "group": "donor"}
    _, note, details = differential.of_cohort(cohort, {}, design, "counts", "none")
    assert note is None and details["design"] == "donor + condition" and details["warnings"] == []
    obs["condition"] = ["a"] * 6 + ["b"] * 6
    _, note, details = differential.of_cohort(cohort, {}, design, "counts", "none")
    assert details["design"] == "condition" and "several samples have one donor" in details["warnings"][0]
