"""Alignments that somebody else made: checked against our genome, one place kept of each read."""

import itertools
import tempfile
from pathlib import Path

import pysam

NOT_PRIMARY = "0x900"  # secondary and supplementary
LOOK_AT = 20_000  # reads, enough to see whether an aligner says how many places a read has


def read_contigs(path):
    """{name: length} of reference/contigs.tsv."""
    with open(path) as file:
        return {name: int(length) for name, length in (line.rstrip("\n").split("\t") for line in file)}


def problem(path, contigs, fasta):
    """What is wrong with the alignment file `path` for a genome of `contigs` {name: length}, or None.

    The file is read to its end once, so that a fault in it is told from one of this machine later.
    """
    try:
        with pysam.AlignmentFile(path, reference_filename=str(fasta)) as file:
            theirs = dict(zip(file.references, file.lengths, strict=True))
        pysam.quickcheck(str(path))
        pysam.view("-c", "-T", str(fasta), str(path))
    except (OSError, ValueError, pysam.SamtoolsError) as error:
        reason = str(error).strip() or "its end is missing"
        return f"damaged or truncated alignment file: {path} ({reason.splitlines()[-1]})"
    shared = sorted(set(theirs) & set(contigs))
    if not shared:
        return f"aligned to other chromosome names than the genome has: {_some(theirs)}, not {_some(contigs)}"
    for name in shared:
        if theirs[name] != contigs[name]:
            return f"aligned to another assembly: {name} has {theirs[name]} bases there, {contigs[name]} in the genome"
    return None


def _some(names, most=3):
    return ", ".join(list(names)[:most]) + (" ..." if len(names) > most else "")


def one_place_each(source, target, fasta, threads=1):
    """Write `source`, without secondary and supplementary alignments, sorted by place and indexed."""
    with tempfile.TemporaryDirectory(dir=Path(target).parent) as folder:
        primary, pool = f"{folder}/primary.bam", str(threads)
        pysam.view(
            "-u",
            "-F",
            NOT_PRIMARY,
            "-T",
            str(fasta),
            "-@",
            pool,
            "-o",
            primary,
            str(source),
            catch_stdout=False,
        )
        pysam.sort("-@", pool, "-T", f"{folder}/sort", "-o", str(target), primary)
    pysam.index(str(target))


def write_empty(contigs, target):
    """A BAM file of a library without reads."""
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}}
    header["SQ"] = [{"SN": name, "LN": length} for name, length in contigs.items()]
    with pysam.AlignmentFile(str(target), "wb", header=header):
        pass
    pysam.index(str(target))


def describe(path):
    """(fragments, note): a pair counts once; the note says what the file cannot tell."""
    unmapped = int(pysam.view("-c", "-f", "4", str(path)))
    fragments = int(pysam.view("-c", "-e", "!flag.paired || flag.read1", str(path)))
    notes = []
    if fragments and not unmapped:
        notes.append("the BAM file has no unmapped reads: its mapped % says nothing")
    with pysam.AlignmentFile(str(path)) as file:
        mapped = [read for read in itertools.islice(file, LOOK_AT) if not read.is_unmapped]
    if mapped and not any(read.has_tag("NH") for read in mapped):
        notes.append(
            "the BAM file has no NH tags: fragments with several places are counted at the one it gives"
        )
    return fragments, "; ".join(notes)
