"""The library's numbers against R's, on the sets in data/ (versions in data/versions.tsv) and on published ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rna2model.expression.batch import registry
from rna2model.expression.normalization import gene_filter as filtering
from rna2model.expression.normalization import methods

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
        return methods.make(method, list(self.table.index), gene_filter=gene_filter).fit(
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
    corrected = registry.make("combat").fit(normalized, batches).transform(normalized, batches)
    ours = pd.DataFrame(corrected.T, index=fitted.genes_, columns=golden.samples.index)
    theirs = golden.read(what).set_index("gene_id")
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(
        theirs.to_numpy(), rel=1e-10, abs=1e-12
    )


@pytest.mark.parametrize(
    ("what", "method", "options"),
    [
        ("combat_mean_only", "combat", {"mean_only": True}),
        ("combat_reference", "combat", {}),
        ("limma", "limma", {}),
        ("limma_protected", "limma", {}),
    ],
)
def test_batch_models_equal_r_s(golden, what, method, options):
    """sva 3.46.0, limma 3.54.1. The protected label alternates over the samples."""
    protect = np.resize(["a", "b"], len(golden.counts)) if what.endswith("protected") else None
    if what.endswith("reference"):
        options = {"reference": golden.batches[0]}
    fitted = golden.fitted("tmm", gene_filter="auto")
    normalized = fitted.transform(golden.counts)
    model = registry.make(method, **options).fit(normalized, golden.batches, protect=protect)
    ours = pd.DataFrame(model.transform(normalized, golden.batches).T, fitted.genes_, golden.samples.index)
    theirs = golden.read(what).set_index("gene_id")
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(
        theirs.to_numpy(), rel=1e-9, abs=1e-10
    )


def test_combat_with_protected_labels_learns_sva_s_batches(golden):
    """sva puts a sample's own label back before it scales; a new sample has none. So the shift and the scale of each
    batch are compared: with the label effect put back as sva does, the samples are sva's."""
    labels = np.resize(["a", "b"], len(golden.counts))
    fitted = golden.fitted("tmm", gene_filter="auto")
    normalized = fitted.transform(golden.counts)
    model = registry.make("combat").fit(normalized, golden.batches, protect=labels)
    batches = np.searchsorted(model.batches_, golden.batches)
    design = np.column_stack([np.eye(len(model.batches_))[batches], labels == "b"])
    effect = np.linalg.lstsq(design, normalized, rcond=None)[0][-1]
    own = model.mean_ + ((labels == "b") - (labels == "b").mean())[:, None] * effect
    standard = (normalized - own) / model.sd_
    back = (standard - model.shift_[batches]) / model.scale_[batches] * model.sd_ + own
    ours = pd.DataFrame(back.T, fitted.genes_, golden.samples.index)
    theirs = golden.read("combat_protected").set_index("gene_id")
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(
        theirs.to_numpy(), rel=1e-9, abs=1e-10
    )


@pytest.mark.parametrize(("method", "what"), [("quantile", "quantile"), ("fpkm", "rpkm"), ("vst", "vst")])
def test_other_normalizations_equal_r_s(golden, method, what):
    """limma's quantiles and edgeR's RPKM to rounding. VST: pydeseq2's dispersions are maximised by another optimiser than
    DESeq2's, which moves the trend by parts of a thousand and the lowest values most."""
    lengths = 1000 + np.arange(1, golden.counts.shape[1] + 1)
    fitted = methods.make(method, list(golden.table.index), lengths, gene_filter="none").fit(golden.counts)
    ours = pd.DataFrame(fitted.transform(golden.counts).T, golden.table.index, golden.samples.index)
    theirs = golden.read(what).set_index("gene_id")
    expected = np.log2(theirs + 1) if what == "rpkm" else theirs
    tolerance = 2e-3 if what == "vst" else 1e-9
    ours = ours.loc[theirs.index, theirs.columns]
    assert ours.to_numpy() == pytest.approx(expected.to_numpy(), rel=tolerance, abs=1e-10)
    if what == "vst":  # above the floor it is a thousandth
        seen = (golden.table.loc[theirs.index, theirs.columns] >= 100).to_numpy()
        assert ours.to_numpy()[seen] == pytest.approx(expected.to_numpy()[seen], rel=1e-3)


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
        fitted = methods.make(ours, list(table.index), gene_filter="none").fit(counts)
        assert fitted.factors(counts) == pytest.approx(theirs[column].to_numpy(), rel=1e-10), ours


def test_combat_equals_sva_s_on_bladder_arrays(real_data):
    """57 arrays in 5 batches (Dyrskjot et al. 2004): the standard example of sva."""
    folder = real_data / "matrices/bladderbatch"
    samples = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    table = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)[samples["sample"]]
    values, batches = table.T.to_numpy(float), samples["batch"].to_numpy()
    corrected = registry.make("combat").fit(values, batches).transform(values, batches)
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
    fitted = methods.make("tmm", list(table.index), gene_filter="none").fit(counts)
    theirs = pd.read_csv(folder / "reference/R_edgeR_logcpm_tmm_200genes.tsv.gz", sep="\t", index_col=0)
    ours = pd.DataFrame(fitted.transform(counts).T, index=table.index, columns=table.columns)
    assert ours.loc[theirs.index, theirs.columns].to_numpy() == pytest.approx(
        theirs.to_numpy(), rel=1e-7, abs=1e-7
    )
