"""Lanes and halves of one library are found at any share of the depth; biological replicates are not."""

import time

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import cohort, counting_noise, duplicates
from rna2model.core.errors import InputProblem

COUNTED = ("airway", "pasilla", "hapmap_tsi_gender", "cervical_mirna")


def data(counts):
    names = [f"s{number}" for number in range(len(counts))]
    return cohort.Cohort(counts, names, [f"g{n}" for n in range(counts.shape[1])], None, {})


def published(real_data, name):
    return (
        pd.read_csv(real_data / f"matrices/{name}/counts.tsv.gz", sep="\t", index_col=0)
        .T.to_numpy()
        .astype(int)
    )


def libraries(variation, n=10, genes=5000, depth=5e6, seed=1):
    """(n, genes) expected counts of replicates whose genes vary by `variation` between them."""
    rng = np.random.default_rng(seed)
    share = rng.lognormal(0, 2, genes)
    means = share / share.sum() * depth * rng.uniform(0.5, 2, (n, 1))
    return means * rng.gamma(1 / variation**2, variation**2, (n, genes)), rng


@pytest.mark.parametrize("variation", [0.05, 0.1, 0.4])
@pytest.mark.parametrize("depth", [5e4, 1e6, 2e7])
@pytest.mark.parametrize("seed", range(2))
def test_biological_replicates_are_not_one_library(variation, depth, seed):
    means, rng = libraries(variation, depth=depth, seed=seed)
    assert duplicates.check(data(rng.poisson(means))) == []


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
@pytest.mark.parametrize("technical", [0.0, 0.012])
@pytest.mark.parametrize("scale", [1, 0.97])
def test_two_draws_of_one_library_are_refused_at_any_share_of_the_depth(share, technical, scale):
    """Also with the slight overdispersion of technical replicates, and as expected counts that are no integers."""
    means, rng = libraries(0.3, depth=4e7)
    again = (
        share * means[3] * rng.gamma(1 / max(technical, 1e-4) ** 2, max(technical, 1e-4) ** 2, means.shape[1])
    )
    counts = np.vstack([rng.poisson(means), rng.poisson(again)]) * scale
    with pytest.raises(
        InputProblem, match=r"samples s3 and s10 .* they are one library.*`exclude`.*design.group.*sum them"
    ):
        duplicates.check(data(counts), unit="expected_counts")
    assert duplicates.check(data(counts), groups=[*range(10), 3]) == []


def test_shallow_halves_are_doubtful_and_where_all_samples_look_alike_nothing_is_said():
    means, rng = libraries(0.3, depth=2e5)
    counts = np.vstack([rng.poisson(means), rng.poisson(means[3])])
    ((sample, other, _, upper, ordinary),) = duplicates.check(data(counts))
    assert (sample, other) == ("s3", "s10") and 0.03 < upper < 0.15 and ordinary > 0.2
    assert duplicates.check(data(rng.poisson(means[[0] * 10]))) == []  # without any biological variation


def test_the_variation_is_estimated_without_bias_whatever_the_depths_are():
    for variation in (0.02, 0.1, 0.3):
        means, rng = libraries(variation, n=2, depth=1e7)
        first, second = rng.poisson(means * [[1], [0.1]])
        estimate, lower, upper = counting_noise.variation(first, second)
        assert lower < variation < upper and estimate == pytest.approx(variation, rel=0.12, abs=0.005)


def test_no_two_samples_of_published_counts_are_taken_for_lanes(real_data):
    for name in COUNTED:
        assert duplicates.check(data(published(real_data, name))) == [], name


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("name", ["airway", "pasilla", "hapmap_tsi_gender"])
def test_every_published_library_in_two_parts_is_found(real_data, name, share):
    whole = published(real_data, name)
    part = np.random.default_rng(1).binomial(whole, share)
    pairs = counting_noise.pairs(np.vstack([part, whole - part]))
    n = len(whole)
    assert [(pair.first, pair.second) for pair in pairs if pair.is_same] == [(i, n + i) for i in range(n)]
    with pytest.raises(InputProblem, match="they are one library"):
        duplicates.check(data(np.vstack([part, whole - part])))


def test_a_thousand_samples_take_seconds():
    means, rng = libraries(0.3, n=40, genes=20_000)
    counts = np.repeat(rng.poisson(means).astype(np.int32), 25, axis=0)[:, rng.permutation(20_000)]
    started = time.monotonic()
    counting_noise.pairs(counts, groups=np.arange(1000) // 25)
    assert time.monotonic() - started < 30
