"""Check for GPUs before the first job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

GPU_RULES = {"train_torch", "permute_torch", "learn_from_fewer_torch"}
NO_ENVIRONMENT = (
    "rna2model: this machine has no GPU driver, so that conda cannot make envs/torch_gpu.yaml here. Where it is not made"
    " yet: export CONDA_OVERRIDE_CUDA=12.9, or what nvidia-smi on a GPU node shows as CUDA version (profiles/README.md)."
)


def problem(gpus: int, rules: Iterable[str]) -> str:
    """Why jobs of `rules` (names) cannot run on this machine, which has no GPU; an empty text if none of them needs one.

    gpus : `training.gpus`
    """
    training = ", ".join(sorted(GPU_RULES.intersection(rules)))
    if not training:
        return ""
    return (
        f"training.gpus is {gpus}, but this machine has no GPU driver ({training} would run here)."
        " Run on one that has (profiles/README.md), or set `training.gpu_fallback: cpu` or `training.gpus: 0`."
    )
