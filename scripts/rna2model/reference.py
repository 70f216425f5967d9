"""Genome and annotation: unpack, check against each other, list genes."""

import gzip
import hashlib
import io
import math
import re
import shutil
from collections import defaultdict
from pathlib import Path

from rna2model.errors import InputProblem

ATTRIBUTE = re.compile(r'(\S+)\s+"?([^";]*)"?\s*(?:;|$)')
GENE_COLUMNS = ["gene_id", "gene_name", "biotype", "chromosome", "start", "end", "strand", "length"]


def opened(path):
    """`path` opened for reading bytes, decompressed if its content (not its name) is gzip."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")


def unpack(source, target):
    """Copy `source` to `target`, decompressed."""
    try:
        with opened(source) as file, open(target, "wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    except (EOFError, OSError) as error:
        raise InputProblem(f"{source} cannot be read to its end ({error}); download it again.") from None


def checksum(path):
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contigs(fasta):
    """{name: length in bases} of the sequences of a plain FASTA file."""
    lengths, name = {}, None
    with open(fasta, "rb") as file:
        for line in file:
            if line.startswith(b">"):
                name = line[1:].split(maxsplit=1)[0].decode() if line[1:].strip() else ""
                if name in lengths or not name:
                    raise InputProblem(f"{fasta}: sequence name {name!r} is empty or there twice.")
                lengths[name] = 0
            elif name is not None:
                lengths[name] += len(line.strip())
            elif line.strip():
                raise InputProblem(f"{fasta} is not FASTA: it does not start with '>'.")
    if not lengths or not sum(lengths.values()):
        raise InputProblem(f"{fasta} holds no sequence.")
    return lengths


def star_sizes(lengths, read_length=100):
    """STAR's word sizes for a genome: {parameter: value} (STAR manual, sections 2.2.5 and 2.2.6)."""
    total = sum(lengths.values())
    return {
        "genomeSAindexNbases": max(2, min(14, int(math.log2(total) / 2 - 1))),
        "genomeChrBinNbits": min(18, int(math.log2(max(total / len(lengths), read_length)))),
    }


def genes(gtf, feature="exon", attribute="gene_id"):
    """List of gene records (dicts of GENE_COLUMNS) in the order of the annotation.

    `length` is the number of bases covered by the gene's `feature` lines (their union), as
    featureCounts reports it.
    """
    exons, records = defaultdict(list), {}
    with opened(gtf) as file:
        for number, line in enumerate(io.TextIOWrapper(file, encoding="utf-8", errors="replace"), start=1):
            if line.startswith("#") or not line.strip():
                continue
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) != 9:
                raise InputProblem(f"{gtf} line {number}: has {len(cells)} tab-separated cells, GTF needs 9.")
            if cells[2] != feature:
                continue
            values = dict(ATTRIBUTE.findall(cells[8]))
            name = values.get(attribute)
            if not name:
                raise InputProblem(_no_attribute(gtf, number, feature, attribute, cells[8]))
            start, end = int(cells[3]), int(cells[4])
            exons[name].append((cells[0], start, end))
            records.setdefault(name, _record(name, values, cells))
    if not records:
        raise InputProblem(
            f"{gtf} has no {feature!r} lines; set quantification.feature to a type it has (column 3)."
        )
    return [_complete(record, exons[name]) for name, record in records.items()]


def splice_sites(gtf, feature="exon"):
    """Sorted introns (chromosome, last base before, first base after, strand), 0-based, of all transcripts.

    The format of HISAT2's --known-splicesite-infile, as its hisat2_extract_splice_sites.py writes it: exons
    less than 5 bases apart are one exon.
    """
    transcripts = defaultdict(list)
    with opened(gtf) as file:
        for line in io.TextIOWrapper(file, encoding="utf-8", errors="replace"):
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) == 9 and cells[2] == feature:
                name = dict(ATTRIBUTE.findall(cells[8])).get("transcript_id")
                transcripts[name, cells[0], cells[6]].append((int(cells[3]), int(cells[4])))
    introns = set()
    for (name, chromosome, strand), exons in transcripts.items():
        end = None
        for start, stop in sorted(exons) if name else ():
            if end is not None and start - end > 5:
                introns.add((chromosome, end - 1, start - 1, strand))
            end = stop if end is None else max(end, stop)
    return sorted(introns)


def _no_attribute(gtf, number, feature, attribute, text):
    hint = " This looks like GFF3; convert it with `gffread -T`." if re.match(r"\w+=", text) else ""
    return f"{gtf} line {number}: this {feature!r} line has no {attribute}.{hint}"


def _record(name, values, cells):
    biotype = values.get("gene_biotype") or values.get("gene_type") or ""
    symbol = values.get("gene_name") or values.get("gene_symbol") or name
    return {
        "gene_id": name,
        "gene_name": symbol,
        "biotype": biotype,
        "chromosome": cells[0],
        "strand": cells[6],
    }


def _complete(record, exons):
    here = [(start, end) for chromosome, start, end in exons if chromosome == record["chromosome"]]
    return {
        **record,
        "start": min(start for start, _ in here),
        "end": max(end for _, end in here),
        "length": sum(
            _union([(s, e) for c, s, e in exons if c == chrom]) for chrom in {c for c, _, _ in exons}
        ),
    }


def _union(intervals):
    """Bases covered by closed intervals."""
    covered, reach = 0, 0
    for start, end in sorted(intervals):
        covered += max(0, end - max(start, reach + 1) + 1)
        reach = max(reach, end)
    return covered


def check_chromosomes(fasta, gtf, lengths, records):
    """InputProblem when the annotation lies on other chromosomes than the genome has; returns notes."""
    used = {record["chromosome"] for record in records}
    unknown = sorted(used - set(lengths))
    if len(unknown) == len(used):
        raise InputProblem(
            f"no chromosome of the annotation is in the genome.\n  annotation {gtf}: {_some(used)}\n"
            f"  genome {fasta}: {_some(lengths)}\n  {_naming_hint(used, lengths)}"
        )
    beyond = [r["gene_id"] for r in records if r["end"] > lengths.get(r["chromosome"], math.inf)]
    if beyond:
        raise InputProblem(
            f"{len(beyond)} genes of {gtf} end beyond their chromosome in {fasta} (first: {_some(beyond)});"
            " genome and annotation are of different assemblies."
        )
    if unknown:
        return [f"{len(unknown)} chromosomes of the annotation are not in the genome: {_some(unknown)}"]
    return []


def _some(names, most=5):
    names = sorted(names)
    return ", ".join(names[:most]) + (f" … ({len(names)} in all)" if len(names) > most else "")


def _naming_hint(used, lengths):
    if {f"chr{name}" for name in used} & set(lengths):
        return "The genome says chr1 where the annotation says 1: add 'chr' to column 1 of the GTF, or take both from one source."
    if {name.removeprefix("chr") for name in used} & set(lengths):
        return "The annotation says chr1 where the genome says 1: remove 'chr' from column 1 of the GTF, or take both from one source."
    return "Take genome and annotation from the same source and release."


def write_genes(records, path):
    """Write the gene table (GENE_COLUMNS) as TSV."""
    lines = ["\t".join(str(record[column]) for column in GENE_COLUMNS) for record in records]
    Path(path).write_text("\n".join(["\t".join(GENE_COLUMNS), *lines]) + "\n")
