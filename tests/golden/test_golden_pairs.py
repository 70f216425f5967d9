"""ktsp: the pairs, their order and their scores are those of switchBox (make_pairs.R), on two published sets."""

from pathlib import Path

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rna2model.models import top_pairs


@pytest.mark.parametrize("name", ["cervical_mirna", "hapmap_tsi_gender"])
def test_pairs_equal_those_of_switchbox(real_data, name):
    golden = pd.read_csv(Path(__file__).parent / "data/switchbox.tsv", sep="\t")
    golden = golden[golden["set"] == name]
    folder = real_data / "matrices" / name
    values = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)
    samples = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    values = values.iloc[:: 10 if len(values) > 1000 else 1][samples["sample"]]
    y = (samples["label"] == max(samples["label"])).to_numpy().astype(int)
    chosen = top_pairs.top_pairs(top_pairs.within_sample_ranks(values.T.to_numpy()), y, [1], len(values), 9)
    pairs = list(zip(values.index[chosen["higher"]], values.index[chosen["lower"]], strict=True))
    assert pairs == list(zip(golden["higher"], golden["lower"], strict=True))
    # switchBox adds the rank-difference score over a million
    assert_allclose(chosen["score"], golden["score"], atol=5e-5)
