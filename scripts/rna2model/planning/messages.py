"""Messages to the user before the first job and after the last."""

from __future__ import annotations

import csv
import json
import subprocess
from typing import TYPE_CHECKING, Any

from rna2model.core import tool_failure
from rna2model.planning import disk, guard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from rna2model.core.tool_failure import Failure
    from rna2model.inputs.sheet import Sample

LARGEST_RESULT = 10_000_000  # bytes of a small result that is read from object storage


def disk_of_run(workflow: Any, samples: Mapping[str, Sample], config: Mapping[str, Any]) -> dict[str, Any]:
    """The disk space that this run needs (disk.estimate), for the number of samples that it may process at once.

    samples : {name: Sample} whose reads are there
    """
    settings = workflow.resource_settings
    at_once = max(settings.nodes or 0, 0 if settings.nodes else settings.cores or 1)
    limit = workflow.global_resources.get("downloads")
    downloads = getattr(limit, "value", limit)  # none where no profile limits them
    return disk.estimate(samples, config, at_once, downloads)


def last_words(log: str) -> str:
    """The error of a failed job in one sentence; an empty text if its log has none, as for other jobs of its group."""
    problem = tool_failure.stopped_for_good(log)
    if problem:
        return " ".join(problem.split())
    command = ["bash", "-c", 'source "$0"; sentence_of "$1" "" errors', guard.SCRIPT, log]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def jobs_that_failed(scheduler: Any) -> list[Any]:
    """Jobs that failed after their retries; if one job of a group failed, all jobs of the group are listed."""
    return [job for entry in scheduler.failed for job in getattr(entry, "jobs", [entry])]


def failed_jobs(jobs: Sequence[Any], shortage: str = "") -> str:
    """Sample (or split and model), rule, log and last sentence of each job that failed after its retries.

    jobs : see jobs_that_failed; shortage : a sentence where the disk is full
    """
    lines = []
    for job in jobs:
        line = (
            f"  {tool_failure.of_what(job.wildcards_dict)}  {job.rule.name}  {', '.join(map(str, job.log))}"
        )
        sentence = next(filter(None, map(last_words, job.log)), "")
        lines.append(f"{line}\n      {sentence}" if sentence else line)
    if not lines:
        return "rna2model: the run was stopped before its end; run the same command again to go on."
    of_samples = any(tool_failure.SINGLE.intersection(job.wildcards_dict) for job in jobs)
    whose, way_out = ("sample, ", tool_failure.WITHOUT_IT) if of_samples else ("", "")
    return "\n".join(
        [
            f"rna2model: {len(lines)} job{'s' if len(lines) > 1 else ''} failed after all retries ({whose}rule, log):",
            *sorted(lines),
            *filter(None, [shortage]),
            f"Nothing was built on what is missing. Repair the cause and run the same command again{way_out}.",
        ]
    )


def tool_failures(
    used: Collection[str],
    results: str,
    read: Callable[[str], str],
    quality_files: Callable[[str], Iterable[str]],
) -> list[Failure]:
    """[Failure] for which samples.tsv excludes samples, and those of FastQC, samtools stats and RSeQC.

    used : names of samples; results : the folder; read : function of a path that returns the text of a small result
    quality_files : function of a name, files of a sample without which it is still counted
    """
    failure_of_sample = {}
    for row in csv.DictReader(read(f"{results}/samples.tsv").splitlines(), delimiter="\t"):
        if row["status"] == "excluded" and row["sample"] in used:
            facts = json.loads(read(f"{results}/qc/{row['sample']}/{row['sample']}.json") or "{}")
            if "failure" in facts:
                failure_of_sample[row["sample"]] = tool_failure.Failure(
                    row["sample"], reason=facts["problem"], **facts["failure"]
                )
    kept = [name for name in used if name not in failure_of_sample]
    missing = map(tool_failure.of, (file for name in kept for file in quality_files(name)))
    # of another rule it is the mark of an earlier run, as the sample is counted now
    ours = [one for one in missing if one and one.rule in ("fastqc", "alignment_stats")]
    return [*failure_of_sample.values(), *dict.fromkeys(ours)]


def went_on_without(failures: Sequence[Failure], as_named: Callable[[str], str] = str) -> str:
    """Final lines of a run that excluded samples; as_named : function that returns a result's path as the user writes
    it."""
    lines = [f"  {fault.sample}  {fault.reason}  {as_named(fault.log)}" for fault in failures]
    return "\n".join(
        [
            f"rna2model: {len(lines)} job{'s' if len(lines) > 1 else ''} failed because of the data of a sample, and the run went"
            " on without (sample, what failed, log):",
            *lines,
            "These samples are excluded in samples.tsv; those that failed in FastQC or alignment_stats lack its numbers only. A"
            " replaced input file is noticed by itself; to try again with the same files, run the same command with",
            f"  --forcerun {' '.join(as_named(fault.file) for fault in failures)}",
        ]
    )
