"""Alignments that somebody else made: checked against our genome, one place kept of each read."""

import tempfile
from pathlib import Path

import pysam

LEFT_OUT = "0xB00"  # secondary, supplementary, failed at the sequencer


def read_contigs(path):
    """{name: length} of reference/contigs.tsv."""
    with open(path) as file:
        return {name: int(length) for name, length in (line.rstrip("\n").split("\t") for line in file)}


def problem(path, contigs, fasta):
    """What is wrong with the alignment file `path` for a genome of `contigs` {name: length}, or None.

    The file is read to its end once, so that a fault in it is told from one of this machine later.
    """
    try:
        with pysam.AlignmentFile(path, reference_filename=str(fasta), check_sq=False) as file:
            theirs = dict(zip(file.references, file.lengths, strict=True))
        if not theirs:
            return f"names no chromosomes, so its reads were never aligned: {path}; give the reads as FASTQ (samtools fastq)"
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


def take_over(path, target, contigs, fasta, threads=1):
    """(problem or None, what `describe` says) of the alignments at `path`, brought to `target`; empty with a problem."""
    why = problem(path, contigs, fasta)
    if why is None:
        one_place_each(path, target, fasta, threads)
    else:
        write_empty(contigs, target)
    found = describe(target)
    if found["mixed"]:
        why = f"mixes single-end and paired-end reads: {path}"
        write_empty(contigs, target)
    return why, found


def _some(names, most=3):
    return ", ".join(list(names)[:most]) + (" ..." if len(names) > most else "")


def one_place_each(source, target, fasta, threads=1):
    """Write `source`, without secondary, supplementary and failed ones, sorted by place and indexed."""
    with tempfile.TemporaryDirectory(dir=Path(target).parent) as folder:
        primary, pool = f"{folder}/primary.bam", str(threads)
        pysam.view(
            "-u",
            "-F",
            LEFT_OUT,
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
    """What a BAM file with one record for each read holds: {fragments, mixed, whole_pairs, note}.

    fragments : read pairs and single reads; mixed : whether there are both; whole_pairs : whether both mates of every pair are there (somebody may have
    taken reads out); note : what the file cannot tell, or an empty text
    """
    single, mates, names, unmapped, mapped, told = 0, [0, 0], [0, 0], 0, 0, 0
    with pysam.AlignmentFile(str(path)) as file:
        for read in file.fetch(until_eof=True):
            if read.is_paired:
                mates[read.is_read2] += 1
                names[read.is_read2] += hash(read.query_name)  # the same sum for the same names, in any order
            else:
                single += 1
            unmapped += read.is_unmapped
            mapped += not read.is_unmapped
            told += read.has_tag("NH")
    whole = mates[0] == mates[1] and names[0] == names[1]
    notes = {
        "the BAM file has no unmapped reads: its mapped % says nothing": mapped and not unmapped,
        "the BAM file has no NH tags: fragments with several places are counted at the one it gives": mapped
        and not told,
        "the BAM file lacks mates of some pairs: reads are the fragments that the counter saw": not whole,
    }
    note = "; ".join(text for text, applies in notes.items() if applies)
    mixed = bool(single and sum(mates))
    return {"fragments": single + max(mates), "mixed": mixed, "whole_pairs": whole, "note": note}
