"""A training job that asked for a GPU gets one or says why not; `versions.tsv` has device, driver and CUDA."""

import re
import subprocess

import pytest
import yaml

from rna2model.core import gpu
from rna2model.core.errors import InputProblem
from rna2model.core.tool_failure import is_infrastructure
from tests import command
from tests.slurm.runs import small_matrix


@pytest.fixture
def machine(monkeypatch):
    """A function that makes this process look as on a machine with the given PyTorch build, driver and devices."""
    import torch

    def make(cuda=None, devices=(), driver=False, visible=None, broken=""):
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.version, "hip", None)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(devices))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(devices))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: devices[i])
        monkeypatch.setattr(gpu, "_try", lambda: broken)
        monkeypatch.setattr(gpu, "has_driver", lambda: driver)
        monkeypatch.setattr(gpu, "_driver_of", lambda line: "535.104.05" if driver else "")
        monkeypatch.delenv(gpu.FALLBACK, raising=False)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return make


def test_without_gpus_asked_for_nothing_is_looked_for(machine):
    machine(cuda="12.9", devices=["A100"], driver=True)
    assert gpu.device(0) == "cpu"


def test_a_gpu_that_is_there_is_used(machine):
    machine(cuda="12.9", devices=["A100"], driver=True)
    assert gpu.device(1) == "cuda"


@pytest.mark.parametrize(
    ("there", "advice"),
    [
        ({}, "is a build for CPUs"),
        ({"driver": True}, "envs/torch_gpu.yaml"),
        ({"cuda": "12.9"}, "the node has no GPU driver"),
        ({"cuda": "12.9", "driver": True, "visible": ""}, "CUDA_VISIBLE_DEVICES is ''"),
        ({"cuda": "12.9", "driver": True}, "built for CUDA 12.9, and the driver here is 535.104.05"),
    ],
)
def test_a_missing_gpu_stops_the_job_with_the_sentence_that_helps(machine, there, advice):
    machine(**there)
    with pytest.raises(InputProblem, match=re.escape(advice)) as stopped:
        gpu.device(1)
    assert "training.gpu_fallback: cpu" in str(stopped.value)
    assert not is_infrastructure(str(stopped.value)), "tried again, it would end the same way"


def test_with_the_fallback_it_is_left_to_the_model_to_note_it(machine, monkeypatch):
    machine(cuda="12.9")
    monkeypatch.setenv(gpu.FALLBACK, "cpu")
    assert gpu.device(1) == "cuda"  # models note "no GPU is available": test_models.py


def test_facts_name_device_driver_and_cuda(machine):
    machine(cuda="12.9", devices=["A100", "A100"], driver=True)
    assert gpu.facts() == {"GPU": "A100", "GPU driver": "535.104.05", "CUDA": "12.9"}


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023",
            "535.104.05",
        ),
        (
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (dvs-builder)",
            "550.54.15",
        ),
        ("", ""),
    ],
)
def test_the_version_of_the_driver_is_read_from_the_kernel(line, version):
    assert gpu._driver_of(line) == version


@pytest.mark.skipif(gpu.has_driver(), reason="this machine has a GPU driver")
def test_a_run_on_a_machine_without_a_gpu_stops_before_its_first_job(tmp_path):
    small_matrix(tmp_path)
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    config["training"] = {"gpus": 1}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    target = "results/splits/full/models/mlp"
    done = subprocess.run(
        command.command(tmp_path, target, *command.LOCAL), capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1 and "this machine has no GPU driver (train_torch" in done.stderr
    assert not (tmp_path / "results/logs").exists()


def test_a_gpu_that_does_not_calculate_stops_the_job_at_once(machine, monkeypatch):
    machine(
        cuda="12.9", devices=["A100"], driver=True, broken="CUDA error: uncorrectable ECC error encountered"
    )
    monkeypatch.setenv("SLURMD_NODENAME", "gpu7")
    with pytest.raises(
        InputProblem,
        match=r"this job on gpu7 finds no GPU: the GPU does not work .CUDA error.* another node is tried",
    ):
        gpu.device(1)


@pytest.mark.parametrize(
    ("there", "of_this_node"),
    [
        ({}, False),
        ({"driver": True}, False),
        ({"cuda": "12.9"}, True),
        ({"cuda": "12.9", "driver": True, "visible": "NoDevFiles"}, False),
        ({"cuda": "12.9", "driver": True}, True),
    ],
)
def test_only_what_may_be_better_elsewhere_is_of_the_node(machine, there, of_this_node):
    machine(**there)
    assert gpu._is_of_this_node() == of_this_node
