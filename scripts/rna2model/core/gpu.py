"""The GPU of a training job, or a message on what to do if there is none."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from rna2model.core import gpu_nodes
from rna2model.core.errors import InputProblem

FALLBACK = "RNA2MODEL_GPU_FALLBACK"  # a variable, no parameter of rules: a change must not train again
DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, WSL 2, AMD
NONE = "none"


def device(gpus: int) -> str:
    """Where torch models are trained, "cpu" or "cuda", with `gpus` of the config.

    InputProblem where GPUs are asked for and PyTorch finds none that works, unless `training.gpu_fallback` is cpu (the
    model then trains on the CPU and notes it). If a SLURM node is at fault, the message names it, so that the next
    attempt avoids it.
    """
    if not gpus:
        return "cpu"
    problem = "" if os.environ.get(FALLBACK) == "cpu" else missing()
    if problem:
        if os.environ.get(gpu_nodes.NODE) and _is_of_this_node():
            problem += f" {gpu_nodes.ELSEWHERE}"
        raise InputProblem(
            f"training.gpus is {gpus}, but this job on {gpu_nodes.here()} finds no GPU: {problem}"
            " `training.gpu_fallback: cpu` trains on the CPU where no GPU is found, `training.gpus: 0` everywhere."
        )
    return "cuda"


def missing() -> str:
    """Why PyTorch finds no working GPU in this process, and what to do; an empty text where it finds one."""
    import torch

    if torch.cuda.is_available():
        broken = _try()
        return f"the GPU does not work ({broken}). Have the node repaired." if broken else ""
    if not (torch.version.cuda or torch.version.hip):
        return (
            f"PyTorch {torch.__version__} in {sys.prefix} is a build for CPUs. With conda on the PATH of `make setup`"
            " the job gets a GPU build (envs/torch_gpu.yaml); without conda install one in that Python (pytorch.org)."
        )
    if not has_driver():
        return (
            "the node has no GPU driver. Send these jobs to nodes that have one (profiles/README.md: `max_gpu` in"
            " partitions.yaml; in a container --nv)."
        )
    if _is_hidden():
        return (
            f"CUDA_VISIBLE_DEVICES is '{os.environ['CUDA_VISIBLE_DEVICES']}', so that the node's GPUs are hidden."
            " Ask the cluster for one (profiles/README.md), or unset the variable."
        )
    driver = facts()["GPU driver"]
    return (
        f"PyTorch {torch.__version__} is built for CUDA {torch.version.cuda}, and the driver here is {driver}. If that is too"
        " old, make the environment for it (CONDA_OVERRIDE_CUDA, profiles/README.md); else ask the cluster for a GPU."
    )


def _try():
    """PyTorch's error if the GPU is present but cannot compute, or an empty text."""
    import torch

    try:
        works = torch.ones(2, device="cuda").sum().item() == 2
    except torch.OutOfMemoryError:  # not our own memory, for which a job is tried again as it is
        return "another process fills it"
    except RuntimeError as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return "" if works else "1 + 1 is not 2"


def _is_hidden():
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1", "NoDevFiles")


def _is_of_this_node():
    """Whether another node may have a working GPU: not if PyTorch is built for CPUs, or if the job was allocated no GPU."""
    import torch

    return bool(torch.version.cuda or torch.version.hip) and not (has_driver() and _is_hidden())


def has_driver() -> bool:
    """Whether this machine has a GPU driver; PyTorch, which takes seconds to import, is not asked."""
    return any(map(os.path.exists, DRIVER_FILES))


def facts() -> dict[str, str]:
    """{"GPU": its name, "GPU driver": version, "CUDA": version of PyTorch's build}, "none" for what is not there."""
    import torch

    names = {torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
    return {
        "GPU": ", ".join(sorted(names)) or NONE,
        "GPU driver": _driver_of(_first_line(DRIVER_FILES[0])) or _ask_nvidia_smi() or NONE,
        "CUDA": torch.version.cuda or NONE,
    }


def _driver_of(text):
    """Version of the driver in the first line of /proc/driver/nvidia/version, or an empty text."""
    match = re.search(r"\s(\d+(?:\.\d+)+)\s", text)
    return match[1] if match else ""


def _first_line(path):
    try:
        with open(path) as file:
            return file.readline()
    except OSError:
        return ""


def _ask_nvidia_smi():
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.split()[0] if answer.split() else ""
