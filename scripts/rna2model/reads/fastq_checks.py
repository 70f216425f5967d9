"""Checks of the first reads of FASTQ files: compression, pairing and quality encoding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dnaio

from rna2model.core import files
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FIRST = 1000  # fragments that are looked at
LEAST = 4  # ... and without so many nothing is said
GZIP = b"\x1f\x8b"
ZEROS = 12  # more than the empty block at the end of a file of bgzip
PACKED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x1f\x9d": "compress",
    b"Rar!": "rar",
    b"7z\xbc\xaf": "7-Zip",
}
OLD_QUALITIES = range(ord(";"), ord("j") + 1)  # Phred + 64 of Solexa and Illumina before 1.8: Q-5 to Q42
NO_TODAYS = ord("a")  # as Phred + 33 it would be Q64, of which no short-read machine knows: they end at Q50
CASAVA = re.compile(
    r"[12]:[YN]:\d+:"
)  # comments of Illumina since 1.8 and of AVITI, whose qualities are Phred + 33
PHRED64 = "its qualities are Phred+64 (Illumina before 1.8); convert them (seqtk seq -Q64 -V)"
BASES = set("ACGTNRYSWKMBDHV")  # IUPAC


def problem(lane: Sequence[str | Path]) -> str | None:
    """Why the files of `lane`, (path,) or (path_1, path_2), cannot be used as reads or as a pair, or None."""
    for path in lane:
        why = _packing(path) or _line_ends(path)
        if why:
            return f"{_name(path)} {why}"
    first = _first(lane)
    if len(first) < LEAST:
        return None
    mates = [first] if len(lane) == 1 else list(zip(*first, strict=True))
    why = _pairing(*mates) or _records([record for mate in mates for record in mate])
    return f"{', '.join(map(_name, lane))}: {why}" if why else None


def _first(lane):
    with dnaio.open(*lane) as file:
        return [record for record, _ in zip(file, range(FIRST), strict=False)]


def _packing(path):
    """Problem of a file whose compression is not gzip or contradicts its name."""
    with open(path, "rb") as file:
        start = file.read(6)
        file.seek(-min(ZEROS, file.seek(0, 2)), 2)
        end = file.read()
    for mark, name in PACKED.items():
        if start.startswith(mark):
            return f"is {name}, not gzip; pack it with gzip"
    if start.startswith(b"@") and str(path).endswith(".gz"):
        return "is plain text, not gzip; pack it with gzip, or let its name end in .fastq"
    if start.startswith(GZIP) and end == bytes(ZEROS):
        return "has zeros after its gzip data, as a copy that broke off leaves them; copy it again"
    return None


def _line_ends(path):
    try:
        is_windows = "\r\n" in files.beginning(path, 4096)
    except InputProblem:
        return None
    return "has the line ends of Windows; convert it (dos2unix)" if is_windows else None


def _pairing(one, two=None):
    if len(one) > 1 and len({record.id for record in one}) == 1:
        return "its reads have one name, so no mates can be told apart; give each its own"
    if two is None:
        interleaved = all(first.is_mate(second) for first, second in zip(one[::2], one[1::2], strict=False))
        return (
            "holds both mates in turn (interleaved); split it (seqtk seq -1, seqtk seq -2)"
            if interleaved
            else None
        )
    same = [
        first.sequence for first, second in zip(one, two, strict=True) if first.sequence == second.sequence
    ]
    return "R1 and R2 hold the same reads" if len(same) == len(one) and len(set(same)) > 1 else None


def _records(records):
    letters = set().union(*(record.sequence for record in records))
    if "U" in letters:
        return "its sequences have the letter U; write T, as sequencers do"
    if any(letter.islower() for letter in letters):  # trimming finds no adapters in them, without a word
        return "its sequences have small letters; write capitals (seqtk seq -U)"
    if odd := sorted(letters - BASES):
        return f"has letters other than those of bases: {' '.join(odd)[:20]}"
    return None


def looks_like_phred64(lane: Sequence[str | Path]) -> bool:
    """Whether the first reads of a lane can hardly have Phred+33: only the whole lane can tell (`may_be_phred64`)."""
    first = _first(lane)
    records = first if len(lane) == 1 else [record for mates in first for record in mates]
    if any(CASAVA.match(record.comment or "") for record in records):
        return False
    highest = max((max(record.qualities) for record in records if record.qualities), default="")
    return bool(highest) and ord(highest) >= NO_TODAYS and may_be_phred64(records)


def may_be_phred64(records: Iterable[dnaio.SequenceRecord]) -> bool:
    """Whether all qualities of the records are valid in Phred+64; any lower one shows Phred+33."""
    qualities = "".join(record.qualities or "" for record in records)
    return not qualities or (ord(min(qualities)) in OLD_QUALITIES and ord(max(qualities)) in OLD_QUALITIES)


def _name(path):
    return str(path).rsplit("/", 1)[-1]
