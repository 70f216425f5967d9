"""The annotation, GTF or GFF3, plain or gzipped, read into genes and transcripts and written as one plain GTF.

Every later step reads that GTF: its lines all carry gene_id and transcript_id, and names and biotypes
that a source keeps on its gene lines only (NCBI does) are on every line. What is read here is what the file says;
`pieces` makes of it what every tool takes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem
from rna2model.reference import annotation_lines, circular
from rna2model.reference.gene_census import Census

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable
    from pathlib import Path

BAD_ID = re.compile('[\\s";\ufffd]')  # tools end an id at the first three; the last marks invalid UTF-8
STRANDS = ("+", "-", ".", "?")
NAME_KEYS = ("gene_name", "gene_symbol", "gene", "Name")
BIOTYPE_KEYS = ("gene_biotype", "gene_type", "biotype")
GENE_COLUMNS = ["gene_id", "gene_name", "biotype", "chromosome", "start", "end", "strand", "length"]


@dataclass
class Transcript:
    """Exons and coding exons as closed 1-based intervals, in the order of the file.

    On a circular chromosome an end may lie beyond the length. `whole`: see `transcripts.for_tools`.
    """

    name: str
    gene: str
    chromosome: str
    strand: str
    exons: list[tuple[int, int]] = field(default_factory=list)
    coding: list[tuple[int, int]] = field(default_factory=list)
    whole: str = ""


@dataclass
class Annotation:
    """genes: records (dicts of GENE_COLUMNS) in the order of the file; transcripts: list of Transcript.

    circular: {sequence: length in bases} of those that the file calls circular; census: what its lines reach.
    """

    genes: list[dict[str, Any]]
    transcripts: list[Transcript]
    is_gff3: bool = False
    circular: dict[str, int] = field(default_factory=dict)
    census: Census | None = None


def read(path: str | Path, feature: str = "exon", attribute: str = "gene_id") -> Annotation:
    """The Annotation at `path`; InputProblem, with the line, when it cannot be counted with.

    `feature` and `attribute` are what quantification counts and joins by (GTF column 3 and a key of
    column 9). In GFF3 a line's gene is the top of its Parent chain.
    """
    gff3 = annotation_lines.is_gff3(path)
    parents, circles = annotation_lines.ancestors(path) if gff3 else ({}, {})
    transcripts: dict[tuple[str, str, str, str], Transcript] = {}
    labels: defaultdict[str, dict[str, str]] = defaultdict(dict)
    seen = Census()
    for number, cells, values, owners in annotation_lines.owned_lines(
        path, feature, attribute, gff3, parents
    ):
        seen.add(cells, values, owners)
        if cells[2] not in (feature, "CDS"):
            if not gff3 and values.get(attribute):
                _add_labels(labels[values[attribute]], values)
            continue
        for owner in owners:
            if not owner.gene and cells[2] == feature:
                raise InputProblem(no_attribute(path, number, feature, attribute))
            if owner.gene:
                check_id(path, number, owner.gene)
                _add_labels(labels[owner.gene], owner.values)
                place = _place(path, number, cells, circles.get(cells[0]))
                _add_interval(transcripts, owner, cells, place, cells[2] == feature)
    counted = [transcript for transcript in transcripts.values() if transcript.exons]
    if not counted:
        raise InputProblem(no_feature(path, feature, seen.types))
    return Annotation(_gene_records(counted, labels), counted, gff3, circles, seen)


def look(path: str | Path, feature: str, attribute: str, most: int) -> tuple[set[str], Census, bool]:
    """(names of sequences, gene_census.Census, whether that is the whole file) of the first `most` lines of an annotation.

    InputProblem for a line that could not be counted with.
    """
    names: set[str] = set()
    gff3, seen = annotation_lines.is_gff3(path), Census()
    parents, _ = annotation_lines.ancestors(path, most) if gff3 else ({}, {})
    for place, (number, cells, values, owners) in enumerate(
        annotation_lines.owned_lines(path, feature, attribute, gff3, parents)
    ):
        if place == most:
            return names, seen, False
        names.add(cells[0])
        seen.add(cells, values, owners)
        if cells[2] == feature and not gff3:
            if not owners[0].gene:
                raise InputProblem(no_attribute(path, number, feature, attribute))
            check_id(path, number, owners[0].gene)
    return names, seen, True


def _add_labels(label, values):
    for column, keys in (("gene_name", NAME_KEYS), ("biotype", BIOTYPE_KEYS)):
        if not label.get(column):
            label[column] = next((values[key] for key in keys if values.get(key)), "")


def _place(path, number, cells, circle):
    """(start, end) of a line; `circle` is the length of a circular chromosome, where the end may be smaller or beyond."""
    if not (annotation_lines.PLACE.fullmatch(cells[3]) and annotation_lines.PLACE.fullmatch(cells[4])):
        raise InputProblem(f"{path} line {number}: start {cells[3]!r} and end {cells[4]!r} must be numbers.")
    start, end = int(cells[3]), int(cells[4])
    if cells[6] not in STRANDS:
        raise InputProblem(f"{path} line {number}: strand {cells[6]!r} must be one of {' '.join(STRANDS)}")
    if circle:
        start, end = circular.unrolled(start, end, circle)
    if not 1 <= start <= end:
        raise InputProblem(
            f"{path} line {number}: start {start} and end {end} are no interval (1 <= start <= end)."
        )
    return start, end


def _add_interval(transcripts, owner, cells, place, is_exon):
    # one name on two chromosomes is two transcripts (PAR genes; trans-splicing)
    key = owner.gene, owner.transcript, cells[0], cells[6]
    if key not in transcripts:
        transcripts[key] = Transcript(owner.transcript, owner.gene, cells[0], cells[6])
    (transcripts[key].exons if is_exon else transcripts[key].coding).append(place)


def no_attribute(path: str | Path, number: int, feature: str, attribute: str) -> str:
    """Text for a line whose reads would have no gene."""
    return (
        f"{path} line {number}: this {feature!r} line has no {attribute}, so its reads have no gene. Take the annotation"
        " from Ensembl, GENCODE or NCBI, or set quantification.attribute to a key that its lines do have."
    )


def check_id(path: str | Path, number: int, gene: str) -> None:
    """InputProblem for an id that some tool would cut short, or that is not what the file says."""
    if BAD_ID.search(gene):
        raise InputProblem(
            f"{path} line {number}: {gene!r} cannot be the id of a gene: it holds a space, a quote mark, a semicolon, or text"
            " that is not UTF-8. Correct it, or set quantification.attribute to a key without."
        )


def no_feature(path: str | Path, feature: str, types: Counter[str]) -> str:
    """Text for an annotation without lines to count; `types` counts those it has."""
    there = ", ".join(f"{kind} ({count})" for kind, count in types.most_common(8)) or "no lines at all"
    return (
        f"{path} has no {feature!r} lines; set quantification.feature to a type it has in column 3: {there}."
    )


def _gene_records(transcripts, labels):
    """One record a gene; `length` is the bases covered by its exons (their union), as featureCounts reports it."""
    members = defaultdict(list)
    for transcript in transcripts:
        members[transcript.gene].append(transcript)
    records = []
    for gene, group in members.items():
        first = group[0]
        here = [exon for t in group if t.chromosome == first.chromosome for exon in t.exons]
        exons = defaultdict(list)
        for transcript in group:
            exons[transcript.chromosome] += transcript.exons
        records.append(
            {
                "gene_id": gene,
                "gene_name": labels[gene]["gene_name"] or gene,
                "biotype": labels[gene]["biotype"],
                "chromosome": first.chromosome,
                "start": min(start for start, _ in here),
                "end": max(end for _, end in here),
                "strand": first.strand,
                "length": sum(union(part) for part in exons.values()),
            }
        )
    return records


def union(intervals: Iterable[tuple[int, int]]) -> int:
    """Bases covered by closed intervals."""
    covered, reach = 0, 0
    for start, end in sorted(intervals):
        covered += max(0, end - max(start, reach + 1) + 1)
        reach = max(reach, end)
    return covered
