"""profiles/slurm on a real cluster: GPU jobs land where GPUs are; memory, lost nodes and cancelling are survived."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.slurm import cluster

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")

TOO_LITTLE = 60  # MB: Snakemake alone needs more
ENOUGH = 1000


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with cluster.Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    """A small count matrix with a signal, its sheet and config; one torch model on a GPU."""
    folder = tmp_path_factory.mktemp("matrix")
    rng = np.random.default_rng(1)
    names = [f"s{i:02}" for i in range(16)]
    means = rng.lognormal(4, 1, 60)[:, None] * np.where(
        np.arange(16) % 2, np.r_[np.full(10, 6), np.ones(50)][:, None], 1
    )
    pd.DataFrame(rng.poisson(means), index=[f"g{i}" for i in range(60)], columns=names).to_csv(
        folder / "counts.tsv", sep="\t"
    )
    pd.DataFrame({"sample": names, "condition": ["a", "b"] * 8}).to_csv(
        folder / "samples.tsv", sep="\t", index=False
    )
    config = {"samples": "samples.tsv", "counts": "counts.tsv", "models": ["mlp"]}
    config |= {"evaluation": {"folds": 2, "inner_folds": 2, "permutations": 0}, "training": {"gpus": 1}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def start(running, folder, *arguments):
    """Snakemake with the profile, as a process with its text in a pipe."""
    command = [sys.executable, "-m", "snakemake", "-s", REPOSITORY / "Snakefile", "-d", folder]
    command += ["--configfile", folder / "config.yaml", "--profile", REPOSITORY / "profiles/slurm"]
    command += ["--slurm-no-account", "--slurm-status-command", "squeue", "--latency-wait", "5"]
    command += ["--slurm-init-seconds-before-status-checks", "8", *arguments]
    return subprocess.Popen(
        list(map(str, command)),
        env=running.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # a shell's background jobs ignore Ctrl-C, and so would what they start
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture(scope="module")
def finished(running, matrix):
    """(text, SLURM's own records) of a run to the held-out predictions of a torch model."""
    memory = f"import_training_matrix:mem_mb={TOO_LITTLE} if attempt == 1 else {ENOUGH}"
    options = ("--set-resources", memory, "--logger-progress-news-every", "1")
    run = start(running, matrix, *options, "--", "results/splits/r1f1/predictions/mlp.tsv")
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 0, text[-5000:]
    return text, running.finished_jobs()


def test_torch_training_runs_on_the_gpu_node_and_nothing_else_does(finished, running, matrix):
    _, jobs = finished
    on_gpu = [job for job in jobs if job["NodeList"] == "gpu1"]
    assert len(on_gpu) == 1 and on_gpu[0]["JobState"] == "COMPLETED", jobs
    assert "gpu:1" in running.run("scontrol", "show", "job", on_gpu[0]["JobId"])
    assert "mlp: trained on" in (matrix / "results/logs/train_mlp/r1f1.log").read_text()


def test_the_process_of_the_user_hears_of_a_training_on_another_node(finished):
    text, _ = finished
    assert re.search(r"^train_torch \S+ \S+: mlp\b.*\d", text, re.M), text


def test_a_job_that_exceeds_its_memory_is_repeated_with_more(finished):
    text, jobs = finished
    assert text.count("Error in group cohort") == 1, text
    assert [job["JobState"] for job in jobs].count("COMPLETED") == len(jobs) - 1, jobs


def test_jobs_of_seconds_are_submitted_together(finished):
    """Six rules: matrix and folds, normalizer and batch model, training, scoring; and the one that was repeated."""
    _, jobs = finished
    assert len(jobs) == 4 + 1, jobs


def test_a_node_that_is_lost_while_a_job_runs_is_survived(finished, running, matrix):
    target = "results/splits/r1f1/models/logistic_l2"
    run = start(running, matrix, "--", target)
    job, node = running.wait(
        lambda: next(
            ((job, node) for job, (state, node) in running.queue().items() if state == "RUNNING"), None
        ),
        "no job runs",
    )
    running.kill_node(node, [job])
    text, _ = run.communicate(timeout=240)
    assert run.returncode == 0, text[-5000:]
    assert (matrix / target / "model.json").is_file()
    assert node in running.run("sinfo", "-h", "-N", "-t", "down", "-o", "%N")


def test_cancelling_leaves_no_job_in_the_queue(finished, running, matrix):
    run = start(running, matrix, "--forcerun", "import_matrix", "--", "results/cohort.h5ad")
    running.wait(running.started, "no job runs")
    os.kill(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode != 0
    running.wait(lambda: not running.queue(), "jobs were left", seconds=20)
