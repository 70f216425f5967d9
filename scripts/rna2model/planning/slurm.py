"""Checks of SLURM before the first job, so that a wrong account or limit does not fail one job after another, or stall
the run.

The executor (2.8) learns of a wrong account only when it submits, and waits for ever without a word where the first
thing it submits is a group of jobs.
"""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


# What stays wrong; that nodes or partitions are down now is no reason not to wait in the queue.
LASTING = re.compile(
    "invalid (account|qos|partition|feature)|reservation is invalid|accounting/qos policy|not permitted|unable to contact",
    re.I,
)

# A QOS may be for GPU jobs only; another cluster has other accounts.
NOT_ASKED = ("gpu", "gres", "cluster", "clusters", "slurm_cluster")
ELSEWHERE = {"cluster", "clusters", "slurm_cluster"}


def is_executor(settings: Any) -> bool:
    """Whether these are the settings of the SLURM executor."""
    return hasattr(settings, "array_jobs")


def problems(
    settings: Any,
    jobs: Sequence[Any],
    jobs_at_once: int,
    unfit: Callable[[Any], tuple[list[str], list[str]]],
    warn: Callable[[str], object],
) -> list[str]:
    """Why SLURM would reject this run's jobs as the profile requests them: lines, empty if it accepts them.

    settings : of the executor; jobs : Snakemake's jobs that will run; jobs_at_once : the most that are in the queue
    unfit : function of jobs that returns (problems, notes), see RunPlan.unfit_rules; warn : function of a text
    """
    problems = refusals(settings, jobs)
    if not problems:
        problems = too_many_for_queue(settings, jobs, jobs_at_once) + too_large_for_partitions(
            *unfit(jobs), warn
        )
    if settings.array_jobs:
        problems.append(
            "slurm-array-jobs: with this executor each task of an array deletes the output of the first one"
            " (profiles/README.md). Use group-components instead."
        )
    return problems


def refusals(settings: Any, jobs: Sequence[Any]) -> list[str]:
    """SLURM's messages if no partition accepts a small CPU job with a rule's account, QOS and constraint."""
    if not shutil.which("sbatch"):
        return ["There is no sbatch on the PATH: run this on a login node of the cluster."]
    refusal_lines = []
    for account, qos, constraint, partition in requests(settings, jobs):
        options = {
            "account": account,
            "qos": qos,
            "constraint": constraint,
            "reservation": settings.reservation,
        }
        names = [partition] if partition else partitions(settings)
        answers = {name: sbatch_refusal(partition=name, **options) for name in names}
        if answers and all(answers.values()):
            named = {"slurm_account": account or "(not set)", "slurm-qos": qos, "constraint": constraint}
            refusal_lines.append(
                "SLURM takes no job with "
                + ", ".join(f"{name}: {value}" for name, value in named.items() if value)
            )
            refusal_lines += [
                f"  in partition {name or '(default)'}: {text}" for name, text in answers.items()
            ]
    return refusal_lines + (associations() if refusal_lines else [])


def requests(settings: Any, jobs: Sequence[Any]) -> list[tuple[str, str | None, str | None, str | None]]:
    """(account, QOS, constraint, partition) that the CPU jobs of this run ask for, each once."""
    one_of_each = {job.rule.name: job for job in jobs}
    combinations = {
        (
            str(resources.get("slurm_account") or "").replace(",", " ").split(" ")[0],
            settings.qos or resources.get("qos"),
            resources.get("constraint"),
            resources.get("slurm_partition"),
        )
        for resources in (job.resources for job in one_of_each.values())
        if not any(resources.get(name) for name in NOT_ASKED)
    }
    return sorted(combinations, key=str)


def too_many_for_queue(settings: Any, jobs: Sequence[Any], jobs_at_once: int) -> list[str]:
    """What to change where the run would submit more jobs than SLURM lets this user have in the queue: it refuses the
    others, and each refusal is a failed attempt."""
    wanted = min(jobs_at_once, len(jobs))
    limits = [queue_limit(account, qos) for account, qos, *_ in requests(settings, jobs)]
    least = min((limit for limit in limits if limit), default=wanted)
    if wanted <= least:
        return []
    return [
        f"SLURM lets you have {least} jobs in the queue, and this run would submit up to {wanted}."
        f" Set `jobs: {least}` in config.yaml of the profile, or less where you have other jobs in the queue."
    ]


def too_large_for_partitions(
    unfit: Sequence[str], notes: Sequence[str], warn: Callable[[str], object]
) -> list[str]:
    """Rules whose largest job fits no partition; those of which only a later attempt does not are named as a warning."""
    if notes:
        warn("\n  ".join(["rna2model: the largest partition limits these rules (partitions.yaml):", *notes]))
    if not unfit:
        return []
    return [
        "These rules ask for more than any partition of partitions.yaml takes:",
        *(f"  {problem}" for problem in unfit),
        "Name a larger partition there, or set what the rule asks for by `set-resources` in config.yaml of the profile.",
    ]


def queue_limit(account: str, qos: str | None) -> int | None:
    """The most jobs of this user that may wait or run, as the accounting database has it; None where it has no limit."""
    mine = sacctmgr("assoc", "account,maxsubmit,defaultqos", f"user={getpass.getuser()}")
    mine = [row for row in mine if account in ("", row[0])]
    named = {qos} if qos else {default for *_, default in mine}
    limits = [max(int(most or sys.maxsize) for _, most, _ in mine)] if mine else []  # one row per cluster
    limits += [int(most) for name, most in sacctmgr("qos", "name,maxsubmitpu") if most and name in named]
    least = min(limits, default=sys.maxsize)
    return None if least == sys.maxsize else least


def sacctmgr(entity: str, columns: str, *conditions: str) -> list[list[str]]:
    """Rows of a table of the accounting database; none where there is no database."""
    if not shutil.which("sacctmgr"):
        return []
    listing = ["sacctmgr", "-nP", "show", entity, *conditions, f"format={columns}"]
    done = subprocess.run(listing, capture_output=True, text=True)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    return [row for row in rows if len(row) == len(columns.split(","))]


def partitions(settings: Any) -> list[str | None]:
    """The partitions of this cluster that the profile's file names, or the default one."""
    if not settings.partition_config:
        return [None]
    limits = yaml.safe_load(Path(settings.partition_config).read_text())["partitions"]
    return [name for name, limit in limits.items() if not ELSEWHERE & set(limit or ())]


def sbatch_refusal(**options: str | None) -> str:
    """SLURM's permanent reason to reject a small job, or an empty text; nothing is submitted."""
    arguments = [f"--{name}={value}" for name, value in options.items() if value]
    command = ["sbatch", "--test-only", "--time=10", "--mem=500", "--ntasks=1", "--wrap=true", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    text = done.stderr.strip()
    return text.splitlines()[-1].split(": ", 1)[-1] if done.returncode and LASTING.search(text) else ""


def associations() -> list[str]:
    """The accounts and QOS that this user may name, as the accounting database has them."""
    yours = sacctmgr("assoc", "account,qos,maxsubmit", f"user={getpass.getuser()}")
    return [f"Set them in config.yaml of the profile.{' Yours are:' if yours else ''}"] + [
        f"  slurm_account: {account}, slurm-qos: {qos.replace(',', ' or ')}"
        + (f" (at most {most} jobs in the queue)" if most else "")
        for account, qos, most in yours
    ]
