"""Changes to functions of Snakemake that this workflow needs; slurm_patches.py and s3_patches.py change its plugins.

Each patch says why it is there, and where Snakemake's own way is discussed if anywhere. It is applied in the versions that it
was tested with and in no others; what is lost without it is then said (patching.py). rules/common.smk applies them. Names of
Snakemake are imported in the patches, so that a version that lacks one is no error.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import paths
from rna2model.planning import archived_reads, conda_activation, same_content
from rna2model.planning.patching import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ISSUES = "https://github.com/snakemake/snakemake"
SNAKEMAKE, TESTED = "snakemake", ("9.27",)
of_snakemake = partial(patch, SNAKEMAKE, TESTED)


# What runs again: a file with another date or place, but the same content, is the same; reads that were counted may be gone.


@of_snakemake(
    "a large input with a new date, or a file that moved, runs all that depends on it again",
    f"{ISSUES}/pull/1568, {ISSUES}/pull/3368 (--max-checksum-file-size)",
)
def compare_contents(folder: str | Path) -> None:
    """Snakemake compares contents up to a megabyte and paths as text: the content of local files of any size is recorded and
    compared here. folder : the working directory, from which paths are named."""
    from snakemake.io import _IOFile
    from snakemake.persistence import PersistenceBase

    checksum, eligible, metadata = _IOFile.checksum, _IOFile.is_checksum_eligible, PersistenceBase.metadata
    checksums, input_changed = PersistenceBase.input_checksums, PersistenceBase._input_changed

    async def eligible_now(file, threshold):
        if file.is_storage:
            return await eligible(file, threshold)
        return await file.exists_local() and not file.is_fifo()

    async def checksum_now(file, threshold=None, force=False, algorithm=None):
        if file.is_storage or force:  # `ensure` asks for an algorithm of its own
            return await checksum(file, threshold, force, algorithm)
        return await asyncio.to_thread(same_content.of, file.file)

    def checksums_now(records, job, path):
        recorded = checksums(records, job, path)
        if recorded != {None} or getattr(path, "is_storage", False):
            return recorded
        known = [(records.metadata(output) or {}).get("input_checksums") or {} for output in job.output]
        now = set(records._input(job))
        return {same_content.recorded_content(str(path), now, one, folder) for one in known}

    def input_changed_now(records, job, file=None):
        if not input_changed(records, job, file):
            return False
        before = records.metadata(file)
        recorded = before.input_checksums or {}
        return not same_content.same_inputs(before.input, records._input(job), recorded, folder)

    def metadata_now(records, target):
        """Results were recorded by their absolute paths where the config gave one."""
        record = metadata(records, target)
        earlier = None if record or target.is_storage else os.path.join(folder, target)
        return record or (earlier and records._read_record(earlier))

    _IOFile.is_checksum_eligible, _IOFile.checksum = eligible_now, checksum_now
    PersistenceBase.metadata = metadata_now
    PersistenceBase.input_checksums, PersistenceBase._input_changed = checksums_now, input_changed_now


@of_snakemake("scripts that are new on the disk run again, though their code is the same")
def compare_code() -> None:
    """Snakemake looks at a script's date: where a rule has the hash `library` (rules/common.smk), that alone decides."""
    from snakemake.jobs import Job

    older = Job.outputs_older_than_script_or_notebook

    async def older_now(job):
        if "library" not in job.rule.params.keys():
            async for file in older(job):
                yield file

    Job.outputs_older_than_script_or_notebook = older_now


@of_snakemake("a target that is asked for by its absolute path is not found")
def name_targets_from_here(folder: str | Path) -> None:
    """Snakemake compares paths as text: files that a user asks for by absolute paths are those that the rules name from the
    working directory `folder`."""
    from snakemake.dag import DAG

    make = DAG.__init__

    def make_now(dag, *arguments, **options):
        for kind in ("targetfiles", "forcefiles", "priorityfiles", "untilfiles", "omitfiles"):
            if options.get(kind):
                options[kind] = {paths.below(folder, file) for file in options[kind]}
        make(dag, *arguments, **options)

    DAG.__init__ = make_now


@of_snakemake("a run stops as reads are missing, though their samples are counted")
def keep_counted(archived: Mapping[str, Sequence[str]]) -> None:
    """Snakemake refuses a missing input that no rule makes: the run is planned as if files of counted reads were there,
    unchanged, and stops where a job would read them. archived : {sample: files that are not there}."""
    from snakemake.dag import DAG
    from snakemake.exceptions import WorkflowError
    from snakemake.io import Mtime, _IOFile

    gone = {file for files in archived.values() for file in files}
    exists, changed, postprocess = _IOFile.exists, _IOFile.mtime_uncached, DAG.postprocess

    async def exists_now(file):
        return str(file) in gone or await exists(file)

    async def changed_now(file, *arguments, **options):
        return Mtime(local=0) if str(file) in gone else await changed(file, *arguments, **options)

    async def postprocess_now(dag, *arguments, **options):
        if not dag.workflow.touch and (needed := needed_again(dag, archived, gone)):
            raise WorkflowError(archived_reads.refusal(needed))
        return await postprocess(dag, *arguments, **options)

    _IOFile.exists, _IOFile.mtime_uncached, DAG.postprocess = exists_now, changed_now, postprocess_now


def needed_again(
    dag: Any, archived: Mapping[str, Sequence[str]], gone: set[str]
) -> dict[str, tuple[Sequence[str], dict[str, str]]]:
    """{sample: (files that are not there, {rule: why it runs})} of the planned jobs that start from such files."""
    first = [job for job in dag.needrun_jobs() if gone.intersection(map(str, job.input))]
    names = {job: job.wildcards_dict["sample"] for job in first}
    return {name: (archived[name], archived_reads.reasons(dag, job)) for job, name in names.items()}


@of_snakemake("an index that is kept in reference.store is made again when the store is named, moved or left")
def record_as_without_store(as_without_store: Mapping[str, str]) -> None:
    """Snakemake records the whole command: an index is the same wherever it is kept.
    as_without_store : {command of a rule: what it is without a store}."""
    from snakemake.persistence import PersistenceBase

    code = PersistenceBase._code

    def code_now(records, rule):
        return as_without_store.get(rule.shellcmd) or code(records, rule)

    PersistenceBase._code = code_now


# Jobs that failed, and files that jobs leave.


@of_snakemake("jobs that fail because of their input are tried again")
def retry_where_it_may_help(
    stopped_for_good: Callable[[str], str | None], may_do_better_elsewhere: Callable[[str, str], bool]
) -> None:
    """Snakemake tries every failed job again: no memory mends a wrong input. More `retries` of the user count for all jobs.

    stopped_for_good : function of a log that returns the error with which a script ended, and will end again, or None
    may_do_better_elsewhere : function (rule, error) that says whether another node may do it
    """
    from snakemake.jobs import GroupJob, Job

    def tries_left(job):
        jobs = getattr(job, "jobs", [job])  # jobs submitted together are retried together
        scripts = [(one.rule.name, log) for one in jobs if one.rule.script for log in one.log]
        ends = [(name, stopped_for_good(log)) for name, log in scripts]
        if any(error and not may_do_better_elsewhere(name, error) for name, error in ends):
            return 0
        return max(retries(one.rule) for one in jobs)

    def retries(rule):
        if rule.ruleinfo.retries is not None:
            return rule.restart_times
        return max(rule.restart_times, rule.workflow.execution_settings.retries)

    Job.restart_times = GroupJob.restart_times = property(tries_left)


@of_snakemake("a run on object storage waits for temporary files that no job sent")
def send_all_temporary_files() -> None:
    """Snakemake tells a job not to send temporary files that no later job needs, and then waits for them: they are sent."""
    from snakemake.dag import DAG

    DAG.get_unneeded_temp_files = lambda dag, job: []


# Conda's environments: which one is made, of how many; activated once.


@of_snakemake("nothing says which conda environment is being made, for minutes each")
def name_environments_as_they_are_made(log: Any) -> None:
    """A line before each environment that Snakemake makes; log : a logger."""
    from snakemake.dag import DAG

    make = DAG.create_conda_envs

    def make_now(dag, dryrun=False, quiet=False):
        # one file named from several folders is one environment
        missing = list({env.address: env for env in dag.conda_envs.values() if is_missing(env)}.values())
        names = [os.path.basename(env.file.get_path_or_uri(secret_free=True)) for env in missing]
        if dryrun or dag.workflow.dryrun:
            if missing and not quiet:
                log.info(f"rna2model: conda will make {len(missing)} environments first: {', '.join(names)}")
        elif not dag.workflow.touch:
            for number, (env, name) in enumerate(zip(missing, names, strict=True), 1):
                log.info(
                    f"rna2model: conda makes environment {number} of {len(missing)}: {name}, in {env.address} (once; minutes)"
                )
                env.create()
        make(dag, dryrun=dryrun, quiet=quiet)

    DAG.create_conda_envs = make_now


def is_missing(env: Any) -> bool:
    """Whether Snakemake will make an environment: it is not there, or was left unfinished."""
    from snakemake.deployment.conda import get_env_setup_done_flag_file

    if env.is_externally_managed or env.is_containerized:
        return False
    return not get_env_setup_done_flag_file(Path(env.address)).exists()


@of_snakemake("every job in a conda environment takes half a second or more longer", f"{ISSUES}/issues/3635")
def activate_without_conda() -> None:
    """Snakemake starts conda before each command to activate an environment, and its Python for each script to ask for its
    version: both are asked once."""
    from snakemake.deployment.conda import Conda
    from snakemake.script import PythonScript

    activate, ask_python, pythons = Conda.shellcmd, PythonScript._get_python_version, {}

    def activated(conda, environment, command):
        lines = None
        if not conda.container_img:
            lines = conda_activation.statements(os.path.dirname(conda.bin_path()), environment)
        return f"{lines}\n{command}" if lines else activate(conda, environment, command)

    def python_version(script):
        environment = script.conda_env
        if not environment or script.container_img:
            return ask_python(script)
        if environment not in pythons:
            pythons[environment] = ask_python(script)
        return pythons[environment]

    Conda.shellcmd, PythonScript._get_python_version = activated, python_version


@of_snakemake(
    "Snakemake warns of conda's channel priority, which is set for it all the same", f"{ISSUES}/issues/4220"
)
def trust_channel_priority() -> None:
    """Snakemake asks conda's files for strict channel priority and would warn; CONDA_CHANNEL_PRIORITY (environment.py) goes
    before them."""
    from snakemake.deployment.conda import Conda

    Conda._check_condarc = lambda conda: None


# `make plan`.


@of_snakemake("nothing can be planned without running it")
def show_instead_of_run(show: Callable[[Any], object]) -> None:
    """Snakemake has no way to calculate with its plan before any job, lock or submission: `show`, a function of the planned
    Workflow, is called then, and Snakemake ends."""
    from snakemake.workflow import Workflow

    build = Workflow._build_dag

    def build_and_show(workflow):
        build(workflow)
        show(workflow)
        sys.exit(0)

    Workflow._build_dag = build_and_show
