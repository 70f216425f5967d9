"""The library's numbers against R's, on the sets in data/ (versions in data/versions.tsv) and on published ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rna2model import batch, filtering, normalization

DATA = Path(__file__).parent / "data"


class Golden:
    """One set: counts (samples x genes) and R's numbers about it."""

    def __init__(self, name):
        self.name = name
        self.table = pd.read_csv(DATA / f"{name}.counts.tsv.gz", sep="\t", index_col=0)
        self.samples = pd.read_csv(DATA / f"{name}.samples.tsv", sep="\t", dtype=str).set_index("sample")
        self.counts = self.table[self.samples.index].T.to_numpy(float)
        self.factors = self.read("factors").set_index("sample").loc[self.samples.index]
        self.labels, self.batches = self.samples["label"].to_numpy(), self.samples["batch"].to_numpy()

    def read(self, what):
        path = DATA / f"{self.name}.{what}.tsv"
        return pd.read_csv(path if path.exists() else f"{path}.gz", sep="\t")

    def fitted(self, method, gene_filter="none"):
        return normalization.make(method, list(self.table.index), gene_filter=gene_filter).fit(
            self.counts, groups=self.labels
        )


@pytest.fixture(params=["airway", "pasilla"])
def golden(request):
    return Golden(request.param)


def test_filter_keeps_edger_s_genes(golden):
    kept = golden.read("kept")
    assert np.array_equal(filtering.by_expression(golden.counts, golden.labels), kept["by_label"])
    assert np.array_equal(filtering.by_expression(golden.counts), kept["one_group"])


@pytest.mark.parametrize("method", ["tmm", "upper_quartile", "deseq2"])
def test_factors_equal_r_s(golden, method):
    factors = golden.fitted(method).factors(golden.counts)
    assert factors == pytest.approx(golden.factors[method].to_numpy(), rel=1e-12)


def test_log_cpm_after_filter_and_tmm_equals_edger_s(golden):
    fitted = golden.fitted("tmm", gene_filter="auto")
    ours = pd.DataFrame(fitted.transform(golden.counts).T, index=fitted.genes_, columns=golden.samples.index)
    theirs = golden.read("logcpm").set_index("gene_id")
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(
        theirs.to_numpy(), rel=1e-10, abs=1e-12
    )


@pytest.mark.parametrize("what", ["combat", "combat_alone"])
def test_combat_equals_sva_s(golden, what):
    """sva 3.46.0; `combat_alone` has its first sample in a batch of one, so only means are corrected."""
    batches = golden.batches.astype(object)
    if what == "combat_alone":
        batches[0] = "alone"
    fitted = golden.fitted("tmm", gene_filter="auto")
    normalized = fitted.transform(golden.counts)
    corrected = batch.make("combat").fit(normalized, batches).transform(normalized, batches)
    ours = pd.DataFrame(corrected.T, index=fitted.genes_, columns=golden.samples.index)
    theirs = golden.read(what).set_index("gene_id")
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(
        theirs.to_numpy(), rel=1e-10, abs=1e-12
    )


PUBLISHED = ["airway", "pasilla", "hapmap_tsi_gender", "cervical_mirna"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_factors_equal_r_s_on_whole_published_sets(real_data, name):
    folder = real_data / "matrices" / name
    theirs = pd.read_csv(folder / "reference/R_norm_factors.tsv", sep="\t", dtype={"sample": str}).set_index(
        "sample"
    )
    table = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)[theirs.index]
    counts = table.T.to_numpy(float)
    for ours, column in (
        ("tmm", "tmm"),
        ("upper_quartile", "upperquartile"),
        ("deseq2", "deseq2_size_factor"),
    ):
        if theirs[column].isna().any() or (theirs[column] == 0).any():
            continue
        fitted = normalization.make(ours, list(table.index), gene_filter="none").fit(counts)
        assert fitted.factors(counts) == pytest.approx(theirs[column].to_numpy(), rel=1e-10), ours


def test_combat_equals_sva_s_on_bladder_arrays(real_data):
    """57 arrays in 5 batches (Dyrskjot et al. 2004): the standard example of sva."""
    folder = real_data / "matrices/bladderbatch"
    samples = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    table = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)[samples["sample"]]
    values, batches = table.T.to_numpy(float), samples["batch"].to_numpy()
    corrected = batch.make("combat").fit(values, batches).transform(values, batches)
    theirs = pd.read_csv(folder / "reference/R_ComBat_nomod_300genes.tsv.gz", sep="\t", index_col=0)
    ours = pd.DataFrame(corrected.T, index=table.index, columns=table.columns)
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(theirs.to_numpy(), rel=1e-6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_filter_and_log_cpm_equal_edger_s_on_whole_published_sets(real_data, name):
    """edgeR 3.40.2: filterByExpr by label; calcNormFactors and cpm(log=TRUE) of all genes, written with 9 digits."""
    folder = real_data / "matrices" / name
    samples = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    table = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)[samples["sample"]]
    counts = table.T.to_numpy(float)
    kept = filtering.by_expression(counts, samples["label"])
    assert list(table.index[kept]) == (folder / "reference/R_filterByExpr_genes.txt").read_text().split()
    fitted = normalization.make("tmm", list(table.index), gene_filter="none").fit(counts)
    theirs = pd.read_csv(folder / "reference/R_edgeR_logcpm_tmm_200genes.tsv.gz", sep="\t", index_col=0)
    ours = pd.DataFrame(fitted.transform(counts).T, index=table.index, columns=table.columns)
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(
        theirs.to_numpy(), rel=1e-7, abs=1e-7
    )
