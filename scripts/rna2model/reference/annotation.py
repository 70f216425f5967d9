"""The annotation, GTF or GFF3, plain or gzipped, read into genes and transcripts and written as one plain GTF.

Every later step reads that GTF: its lines all carry gene_id and transcript_id, and names and biotypes
that a source keeps on its gene lines only (NCBI does) are on every line. What is read here is what the file says;
`pieces` makes of it what every tool takes.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from rna2model.core import files
from rna2model.core.errors import InputProblem
from rna2model.reference import circular
from rna2model.reference.gene_census import Census, is_gene, is_of_a_gene

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

GTF_ATTRIBUTE = re.compile(
    r'([^\s;]+)\s+(?:"([^"]*)"|([^";]*?))\s*(?:;|$)'
)  # what is quoted may hold a semicolon
BAD_ID = re.compile('[\\s";\ufffd]')  # tools end an id at the first three; the last marks invalid UTF-8
GFF3_ATTRIBUTE = re.compile(r"\s*([^=;\s]+)=([^;]*)")
PLACE = re.compile(r" *-?[0-9]{1,12} *")
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
    gff3 = is_gff3(path)
    parents, circles = _ancestors(path) if gff3 else ({}, {})
    transcripts: dict[tuple[str, str, str, str], Transcript] = {}
    labels: defaultdict[str, dict[str, str]] = defaultdict(dict)
    seen = Census()
    for number, cells, values, owners in owned_lines(path, feature, attribute, gff3, parents):
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
    gff3, seen = is_gff3(path), Census()
    parents, _ = _ancestors(path, most) if gff3 else ({}, {})
    for place, (number, cells, values, owners) in enumerate(
        owned_lines(path, feature, attribute, gff3, parents)
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


def lines(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, nine cells) of the annotation lines of `path`."""
    for number, line in enumerate(files.lines(path), start=1):
        if line.startswith("##FASTA"):
            return
        if line.startswith("#") or not line.strip():
            continue
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != 9:
            raise InputProblem(
                f"{path} line {number}: has {len(cells)} tab-separated cells, GTF and GFF3 need 9."
            )
        yield number, cells


def is_gff3(path: str | Path) -> bool:
    """Whether `path` is GFF3: by its header, otherwise by how its first line writes attributes."""
    for line in files.lines(path):
        if line.startswith("##gff-version 3"):
            return True
        if not line.startswith("#") and line.count("\t") == 8:
            return bool(re.match(r"[\w.]+=", line.rsplit("\t", 1)[1].strip()))
    return False


def attributes(text: str, gff3: bool) -> dict[str, str]:
    """{key: value} of column 9. GFF3 encodes what would separate, so Parent stays as written: `parents_of` splits it."""
    if gff3:
        fields = {key: value.strip() for key, value in GFF3_ATTRIBUTE.findall(text)}
        return {key: value if key == "Parent" else unquote(value) for key, value in fields.items()}
    return {key: quoted or plain for key, quoted, plain in GTF_ATTRIBUTE.findall(text)}


def parents_of(values: Mapping[str, str]) -> list[str]:
    """List of the parents of a GFF3 line, at least one (it may be empty): a%2Cb is one parent called a,b."""
    return [unquote(parent) for parent in values.get("Parent", "").split(",")]


@dataclass
class Owner:
    """The gene (or None) and transcript of a line; values: attributes that describe the gene; is_transcript: whether the
    file itself names the transcript, and nothing above it but the gene."""

    gene: str | None
    transcript: str
    values: dict[str, str]
    is_transcript: bool


def owned_lines(
    path: str | Path,
    feature: str,
    attribute: str,
    gff3: bool,
    parents: Mapping[str, tuple[str, dict[str, str]]],
) -> Iterator[tuple[int, list[str], dict[str, str], list[Owner]]]:
    """(line number, cells, attributes, list of Owner) of each line; of GFF3 only lines of genes and their parts have any."""
    for number, cells in lines(path):
        values = attributes(cells[8], gff3)
        if not gff3:
            yield number, cells, values, [_gtf_owner(values, attribute)]
            continue
        cells[0] = unquote(cells[0])
        counted = cells[2] == feature or is_of_a_gene(cells[2])
        yield number, cells, values, _owners(cells[2], values, attribute, parents) if counted else []


def _ancestors(path, most=None):
    """({ID: (type, attributes)} of the first `most` GFF3 lines that may be parents, {sequence: length} of circular ones)."""
    parents, circles = {}, {}
    for _, cells in itertools.islice(lines(path), most):
        if cells[2] in ("exon", "CDS") or not ("ID=" in cells[8] or "s_circular=" in cells[8]):
            continue
        values = attributes(cells[8], gff3=True)
        if "ID" in values:
            parents[values["ID"]] = cells[2], values
        if values.get("Is_circular", "").lower() == "true" and PLACE.fullmatch(cells[4]):
            circles[unquote(cells[0])] = int(cells[4])
    return parents, circles


def _gtf_owner(values, attribute):
    gene, transcript = values.get(attribute), values.get("transcript_id")
    return Owner(gene, transcript or gene, values, bool(transcript))


def _owners(kind, values, attribute, parents):
    """Owners of a GFF3 line, one for each of its parents."""
    owners = []
    for parent in parents_of(values):
        chain, name = [(kind, values)], parent
        while name in parents and len(chain) < 10:  # a line may name itself as its parent
            chain.append(parents[name])
            name = parents_of(parents[name][1])[0]
        top_kind, top = chain[-1]
        keys = ("gene_id", "geneID") if attribute == "gene_id" else (attribute,)  # the second is gffread's
        gene = next((link[key] for _, link in reversed(chain) for key in keys if link.get(key)), None)
        if not gene and attribute == "gene_id":
            gene = re.sub(r"^gene[:-]", "", top.get("ID", "")) or None
        transcript = re.sub(r"^(transcript|rna)[:-]", "", parent) or gene
        owners.append(Owner(gene, transcript, top, len(chain) > 1 and not is_gene(top_kind)))
    return owners


def _add_labels(label, values):
    for column, keys in (("gene_name", NAME_KEYS), ("biotype", BIOTYPE_KEYS)):
        if not label.get(column):
            label[column] = next((values[key] for key in keys if values.get(key)), "")


def _place(path, number, cells, circle):
    """(start, end) of a line; `circle` is the length of a circular chromosome, where the end may be smaller or beyond."""
    if not (PLACE.fullmatch(cells[3]) and PLACE.fullmatch(cells[4])):
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
