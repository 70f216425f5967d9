"""Before the first job and after the last: changes to Snakemake, checks of the cluster, messages to the user. No rules are here."""

import shutil
import time

from rna2model.core import gpu, tool_failure
from rna2model.planning import (
    archived_reads,
    disk,
    gpu_checks,
    guard,
    messages,
    notify,
    patching,
    predict_status,
    rule_defaults,
    s3_patches,
    slurm,
    slurm_patches,
    snakemake_patches,
)
from rna2model.planning.partitions import Partitions
from rna2model.planning.run_plan import RunPlan
from rna2model.reference import index_store

HERE = os.getcwd()
STARTED = time.time() - 5  # clocks of file servers differ
WITHOUT_GPU = GPUS > 0 and not gpu.has_driver()  # this machine
# {sample: files}; other missing files have been reported as problems
ARCHIVED = archived_reads.missing(SAMPLES) if IS_MAIN_PROCESS and FROM_READS and not STORE else {}
SKIPPED = []  # patches that are not applied to this version of Snakemake

os.environ |= guard.environment(config) | indices.environment()
os.environ[gpu.FALLBACK] = config["training"]["gpu_fallback"]

snakemake_patches.activate_without_conda(skipped=SKIPPED)
snakemake_patches.trust_channel_priority(skipped=SKIPPED)
snakemake_patches.retry_where_it_may_help(
    lambda log: tool_failure.stopped_for_good(log, STARTED), slurm_patches.gpu_elsewhere, skipped=SKIPPED
)
if IS_MAIN_PROCESS:
    snakemake_patches.compare_contents(HERE, skipped=SKIPPED)
    snakemake_patches.compare_code(skipped=SKIPPED)
    snakemake_patches.name_environments_as_they_are_made(logger, skipped=SKIPPED)
if IS_MAIN_PROCESS and not STORE:
    snakemake_patches.name_targets_from_here(HERE, skipped=SKIPPED)
if ARCHIVED:
    snakemake_patches.keep_counted(ARCHIVED, skipped=SKIPPED)
if indices.store:
    snakemake_patches.record_as_without_store(indices.as_without_store, skipped=SKIPPED)
if STORE:
    snakemake_patches.send_all_temporary_files(skipped=SKIPPED)
    plugin = workflow.storage_registry.default_storage_provider.get_storage_object_cls()
    s3_patches.ask_again_for_folders(plugin, skipped=SKIPPED)
    s3_patches.answer_from_one_list(plugin, run_storage, skipped=SKIPPED)


def disk_message():
    """(text, whether it is a warning) about the disk of the run; an empty text where it has none."""
    if not FROM_READS or STORE:
        return "", False
    to_read = {name: SAMPLES[name] for name in USED if name not in ARCHIVED}
    return disk.message(messages.disk_of_run(workflow, to_read, config))


partitions = Partitions(workflow, resources)
run_plan = RunPlan(workflow, resources, partitions, USED if FROM_READS else [], lambda: disk_message()[0])


def tell_before():
    """Notes before the plan, of the process that the user started: each job reads these files again."""
    if not IS_MAIN_PROCESS:
        return
    for text in patching.messages(SKIPPED):
        logger.warning(text)
    if ARCHIVED:
        logger.warning(f"rna2model: {archived_reads.note(ARCHIVED)}")
    if indices.store and (note := index_store.note(indices.store)):
        logger.warning(f"rna2model: {note}")
    text, is_short = disk_message()
    if text:
        (logger.warning if is_short else logger.info)(f"rna2model: {text}")
    by_conda = "conda" in {str(method) for method in workflow.deployment_settings.deployment_method}
    if WITHOUT_GPU and by_conda and not os.environ.get("CONDA_OVERRIDE_CUDA"):
        logger.warning(gpu_checks.NO_ENVIRONMENT)


def check_slurm():
    """WorkflowError if SLURM would reject the jobs as the profile requests them."""
    settings = workflow.executor_settings
    if not slurm.is_executor(settings):
        return
    jobs = list(workflow.dag.needrun_jobs())
    at_once = workflow.resource_settings.nodes or 1
    problems = slurm.problems(settings, jobs, at_once, run_plan.unfit_rules, logger.warning)
    if problems:
        raise WorkflowError("\n  ".join(["nothing was submitted.", *problems]))
    skipped = []
    slurm_patches.name_jobs(workflow.scheduler._executor, settings, HERE, skipped=skipped)
    slurm_patches.avoid_broken_gpus(logger.warning, skipped=skipped)
    for text in patching.messages(skipped):
        logger.warning(text)


def check_gpu():
    """WorkflowError if jobs that need a GPU would run on this machine, which has none."""
    if not WITHOUT_GPU or config["training"]["gpu_fallback"] == "cpu" or not workflow.local_exec:
        return
    problem = gpu_checks.problem(GPUS, {job.rule.name for job in workflow.dag.needrun_jobs()})
    if problem:
        raise WorkflowError(problem)


def forget_first_failures():
    """Forget failures of earlier runs: only two failures within one run exclude a sample."""
    shutil.rmtree(f"{RESULTS}/logs/failed_once", ignore_errors=True)


def read_result(path):
    """Text of a small result, which may lie in object storage; empty where it is not there."""
    if STORE:
        return (run_storage.first_bytes(STORE.address(path), messages.LARGEST_RESULT) or b"").decode()
    return Path(path).read_text() if Path(path).is_file() else ""


def as_named(path):
    """A result as a user names it; with object storage jobs see a copy elsewhere."""
    place = path.rfind(f"{RESULTS}/") if STORE else 0
    return path[max(place, 0) :]


def show_tool_failures():
    """Final warning of a run that excluded samples."""
    quality_files = (lambda name: []) if STORE else paths.only_quality
    if FROM_READS and (failures := messages.tool_failures(USED, RESULTS, read_result, quality_files)):
        logger.warning(messages.went_on_without(failures, as_named))


def show_failed_jobs():
    """Which jobs failed after their retries, and why; `make predict` keeps it for its status."""
    failed = messages.jobs_that_failed(workflow.scheduler)
    shortage = disk.shortage(RESULTS) if failed and not STORE else ""
    logger.error(messages.failed_jobs(failed, shortage))
    predict_status.note_failures(predict_status.given_run(), failed, messages.last_words)
