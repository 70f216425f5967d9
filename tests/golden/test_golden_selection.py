"""The moderated statistics that choose genes, against limma's."""

import numpy as np
import pandas as pd
import pytest
from tests.golden.test_golden import DATA

from rna2model.expression.features import moderated_f


@pytest.mark.parametrize("name", ["airway", "pasilla"])
def test_moderated_statistics_equal_limma_s(name):
    samples = pd.read_csv(DATA / f"{name}.samples.tsv", sep="\t", dtype=str)
    logcpm = pd.read_csv(DATA / f"{name}.logcpm.tsv.gz", sep="\t", index_col=0)[samples["sample"]]
    theirs = pd.read_csv(DATA / f"{name}.moderated.tsv", sep="\t", index_col=0).loc[logcpm.index]
    labels = np.unique(samples["label"], return_inverse=True)[1]
    values = np.arange(1, len(samples) + 1) ** 2.0
    for ours, column in ((labels, "f_label"), (values, "f_value")):
        assert moderated_f.f_statistic(logcpm.T.to_numpy(), ours) == pytest.approx(
            theirs[column].to_numpy(), rel=1e-9
        )
