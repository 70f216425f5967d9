"""Check that all tools read the names of reads alike, and rewrite those that they do not.

Tools differ: STAR ends a name at a slash, HISAT2 and Bowtie2 cut `/1` and `/2` only, umi_tools and samtools compare
names as they are, BAM has room for 254 characters, and STAR marks reads as failed where their comment says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dnaio

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LONGEST = 200  # characters: BAM takes 254, and a molecular identifier may still be added
KEPT = 100  # ... of a longer name
SAM = "!-.0-?A-~"  # what a name in a SAM file may hold (specification, section 1.4), without the slash
UMI = re.compile(r":([ACGTN]+(?:[+_-][ACGTN]+)?)$")
MATE = re.compile(r"[/._:#-]?[123]$")
FAILED = re.compile(r"\S* [12]:Y:")  # Casava 1.8: did not pass the sequencer's filter
ENOUGH = 1000  # fragments that never have one identifier by chance
SHOWN = 80  # characters of a name in a message


class Names:
    """Looks at the name of every fragment of a library, many at a time.

    Attributes
    ----------
    odd : {what is odd: fragments}, empty where all tools take the names as they are
    failed : int, fragments that the sequencer marked as failed
    swapped : int, pairs whose R1 is named as the second mate
    problem : why the names do not hold what the config promises, or None
    """

    def __init__(self, umi: bool = False) -> None:
        self.umi, self.failed, self.swapped = umi, 0, 0
        self.odd: dict[str, int] = {}
        self.problem: str | None = None
        self.length: int | None = None  # of the identifiers
        self.umis: set[str] = set()  # the first two that differ

    def add(self, fragments: Sequence[Sequence[dnaio.SequenceRecord]]) -> None:
        """Note many fragments, a list of tuples of dnaio records: mostly there is nothing odd in all of them."""
        first, last = ([mates[end].name for mates in fragments] for end in (0, -1))
        one, other = " ".join(first), " ".join(last)
        alike = one == other or one.replace(" 1:", " 2:") == other or _slashed(first, last)
        if not alike or self.umi or _is_odd(first, one):
            for mates in fragments:
                self._look(mates)

    def add_name(self, name: str) -> None:
        """Add a name from an alignment file, which has no comment."""
        if self.umi and self.problem is None:
            self.problem = self._umi_problem(name)

    def problem_of(self, fragments: int) -> str | None:
        """Why the names of a library of so many fragments do not hold what the config promises, or None."""
        if self.problem is None and len(self.umis) == 1 and fragments >= ENOUGH:
            return (
                f"trimming.umi is in_name, but all {fragments} read names end in {next(iter(self.umis))}: an index, no molecular"
                " identifiers"
            )
        return self.problem

    def note(self, fragments: int) -> str:
        """Note on odd names in a library of so many fragments, or an empty text."""
        if self.swapped > fragments / 2:
            return "R1 holds second mates by their names, R2 first ones: are fastq_1 and fastq_2 exchanged in the sheet?"
        return ""

    def _look(self, mates):
        """Check names one by one, if the quick check of many at once was not conclusive."""
        ids = [mate.id for mate in mates]
        name = without_mate(ids)
        for what, applies in {
            "mates are named apart": len(set(ids)) > 1 and not ids[0].endswith("/1"),
            "a mate's number in the name": self.umi and name != ids[0] and ids[0].endswith("/1"),
            f"longer than {LONGEST} characters": len(name) > LONGEST,
            "characters that names in a BAM file cannot have": not re.fullmatch(f"[{SAM}]+", name)
            or "\t" in mates[0].name,
            "marked as failed by the sequencer": FAILED.match(mates[0].name),
        }.items():
            if applies:
                self.odd[what] = self.odd.get(what, 0) + 1
        self.failed += bool(FAILED.match(mates[0].name))
        self.swapped += len(ids) == 2 and _is_second(mates[0]) and not _is_second(mates[1])
        self.add_name(name)

    def _umi_problem(self, name):
        umi = umi_of(name)
        shown = name if len(name) <= SHOWN else f"...{name[-SHOWN:]}"
        if umi is None:
            return f"trimming.umi is in_name, but read names do not end in a colon and a molecular identifier (:ACGT...): {shown}"
        if len(self.umis) < 2:
            self.umis.add(umi)
        if self.length is None:
            self.length = len(umi)
        elif len(umi) != self.length:
            return f"trimming.umi is in_name, but the identifiers in read names have {self.length} and {len(umi)} letters: {shown}"
        return None


def _slashed(first, last):
    """Whether the names of mates are x/1 and x/2, which all tools read as one name; two lists of names."""
    return all(
        one[-2:] == "/1" and two[-2:] == "/2" and one[:-2] == two[:-2]
        for one, two in zip(first, last, strict=True)
    )


def _is_odd(first, joined):
    """Whether some of many names are worth a closer look; `joined` is their text with spaces between."""
    slashes = sum(name[-2:] == "/1" for name in first) if "/" in joined else 0
    return not (
        joined.isprintable()
        and joined.count("/") == slashes
        and "@" not in joined
        and ":Y:" not in joined
        and " 2:" not in joined
        and min(map(len, first)) > 0
        and max(map(len, first)) <= LONGEST
        and "  " not in joined  # a name that begins with a space is none
    )


def _is_second(record):
    """Whether a name says that its read is the second of a pair: x/2, or the comment of Casava 1.8."""
    return record.id.endswith("/2") or (record.comment or "").startswith("2:")


def without_mate(ids: Sequence[str]) -> str:
    """The one name of a fragment whose reads are called `ids` (one or two)."""
    if len(ids) == 2 and ids[0] != ids[1]:
        return MATE.sub("", ids[0])
    return re.sub("/[12]$", "", ids[0])


def umi_of(name: str) -> str | None:
    """The molecular identifier at the end of a name, behind a colon, or None."""
    ending = UMI.search(name)
    return ending[1] if ending else None


def rewritten(ids: Sequence[str], number: int, umi: bool = False, lane: int = 0) -> str:
    """A name that all tools read alike, for fragment `number` (from 1) of a library.

    `lane`: number of the lane where another lane has the same names, else 0.
    """
    name = re.sub(f"[^{SAM}]", "_", without_mate(ids)) or str(number)
    if lane:
        name = f"{lane}.{name}"
    if len(name) <= LONGEST:
        return name
    end = f":{umi_of(name)}" if umi else ""
    return f"{name[:KEPT]}.{number}{end}"


def rewrite(
    lanes: Sequence[Sequence[str | Path]],
    targets: Sequence[str | Path],
    umi: bool = False,
    repeated: bool = False,
) -> None:
    """Write the fragments of `lanes` in order to the gzipped FASTQ files `targets`, one for each mate, under new names.

    `repeated`: lanes share names. Comments are left out: a tool would act on them.
    """
    number = 0
    with dnaio.open(*map(str, targets), mode="w", fileformat="fastq") as out:
        for place, lane in enumerate(lanes, start=1):
            with dnaio.open(*lane) as records:
                for record in records:
                    mates = (record,) if len(lane) == 1 else record
                    number += 1
                    name = rewritten([mate.id for mate in mates], number, umi, place if repeated else 0)
                    out.write(*(dnaio.SequenceRecord(name, m.sequence, m.qualities) for m in mates))
