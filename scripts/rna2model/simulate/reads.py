"""Illumina-like reads from a simulated genome, in whole-array operations: no loop runs per read.

A library is a set of fragments of molecules. Molecules are the mature transcripts, the unspliced
transcripts and the chromosomes (genomic DNA); their bases lie behind each other in one array, so a
fragment is a start and a length in it, and a batch of reads is one fancy index.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.simulate.genome import LETTERS, random_bases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from rna2model.simulate.genome import Genome

G, N = 2, 4  # base codes: a two-colour sequencer calls G where there is no signal, N where it gives up
CODES = np.zeros(256, dtype=np.uint8)
CODES[LETTERS] = np.arange(5)
ADAPTERS = (  # Illumina TruSeq, as read behind a fragment shorter than the read: R1, R2
    b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCA",
    b"AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT",
)
QUALITY_BINS = np.array([2, 12, 23, 37], dtype=np.uint8)  # the four values of a NovaSeq (RTA3)
BIN_EDGES = (6.0, 17.0, 28.0)  # raw quality, Phred, at which the next bin starts
NO_CALL_SHARE = 0.5  # of the bases at quality 2
TILE = 20_000  # reads per tile in the read names
STRANDEDNESS = ("reverse", "forward", "unstranded")


@dataclass(frozen=True)
class Molecules:
    """The molecules that fragments are drawn from: a mature and an unspliced one per gene, then the chromosomes.

    Attributes
    ----------
    bases : (total,) uint8, base codes of all molecules, each 5' to 3'
    positions : (total,) int32, 0-based position of each base on its chromosome
    offsets, lengths : (n_molecules,) int64, bp
    chromosomes : (n_molecules,) str
    n_genes : int
    """

    bases: NDArray[np.uint8]
    positions: NDArray[np.int32]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    chromosomes: NDArray[np.str_]
    n_genes: int


@dataclass(frozen=True)
class Fragments:
    """Pieces of molecules, in sequencing order; `sense` says whether R1 reads the molecule's own strand."""

    molecule: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    sense: NDArray[np.bool_]


def molecules_of(genome: Genome) -> Molecules:
    """Everything a library of this genome can contain."""
    parts = [_transcript(genome, gene, gene.exons) for gene in genome.genes]
    parts += [_transcript(genome, gene, [(gene.start, gene.end)]) for gene in genome.genes]
    parts += [(codes, np.arange(len(codes), dtype=np.int32)) for codes in genome.chromosomes.values()]
    lengths = np.array([len(bases) for bases, _ in parts])
    homes = [gene.chromosome for gene in genome.genes]
    return Molecules(
        bases=np.concatenate([bases for bases, _ in parts]),
        positions=np.concatenate([positions for _, positions in parts]),
        offsets=np.cumsum(lengths) - lengths,
        lengths=lengths,
        chromosomes=np.array(homes + homes + list(genome.chromosomes)),
        n_genes=len(genome.genes),
    )


def _transcript(genome, gene, blocks):
    positions = np.concatenate([np.arange(start, end, dtype=np.int32) for start, end in blocks])
    bases = genome.chromosomes[gene.chromosome][positions]
    return (bases, positions) if gene.strand == "+" else (3 - bases[::-1], positions[::-1])


def foreign(molecules: Molecules, rng: np.random.Generator) -> Molecules:
    """The same molecules with unrelated sequence: a library of another organism."""
    return replace(molecules, bases=random_bases(len(molecules.bases), 0.5, rng))


def draw_fragments(
    molecules: Molecules, counts: NDArray[np.int64], settings: dict[str, Any], rng: np.random.Generator
) -> Fragments:
    """`counts[g]` fragments of gene g's mature transcript, and the background share, shuffled.

    Half of the background is unspliced RNA in proportion to expression, half is genomic DNA.
    """
    genes = molecules.n_genes
    background = rng.binomial(counts.sum(), settings["background"], 2) // 2
    unspliced = rng.choice(genes, background[0], p=counts / max(counts.sum(), 1)) if background[0] else []
    genomic = molecules.lengths[2 * genes :]
    chromosome = rng.choice(len(genomic), background[1], p=genomic / genomic.sum())
    molecule = np.concatenate(
        [np.repeat(np.arange(genes), counts), genes + np.asarray(unspliced, int), 2 * genes + chromosome]
    )
    molecule = rng.permutation(molecule)
    size = settings["fragment"]
    length = np.rint(rng.normal(size["mean"], size["sd"], len(molecule))).astype(int)
    length = np.minimum(np.maximum(length, size["min"]), molecules.lengths[molecule])
    offset = rng.integers(0, molecules.lengths[molecule] - length + 1)
    sense = orientation(molecule >= 2 * genes, settings["strandedness"], rng)
    return Fragments(molecule, molecules.offsets[molecule] + offset, length, sense)


def split(fragments: Fragments, lanes: int) -> list[Fragments]:
    """The fragments dealt out to lanes, one after the other."""
    fields = vars(fragments).items()
    return [Fragments(**{name: values[lane::lanes] for name, values in fields}) for lane in range(lanes)]


def orientation(
    is_genomic: NDArray[np.bool_], strandedness: str, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Per fragment: does R1 read the molecule's own strand? dUTP ("reverse") libraries: R2 does."""
    if strandedness not in STRANDEDNESS:
        raise InputProblem(f"strandedness {strandedness!r}: must be one of {', '.join(STRANDEDNESS)}.")
    coin = rng.integers(0, 2, len(is_genomic)).astype(bool)  # DNA has no sense
    return coin if strandedness == "unstranded" else np.where(is_genomic, coin, strandedness == "forward")


def read_positions(
    fragments: Fragments, mate: int, width: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where in `Molecules.bases` each read base comes from, (n, width); -1 behind the fragment's end."""
    cycle = np.arange(width)
    own_strand = (fragments.sense == (mate == 1))[:, None]
    length = fragments.length[:, None]
    along = np.where(own_strand, cycle, length - 1 - cycle)
    return np.where(cycle < length, fragments.start[:, None] + along, -1), own_strand


def true_bases(molecules: Molecules, fragments: Fragments, mate: int, width: int) -> NDArray[np.uint8]:
    """Base codes (n, width) as an error-free sequencer sees them, adapter included."""
    where, own_strand = read_positions(fragments, mate, width)
    bases = molecules.bases[where]
    bases = np.where(own_strand, bases, 3 - bases)
    behind = np.concatenate([CODES[list(ADAPTERS[mate - 1])], np.full(width, G, dtype=np.uint8)])
    row, column = np.nonzero(where < 0)
    bases[row, column] = behind[column - fragments.length[row]]
    return bases


def draw_qualities(n: int, width: int, mate: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Binned Phred qualities (n, width): they decline along the read, more in R2, and vary between reads."""
    cycle = np.arange(width, dtype=np.float32) / width
    decline = (4 + 3 * (mate == 2)) * cycle**2 + 4 * np.exp(-40 * cycle)  # the first cycles are poor too
    read = rng.standard_exponential((n, 1), dtype=np.float32) ** 2  # most reads are good, a few are useless
    noise = 5.5 * rng.standard_normal((n, width), dtype=np.float32)
    return QUALITY_BINS[np.digitize(41 - decline - 1.5 * read * (0.3 + cycle) + noise, BIN_EDGES)]


def sequence(
    bases: NDArray[np.uint8], qualities: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Called base codes: substitutions as often as the quality says, and no-calls at quality 2."""
    chance = 10 ** (np.arange(QUALITY_BINS.max() + 1) / -10)  # of an error, by Phred quality
    wrong = rng.random(bases.shape, dtype=np.float32) < chance.astype(np.float32)[qualities]
    called = bases.copy()
    called[wrong] = (bases[wrong] + rng.integers(1, 4, wrong.sum(), dtype=np.uint8)) % 4
    lowest = np.flatnonzero(qualities == QUALITY_BINS[0])
    called.flat[lowest[rng.random(len(lowest)) < NO_CALL_SHARE]] = N
    return called


def draw_names(n: int, flowcell: str, lane: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Illumina read names as rows of ASCII, (n, width); the y coordinate makes them unique."""
    index = np.arange(n)
    numbers = (1101 + index // TILE, rng.integers(10_000, 32_768, n), 10_000 + index % TILE)
    prefix = f"A00001:7:{flowcell}:{lane}".encode()
    columns = [np.tile(np.frombuffer(prefix, np.uint8), (n, 1))]
    for number in numbers:
        digits = number[:, None] // 10 ** np.arange(len(str(number.max(initial=0))))[::-1] % 10
        columns += [np.full((n, 1), ord(":"), np.uint8), (digits + ord("0")).astype(np.uint8)]
    return np.hstack(columns)


def fastq(
    names: NDArray[np.uint8], mate: int, called: NDArray[np.uint8], qualities: NDArray[np.uint8]
) -> bytes:
    """FASTQ text: all records are equally wide, so they are one table of bytes."""
    n = len(names)

    def constant(text):
        return np.tile(np.frombuffer(text, np.uint8), (n, 1))

    comment = constant(f" {mate}:N:0:ATCACGTT\n".encode())
    record = [
        constant(b"@"),
        names,
        comment,
        LETTERS[called],
        constant(b"\n+\n"),
        qualities + 33,
        constant(b"\n"),
    ]
    return np.hstack(record).astype(np.uint8, copy=False).tobytes()


def gzipped(text: bytes, level: int) -> bytes:
    """gzip without file name or time stamp: equal content gives equal bytes."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(text) + packer.flush()


def mates(settings: dict[str, Any]) -> tuple[int, ...]:
    """The reads of one fragment: 1 and 2, or just 1."""
    return (1, 2) if settings["paired"] else (1,)


def sequence_lane(
    molecules: Molecules,
    fragments: Fragments,
    settings: dict[str, Any],
    flowcell: str,
    lane: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], dict[int, bytes]]:
    """Read names (n, width) and, for each mate, FASTQ text."""
    n, width = len(fragments.length), settings["read_length"]
    names, texts = draw_names(n, flowcell, lane, rng), {}
    for mate in mates(settings):
        qualities = draw_qualities(n, width, mate, rng)
        called = sequence(true_bases(molecules, fragments, mate, width), qualities, rng)
        texts[mate] = fastq(names, mate, called, qualities)
    return names, texts


def bed_lines(
    molecules: Molecules, fragments: Fragments, names: NDArray[np.uint8], settings: dict[str, Any]
) -> Iterator[str]:
    """BED12 lines with the true place of each read, named as in the FASTQ with /1 or /2 behind."""
    gene_strand = (
        molecules.positions[fragments.start + fragments.length - 1] >= molecules.positions[fragments.start]
    )
    for mate in mates(settings):
        where, own_strand = read_positions(fragments, mate, settings["read_length"])
        for row, name in enumerate(names):
            place = np.sort(molecules.positions[where[row][where[row] >= 0]])
            strand = "+" if gene_strand[row] == own_strand[row, 0] else "-"
            chromosome = molecules.chromosomes[fragments.molecule[row]]
            yield bed12(chromosome, place, f"{name.tobytes().decode()}/{mate}", strand)


def bed12(chromosome: str, place: NDArray[Any], name: str, strand: str) -> str:
    """One BED12 line of sorted positions; a gap in them starts a new block."""
    blocks = np.split(place, np.flatnonzero(np.diff(place) > 1) + 1)
    start, end = place[0], place[-1] + 1
    sizes = ",".join(str(len(block)) for block in blocks)
    starts = ",".join(str(block[0] - start) for block in blocks)
    fields = (chromosome, start, end, name, 0, strand, start, end, 0, len(blocks), sizes, starts)
    return "\t".join(str(field) for field in fields)
