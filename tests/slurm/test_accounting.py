"""profiles/slurm on a cluster with accounting: accounts, QOS, status by sacct, each way to ask for a GPU, the report."""

import pandas as pd
import pytest

from tests.slurm import accounting, cluster
from tests.slurm.accounting import ACCOUNT, MOST_JOBS, QOS
from tests.slurm.runs import edited_profile, finish, small_matrix, small_reads, start

ABSENT = cluster.missing() or accounting.missing()
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=f"no SLURM with accounting here: {ABSENT}")


@pytest.fixture(scope="module")
def accounted(finished, running, matrix):
    """The jobs of the finished run, as the accounting database has them."""
    return running.accounted_jobs(matrix, "Account", "QOS", "ReqTRES")


def test_jobs_run_under_the_account_and_qos_of_the_profile(accounted):
    assert {(job["Account"], job["QOS"]) for job in accounted} == {(ACCOUNT, QOS)}, accounted


def test_by_sacct_a_job_that_exceeds_its_memory_is_repeated_with_more(finished, accounted):
    text, _ = finished
    assert text.count("Error in group cohort") == 1, text
    assert [job["State"] for job in accounted].count("COMPLETED") == len(accounted) - 1 == 3, accounted


def test_the_efficiency_report_has_what_each_rule_asked_for_and_used(finished, matrix):
    [path] = matrix.glob("efficiency_report_*.csv")
    report = pd.read_csv(path).set_index("RuleName")
    training = report.loc["rule_train_torch_wildcards_r1f1_mlp"]
    assert training["RequestedMem_MB"] == 3400 and training["NCPUS"] == 4
    assert "rule_fit_fit_batch_model_fit_normalizer" in report.index
    assert report["MaxRSS_MB"].between(100, report["RequestedMem_MB"]).all(), report


def test_a_model_of_gpu_is_asked_for(accounted):
    [training] = [job for job in accounted if job["NodeList"] == "gpu1"]
    assert "gres/gpu:a100=1" in training["ReqTRES"], training


def test_a_cluster_that_knows_gres_only_trains_on_the_gpu_node(accounted, running, matrix, tmp_path):
    profile = edited_profile(tmp_path / "profile", resources={"train_torch": {"gpu": 0, "gres": "gpu:1"}})
    target = "results/splits/r1f1/models/mlp"
    finish(start(running, matrix, profile, "--forcerun", "train_torch", "--", target))
    jobs = running.accounted_jobs(matrix, "ReqTRES")[len(accounted) :]
    assert [(job["NodeList"], job["State"]) for job in jobs] == [("gpu1", "COMPLETED")]
    assert "gres/gpu=1" in jobs[0]["ReqTRES"], jobs


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ({"account": None, "qos": "normal"}, "slurm_account: (not set), slurm-qos: normal"),
        ({"account": "lap"}, "Invalid account"),
        ({"qos": "urgent"}, "Invalid qos"),
    ],
    ids=["no account", "wrong account", "wrong QOS"],
)
def test_what_slurm_refuses_is_said_before_any_job(running, tmp_path, named, reason):
    small_matrix(tmp_path)
    profile = edited_profile(tmp_path / "profile", **named)
    run = start(running, tmp_path, profile, "--", "results/splits/training.h5ad")
    text, _ = run.communicate(timeout=60)
    assert run.returncode != 0 and reason in text, text
    assert f"slurm_account: {ACCOUNT}, slurm-qos: normal or {QOS}" in text, (
        "what the user may choose is not said"
    )
    assert len(text.splitlines()) < 20 and not running.accounted_jobs(tmp_path), text


def test_more_jobs_than_the_queue_takes_are_said_before_any_job(running, profile, tmp_path):
    """Otherwise the jobs above the limit fail, three times each within seconds."""
    run = start(running, small_reads(tmp_path), profile, "counts")
    text, _ = run.communicate(timeout=60)
    assert run.returncode != 0 and f"Set `jobs: {MOST_JOBS}` in config.yaml" in text, text
    assert not running.accounted_jobs(tmp_path), text
