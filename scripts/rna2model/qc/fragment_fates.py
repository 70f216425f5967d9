"""Account for every fragment of a library, from the input to the counts.

A fragment is a read pair, or a read of a single-end library. Each step's own report says how many went in and
came out; `ledger` adds them up and says where they do not meet. Such a gap stops nothing: a small one is a flag of the
sample with both numbers, a large one excludes it.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# where a fragment can end, in the order of the workflow; `reads` is their sum
FATES = [
    "faulty",  # in a library that could not be used
    "trimmed",  # too short after trimming, or without its molecular identifier
    "rrna",  # ribosomal RNA, removed before alignment
    "unmapped",
    "low_mapq",  # its places are below alignment.min_mapq
    "duplicates",  # copies of a molecule that is counted
    "multimapped",
    "no_feature",
    "ambiguous",
    "assigned",
    "unaccounted",  # what the tools' reports leave open; below 0 where they count more than there is
]
TAKEN_OVER = {  # what was odd about the reads that came and did not change their number
    "failed_filter": "marked as failed by the sequencer, and counted",
    "repeated_primary": "with several primary alignments in the BAM file, counted once",
    "mates_missing": "of which the BAM file lacks a mate, and counted",
    "single_reads": "single reads among pairs, and counted",
}
MOST_UNACCOUNTED = 0.001  # share of a sample's fragments; above it the sample is excluded
FEATURECOUNTS = {
    "Assigned": "assigned",
    "Unassigned_MultiMapping": "multimapped",
    "Unassigned_NoFeatures": "no_feature",
    "Unassigned_Ambiguity": "ambiguous",
}
HTSEQ = {
    "__no_feature": "no_feature",
    "__ambiguous": "ambiguous",
    "__alignment_not_unique": "multimapped",
    "__not_aligned": "unmapped",
}
STAR = {"N_noFeature": "no_feature", "N_ambiguous": "ambiguous", "N_multimapping": "multimapped"}
FLAGSTAT = (
    "primary",
    "primary mapped",
    "paired in sequencing",
    "read1",
    "with itself and mate mapped",
    "singletons",
)
STAR_COLUMN = {"unstranded": 1, "forward": 2, "reverse": 3}


@dataclass(frozen=True)
class Alignments:
    """Fragments in a BAM file and those with at least one aligned mate; percentages are of reads."""

    total: int
    mapped: int
    mapped_pct: float
    paired: bool


@dataclass(frozen=True)
class Gap:
    """Two numbers of fragments that should be equal: output of one step and input of the next."""

    before: int
    where: str
    after: int
    then: str

    def __str__(self) -> str:
        return f"{self.before} fragments {self.where}, but {self.after} {self.then}"


def of_flagstat(report: Mapping[str, Any]) -> Alignments:
    """Alignments of a `samtools flagstat` report (dict of its JSON), of a file with one record for each read.

    Reads that the sequencer marked as failed are reads: aligners align and counters count them.
    """
    reads = {key: report["QC-passed reads"][key] + report["QC-failed reads"][key] for key in FLAGSTAT}
    pairs, alone = reads["read1"], reads["primary"] - reads["paired in sequencing"]
    mates_mapped = reads["with itself and mate mapped"] + reads["singletons"]
    return Alignments(
        total=alone + pairs,
        mapped=reads["primary mapped"]
        - mates_mapped
        + reads["with itself and mate mapped"] // 2
        + reads["singletons"],
        mapped_pct=percent(reads["primary mapped"], reads["primary"]),
        paired=pairs > 0,
    )


def percent(part: float, whole: float) -> float:
    """100 x part / whole, two decimals; 0 if `whole` is 0."""
    return round(100 * part / whole, 2) if whole else 0.0


def left(path: str | Path) -> int:
    """Reads that a step kept, as its rule noted them."""
    return json.loads(Path(path).read_text())["reads_kept"]


def of_trimming(tool: str, reports: Sequence[str | Path]) -> tuple[int, int]:
    """(fragments that a trimming tool read, fragments that it wrote), by its own report (one file; Trim Galore: one for
    each mate)."""
    text = Path(reports[-1]).read_text()
    if tool == "trim_galore":
        return _of_trim_galore(text)
    report = json.loads(text)
    if tool == "cutadapt":
        return report["read_counts"]["input"], report["read_counts"]["output"]
    mates, summary = 2 if "read2_before_filtering" in report else 1, report["summary"]
    return tuple(summary[when]["total_reads"] // mates for when in ("before_filtering", "after_filtering"))


def _of_trim_galore(text):
    if not text:  # a library without reads, which it was not given
        return 0, 0
    read = re.search(r"(\d+) sequences processed in total", text)
    short = re.search(r"(?:removed because at least one read was shorter|became shorter).*?:\s*(\d+)", text)
    return int(read[1]), int(read[1]) - (int(short[1]) if short else 0)


def of_counter(tool: str, path: str | Path, strandedness: str) -> tuple[dict[str, int], int | None]:
    """({fate: fragments}, fragments assigned or None) of a counter's summary, which holds one alignment of each read.

    Salmon's summary lacks the number of assigned fragments.
    """
    fates = dict.fromkeys(("unmapped", "multimapped", "no_feature", "ambiguous"), 0)
    if tool == "salmon":
        report = json.loads(Path(path).read_text())
        return fates | {"unmapped": report["unmapped"]}, None
    names = {"featurecounts": FEATURECOUNTS, "htseq": HTSEQ, "star": STAR}[tool]
    column, assigned = STAR_COLUMN[strandedness] if tool == "star" else 1, 0
    with open(path, newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            if row and names.get(row[0]) in fates:
                fates[names[row[0]]] += int(row[column])
            elif row and _is_assigned(tool, row[0]):
                assigned += int(row[column])
    return fates, assigned


def _is_assigned(tool, name):
    """Whether a line of a counter's summary counts assigned fragments: one line of featureCounts, every gene line of
    the others."""
    return name == "Assigned" if tool == "featurecounts" else not name.startswith(("__", "N_"))


def ledger(
    verdict: Mapping[str, Any],
    umi: int | None,
    trimming: tuple[int, int] | None,
    rrna: int | None,
    aligned: Alignments | None,
    deduplicated: int | None,
    counter: dict[str, int],
    assigned: int,
    selects: bool,
) -> tuple[dict[str, int], list[Gap]]:
    """({fate: fragments} of one sample, `reads` their sum; list of Gap).

    verdict : dict of the input check; umi, rrna, deduplicated : fragments left by that step, trimming : (read, written) by
    it; None without the step
    aligned : Alignments or None; counter : {fate: fragments}; assigned : sum of the gene counts
    selects : whether alignments were selected by quality before counting, the one step that keeps no own count
    """
    fates, gaps = dict.fromkeys(FATES, 0), []
    fates["faulty"] = verdict["reads"] if verdict["problem"] else 0
    left = verdict["reads"] - fates["faulty"]

    def meet(where, after, then):
        if left != after:
            gaps.append(Gap(left, where, after, then))

    def take(fate, after, step):
        """What a step let out is left; what it took out has this fate."""
        if after > left:
            gaps.append(Gap(left, f"before {step}", after, "after it"))
        fates[fate] += max(left - after, 0)
        return after

    if umi is not None:
        left = take("trimmed", umi, "the extraction of identifiers")
    if trimming is not None:
        meet("before trimming", trimming[0], "read by it")
        left = trimming[0]
        left = take("trimmed", trimming[1], "trimming")
    if rrna is not None:
        left = take("rrna", rrna, "the removal of ribosomal RNA")
    if aligned:
        meet("left before alignment", aligned.total, "in the alignments")
        fates["unmapped"], left = aligned.total - aligned.mapped, aligned.mapped
        counter = counter | {"unmapped": 0}
    if deduplicated is not None:
        left = take("duplicates", deduplicated, "deduplication")
    counted = sum(counter.values()) + assigned
    if selects and counted <= left:
        left = take("low_mapq", counted, "the selection by mapping quality")
    meet("left for counting", counted, "in the counter's summary")
    fates |= {fate: fates[fate] + number for fate, number in counter.items()} | {"assigned": assigned}
    fates["unaccounted"] = verdict["reads"] - sum(fates.values())
    return fates, gaps


def open_share(gaps: Iterable[Gap], reads: int) -> float:
    """Fragments of all gaps over those of the sample."""
    return sum(abs(gap.before - gap.after) for gap in gaps) / max(reads, 1)


def unaccounted(gaps: Iterable[Gap], verdict: str | Path, sources: Mapping[str, Any]) -> str:
    """Reason to exclude a sample whose fragments do not add up.

    verdict : path of the input check's report; sources : {path: files.alike of it at the input check}
    """
    changed = [
        path for path, known in sources.items() if files.alike(path) not in (None, known and tuple(known))
    ]
    reason = f"fragments do not add up: {'; '.join(map(str, gaps))}"
    if changed:
        reason += f"; {', '.join(changed)} changed after the check: run again with --forcerun {verdict}"
    return reason


def altered(path: str | Path, total: int, recorded: int) -> str:
    """Reason to exclude a sample whose count file differs from its counter's summary."""
    return (
        f"{path} adds up to {total} fragments, but its counter recorded {recorded}: the file was changed after it was"
        f" written; run again with --forcerun {path}"
    )
