"""One cluster for all tests of this folder, and one run that most of them look at."""

import pytest

from tests.slurm import accounting, cluster
from tests.slurm.runs import ENOUGH, TOO_LITTLE, edited_profile, finish, small_matrix, start


@pytest.fixture(scope="package")
def running(tmp_path_factory):
    with cluster.Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="package")
def profile(tmp_path_factory):
    """The profile as the user of this cluster has it."""
    return edited_profile(tmp_path_factory.mktemp("profile") / "slurm")


@pytest.fixture(scope="package")
def matrix(tmp_path_factory):
    return small_matrix(tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="package")
def finished(running, matrix, tmp_path_factory):
    """(text, SLURM's own records) of a run to a torch model on an A100; by sacct where the cluster has it."""
    resources = {"train_torch": {"gpu_model": "a100"}}
    resources["import_training_matrix"] = {"mem_mb": f"{TOO_LITTLE} if attempt == 1 else {ENOUGH}"}
    by_sacct = (
        ("slurm-status-command: squeue", "slurm-status-command: sacct"),
        ("# slurm-efficiency-report: true", "slurm-efficiency-report: true"),
    )
    edits = () if accounting.missing() else by_sacct
    profile = edited_profile(tmp_path_factory.mktemp("profile") / "slurm", *edits, resources=resources)
    often = ("--logger-progress-news-every", "1")
    text = finish(start(running, matrix, profile, *often, "--", "results/splits/r1f1/models/mlp"))
    return text, running.finished_jobs(matrix)
