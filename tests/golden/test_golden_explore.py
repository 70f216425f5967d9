"""What `expression/` shows, against R's DESeq2 and sva (versions in data/versions.tsv), on the sets in data/ and on whole published ones."""

import numpy as np
import pandas as pd
import pytest
from tests.golden.test_golden import Golden

from rna2model.explore import combat_seq, differential


@pytest.fixture(params=["airway", "pasilla"])
def golden(request):
    return Golden(request.param)


@pytest.mark.parametrize("what", ["combat_seq", "combat_seq_protected"])
def test_combat_seq_equals_sva_s(golden, what):
    """sva 3.46.0. With groups edgeR stops its fit at a deviance of 1e-6, so that a count in a thousand rounds the other way."""
    groups = golden.labels if what.endswith("protected") else None
    adjusted = combat_seq.adjust(golden.counts, golden.batches, groups)
    ours = pd.DataFrame(adjusted.T, golden.table.index, golden.samples.index)
    theirs = golden.read(what).set_index("gene_id")
    difference = np.abs(ours.loc[theirs.index, theirs.columns] - theirs).to_numpy()
    assert difference.max() <= (1 if groups is not None else 0)
    assert (difference == 0).mean() >= (0.999 if groups is not None else 1)


def compare(ours, theirs):
    """(ours, theirs): DataFrames with DESeq2's names of the columns, of the genes that both tested."""
    names = {"base_mean": "baseMean", "log2_fold_change": "log2FoldChange", "lfc_se": "lfcSE", "p": "pvalue"}
    ours = ours.set_index("gene_id").rename(columns=names).loc[theirs.index]
    return ours, theirs


def test_differential_expression_agrees_with_deseq2(golden):
    """DESeq2 1.38.3, ~ batch + label, its default Cook's distances and independent filtering.

    What is computed in closed form is equal. The rest rests on dispersions, which pydeseq2 finds by another optimiser;
    DESeq2's own stops at a change of 1e-6 in the likelihood, and draws its prior at random for airway's three degrees of freedom.
    That moves a fold change by parts of ten thousand, a standard error by a hundredth; genes of few counts, whose means
    pydeseq2 does not bound in the standard error, more. Which genes are significant is the same.
    """
    table, notes = differential.test(
        golden.counts, golden.labels, {"batch": golden.batches}, list(golden.table.index)
    )
    theirs = golden.read("deseq2").set_index("gene_id")
    ours, theirs = compare(table, theirs)
    assert notes == []
    assert ours["baseMean"].to_numpy() == pytest.approx(theirs["baseMean"].to_numpy(), rel=1e-9)
    assert (ours["pvalue"].isna() == theirs["pvalue"].isna()).all()
    seen = theirs["baseMean"] >= 10
    error = {
        name: (np.abs(ours[name] - theirs[name]) / np.abs(theirs[name]))[seen]
        for name in ("log2FoldChange", "lfcSE", "stat")
    }
    assert error["log2FoldChange"].median() < 1e-3 and error["log2FoldChange"].quantile(0.9) < 5e-3
    assert error["lfcSE"].median() < 0.02 and error["lfcSE"].quantile(0.99) < 0.05
    assert error["stat"].median() < 0.02 and error["stat"].quantile(0.95) < 0.05
    assert ((ours["padj"] < 0.05) == (theirs["padj"] < 0.05)).mean() >= 0.995
    assert np.corrcoef(np.log10(ours["pvalue"]), np.log10(theirs["pvalue"]))[0, 1] > 0.999


@pytest.mark.parametrize("name", ["pasilla", "airway"])
def test_combat_seq_equals_sva_s_on_whole_published_sets(real_data, name):
    """sva 3.46.0 on the genes that filterByExpr keeps, with labels as groups."""
    folder = real_data / "matrices" / name
    samples = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str)
    kept = (folder / "reference/R_filterByExpr_genes.txt").read_text().split()
    table = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0).loc[kept, samples["sample"]]
    adjusted = combat_seq.adjust(table.T, samples["batch"].to_numpy(), samples["label"].to_numpy())
    theirs = pd.read_csv(folder / "reference/R_ComBat_seq_300genes.tsv.gz", sep="\t", index_col=0)
    ours = pd.DataFrame(adjusted.T, table.index, table.columns).loc[theirs.index, theirs.columns]
    assert (ours == theirs).to_numpy().mean() > 0.995 and np.abs(ours - theirs).to_numpy().max() <= 1
