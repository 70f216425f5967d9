"""Fingerprints of the reference and settings that samples were counted with, by content, whatever the compression."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import files
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rna2model.reference.annotation import Annotation

BLOCK = 1 << 22  # bytes
TOLD = 200  # of the longest sequences, a bundle knows name and length
CAPITALS = bytes.maketrans(b"acgtnrykmswbdhvu", b"ACGTNRYKMSWBDHVU")


def genome(fasta: str | Path) -> tuple[str, dict[str, int]]:
    """(SHA-256, {name: length}) of the sequences of a FASTA file, plain or gzipped: names and bases, in any order, line
    length and case (lower case only says where repeats are)."""
    sequences = {}
    for name, digest, length in _sequences(fasta):
        sequences[name] = f"{name}\t{length}\t{digest}", length
    lines = sorted(line for line, _ in sequences.values())
    return text_sha256("\n".join(lines)), {name: length for name, (_, length) in sequences.items()}


def _sequences(fasta):
    """(name, SHA-256 of the bases, length) of each sequence, a block of the file in memory at a time."""
    header, name, digest, length = None, None, hashlib.sha256(), 0
    try:
        with files.opened(fasta) as file:
            while block := file.read(BLOCK):
                while block:
                    if header is not None:
                        line, end, block = block.partition(b"\n")
                        header += line
                        if end:
                            name, header = (
                                (header.split(maxsplit=1) or [b""])[0].decode(errors="replace"),
                                None,
                            )
                            digest, length = hashlib.sha256(), 0
                    else:
                        bases, mark, block = block.partition(b">")
                        bases = bases.translate(CAPITALS, b"\r\n \t")
                        digest.update(bases)
                        length += len(bases)
                        if mark:
                            if name is not None:
                                yield name, digest.hexdigest(), length
                            header = b""
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{fasta} cannot be read to its end ({error}); get it again.") from None
    if name is None:
        raise InputProblem(f"{fasta} is not FASTA: it has no line that starts with '>'.")
    yield name, digest.hexdigest(), length


def annotation(gene_model: Annotation) -> str:
    """SHA-256 of a gene model (annotation.Annotation): the exons of each gene and transcript, in any order and
    format; names for people and biotypes do not matter."""
    return text_sha256(
        "\n".join(
            sorted(
                f"{one.gene}\t{one.name}\t{one.chromosome}\t{one.strand}\t{start}\t{end}"
                for one in gene_model.transcripts
                for start, end in one.exons
            )
        )
    )


def unpacked(path: str | Path) -> str:
    """SHA-256 of the content of a file, decompressed where needed: quick to compare where the content is the same text."""
    digest = hashlib.sha256()
    try:
        with files.opened(path) as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{path} cannot be read to its end ({error}); get it again.") from None
    return digest.hexdigest()


def genes(gene_ids: Collection[str]) -> dict[str, Any]:
    """{n, sha256} of a list of gene ids, in any order."""
    return {"n": len(gene_ids), "sha256": text_sha256("\n".join(sorted(gene_ids)))}


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def of_reference(
    fasta: str | Path, gtf: str | Path, lengths: Mapping[str, int], genome_sha256: str, gene_model: Annotation
) -> dict[str, Any]:
    """The facts that identify a reference, JSON-able; `gene_model` is its Annotation."""
    longest = sorted(lengths.items(), key=lambda item: (-item[1], item[0]))[:TOLD]
    return {
        "fasta": os.path.abspath(fasta),
        "gtf": os.path.abspath(gtf),
        "fasta_sha256": genome_sha256,
        "gtf_sha256": annotation(gene_model),
        "gtf_text_sha256": unpacked(gtf),
        "genome_bases": sum(lengths.values()),
        "contigs": len(lengths),
        "contig_lengths": dict(longest),
        "genes": len(gene_model.genes),
        "transcripts": len(gene_model.transcripts),
        "gene_ids_sha256": genes([record["gene_id"] for record in gene_model.genes])["sha256"],
    }


FACTS = {
    "fasta",
    "gtf",
    "fasta_sha256",
    "gtf_sha256",
    "gene_ids_sha256",
    "genome_bases",
    "contigs",
    "contig_lengths",
}
FACTS |= {"genes", "transcripts"}


def reference_differences(made: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between the reference of a bundle and that of new samples (facts of `of_reference`), in words."""
    differences = []
    if made["fasta_sha256"] != now["fasta_sha256"]:
        differences.append(
            f"genome: the bundle was made with {_genome(made)}, these samples are of {_genome(now)}; {_contigs(made, now)}"
        )
    if made["gtf_sha256"] != now["gtf_sha256"]:
        same = made["gene_ids_sha256"] == now["gene_ids_sha256"]
        how = "the same genes with other exons or transcripts" if same else "other genes"
        differences.append(
            f"annotation: the bundle was made with {_annotation(made)}, these samples are of {_annotation(now)}; {how}"
        )
    return differences


def _genome(facts):
    name, digest = Path(facts["fasta"]).name, facts["fasta_sha256"][:12]
    return (
        f"{name} ({facts['contigs']} sequences, {facts['genome_bases']} bases, sha256 of sequences {digest})"
    )


def _annotation(facts):
    name, digest = Path(facts["gtf"]).name, facts["gtf_sha256"][:12]
    return f"{name} ({facts['genes']} genes, {facts['transcripts']} transcripts, sha256 of exons {digest})"


def _contigs(made, now):
    before, after = made["contig_lengths"], now["contig_lengths"]
    other = [name for name in before if name in after and before[name] != after[name]]
    if other:
        return f"{other[0]} has {before[other[0]]} bases in the bundle's and {after[other[0]]} in theirs"
    for whose, names in (
        ("the bundle's", before.keys() - after.keys()),
        ("theirs", after.keys() - before.keys()),
    ):
        if names:
            return f"only in {whose}: {', '.join(sorted(names)[:3])}" + (" ..." if len(names) > 3 else "")
    return "names and lengths are the same, bases differ"


def setting_differences(
    made: Mapping[str, Any], now: Mapping[str, Any], skip: Collection[str] = ()
) -> list[str]:
    """What differs between two nested dicts of settings, in words; keys (`a.b`) in `skip` are not compared."""
    differences = []
    for section in sorted(made.keys() | now.keys()):
        one, two = made.get(section), now.get(section)
        if isinstance(one, dict) and isinstance(two, dict):
            differences += [
                f"{section}.{key}: the bundle says {one.get(key)!r}, these samples {two.get(key)!r}"
                for key in sorted(one.keys() | two.keys())
                if f"{section}.{key}" not in skip and one.get(key) != two.get(key)
            ]
        elif one != two and section not in skip:
            differences.append(f"{section}: the bundle says {one!r}, these samples {two!r}")
    return differences


# How the sample is counted, whatever the path of a file or the strand of one sample.
UNCOMPARED = ("trimming.rrna", "quantification.strandedness")


def counting_differences(made: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs in how two sets of samples were counted, in words.

    Both are dicts of `counting` (settings by section), `reference` (facts of `of_reference`), `rrna_sha256` (or None).
    """
    differences = setting_differences(made["counting"], now["counting"], UNCOMPARED)
    if made.get("rrna_sha256") != now.get("rrna_sha256"):
        differences.append(
            f"trimming.rrna: the bundle says sequences {_short(made.get('rrna_sha256'))}, these samples"
            f" {_short(now.get('rrna_sha256'))}"
        )
    return differences + reference_differences(made["reference"], now["reference"])


def _short(digest):
    return digest[:12] if digest else "none"


def read_beside(matrix: str | Path, path: str | Path | None = None) -> dict[str, Any] | None:
    """How a matrix was counted, from the JSON that this workflow writes beside it (matrix.tsv.gz, matrix.json), or None.

    `path`: of that JSON, if it was copied elsewhere.
    """
    path = Path(path) if path else beside(matrix)
    if path is None:
        return None
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InputProblem(
            f"{path} says how {matrix} was counted, but cannot be read ({error}); remove or repair it."
        ) from None
    if not (isinstance(facts, dict) and facts.get("counting") and facts.get("reference")):
        return None
    if not isinstance(facts["counting"], dict) or not isinstance(facts["reference"], dict):
        raise InputProblem(
            f"{path} does not say how {matrix} was counted as this workflow writes it; remove it."
        )
    if missing := FACTS - facts["reference"].keys():
        raise InputProblem(
            f"{path} lacks {', '.join(sorted(missing))} of the reference; remove or repair it."
        )
    return facts


def beside(matrix: str | Path) -> Path | None:
    """Path of that JSON, or None if there is none."""
    path = Path(name_beside(matrix))
    return path if path.is_file() and path != Path(matrix) else None


def name_beside(matrix: str | Path) -> str:
    """Name of that JSON."""
    folder, slash, name = str(matrix).rpartition("/")
    return f"{folder}{slash}{name.split('.')[0]}.json"
