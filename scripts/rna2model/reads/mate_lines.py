"""Normalise the records of each fragment in an alignment file: keep one record per read, and set the mate fields of pairs.

Programs write several primary lines of a read (STAR's AllBestScore), lines of mates that no longer are there, single reads
among pairs, reads that failed at the sequencer. Each counter makes something else of those; of what is written here all
make the same.
"""

from __future__ import annotations

import itertools
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pysam

from rna2model.reads import read_names

if TYPE_CHECKING:
    from pathlib import Path

PAIRED, PROPER, UNMAPPED, MATE_UNMAPPED, REVERSE, MATE_REVERSE = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
FIRST, SECOND, SECONDARY, FAILED, SUPPLEMENTARY = 0x40, 0x80, 0x100, 0x200, 0x800
OF_PAIRS = PAIRED | PROPER | MATE_UNMAPPED | MATE_REVERSE | FIRST | SECOND


@dataclass
class FragmentTally:
    """Counts of what a file holds, in fragments unless named reads."""

    fragments: int = 0
    mapped: int = 0
    unmapped_reads: int = 0
    mapped_reads: int = 0
    reads_with_nh: int = 0  # reads with an NH tag
    pairs: int = 0
    single: int = 0
    mates_missing: int = 0
    repeated_primary: int = 0
    failed_filter: int = 0
    names_seen: read_names.Names = field(default_factory=read_names.Names)

    @property
    def problem(self) -> str | None:
        """Why the read names lack what the config promises (UMIs), or None."""
        return self.names_seen.problem_of(self.fragments)

    def facts(self) -> dict[str, Any]:
        """JSON-able facts (bam.take_over says which)."""
        mixed = bool(self.single and self.pairs)
        notes = {
            "the BAM file has no unmapped reads: its mapped % says nothing": self.mapped_reads
            and not self.unmapped_reads,
            "the BAM file has no NH tags: fragments with several places are counted at the one it gives": self.mapped_reads
            and not self.reads_with_nh,
            f"the BAM file lacks mates of some pairs: {self.mates_missing} fragments are counted by one mate": self.mates_missing,
            f"the BAM file has several primary alignments of {self.repeated_primary} fragments: each is counted once": self.repeated_primary,
            f"the BAM file mixes {self.single} single reads with {self.pairs} pairs: each is one fragment": mixed,
        }
        return {
            "fragments": self.fragments,
            "mapped": self.mapped,
            "repeated_primary": self.repeated_primary,
            "mates_missing": self.mates_missing,
            "single_reads": self.single if mixed else 0,
            "failed_filter": self.failed_filter,
            "note": "; ".join(text for text, applies in notes.items() if applies),
        }


def form(source: str | Path, target: str | Path, umi: bool = False) -> FragmentTally:
    """Write each fragment of `source`, a BAM file whose lines of one name follow one another, to `target`; returns FragmentTally.

    Single reads in a file that also has pairs become first mates without a second one.
    """
    has_pairs = _has_pairs(source)
    tally = FragmentTally(names_seen=read_names.Names(umi))
    with (
        pysam.AlignmentFile(source) as file,
        pysam.AlignmentFile(target, "wb", header=_unsorted(file.header)) as out,
    ):
        for name, group in itertools.groupby(file.fetch(until_eof=True), key=lambda read: read.query_name):
            if umi:
                tally.names_seen.add_name(name)
            for mates in _fragments(list(group), tally):
                _note(mates, tally)
                _link(mates, has_pairs)
                for read in mates:
                    out.write(read)
    return tally


def _has_pairs(path):
    with pysam.AlignmentFile(path) as file:
        return any(read.is_paired for read in file.fetch(until_eof=True))


def _unsorted(header):
    fields = header.to_dict()
    fields["HD"] = {"VN": "1.6"} | {key: value for key, value in fields.get("HD", {}).items() if key == "VN"}
    return fields


def _fragments(group, tally):
    """The fragments among the lines of one name, each a list of one or two lines, one for each read."""
    ends = defaultdict(list)
    for line in group:
        if not line.flag & SUPPLEMENTARY:
            ends[line.flag & (FIRST | SECOND) if line.flag & PAIRED else None].append(line)
    first, second = (_of_each_read(ends.pop(end, [])) for end in (FIRST, SECOND))
    alone = [lines for kind in ends.values() for lines in _of_each_read(kind)]
    if any(sum(not line.flag & SECONDARY for line in lines) > 1 for lines in [*first, *second, *alone]):
        tally.repeated_primary += 1
    return [*_pairs(first, second), *([_choose(lines)] for lines in alone)]


def _of_each_read(lines):
    """The lines of an end by read: several reads of one name are told apart by their bases."""
    if len(lines) < 2:
        return [lines] if lines else []
    kinds = defaultdict(list)
    for line in lines:
        kinds[line.get_forward_sequence() or ""].append(line)
    without_bases = kinds.pop("", [])  # as secondary lines may be
    if not kinds:
        return [without_bases]
    reads = list(kinds.values())
    reads[0] += without_bases
    return reads


def _pairs(first, second):
    """Fragments of the lines of first and of second mates, a list for each read."""
    second = list(second)
    for lines in first:
        one = _choose(lines)
        place = next((n for n, others in enumerate(second) if _mate_of(one, others)), 0)
        if second:
            others = second.pop(place)
            yield [one, _mate_of(one, others) or _choose(others)]
        else:
            yield [one]
    yield from ([_choose(lines)] for lines in second)


def _mate_of(one, others):
    """The line among `others` that was written as the mate of the line `one`, or None."""
    for other in others:
        if (other.next_reference_id, other.next_reference_start) == (
            one.reference_id,
            one.reference_start,
        ) and (
            one.next_reference_id,
            one.next_reference_start,
        ) == (other.reference_id, other.reference_start):
            return other
    return None


def _choose(lines):
    """The record kept for a read: primary before secondary, then the best score; ties are broken by the read's name."""
    primary = [line for line in lines if not line.flag & SECONDARY] or lines
    if len(primary) == 1:
        return primary[0]
    best = max(map(_score, primary))
    equal = sorted((line for line in primary if _score(line) == best), key=_place)
    chosen = equal[zlib.crc32(equal[0].query_name.encode()) % len(equal)]
    if not chosen.has_tag("NH"):
        chosen.set_tag("NH", len(primary))
    return chosen


def _score(line):
    return line.get_tag("AS") if line.has_tag("AS") else 0


def _place(line):
    return line.reference_id, line.reference_start, line.cigarstring or ""


def _note(mates, tally):
    """Add one fragment to `tally`, from its unchanged records."""
    tally.fragments += 1
    is_mapped = [not line.flag & UNMAPPED for line in mates]
    tally.mapped += any(is_mapped)
    tally.mapped_reads += sum(is_mapped)
    tally.unmapped_reads += len(mates) - sum(is_mapped)
    tally.reads_with_nh += sum(line.has_tag("NH") for line in mates)
    tally.failed_filter += any(line.flag & FAILED for line in mates)
    if not mates[0].flag & PAIRED:
        tally.single += 1
    else:
        tally.pairs += 1
        tally.mates_missing += len(mates) == 1


def _link(mates, has_pairs):
    """Set the mate fields of a fragment's records in place, and remove outdated tags and flags."""
    for line in mates:
        line.flag &= ~(SECONDARY | FAILED)
        line.set_tag("HI", None)  # numbers the places of a read, of which one is left
    if len(mates) == 2:
        _know(*mates)
        _know(*reversed(mates))
    elif has_pairs:
        (line,) = mates
        end = line.flag & (FIRST | SECOND)
        line.flag = (
            line.flag & ~OF_PAIRS | PAIRED | MATE_UNMAPPED | (end if end in (FIRST, SECOND) else FIRST)
        )
        line.next_reference_id, line.next_reference_start, line.template_length = -1, -1, 0


def _know(line, mate):
    """Set the mate position of `line`."""
    flag = line.flag & ~(MATE_UNMAPPED | MATE_REVERSE)
    if mate.flag & UNMAPPED:
        flag = flag & ~PROPER | MATE_UNMAPPED
    elif flag & UNMAPPED:  # it stands beside its mate
        flag &= ~PROPER
        line.reference_id, line.reference_start = mate.reference_id, mate.reference_start
    if mate.flag & REVERSE:
        flag |= MATE_REVERSE
    line.flag = flag
    line.next_reference_id, line.next_reference_start = mate.reference_id, mate.reference_start
