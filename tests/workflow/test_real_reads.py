"""Published reads: the workflow's counts against tables made with the plain tools."""

import gzip
import json
import random

import pandas as pd
import pytest
import yaml

from rna2model.qc.fragment_fates import FATES
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow.conftest import Run


def run_on(data, folder, config, *targets):
    settings = {
        "samples": str(data / "samples.tsv"),
        "reference": {"fasta": str(data / "genome.fa.gz"), "gtf": str(data / "annotation.gtf.gz")},
        "design": {"target": "label"},
        "models": ["logistic_l2"],
        **config,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    snakemake(folder, *LOCAL, *targets, check=True)
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
    config = {"evaluation": {"folds": 2}}
    return run_on(real_data / "fastq/fly_smn", tmp_path_factory.mktemp("fly"), config, "counts")


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
    correlations = agreement(fly.matrix(), reference)
    assert len(correlations) == 4 and min(correlations.values()) >= 0.99, correlations


def test_yeast_is_reverse_and_agrees_with_htseq(yeast, real_data):
    assert set(yeast.table("samples.tsv")["strandedness"]) == {"reverse"}
    reference = pd.read_csv(
        real_data / "fastq/yeast_stress/reference/htseq_reverse_union.tsv", sep="\t", index_col=0
    )
    correlations = agreement(yeast.matrix(), reference)
    assert len(correlations) == 9 and min(correlations.values()) >= 0.99, correlations


def test_yeast_counts_of_featurecounts_and_htseq_agree_on_the_same_alignments(yeast):
    """Only counting runs again. What differs are fragments that lie in two genes (see test_exactness)."""
    before = yeast.matrix()
    config = yaml.safe_load((yeast.folder / "config.yaml").read_text())
    (yeast.folder / "other.yaml").write_text(
        yaml.safe_dump(config | {"quantification": {"tool": "featurecounts"}})
    )
    targets = [f"results/counts/{name}.tsv" for name in before]
    snakemake(yeast.folder, *LOCAL, *targets, config="other.yaml", check=True)
    after = pd.concat([pd.read_csv(yeast.folder / path, sep="\t", index_col=0) for path in targets], axis=1)
    assert (after.to_numpy() == before.loc[after.index].to_numpy()).mean() >= 0.995
    snakemake(yeast.folder, *LOCAL, *targets, check=True)  # as it was, for the other tests


def test_pairs_of_which_star_aligns_one_mate_are_counted_once_by_the_default_tools(real_data, tmp_path):
    """Of temp33_2 STAR aligns one mate alone, which featureCounts takes for two fragments where it sees both (2.0.3)."""
    data, names = real_data / "fastq/yeast_stress", ["ref1", "temp33_2"]
    sheet = pd.read_csv(data / "samples.tsv", sep="\t", dtype=str)
    sheet = sheet[sheet["sample"].isin(names)]
    for column in ("fastq_1", "fastq_2"):
        sheet[column] = [str(data / path) for path in sheet[column]]
    sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    run = run_on(
        data, tmp_path, {"samples": "samples.tsv", "evaluation": {"folds": 2}}, "results/samples.tsv"
    )
    status = run.table("samples.tsv").set_index("sample").loc[names]
    assert (status["status"] == "included").all() and (status["flags"] == "").all()
    assert (status["unaccounted"] == 0).all()
    assert (status[FATES].sum(axis=1) == status["reads"]).all()
    library = json.loads((run.results / "qc/temp33_2/temp33_2.library.json").read_text())
    assert library["flagstat"]["QC-passed reads"]["singletons"] > 0


def draw_library(folder, name, genome, exons, fragments=11000, insert=180, length=68, seed=1):
    """Read pairs of a reverse-stranded library drawn from exons; writes both FASTQ files."""
    rng, texts = random.Random(seed), ([], [])
    swap = str.maketrans("ACGTN", "TGCAN")
    long = [exon for exon in exons if exon[1] - exon[0] >= insert]
    for number in range(fragments):
        start, end, strand = rng.choice(long)
        first = rng.randrange(start, end - insert + 1)
        piece = genome[first : first + insert]
        back = piece.translate(swap)[::-1]
        sense, antisense = (piece, back) if strand == "+" else (back, piece)
        for mate, bases in enumerate((antisense, sense)):
            texts[mate].append(f"@r{number}/{mate + 1}\n{bases[:length]}\n+\n{'I' * length}\n")
    for mate, text in enumerate(texts, start=1):
        (folder / f"{name}_R{mate}.fastq.gz").write_bytes(gzip.compress("".join(text).encode()))


def test_reads_that_hardly_align_are_excluded_with_that_reason_and_others_go_on(real_data, tmp_path):
    """Published reads of fission yeast against a genome of 200 genes: 4-11 % align. Two libraries drawn from that
    genome stand beside them."""
    data = real_data / "fastq/spombe_growth"
    genome = "".join(gzip.decompress((data / "genome.fa.gz").read_bytes()).decode().split("\n")[1:]).upper()
    lines = (
        line.split("\t")
        for line in gzip.decompress((data / "annotation.gtf.gz").read_bytes()).decode().splitlines()
    )
    exons = [(int(c[3]) - 1, int(c[4]), c[6]) for c in lines if len(c) == 9 and c[2] == "exon"]
    sheet = pd.read_csv(data / "samples.tsv", sep="\t", dtype=str)
    bad = list(sheet["sample"])
    for column in ("fastq_1", "fastq_2"):
        sheet[column] = [str(data / path) for path in sheet[column]]
    for seed, name in enumerate(("good_1", "good_2"), start=1):
        draw_library(tmp_path, name, genome, exons, seed=seed)
        row = {
            "sample": name,
            "label": "drawn",
            "fastq_1": f"{name}_R1.fastq.gz",
            "fastq_2": f"{name}_R2.fastq.gz",
        }
        sheet = pd.concat([sheet, pd.DataFrame([row])])
    sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    settings = {
        "samples": "samples.tsv",
        "reference": {"fasta": str(data / "genome.fa.gz"), "gtf": str(data / "annotation.gtf.gz")},
        "alignment": {
            "tool": "hisat2"
        },  # STAR searches half a minute for ten thousand pairs that lie nowhere
        "design": {"target": "label"},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    snakemake(tmp_path, *LOCAL, "counts", check=True)
    run = Run(tmp_path, tmp_path / "results")
    status = run.table("samples.tsv").set_index("sample")
    assert (status.loc[bad, "status"] == "excluded").all()
    assert status.loc[bad, "reason"].str.startswith("too few reads mapped: ").all()
    assert status.loc[bad, "mapped_pct"].astype(float).between(3, 12).all()
    assert (status.loc[["good_1", "good_2"], "status"] == "included").all()
    assert list(run.matrix().columns) == ["good_1", "good_2"]


def test_yeast_has_no_label_signal_and_no_model_finds_one(yeast):
    """Its counts carry no biology (SOURCE.txt of the data set): a negative control of the whole workflow."""
    metrics = json.loads((yeast.results / "models/logistic_l2/metrics.json").read_text())
    assert metrics["permutation"]["p"] > 0.05
    assert metrics["auroc"]["lower"] < 0.5 < metrics["auroc"]["upper"]
