"""The QC gate: every sample of the sheet ends as included, or excluded with a reason."""

import csv
import json
from pathlib import Path

COLUMNS = [
    "sample",
    "status",
    "reason",
    "reads",
    "mapped_pct",
    "assigned_pct",
    "strandedness",
    "sense_pct",
    "flags",
]


def read_evidence(verdict, flagstat, strand, counts, paired):
    """Facts of one sample from its per-sample files: a dict of numbers, percentages in 0-100.

    mapped_pct: primary alignments of reads that were aligned. assigned_pct: fragments (pairs if
    paired) counted in a gene, of the fragments given to the aligner.
    """
    reads = json.loads(Path(verdict).read_text())
    passed = json.loads(Path(flagstat).read_text())["QC-passed reads"]
    strandedness = json.loads(Path(strand).read_text())
    aligned = passed["primary"] / (2 if paired else 1)
    assigned = sum(counts)
    return {
        "reads": reads["reads"],
        "problem": reads["problem"],
        "mapped_pct": _percent(passed["primary mapped"], passed["primary"]),
        "assigned_pct": _percent(assigned, aligned),
        "strandedness": strandedness["strandedness"],
        "sense_pct": strandedness["sense_pct"],
        "flag": strandedness["flag"],
    }


def _percent(part, whole):
    return round(100 * part / whole, 2) if whole else 0.0


def judge(name, facts, limits):
    """Row of samples.tsv for a sample: the first limit it misses is the reason, the others follow."""
    reasons = [facts["problem"]] if facts["problem"] else _missed(facts, limits)
    return {
        "sample": name,
        "status": "excluded" if reasons else "included",
        "reason": "; ".join(reasons),
        "flags": "" if facts["problem"] else facts["flag"],
        **{key: facts[key] for key in ("reads", "mapped_pct", "assigned_pct", "strandedness", "sense_pct")},
    }


def _missed(facts, limits):
    """In the order of the workflow; after too few reads the percentages say nothing."""
    if facts["reads"] < limits["min_reads"]:
        return [f"too few reads: {facts['reads']}, minimum {limits['min_reads']}"]
    reasons = []
    if facts["mapped_pct"] < limits["min_mapped_pct"]:
        reasons.append(f"too few reads mapped: {facts['mapped_pct']} %, minimum {limits['min_mapped_pct']} %")
    if facts["assigned_pct"] < limits["min_assigned_pct"]:
        reasons.append(
            f"too few reads in genes: {facts['assigned_pct']} %, minimum {limits['min_assigned_pct']} %"
        )
    return reasons


def left_out(name, reason):
    """Row of a sample that the sheet itself excludes."""
    return {"sample": name, "status": "excluded", "reason": f"sheet: {reason}"}


def mixed_strands(rows):
    """Flag included samples whose strandedness differs from the cohort's commonest."""
    included = [row for row in rows if row["status"] == "included"]
    kinds = [row["strandedness"] for row in included if not row["flags"]]
    if not kinds:
        return
    common = max(sorted(set(kinds)), key=kinds.count)
    for row in included:
        if row["strandedness"] != common:
            note = f"{row['strandedness']} in a cohort that is mostly {common}"
            row["flags"] = "; ".join(filter(None, [row["flags"], note]))


def column_name(name):
    """Name in samples.tsv of the sheet's column `name`: a column called `status` must not hide ours."""
    return f"sheet_{name}" if name in COLUMNS else name


def write(rows, metadata, path):
    """Write samples.tsv: COLUMNS, then the sheet's metadata columns."""
    extra = {column_name(column): column for column in next(iter(metadata.values()))}
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, [*COLUMNS, *extra], delimiter="\t", restval="", lineterminator="\n")
        table.writeheader()
        for row in rows:
            cells = {key: "" if value is None else value for key, value in row.items()}
            table.writerow(
                {**{name: metadata[row["sample"]][column] for name, column in extra.items()}, **cells}
            )


def included(path):
    """Names of the included samples of a samples.tsv, in its order."""
    with open(path, newline="") as file:
        return [row["sample"] for row in csv.DictReader(file, delimiter="\t") if row["status"] == "included"]
