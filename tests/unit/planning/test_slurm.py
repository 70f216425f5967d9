"""What SLURM is asked before the first job, with an sbatch and a sacctmgr that answer as a cluster's do."""

from types import SimpleNamespace

import pytest

from rna2model.planning import gpu_checks, slurm


def settings(partition_config=None, **changes):
    known = {"array_jobs": None, "qos": None, "reservation": None, "partition_config": partition_config}
    return SimpleNamespace(**(known | changes))


def jobs(*rules, **resources):
    return [SimpleNamespace(rule=SimpleNamespace(name=name), resources=resources) for name in rules]


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Function (sbatch's script, sacctmgr's script) that puts them on the PATH; without a script there is no such command."""

    def make(**scripts):
        for name, text in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if scripts else str(tmp_path))

    return make


REFUSES = """case "$*" in *account=mine*) exit 0;; esac
echo "allocation failure: Invalid account or account/partition combination specified" >&2; exit 1"""
DATABASE = """case "$*" in
*assoc*account,qos,maxsubmit*) echo "mine|normal,long|40";;
*assoc*) echo "mine|40|normal";;
*qos*) echo "normal|25"; echo "long|5";;
esac"""


def no_limits(jobs):
    return [], []


def test_a_wrong_account_is_named_with_those_that_the_user_has(cluster):
    cluster(sbatch=REFUSES, sacctmgr=DATABASE)
    wrong = slurm.problems(settings(), jobs("a", "b", slurm_account="other"), 5, no_limits, print)
    assert wrong[0] == "SLURM takes no job with slurm_account: other" and len(wrong) == 4
    assert "Invalid account" in wrong[1] and "(default)" in wrong[1]
    assert wrong[3] == "  slurm_account: mine, slurm-qos: normal or long (at most 40 jobs in the queue)"
    assert slurm.problems(settings(), jobs("a", slurm_account="mine"), 1, no_limits, print) == []


def test_nodes_that_are_down_now_are_no_reason_to_refuse(cluster):
    cluster(sbatch='echo "allocation failure: Requested nodes are busy" >&2; exit 1', sacctmgr="")
    assert slurm.problems(settings(), jobs("a"), 5, no_limits, print) == []


def test_a_machine_without_sbatch_is_no_login_node(cluster):
    cluster()
    assert "login node" in slurm.problems(settings(), jobs("a"), 5, no_limits, print)[0]


def test_one_partition_that_takes_the_job_is_enough_and_those_of_other_clusters_are_not_asked(
    cluster, tmp_path
):
    file = tmp_path / "partitions.yaml"
    file.write_text("partitions: {cpu: {}, big: {}, away: {cluster: other}}")
    cluster(
        sbatch='case "$*" in *partition=big*) exit 0;; esac; echo "x: Invalid qos specification" >&2; exit 1',
        sacctmgr="",
    )
    assert slurm.partitions(settings(file)) == ["cpu", "big"]
    assert slurm.refusals(settings(file), jobs("a")) == []
    assert slurm.refusals(settings(file, qos="q"), jobs("a", slurm_partition="cpu"))[1].endswith(
        "Invalid qos specification"
    )


def test_more_jobs_than_the_queue_takes_are_refused_with_the_number_that_fits(cluster):
    cluster(sbatch="exit 0", sacctmgr=DATABASE)
    (problem,) = slurm.problems(settings(), jobs(*"abcdefg" * 5, slurm_account="mine"), 500, no_limits, print)
    assert problem.startswith("SLURM lets you have 25 jobs in the queue, and this run would submit up to 35.")
    assert slurm.too_many_for_queue(settings(qos="long"), jobs(*"abcde", slurm_account="mine"), 500) == []


def test_jobs_that_ask_for_gpus_are_not_asked_for_with_a_qos_of_their_own():
    both = jobs("a", slurm_account="x,y") + jobs("b", gpu=1, slurm_account="z")
    assert slurm.requests(settings(), both) == [("x", None, None, None)]


def test_what_fits_no_partition_is_refused_and_what_is_cut_is_only_said():
    messages = []
    assert slurm.too_large_for_partitions([], ["train: attempt 3 ..."], messages.append) == []
    assert "train: attempt 3" in messages[0]
    assert "align: 64 GB" in "\n".join(slurm.too_large_for_partitions(["align: 64 GB"], [], messages.append))


def test_arrays_of_jobs_are_refused_and_another_executor_is_none_of_slurm(cluster):
    cluster(sbatch="exit 0", sacctmgr="")
    assert "slurm-array-jobs" in slurm.problems(settings(array_jobs="all"), jobs("a"), 1, no_limits, print)[0]
    assert (
        slurm.is_executor(settings())
        and not slurm.is_executor(SimpleNamespace())
        and not slurm.is_executor(None)
    )


def test_only_jobs_that_need_a_gpu_are_stopped_by_a_machine_without_one():
    assert gpu_checks.problem(1, {"train", "score"}) == ""
    assert "(permute_torch, train_torch would run here)" in gpu_checks.problem(
        1, {"train_torch", "permute_torch", "x"}
    )
