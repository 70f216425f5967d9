"""Job arrays by profiles/slurm: one submission for many samples; a task that is lost is repeated; refused where unsafe."""

import pytest

from tests.slurm import cluster
from tests.slurm.runs import edited_profile, finish, start
from tests.workflow import faked

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")

SAMPLES = 4
READ = [f"results/qc/reads/paired/s{number:05}.json" for number in range(SAMPLES)]
TRIMMED = [f"results/qc/trimming/paired/s{number:05}.fastp.json" for number in range(SAMPLES)]
RULES = (
    "# slurm-array-jobs: prepare_reads,trim_fastp,align_star",
    "slurm-array-jobs: prepare_reads,trim_fastp",
)
NO_LIMITS = (
    ("jobs: 500 ", "jobs: 100000 "),
    ("# max-jobs-per-timespan: 100000/1s", "max-jobs-per-timespan: 100000/1s"),
)


@pytest.fixture
def reads(tmp_path):
    faked.write(tmp_path, SAMPLES)
    return tmp_path


def test_samples_go_as_one_array_and_a_lost_task_is_repeated_with_more(running, reads):
    profile = edited_profile(reads / "profile", RULES, *NO_LIMITS)
    run = start(running, reads, profile, "--", *READ)
    lost, _ = running.wait(running.started, "no job runs")
    running.run("scancel", lost)
    finish(run)
    assert all((reads / path).is_file() for path in READ)

    listing = running.run("squeue", "-h", "-r", "--states=all", "-o", "%Z %F %T %m").splitlines()
    jobs = [line.split()[1:] for line in listing if line.split()[0] == str(reads)]
    array = sorted(state for number, state, _ in jobs if number == lost.split("_")[0])
    assert array == ["CANCELLED", *["COMPLETED"] * (SAMPLES - 1)], jobs
    [(_, state, memory)] = [job for job in jobs if job[0] != lost.split("_")[0]]
    assert (state, memory) == ("COMPLETED", "2000M"), "the first try had 1000 MB"


def test_arrays_that_would_lose_jobs_are_refused(running, reads):
    by_sacct = ("slurm-status-command: squeue", "slurm-status-command: sacct")
    profile = edited_profile(reads / "profile", RULES, by_sacct)
    run = start(running, reads, profile, "--jobs", SAMPLES - 1, "--", *TRIMMED)
    text, _ = run.communicate(timeout=60)
    assert run.returncode != 0, text
    for part in (
        "slurm-status-command: squeue",
        f"jobs of at least {2 * SAMPLES}",
        "trim_fastp asks for runtime",
    ):
        assert part in text, text
