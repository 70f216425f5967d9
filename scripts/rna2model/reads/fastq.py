"""Check FASTQ files by reading them once.

A faulty library raises no exception: it gets a verdict and empty files (lanes.join), so that the run goes on and excludes the
sample with its reason.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dnaio

from rna2model.core.files import unpacker_errors
from rna2model.reads import fastq_checks, read_names

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BASES = 650  # STAR stops at longer reads, and so would the whole run
AT_ONCE = 1000  # fragments whose names are looked at together
MOST_TEXT = 160  # characters of dnaio's message in a reason
DAMAGED: tuple[type[Exception], ...] = (zlib.error, gzip.BadGzipFile, *unpacker_errors())
FAULTS: tuple[type[Exception], ...] = (
    *DAMAGED,
    dnaio.FileFormatError,
    EOFError,
    OSError,
    UnicodeDecodeError,
    ValueError,
)


class Copies:
    """Share of fragments that are copies of one seen before: of a sample of sequences, all copies are counted.

    The sample is of sequences, not of reads, so that the share is that of the whole library; its size is bounded.
    """

    BASES = 50  # of each mate; later ones have more sequencing errors

    def __init__(self, most: int = 20_000) -> None:
        self.most, self.mask = most, 0
        self.counts: dict[bytes, int] = {}

    def add(self, mates: Sequence[dnaio.SequenceRecord]) -> None:
        """Note a fragment, the tuple of its records; the first sequence alone decides whether it is in the sample."""
        key = mates[0].sequence[: self.BASES].encode()
        if zlib.crc32(key) & self.mask:
            return
        for mate in mates[1:]:
            key += b" " + mate.sequence[: self.BASES].encode()
        self.counts[key] = self.counts.get(key, 0) + 1
        while len(self.counts) > self.most:
            self.mask = 2 * self.mask + 1
            kept = (key for key in self.counts if not zlib.crc32(key.split(b" ")[0]) & self.mask)
            self.counts = {key: self.counts[key] for key in kept}

    def duplicate_pct(self) -> float | None:
        """Percent; None without reads."""
        seen = sum(self.counts.values())
        return round(100 * (1 - len(self.counts) / seen), 2) if seen else None


class Evenly:
    """Fragments taken evenly from a stream whose length is not known before: every 1st, 2nd, 4th ... of all.

    The next to be taken is number `next` (from 0) of the stream; whoever reads the stream passes that one to `take`.
    """

    def __init__(self, most: int) -> None:
        self.most, self.step = most, 1
        self.taken: tuple[list[bytes], list[bytes]] = ([], [])
        self.next = 0 if most else -1

    def take(self, mates: Sequence[dnaio.SequenceRecord]) -> None:
        """Keep one fragment, the tuple of its records."""
        for mate, taken in zip(mates, self.taken, strict=False):
            taken.append(mate.fastq_bytes())
        if len(self.taken[0]) > self.most:
            for taken in self.taken:
                del taken[1::2]
            self.step *= 2
        self.next = len(self.taken[0]) * self.step

    def write(self, targets: Sequence[str | Path]) -> None:
        """One plain FASTQ file for each mate."""
        for taken, target in zip(self.taken, targets, strict=False):
            with open(target, "wb") as file:
                file.writelines(taken)


class Shape:
    """How long reads are, and how many end in a run of G: two-colour machines see G where a fragment has ended.

    Attributes
    ----------
    longest : list of int, bases of the longest read of each mate
    seen, tails : int, fragments that were looked at for tails, and {base: those of which a mate ends in RUN of it}
    """

    RUN = 12  # bases
    ALL = 20_000  # fragments; after so many, every 16th is looked at
    LEAST = 5  # fragments with such a tail, below which nothing is concluded
    SHARE = 0.001  # of the fragments
    ABOVE = 3  # times as many tails of G as of C, which a genome has as often

    def __init__(self) -> None:
        self.longest, self.seen, self.tails = [0, 0], 0, {"G": 0, "C": 0}
        self.next = 0  # number (from 0) of the fragment whose tails are looked at next

    def look(self, mates: Sequence[dnaio.SequenceRecord]) -> None:
        """Note the tails of one fragment, the tuple of its records."""
        self.seen += 1
        self.next += 1 if self.seen < self.ALL else 16
        for base in self.tails:
            run = base * self.RUN
            self.tails[base] += any(mate.sequence.endswith(run) for mate in mates)

    def lengthen(self, mates: Sequence[dnaio.SequenceRecord]) -> None:
        """Update the length of the longest read of each mate."""
        for place, mate in enumerate(mates):
            self.longest[place] = max(self.longest[place], len(mate))

    def describe(self) -> str:
        """Log line on the tails that were seen."""
        shares = [
            f"{100 * count / (self.seen or 1):.2f} % end in {base} x {self.RUN}"
            for base, count in self.tails.items()
        ]
        return f"of {self.seen} reads or read pairs {', '.join(shares)}: {'' if self.has_poly_g() else 'no '}poly-G tails to trim"

    def has_poly_g(self) -> bool:
        """Whether tails of G are an artefact of this library, to be trimmed."""
        tails, control = self.tails["G"], self.tails["C"]
        return tails >= max(self.LEAST, self.SHARE * self.seen) and tails > self.ABOVE * control


def inspect(
    lanes: Sequence[Sequence[str | Path]],
    copies: Copies,
    part: Evenly,
    named: read_names.Names | None = None,
    shape: Shape | None = None,
) -> tuple[int, str | None]:
    """Read every record of `lanes`, a list of (path,) or (path_1, path_2), and check their pairing.

    Notes all sequences in `copies` (Copies), names in `named` (read_names.Names), lengths and tails in `shape` (Shape), and some
    fragments in `part` (Evenly). Returns (fragments read: int, problem: str or None). Stops at the first problem.
    """
    named, shape = named or read_names.Names(), shape or Shape()
    total, ends, longest = 0, [], shape.longest
    for lane in lanes:
        fragments, recent = 0, []
        odd = _at_first_sight(fastq_checks.problem, lane)
        if odd:
            return total, odd
        scaled = _at_first_sight(fastq_checks.looks_like_phred64, lane)
        try:
            with dnaio.open(*lane) as records:
                for record in records:
                    mates = (record,) if len(lane) == 1 else record
                    if not fragments:
                        first = mates
                    if total + fragments == part.next:
                        part.take(mates)
                    if total + fragments == shape.next:
                        shape.look(mates)
                    copies.add(mates)
                    recent.append(mates)
                    if len(recent) == AT_ONCE:
                        named.add(recent)
                        recent = []
                    fragments += 1
                    if len(mates[0]) > longest[0] or len(mates[-1]) > longest[len(mates) - 1]:
                        shape.lengthen(mates)
                        if max(longest) > MOST_BASES:
                            return total + fragments, _too_long(lane, mates)
                    if scaled:
                        scaled = fastq_checks.may_be_phred64(mates)
        except FAULTS as error:
            return total + fragments, _explain(lane, fragments, error)
        if scaled:
            return total + fragments, f"{_names(lane)}: {fastq_checks.PHRED64}"
        total += fragments
        if recent:
            named.add(recent)
        if fragments:
            ends.append((lane, _content(first), _content(mates)))
    if total == 0:
        return 0, "no reads in " + _names([path for lane in lanes for path in lane])
    return total, delivered_twice(ends)


def _content(mates):
    return tuple((mate.id, mate.sequence) for mate in mates)


def delivered_twice(ends: Sequence[tuple[Any, Any, Any]]) -> str | None:
    """Why two lanes hold the same reads, or None. ends: [(files, content of the first fragment, of the last)]."""
    for place, (lane, first, last) in enumerate(ends):
        for other, start, end in ends[:place]:
            if first == start or last == end:
                where = "begin" if first == start else "end"
                return (
                    f"two lanes hold the same reads: {_names(other)} and {_names(lane)} {where} with the read"
                    f" {(first if first == start else last)[0][0][:MOST_TEXT]}; remove the one that was delivered twice"
                )
    return None


def _too_long(lane, mates):
    longest = max(map(len, mates))
    return f"a read of {longest} bases in {_names(lane)}: this is for short reads, of at most {MOST_BASES}"


def _at_first_sight(look, lane):
    """`look` of a lane; None if it cannot be read, which the complete check then explains."""
    try:
        return look(lane)
    except FAULTS:
        return None


def _readable(path):
    """Whether a file can be read to its end; only checked after an error, to name the faulty file."""
    try:
        with dnaio.open(path) as records:
            for _ in records:
                pass
    except FAULTS:
        return False
    return True


def _names(paths):
    return ", ".join(Path(path).name for path in paths)


def _explain(lane, fragments, error):
    """Message on a fault, with what to do."""
    broken = [path for path in lane if not _readable(path)]
    text, where = (
        _shortened(str(error)),
        f"{_names(broken or lane)} after {fragments} good read{'s' if len(lane) == 1 else ' pairs'}",
    )
    lowered = text.lower()
    if isinstance(error, EOFError) or "end-of-stream" in lowered or "ended before" in lowered:
        return f"truncated gzip: {where}"
    if "properly paired" in lowered:
        unequal = "more reads" in lowered or "fewer" in lowered
        return f"R1 and R2 {'have different numbers of reads' if unequal else 'names differ'}: {where}"
    if isinstance(error, DAMAGED) or "gzip" in lowered or "crc" in lowered:
        return f"damaged gzip: {where} ({text})"
    return f"not valid FASTQ: {where} ({text})"


def _shortened(text):
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} ..."
