"""The GPU of a training job: which one it is, or, where there is none, the sentence that helps."""

import os
import platform
import re
import subprocess
import sys

from rna2model.errors import InputProblem

FALLBACK = "RNA2MODEL_GPU_FALLBACK"  # a variable, no parameter of rules: a change must not train again
DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, WSL 2, AMD
NONE = "none"


def device(gpus):
    """Where torch models are trained, "cpu" or "cuda", with `gpus` of the config.

    InputProblem where GPUs are asked for and PyTorch finds none, unless `training.gpu_fallback` is cpu (the model then
    trains on the CPU and notes it).
    """
    if not gpus:
        return "cpu"
    problem = "" if os.environ.get(FALLBACK) == "cpu" else missing()
    if problem:
        raise InputProblem(
            f"training.gpus is {gpus}, but this job on {platform.node()} finds no GPU: {problem}"
            " `training.gpu_fallback: cpu` trains on the CPU where no GPU is found, `training.gpus: 0` everywhere."
        )
    return "cuda"


def missing():
    """Why PyTorch finds no GPU in this process, and what to do; an empty text where it finds one."""
    import torch

    if torch.cuda.is_available():
        return ""
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
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1", "NoDevFiles"):
        return (
            f"CUDA_VISIBLE_DEVICES is '{os.environ['CUDA_VISIBLE_DEVICES']}', so that the node's GPUs are hidden."
            " Ask the cluster for one (profiles/README.md), or unset the variable."
        )
    driver = facts()["GPU driver"]
    return (
        f"PyTorch {torch.__version__} is built for CUDA {torch.version.cuda}, and the driver here is {driver}. If that is too"
        " old, make the environment for it (CONDA_OVERRIDE_CUDA, profiles/README.md); else ask the cluster for a GPU."
    )


def has_driver():
    """Whether this machine has a GPU driver; PyTorch, which takes seconds to import, is not asked."""
    return any(map(os.path.exists, DRIVER_FILES))


def facts():
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
