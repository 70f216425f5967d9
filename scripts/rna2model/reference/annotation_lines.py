"""The lines of an annotation, GTF or GFF3: their cells, their attributes, and the gene and transcript that each belongs to."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rna2model.core import files
from rna2model.core.errors import InputProblem
from rna2model.reference.gene_census import is_gene, is_of_a_gene

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

GTF_ATTRIBUTE = re.compile(
    r'([^\s;]+)\s+(?:"([^"]*)"|([^";]*?))\s*(?:;|$)'
)  # what is quoted may hold a semicolon
GFF3_ATTRIBUTE = re.compile(r"\s*([^=;\s]+)=([^;]*)")
PLACE = re.compile(r" *-?[0-9]{1,12} *")  # start or end of a line


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


def ancestors(
    path: str | Path, most: int | None = None
) -> tuple[dict[str, tuple[str, dict[str, str]]], dict[str, int]]:
    """({ID: (type, attributes)} of the first `most` GFF3 lines that may be parents, {sequence: length} of circular ones)."""
    parents: dict[str, tuple[str, dict[str, str]]] = {}
    circles: dict[str, int] = {}
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
        while name in parents and len(chain) < 10:  # a file may name itself its parent
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
