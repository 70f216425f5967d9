"""What SLURM is asked before the first job, so that no run finds out job by job, or stands still.

The executor (2.8) learns of a wrong account only when it submits, and waits for ever without a word where the first
thing it submits is a group of jobs.
"""

import getpass
import re
import shutil
import subprocess

import yaml

# What stays wrong; that nodes or partitions are down now is no reason not to wait in the queue.
LASTING = re.compile(
    "invalid (account|qos|partition|feature)|reservation is invalid|accounting/qos policy|not permitted|unable to contact",
    re.I,
)

# A QOS may be for GPU jobs only; another cluster has other accounts.
NOT_ASKED = ("gpu", "gres", "cluster", "clusters", "slurm_cluster")


def check_slurm():
    """WorkflowError where SLURM takes no job as the profile asks for it."""
    settings = workflow.executor_settings
    if not hasattr(settings, "array_jobs"):  # another executor
        return
    problems = slurm_refusals(settings)
    if settings.array_jobs:
        problems.append(
            "slurm-array-jobs: with this executor each task of an array deletes the output of the first one"
            " (profiles/README.md). Use group-components instead."
        )
    if problems:
        raise WorkflowError("\n  ".join(["nothing was submitted.", *problems]))


def slurm_refusals(settings):
    """What SLURM says where no partition takes a small CPU job with a rule's account, QOS and constraint."""
    if not shutil.which("sbatch"):
        return ["There is no sbatch on the PATH: run this on a login node of the cluster."]
    one_of_each = {job.rule.name: job for job in workflow.dag.needrun_jobs()}
    asked = {
        (
            str(resources.get("slurm_account") or "").replace(",", " ").split(" ")[0],
            settings.qos or resources.get("qos"),
            resources.get("constraint"),
            resources.get("slurm_partition"),
        )
        for resources in (job.resources for job in one_of_each.values())
        if not any(resources.get(name) for name in NOT_ASKED)
    }
    problems = []
    for account, qos, constraint, partition in sorted(asked, key=str):
        options = {
            "account": account,
            "qos": qos,
            "constraint": constraint,
            "reservation": settings.reservation,
        }
        partitions = [partition] if partition else slurm_partitions(settings)
        answers = {name: sbatch_refusal(partition=name, **options) for name in partitions}
        if answers and all(answers.values()):
            named = {"slurm_account": account or "(not set)", "slurm-qos": qos, "constraint": constraint}
            problems.append(
                "SLURM takes no job with "
                + ", ".join(f"{name}: {value}" for name, value in named.items() if value)
            )
            problems += [f"  in partition {name or '(default)'}: {text}" for name, text in answers.items()]
    return problems + (slurm_associations() if problems else [])


def slurm_partitions(settings):
    """The partitions of this cluster that the profile's file names, or the default one."""
    if not settings.partition_config:
        return [None]
    limits = yaml.safe_load(Path(settings.partition_config).read_text())["partitions"]
    elsewhere = {"cluster", "clusters", "slurm_cluster"}
    return [name for name, limit in limits.items() if not elsewhere & set(limit or ())]


def sbatch_refusal(**options):
    """SLURM's lasting reason not to take a small job, or an empty text; nothing is submitted."""
    given = [f"--{name}={value}" for name, value in options.items() if value]
    command = ["sbatch", "--test-only", "--time=10", "--mem=500", "--ntasks=1", "--wrap=true", *given]
    done = subprocess.run(command, capture_output=True, text=True)
    text = done.stderr.strip()
    return text.splitlines()[-1].split(": ", 1)[-1] if done.returncode and LASTING.search(text) else ""


def slurm_associations():
    """The accounts and QOS that this user may name, as the accounting database has them."""
    fields = "format=account,qos,maxsubmit"
    listing = ["sacctmgr", "-nP", "show", "assoc", f"user={getpass.getuser()}", fields]
    done = subprocess.run(listing, capture_output=True, text=True) if shutil.which("sacctmgr") else None
    yours = [line.split("|") for line in done.stdout.splitlines() if line.count("|") == 2] if done else []
    return [f"Set them in config.yaml of the profile.{' Yours are:' if yours else ''}"] + [
        f"  slurm_account: {account}, slurm-qos: {qos.replace(',', ' or ')}"
        + (f" (at most {most} jobs in the queue)" if most else "")
        for account, qos, most in yours
    ]
