"""What SLURM is asked before the first job, so that no run finds out job by job, or stands still.

The executor (2.8) learns of a wrong account only when it submits, and waits for ever without a word where the first
thing it submits is a group of jobs.
"""

import getpass
import re
import shutil
import subprocess
import sys

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
    if not problems:
        problems = too_many_for_queue(settings) + too_large_for_partitions()
    if settings.array_jobs:
        problems.append(
            "slurm-array-jobs: with this executor each task of an array deletes the output of the first one"
            " (profiles/README.md). Use group-components instead."
        )
    if problems:
        raise WorkflowError("\n  ".join(["nothing was submitted.", *problems]))
    name_slurm_jobs(workflow.scheduler._executor, settings)
    avoid_broken_gpus()


def name_slurm_jobs(executor, settings):
    """Let the names of jobs begin with the project's, unless slurm-jobname-prefix says else.

    The executor joins prefix and run ID when it is made, before `onstart`; what it submits and asks for takes the ID then.
    """
    if hasattr(executor, "run_uuid") and not settings.jobname_prefix:
        executor.run_uuid = f"{notify.job_prefix(os.getcwd())}_{executor.run_uuid}"


def slurm_refusals(settings):
    """What SLURM says where no partition takes a small CPU job with a rule's account, QOS and constraint."""
    if not shutil.which("sbatch"):
        return ["There is no sbatch on the PATH: run this on a login node of the cluster."]
    problems = []
    for account, qos, constraint, partition in slurm_requests(settings):
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


def slurm_requests(settings):
    """(account, QOS, constraint, partition) that the CPU jobs of this run ask for, each once."""
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
    return sorted(asked, key=str)


def too_many_for_queue(settings):
    """What to change where the run would submit more jobs than SLURM lets this user have in the queue: it refuses the
    others, and each refusal is a failed attempt."""
    wanted = min(workflow.resource_settings.nodes or 1, sum(1 for _ in workflow.dag.needrun_jobs()))
    limits = [slurm_queue_limit(account, qos) for account, qos, *_ in slurm_requests(settings)]
    least = min((limit for limit in limits if limit), default=wanted)
    if wanted <= least:
        return []
    return [
        f"SLURM lets you have {least} jobs in the queue, and this run would submit up to {wanted}."
        f" Set `jobs: {least}` in config.yaml of the profile, or less where you have other jobs in the queue."
    ]


def read_partitions(path):
    """The partitions of this cluster in the profile's file, as the executor reads it."""
    from snakemake_executor_plugin_slurm.partitions import read_partition_file

    return [
        requests.Partition(
            found.name,
            limit.max_mem_mb,
            limit.max_runtime,
            min(limit.max_threads, limit.max_cpus_per_task),
            limit.max_gpu,
        )
        for found in read_partition_file(Path(path))
        if not found.partition_cluster
        for limit in [found.limits]
    ]


def too_large_for_partitions():
    """Rules whose largest job fits no partition; those of which only a later attempt does not are named as a warning."""
    if not known_partitions():
        return []
    problems, notes = unfit_rules(workflow.dag.needrun_jobs())
    if notes:
        logger.warning(
            "\n  ".join(["rna2model: the largest partition limits these rules (partitions.yaml):", *notes])
        )
    if not problems:
        return []
    return [
        "These rules ask for more than any partition of partitions.yaml takes:",
        *(f"  {problem}" for problem in problems),
        "Name a larger partition there, or set what the rule asks for by `set-resources` in config.yaml of the profile.",
    ]


def slurm_queue_limit(account, qos):
    """The most jobs of this user that may wait or run, as the accounting database has it; None where it has no limit."""
    mine = sacctmgr("assoc", "account,maxsubmit,defaultqos", f"user={getpass.getuser()}")
    mine = [row for row in mine if account in ("", row[0])]
    named = {qos} if qos else {default for *_, default in mine}
    limits = [max(int(most or sys.maxsize) for _, most, _ in mine)] if mine else []  # one row per cluster
    limits += [int(most) for name, most in sacctmgr("qos", "name,maxsubmitpu") if most and name in named]
    least = min(limits, default=sys.maxsize)
    return None if least == sys.maxsize else least


def sacctmgr(entity, columns, *conditions):
    """Rows of a table of the accounting database; none where there is no database."""
    if not shutil.which("sacctmgr"):
        return []
    listing = ["sacctmgr", "-nP", "show", entity, *conditions, f"format={columns}"]
    done = subprocess.run(listing, capture_output=True, text=True)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    return [row for row in rows if len(row) == len(columns.split(","))]


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
    yours = sacctmgr("assoc", "account,qos,maxsubmit", f"user={getpass.getuser()}")
    return [f"Set them in config.yaml of the profile.{' Yours are:' if yours else ''}"] + [
        f"  slurm_account: {account}, slurm-qos: {qos.replace(',', ' or ')}"
        + (f" (at most {most} jobs in the queue)" if most else "")
        for account, qos, most in yours
    ]
