"""What changes while a run goes on, or between two runs, and what only other users of a machine meet."""

import os
import shutil

import pytest
import yaml

from rna2model import preflight
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
@pytest.mark.parametrize("policy", ["exclude", "stop"])
def test_a_file_replaced_after_its_check_excludes_that_sample(world, policy):
    """The new file has fewer reads and, as rsync leaves it, the time of the old one: only the sums can show it."""
    qc = {"min_reads": 100, "fastqc_reads": 0, "rseqc_fragments": 0, "on_tool_failure": policy}
    prepared = [f"results/reads/prepared/paired/d02_b1_R{mate}.fastq.gz" for mate in (1, 2)]
    assert world(*prepared, "results/qc/reads/paired/d02_b1.json").returncode == 0
    for mate in (1, 2):
        path, other = (world.folder / f"reads/{name}_R{mate}.fastq.gz" for name in ("d02_b1", "too_few"))
        times = path.stat()
        shutil.copyfile(other, path)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    run = world("results/counts/matrix.tsv.gz", qc=qc)
    results = world.folder / "results"
    assert (run.returncode != 0) == (policy == "stop") and "Traceback" not in run.text
    assert "d02_b1" in run.text and "a file of this sample was changed or cut short" in run.text
    assert (results / "qc/samples/d08_b1.json").exists()  # the other is finished
    assert (results / "counts/matrix.tsv.gz").exists() == (policy == "exclude")
    if policy == "exclude":
        rows = (results / "samples.tsv").read_text().splitlines()
        assert ["\texcluded\ttally_fragments stopped: " in row for row in rows] == [False, True, False]


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
