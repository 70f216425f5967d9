"""Exclude SLURM nodes on which a job of this run found no working GPU from its next attempt.

The job says so in its log, with the node's name; the process that submits reads it there before it tries again, so that
nothing but the log has to reach it over the shared disk. A new run begins without any such node.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NODE = "SLURMD_NODENAME"  # set by SLURM in each job
ELSEWHERE = "On SLURM another node is tried."
SAID = re.compile(rf"this job on (\S+) finds no GPU: (.*) {re.escape(ELSEWHERE)}", re.S)


def here() -> str:
    """The name of this node, as SLURM sets it in its jobs."""
    return os.environ.get(NODE) or platform.node()


def takes(call: str) -> bool:
    """Whether SLURM has a node for the sbatch options `call` (str); nothing is submitted."""
    done = subprocess.run(f"{call} --test-only --wrap=true", shell=True, capture_output=True, text=True)
    return done.returncode == 0


class Submissions:
    """Wraps the executor's function that writes the sbatch command, so that GPU jobs avoid nodes without working GPU.

    write : function of (job, params, settings, failed_nodes) that returns the command; failed_nodes are excluded in it
    gres : function of a job that returns the rest of the command, which asks for the GPU
    warn : function of a text
    """

    def __init__(
        self, write: Callable[..., str], gres: Callable[[Any], str], warn: Callable[[str], object]
    ) -> None:
        self.write, self.gres, self.warn = write, gres, warn
        self.last: dict[str, Callable[[Iterable[str]], str]] = {}  # {rule: its last submission}
        self.broken: dict[str, str] = {}  # {node: why its GPU does not work}

    def __call__(
        self, job: Any, params: Any, settings: Any = None, failed_nodes: Iterable[str] | None = None
    ) -> str:
        if not asks_for_gpu(job):
            return self.write(job, params, settings, failed_nodes)

        def excluding(nodes):
            return self.write(job, params, settings, sorted({*(failed_nodes or ()), *nodes}))

        rules = [one.name for one in getattr(job, "jobs", [job])]
        self.last |= dict.fromkeys(rules, lambda nodes: excluding(nodes) + self.gres(job))
        if self.broken and self.has_others(rules[0]):
            return excluding(self.broken)
        return self.write(job, params, settings, failed_nodes)

    def has_others(self, rule: str) -> bool:
        """Whether SLURM has other nodes than the broken ones for the jobs of a rule, in the partition that they go to."""
        return rule in self.last and takes(self.last[rule](self.broken))

    def may_try_again(self, rule: str, error: str) -> bool:
        """Whether a job of `rule` that failed with the text `error` found no GPU on its node and may find one on
        another."""
        report = SAID.search(error)
        if not report or rule not in self.last:
            return False
        node, reason = report[1], " ".join(report[2].split())
        new = node not in self.broken
        self.broken[node] = reason
        others = self.has_others(rule)
        if new and others:
            self.warn(
                f"rna2model: no working GPU on {node}: GPU jobs of this run go to other nodes. ({reason})"
            )
        elif new:
            self.warn(
                f"rna2model: no working GPU on {', '.join(sorted(self.broken))}, and SLURM has no other node for {rule}: have"
                " them repaired, name a partition with more GPU nodes (`max_gpu` in partitions.yaml), or set"
                f" `training.gpu_fallback: cpu`. ({reason})"
            )
        return others


def asks_for_gpu(job: Any) -> bool:
    """Whether a job requests a GPU, in any of the executor's ways."""
    return bool(job.resources.get("gpu") or "gpu" in (job.resources.get("gres") or ""))
