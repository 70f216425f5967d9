"""profiles/slurm on a cluster with accounting: accounts, QOS, status by sacct, each way to ask for a GPU, the report."""

import pandas as pd
import pytest

from tests.slurm import accounting, cluster
from tests.slurm.accounting import ACCOUNT, CLOSED, QOS
from tests.slurm.runs import ENOUGH, TOO_LITTLE, edited_profile, finish, small_matrix, start

ABSENT = cluster.missing() or accounting.missing()
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=f"no SLURM with accounting here: {ABSENT}")

OURS = (("  # slurm_account: my_account", f"  slurm_account: {ACCOUNT}"), ("# slurm-qos: normal", f"slurm-qos: {QOS}"))


@pytest.fixture(scope="module", autouse=True)
def account_demanded(running):
    """The user's default account takes no job, so that one must be named."""
    change = ("sacctmgr", "--immediate", "modify", "user", "root", "set")
    running.run(*change, f"defaultaccount={CLOSED}")
    yield
    running.run(*change, "defaultaccount=root")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    return small_matrix(tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="module")
def finished(running, matrix):
    """(text, SLURM's own records) of a run by sacct to the held-out predictions of a torch model on an A100."""
    profile = edited_profile(
        matrix / "profile",
        *OURS,
        ("slurm-status-command: squeue", "slurm-status-command: sacct"),
        ("# slurm-efficiency-report: true", "slurm-efficiency-report: true"),
        resources={
            "train_torch": {"gpu_model": "a100"},
            "import_training_matrix": {"mem_mb": f"{TOO_LITTLE} if attempt == 1 else {ENOUGH}"},
        },
    )
    target = "results/splits/r1f1/predictions/mlp.tsv"
    text = finish(start(running, matrix, "--", target, profile=profile))
    return text, running.accounted_jobs(matrix, "Account", "QOS", "ReqTRES")


def test_jobs_run_under_the_account_and_qos_of_the_profile(finished):
    _, jobs = finished
    assert {(job["Account"], job["QOS"]) for job in jobs} == {(ACCOUNT, QOS)}, jobs


def test_by_sacct_a_job_that_exceeds_its_memory_is_repeated_with_more(finished):
    text, jobs = finished
    assert text.count("Error in group cohort") == 1, text
    assert [job["State"] for job in jobs].count("COMPLETED") == len(jobs) - 1 == 4, jobs


def test_the_efficiency_report_has_what_each_job_used(finished, matrix):
    [path] = matrix.glob("efficiency_report_*.csv")
    report = pd.read_csv(path)
    print(report.to_string())
    assert 0


def test_a_model_of_gpu_is_asked_for(finished):
    _, jobs = finished
    [training] = [job for job in jobs if job["NodeList"] == "gpu1"]
    assert "gres/gpu:a100=1" in training["ReqTRES"], training


def test_a_cluster_that_knows_gres_only_trains_on_the_gpu_node(finished, running, matrix, tmp_path):
    profile = edited_profile(
        tmp_path / "profile", *OURS, resources={"train_torch": {"gpu": 0, "gres": "gpu:1"}}
    )
    before = len(running.accounted_jobs(matrix))
    target = "results/splits/r1f1/models/mlp"
    finish(start(running, matrix, "--forcerun", "train_torch", "--", target, profile=profile))
    jobs = running.accounted_jobs(matrix, "ReqTRES")[before:]
    assert [(job["NodeList"], job["State"]) for job in jobs] == [("gpu1", "COMPLETED")]
    assert "gres/gpu=1" in jobs[0]["ReqTRES"], jobs


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ((), "slurm_account: (not set)"),
        ([("  # slurm_account: my_account", "  slurm_account: lap")], "Invalid account"),
        ([OURS[0], ("# slurm-qos: normal", "slurm-qos: urgent")], "Invalid qos"),
    ],
    ids=["no account", "wrong account", "wrong QOS"],
)
def test_what_slurm_refuses_is_said_before_any_job(running, tmp_path, edits, reason):
    small_matrix(tmp_path)
    profile = edited_profile(tmp_path / "profile", *edits)
    run = start(running, tmp_path, "--", "results/splits/training.h5ad", profile=profile)
    text, _ = run.communicate(timeout=60)
    assert run.returncode != 0 and reason in text, text
    assert f"slurm_account: {ACCOUNT}, slurm-qos: normal or {QOS}" in text, "what the user may choose is not said"
    assert len(text.splitlines()) < 20 and not running.accounted_jobs(tmp_path), text
