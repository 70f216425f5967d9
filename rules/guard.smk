"""A data fault found late is still a verdict: a tool that fails on one sample's data excludes that sample, and the others go
on to the end of the run (`qc.on_tool_failure: exclude`). What looks like memory, time, disk, node or environment is tried again
and stops the run. scripts/guard.sh decides it for commands, rna2model/failure.py for scripts.
"""

import csv
import json
import shutil
import subprocess
import time

from rna2model import failure
from snakemake.jobs import GroupJob, Job

GUARD = str(REPOSITORY / "scripts" / "guard.sh")
os.environ |= {"RNA2MODEL_GUARD": GUARD, "RNA2MODEL_ON_TOOL_FAILURE": config["qc"]["on_tool_failure"]}
STARTED = time.time() - 5  # clocks of file servers differ


def guarded(command, outputs="files"):
    """The `shell` of a rule of single samples, which leaves marks instead of an error where the data are to blame.

    outputs : "files" or "folders"
    """
    return (
        f'source "$RNA2MODEL_GUARD"\ntool() {{{{\n{command}\n}}}}\n'
        f"guard {{wildcards.sample}} {outputs} {{log:q}} {{input:q}} -- {{output:q}}"
    )


def guarded_folder(command):
    """The same where the output is a folder."""
    return guarded(command, outputs="folders")


def forget_first_failures():
    """Twice means twice in one run."""
    shutil.rmtree(f"{RESULTS}/logs/failed_once", ignore_errors=True)


def tries_left(job):
    """What Snakemake (9.27) takes for `retries` after a failure: none where the input is wrong, which no memory mends."""
    jobs = getattr(job, "jobs", [job])  # what was submitted together is tried again together
    scripts = [(one.rule.name, log) for one in jobs if one.rule.script for log in one.log]
    ends = [(name, failure.stopped_for_good(log, STARTED)) for name, log in scripts]
    if any(told and not gpu_elsewhere(name, told) for name, told in ends):
        return 0
    return max(one.rule.restart_times for one in jobs)


Job.restart_times = GroupJob.restart_times = property(tries_left)


def last_words(log):
    """What a failed job says of itself, in a sentence; an empty text where its log does not, as of others of its group."""
    told = failure.stopped_for_good(log)
    if told:
        return " ".join(told.split())
    asked = ["bash", "-c", 'source "$0"; sentence_of "$1" "" errors', GUARD, log]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip()


def read_result(path):
    """Text of a small result, which may lie in object storage; empty where it is not there."""
    if STORE:
        return (stored_bytes(STORE.address(path), 10_000_000) or b"").decode()
    return Path(path).read_text() if Path(path).is_file() else ""


def tool_failures():
    """Failures for which samples.tsv excludes samples, and those of FastQC, samtools stats and RSeQC."""
    found = {}
    for row in csv.DictReader(read_result(f"{RESULTS}/samples.tsv").splitlines(), delimiter="\t"):
        if row["status"] == "excluded" and row["sample"] in USED:
            facts = json.loads(read_result(of_sample("json", row["sample"])) or "{}")
            if "failure" in facts:
                found[row["sample"]] = failure.Failure(
                    row["sample"], reason=facts["problem"], **facts["failure"]
                )
    kept = [name for name in USED if name not in found]
    missing = [] if STORE else map(failure.of, (file for name in kept for file in only_quality(name)))
    # of another rule it is the mark of an earlier run, as the sample is counted now
    ours = [one for one in missing if one and one.rule in ("fastqc", "alignment_stats")]
    return [*found.values(), *dict.fromkeys(ours)]


def as_named(path):
    """A result as a user names it; with object storage jobs see a copy elsewhere."""
    place = path.rfind(f"{RESULTS}/") if STORE else 0
    return path[max(place, 0) :]


def show_tool_failures():
    """The last lines of a run that went on without a sample."""
    found = tool_failures() if FROM_READS else []
    if not found:
        return
    lines = [f"  {fault.sample}  {fault.reason}  {as_named(fault.log)}" for fault in found]
    logger.warning(
        "\n".join(
            [
                f"rna2model: {len(found)} job{'s' if len(found) > 1 else ''} failed because of the data of a sample, and the run went"
                " on without (sample, what failed, log):",
                *lines,
                "These samples are excluded in samples.tsv; those that failed in FastQC or alignment_stats lack its numbers only. A"
                " replaced input file is noticed by itself; to try again with the same files, run the same command with",
                f"  --forcerun {' '.join(as_named(fault.file) for fault in found)}",
            ]
        )
    )
