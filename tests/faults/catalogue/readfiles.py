"""Faults of a sample's FASTQ files. `inject` gets a Library and changes its files.

`verdict` of a Fault is what the first look at the files says; without one only later steps can see the fault.
"""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np

from tests.faults.case import ACCEPTED, EXCLUDED, NOTED, Case
from tests.faults.project import bases


@dataclass(frozen=True)
class Fault(Case):
    verdict: str = ""
    exact: bool = True  # the counts are those of the undisturbed library


class Library:
    """Read pairs as lists of (name, sequence, qualities), and the bytes of the two files made of them."""

    def __init__(self, first, second):
        self.first, self.second = first, second
        self.ending = ".fastq.gz"
        self.pack()

    def pack(self, end="\n"):
        self.files = [gzip.compress(text(mate, end), mtime=0) for mate in (self.first, self.second)]

    def edit(self, change, mates=(0, 1)):
        """Replace each record of `mates` by `change(number, name, sequence, qualities)`; None leaves it out."""
        for mate in mates:
            records = (self.first, self.second)[mate]
            changed = [change(number, *record) for number, record in enumerate(records)]
            records[:] = [record for record in changed if record is not None]
        self.pack()


def text(records, end="\n"):
    return "".join(
        end.join([f"@{name}", letters, "+", quality, ""]) for name, letters, quality in records
    ).encode()


def content(change, mate=0):
    """Replace the bytes of one file by `change(bytes)`."""

    def inject(library):
        library.files[mate] = change(library.files[mate])

    return inject


def both(change):
    def inject(library):
        library.files = [change(file) for file in library.files]

    return inject


def record(change, mates=(0, 1)):
    return lambda library: library.edit(change, mates)


def damaged(packed):
    packed, middle = bytearray(packed), len(packed) // 2
    packed[middle : middle + 60] = b"\xff" * 60
    return bytes(packed)


def zipped(packed):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("reads.fastq", gzip.decompress(packed))
    return out.getvalue()


def again(pack):
    return lambda packed: pack(gzip.decompress(packed))


def appended(more):
    return again(lambda plain: gzip.compress(plain + more))


def members(packed):
    """Several gzip members, as bgzip and `cat` make them; cut anywhere, also within a record."""
    plain = gzip.decompress(packed)
    return b"".join(gzip.compress(plain[place : place + 5000]) for place in range(0, len(plain), 5000))


def plain(library):
    library.ending, library.files = ".fastq", [gzip.decompress(file) for file in library.files]


def packed_but_named_plain(library):
    library.ending = ".fastq"


def swapped(library):
    library.files.reverse()


def interleaved(library):
    pairs = zip(library.first, library.second, strict=True)
    library.files = [gzip.compress(text([mate for pair in pairs for mate in pair])), None]


def the_same_twice(library):
    library.second[:] = [(name.replace(" 1:", " 2:"), *rest) for name, *rest in library.first]
    library.pack()


def foreign(number, name, letters, quality):
    return name, bases(len(letters), [7, number, int(" 2:" in name)]), quality


def old_scale(library):
    """Qualities and names as Illumina wrote them before 1.8."""
    slashed(library)
    library.edit(
        lambda number, name, letters, quality: (name, letters, "".join(chr(ord(q) + 31) for q in quality))
    )


def adapters(number, name, letters, quality):
    adapter = "AGATCGGAAGAGCACACGTCTGAACTCCAGTCACATCACGATCTCGTATGCCGTCTTCTGCTTGAAAAAAAAAAAAAAAAAAA"
    return name, adapter[: len(letters)].ljust(len(letters), "A"), quality


def shortened(number, name, letters, quality):
    length = int(np.random.default_rng([9, number]).integers(50, len(letters) + 1))
    return name, letters[:length], quality[:length]


def at(place, change):
    """`change` for one record only."""
    return record(lambda number, *old: change(*old) if number == place else old, mates=(0,))


def also_empty(library):
    """A pair without a single base beside the others."""
    for mate, records in enumerate((library.first, library.second), start=1):
        records.append((f"empty:1 {mate}:N:0", "", ""))
    library.pack()


def slashed(library):
    for mate, records in enumerate((library.first, library.second), start=1):
        records[:] = [(f"{name.split()[0]}/{mate}", letters, quality) for name, letters, quality in records]
    library.pack()


def renamed(pattern):
    """Names by a pattern: `{name}` the old one, `{mate}` 1 or 2, `{long}` 280 characters."""

    def inject(library):
        for mate, records in enumerate((library.first, library.second), start=1):
            records[:] = [
                (pattern.format(name=name.split()[0], mate=mate, long="x" * 280), letters, quality)
                for name, letters, quality in records
            ]
        library.pack()

    return inject


def bgzipped(packed):
    """Blocks that say their size, and the empty block that ends the file."""
    plain, blocks = gzip.decompress(packed), []
    for place in [*range(0, len(plain), 60_000), len(plain)]:
        part = plain[place : place + 60_000]
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = deflate.compress(part) + deflate.flush()
        size = struct.pack("<H", len(body) + 25)
        head = b"\x1f\x8b\x08\x04" + bytes(4) + b"\0\xff" + b"\x06\0BC\x02\0" + size
        blocks.append(head + body + struct.pack("<II", zlib.crc32(part), len(part)))
    return b"".join(blocks)


def named_twice(packed):
    lines = gzip.decompress(packed).decode().splitlines()
    lines[2::4] = ["+" + name[1:] for name in lines[::4]]
    return gzip.compress("".join(line + "\n" for line in lines).encode())


def half_windows(plain):
    lines = plain.splitlines()
    half = len(lines) // 8 * 4
    return gzip.compress(b"\n".join(lines[:half]) + b"\n" + b"\r\n".join(lines[half:]) + b"\r\n")


def appended_before(mark):
    return again(lambda plain: gzip.compress(mark + plain))


def tarred(packed):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("reads.fastq"), io.BytesIO(b""))
    return out.getvalue()


FILE = "R1, its file"
CASES = [
    Fault("file of no bytes", FILE, content(lambda f: b""), EXCLUDED, "R1 and R2 have different numbers of reads", verdict="numbers of reads"),
    Fault("both files of no bytes", "R1 and R2", both(lambda f: b""), EXCLUDED, "no reads in", verdict="no reads in"),
    Fault("empty gzip", "R1 and R2", both(lambda f: gzip.compress(b"")), EXCLUDED, "no reads in", verdict="no reads in"),
    Fault("truncated gzip", FILE, content(lambda f: f[: len(f) // 2]), EXCLUDED, "truncated gzip", verdict="truncated gzip"),
    Fault("gzip without its end", FILE, content(lambda f: f[:-4]), EXCLUDED, "truncated gzip", verdict="truncated gzip"),
    Fault("damaged gzip", "R2, its file", content(damaged, 1), EXCLUDED, "after", verdict="after"),
    Fault("bzip2 named .gz", FILE, content(again(bz2.compress)), EXCLUDED, "is bzip2, not gzip", verdict="is bzip2"),
    Fault("xz named .gz", FILE, content(again(lzma.compress)), EXCLUDED, "is xz, not gzip", verdict="is xz"),
    Fault("zip named .gz", FILE, content(zipped), EXCLUDED, "is zip, not gzip", verdict="is zip"),
    Fault("plain text named .gz", FILE, content(gzip.decompress), EXCLUDED, "is plain text, not gzip", verdict="is plain text"),
    Fault("gzip of a gzip", FILE, content(gzip.compress), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("web page instead of reads", FILE, content(lambda f: b"<html>404</html>"), EXCLUDED, "after 0 good", verdict="after 0 good"),
    Fault("noise instead of reads", FILE, content(lambda f: bytes(range(256)) * 9), EXCLUDED, "after 0 good", verdict="after 0 good"),
    Fault("FASTA instead of FASTQ", FILE, content(again(lambda t: gzip.compress(b">a\nACGT\n"))), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("zeros after a crash", FILE, content(appended(b"\0" * 512)), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("text after the gzip", FILE, content(lambda f: f + b"garbage"), EXCLUDED, "gzip", verdict="gzip"),
    Fault("blank lines at the end", FILE, content(appended(b"\n\n")), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("sequences over two lines", FILE, content(again(lambda t: gzip.compress(t.replace(b"ACG", b"ACG\n", 1)))), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("CR line ends", "R1 and R2", lambda library: library.pack("\r"), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("quality longer than sequence", "R1, a record", at(9, lambda n, s, q: (n, s, q + "I")), EXCLUDED, "after 9 good", verdict="after 9 good"),
    Fault("quality shorter than sequence", "R1, a record", at(9, lambda n, s, q: (n, s, q[:-1])), EXCLUDED, "after 9 good", verdict="after 9 good"),
    Fault("record without @", FILE, content(again(lambda t: gzip.compress(t.replace(b"\n@", b"\n", 1)))), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("names beyond ASCII", "R1 and R2", record(lambda i, n, s, q: ("é" + n, s, q)), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("R2 shorter than R1", "R2, its file", record(lambda i, *r: r if i < 90 else None, (1,)), EXCLUDED, "R1 and R2 have different numbers", verdict="different numbers"),
    Fault("R2 in another order", "R2, its file", lambda lib: (lib.second.reverse(), lib.pack()), EXCLUDED, "R1 and R2 names differ", verdict="names differ"),
    Fault("R1 copied as R2", "R2, its file", the_same_twice, EXCLUDED, "R1 and R2 hold the same reads", verdict="the same reads"),
    Fault("interleaved as single-end", "R1, no R2", interleaved, EXCLUDED, "holds both mates in turn", verdict="both mates in turn"),
    Fault("all reads of one name", "R1 and R2", record(lambda i, n, s, q: ("r", s, q)), EXCLUDED, "reads have one name", verdict="reads have one name"),
    Fault("qualities of Phred+64", "R1 and R2", old_scale, EXCLUDED, "are Phred+64", verdict="Phred+64"),
    Fault("all N", "R1 and R2", record(lambda i, n, s, q: (n, "N" * len(s), "#" * len(s))), EXCLUDED, "trimming left no reads"),
    Fault("reads without a base", "R1 and R2", record(lambda i, n, s, q: (n, "", "")), EXCLUDED, "shorter than trimming.min_length 30 (R1 has 0 bases"),
    Fault("reads of 28 bases", "R1 and R2", record(lambda i, n, s, q: (n, s[:28], q[:28])), EXCLUDED, "all reads are shorter than trimming.min_length 30 (R1 has 28 bases"),
    Fault("R2 of 20 bases", "R2, its file", record(lambda i, n, s, q: (n, s[:20], q[:20]), (1,)), EXCLUDED, "(R2 has 20 bases)"),
    Fault("adapters only", "R1 and R2", record(adapters), EXCLUDED, "too few reads mapped"),
    Fault("one read", "R1 and R2", record(lambda i, *r: r if i == 0 else None), EXCLUDED, "too few reads: 1, minimum"),
    Fault("reads of another species", "R1 and R2", record(foreign), EXCLUDED, "too few reads mapped"),
    Fault("U instead of T", "R1 and R2", record(lambda i, n, s, q: (n, s.replace("T", "U"), q)), EXCLUDED, "letter U", verdict="letter U"),
    Fault("R1 and R2 swapped", "sheet, FASTQ cells", swapped, NOTED, "forward in a cohort that is mostly reverse"),
    Fault("CRLF line ends", "R1 and R2", lambda library: library.pack("\r\n"), EXCLUDED, "line ends of Windows", verdict="line ends of Windows"),
    Fault("no end of the last line", FILE, content(again(lambda t: gzip.compress(t[:-1]))), ACCEPTED),
    Fault("several gzip members", "R1 and R2", both(members), ACCEPTED),
    Fault("plain .fastq", "R1 and R2", plain, ACCEPTED),
    Fault("gzip named .fastq", "R1 and R2", packed_but_named_plain, ACCEPTED),
    Fault("lower case", "R1 and R2", record(lambda i, n, s, q: (n, s.lower(), q)), EXCLUDED, "have small letters", verdict="small letters"),
    Fault("reads of many lengths", "R1 and R2", record(shortened), ACCEPTED, exact=False),
    Fault("an empty read among others", "R1 and R2", also_empty, ACCEPTED),
    Fault("zeros after the gzip", FILE, content(lambda f: f + b"\0" * 512), EXCLUDED, "has zeros after its gzip", verdict="has zeros"),
    Fault("names that end in /1 and /2", "R1 and R2", slashed, ACCEPTED),
    Fault("mates named with points", "R1 and R2", renamed("{name}.{mate} {name}"), ACCEPTED),
    Fault("mates named with underscores", "R1 and R2", renamed("{name}_{mate}"), ACCEPTED),
    Fault("names of 300 characters", "R1 and R2", renamed("{long}:{name} {mate}:N:0:A"), ACCEPTED),
    Fault("slashes within names", "R1 and R2", renamed("a/b/{name}/{mate}"), ACCEPTED),
    Fault("@ within names", "R1 and R2", renamed("a@{name} {mate}:N:0:A"), ACCEPTED),
    Fault("marked as failed by the sequencer", "R1 and R2", renamed("{name} {mate}:Y:0:A"), ACCEPTED),
    Fault("qualities of AVITI, Q30 to Q50", "R1 and R2", record(lambda i, n, s, q: (n, s, "?S" * (len(s) // 2) + "?" * (len(s) % 2))), ACCEPTED, exact=False),
    Fault("names without a comment", "R1 and R2", record(lambda i, n, s, q: (n.split()[0], s, q)), ACCEPTED),
    Fault("tabs in the names", "R1 and R2", record(lambda i, n, s, q: (n.replace(" ", "\t"), s, q)), ACCEPTED),
    Fault("blocks of bgzip", "R1 and R2", both(bgzipped), ACCEPTED),
    Fault("names again above the qualities", "R1 and R2", both(named_twice), ACCEPTED),
    Fault("points for N", "R1 and R2", record(lambda i, n, s, q: (n, s[:-9] + "." * 9, q)), EXCLUDED, "has letters other than", verdict="has letters other than"),
    Fault("colours of SOLiD", "R1 and R2", record(lambda i, n, s, q: (n, s.translate(str.maketrans("ACGTN", "0123.")), q)), EXCLUDED, "has letters other than", verdict="has letters other than"),
    Fault("a long read", "R1, a record", at(50, lambda n, s, q: (n, s * 12, q * 12)), EXCLUDED, "this is for short reads", verdict="this is for short reads"),
    Fault("Windows line ends from the middle on", "R1 and R2", both(again(half_windows)), ACCEPTED),
    Fault("a blank line in the middle", FILE, content(again(lambda t: gzip.compress(t[:200].rsplit(b"@", 1)[0] + b"\n@" + t[200:].split(b"\n@", 1)[1]))), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("byte order mark", FILE, content(appended_before("\ufeff".encode())), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("tar of reads", FILE, content(tarred), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("BAM named .fastq.gz", FILE, content(lambda f: gzip.compress(b"BAM\1" + bytes(99))), EXCLUDED, "not valid FASTQ", verdict="not valid FASTQ"),
    Fault("the pairs of another run as R2", "R2, its file", record(lambda i, n, s, q: ("other" + n, s, q), (1,)), EXCLUDED, "R1 and R2 names differ", verdict="names differ"),
]  # fmt: skip
