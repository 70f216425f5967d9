"""What changes while a run goes on, or between two runs, and what only other users of a machine meet."""

import csv
import os
import shutil

import pytest
import yaml

from rna2model.planning import frozen_config, preflight
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.faults.project import Project
from tests.workflow.conftest import make_demo

NAMES = ("d02_b1", "d08_b1")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "reads/s03_R1.fastq.gz").chmod(0)
    project.write()
    problems = preflight.check(project.config, [tmp_path])[2]
    assert any("row 4, column fastq_1: you may not read it" in problem for problem in problems)


@pytest.fixture
def world(tmp_path):
    """Two small libraries, which are read one pair at a time."""
    make_demo(tmp_path, "--pairs", "1000")
    rows = [f"{name}\treads/{name}_R1.fastq.gz\treads/{name}_R2.fastq.gz\t{name[:3]}" for name in NAMES]
    (tmp_path / "samples.tsv").write_text("\n".join(["sample\tfastq_1\tfastq_2\tcondition", *rows]) + "\n")
    settings = {"samples": "samples.tsv", "qc": {"min_reads": 100, "fastqc_reads": 0, "rseqc_fragments": 0}}
    settings["reference"] = {"fasta": "genome.fa", "gtf": "annotation.gtf"}

    def run(*arguments, **changes):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({**settings, **changes}))
        return snakemake(tmp_path, *LOCAL, "--retries", "0", *arguments)

    run.folder = tmp_path
    return run


@pytest.mark.slow
def test_a_file_replaced_after_its_check_excludes_that_sample(world):
    """The new file has fewer reads and, as rsync leaves it, the time of the old one: only the sums can show it."""
    prepared = [f"results/reads/prepared/paired/d02_b1_R{mate}.fastq.gz" for mate in (1, 2)]
    assert world(*prepared, "results/qc/d02_b1/d02_b1.paired.reads.json").returncode == 0
    for mate in (1, 2):
        path, other = (world.folder / f"reads/{name}_R{mate}.fastq.gz" for name in ("d02_b1", "too_few"))
        times = path.stat()
        shutil.copyfile(other, path)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    run = world("results/counts/matrix.tsv.gz")
    assert run.returncode == 0 and "Traceback" not in run.text
    with open(world.folder / "results/samples.tsv", newline="") as file:
        rows = {row["sample"]: row for row in csv.DictReader(file, delimiter="\t")}
    reason = rows["d02_b1"]["reason"]
    assert rows["d02_b1"]["status"] == "excluded" and reason.startswith("fragments do not add up: ")
    verdict = "results/qc/d02_b1/d02_b1.paired.reads.json"
    assert f"changed after the check: run again with --forcerun {verdict}" in reason
    assert rows["d08_b1"]["status"] == "included"
    assert world("results/counts/matrix.tsv.gz", "--forcerun", verdict).returncode == 0  # the advice helps
    assert "fragments do not add up" not in (world.folder / "results/samples.tsv").read_text()


@pytest.mark.slow
def test_a_changed_genome_makes_a_new_index_and_is_not_that_of_an_old_one(world):
    assert world("results/reference/star").returncode == 0
    shutil.copytree(world.folder / "results/reference/star", world.folder / "old_index")
    genome = world.folder / "genome.fa"
    genome.write_text(genome.read_text() + "ACGT" * 10 + "\n")
    plan = snakemake(world.folder, "results/aligned/star/d02_b1.bam", "--dry-run", check=True).text
    assert "rule prepare_reference" in plan and "rule index_star" in plan
    reference = {"fasta": "genome.fa", "gtf": "annotation.gtf", "index": "old_index"}
    run = world("results/aligned/star/d02_b1.bam", reference=reference)
    assert run.returncode != 0 and not (world.folder / "results/aligned/star/d02_b1.bam").exists()
    log = (world.folder / "results/logs/check_index/reference.log").read_text()
    assert (
        "is not of reference.fasta: it lacks, or has in another length, chrIV" in log
        and log.rstrip() in run.text
    )


def as_an_executor_starts_it(folder, rule, sample):
    """A job of the run that was planned last, as executors start it: a process of its own, which is told the snapshot."""
    (snapshot,) = (
        path for path in (folder / ".snakemake/rna2model").glob("*.json") if not path.name.startswith("code-")
    )
    job = [
        "--mode",
        "remote",
        "--force",
        "--nolock",
        "--ignore-incomplete",
        "--no-hooks",
        "--allowed-rules",
        rule,
    ]
    job += ["--target-jobs", f"{rule}:sample={sample}"]
    return snakemake(folder, *job, config=snapshot.relative_to(folder))


def test_jobs_see_the_sheet_and_config_that_were_planned(world):
    """Meanwhile a row comes, another sample's file goes, and the config is no longer one."""
    reads = [f"results/reads/prepared/paired/d02_b1_R{mate}.fastq.gz" for mate in (1, 2)]
    assert world("-n", "results/qc/d02_b1/d02_b1.paired.reads.json").returncode == 0
    sheet = world.folder / "samples.tsv"
    sheet.write_text(sheet.read_text() + "late\treads/late_R1.fastq.gz\treads/late_R2.fastq.gz\td08\n")
    (world.folder / "reads/d08_b1_R1.fastq.gz").rename(world.folder / "elsewhere.fastq.gz")
    (world.folder / "config.yaml").write_text("samples: [not a config")
    job = as_an_executor_starts_it(world.folder, "prepare_reads", "d02_b1")
    assert job.returncode == 0, job.text
    assert all((world.folder / path).is_file() for path in reads)
    late = as_an_executor_starts_it(world.folder, "prepare_reads", "late")
    assert late.returncode != 0 and "late" in late.text  # it was never planned


def test_a_run_that_cannot_write_its_snapshot_has_jobs_read_the_live_files(tmp_path):
    (tmp_path / "file").write_text("")
    assert frozen_config.write("{}", tmp_path / "file/below") is None
    path = frozen_config.write("{}", tmp_path / "folder")
    assert frozen_config.write("{}", tmp_path / "folder") == path and path.read_text() == "{}"
    assert [one.name for one in path.parent.iterdir()] == [path.name]
