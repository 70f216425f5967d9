"""Where the files of a sample are, for every way that the config and the sheet can send its reads."""

from types import SimpleNamespace

import pytest

from rna2model.inputs.sheet import Sample
from rna2model.planning.sample_paths import SamplePaths

CONFIG = {
    "results": "results",
    "trimming": {"tool": "fastp", "umi": None, "rrna": None},
    "alignment": {"tool": "star", "min_mapq": 0},
    "quantification": {"tool": "featurecounts"},
    "qc": {"fastqc_reads": 100, "rseqc_fragments": 100},
    "keep": {"trimmed": False, "alignments": True},
}
SAMPLES = {
    "pair": Sample("pair", 2, "auto", "", {}, fastq_1=["a_1.fq", "b_1.fq"], fastq_2=["a_2.fq", "b_2.fq"]),
    "one": Sample("one", 4, "auto", "", {}, fastq_1=["c.fq"]),
    "run": Sample("run", 5, "auto", "", {}, accessions=["SRR1000001"]),
}
for name, layout in (("pair", "paired"), ("one", "single"), ("run", "paired")):
    SAMPLES[name].layout = layout
ALIGNED = {"bam": Sample("bam", 6, "auto", "", {}, bam="x.bam")}


def paths(samples=SAMPLES, only_named=False, **changes):
    config = {key: CONFIG[key] | changes.get(key, {}) if key != "results" else "results" for key in CONFIG}
    return SamplePaths(
        config,
        samples,
        temp=lambda path: f"temp({path})",
        as_input=lambda path: f"{path}!",
        only_named=only_named,
    )


def job(sample):
    return SimpleNamespace(sample=sample)


@pytest.mark.parametrize(
    ("trimming", "steps"),
    [
        ({"tool": "none"}, ["prepared"]),
        ({}, ["prepared", "trimmed"]),
        ({"umi": "in_name"}, ["prepared", "trimmed"]),
        ({"umi": ["NN", "N"], "rrna": "r.fa"}, ["prepared", "with_umi", "trimmed", "without_rrna"]),
    ],
)
def test_reads_go_through_the_steps_that_the_config_asks_for(trimming, steps):
    found = paths(trimming=trimming)
    assert found.steps == steps
    assert [found.before(step) for step in steps[1:]] == steps[:-1]
    assert found.reads_to_align(job("one")) == [f"results/reads/{steps[-1]}/single/one_R1.fastq.gz"]
    assert found.reads_to_align(job("pair")) == [
        f"results/reads/{steps[-1]}/paired/pair_R{mate}.fastq.gz" for mate in (1, 2)
    ]


@pytest.mark.parametrize(
    ("umi", "min_mapq", "filters", "counted"),
    [
        (None, 0, [], "star"),
        ("in_name", 0, ["deduplicated"], "deduplicated"),
        (None, 10, ["selected"], "selected"),
        ("NNN", 10, ["deduplicated", "selected"], "selected"),
    ],
)
def test_each_filter_takes_what_the_one_before_it_left_and_the_last_is_counted(
    umi, min_mapq, filters, counted
):
    found = paths(trimming={"umi": umi}, alignment={"min_mapq": min_mapq})
    assert found.filters == filters and found.counted_bam == f"results/aligned/{counted}/{{sample}}.bam"
    places = ["star", *filters]
    for name, before in zip(filters, places, strict=False):
        assert found.filter_input(name) == f"results/aligned/{before}/{{sample}}.bam"


def test_only_the_last_reads_and_the_alignments_can_be_kept():
    kept, not_kept = paths(keep={"trimmed": True}), paths(keep={"alignments": False})
    assert kept.stored("trimmed", ["x"]) == ["x"] and kept.stored("prepared", ["x"]) == ["temp(x)"]
    assert not_kept.stored("trimmed", ["x"]) == ["temp(x)"]
    assert kept.stored_alignments("b") == "b" and not_kept.stored_alignments("b") == "temp(b)"


def test_lanes_are_files_of_the_user_and_fetched_runs_are_our_own():
    first, second = paths().lanes(1), paths().lanes(2)
    assert first(job("pair")) == ["a_1.fq!", "b_1.fq!"] and second(job("pair")) == ["a_2.fq!", "b_2.fq!"]
    assert second(job("one")) == []
    assert second(job("run")) == ["results/reads/fetched/paired/SRR1000001_R2.fastq.gz"]


def test_alignments_differ_by_sample_only_where_some_come_aligned():
    assert paths().bam == "results/aligned/star/{sample}.bam"
    both = paths(SAMPLES | ALIGNED)
    assert both.bai(job("bam")) == "results/aligned/given/bam.bam.bai"
    assert both.bam(job("one")) == "results/aligned/star/one.bam"
    assert both.layout("bam") == "bam" and both.only_quality("bam") == ["results/qc/bam/bam.stats.txt"]


@pytest.mark.parametrize(
    ("sample", "changes", "kinds"),
    [
        ("one", {}, {"trimming", "rseqc"}),
        ("one", {"trimming": {"tool": "none"}, "qc": {"rseqc_fragments": 0}}, set()),
        ("pair", {"trimming": {"umi": "NN", "rrna": "r.fa"}}, {"trimming", "umi", "rrna", "deduplicated", "rseqc"}),
        ("pair", {"alignment": {"tool": "none"}, "quantification": {"tool": "salmon"}}, {"trimming"}),
        ("bam", {"trimming": {"umi": "in_name"}}, {"deduplicated", "rseqc"}),
    ],
)  # fmt: skip
def test_the_tools_in_use_say_what_became_of_a_sample(sample, changes, kinds):
    found = paths(SAMPLES | ALIGNED, **changes).evidence(job(sample))
    assert set(found) == {"verdict", "library", "summary", "counts"} | kinds
    assert found["counts"] == f"results/counts/{sample}.tsv"


def test_trim_galore_reports_on_each_file():
    tool = {"trimming": {"tool": "trim_galore"}}
    assert len(paths(**tool).evidence_of("pair")["trimming"]) == 2
    assert len(paths(**tool).evidence_of("one")["trimming"]) == 1


def test_multiqc_waits_for_the_last_file_of_each_sample_or_for_all_that_a_bucket_must_send():
    few, all_files = paths().multiqc_inputs(["one"]), paths(only_named=True).multiqc_inputs(["one"])
    assert few == [
        "results/qc/one/one.json",
        "results/qc/one/one.stats.txt",
        "results/qc/one/one.fastqc.tar",
    ]
    assert all_files == paths().multiqc_files(["one"])
    assert {"results/qc/one/one.Log.final.out", "results/qc/one/one.featurecounts.txt.summary"} <= set(
        all_files
    )
