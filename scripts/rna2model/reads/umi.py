"""Deduplicate by position and UMI with umi_tools, and restore mates that it drops.

umi_tools dedup (1.1.6) forgets pairs of which only the second mate is aligned, and the second mates of pairs whose first
lies on a later chromosome: its last search for mates begins at the end of the file. Both are put back here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pysam

from rna2model.core.errors import ToolFailed

PAIRED, MATE_UNMAPPED, REVERSE, SECOND = 0x1, 0x8, 0x10, 0x80


def deduplicate(
    source: str | Path, target: str | Path, paired: bool, separator: str, folder: str | Path
) -> int:
    """Write the fragments of `source` (BAM, sorted and indexed) to `target`, one of each molecule; returns their number.

    `separator` stands before the identifier at the end of names; `folder` is for files on the way.
    """
    folder = Path(folder)
    parts = [folder / "kept.bam"]
    _umi_tools(source, parts[0], separator, ["--paired", "--unmapped-reads=use"] if paired else [])
    if paired:
        parts += filter(
            None, [_lost_mates(source, parts[0], folder), _second_alone(source, separator, folder)]
        )
    pysam.merge("-f", "-o", str(target), *map(str, parts))
    return _fragments(target)


def _umi_tools(source, target, separator, options):
    command = [
        "umi_tools",
        "dedup",
        f"--umi-separator={separator}",
        "--random-seed=1",
        "--log2stderr",
        f"--temp-dir={Path(target).parent}",
        *options,
    ]
    done = subprocess.run(
        [*command, "--stdin", source, "--stdout", target], stderr=subprocess.PIPE, text=True
    )
    sys.stderr.write(done.stderr)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        killed = f"Killed by signal {-done.returncode}" if done.returncode < 0 else None
        raise ToolFailed(killed or (lines[-1] if lines else f"umi_tools ended with status {done.returncode}"))


def _key(read):
    return read.query_name, read.reference_id, read.reference_start


def _lost_mates(source, kept, folder):
    """Second mates in `source` of first mates in `kept`, which lacks them; None if no mate is missing."""
    wanted, there = set(), set()
    with pysam.AlignmentFile(kept) as file:
        for read in file.fetch(until_eof=True):
            if read.is_read2:
                there.add(_key(read)) if read.next_reference_id != read.reference_id else None
            elif not read.mate_is_unmapped and read.next_reference_id != read.reference_id:
                wanted.add((read.query_name, read.next_reference_id, read.next_reference_start))
    wanted -= there
    if not wanted:
        return None
    mates = folder / "mates.bam"
    with pysam.AlignmentFile(source) as file, pysam.AlignmentFile(mates, "wb", template=file) as out:
        for read in file.fetch(until_eof=True):
            if read.is_read2 and not read.is_unmapped and _key(read) in wanted:
                out.write(read)
    return mates


def _second_alone(source, separator, folder):
    """Second mates whose first is not aligned, one of each molecule; None without any. To umi_tools they are single reads."""
    alone, kept, second = (folder / f"{name}.bam" for name in ("alone", "alone_kept", "second"))
    number = 0
    with pysam.AlignmentFile(source) as file, pysam.AlignmentFile(alone, "wb", template=file) as out:
        for read in file.fetch(until_eof=True):
            if read.is_read2 and not read.is_unmapped and read.mate_is_unmapped:
                read.flag &= REVERSE
                out.write(read)
                number += 1
    if not number:
        return None
    pysam.index(str(alone))
    _umi_tools(alone, kept, separator, [])
    with pysam.AlignmentFile(kept) as file, pysam.AlignmentFile(second, "wb", template=file) as out:
        for read in file.fetch(until_eof=True):
            read.flag |= PAIRED | MATE_UNMAPPED | SECOND
            out.write(read)
    return second


def _fragments(path):
    """Fragments in a file that holds the aligned reads of each: a pair by its first mate, all others by themselves."""
    with pysam.AlignmentFile(path) as file:
        return sum(
            not read.is_paired or read.is_read1 or read.mate_is_unmapped
            for read in file.fetch(until_eof=True)
            if not read.is_unmapped
        )
