"""Histogram gradient boosting learns the same from bins found here as from those scikit-learn finds."""

import contextlib
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting import binning as theirs

from rna2model.models.trees import classifiers, histogram_bins

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
WITHIN_A_GENE = st.lists(st.one_of(finite, st.sampled_from([0.0, -0.0, 1.0])), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(values=WITHIN_A_GENE, max_bins=st.integers(2, 60))
def test_limits_are_scikit_learns_bit_for_bit(values, max_bins):
    values = np.array(values)
    expected = theirs._find_binning_thresholds(values, max_bins)
    thresholds = histogram_bins.limits(values, max_bins, others=theirs._find_binning_thresholds)
    np.testing.assert_array_equal(thresholds, expected)


@pytest.mark.parametrize("samples", [12, 60, 90])
@pytest.mark.parametrize("weighted", [False, True])
def test_models_are_the_same_with_ties_and_constant_genes(samples, weighted):
    rng = np.random.default_rng(samples)
    X = rng.normal(size=(samples, 300))
    X[:, :100] = X[:, :100].round(1)
    X[:, :5] = 0
    y = np.arange(samples) % 3
    weights = 1 + (y == 0) if weighted else None
    probabilities = []
    for more in ({}, {"max_bins": 63}):
        booster = HistGradientBoostingClassifier(
            **{**classifiers.small_trees(samples, 1), **more}, max_iter=8
        )
        with classifiers._threads(1), contextlib.nullcontext() if more else histogram_bins.quick():
            booster.fit(X, y, weights)
        probabilities.append(booster.predict_proba(X))
    np.testing.assert_array_equal(*probabilities)
    assert np.ptp(probabilities[0]) > 0.1  # it learned something to compare


def test_scikit_learn_is_as_it_was_afterwards_even_after_an_error():
    before = [getattr(theirs, name) for name in ("Parallel", "delayed", "_find_binning_thresholds")]
    with pytest.raises(ZeroDivisionError), histogram_bins.quick():
        1 / 0  # noqa: B018
    assert [getattr(theirs, name) for name in ("Parallel", "delayed", "_find_binning_thresholds")] == before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU libc gives freed memory back at once")
def test_memory_of_freed_histograms_is_used_again():
    """In a process of its own, since it lasts: page faults while four arrays of 20 MB are taken and freed, 20 times."""
    code = """
import resource
import numpy as np
from rna2model.models.trees import histogram_bins
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        [np.ones(2_500_000) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults()
histogram_bins.keep_freed_memory()
faults()
print(before, faults())
"""
    environment = {**os.environ, "NUMPY_MADVISE_HUGEPAGE": "0"}  # whose pages are few, freed or not
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    before, after = map(int, out.stdout.split())
    assert before > 50_000 and after < before / 10
