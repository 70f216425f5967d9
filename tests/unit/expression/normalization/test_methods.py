"""Frozen normalizers: nothing of a sample depends on another once they are fitted."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rna2model.core.errors import InputProblem
from rna2model.expression.normalization import methods

METHODS = sorted(methods.METHODS)
GENES = [f"g{i}" for i in range(300)]


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(7)
    base = rng.lognormal(4, 1.5, 300) * rng.lognormal(0, 0.3, (24, 1))
    values = rng.negative_binomial(5, 5 / (5 + base)).astype(float)
    values[:, 280:290] = 0  # all-zero genes
    values[:, 290:] = 40  # constant genes
    return values


def fitted(method, counts, **options):
    lengths = np.linspace(500, 5000, counts.shape[1])
    return methods.make(method, GENES[: counts.shape[1]], lengths, **options).fit(counts)


@pytest.mark.parametrize("method", METHODS)
def test_a_new_sample_is_normalised_the_same_alone_in_company_and_reordered(method, counts):
    normalizer = fitted(method, counts[:18])
    together = normalizer.transform(counts)
    assert np.isfinite(together).all() and together.shape == (24, len(normalizer.genes_))
    assert_array_equal(np.vstack([normalizer.transform(row[None]) for row in counts]), together)
    assert_array_equal(normalizer.transform(counts[::-1])[::-1], together)


@pytest.mark.parametrize("method", METHODS)
def test_the_memory_layout_of_the_counts_changes_no_bit(method, counts):
    normalizer = fitted(method, counts[:18])
    assert_array_equal(normalizer.transform(np.asfortranarray(counts)), normalizer.transform(counts))
    assert_array_equal(normalizer.transform(counts.astype(int)), normalizer.transform(counts))


@pytest.mark.parametrize("method", METHODS)
def test_saved_and_loaded_gives_the_same_bits_and_equal_content_equal_bytes(method, counts, tmp_path):
    normalizer = fitted(method, counts)
    normalizer.save(tmp_path / "a.safetensors")
    fitted(method, counts).save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert_array_equal(
        methods.load(tmp_path / "a.safetensors").transform(counts), normalizer.transform(counts)
    )


@pytest.mark.parametrize("method", METHODS)
def test_extra_and_reordered_genes_change_nothing(method, counts):
    normalizer = fitted(method, counts)
    order = np.random.default_rng(1).permutation(300)
    more = np.hstack([counts[:, order], np.full((24, 5), 999.0)])
    aligned, missing = normalizer.align(more, [*(GENES[i] for i in order), *"vwxyz"])
    assert missing == []
    assert_array_equal(normalizer.transform(aligned), normalizer.transform(counts))


@pytest.mark.parametrize("method", ["tmm", "cpm", "deseq2", "tpm"])
def test_a_missing_gene_gets_about_its_training_mean(method, counts):
    normalizer = fitted(method, counts)
    gene = normalizer.genes_[20]
    column, place = 20, GENES.index(gene)
    usual = normalizer.transform(counts)[:, column]
    aligned, missing = normalizer.align(np.delete(counts, place, axis=1), [g for g in GENES if g != gene])
    assert missing == [gene]
    filled = normalizer.transform(aligned)
    assert np.abs(filled[:, column] - usual.mean()).max() < 3 * usual.std()
    others = np.delete(np.arange(filled.shape[1]), column)
    assert np.abs(filled - normalizer.transform(counts))[:, others].max() < 0.2


def test_new_library_of_twice_the_depth_is_the_same_sample(counts):
    for method in (
        "upper_quartile",
        "cpm",
        "tpm",
    ):  # TMM weighs by the variance, which depth changes a little
        normalizer = fitted(method, counts)
        assert normalizer.transform(2 * counts[:3]) == pytest.approx(
            normalizer.transform(counts[:3]), abs=1e-9
        )


def test_training_factors_multiply_to_one(counts):
    for method in ("tmm", "upper_quartile"):
        assert np.log(fitted(method, counts).factors(counts)).sum() == pytest.approx(0, abs=1e-10)


def test_the_ratio_size_factors_are_those_of_pydeseq2(counts):
    preprocessing = pytest.importorskip("pydeseq2.preprocessing")
    means, filtered = preprocessing.deseq2_norm_fit(counts[:18])
    _, theirs = preprocessing.deseq2_norm_transform(counts[18:], means, filtered)
    ours = fitted("deseq2", counts[:18], gene_filter="none").factors(counts[18:])
    positive = (counts[18:] > 0)[:, np.isfinite(means)].all(axis=1)  # pydeseq2 lets a zero enter the median
    assert ours[positive] == pytest.approx(theirs[positive], rel=1e-12)


@pytest.mark.parametrize(
    ("change", "expected"),
    [(-1, "row 2, gene g3: -1.0 is negative"), (np.nan, "row 2, gene g3: nan is not a finite")],
)
def test_impossible_values_are_refused_with_their_place(counts, change, expected):
    broken = counts.copy()
    broken[1, 3] = change
    with pytest.raises(InputProblem, match=expected):
        fitted("tmm", broken)


@pytest.mark.parametrize("method", METHODS)
def test_a_library_without_counts_is_refused(method, counts):
    empty = counts.copy()
    empty[2] = 0
    with pytest.raises(InputProblem, match=r"no counts .*row 3"):
        fitted(method, empty)
    normalizer = fitted(method, counts)
    with pytest.raises(InputProblem, match="no counts"):
        normalizer.transform(np.zeros((1, 300)))


def test_units_that_do_not_fit_are_refused():
    with pytest.raises(InputProblem, match=r"set expression\.normalization to none"):
        methods.make("tmm", GENES, unit="log")
    for lengths in (None, np.full(299, 1000.0), np.r_[0, np.full(299, 1000.0)]):
        with pytest.raises(InputProblem, match="length of every gene"):
            methods.make("tpm", GENES, lengths).fit(np.full((4, 300), 50.0))
    with pytest.raises(InputProblem, match="'loess' is not one of none, cpm"):
        methods.make("loess", GENES)


def test_text_an_empty_training_set_and_a_gene_given_twice_are_refused(counts):
    with pytest.raises(InputProblem, match=r"must be numbers .*many"):
        fitted("tmm", np.where(counts > 0, "many", "0"))
    with pytest.raises(InputProblem, match="no training sample"):
        fitted("tmm", counts[:0])
    with pytest.raises(InputProblem, match="no gene of 300 has enough counts"):
        fitted("tmm", np.eye(4, 300))
    with pytest.raises(InputProblem, match="gene g5 is there twice"):
        fitted("tmm", counts).align(np.hstack([counts, counts[:, [5]]]), [*GENES, "g5"])


def test_a_new_sample_too_sparse_for_a_factor_is_refused_by_row_never_nan(counts):
    sparse = counts[:2].copy()
    sparse[1, 20:] = 0
    with pytest.raises(InputProblem, match="row 2: the upper quartile"):
        fitted("upper_quartile", counts).transform(sparse)
    assert np.isfinite(fitted("tmm", counts).transform(sparse)).all()
    training = counts.copy()
    training[0, 0], training[:, 1] = 0, 40  # g0 is not in every training library, so not in the reference
    only_g0 = np.zeros((1, 300))
    only_g0[0, 0] = 500
    with pytest.raises(InputProblem, match="row 1: it expresses none of the genes"):
        fitted("deseq2", training, gene_filter="none").transform(only_g0)


def test_trimming_treats_ties_as_r_s_rank_does():
    """keep of edgeR's .calcFactorTMM: average ranks within floor(n * trim) + 1 from either end."""
    rng = np.random.default_rng(4)
    for size in range(1, 60):
        values = rng.integers(0, max(2, size // 3), size).astype(float)
        ranks = np.array([(values < v).sum() + ((values == v).sum() + 1) / 2 for v in values])
        low = np.floor(size * 0.3) + 1
        expected = (ranks >= low) & (ranks <= size + 1 - low)
        assert_array_equal(methods._within(values, 0.3), expected)


def test_logarithms_pass_unchanged_but_for_constant_genes():
    values = np.random.default_rng(1).normal(size=(6, 300))
    values[:, 7] = 3.3  # the variance of six of these is not zero, by rounding
    normalizer = methods.make("none", GENES, unit="log").fit(values)
    assert "g7" not in normalizer.genes_
    assert_array_equal(normalizer.transform(values), np.delete(values, 7, axis=1))


def test_when_no_gene_is_in_every_sample_deseq2_says_so():
    with pytest.raises(InputProblem, match="use tmm"):
        methods.make("deseq2", GENES[:4], gene_filter="none").fit(np.diag([100.0] * 4))
