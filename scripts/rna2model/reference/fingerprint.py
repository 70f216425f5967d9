"""What samples were counted with, as content: two references are the same when they hold the same, however they are packed."""

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
    found = {}
    for name, digest, length in _sequences(fasta):
        found[name] = f"{name}\t{length}\t{digest}", length
    lines = sorted(line for line, _ in found.values())
    return text_sha256("\n".join(lines)), {name: length for name, (_, length) in found.items()}


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


def annotation(found: Annotation) -> str:
    """SHA-256 of what is counted with an annotation.Annotation: the exons of each gene and transcript, in any order and
    format; names for people and biotypes do not matter."""
    return text_sha256(
        "\n".join(
            sorted(
                f"{one.gene}\t{one.name}\t{one.chromosome}\t{one.strand}\t{start}\t{end}"
                for one in found.transcripts
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
    fasta: str | Path, gtf: str | Path, lengths: Mapping[str, int], genome_sha256: str, found: Annotation
) -> dict[str, Any]:
    """The facts by which a reference is known again, JSON-able; `found` is its Annotation."""
    longest = sorted(lengths.items(), key=lambda item: (-item[1], item[0]))[:TOLD]
    return {
        "fasta": os.path.abspath(fasta),
        "gtf": os.path.abspath(gtf),
        "fasta_sha256": genome_sha256,
        "gtf_sha256": annotation(found),
        "gtf_text_sha256": unpacked(gtf),
        "genome_bases": sum(lengths.values()),
        "contigs": len(lengths),
        "contig_lengths": dict(longest),
        "genes": len(found.genes),
        "transcripts": len(found.transcripts),
        "gene_ids_sha256": genes([record["gene_id"] for record in found.genes])["sha256"],
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
    told = []
    if made["fasta_sha256"] != now["fasta_sha256"]:
        told.append(
            f"genome: the bundle was made with {_genome(made)}, these samples are of {_genome(now)}; {_contigs(made, now)}"
        )
    if made["gtf_sha256"] != now["gtf_sha256"]:
        same = made["gene_ids_sha256"] == now["gene_ids_sha256"]
        how = "the same genes with other exons or transcripts" if same else "other genes"
        told.append(
            f"annotation: the bundle was made with {_annotation(made)}, these samples are of {_annotation(now)}; {how}"
        )
    return told


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
    told = []
    for section in sorted(made.keys() | now.keys()):
        one, two = made.get(section), now.get(section)
        if isinstance(one, dict) and isinstance(two, dict):
            told += [
                f"{section}.{key}: the bundle says {one.get(key)!r}, these samples {two.get(key)!r}"
                for key in sorted(one.keys() | two.keys())
                if f"{section}.{key}" not in skip and one.get(key) != two.get(key)
            ]
        elif one != two and section not in skip:
            told.append(f"{section}: the bundle says {one!r}, these samples {two!r}")
    return told


# How the sample is counted, whatever the path of a file or the strand of one sample.
UNCOMPARED = ("trimming.rrna", "quantification.strandedness")


def counting_differences(made: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs in how two sets of samples were counted, in words.

    Both are dicts of `counting` (settings by section), `reference` (facts of `of_reference`), `rrna_sha256` (or None).
    """
    told = setting_differences(made["counting"], now["counting"], UNCOMPARED)
    if made.get("rrna_sha256") != now.get("rrna_sha256"):
        told.append(
            f"trimming.rrna: the bundle says sequences {_short(made.get('rrna_sha256'))}, these samples"
            f" {_short(now.get('rrna_sha256'))}"
        )
    return told + reference_differences(made["reference"], now["reference"])


def _short(digest):
    return digest[:12] if digest else "none"


def read_beside(matrix: str | Path, path: str | Path | None = None) -> dict[str, Any] | None:
    """How a matrix was counted, from the JSON that this workflow writes beside it (matrix.tsv.gz, matrix.json), or None.

    `path`: where that JSON is, when it was brought here from elsewhere.
    """
    path = Path(path) if path else beside(matrix)
    if path is None:
        return None
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InputProblem(
            f"{path} says how {matrix} was counted, but cannot be read ({error}); remove or repair it."
        ) from None
    if not (isinstance(told, dict) and told.get("counting") and told.get("reference")):
        return None
    if not isinstance(told["counting"], dict) or not isinstance(told["reference"], dict):
        raise InputProblem(
            f"{path} does not say how {matrix} was counted as this workflow writes it; remove it."
        )
    if missing := FACTS - told["reference"].keys():
        raise InputProblem(
            f"{path} lacks {', '.join(sorted(missing))} of the reference; remove or repair it."
        )
    return told


def beside(matrix: str | Path) -> Path | None:
    """Path of that JSON, or None where there is none."""
    path = Path(name_beside(matrix))
    return path if path.is_file() and path != Path(matrix) else None


def name_beside(matrix: str | Path) -> str:
    """What that JSON is called."""
    folder, slash, name = str(matrix).rpartition("/")
    return f"{folder}{slash}{name.split('.')[0]}.json"
