"""A tool that fails on the data of one sample, late: a verdict on that sample; the others go on to the end of the run."""

import gzip
import os
import shutil
import sys

import pandas as pd
import pytest
import yaml

from rna2model.qc.fragment_fates import FATES
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow.conftest import Run, make_demo

SOUND = ["d01_b2", "d02_b2", "d09_b2", "d10_b2"]
LATE = ["d03_b1", "d04_b1", "d05_b1", "d06_b1", "d07_b1", "d11_b1", "d12_b1"]
LEAN = {"min_reads": 100, "fastqc_reads": 0, "rseqc_fragments": 0}

# Snakemake, started with what a run keeps out: functions that each of its shells reads first. What follows is the command
# that would have started it.
WITH_FUNCTIONS = """
import re, sys
from rna2model.core import environment
environment.DROPPED = re.compile("LANG")
sys.argv[1:] = sys.argv[sys.argv.index("snakemake") + 1 :]
from snakemake.cli import main
main()
"""

# Of the tools in each way: (rule, program, what of its arguments names the job); rules that judge quality only come last.
WAYS = {
    "fastp, STAR, featureCounts": (
        {},
        [
            ("trim_fastp", "fastp", "{sample}_R1"),
            ("align_star", "STAR", "{sample}_R1"),
            ("count_featurecounts", "featureCounts", "/{sample}.txt"),
        ],
        [],
    ),
    "quality of reads": (
        {"qc": {"min_reads": 100, "fastqc_reads": 400, "rseqc_fragments": 100}, "trimming": {"tool": "none"}},
        [],
        [
            ("fastqc", "fastqc", "raw*{sample}_R1"),
            ("alignment_stats", "read_distribution.py", "{sample}.bam"),
        ],
    ),
    "UMIs, cutadapt, rRNA, HISAT2, HTSeq": (
        {
            "trimming": {"tool": "cutadapt", "umi": "NNNNNNNN", "rrna": "rrna.fa"},
            "alignment": {"tool": "hisat2", "min_mapq": 10},
            "quantification": {"tool": "htseq"},
        },
        [
            ("extract_umis", "umi_tools", "extract*{sample}_R1"),
            ("trim_cutadapt", "cutadapt", "{sample}_R1"),
            ("remove_rrna", "bowtie2", "{sample}_R1"),
            ("align_hisat2", "hisat2", "{sample}_R1"),
            ("select_alignments", "samtools", "--expr*{sample}.bam"),
            ("count_htseq", "htseq-count", "{sample}.htseq"),
        ],
        [],
    ),
    "Trim Galore, Salmon": (
        {
            "trimming": {"tool": "trim_galore"},
            "alignment": {"tool": "none"},
            "quantification": {"tool": "salmon"},
        },
        [("trim_galore", "trim_galore", "{sample}_R1"), ("count_salmon", "salmon", "{sample}_R1")],
        [],
    ),
}


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """Eleven small libraries, and a function that runs the workflow on some of them."""
    folder = tmp_path_factory.mktemp("late")
    make_demo(folder, "--pairs", "300")
    whole = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    config = yaml.safe_load((folder / "config.yaml").read_text()) | {"design": {"target": "condition"}}
    config |= {"expression": {}, "models": ["logistic_l2"], "qc": LEAN}
    config["evaluation"] = {"folds": 2, "inner_folds": 2, "permutations": 0}
    chromosome = (folder / "genome.fa").read_text().split("\n", 1)[1].split(">")[0].replace("\n", "")
    (folder / "rrna.fa").write_text(f">r\n{chromosome[:300]}\n")

    def run(name, samples, *targets, check=True, shell=None, **changes):
        whole[whole["sample"].isin(samples)].to_csv(folder / f"{name}.tsv", sep="\t", index=False)
        settings = {**config, "samples": f"{name}.tsv", "results": str(folder / name), **changes}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))
        targets = [str(folder / name / target) if "." in target else target for target in targets]
        within = ["env", f"BASH_ENV={shell}", sys.executable, "-c", WITH_FUNCTIONS] if shell else []
        done = snakemake(folder, *LOCAL, *targets, config=f"{name}.yaml", check=check, within=within)
        return Run(folder, folder / name, done.text)

    run.folder = folder
    return run


def failing(faults):
    """Bash functions in front of the programs of `faults` [(program, arguments)]: with these they fail."""
    lines = []
    for program in dict.fromkeys(program for program, _ in faults):
        cases = " | ".join(f"*{arguments}*" for name, arguments in faults if name == program)
        lines += [
            f"{program}() {{",
            "  local me=$BASHPID",
            f'  case "$* $(readlink /proc/$me/fd/1)" in {cases}) echo "Error: {program} met an odd read" >&2; return 3 ;; esac',
            f'  command {program} "$@"',
            "}",
        ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("way", WAYS)
def test_each_tool_that_fails_on_a_sample_excludes_that_sample_alone(late, way, tmp_path):
    changes, deciding, quality = WAYS[way]
    named = {rule: sample for (rule, _, _), sample in zip(deciding + quality, LATE, strict=False)}
    functions = tmp_path / "functions.sh"
    functions.write_text(
        failing([(tool, where.format(sample=named[rule])) for rule, tool, where in deciding + quality])
    )
    targets = ["counts"] if quality else ["samples.tsv", "cohort.h5ad"]
    name = way.split(",")[0].replace(" ", "_")
    sound = SOUND[2:3] if quality else SOUND[1:3]  # FastQC takes its time
    run = late(name, [*sound, *named.values()], *targets, shell=functions, **changes)

    table = run.table("samples.tsv").set_index("sample")
    for rule, tool, _ in deciding:
        row = table.loc[named[rule]]
        assert row["reason"] == f"{rule} failed twice: Error: {tool} met an odd read", table["reason"]
        assert row["status"] == "excluded" and int(row["reads"]) == int(row["faulty"]) > 100
        log = f"{run.results.name}/logs/{rule}/{named[rule]}.log"
        assert f"  {named[rule]}  {row['reason']}  {log}\n" in run.log
        assert run.log.count(f"Error in rule {rule}:") == 1  # the first time; the second is the verdict
    counted = [*sound, *(named[rule] for rule, _, _ in quality)]
    assert list(table.index[table["status"] == "included"]) == sorted(counted)
    fates = table[FATES].astype(int)
    assert (fates.sum(axis=1) == table["reads"].astype(int)).all() and (
        fates.loc[counted, "faulty"] == 0
    ).all()
    for rule, tool, _ in quality:
        reason = f"{rule} failed twice: Error: {tool} met an odd read"
        assert f"  {named[rule]}  {reason}" in run.log
        page = (run.results / "multiqc/sample_status_mqc.tsv").read_text().splitlines()
        assert next(line for line in page if line.startswith(named[rule])).endswith(reason)
    assert "--forcerun" in run.log and not list((run.results / "logs").glob("failed_once/*/*"))


def test_a_sample_that_the_aligner_refuses_does_not_stop_the_run_and_comes_back_when_it_is_replaced(late):
    """Its trimmed reads are damaged after every check, so that STAR itself fails; all else runs to the report."""
    settings = {"keep": {"trimmed": True, "alignments": True}}
    samples, odd = [*SOUND, "d03_b1"], "d03_b1"
    trimmed = [f"reads/trimmed/paired/{odd}_R{mate}.fastq.gz" for mate in (1, 2)]
    checked = [f"qc/{odd}/{odd}.paired.reads.json", f"qc/{odd}/{odd}.paired.fastp.json"]
    late("replaced", samples, *trimmed, *checked, **settings)
    path = late.folder / "replaced" / trimmed[0]
    records, times = gzip.decompress(path.read_bytes()).decode().split("\n"), path.stat()
    records[-2] = records[-2][:-3]  # the last qualities
    path.write_bytes(gzip.compress("\n".join(records).encode()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    stopped = late(
        "replaced", samples, "samples.tsv", check=False, **settings, qc=LEAN | {"on_tool_failure": "stop"}
    )
    log = f"{stopped.results.name}/logs/align_star/{odd}.log"
    assert (
        f"  {odd}  align_star  {log}\n      EXITING because of FATAL ERROR in reads input: quality"
        in stopped.log
    )
    assert not (stopped.results / "samples.tsv").exists()

    run = late("replaced", samples, "all", **settings)
    row = run.table("samples.tsv").set_index("sample").loc[odd]
    sentence = (
        "EXITING because of FATAL ERROR in reads input: quality string length is not equal to sequence length"
    )
    assert row["status"] == "excluded" and row["reason"].startswith(f"align_star failed twice: {sentence}: @")
    assert run.log.rstrip().splitlines()[-1] == f"  --forcerun {run.results.name}/aligned/star/{odd}.bam"
    assert list(run.matrix()) == SOUND and set(
        run.table("models/logistic_l2/predictions.tsv")["sample"]
    ) == set(SOUND)
    assert sentence in (run.results / "report.html").read_text()

    assert "Nothing to be done" in late("replaced", samples, "all", **settings).log
    for mate in (1, 2):
        shutil.copyfile(
            late.folder / f"reads/d03_b2_R{mate}.fastq.gz", late.folder / f"reads/{odd}_R{mate}.fastq.gz"
        )
    again = late("replaced", samples, "samples.tsv", "cohort.h5ad", **settings)
    assert list(again.matrix()) == sorted([*SOUND, odd]) and "failed" not in again.log


def test_what_is_wrong_with_a_reference_is_tried_once(late):
    """Only the end of a long annotation shows it, which no check before the first job reads."""
    text = (late.folder / "annotation.gtf").read_text()
    last = text.rstrip("\n").split("\n")[-1]
    wrong = last.replace("\t+\t", "\t*\t").replace("\t-\t", "\t*\t")
    (late.folder / "late.gtf").write_text(text + "# a comment\n" * 20_000 + wrong + "\n")
    reference = {"fasta": "genome.fa", "gtf": "late.gtf"}
    run = late("once", SOUND, "reference/genes.tsv", check=False, reference=reference)
    assert run.log.count("Error in rule prepare_reference:") == 1
    error = (run.results / "logs/prepare_reference/reference.log").read_text().split("error: ")[1]
    assert f"logs/prepare_reference/reference.log\n      {' '.join(error.split())}" in run.log
