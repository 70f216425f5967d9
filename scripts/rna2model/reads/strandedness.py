"""Infer the strandedness of a library from its alignments.

The same evidence as RSeQC's infer_experiment.py (Wang et al. 2012): the strand of read 1, as aligned,
against the strand of the gene it lies in.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

import pysam

from rna2model.core import gene_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ENOUGH = 100  # reads with a clear gene strand, below which nothing is concluded
STRANDED = 0.8  # share of one orientation from which a library counts as stranded
UNSTRANDED = 0.6  # share of the commoner orientation up to which it counts as unstranded
MAX_READS = 20_000
PER_GENE = 200  # so that a few highly expressed genes do not decide alone


def clear_genes(path: str | Path) -> list[tuple[str, int, int, str]]:
    """Genes of reference/genes.tsv (chromosome, start0, end, strand) that no gene of the other strand overlaps."""
    rows = [
        (row["chromosome"], int(row["start"]) - 1, int(row["end"]), row["strand"])
        for row in gene_table.read(path)
        if row["strand"] in ("+", "-")
    ]
    starts, ends = defaultdict(list), defaultdict(list)
    for chromosome, start, end, strand in rows:
        starts[chromosome, strand].append(start)
        ends[chromosome, strand].append(end)
    for places in (*starts.values(), *ends.values()):
        places.sort()
    clear = []
    for row in rows:
        chromosome, start, end, strand = row
        other = chromosome, "-" if strand == "+" else "+"
        # those that begin before this one ends, less those that end before it begins
        if bisect_left(starts[other], end) == bisect_right(ends[other], start):
            clear.append(row)
    return clear


def observe(bam: str | Path, genes: Iterable[tuple[str, int, int, str]], seed: int = 1) -> tuple[int, int]:
    """(sense, antisense): primary, unique reads whose read-1 strand equals / opposes their gene's strand."""
    genes = list(genes)
    random.Random(seed).shuffle(genes)
    sense = antisense = 0
    with pysam.AlignmentFile(bam) as file:
        present = set(file.references)
        for chromosome, start, end, strand in genes:
            if chromosome not in present:
                continue
            for number, read in enumerate(file.fetch(chromosome, start, end)):
                if number == PER_GENE:
                    break
                if (
                    read.is_unmapped
                    or read.is_secondary
                    or read.is_supplementary
                    or read.is_duplicate
                    or read.is_qcfail
                ):
                    continue
                if read.has_tag("NH") and cast(int, read.get_tag("NH")) > 1:
                    continue
                forward = read.is_reverse == read.is_read2 if read.is_paired else not read.is_reverse
                if forward == (strand == "+"):
                    sense += 1
                else:
                    antisense += 1
            if sense + antisense >= MAX_READS:
                break
    return sense, antisense


def decide(sense: int, antisense: int, stated: str = "auto") -> dict[str, Any]:
    """Evidence and decision: {strandedness, sense, antisense, sense_pct, given, flag}; stated : in the sheet, or auto."""
    total = sense + antisense
    share = sense / total if total else 0.5
    seen, flag = _seen(share, total)
    used = seen if stated == "auto" else stated
    if stated != "auto":
        contradicts = total >= ENOUGH and not flag and seen != stated
        flag = (
            f"given as {stated}, but the reads look {seen} ({_percent(share)} sense)" if contradicts else ""
        )
    return {
        "strandedness": used,
        "given": stated,
        "sense": sense,
        "antisense": antisense,
        "sense_pct": round(100 * share, 2) if total else None,
        "flag": flag,
    }


def _seen(share, total):
    if total < ENOUGH:
        return "unstranded", f"strandedness undetermined: only {total} reads in genes"
    if share >= STRANDED:
        return "forward", ""
    if share <= 1 - STRANDED:
        return "reverse", ""
    clear = 1 - UNSTRANDED <= share <= UNSTRANDED
    return "unstranded", "" if clear else f"strandedness ambiguous: {_percent(share)} of reads are sense"


def _percent(share):
    return f"{100 * share:.0f} %"
