"""Job arrays by profiles/slurm: one submission for many samples; a task that is lost is repeated; refused where unsafe."""

import pytest

from tests.slurm import cluster
from tests.slurm.runs import edited_profile, finish, start
from tests.workflow import faked

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")

SAMPLES = 4
TRIMMED = [f"results/qc/trimming/paired/s{number:05}.fastp.json" for number in range(SAMPLES)]
ARRAYS = ("# slurm-array-jobs: prepare_reads,trim_fastp,align_star", "slurm-array-jobs: prepare_reads,trim_fastp")
EDITS = (
    ARRAYS,
    ("jobs: 500 ", "jobs: 100000 "),
    ("# max-jobs-per-timespan: 100000/1s", "max-jobs-per-timespan: 100000/1s"),
)


@pytest.fixture
def reads(tmp_path):
    faked.write(tmp_path, SAMPLES)
    return tmp_path


def test_samples_go_as_one_array_and_a_lost_task_is_repeated_with_more(running, reads):
    same_for_all = {"trim_fastp": {"runtime": "60 * attempt"}}
    profile = edited_profile(reads / "profile", *EDITS, resources=same_for_all)
    run = start(running, reads, "--", *TRIMMED, profile=profile)
    task, _ = running.wait(running.started, "no job runs")
    running.run("scancel", task)
    finish(run)
    assert all((reads / path).is_file() for path in TRIMMED)

    columns = ("array", "task", "state", "memory", "folder")
    listing = running.run("squeue", "-h", "-r", "--states=all", "-o", "%F|%K|%T|%m|%Z").splitlines()
    jobs = [dict(zip(columns, line.split("|"), strict=True)) for line in listing]
    jobs = [job for job in jobs if job["folder"] == str(reads)]
    first = [job for job in jobs if job["array"] == task.split("_")[0]]
    assert sorted(job["state"] for job in first) == ["CANCELLED", *["COMPLETED"] * (SAMPLES - 1)], jobs
    others = [job for job in jobs if job not in first]
    assert {job["state"] for job in others} == {"COMPLETED"} and len(others) == 1 + SAMPLES, jobs
    assert max(job["memory"] for job in jobs) == "2M", jobs


def test_arrays_that_would_lose_jobs_are_refused(running, reads):
    profile = edited_profile(
        reads / "profile", ARRAYS, ("slurm-status-command: squeue", "slurm-status-command: sacct")
    )
    run = start(running, reads, "--jobs", SAMPLES - 1, "--", *TRIMMED, profile=profile)
    text, _ = run.communicate(timeout=60)
    assert run.returncode != 0, text
    for part in ("slurm-status-command: squeue", f"jobs of at least {2 * SAMPLES}", "trim_fastp asks for runtime"):
        assert part in text, text
