"""Reads that were moved to an archive after they were counted: the run only notes them until a job needs them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rna2model.inputs.sheet import Sample

SHOWN = 5  # samples in the note
# Reasons of a job that follow from those of others.
FOLLOWS = ("output files have to be generated", "input files updated by another job")


def counted(results: str, folder: str | Path = ".") -> Callable[[str], bool]:
    """Function that says of a sample's name whether its counts and facts lie in `results`, below `folder`."""
    place = os.path.join(folder, results)

    def has(file, name):
        return os.path.isfile(os.path.join(place, file.format(name)))

    facts = (
        "qc/{0}/{0}.json",
        "qc/samples/{}.json",
    )  # the second as before (rna2model.planning.tidy_folders)
    return lambda name: has("counts/{}.tsv", name) and any(has(file, name) for file in facts)


def missing(samples: Mapping[str, Sample]) -> dict[str, list[str]]:
    """{sample: its files of reads or alignments that are not there}, of samples that lack any."""
    named = {
        name: [*sample.fastq_1, *sample.fastq_2, *([sample.bam] if sample.bam else [])]
        for name, sample in samples.items()
    }
    gone = {name: [file for file in files if not os.path.exists(file)] for name, files in named.items()}
    return {name: files for name, files in gone.items() if files}


def note(gone: Mapping[str, Sequence[str]]) -> str:
    """The note about missing files that the run prints before its first job."""
    some = ", ".join(list(gone)[:SHOWN]) + (f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else "")
    files = "the files of reads" if len(gone) > 1 else "files of reads"
    return f"{files} of {len(gone)} sample{'s' if len(gone) > 1 else ''} are not there ({some}); their counts are, and are used"


def refusal(needed: Mapping[str, tuple[Sequence[str], Mapping[str, str]]]) -> str:
    """Why a run cannot go on without the files; needed: {sample: (files, {rule: why it runs again})}."""
    lines = [
        f"  - {name}: {', '.join(files)} (to run again: "
        + "; ".join(f"{rule}, {why}" for rule, why in reasons.items())
        + ")"
        for name, (files, reasons) in needed.items()
    ]
    return "\n".join(
        [
            f"files of reads of {len(lines)} sample{'s' if len(lines) > 1 else ''} are not there, and this run needs them; no job"
            " was started.",
            *lines,
            "Bring them back (the sheet may name another place), or undo what changed, or exclude the samples in the sheet.",
        ]
    )


def reasons(dag: Any, first: Any) -> dict[str, str]:
    """{rule: why it runs} of the jobs of a sample, beginning with its first, that run of themselves or for another file."""
    sample, reason_of_rule = first.wildcards_dict["sample"], {}
    for job in dag.bfs(dag.depending, first):
        if not dag.needrun(job) or job.wildcards_dict.get("sample") != sample:
            continue
        others = {one.rule.name for one in dag.dependencies[job] if dag.needrun(one)}
        others -= {one.rule.name for one in dag.dependencies[job] if "sample" in one.wildcards_dict}
        if not dag.reason(job).derived:
            why = list(dag.reason(job).get_names())
            reason_of_rule[job.rule.name] = " and ".join([name for name in why if name not in FOLLOWS] or why)
        elif others:
            reason_of_rule[job.rule.name] = f"because of {', '.join(sorted(others))}"
    return reason_of_rule
