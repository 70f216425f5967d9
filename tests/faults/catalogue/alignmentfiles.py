"""Faults of alignments that the sheet gives. `inject` gets an Alignments: the text of a SAM file, and the file made of it."""

import gzip
import re
from dataclasses import dataclass

import pysam

from tests.faults.case import ACCEPTED, EXCLUDED, NOTED, Case


@dataclass(frozen=True)
class AlignmentCase(Case):
    fragments: int = 4  # that the file then holds


HEADER = "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:1\tLN:400\n@SQ\tSN:2\tLN:200\n"
READ = "ACGT" * 5


def line(name, flag, place=1, chromosome="1", more="NH:i:1"):
    mate = ("=", place) if flag & 1 else ("*", 0)
    where = ("*", 0, 0, "*") if flag & 4 else (chromosome, place, 60, "20M")
    return (
        "\t".join(map(str, [name, flag, *where, *mate, 0, READ, "I" * 20, *([more] if more else [])])) + "\n"
    )


class Alignments:
    """Three pairs and one that is not aligned; `change` edits the text before, `content` the bytes after it is packed."""

    def __init__(self, folder):
        self.path = folder / "s.bam"
        pairs = [line(f"r{i}", flag, 10 + i) for i in range(3) for flag in (99, 147)]
        self.text = HEADER + "".join([*pairs, line("u", 77), line("u", 141)])

    def pack(self):
        sam = self.path.with_suffix(".sam")
        sam.write_text(self.text)
        if self.path.suffix == ".bam":
            pysam.view("-b", "-o", str(self.path), str(sam), catch_stdout=False)


def text(change):
    def inject(alignments):
        alignments.text = change(alignments.text)
        alignments.pack()

    return inject


def content(change):
    def inject(alignments):
        alignments.pack()
        alignments.path.write_bytes(change(alignments.path.read_bytes()))

    return inject


def as_sam(alignments):
    alignments.path = alignments.path.with_suffix(".sam")
    alignments.pack()


def lines(keep):
    return text(lambda t: "".join(row for row in t.splitlines(True) if row.startswith("@") or keep(row)))


FILE = "bam, its file"
CASES = [
    AlignmentCase("text named .bam", FILE, content(lambda b: b"sample\tcondition\n"), EXCLUDED, "damaged or truncated alignment file"),
    AlignmentCase("file of no bytes", FILE, content(lambda b: b""), EXCLUDED, "damaged or truncated alignment file"),
    AlignmentCase("BAM cut in the middle", FILE, content(lambda b: b[: len(b) // 2]), EXCLUDED, "damaged or truncated alignment file"),
    AlignmentCase("BAM without its end", FILE, content(lambda b: b[:-28]), EXCLUDED, "damaged or truncated alignment file"),
    AlignmentCase("BAM with damaged bytes", FILE, content(lambda b: b[:60] + bytes(20) + b[80:]), EXCLUDED, "damaged or truncated alignment file"),
    AlignmentCase("FASTQ named .bam", FILE, content(lambda b: gzip.compress(b"@r\nACGT\n+\nIIII\n")), EXCLUDED, "were never aligned"),
    AlignmentCase("reads that were never aligned", FILE, text(lambda t: "@HD\tVN:1.6\n" + line("u", 4)), EXCLUDED, "names no chromosomes"),
    AlignmentCase("other chromosome names", FILE, text(lambda t: re.sub(r"SN:|(?<=\t)(?=[12]\t\d+\t60)", lambda m: m[0] + "chr", t)), EXCLUDED, "other chromosome names than the genome has: chr1"),
    AlignmentCase("another assembly", FILE, text(lambda t: t.replace("LN:400", "LN:999")), EXCLUDED, "another assembly: 1 has 999 bases there, 400 in the genome"),
    AlignmentCase("single-end and paired-end reads", FILE, text(lambda t: t + line("s", 0)), NOTED, "mixes 1 single reads with 4 pairs", fragments=5),
    AlignmentCase("a mate taken out", FILE, lines(lambda row: not row.startswith("r1\t147")), NOTED, "lacks mates of some pairs"),
    AlignmentCase("unaligned reads taken out", FILE, lines(lambda row: row[0] != "u"), NOTED, "has no unmapped reads", fragments=3),
    AlignmentCase("no NH tags", FILE, text(lambda t: t.replace("\tNH:i:1", "")), NOTED, "has no NH tags"),
    AlignmentCase("a second place of a read", FILE, text(lambda t: t + line("r0", 99 | 256, 90) + line("r0", 147 | 2048, 90)), ACCEPTED),
    AlignmentCase("not sorted", FILE, text(lambda t: HEADER + "".join(reversed(t.removeprefix(HEADER).splitlines(True)))), ACCEPTED),
    AlignmentCase("reads that failed at the sequencer", FILE, text(lambda t: re.sub("(?<=r0\t)(99|147)", lambda m: str(int(m[0]) + 512), t)), ACCEPTED),
    AlignmentCase("two primary lines of a read", FILE, text(lambda t: t + line("r0", 99, 90) + line("r0", 147, 90)), NOTED, "several primary alignments of 1 fragments"),
    AlignmentCase("mates named apart", FILE, text(lambda t: re.sub(r"^([ru]\d?)\t(\d+)", lambda m: f"{m[1]}/{1 + bool(int(m[2]) & 128)}\t{m[2]}", t, flags=re.M)), ACCEPTED),
    AlignmentCase("an unaligned mate as STAR writes it", FILE, text(lambda t: t + line("h", 73, more="NH:i:1\tHI:i:1") + line("h", 133, more="NH:i:0\tHI:i:0")), ACCEPTED, fragments=5),
    AlignmentCase("SAM", FILE, as_sam, ACCEPTED),
]  # fmt: skip
