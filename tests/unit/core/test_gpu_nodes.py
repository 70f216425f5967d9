"""A node without a working GPU fails a job at once, and the next attempt asks SLURM for another one."""

from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_slurm import get_submit_command, set_gres_string

from rna2model.core import gpu, gpu_nodes
from rna2model.core.errors import InputProblem

PARAMS = {"run_uuid": "u", "slurm_logfile": "l", "comment_str": "c", "account": "", "workdir": None}
GPU_NODES = {"gpu1", "gpu2", "gpu3"}


class Resources(dict):
    __getattr__ = dict.get


def job(name="train_torch", **resources):
    return SimpleNamespace(
        name=name,
        threads=4,
        is_group=lambda: False,
        resources=Resources({"mem_mb": 3400, "runtime": 120, **resources}),
    )


@pytest.fixture
def submit(monkeypatch):
    """(Submissions on a cluster whose partition has GPU_NODES, function of a job that returns the nodes it excludes, texts)."""
    messages = []
    submissions = gpu_nodes.Submissions(get_submit_command, set_gres_string, messages.append)
    monkeypatch.setattr(gpu_nodes, "takes", lambda call: "--gpus=1" in call and GPU_NODES - excluded(call))

    def excluding(wanted, failed=()):
        call = submissions(wanted, PARAMS | {"partition": " -p gpu"}, None, set(failed))
        assert " -p gpu" in call and call.count("--exclude") <= 1
        return excluded(call)

    return submissions, excluding, messages


def excluded(call):
    words = [word for word in call.split() if word.startswith("--exclude=")]
    return set(words[0].removeprefix("--exclude=").split(",")) if words else set()


def no_gpu_on(node, monkeypatch, problem="the node has no GPU driver.", of_the_node=True):
    """The text with which a training ends there."""
    monkeypatch.setenv(gpu_nodes.NODE, node)
    monkeypatch.delenv(gpu.FALLBACK, raising=False)
    monkeypatch.setattr(gpu, "missing", lambda: problem)
    monkeypatch.setattr(gpu, "_is_of_this_node", lambda: of_the_node)
    with pytest.raises(InputProblem) as stopped:
        gpu.device(1)
    return str(stopped.value)


def test_a_job_is_tried_again_on_other_nodes_until_none_is_left(submit, monkeypatch):
    submissions, excluding, messages = submit
    assert excluding(job(gpu=1)) == set()
    for number, node in enumerate(["gpu2", "gpu1"], start=1):
        assert submissions.may_try_again("train_torch", no_gpu_on(node, monkeypatch))
        assert excluding(job(gpu=1)) == {"gpu2", "gpu1"} & set(submissions.broken) and len(messages) == number
    assert excluding(job(gpu=1), failed=["cpu7"]) == {"gpu1", "gpu2", "cpu7"}
    assert excluding(job("permute_torch", gpu=1)) == {"gpu1", "gpu2"}
    assert excluding(job("align_star"), failed=["cpu7"]) == {"cpu7"}  # that node may still calculate
    assert not submissions.may_try_again("train_torch", no_gpu_on("gpu3", monkeypatch))
    assert "no working GPU on gpu1, gpu2, gpu3, and SLURM has no other node for train_torch" in messages[-1]
    assert excluding(job(gpu=1)) == set()  # never all nodes: SLURM would refuse the job without this reason


def test_a_node_is_told_of_once(submit, monkeypatch):
    submissions, excluding, messages = submit
    excluding(job(gpu=1))
    for _ in range(3):
        assert submissions.may_try_again("train_torch", no_gpu_on("gpu2", monkeypatch))
    assert len(messages) == 1 and "the node has no GPU driver" in messages[0]


@pytest.mark.parametrize("text", ["a sheet is wrong", "this job on gpu1 finds no GPU: a build for CPUs."])
def test_what_is_the_same_on_each_node_is_not_tried_again(submit, text):
    submissions, excluding, messages = submit
    excluding(job(gpu=1))
    assert not submissions.may_try_again("train_torch", text) and not messages and not submissions.broken


def test_a_build_for_cpus_is_no_fault_of_the_node(submit, monkeypatch):
    submissions, excluding, _ = submit
    excluding(job(gpu=1))
    text = no_gpu_on("gpu1", monkeypatch, "PyTorch is a build for CPUs.", of_the_node=False)
    assert not submissions.may_try_again("train_torch", text)
