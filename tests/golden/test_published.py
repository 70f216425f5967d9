"""The library's numbers against R's on whole published sets: four of counts, bladder arrays and a compendium of 21 studies.

R's numbers of a few genes are in data/published.*; the sets lie beside the repository, and tests without them are skipped.
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rna2model.expression.batch import registry
from rna2model.expression.normalization import gene_filter, methods

DATA = Path(__file__).parent / "data"
COUNTS = ["airway", "pasilla", "hapmap_tsi_gender", "cervical_mirna"]
LOGS = ["bladderbatch", "ecoli_precise"]


@cache
def published(folder, name):
    """A set as make.R reads it: values (samples x genes), its genes and samples, batches and labels."""
    samples = pd.read_csv(folder / name / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    table = pd.read_csv(folder / name / "counts.tsv.gz", sep="\t", index_col=0)[samples["sample"]]
    n, values = len(samples), table.T.to_numpy(float)
    batches = {"cervical_mirna": samples.get("pair"), "hapmap_tsi_gender": np.resize(["a", "b", "c"], n)}
    labels = {"ecoli_precise": np.resize(["a", "b"], n)}
    labels["bladderbatch"] = np.where(samples["label"] == "Cancer", "b", "a")
    return (
        values,
        list(table.index.astype(str)),
        list(samples["sample"]),
        np.asarray(batches.get(name, samples.get("batch"))).astype(str),
        np.asarray(labels.get(name, samples["label"])).astype(str),
    )


@pytest.fixture
def of(real_data):
    return lambda name: published(real_data / "matrices", name)


@cache
def theirs(name):
    return pd.read_csv(DATA / f"published.{name}.tsv.gz", sep="\t", dtype={"gene_id": str})


def check(name, view, ours, genes, samples, **tolerance):
    """`ours` (samples, genes) are R's numbers of `view`, at the genes shown."""
    shown = theirs(name)[theirs(name)["view"] == view].set_index("gene_id")[samples]
    assert len(shown) >= 6
    computed = pd.DataFrame(ours.T, index=genes, columns=samples).loc[shown.index].to_numpy()
    assert computed == pytest.approx(shown.to_numpy(), **({"rel": 1e-8, "abs": 1e-8} | tolerance)), (
        name,
        view,
    )


@pytest.mark.parametrize("name", COUNTS)
def test_factors_are_those_of_edger_and_deseq2(name, of):
    """edgeR's RLE is the DESeq2 size factor over the library size, scaled so that all multiply to one; its median of an even
    number of genes halves ratios where DESeq2 halves their logarithms."""
    values, genes, samples, *_ = of(name)
    expected = pd.read_csv(DATA / f"published.{name}.factors.tsv", sep="\t", dtype={"sample": str})
    expected = expected.set_index("sample").loc[samples]

    def factors(method):
        return methods.make(method, genes, gene_filter="none").fit(values).factors(values)

    assert factors("tmm") == pytest.approx(expected["TMM"].to_numpy(), rel=1e-12)
    size = factors("deseq2")
    assert size == pytest.approx(expected["deseq2"].to_numpy(), rel=1e-12)
    relative = size / values.sum(axis=1)
    assert relative / np.exp(np.log(relative).mean()) == pytest.approx(expected["RLE"].to_numpy(), rel=1e-8)
    if expected["upperquartile"].isna().any() or (expected["upperquartile"] == 0).any():
        assert (
            name == "cervical_mirna"
        )  # three quarters of the miRNAs have no count somewhere: no such factor
        with pytest.raises(Exception, match="the upper quartile of its counts is zero"):
            factors("upper_quartile")
    else:
        assert factors("upper_quartile") == pytest.approx(expected["upperquartile"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize("name", COUNTS)
def test_the_filter_keeps_edger_s_genes(name, of):
    values, genes, _, _, labels = of(name)
    expected = pd.read_csv(DATA / "published.kept.tsv", sep="\t").query("set == @name").set_index("group")
    for group, groups in (("label", labels), ("one_group", None)):
        kept = [genes[i] for i in np.flatnonzero(gene_filter.by_expression(values, groups))]
        assert len(kept) == expected.loc[group, "genes"]
        assert (
            hashlib.md5("".join(f"{gene}\n" for gene in kept).encode()).hexdigest()
            == expected.loc[group, "md5"]
        )


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("name", COUNTS)
def test_log_expression_is_that_of_edger(name, dtype, of):
    """float32 is what is given out, not what is computed in: R's numbers are met to 1e-6 in either."""
    values, genes, samples, _, labels = of(name)
    tolerance = {"rel": 1e-6, "abs": 1e-6} if dtype == np.float32 else {}
    for view, method in (("logcpm", "tmm"), ("logcpm_upper_quartile", "upper_quartile")):
        fitted = methods.make(method, genes).fit(values.astype(np.int32), labels)
        check(name, view, fitted.transform(values, dtype), fitted.genes_, samples, **tolerance)
    lengths = 1000 + np.arange(1, len(genes) + 1)
    fitted = methods.make("fpkm", genes, lengths, gene_filter="none").fit(values)
    check(name, "rpkm", 2 ** fitted.transform(values) - 1, genes, samples)


@pytest.mark.parametrize("name", COUNTS)
def test_variance_stabilised_values_are_those_of_deseq2(name, of):
    """With DESeq2's own dispersion trend to rounding. The trend fitted here differs by up to a hundredth, and the values by
    up to three thousandths: the likelihood of a gene's dispersion is the same, but pydeseq2 ends within 1e-6 of its maximum
    and DESeq2 1.38.3 ends its line search up to a tenth away (hapmap: a hundredth in half the genes)."""
    values, genes, samples, *_ = of(name)
    fitted = methods.make("vst", genes, gene_filter="none").fit(values)
    check(name, "vst", fitted.transform(values), genes, samples, rel=VST[name])
    trend = pd.read_csv(DATA / "published.trend.tsv", sep="\t", index_col="set").loc[name]
    assert fitted.trend_ == pytest.approx(trend.to_numpy(), rel=2e-2)
    fitted.trend_ = trend.to_numpy()
    check(name, "vst", fitted.transform(values), genes, samples)


VST = {"airway": 1e-3, "pasilla": 1e-3, "hapmap_tsi_gender": 3e-3, "cervical_mirna": 3e-3}
OPTIONS = {
    "combat": ("combat", {}),
    "combat_mean_only": ("combat", {"mean_only": True}),
    "combat_reference": ("combat", {"reference": "first"}),
    "limma": ("limma", {}),
    "limma_protected": ("limma", {}),
}


def expression(name, of):
    """Log2 expression that make.R corrects, its genes, and samples, batches, labels."""
    values, genes, *rest = of(name)
    if name in LOGS:
        return values, genes, *rest
    fitted = methods.make("tmm", genes).fit(values, rest[2])
    return fitted.transform(values).round(10), fitted.genes_, *rest


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("view", OPTIONS)
@pytest.mark.parametrize("name", [*COUNTS, *LOGS])
def test_corrected_values_are_those_of_sva_and_limma(name, view, dtype, of):
    """Values given as float32 have lost their eighth digit, and a reference of two samples that are nearly equal enlarges
    that loss."""
    values, genes, samples, batches, labels = expression(name, of)
    method, options = OPTIONS[view]
    if "reference" in options:
        options = {"reference": min(batches)}
    values = values.astype(dtype)
    protect = labels if view.endswith("protected") else None
    corrected = (
        registry.make(method, **options).fit(values, batches, protect=protect).transform(values, batches)
    )
    assert corrected.dtype == dtype
    lost = 2e-5 if (name, view) == ("airway", "combat_reference") else 1e-6
    tolerance = {"rel": lost, "abs": lost} if dtype == np.float32 else {}
    check(name, view, corrected, genes, samples, **tolerance)


@pytest.mark.parametrize("name", [*COUNTS, *LOGS])
def test_protected_combat_learns_the_batches_of_sva(name, of):
    """sva puts a sample's own label back before it scales; a new sample has none, and is scaled around the mean of all. With
    the label put back as sva does, the samples are sva's."""
    values, genes, samples, batches, labels = expression(name, of)
    model = registry.make("combat").fit(values, batches, protect=labels)
    number = np.searchsorted(model.batches_, batches)
    case = labels == max(labels)
    design = np.column_stack([np.eye(len(model.batches_))[number], case])
    effect = np.linalg.lstsq(design, values, rcond=None)[0][-1]
    own = model.mean_ + (case - case.mean())[:, None] * effect
    standard = (values - own) / model.sd_ - model.shift_[number]
    corrected = standard / model.scale_[number] * model.sd_ + own
    passed = ~model.shift_.any(axis=0)  # constant within a batch: sva leaves them
    corrected[:, passed] = values[:, passed]
    check(name, "combat_protected", corrected, genes, samples)
