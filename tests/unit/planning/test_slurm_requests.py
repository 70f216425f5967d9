"""What jobs ask of a cluster: cut to its partitions, refused where it cannot work, and planned before the first job."""

import os
import random
import subprocess
import sys

import pytest
import yaml

from rna2model.planning import slurm_requests
from rna2model.planning.slurm_requests import Partition, Request
from tests.faults.project import Project

CPU = Partition("cpu", mem_mb=192_000, minutes=4320, threads=48)
LARGE = Partition("large", mem_mb=1_000_000, minutes=1440, threads=64)
GPU = Partition("gpu", mem_mb=64_000, minutes=2880, threads=16, gpus=4)


@pytest.mark.parametrize(
    ("requested", "gets"),
    [
        (Request(160_000, 3000, 8), Request(160_000, 3000, 8)),  # fits as it is
        (Request(500_000, 600, 8), Request(500_000, 600, 8)),  # fits the large one only
        (Request(500_000, 3000, 8), Request(500_000, 1440, 8)),  # no partition has both
        (Request(2_000_000, 9000, 8), Request(1_000_000, 1440, 8)),
        (Request(100_000, 600, 4, gpus=1), Request(64_000, 600, 4, gpus=1)),  # memory of nodes with GPUs
        (Request(1000, 60, 128), Request(1000, 60, 128)),  # threads are not cut: named before the first job
    ],
)
def test_a_request_is_cut_to_the_partition_that_leaves_most_of_it(requested, gets):
    assert slurm_requests.fitted(requested, [CPU, LARGE, GPU]) == gets


def test_whatever_the_partitions_a_cut_request_fits_one_and_never_grows():
    rng = random.Random(1)
    for _ in range(2000):
        partitions = [
            Partition(str(i), rng.randint(1, 100), rng.randint(1, 100), rng.randint(1, 8), rng.randint(0, 2))
            for i in range(rng.randint(1, 4))
        ]
        requested = Request(rng.randint(1, 200), rng.randint(1, 200), rng.randint(1, 8), rng.randint(0, 2))
        cut = slurm_requests.fitted(requested, partitions)
        able = any(one.threads >= requested.threads and one.gpus >= requested.gpus for one in partitions)
        assert any(cut.fits(one) for one in partitions) == able
        assert cut.mem_mb <= requested.mem_mb and cut.minutes <= requested.minutes
        if any(requested.fits(one) for one in partitions):
            assert cut == requested


def test_jobs_learn_the_partitions_as_they_are():
    known = [CPU, GPU, Partition("any")]
    assert slurm_requests.loads(slurm_requests.dumps(known)) == known and slurm_requests.loads("") == []


def test_only_what_fits_at_no_attempt_is_refused():
    rules = {"align_star": lambda attempt: Request(50_000 * 2 ** (attempt - 1), 600, 8)}
    assert slurm_requests.unfit(rules, lambda rule: [CPU], {"align_star": 1}) == ([], [])
    problems, (note,) = slurm_requests.unfit(rules, lambda rule: [CPU], {"align_star": 2})
    assert not problems and note.startswith("align_star: attempt 3 would ask for 200.0 GB")
    (problem,), notes = slurm_requests.unfit(
        rules, lambda rule: [Partition("small", 32_000)], {"align_star": 2}
    )
    assert "hisat2" in problem and "small takes 32 GB" in problem and not notes


@pytest.fixture
def plan(tmp_path, repository):
    """Function of config, partitions and gigabytes of each FASTQ file: the text of `make plan`."""

    def run(gigabytes=0, limits=None, **config):
        project = Project(tmp_path / "project")
        for key, value in config.items():
            project.config[key] = project.config.get(key, {}) | value
        project.write()
        for row in project.rows if gigabytes else ():
            os.truncate(project.folder / row["fastq_1"], int(gigabytes * 1e9))  # sparse: nothing is written
        profile = tmp_path / "profile"
        profile.mkdir()
        text = (repository / "profiles/slurm/config.yaml").read_text()
        (profile / "config.yaml").write_text(text)
        known = limits or {"cpu": {"max_runtime": 4320, "max_mem_mb": 192000, "max_cpus_per_task": 48}}
        (profile / "partitions.yaml").write_text(yaml.safe_dump({"partitions": known}))
        command = [
            sys.executable,
            repository / "scripts/plan.py",
            "-s",
            repository / "Snakefile",
            "-d",
            project.folder,
        ]
        command += ["--profile", profile, "--configfile", project.folder / "config.yaml"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    return run


def row(text, rule):
    """(jobs, threads, GB, hours, core hours) of a rule in the table."""
    return next(
        [float(cell) for cell in line.split()[1:]] for line in text.splitlines() if line.split()[:1] == [rule]
    )


def test_fastp_and_star_ask_by_the_size_of_reads_that_are_not_made_yet(plan):
    text = plan(10, trimming={"tool": "fastp"}, alignment={"tool": "star"})
    assert row(text, "trim_fastp_single")[2] == pytest.approx(4.4 + 0.3 * 10, abs=0.1)
    assert row(text, "align_star")[3] == pytest.approx((20 + 30 * 10) / 60, abs=0.1)
    assert "first attempt fits a partition" in text


def test_a_library_too_large_for_htseq_is_named_with_the_other_way(plan):
    text = plan(60, quantification={"tool": "htseq"})  # 400 million pairs: 66 GB of BAM, four days
    assert "count_htseq: " in text.split("Fits no partition:")[1] and "featurecounts" in text
    assert row(text, "count_htseq")[3] == pytest.approx(0.9 * 72, abs=0.1)  # RSeQC and the tally go with it


def test_trim_galore_asks_for_the_processes_that_it_starts(plan):
    assert row(plan(trimming={"tool": "trim_galore"}), "trim_galore_single")[1] == 8
