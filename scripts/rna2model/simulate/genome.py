"""A small genome whose genes have the usual difficulties: introns, both strands, overlaps, paralogues.

Bases are codes 0-3 for A, C, G, T, so that the complement of `b` is `3 - b`. Coordinates are 0-based
and half-open; only the GTF is 1-based.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)
DONOR, ACCEPTOR = (2, 3), (0, 2)  # GT and AG, the ends of an intron on the gene's strand
MIN_EXON = 80  # bp; longer than a 75 nt read, so a read crosses one junction, rarely two
MIN_GAP = 100  # bp between neighbouring loci that are not meant to overlap


@dataclass
class Structure:
    """A gene before it is placed on a chromosome: lengths in bp, in genomic order."""

    exons: NDArray[np.int64]
    introns: NDArray[np.int64]
    strand: str

    @property
    def span(self) -> int:
        return int(self.exons.sum() + self.introns.sum())


@dataclass(frozen=True)
class Gene:
    """A placed gene with one transcript; `exons` are (start, end) in genomic order."""

    id: str
    name: str
    biotype: str
    chromosome: str
    strand: str
    exons: tuple[tuple[int, int], ...]

    @property
    def start(self) -> int:
        return self.exons[0][0]

    @property
    def end(self) -> int:
        return self.exons[-1][1]

    @property
    def introns(self) -> list[tuple[int, int]]:
        return [(left[1], right[0]) for left, right in zip(self.exons, self.exons[1:], strict=False)]


@dataclass
class Genome:
    """`chromosomes` maps a name to its base codes (uint8); `genes` are in genomic order."""

    chromosomes: dict[str, NDArray[np.uint8]]
    genes: list[Gene]


def stream(seed: int, *purpose: str) -> np.random.Generator:
    """A separate random generator for each purpose, so that adding a sample changes no other."""
    return np.random.default_rng([seed, zlib.crc32("/".join(purpose).encode())])


def random_bases(length: int, gc: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """`length` base codes with the given GC share."""
    strong = rng.random(length) < gc
    coin = rng.integers(0, 2, length, dtype=np.uint8)
    return np.where(strong, 1 + coin, 3 * coin).astype(np.uint8)


def build(definition: dict[str, Any], seed: int) -> Genome:
    """The genome and its genes, from the `genome` and `genes` sections of the definition."""
    settings = definition["genes"]
    rng = stream(seed, "genes")
    structures = [draw_structure(settings, rng) for _ in range(settings["count"])]
    overlaps, paralogues = choose_relations(settings, rng)
    relate(structures, overlaps, paralogues)
    genes = place(structures, overlaps, definition["genome"]["chromosomes"], rng)
    chromosomes = draw_sequence(definition["genome"], genes, stream(seed, "sequence"))
    for source, copy in paralogues:
        copy_exons(chromosomes, genes[source], genes[copy], settings["paralogue_identity"], rng)
    for gene in genes:
        set_splice_sites(chromosomes[gene.chromosome], gene)
    return Genome(chromosomes, genes)


def draw_structure(settings: dict[str, Any], rng: np.random.Generator) -> Structure:
    """Exon and intron lengths (bp) and a strand; the exons add up to a drawn transcript length."""
    shortest, longest = settings["transcript_length"]
    length = int(np.clip(rng.lognormal(np.log(1100), 0.45), shortest, longest))
    most = min(settings["exons"][1], length // (2 * MIN_EXON))
    count = int(rng.integers(settings["exons"][0], most + 1))
    spare = length - count * MIN_EXON
    exons = MIN_EXON + rng.multinomial(spare, rng.dirichlet(np.full(count, 2.0)))
    low, high = settings["intron_length"]
    introns = rng.integers(low, high + 1, count - 1)
    return Structure(exons, introns, "+-"[rng.integers(2)])


def choose_relations(
    settings: dict[str, Any], rng: np.random.Generator
) -> tuple[dict[int, bool], list[tuple[int, int]]]:
    """Overlapping neighbours {first gene: same strand?} and paralogues [(source, copy)], all disjoint."""
    opposite, same = settings["opposite_overlaps"], settings["same_strand_overlaps"]
    firsts = 2 * rng.permutation(settings["count"] // 2)
    overlaps = {int(first): rank >= opposite for rank, first in enumerate(firsts[: opposite + same])}
    free = rng.permutation([g for g in range(settings["count"]) if g - g % 2 not in overlaps])
    pairs = free[: 2 * settings["paralogues"]].reshape(-1, 2)
    return overlaps, [(int(source), int(copy)) for source, copy in pairs]


def relate(
    structures: Sequence[Structure], overlaps: Mapping[int, bool], paralogues: Iterable[tuple[int, int]]
) -> None:
    """Give overlapping neighbours their strands, and a paralogue the exon lengths of its source."""
    for first, same_strand in overlaps.items():
        strand = structures[first].strand
        structures[first + 1].strand = strand if same_strand else {"+": "-", "-": "+"}[strand]
    for source, copy in paralogues:
        structures[copy].exons = structures[source].exons.copy()
        structures[copy].introns = structures[source].introns.copy()
        structures[copy].strand = structures[source].strand


def place(
    structures: list[Structure],
    overlaps: Mapping[int, bool],
    chromosomes: Mapping[str, int],
    rng: np.random.Generator,
) -> list[Gene]:
    """Genes side by side along the chromosomes, in order, with random gaps."""
    steps = distances_to_next(structures, overlaps, rng)
    bounds = np.cumsum(list(chromosomes.values()))
    home = np.searchsorted(bounds, np.cumsum(steps) * (bounds[-1] / sum(steps)) - 1)
    for first in overlaps:  # a pair stays together
        home[first + 1] = home[first]
    genes = []
    for number, (name, length) in enumerate(chromosomes.items()):
        members = np.flatnonzero(home == number)
        gaps = draw_gaps(length - sum(steps[g] for g in members), members, overlaps, rng)
        position = 0
        for g, gap in zip(members, gaps, strict=True):
            position += gap
            genes.append(name_gene(g, name, structures[g], position))
            position += steps[g]
    return genes


def distances_to_next(
    structures: Sequence[Structure], overlaps: Mapping[int, bool], rng: np.random.Generator
) -> list[int]:
    """bp from a gene's start to where the next may start: its span, less the overlap with a partner.

    An overlap stays inside the two outer exons, so that no splice site is overwritten.
    """
    steps = [structure.span for structure in structures]
    for first, same_strand in overlaps.items():
        wanted = rng.integers(20, 60) if same_strand else rng.integers(100, 400)
        room = min(structures[first].exons[-1], structures[first + 1].exons[0]) - 1
        steps[first] -= int(min(wanted, room))
    return steps


def draw_gaps(
    free: int, members: NDArray[np.int64], overlaps: Mapping[int, bool], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Gaps (bp) before each gene: none before the second of a pair, else MIN_GAP and a random share."""
    alone = np.array([g - 1 not in overlaps for g in members], dtype=bool)
    spare = free - MIN_GAP * (alone.sum() + 1)
    if spare < 0:
        raise InputProblem("The genes do not fit the chromosomes: fewer genes or longer chromosomes.")
    shares = rng.multinomial(spare, rng.dirichlet(np.ones(alone.sum() + 1)))
    gaps = np.zeros(len(members), dtype=int)
    gaps[alone] = MIN_GAP + shares[:-1]  # the last share stays behind the last gene
    return gaps


def name_gene(number: int | np.integer[Any], chromosome: str, structure: Structure, start: int) -> Gene:
    """The placed gene of a structure; one gene in ten is a lncRNA, as far as the GTF goes."""
    lengths = np.zeros(2 * len(structure.exons) - 1, dtype=int)
    lengths[0::2], lengths[1::2] = structure.exons, structure.introns
    edges = (start + np.concatenate([[0], np.cumsum(lengths)])).tolist()
    exons = tuple(zip(edges[0::2], edges[1::2], strict=True))
    biotype = "lncRNA" if number % 10 == 9 else "protein_coding"
    return Gene(f"DEMO{number + 1:04d}", f"dmo{number + 1}", biotype, chromosome, structure.strand, exons)


def draw_sequence(
    settings: dict[str, Any], genes: Iterable[Gene], rng: np.random.Generator
) -> dict[str, NDArray[np.uint8]]:
    """Random chromosomes; exons are richer in GC than introns and intergenic sequence, as in most genomes."""
    chromosomes = {
        name: random_bases(length, settings["gc"], rng) for name, length in settings["chromosomes"].items()
    }
    for gene in genes:
        for start, end in gene.exons:
            chromosomes[gene.chromosome][start:end] = random_bases(end - start, settings["exon_gc"], rng)
    return chromosomes


def copy_exons(
    chromosomes: Mapping[str, NDArray[np.uint8]],
    source: Gene,
    copy: Gene,
    identity: Sequence[float],
    rng: np.random.Generator,
) -> None:
    """Overwrite the exons of `copy` with those of `source`, substitutions apart."""
    kept = rng.uniform(identity[0], identity[1])
    for (start, end), (to, to_end) in zip(source.exons, copy.exons, strict=True):
        bases = chromosomes[source.chromosome][start:end].copy()
        changed = rng.random(len(bases)) >= kept
        bases[changed] = (bases[changed] + rng.integers(1, 4, changed.sum())) % 4
        chromosomes[copy.chromosome][to:to_end] = bases


def set_splice_sites(bases: NDArray[np.uint8], gene: Gene) -> None:
    """Every intron reads GT..AG on the gene's strand; on the minus strand that is CT..AC."""
    for start, end in gene.introns:
        if gene.strand == "+":
            bases[start : start + 2], bases[end - 2 : end] = DONOR, ACCEPTOR
        else:
            bases[end - 2 : end] = [3 - base for base in reversed(DONOR)]
            bases[start : start + 2] = [3 - base for base in reversed(ACCEPTOR)]


def write_fasta(chromosomes: Mapping[str, NDArray[np.uint8]], path: str | Path) -> None:
    """FASTA with 60 bases a line."""
    with open(path, "w", newline="\n") as file:
        for name, codes in chromosomes.items():
            text = LETTERS[codes].tobytes().decode()
            lines = [text[i : i + 60] for i in range(0, len(text), 60)]
            file.write("\n".join([f">{name}", *lines, ""]))


def write_gtf(genes: Iterable[Gene], path: str | Path) -> None:
    """GTF with gene, transcript and exon lines; exons are numbered along the transcript."""
    with open(path, "w", newline="\n") as file:
        for gene in genes:
            names = f'gene_id "{gene.id}"; gene_name "{gene.name}"; gene_biotype "{gene.biotype}";'
            transcript = f'{names} transcript_id "{gene.id}.1";'
            _gtf_line(file, gene, "gene", gene.start, gene.end, names)
            _gtf_line(file, gene, "transcript", gene.start, gene.end, transcript)
            ordered = gene.exons if gene.strand == "+" else gene.exons[::-1]
            for number, (start, end) in enumerate(ordered, 1):
                _gtf_line(file, gene, "exon", start, end, f'{transcript} exon_number "{number}";')


def _gtf_line(file, gene, feature, start, end, attributes):
    fields = (gene.chromosome, "rna2model_demo", feature, start + 1, end, ".", gene.strand, ".", attributes)
    print(*fields, sep="\t", file=file)
