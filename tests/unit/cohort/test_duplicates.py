"""A library under two names is found before it can be in two folds."""

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import cohort, duplicates
from rna2model.core.errors import InputProblem


def data(counts):
    names = [f"s{number}" for number in range(len(counts))]
    return cohort.Cohort(counts, names, [f"g{n}" for n in range(counts.shape[1])], None, {})


def libraries(n=12, genes=5000, seed=0):
    """Samples of one tissue: the same genes high and low, and a fifth of biological variation."""
    rng = np.random.default_rng(seed)
    means = rng.lognormal(4, 2, genes) * np.exp(rng.normal(0, 0.2, (n, genes)))
    return rng.poisson(means), means, rng


def test_one_library_under_two_names_is_refused_unless_they_are_one_group():
    cohort = data(np.array([[1, 2, 3], [4, 5, 6], [1, 2, 3]]))
    with pytest.raises(InputProblem, match="samples s0 and s2 have exactly the same counts"):
        duplicates.check(cohort)
    duplicates.check(cohort, groups=["d1", "d2", "d1"])


def test_a_library_sequenced_again_is_found_and_samples_of_one_tissue_are_not():
    counts, means, rng = libraries()
    duplicates.check(data(counts))
    counts[7] = rng.poisson(40 * means[2])
    counts[2] = rng.poisson(40 * means[2])
    with pytest.raises(InputProblem, match=r"samples s2 and s7 correlate by 0\.999"):
        duplicates.check(data(counts))
    duplicates.check(data(counts), groups=["d"] * 12)


def test_logarithms_are_compared_as_they_are():
    counts, _, rng = libraries()
    logs = np.log2(counts + 1.0)
    duplicates.check(data(logs))
    logs[5] = logs[4] + rng.normal(0, 0.01, logs.shape[1])
    with pytest.raises(InputProblem, match="samples s4 and s5 correlate"):
        duplicates.check(data(logs))


@pytest.mark.parametrize("name", ["airway", "pasilla", "bladderbatch", "hapmap_tsi_gender", "cervical_mirna"])
def test_no_two_samples_of_published_sets_are_one_library(real_data, name):
    path = real_data / f"matrices/{name}/counts.tsv.gz"
    duplicates.check(data(pd.read_csv(path, sep="\t", index_col=0).T.to_numpy()))


def test_the_copies_in_a_published_set_are_found(real_data):
    path = real_data / "matrices/ecoli_precise/counts.tsv.gz"
    with pytest.raises(InputProblem, match="exactly the same counts"):
        duplicates.check(data(pd.read_csv(path, sep="\t", index_col=0).T.to_numpy()))
