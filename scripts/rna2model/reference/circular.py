"""Genes across the origin of a circular chromosome (bacteria, plasmids, mitochondria, plastids, some viruses).

Sources write such a gene in one of four ways: with an end beyond the length (the GFF3 specification), with a start
below 1, with an end that is smaller than its start, or as two exons that meet at the origin (NCBI's GTF). It is counted
up to the end and from 1. The first way also happens where genome and annotation are of different assemblies.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rna2model.reference.annotation import Annotation

MOST_ACROSS = 2  # genes that can lie across one origin without overlapping each other: one on each strand
LEAST_INSIDE = 3  # genes that fit, to believe that a gene across the end of their chromosome is right
MOST_OVERLAP = 60  # bases that neighbours on one strand of a bacterium share at most
MOST_SPLICED = 0.1  # share of transcripts with introns; circular chromosomes have few


def unrolled(start: int, end: int, length: int) -> tuple[int, int]:
    """(start, end) as GFF3 wants them on a circle of `length` bases: the end beyond the length where it is crossed.

    An interval that is not on the circle is returned unchanged.
    """
    if 1 <= end < start <= length:
        return start, end + length
    if -length < start < 1 <= end:
        return start + length, end + length
    if length < start <= end <= 2 * length:
        return start - length, end - length
    return start, end


def sequences(annotation: Annotation, lengths: Mapping[str, int]) -> dict[str, str]:
    """{sequence: how that is known} of those whose genes may lie across the end; `lengths`: {sequence: bases}.

    GFF3 names circular sequences. GTF cannot; there they are inferred by `_looks_circular`.
    """
    across = {r["chromosome"] for r in annotation.genes if r["end"] > lengths.get(r["chromosome"], r["end"])}
    declared = {
        name: "the annotation says so"
        for name in across
        if annotation.circular.get(name) == lengths[name] and _fits(annotation.genes, name, lengths[name])
    }
    if annotation.is_gff3:
        return declared
    return {
        name: "a gene runs over its end and all others fit"
        for name in across
        if _looks_circular(annotation, name, lengths[name])
    }


def _fits(genes, name, length):
    return all(
        r["start"] <= length and r["end"] - r["start"] < length for r in genes if r["chromosome"] == name
    )


def _looks_circular(annotation, name, length):
    """Whether one gene (two on different strands) runs over the end of a chromosome with nothing else that is odd.

    Nothing starts beyond the end, what is left of that gene behind the origin is free on its strand, and the chromosome has
    several genes, nearly all without introns.
    """
    genes = [record for record in annotation.genes if record["chromosome"] == name]
    across = [record for record in genes if record["end"] > length]
    if not _fits(genes, name, length) or len({r["strand"] for r in across}) < len(across):
        return False
    if len(across) > MOST_ACROSS or len(genes) - len(across) < LEAST_INSIDE:
        return False
    for one in across:
        rest, size = one["end"] - length, one["end"] - one["start"] + 1
        others = [r for r in genes if r is not one and r["strand"] == one["strand"]]
        if size > length / 2 or any(min(rest, r["end"]) - r["start"] >= MOST_OVERLAP for r in others):
            return False
    here = [transcript for transcript in annotation.transcripts if transcript.chromosome == name]
    return sum(len(transcript.exons) > 1 for transcript in here) <= MOST_SPLICED * len(here)


def parts(
    intervals: Sequence[tuple[int, int]], length: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(before, behind) the origin: a transcript's closed intervals, in the order they came, none beyond `length`."""
    crossing = [(start, end) for start, end in intervals if start <= length < end]
    if not crossing:
        edge = _edge(intervals, length)
        return [i for i in intervals if i[0] >= edge], [i for i in intervals if i[0] < edge]
    first, last = min(crossing)[0], max(end for _, end in crossing) - length
    before, behind = [], []
    for start, end in intervals:
        if start <= length < end:
            before.append((start, length))
            behind.append((1, end - length))
        elif end <= length and start - last < first - end:  # nearer to what lies behind the origin
            behind.append((start, end))
        else:
            before.append((start, end))
    return before, behind


def _edge(intervals, length):
    """Where the part before the origin starts: 1, unless the intervals touch both ends and most of the sequence is between."""
    ordered = sorted(intervals)
    if ordered[0][0] != 1 or max(end for _, end in ordered) != length:
        return 1
    gap, edge, reach = 0, 1, 0
    for start, end in ordered:
        gap, edge = max((gap, edge), (start - reach - 1, start))
        reach = max(reach, end)
    return edge if gap > length / 2 else 1


def places(annotation: Annotation, lengths: Mapping[str, int]) -> list[dict[str, Any]]:
    """Gene records, those whose exons meet at the origin placed across it as GFF3 writes it."""
    members: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for transcript in annotation.transcripts:
        members[transcript.gene, transcript.chromosome] += transcript.exons
    records = []
    for record in annotation.genes:
        length = lengths.get(record["chromosome"])
        if length is not None and record["end"] == length and record["start"] == 1:
            before, behind = parts(members[record["gene_id"], record["chromosome"]], length)
            if behind:
                across = {"start": min(before)[0], "end": max(end for _, end in behind) + length}
                record = record | across
        records.append(record)
    return records


def notes(
    genes: Sequence[Mapping[str, Any]], lengths: Mapping[str, int], circles: Mapping[str, str]
) -> list[str]:
    """Notes on genes across an origin, a line for each sequence of `circles`."""
    notes = []
    for name, how in sorted(circles.items()):
        names = [r["gene_id"] for r in genes if r["chromosome"] == name and r["end"] > lengths[name]]
        notes.append(
            f"{name} is taken as circular ({how}); counted up to its end and from 1: {', '.join(names[:10])}"
            + (f" … ({len(names)} genes)" if len(names) > 10 else "")
        )
    return notes
