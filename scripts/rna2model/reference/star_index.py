"""Check a STAR index given by the user before any job: complete, made by this version, and with the annotation to
count with.

STAR counts with the genes and exons in its index, whatever annotation the config names.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np

from rna2model.core import files
from rna2model.core.errors import InputProblem
from rna2model.reference import annotation, annotation_lines

GENOME_VERSION = "2.7.4a"  # of the indexes that STAR 2.7.4a to 2.7.11b write and read
FILES = ("Genome", "SA", "SAindex", "chrNameLength.txt", "genomeParameters.txt")
PLACE_FILES = ("chrName.txt", "chrStart.txt", "chrLength.txt")
GENE_FILES = ("exonGeTrInfo.tab", "geneInfo.tab")
STRANDS = {"+": 1, "-": 2, b"+": 1, b"-": 2}
WAY_OUT = "Set reference.index to null to have one built, or give the annotation that the index was made with"


def problems(folder: Path, counts: bool) -> list[str]:
    """Why STAR cannot use the index in `folder` (Path), as a list of str. `counts`: whether STAR is to count genes."""
    where = f"config: reference.index: {folder}"
    if missing := _missing(folder, FILES):
        return [f"{where} is no STAR index: it lacks {missing}"]
    words = [
        line.split() for line in (folder / "genomeParameters.txt").read_text(errors="replace").splitlines()
    ]
    version = next((line[1] for line in words if len(line) > 1 and line[0] == "versionGenome"), "none")
    if version != GENOME_VERSION:  # STAR stops at an index of another generation, for each sample anew
        return [
            f"{where} is of STAR's index version {version}, {GENOME_VERSION} is needed; set it to null to have one built"
        ]
    if counts and (missing := _missing(folder, PLACE_FILES)):
        return [f"{where} is no STAR index: it lacks {missing}"]
    if counts and (missing := _missing(folder, GENE_FILES)):
        return [
            f"{where} was made without annotation (it lacks {missing}), and quantification.tool star counts with that of the"
            " index. Set reference.index to null to have one built, or quantification.tool to featurecounts"
        ]
    return []


def _missing(folder, names):
    return ", ".join(name for name in names if not (folder / name).is_file())


def differences(folder: str | Path, gtf: str | Path, feature: str, attribute: str) -> list[str]:
    """Problems (list of str) of an index whose genes or exons are not those of an annotation.

    Compared are the sets of (gene, start, end, strand) on the sequences of the index, so that order, names of transcripts and
    lines that are there twice do not matter. A GTF of three million lines takes some seconds.
    """
    try:
        index, names = _of_index(Path(folder))
        sequences = _Sequences(Path(folder))
    except (ValueError, IndexError, OSError):
        return [f"config: reference.index: {folder}: its tables of genes cannot be read; set it to null"]
    try:
        own = _of_annotation(gtf, feature, attribute, sequences, names)
    except (InputProblem, ValueError, AttributeError, EOFError, OSError, zlib.error):
        return []  # an invalid line further down: the job that reads the whole file reports it
    only_own, only_index = _only_in_one(own, index)
    if not len(own):  # other sequence names, which another check reports
        return []
    if not len(only_own) and not len(only_index):
        return []
    ids = [name.decode(errors="replace") for name in names]
    genes = np.setxor1d(own[:, 0], index[:, 0])
    example = ids[(only_own if len(only_own) else only_index)[0, 0]]
    what = (
        f"{len(genes)} genes are only in one of them (such as {ids[genes[0]]})"
        if len(genes)
        else f"{len(only_own)} exons of {gtf} are not in it, {len(only_index)} of its own are not there (such as of {example})"
    )
    return [
        f"config: reference.index: {folder} was made with another annotation than {gtf}, and quantification.tool star counts"
        f" with that of the index: {what}. {WAY_OUT}"
    ]


class _Sequences:
    """Names, lengths and places of the sequences in an index: STAR counts bases from the start of the first."""

    def __init__(self, folder):
        names = (folder / "chrName.txt").read_text().split("\n")[:-1]
        starts = [int(text) for text in (folder / "chrStart.txt").read_text().split()]
        lengths = [
            int(line.split("\t")[1]) for line in (folder / "chrNameLength.txt").read_text().splitlines()
        ]
        self.numbers = {name.encode(): number for number, name in enumerate(names)}
        self.starts, self.lengths = np.array(starts[: len(names)]), np.array(lengths)


def _of_index(folder):
    """((n, 4) int64 gene number, first and last base from 0, strand; {gene: number}) of an index."""
    number, *genes = (folder / "geneInfo.tab").read_bytes().splitlines()
    names = {line.split(b"\t")[0]: place for place, line in enumerate(genes)}
    with open(folder / "exonGeTrInfo.tab") as file:
        exons = int(file.readline())
        table = (
            np.loadtxt(file, dtype=np.int64, usecols=(3, 0, 1, 2), ndmin=2)
            if exons
            else np.empty((0, 4), int)
        )
    if int(number) != len(genes) or exons != len(table) or table[:, 0].max(initial=-1) >= len(genes):
        raise ValueError("cut short")
    return _on_both_strands(table), names


def _of_annotation(gtf, feature, attribute, sequences, names):
    """The same of an annotation; `names` gets its further genes. Exons across an origin are two, as in an index of ours."""
    flat = []
    for gene, chromosome, *place in _exons(gtf, feature, attribute):
        number = sequences.numbers.get(chromosome)
        if number is not None:
            flat += (names.setdefault(gene, len(names)), number, *place)
    gene, number, start, end, strand = np.array(flat, dtype=np.int64).reshape(-1, 5).T
    length, offset = sequences.lengths[number], sequences.starts[number] - 1
    across = (start <= length) & (end > length)
    rows = np.stack([gene, start + offset, np.where(across, length, end) + offset, strand], axis=1)
    behind = np.stack([gene, 1 + offset, end - length + offset, strand], axis=1)[across]
    return _on_both_strands(np.concatenate([rows, behind]))


def _on_both_strands(rows):
    """Rows without strand (0) once for each."""
    without = rows[:, 3] == 0
    return np.concatenate(
        [rows[~without], *(np.c_[rows[without, :3], np.full(without.sum(), s)] for s in (1, 2))]
    )


def _exons(gtf, feature, attribute):
    """(gene, sequence as bytes, start, end, strand as STAR writes it) of the lines that are counted."""
    if annotation_lines.is_gff3(gtf):
        for transcript in annotation.read(gtf, feature, attribute).transcripts:
            for start, end in transcript.exons:
                names = transcript.gene.encode(), transcript.chromosome.encode()
                yield *names, start, end, STRANDS.get(transcript.strand, 0)
        return
    counted, first = f"\t{feature}\t".encode(), f'{attribute} "'.encode()
    value = re.compile(rb'(?:^|[; ])%s +(?:"([^"]*)"|([^\s;"]+))' % re.escape(attribute.encode()))
    with files.opened(gtf) as file:
        for line in file:
            if counted not in line or line.startswith(b"#"):
                continue
            chromosome, _, kind, start, end, _, strand, _, text = line.split(b"\t", 8)
            if kind != counted[1:-1]:
                continue
            if text.startswith(first):  # a regular expression takes twice as long
                gene = text[len(first) : text.index(b'"', len(first))]
            else:
                gene = b"".join(value.search(text).groups(b""))
            yield gene, chromosome, int(start), int(end), STRANDS.get(strand, 0)


def _only_in_one(own, index):
    """Rows of two (n, 4) arrays that only the first has, and those that only the second has; each once, sorted."""
    rows = np.concatenate([own, index])
    order = np.lexsort(rows.T[::-1])
    rows, is_own = rows[order], order < len(own)
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    group = np.cumsum(starts) - 1
    in_own = np.bincount(group, weights=is_own) > 0
    in_index = np.bincount(group, weights=~is_own) > 0
    return rows[starts][in_own & ~in_index], rows[starts][in_index & ~in_own]
