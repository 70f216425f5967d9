"""profiles/slurm on a real cluster: GPU jobs land where GPUs are; memory, lost nodes and cancelling are survived."""

import os
import re
import signal

import pytest

from tests.slurm import cluster
from tests.slurm.runs import finish, start

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")


def test_torch_training_runs_on_the_gpu_node_and_nothing_else_does(finished, running, matrix):
    _, jobs = finished
    on_gpu = [job for job in jobs if job["NodeList"] == "gpu1"]
    assert len(on_gpu) == 1 and on_gpu[0]["JobState"] == "COMPLETED", jobs
    assert "gpu:a100:1" in running.run("scontrol", "show", "job", on_gpu[0]["JobId"])
    assert "mlp: trained on" in (matrix / "results/logs/train_mlp/r1f1.log").read_text()


def test_the_process_of_the_user_hears_of_a_training_on_another_node(finished):
    text, _ = finished
    assert re.search(r"^train_torch \S+ \S+: mlp\b.*\d", text, re.M), text


def test_a_job_that_exceeds_its_memory_is_repeated_with_more(finished):
    text, jobs = finished
    assert text.count("Error in group cohort") == 1, text
    assert [job["JobState"] for job in jobs].count("COMPLETED") == len(jobs) - 1, jobs


def test_jobs_of_seconds_are_submitted_together(finished):
    """Five rules: matrix and folds, normalizer and batch model, training; and the one that was repeated."""
    _, jobs = finished
    assert len(jobs) == 3 + 1, jobs


def test_a_node_that_is_lost_while_a_job_runs_is_survived(finished, running, matrix, profile):
    target = "results/splits/r1f1/models/logistic_l2"
    run = start(running, matrix, profile, "--", target)
    job, node = running.wait(
        lambda: next(
            ((job, node) for job, (state, node) in running.queue().items() if state == "RUNNING"), None
        ),
        "no job runs",
    )
    running.kill_node(node, [job])
    finish(run)
    assert (matrix / target / "model.json").is_file()
    assert node in running.run("sinfo", "-h", "-N", "-t", "down", "-o", "%N")


def test_a_job_that_is_cancelled_is_repeated_and_a_run_that_is_cancelled_leaves_none(
    finished, running, matrix, profile
):
    run = start(running, matrix, profile, "--forcerun", "train_torch", "--", "results/splits/r1f1/models/mlp")
    job, node = running.wait(running.started, "no job runs")
    assert node == "gpu1", "asked for by `training.gpus: 1` alone"
    running.run("scancel", job)
    running.wait(lambda: (running.started() or (job,))[0] != job, "the cancelled job is not repeated")
    os.kill(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode != 0
    running.wait(lambda: not running.queue(), "jobs were left", seconds=20)


def test_job_arrays_are_refused_before_any_job(finished, running, matrix, profile):
    jobs = len(running.finished_jobs(matrix))
    arguments = ("--slurm-array-jobs", "train_torch", "--forcerun", "train_torch")
    run = start(running, matrix, profile, *arguments, "--", "results/splits/r1f1/models/mlp")
    text, _ = run.communicate(timeout=60)
    assert run.returncode != 0 and "slurm-array-jobs: " in text and "group-components" in text, text
    assert len(running.finished_jobs(matrix)) == jobs and not running.queue()
