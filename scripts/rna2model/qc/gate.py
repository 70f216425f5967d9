"""The QC gate: every sample of the sheet ends as included, or excluded with a reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rna2model.core import tool_failure
from rna2model.qc import sex as sexcheck
from rna2model.qc.fragment_fates import FATES, TAKEN_OVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

NUMBERS = [
    "reads",
    "mapped_pct",
    "assigned_pct",
    "strandedness",
    "sense_pct",
    "duplicate_pct",
    "rrna_pct",
    "three_prime_bias",
    "inferred_sex",
]
FAR_BELOW = 0.01  # of the cohort's median
PER_GENE = 0.1  # counts, below which what a gene has is chance
LARGEST_LIBRARY = 1e9  # fragments; ten times what a deep library has
COLUMNS = ["sample", "status", "reason", *NUMBERS, "flags", *FATES, *TAKEN_OVER]
LIMITS = (  # in the order of the workflow: column, key of `qc`, what a sample that misses it has
    ("mapped_pct", "min_mapped_pct", "too few reads mapped"),
    ("assigned_pct", "min_assigned_pct", "too few reads in genes"),
    ("rrna_pct", "max_rrna_pct", "too much ribosomal RNA"),
    ("duplicate_pct", "max_duplicate_pct", "too many duplicates"),
)


def judge(
    name: str, facts: Mapping[str, Any], limits: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Row of samples.tsv for a sample: the first limit it misses is the reason, the others follow.

    facts : what rule tally_fragments wrote; limits : the config's `qc`
    """
    reasons = [facts["problem"]] if facts["problem"] else _missed(facts, limits)
    flags = [*facts["flags"], sexcheck.contradiction(facts["inferred_sex"], metadata or {})]
    return {
        "sample": name,
        "status": "excluded" if reasons else "included",
        "reason": "; ".join(reasons),
        "flags": "" if facts["problem"] else "; ".join(filter(None, flags)),
        **{key: facts[key] for key in NUMBERS},
        **facts["fates"],
        **{column: facts.get(column, 0) for column in TAKEN_OVER},
    }


def _missed(facts, limits):
    """Reasons to exclude a sample: the limits it misses; percentages are not judged if it has too few reads or
    trimming left none."""
    if facts["reads"] < limits["min_reads"]:
        return [f"too few reads: {facts['reads']}, minimum {limits['min_reads']}"]
    reasons, causes = [], facts.get("causes", {})
    if "nothing_left" in causes:
        return [causes["nothing_left"]]
    for column, key, text in LIMITS:
        value, limit, at_most = facts[column], limits[key], key.startswith("max")
        if value is not None and (value > limit if at_most else value < limit):
            why = f" ({causes[column]})" if column in causes else ""
            reasons.append(f"{text}: {value} %, {'maximum' if at_most else 'minimum'} {limit} %{why}")
    return reasons


def left_out(name: str, reason: str) -> dict[str, Any]:
    """Row of a sample that the sheet itself excludes."""
    return {"sample": name, "status": "excluded", "reason": f"sheet: {reason}"}


def too_small(sizes: Mapping[str, float], unit: str, empty: Collection[str], least: float) -> dict[str, str]:
    """{sample: reason} of the samples of a matrix that hold nothing, or less than `qc.min_counts` (`least`).

    sizes : {sample: counts in all}; empty : names of samples without any value
    """
    reasons = {}
    for name, size in sizes.items():
        if name in empty:
            reasons[name] = f"no {'values' if unit == 'log' else 'counts'} in the matrix"
        elif unit in ("counts", "expected_counts") and size < least:
            reasons[name] = f"too few counts: {size:.0f}, minimum {least}"
    return reasons


def of_matrix(
    name: str,
    sex: str,
    metadata: Mapping[str, str],
    missing_pct: float = 0.0,
    library: float = 0,
    reason: str = "",
) -> dict[str, Any]:
    """Row of a sample whose counts came as a matrix: `library` counts in all, `missing_pct` of the values not given.

    reason : why it is excluded, if it is
    """
    flags = [sexcheck.contradiction(sex, metadata)]
    if missing_pct:
        flags.append(f"{missing_pct:.1f} % of its values are missing and imputed")
    if library > LARGEST_LIBRARY:
        flags.append(
            f"{library:.2g} counts are more than a library has: are these counts, and of one sample?"
        )
    return {
        "sample": name,
        "status": "excluded" if reason else "included",
        "reason": reason,
        "inferred_sex": sex,
        "flags": "; ".join(filter(None, flags)),
    }


def flag_small(rows: Iterable[dict[str, Any]], sizes: Mapping[str, float], genes: int = 0) -> None:
    """Flag included samples whose library is far below the others', or too small for its genes.

    sizes : {sample: counts in all}; genes : number of genes with any count, 0 where that is not to be looked at
    """
    included = [row for row in rows if row["status"] == "included"]
    usual = median(sizes[row["sample"]] for row in included) if included else 0
    for row in included:
        note = small(sizes[row["sample"]], usual, genes, "the cohort's samples")
        row["flags"] = "; ".join(filter(None, [row["flags"], note]))


def small(size: float, usual: float, genes: int, whose: str) -> str:
    """A flag for a library of `size` counts where `whose` have `usual` (median), or an empty text."""
    if size < FAR_BELOW * usual:
        return f"{size:.0f} counts in all: less than {100 * FAR_BELOW:.0f} % of what {whose} have (median {usual:.0f})"
    if size < PER_GENE * genes:
        return f"{size:.0f} counts in all, for {genes} genes: what a gene has is chance"
    return ""


def mixed_strands(rows: Iterable[dict[str, Any]]) -> None:
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


def column_name(name: str) -> str:
    """Name in samples.tsv of the sheet's column `name`: a column called `status` must not hide ours."""
    return f"sheet_{name}" if name in COLUMNS else name


def write(
    rows: Iterable[Mapping[str, Any]], metadata: Mapping[str, Mapping[str, str]], path: str | Path
) -> None:
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


def included(path: str | Path) -> list[str]:
    """Names of the included samples of a samples.tsv, in its order."""
    with open(path, newline="") as file:
        return [row["sample"] for row in csv.DictReader(file, delimiter="\t") if row["status"] == "included"]


def column(path: str | Path, name: str) -> dict[str, str]:
    """{sample: cell} of one column of a samples.tsv."""
    with open(path, newline="") as file:
        return {row["sample"]: row[name] for row in csv.DictReader(file, delimiter="\t")}


def of_failure(failed: tool_failure.Failure, verdict: str | Path | None = None) -> dict[str, Any]:
    """Facts, as rule tally_fragments writes them, of a sample with a tool_failure.Failure: its reads, if the input
    check counted them.

    verdict : path of the input check's verdict; its own problem comes first
    """
    known = {}
    if verdict and Path(verdict).is_file() and tool_failure.of(verdict) is None:
        known = json.loads(Path(verdict).read_text())
    reads, problem = known.get("reads", 0), known.get("problem")
    facts = {
        **dict.fromkeys(NUMBERS),
        "reads": reads,
        "problem": problem or failed.reason,
        "flags": [],
        "fates": dict.fromkeys(FATES, 0) | {"faulty": reads},
    }
    return (
        facts
        if problem
        else facts | {"failure": {key: getattr(failed, key) for key in ("rule", "log", "file")}}
    )
