"""Values that are not what the config says of them, simulated: recognised with the key that fixes it, and sound ones let through."""

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import count_matrix, log_counts, units
from rna2model.core.errors import InputProblem

GENES, SAMPLES = 2000, 8
BASE = {"2": np.log2(2), "e": np.log(2), "10": np.log10(2)}


def counts(seed=0, genes=GENES, samples=SAMPLES, depth=3e5):
    """(genes, samples) negative binomial counts, of libraries whose depths differ four-fold."""
    rng = np.random.default_rng(seed)
    shares = rng.lognormal(0, 2, genes)
    means = depth * shares[:, None] / shares.sum() * rng.uniform(0.5, 2, samples)
    return rng.poisson(means * rng.gamma(5, 1 / 5, means.shape)).astype(float)


def per(total, values):
    return total * values / values.sum(axis=0)


def table(values):
    return pd.DataFrame(
        values, [f"g{i}" for i in range(len(values))], [f"s{i}" for i in range(values.shape[1])]
    )


def problems_in(values, unit):
    return "\n".join(units.check(table(values), unit, "m.tsv")[1])


def shown(values, form):
    """Values as a file holds them."""
    if form == "float32":
        return values.astype(np.float32).astype(float)
    return np.array([[float(form % value) for value in row] for row in values])


FORMS = ["%.15g", "%.6f", "%.4f", "%.6g", "float32"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("base", BASE)
def test_logarithms_of_counts_are_known_by_being_whole_and_come_back_exactly(base, form):
    true_counts = counts()
    logs = shown(np.log2(true_counts + 1) * BASE[base], form)
    assert "Set counts_unit: log_counts" in problems_in(logs, "log")
    assert "counts_unit: log_counts" in problems_in(logs, "counts")
    values, problems = units.check(table(logs), "log_counts", "m.tsv")
    assert problems == [] and log_counts.counts_in(logs) == base
    exact = true_counts < 1000  # above, the file's decimals no longer tell one count from the next
    assert np.array_equal(values[exact], true_counts[exact])
    assert np.allclose(values, true_counts, rtol=5e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_logarithms_of_normalised_expression_are_not_taken_for_counts(seed, form):
    true_counts, rng = counts(seed), np.random.default_rng(seed)
    for logs in (
        np.log2(per(1e6, true_counts) + 1),
        np.log1p(per(1e4, true_counts)),
        np.log2(np.round(per(1e6, true_counts)) + 1),  # of rounded CPM: whole, but normalised
        np.maximum(rng.normal(7, 2, true_counts.shape), 0),  # an array
    ):
        assert problems_in(shown(logs, form), "log") == ""
    logs = shown(np.log2(per(1e6, true_counts) + 1), form)
    assert (
        "is not the logarithm (base 2, e or 10) of a whole number + 1; set counts_unit: log"
        in problems_in(logs, "log_counts")
    )


@pytest.mark.parametrize("rounding", [np.round, np.floor, np.ceil])
@pytest.mark.parametrize("unit", ["tpm", "cpm"])
def test_rounded_tpm_are_not_counts(unit, rounding):
    lengths = np.random.default_rng(1).lognormal(7, 1, GENES)[:, None] if unit == "tpm" else 1
    values = rounding(per(1e6, counts(2) / lengths))
    assert "these are TPM or CPM, not counts. Set counts_unit: tpm" in problems_in(values, "counts")
    assert unit == "cpm" or problems_in(values, "tpm") == ""
    values[:, 0] = 0  # a sample without a count says nothing
    assert "these are TPM or CPM" in problems_in(values, "counts")


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_counts_at_any_depth_also_where_all_are_drawn_down_to_a_million(seed):
    for depth in (2e3, 1e6, 5e7):
        assert problems_in(counts(seed, depth=depth), "counts") == ""
    rng, shares = np.random.default_rng(seed), per(1, counts(seed) + 1)
    drawn = np.array([rng.multinomial(1_000_000, share) for share in shares.T]).T.astype(float)
    assert problems_in(drawn, "counts") == ""


def test_other_units_name_the_key_that_fits():
    true_counts = counts()
    lengths = np.random.default_rng(1).lognormal(7, 1, GENES)[:, None]
    estimates = true_counts + np.where(true_counts > 0, 0.25, 0)
    assert "set counts_unit: expected_counts" in problems_in(estimates, "counts")
    assert "set counts_unit: tpm" in problems_in(per(1e6, true_counts / lengths), "counts")
    assert "set counts_unit: log " in problems_in(np.log2(per(1e6, true_counts) + 1), "counts") + " "
    assert "Set counts_unit: counts" in problems_in(
        true_counts, "log"
    ) and "Set counts_unit: counts" in problems_in(true_counts, "tpm")
    assert "Set counts_unit: counts" in problems_in(true_counts, "log_counts")
    assert "FPKM become TPM" in problems_in(3 * per(1e6, estimates / lengths), "tpm")
    assert "these are TPM or CPM" in problems_in(per(1e6, true_counts / lengths), "expected_counts")


def test_sums_of_tpm_that_differ_are_noted_and_those_of_a_subset_of_genes_are_not():
    tpm = per(1e6, counts())
    assert units.notes(tpm, "tpm", "m.tsv") == [] and units.notes(tpm[::2], "tpm", "m.tsv") == []
    fpkm = tpm * np.linspace(0.1, 0.9, SAMPLES)
    (note,) = units.notes(fpkm, "tpm", "m.tsv")
    assert "samples add up to 1e+05 to 9e+05" in note and "FPKM" in note


def test_every_kind_of_fault_is_told_at_once_with_its_first_place_and_number(tmp_path):
    values = counts().astype(object)
    values[3, 2], values[9, 4] = "many", "few"
    values[5, 1], values[6, 1], values[7, 1], values[8, 1] = -1, -2, -3, 0.5
    path = tmp_path / "m.tsv"
    matrix = table(values)
    matrix.index = ["1-Mar", "", *matrix.index[2:]]
    matrix.to_csv(path, sep="\t", index_label="gene_id")
    with pytest.raises(InputProblem) as raised:
        count_matrix.load(path, list(matrix.columns), "counts")
    for text in (
        "gene g3, sample s2: 'many' is not a number (2 such cells)",
        "is negative, which counts cannot be",
        "(3 such cells)",
        "is not an integer; set counts_unit",
        "gene '1-Mar' is a date",
        "gene row 2 has no gene id",
    ):
        assert text in str(raised.value), str(raised.value)


@pytest.mark.parametrize(
    "name", ["airway", "cervical_mirna", "hapmap_tsi_gender", "pasilla", "bladderbatch", "ecoli_precise"]
)
def test_published_matrices_are_what_they_are(real_data, name):
    matrix = pd.read_csv(real_data / f"matrices/{name}/counts.tsv.gz", sep="\t", index_col=0)
    unit = "log" if name in ("bladderbatch", "ecoli_precise") else "counts"
    values, problems = units.check(matrix, unit, "m.tsv")
    assert problems == [] and units.notes(values, unit, "m.tsv") == []
