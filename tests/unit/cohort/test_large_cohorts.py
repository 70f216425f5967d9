"""A large cohort is never copied to double precision: allocations, counted, beside the size of the matrix."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model.cohort import cohort
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods


def allocated(work):
    """(what `work` gives, the most bytes that were allocated at once while it ran)."""
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(1)
    return rng.poisson(rng.lognormal(4, 1, 3000), (800, 3000)).astype(np.int32)


@pytest.mark.parametrize("method", ["tmm", "cpm", "upper_quartile", "deseq2", "quantile", "rank", "none"])
def test_a_normalizer_takes_little_more_than_the_matrix_it_gives_out(method, counts):
    names = [f"g{i}" for i in range(counts.shape[1])]
    fitted, used = allocated(lambda: methods.make(method, names).fit(counts))
    assert used < 0.25 * counts.nbytes
    out, used = allocated(lambda: fitted.transform(counts, dtype=np.float32))
    assert out.dtype == np.float32 and used < 1.25 * counts.nbytes
    exact = fitted.transform(counts)
    assert_array_equal(out, exact.astype(np.float32))
    assert_array_equal(fitted.transform(counts[[7]], dtype=np.float32)[0], out[7])
    assert_array_equal(methods.make(method, names).fit_transform(counts), exact)


@pytest.mark.parametrize("method", ["combat", "limma", "center"])
def test_a_batch_model_takes_blocks_of_genes_and_gives_float32_for_float32(method):
    rng = np.random.default_rng(2)
    values, batches = rng.normal(8, 1, (300, 20_000)).astype(np.float32), np.arange(300) % 6
    values += rng.normal(0, 1, (6, 20_000)).astype(np.float32)[batches]
    fitted, used = allocated(lambda: registry.make(method).fit(values, batches))
    assert used < values.nbytes
    out, used = allocated(lambda: fitted.transform(values, batches))
    assert out.dtype == np.float32 and used < 1.25 * values.nbytes
    assert_array_equal(fitted.transform(values[[7]], batches[[7]])[0], out[7])
    double = registry.make(method).fit(values.astype(float), batches)
    assert_allclose(out, double.transform(values.astype(float), batches), rtol=1e-6, atol=1e-6)


def test_a_cohort_that_nobody_entered_can_be_read(tmp_path):
    """Samples without a label, for pretraining, may all fail quality control."""
    genes = pd.DataFrame({"length": [100, 200]}, index=pd.Index(["a", "b"], name="gene_id"))
    cohort.stream({}, genes, {"s": {"batch": "x"}}, tmp_path / "none.h5ad")
    assert cohort.read(tmp_path / "none.h5ad").counts.shape == (0, 2)
