"""What SLURM is asked before the first job, so that no run finds out job by job, or stands still.

The executor (2.8) learns of a wrong account only when it submits, and waits for ever without a word where the first
thing it submits is a group of jobs; job arrays are safe under the conditions below only (profiles/README.md says why).
"""

import getpass
import shutil
import subprocess

import yaml


def check_slurm():
    """WorkflowError where SLURM takes no job as the profile asks for it, or where job arrays would not be safe."""
    settings = workflow.executor_settings
    if not hasattr(settings, "array_jobs"):  # another executor
        return
    jobs = list(workflow.dag.needrun_jobs())
    problems = slurm_refusals(jobs, settings) + (unsafe_arrays(jobs, settings) if settings.array_jobs else [])
    if problems:
        raise WorkflowError("\n  ".join(["nothing was submitted.", *problems]))


def slurm_refusals(jobs, settings):
    """What SLURM says where no partition takes a small job with a rule's account, QOS and constraint."""
    if not shutil.which("sbatch"):
        return ["There is no sbatch on the PATH: run this on a login node of the cluster."]
    given = yaml.safe_load(Path(settings.partition_config).read_text()) if settings.partition_config else {}
    partitions = list(given.get("partitions", {})) or [None]
    one_of_each = {job.rule.name: job.resources for job in jobs}
    asked = {
        (
            str(resources.get("slurm_account") or "").split(",")[0],
            settings.qos or resources.get("qos"),
            resources.get("constraint"),
        )
        for resources in one_of_each.values()
    }
    problems = []
    for account, qos, constraint in sorted(asked, key=str):
        options = {"account": account, "qos": qos, "constraint": constraint}
        answers = {name: sbatch_refusal(partition=name, **options) for name in partitions}
        if all(answers.values()):
            problems += [
                f"SLURM takes no job with slurm_account: {account or '(not set)'}, slurm-qos: {qos or '(not set)'}"
                + (f", constraint: {constraint}" if constraint else ""),
                *(f"  in partition {name or '(default)'}: {text}" for name, text in answers.items()),
            ]
    return problems + (slurm_associations() if problems else [])


def sbatch_refusal(**options):
    """SLURM's reason not to take a small job, or an empty text; nothing is submitted."""
    given = [f"--{name}={value}" for name, value in options.items() if value]
    command = ["sbatch", "--test-only", "--time=10", "--mem=500", "--ntasks=1", "--wrap=true", *given]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = (done.stderr or done.stdout).strip().splitlines() or ["(no reason given)"]
    return (
        lines[-1].removeprefix("sbatch: error: ").removeprefix("allocation failure: ")
        if done.returncode
        else ""
    )


def slurm_associations():
    """The accounts and QOS that this user may name, as the accounting database has them."""
    listing = [
        "sacctmgr",
        "-nP",
        "show",
        "assoc",
        f"user={getpass.getuser()}",
        "format=account,qos,maxsubmit",
    ]
    done = subprocess.run(listing, capture_output=True, text=True)
    yours = [line.split("|") for line in done.stdout.splitlines()]
    return [
        (
            "Set them in config.yaml of the profile. Yours are:"
            if yours
            else "Set them in config.yaml of the profile."
        )
    ] + [
        f"  slurm_account: {account}, slurm-qos: {qos.replace(',', ' or ')}"
        + (f" (at most {most} jobs in the queue)" if most else "")
        for account, qos, most in yours
    ]


def unsafe_arrays(jobs, settings):
    """Why the executor would lose jobs of an array, take failed ones as done, or give them too little."""
    from snakemake_executor_plugin_slurm.job_status_query import get_min_job_age

    problems = []
    age, needed = get_min_job_age(), 3 * settings.init_seconds_before_status_checks
    if settings.status_command != "squeue" or (age or 0) < needed:
        problems.append(
            f"slurm-array-jobs needs slurm-status-command: squeue and a MinJobAge of {needed} s"
            f" (here {settings.status_command}, {age} s): by sacct a failed task of an array counts as done."
        )
    at_once = workflow.scheduling_settings.max_jobs_per_timespan
    for name, given in (
        ("jobs", workflow.resource_settings.nodes),
        ("max-jobs-per-timespan", at_once and at_once.max_jobs),
    ):
        if given and given < len(jobs):
            problems.append(
                f"slurm-array-jobs needs {name} of at least {len(jobs)}, the jobs of this run (here {given}):"
                " an array that is not complete is never submitted."
            )
    names = {name.strip() for name in settings.array_jobs.replace(";", ",").split(",")}
    for rule in sorted({job.rule.name for job in jobs if job.rule.name in names or "all" in names}):
        for resource in ("mem_mb", "runtime"):
            asked = {str(job.resources.get(resource)) for job in jobs if job.rule.name == rule}
            if len(asked) > 1 or "<TBD>" in asked:
                problems.append(
                    f"slurm-array-jobs: {rule} asks for {resource} by the size of the sample; all tasks of an array get"
                    f" what the first asks for. Give one value for all under set-resources."
                )
    return problems
