"""Which genes a split keeps: limits on mean and variance, learned on its training samples."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rna2model.cohort.sample_rows import SampleRows
from rna2model.core.errors import InputProblem
from rna2model.expression.normalization import gene_filter as filtering
from rna2model.expression.normalization import methods

GENES = [f"g{i}" for i in range(200)]


@pytest.fixture(scope="module")
def counts():
    """Genes 0 to 19 hardly expressed, 20 to 39 expressed and constant, the others ever more variable."""
    rng = np.random.default_rng(3)
    means = np.r_[np.full(20, 0.3), np.full(180, 200.0)]
    spread = np.r_[np.zeros(40), np.linspace(0.05, 1.5, 160)]
    return rng.poisson(means * np.exp(spread * rng.normal(size=(30, 200))))


def kept(counts, gene_filter, method="tmm"):
    return set(methods.make(method, GENES, gene_filter=gene_filter).fit(counts).genes_)


def test_limits_come_after_auto_and_are_those_of_the_log2_expression(counts):
    auto = methods.make("tmm", GENES).fit(counts)
    values = auto.transform(counts)
    variance = dict(zip(auto.genes_, values.var(axis=0, ddof=1), strict=True))
    mean = dict(zip(auto.genes_, values.mean(axis=0), strict=True))
    assert not kept(counts, {"top_variance": 200}) - set(auto.genes_)
    assert kept(counts, {"top_variance": 25}) == set(sorted(variance, key=variance.get)[-25:])
    limit = float(np.median(list(variance.values())))
    assert kept(counts, {"min_variance": limit}) == {g for g, v in variance.items() if v >= limit}
    limit = float(np.median(list(mean.values())))
    both = kept(counts, {"min_mean": limit, "top_variance": 10})
    high = {g: variance[g] for g, m in mean.items() if m >= limit}
    assert both == set(sorted(high, key=high.get)[-10:])


def test_instead_of_auto_they_see_every_gene(counts):
    assert not kept(counts, {"min_mean": -99}) & set(GENES[:20])
    assert kept(counts, {"auto": False, "min_mean": -99}) == set(GENES)
    assert kept(counts, {"auto": False, "min_mean": 9}) == set(GENES[20:])


@pytest.mark.parametrize("method", sorted(methods.METHODS))
def test_what_stays_has_the_numbers_it_has_without_the_limits(method, counts, tmp_path):
    """Libraries, reference and ranks are taken over the genes before the limits."""
    lengths = np.linspace(500, 5000, 200)
    whole = methods.make(method, GENES, lengths).fit(counts[:20])
    fewer = methods.make(method, GENES, lengths, {"top_variance": 30}).fit(counts[:20])
    places = [whole.genes_.index(gene) for gene in fewer.genes_]
    assert len(places) == 30 and places == sorted(places)
    assert_array_equal(fewer.transform(counts), whole.transform(counts)[:, places])
    fewer.save(tmp_path / "n")
    again = methods.load(tmp_path / "n")
    assert again.genes_ == fewer.genes_ and again.gene_filter == {"top_variance": 30}
    assert_array_equal(again.transform(counts), fewer.transform(counts))
    assert_array_equal(
        methods.make(method, GENES, lengths, {"top_variance": 30}).fit_transform(counts[:20]),
        fewer.transform(counts[:20]),
    )


def test_held_out_samples_choose_nothing(counts):
    """Gene 50 varies most of all, in held-out samples only."""
    changed = counts.copy()
    changed[20:, 50] = np.tile([0, 90_000], 5)
    for options in ({"top_variance": 20}, {"min_variance": 0.5}):
        assert kept(counts[:20], options) == kept(changed[:20], options)
        assert "g50" not in kept(counts[:20], options) and "g50" in kept(changed, options)


def test_limits_that_leave_no_gene_are_refused(counts):
    with pytest.raises(InputProblem, match=r"no gene of 200 is left by expression.filter .*min_mean"):
        kept(counts, {"min_mean": 50})


def test_a_variance_is_not_lost_beside_a_large_mean():
    rng = np.random.default_rng(0)
    values = 1e6 + rng.normal(size=(50, 4)) * [0.1, 1, 2, 3]
    chosen = filtering.by_variation({"min_variance": 0.5, "top_variance": 2}, iter(values))
    assert chosen.tolist() == [False, False, True, True]


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "int32", "float32", "fortran", "bool"])
def test_every_kind_of_matrix_gives_the_same_bits(kind, counts):
    sparse = pytest.importorskip("scipy.sparse")
    if kind == "bool":
        counts = counts > 150
    dense = counts.astype(float)
    converted = {
        "csr": sparse.csr_matrix,
        "csc": sparse.csc_matrix,
        "coo": sparse.coo_array,
        "int32": np.int32,
        "float32": np.float32,
        "fortran": np.asfortranarray,
        "bool": np.asarray,
    }[kind](counts)
    fitted, other = (methods.make("tmm", GENES, gene_filter="none").fit(c) for c in (dense, converted))
    assert_array_equal(other.transform(converted), fitted.transform(dense))
    assert_array_equal(filtering.by_expression(converted), filtering.by_expression(dense))
    aligned, missing = fitted.align(converted, GENES)
    assert missing == [] and np.array_equal(aligned, dense)


def test_entries_of_a_sparse_matrix_that_are_there_twice_add_up():
    sparse = pytest.importorskip("scipy.sparse")
    twice = sparse.csr_matrix((np.array([2.0, 3.0, 1.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), (2, 2))
    assert [row.tolist() for row in SampleRows.of(twice)] == [[0, 5], [1, 0]] and twice.nnz == 3
