"""Write genome and annotation in the form that later steps read, checked against each other."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem
from rna2model.reference.annotation import GENE_COLUMNS, union

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from rna2model.reference.annotation import Annotation, Transcript

SHORTEST = 300  # bases of the shortest transcript whose coverage from end to end says something
NAME = re.compile(
    r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*"
)  # SAM specification, section 1.2.1
MOST_ELSEWHERE = (
    0.5  # share of genes on chromosomes that the genome lacks; patches and haplotypes are far fewer
)
MOST_BODIES = 2000  # transcripts are enough for the mean coverage along a gene


def contigs(fasta: str | Path) -> dict[str, int]:
    """{name: length in bases} of the sequences of a plain FASTA file."""
    lengths, name = {}, None
    with open(fasta, "rb") as file:
        for line in file:
            if line.startswith(b">"):
                name = line[1:].split(maxsplit=1)[0].decode(errors="replace") if line[1:].strip() else ""
                if name in lengths or not name:
                    raise InputProblem(f"{fasta}: sequence name {name!r} is empty or there twice.")
                if not NAME.fullmatch(name):
                    raise InputProblem(
                        f"{fasta}: sequence name {name[:99]!r} cannot stand in a BAM file; rename it."
                    )
                lengths[name] = 0
            elif name is not None:
                bases = line.strip()
                if b" " in bases or b"\t" in bases:
                    raise InputProblem(f"{fasta}: there is a space within sequence {name!r}; remove it.")
                if b"U" in bases or b"u" in bases:
                    raise InputProblem(f"{fasta} is no genome: sequence {name!r} has the letter U; give DNA.")
                lengths[name] += len(bases)
            elif line.strip():
                raise InputProblem(f"{fasta} is not FASTA: it does not start with '>'.")
    if not lengths or not sum(lengths.values()):
        raise InputProblem(f"{fasta} holds no sequence.")
    return lengths


def star_sizes(lengths: Mapping[str, int], read_length: int = 100) -> dict[str, int]:
    """STAR's word sizes for a genome: {parameter: value} (STAR manual, sections 2.2.5 and 2.2.6)."""
    total = sum(lengths.values())
    return {
        "genomeSAindexNbases": max(2, min(14, int(math.log2(total) / 2 - 1))),
        "genomeChrBinNbits": min(18, int(math.log2(max(total / len(lengths), read_length)))),
    }


def splice_sites(transcripts: Iterable[Transcript]) -> list[tuple[str, int, int, str]]:
    """Sorted introns (chromosome, last base before, first base after, strand), 0-based, of all transcripts.

    The format of HISAT2's --known-splicesite-infile, as its hisat2_extract_splice_sites.py writes it: exons
    less than 5 bases apart are one exon.
    """
    introns = set()
    for transcript in transcripts:
        reach = None
        for start, end in sorted(transcript.exons):
            if reach is not None and start - reach > 5:
                introns.add((transcript.chromosome, reach - 1, start - 1, transcript.strand))
            reach = end if reach is None else max(reach, end)
    return sorted(introns)


def write_gtf(annotation: Annotation, path: str | Path) -> None:
    """Write the GTF that every tool counts with: what is counted are its `exon` lines, joined by `gene_id`.

    Its transcripts must be as tools take them (`transcripts.for_tools`).
    """
    names = {record["gene_id"]: record for record in annotation.genes}
    with open(path, "w") as file:
        for transcript in annotation.transcripts:
            gene = names[transcript.gene]
            pairs = {"gene_id": transcript.gene, "transcript_id": transcript.name}
            pairs |= {"gene_name": gene["gene_name"], "gene_biotype": gene["biotype"]}
            text = " ".join(f'{key} "{_quotable(value)}";' for key, value in pairs.items() if value)
            for kind, intervals in (("exon", transcript.exons), ("CDS", transcript.coding)):
                for start, end in intervals:
                    place = (
                        transcript.chromosome,
                        "annotation",
                        kind,
                        start,
                        end,
                        ".",
                        transcript.strand,
                        ".",
                    )
                    print(*place, text, sep="\t", file=file)


def _quotable(text):
    return text.replace('"', "'").replace(";", ",")


def bed12(transcripts: Sequence[Transcript]) -> Iterator[str]:
    """BED lines of transcripts, the form RSeQC reads. The thick part is what is coded; of a transcript that codes
    nothing it is empty, but of an annotation that knows no coding exons it is everything: RSeQC would call one half
    of it 5' and the other 3' untranslated, by strand."""
    knows_coding = any(transcript.coding for transcript in transcripts)
    for t in transcripts:
        exons = _merged(t.exons)
        start, end = exons[0][0] - 1, exons[-1][1]
        thick = (
            (min(t.coding)[0] - 1, max(stop for _, stop in t.coding))
            if t.coding
            else (end if knows_coding else start, end)
        )
        sizes = ",".join(str(stop - first + 1) for first, stop in exons)
        starts = ",".join(str(first - 1 - start) for first, _ in exons)
        yield f"{t.chromosome}\t{start}\t{end}\t{t.name}\t0\t{t.strand}\t{thick[0]}\t{thick[1]}\t0\t{len(exons)}\t{sizes},\t{starts},"


def _merged(exons):
    merged = []
    for start, end in sorted(exons):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def gene_bodies(annotation: Annotation) -> list[Transcript]:
    """The longest transcript of genes, protein coding where biotypes are known: at most MOST_BODIES, spread evenly."""
    coding = {record["gene_id"] for record in annotation.genes if record["biotype"] == "protein_coding"}
    longest: dict[str, tuple[int, Transcript]] = {}
    for transcript in annotation.transcripts:
        length = union(transcript.exons)
        if length >= SHORTEST and (not coding or transcript.gene in coding):
            best = longest.get(transcript.gene)
            if best is None or length > best[0]:
                longest[transcript.gene] = length, transcript
    chosen = [transcript for _, transcript in longest.values()]
    return chosen[:: max(1, -(-len(chosen) // MOST_BODIES))]


def check_chromosomes(
    fasta: str | Path,
    gtf: str | Path,
    lengths: Mapping[str, int],
    records: Sequence[Mapping[str, Any]],
    circles: Collection[str] = (),
) -> list[str]:
    """InputProblem when the annotation lies on other chromosomes than the genome has; returns notes.

    circles : sequences on which genes may end beyond the length (`circular.sequences`)
    """
    used = {record["chromosome"] for record in records}
    unknown = sorted(used - set(lengths))
    if len(unknown) == len(used):
        raise InputProblem(
            f"no chromosome of the annotation is in the genome.\n  annotation {gtf}: {_some(used)}\n"
            f"  genome {fasta}: {_some(lengths)}\n  {naming_hint(used, lengths)}"
        )
    beyond = [r for r in records if r["end"] > lengths.get(r["chromosome"], math.inf)]
    beyond = [r for r in beyond if r["chromosome"] not in circles]
    if beyond:
        one = beyond[0]
        raise InputProblem(
            f"{len(beyond)} genes of {gtf} end beyond their chromosome in {fasta}: {_some(r['gene_id'] for r in beyond)}"
            f" ({one['gene_id']} at {one['end']}, {one['chromosome']} has {lengths[one['chromosome']]} bases). Either they are"
            " of different assemblies: take both from one source and release. Or the chromosome is circular: give a GFF3 that"
            " says so (Is_circular=true in the line of the region); a GTF cannot."
        )
    elsewhere = sum(record["chromosome"] not in lengths for record in records)
    sentence = f"{len(unknown)} chromosomes of the annotation are not in the genome: {_some(unknown)}"
    if elsewhere > MOST_ELSEWHERE * len(records):
        raise InputProblem(
            f"{sentence}. {elsewhere} of {len(records)} genes are on them and would have no reads.\n  annotation {gtf}: {_some(used)}"
            f"\n  genome {fasta}: {_some(lengths)}\n  {naming_hint(unknown, lengths)}"
        )
    return [sentence] if unknown else []


def _some(names, most=5):
    names = sorted(names)
    return ", ".join(names[:most]) + (f" … ({len(names)} in all)" if len(names) > most else "")


def naming_hint(used: Iterable[str], lengths: Iterable[str]) -> str:
    """Advice on two sets of chromosome names that have none in common."""
    if {f"chr{name}" for name in used} & set(lengths):
        return "The genome says chr1 where the annotation says 1: add 'chr' to column 1 of the GTF, or take both from one source."
    if {name.removeprefix("chr") for name in used} & set(lengths):
        return "The annotation says chr1 where the genome says 1: remove 'chr' from column 1 of the GTF, or take both from one source."
    return "Take genome and annotation from the same source and release."


def write_genes(records: Iterable[Mapping[str, Any]], path: str | Path) -> None:
    """Write the gene table (GENE_COLUMNS) as TSV."""
    lines = ["\t".join(str(record[column]) for column in GENE_COLUMNS) for record in records]
    Path(path).write_text("\n".join(["\t".join(GENE_COLUMNS), *lines]) + "\n")
