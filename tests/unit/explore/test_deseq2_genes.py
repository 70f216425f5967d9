"""The steps of pydeseq2 for many genes at once give what its own steps give, gene by gene."""

import numpy as np
import pytest
from pydeseq2.default_inference import DefaultInference

from rna2model.explore import deseq2_genes

LIMITS = {"min_disp": 1e-8, "max_disp": 10.0}


def simulated(seed, n, genes=60):
    """(counts (n, genes), size factors, design, dispersions): counts of a few to thousands, some genes almost empty."""
    rng = np.random.default_rng(seed)
    design = np.column_stack(
        [np.ones(n), np.resize([0, 1], n), np.repeat([0, 1], n // 2), rng.normal(0, 1, n)]
    )
    dispersions = rng.uniform(0.02, 1, genes)
    size = rng.lognormal(0, 0.3, n)
    means = np.outer(size, 2 ** rng.uniform(-2, 12, genes)) * 2 ** np.outer(
        design[:, 1], rng.normal(0, 2, genes)
    )
    counts = rng.negative_binomial(1 / dispersions, 1 / (1 + means * dispersions))
    counts[0, counts.sum(axis=0) == 0] = 1
    return counts, size, design, dispersions


@pytest.fixture(params=[(0, 10), (1, 24), (2, 60)])
def data(request):
    return simulated(*request.param)


@pytest.fixture(params=[50, 10**6], ids=["many pieces", "one piece"])
def both(request, monkeypatch):
    monkeypatch.setattr(deseq2_genes, "PIECE", request.param)
    return deseq2_genes.AllGenes(n_cpus=2), DefaultInference(n_cpus=1)


def test_regressions_are_those_of_pydeseq2(data, both):
    counts, size, design, dispersions = data
    counts[:, 0] = np.where(
        design[:, 1] == 1, counts[:, 0] + 500, 0
    )  # a class without counts: towards minus infinity
    ours, theirs = (one.irls(counts, size, design, dispersions, 0.5, 1e-8) for one in both)
    for own, other in zip(ours, theirs, strict=True):
        assert own == pytest.approx(other, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("prior", [{}, {"prior_reg": True, "prior_disp_var": 0.6}])
def test_dispersions_are_those_of_pydeseq2(data, both, prior):
    counts, size, design, dispersions = data
    means = both[1].irls(counts, size, design, dispersions, 0.5, 1e-8)[1]
    start = np.full(counts.shape[1], 0.1)
    ours, theirs = (one.alpha_mle(counts, design, means, start, **LIMITS, **prior) for one in both)
    visible = theirs[0] > deseq2_genes.INVISIBLE
    assert visible.mean() > 0.5
    apart = np.abs(np.log(ours[0] / theirs[0]))[visible]
    assert np.median(apart) < 1e-4 and apart.max() < 0.01  # L-BFGS-B stops early where the likelihood is flat
    assert ours[0][~visible] == pytest.approx(theirs[0][~visible], rel=1e-12)  # by pydeseq2 itself


def test_wald_tests_and_linear_means_are_those_of_pydeseq2(data, both):
    counts, size, design, dispersions = data
    beta, means = both[1].irls(counts, size, design, dispersions, 0.5, 1e-8)[:2]
    ridge, contrast = 1e-6 * np.eye(4), np.eye(4)[1]
    ours, theirs = (
        one.wald_test(design, dispersions, beta, means, ridge, contrast, 0.0, None) for one in both
    )
    for own, other in zip(ours, theirs, strict=True):
        assert own == pytest.approx(other, rel=1e-6, abs=1e-12)
    ours, theirs = (one.lin_reg_mu(counts, size, design, 0.5) for one in both)
    assert ours == pytest.approx(theirs, rel=1e-8)
