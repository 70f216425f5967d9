"""Changes to Snakemake's SLURM executor that this workflow needs, in the versions that they were tested with (patching.py)."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from rna2model.core import gpu_nodes
from rna2model.planning import notify
from rna2model.planning.patching import patch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKAGE, TESTED = "snakemake-executor-plugin-slurm", ("2.8",)
of_slurm = partial(patch, PACKAGE, TESTED)


@of_slurm("GPU jobs are sent again to nodes whose GPU does not work")
def avoid_broken_gpus(warn_of_node: Callable[..., object]) -> None:
    """The executor does not know nodes with a broken GPU: GPU jobs avoid nodes on which a GPU job of this run failed."""
    import snakemake_executor_plugin_slurm as plugin

    if not isinstance(plugin.get_submit_command, gpu_nodes.Submissions):
        plugin.get_submit_command = gpu_nodes.Submissions(
            plugin.get_submit_command, plugin.set_gres_string, warn_of_node
        )


def gpu_elsewhere(rule: str, error: str) -> bool:
    """Whether a job that ended for the lack of a GPU may do better on another node, to which it is sent then."""
    executor = sys.modules.get("snakemake_executor_plugin_slurm")
    submissions = getattr(executor, "get_submit_command", None)
    return isinstance(submissions, gpu_nodes.Submissions) and submissions.may_try_again(rule, error)


@of_slurm("the names of jobs do not begin with the project's")
def name_jobs(executor: Any, settings: Any, folder: str | Path) -> None:
    """Let the names of jobs begin with the project's, unless slurm-jobname-prefix says else.

    The executor joins prefix and run ID when it is made, before `onstart`; what it submits and asks for takes the ID then.
    """
    if hasattr(executor, "run_uuid") and not settings.jobname_prefix:
        executor.run_uuid = f"{notify.job_prefix(folder)}_{executor.run_uuid}"
