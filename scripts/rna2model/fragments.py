"""What became of every fragment of a library: the ledger in which nothing may go missing.

A fragment is a read pair, or a read of a single-end library. Each step's own report says how many went in and
came out; `ledger` adds them up and refuses a library whose numbers do not meet.
"""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

from rna2model.errors import InputProblem

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
]
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
STAR_COLUMN = {"unstranded": 1, "forward": 2, "reverse": 3}


@dataclass(frozen=True)
class Alignments:
    """Fragments in a BAM file and those with at least one aligned mate; percentages are of reads."""

    total: int
    mapped: int
    mapped_pct: float
    paired: bool


def of_flagstat(path):
    """Alignments of a `samtools flagstat` report in JSON, of a file with one record for each read."""
    found = json.loads(Path(path).read_text())["QC-passed reads"]
    pairs, alone = found["read1"], found["primary"] - found["paired in sequencing"]
    mates_mapped = found["with itself and mate mapped"] + found["singletons"]
    return Alignments(
        total=alone + pairs,
        mapped=found["primary mapped"]
        - mates_mapped
        + found["with itself and mate mapped"] // 2
        + found["singletons"],
        mapped_pct=percent(found["primary mapped"], found["primary"]),
        paired=pairs > 0,
    )


def percent(part, whole):
    """100 x part / whole, two decimals; 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0


def left(path):
    """Reads that a step kept, as its rule noted them."""
    return json.loads(Path(path).read_text())["reads_kept"]


def of_trimming(tool, reports):
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


def of_counter(tool, path, strandedness):
    """{fate: fragments} of a counter's summary, which holds one alignment of each read."""
    found = dict.fromkeys(("unmapped", "multimapped", "no_feature", "ambiguous"), 0)
    if tool == "salmon":
        report = json.loads(Path(path).read_text())
        return found | {"unmapped": report["unmapped"]}
    names = {"featurecounts": FEATURECOUNTS, "htseq": HTSEQ, "star": STAR}[tool]
    column = STAR_COLUMN[strandedness] if tool == "star" else 1
    with open(path, newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            if row and names.get(row[0]) in found:
                found[names[row[0]]] += int(row[column])
    return found


def ledger(sample, verdict, trimming, rrna, aligned, deduplicated, counter, assigned, selects):
    """{fate: fragments} of one sample, `reads` their sum.

    verdict : dict of the input check; trimming, rrna : fragments left by that step, None without it
    aligned, deduplicated : Alignments or None; counter : {fate: fragments}; assigned : sum of the gene counts
    selects : whether alignments were selected by quality before counting, the one step that keeps no own count
    """
    fates = dict.fromkeys(FATES, 0)
    fates["faulty"] = verdict["reads"] if verdict["problem"] else 0
    left = verdict["reads"] - fates["faulty"]
    if trimming is not None:
        fates["trimmed"], left = left - trimming, trimming
    if rrna is not None:
        fates["rrna"], left = left - rrna, rrna
    if aligned:
        meet(sample, "left before alignment", left, "in the alignments", aligned.total)
        fates["unmapped"], left = aligned.total - aligned.mapped, aligned.mapped
        counter = counter | {"unmapped": 0}
    if deduplicated:
        fates["duplicates"], left = left - deduplicated.total, deduplicated.total
    counted = sum(counter.values()) + assigned
    if selects:
        fates["low_mapq"], left = left - counted, counted
    meet(sample, "left for counting", left, "in the counter's summary", counted)
    fates |= {fate: fates[fate] + number for fate, number in counter.items()} | {"assigned": assigned}
    if min(fates.values()) < 0:
        raise InputProblem(f"{sample}: more fragments came out of a step than went in: {fates}; {REPAIR}")
    return fates


REPAIR = "a file of this sample was changed or cut short: delete its files below results and run again."


def meet(sample, one, first, other, second):
    """InputProblem where what one step let out is not what the next took in."""
    if first != second:
        raise InputProblem(f"{sample}: {first} fragments {one}, but {second} {other}; {REPAIR}")
