"""Check alignments that the user provides against the genome, and convert them to the form that the counters expect.

That form is one record for each read, mates of one name, and pairs whose records know of each other. Whatever wrote
the file, each fragment is then counted once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pysam

from rna2model.core import scratch
from rna2model.reads import mate_lines, read_names

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOM = 5  # times the size of a file: with equal names, by name, in form, chunks of a sort (packed quickly)
LOOKED_AT = 10_000  # records that tell how mates are named


def read_contigs(path: str | Path) -> dict[str, int]:
    """{name: length} of reference/contigs.tsv."""
    with open(path) as file:
        return {name: int(length) for name, length in (line.rstrip("\n").split("\t") for line in file)}


def problem(path: str | Path, contigs: Mapping[str, int], fasta: str | Path) -> str | None:
    """Why the alignment file `path` does not fit a genome of `contigs` {name: length}, or None. The file is read to
    its end once, so that later errors are known not to come from it.
    """
    try:
        with pysam.AlignmentFile(path, reference_filename=str(fasta), check_sq=False) as file:
            theirs = dict(zip(file.references, file.lengths, strict=True))
            header, is_cram = file.header.to_dict(), file.is_cram
        if not theirs:
            return f"names no chromosomes, so its reads were never aligned: {path}; give the reads as FASTQ (samtools fastq)"
        why = _of_another_genome(theirs, contigs) or (
            _other_bases(header, contigs, fasta) if is_cram else None
        )
        if why:
            return why
        pysam.quickcheck(str(path))
        pysam.view("-c", "-T", str(fasta), str(path))
    except (OSError, ValueError, pysam.SamtoolsError) as error:
        return _damaged(path, error)
    return None


def _damaged(path, error):
    reason = str(error).strip() or "its end is missing"
    return f"damaged or truncated alignment file: {path} ({reason.splitlines()[-1]})"


def _of_another_genome(theirs, contigs):
    shared = sorted(set(theirs) & set(contigs))
    if not shared:
        return f"aligned to other chromosome names than the genome has: {_some(theirs)}, not {_some(contigs)}"
    for name in shared:
        if theirs[name] != contigs[name]:
            return f"aligned to another assembly: {name} has {theirs[name]} bases there, {contigs[name]} in the genome"
    return None


def _other_bases(header, contigs, fasta):
    """Why a CRAM file cannot be decoded with this genome, by the MD5 of each sequence in its header; else None."""
    packed_with = {entry["SN"]: entry["M5"] for entry in header.get("SQ", ()) if "M5" in entry}
    with pysam.FastaFile(str(fasta)) as genome:
        for name in sorted(packed_with.keys() & contigs.keys()):
            md5 = hashlib.md5(genome.fetch(name).upper().encode(), usedforsecurity=False).hexdigest()
            if md5 != packed_with[name]:
                return (
                    f"CRAM made with another genome: the bases of {name} differ (MD5 {packed_with[name][:8]} there, {md5[:8]}"
                    " in reference.fasta); give the genome it was made with, or a BAM file"
                )
    return None


def take_over(
    path: str | Path,
    target: str | Path,
    contigs: Mapping[str, int],
    fasta: str | Path,
    threads: int = 1,
    umi: bool = False,
) -> tuple[str | None, dict[str, Any]]:
    """(problem or None, {fact: value}) of the alignments at `path`, converted to `target`; with a problem, `target` is
    an empty library.

    umi : whether names must end in a molecular identifier. Facts are `fragments`, `mapped` (those with an aligned mate),
    the counts of fragment_fates.TAKEN_OVER, and `note`, what the file does not contain, or an empty text.
    """
    why = problem(path, contigs, fasta)
    tally = mate_lines.FragmentTally()
    if why is None:
        try:
            tally = _bring(path, target, fasta, threads, umi)
            why = tally.problem
        except (OSError, ValueError, pysam.SamtoolsError) as error:
            if isinstance(error, OSError) and error.errno:  # a full disk, say: no fault of the file
                raise
            why = _damaged(path, error)
    if why:
        write_empty(contigs, target)
        tally = mate_lines.FragmentTally()
    return why, tally.facts()


def _bring(path, target, fasta, threads, umi):
    """Collate, normalise each fragment's records, sort by coordinate, index."""
    pool, fasta = str(threads), str(fasta)
    with scratch.folder(ROOM * Path(path).stat().st_size, target) as folder:
        renamed = _name_alike(path, f"{folder}/renamed.bam", fasta)
        collated, formed = f"{folder}/collated.bam", f"{folder}/formed.bam"
        pysam.collate(
            "-l",
            "1",
            "-@",
            pool,
            "--reference",
            fasta,
            "-o",
            collated,
            str(renamed or path),
            f"{folder}/part",
        )
        tally = mate_lines.form(collated, formed, umi)
        Path(collated).unlink()
        pysam.sort("-@", pool, "-T", f"{folder}/sort", "-o", str(target), formed)
    pysam.index(str(target))
    return tally


def _name_alike(path, target, fasta):
    """Where mates are named apart (x/1 and x/2), or were aligned one by one under such names: write the file to `target` with
    one name for both, and return that path; else None."""
    with pysam.AlignmentFile(str(path), reference_filename=fasta) as file:
        first = [read for read, _ in zip(file.fetch(until_eof=True), range(LOOKED_AT), strict=False)]
    pairs = [read for read in first if read.is_paired]
    if pairs:
        apart = all(_mate_number(read.query_name) == 1 + read.is_read2 for read in pairs)
    else:
        apart = (
            bool(first)
            and all(map(_mate_number, (read.query_name for read in first)))
            and _has_both(path, fasta)
        )
    if not apart:
        return None
    with (
        pysam.AlignmentFile(str(path), reference_filename=fasta) as file,
        pysam.AlignmentFile(target, "wb", template=file) as out,
    ):
        for read in file.fetch(until_eof=True):
            number = _mate_number(read.query_name)
            if not pairs:
                read.flag |= mate_lines.PAIRED | (mate_lines.SECOND if number == 2 else mate_lines.FIRST)
            if read.is_paired and number:
                read.query_name = read_names.MATE.sub("", read.query_name)
            out.write(read)
    return target


def _mate_number(name):
    """1 or 2 if a name ends in a separator and that number, else None."""
    suffix = read_names.MATE.search(name)
    return int(suffix[0][1]) if suffix and len(suffix[0]) == 2 and suffix[0][1] in "12" else None


def _has_both(path, fasta):
    """Whether reads aligned as single-end are named as first and second mates."""
    with pysam.AlignmentFile(str(path), reference_filename=fasta) as file:
        endings = set()
        for read in file.fetch(until_eof=True):
            endings.add(read.query_name[-2:])
            if len(endings) > 2:
                return False
    return {text[-1:] for text in endings} == {"1", "2"} and {text[0] for text in endings} <= {"/"}


def _some(these, most=3):
    return ", ".join(list(these)[:most]) + (" ..." if len(these) > most else "")


def write_empty(contigs: Mapping[str, int], target: str | Path) -> None:
    """A BAM file of a library without reads."""
    header: dict[str, Any] = {"HD": {"VN": "1.6", "SO": "coordinate"}}
    header["SQ"] = [{"SN": name, "LN": length} for name, length in contigs.items()]
    with pysam.AlignmentFile(str(target), "wb", header=header):
        pass
    pysam.index(str(target))
