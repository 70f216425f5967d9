"""Principal components that figures, diagnostics, clusters and embeddings share."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from rna2model.explore import batch_diagnostics, pca


@pytest.mark.parametrize(("n", "g"), [(30, 800), (12, 40), (4, 600)])
def test_components_are_scikit_learns_of_the_500_most_variable_genes(n, g):
    rng = np.random.default_rng(n)
    values = rng.normal(size=(n, g)) * rng.lognormal(0, 1, g)
    top = values[:, np.argsort(-values.var(axis=0))[:500]]
    count = min(3, n - 1)
    own = PCA(count, svd_solver="full").fit(top)
    expected = own.transform(top)
    scores = pca.scores(values, count)
    assert_allclose(np.abs(scores), np.abs(expected), atol=1e-9 * np.abs(expected).max())
    table = pca.table({"view": values}, [f"s{i}" for i in range(n)])
    assert_allclose(table["PC1"].abs(), np.abs(expected[:, 0]), atol=1e-4)
    assert_allclose(table["pc1_pct"], 100 * own.explained_variance_ratio_[0], atol=0.006)
    positions, variances = batch_diagnostics.components(values)
    assert_allclose(np.abs(positions[:, :count]), np.abs(expected), atol=1e-9 * np.abs(expected).max())
    assert_allclose(variances[:count] / (n - 1), own.explained_variance_, rtol=1e-9)


def test_samples_that_are_all_alike_have_no_component():
    same = np.tile(np.arange(20.0), (5, 1))
    assert pca.scores(same, 3).shape == (5, 0)
    assert (pca.table({"view": same}, list("abcde"))[["PC1", "pc1_pct"]] == 0).all(axis=None)
