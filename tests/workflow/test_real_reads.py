"""Published reads: the workflow's counts against tables made with the plain tools."""

import pandas as pd
import pytest
import yaml

from tests.conftest import LOCAL, snakemake
from tests.workflow.conftest import Run


def run_on(data, folder, config):
    settings = {
        "samples": str(data / "samples.tsv"),
        "reference": {"fasta": str(data / "genome.fa.gz"), "gtf": str(data / "annotation.gtf.gz")},
        "design": {"target": "label"},
        "models": ["logistic_l2", "random_forest", "mlp"],
        **config,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    snakemake(folder, *LOCAL, check=True)
    return Run(folder, folder / "results")


def agreement(counts, reference):
    """Spearman per sample over genes with at least 5 fragments in either table."""
    reference = reference.reindex(counts.index)
    return {
        name: counts.loc[kept, name].corr(reference.loc[kept, name], method="spearman")
        for name in counts
        for kept in [(counts[name] >= 5) | (reference[name] >= 5)]
    }


def featurecounts_table(path):
    table = pd.read_csv(path, sep="\t", comment="#", index_col=0).iloc[:, 5:]
    return table.rename(columns=lambda name: name.removesuffix(".bam"))


@pytest.fixture(scope="module")
def fly(real_data, tmp_path_factory):
    config = {"evaluation": {"folds": 2, "inner_folds": 2, "permutations": 0}}
    return run_on(real_data / "fastq/fly_smn", tmp_path_factory.mktemp("fly"), config)


@pytest.fixture(scope="module")
def yeast(real_data, tmp_path_factory):
    """HISAT2 and HTSeq here, so that both aligners and both counters meet real reads."""
    config = {
        "alignment": {"tool": "hisat2"},
        "quantification": {"tool": "htseq"},
        "trimming": {"tool": "cutadapt"},
        "evaluation": {"folds": 3, "inner_folds": 2, "permutations": 20},
    }
    return run_on(real_data / "fastq/yeast_stress", tmp_path_factory.mktemp("yeast"), config)


def test_fly_is_unstranded_and_agrees_with_featurecounts_on_hisat2(fly, real_data):
    assert set(fly.table("samples.tsv")["strandedness"]) == {"unstranded"}
    reference = featurecounts_table(real_data / "fastq/fly_smn/reference/featurecounts_s0.txt")
    found = agreement(fly.matrix(), reference)
    assert len(found) == 4 and min(found.values()) >= 0.99, found


def test_yeast_is_reverse_and_agrees_with_htseq(yeast, real_data):
    assert set(yeast.table("samples.tsv")["strandedness"]) == {"reverse"}
    reference = pd.read_csv(
        real_data / "fastq/yeast_stress/reference/htseq_reverse_union.tsv", sep="\t", index_col=0
    )
    found = agreement(yeast.matrix(), reference)
    assert len(found) == 9 and min(found.values()) >= 0.99, found


def test_yeast_has_no_label_signal_and_no_model_finds_one(yeast):
    """Its counts carry no biology (SOURCE.txt of the data set): a negative control of the whole workflow."""
    comparison = yeast.table("models/comparison.tsv").set_index(["model", "metric"])
    assert comparison.loc[("logistic_l2", "balanced_accuracy"), "lower"] <= 1 / 3
