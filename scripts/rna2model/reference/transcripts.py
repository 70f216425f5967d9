"""Convert transcripts to a form that every tool accepts: on one strand of one sequence, within its ends, with a unique
name.

With others, tools stop or silently lose reads: STAR keeps one strand and chromosome of each name,
HTSeq wants a strand, Salmon wants each name once, none knows circles. So
* a transcript on both strands or on two chromosomes (trans-splicing) is one piece for each;
* one across the origin of a circular chromosome is a piece before and a piece behind it;
* one without strand is there for each strand, so that its reads count from both;
* a name that is there twice, or that a tool would cut short, gets another.
The genes stay what they are; names of transcripts are for the tools only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rna2model.reference import circular

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rna2model.reference.annotation import Transcript

UNSAFE = re.compile(r"""[^!-~]|["';\\]""")


def for_tools(transcripts: Sequence[Transcript], lengths: Mapping[str, int]) -> list[Transcript]:
    """List of Transcript with the same exons; `whole` is the name of the first piece of what was one transcript.

    lengths : {sequence: bases}; a transcript on a sequence that is not there stays whole.
    """
    together = _pieces_of_one(transcripts)
    first: dict[tuple[Any, str], str] = {}
    names, pieces = _Names(transcripts), []
    for transcript in transcripts:
        for strand in "+-" if transcript.strand in ".?" else transcript.strand:
            one = together.get(id(transcript), id(transcript)), strand if transcript.strand in ".?" else ""
            for exons, coding in _parts(transcript, strand, lengths.get(transcript.chromosome)):
                name = names.new(transcript.name)
                whole = first.setdefault(one, name)
                pieces.append(
                    replace(transcript, name=name, strand=strand, exons=exons, coding=coding, whole=whole)
                )
    return pieces


def _pieces_of_one(transcripts):
    """{id of a Transcript: key of the one it is a piece of} where a gene's name of a transcript is in several places.

    The same exons on several chromosomes are copies, not pieces (genes of the pseudo-autosomal regions).
    """
    groups = defaultdict(list)
    for transcript in transcripts:
        groups[transcript.gene, transcript.name].append(transcript)
    key_of_piece = {}
    for key, group in groups.items():
        sizes = {tuple(sorted(end - start for start, end in t.exons)) for t in group}
        copies = len(sizes) == 1 and len({t.chromosome for t in group}) == len(group)
        if len(group) > 1 and not copies:
            key_of_piece |= {id(transcript): key for transcript in group}
    return key_of_piece


def _parts(transcript, strand, length):
    """Pairs (exons, coding exons), in the direction of the transcript: two where it lies across an origin."""
    if length is None:
        return [(transcript.exons, transcript.coding)]
    before, behind = circular.parts(transcript.exons, length)
    if not behind:
        return [(transcript.exons, transcript.coding)]
    coding = []
    for start, end in transcript.coding:
        coding += [(start, length), (1, end - length)] if start <= length < end else [(start, end)]
    inside = [
        [c for c in coding if any(s <= c[0] and c[1] <= e for s, e in part)] for part in (before, behind)
    ]
    both = list(zip((before, behind), inside, strict=True))
    return both if strand == "+" else both[::-1]


class _Names:
    """Unique names for transcripts: the file's name if it is valid and free, otherwise with a number appended."""

    def __init__(self, transcripts):
        self.wanted = {self._safe(transcript.name) for transcript in transcripts}
        self.used, self.last = set(), {}

    @staticmethod
    def _safe(name):
        return UNSAFE.sub("_", name)

    def new(self, name):
        base = name = self._safe(name)
        while name in self.used or (name != base and name in self.wanted):
            self.last[base] = self.last.get(base, 1) + 1
            name = f"{base}.{self.last[base]}"
        self.used.add(name)
        return name
