"""What the first reads of a FASTQ file tell that no single record does: how files were packed, paired and scaled."""

import itertools

import dnaio

FIRST = 1000  # fragments that are looked at
LEAST = 4  # ... and without so many nothing is said
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
ABOVE_TODAYS = ord("K")  # Phred + 33 ends at K (Q42) on today's short-read machines


def packing(path):
    """Name of the way `path` is packed other than gzip, or plain where its name says gzip; None if all is well."""
    with open(path, "rb") as file:
        start = file.read(6)
    for mark, name in PACKED.items():
        if start.startswith(mark):
            return name
    return "plain text" if start.startswith(b"@") and str(path).endswith(".gz") else None


def problem(lane):
    """Why the fragments of `lane`, (path,) or (path_1, path_2), are not what they are taken for, or None."""
    for path in lane:
        how = packing(path)
        if how:
            return f"{_name(path)} is {how}, not gzip; pack it with gzip (plain files end in .fastq or .fq)"
    with dnaio.open(*lane) as file:
        first = [record for record, _ in zip(file, range(FIRST), strict=False)]
    if len(first) < LEAST:
        return None
    if len(lane) == 1:
        if _interleaved(first):
            return f"{_name(lane[0])} holds both mates in turn (interleaved); split it into R1 and R2 (seqtk seq -1, -2)"
        records = first
    else:
        same = all(one.sequence == two.sequence for one, two in first)
        if same and len({one.sequence for one, _ in first}) > 1:
            return f"R1 and R2 hold the same reads: {', '.join(map(_name, lane))}"
        records = [record for pair in first for record in pair]
    if _old_qualities(records):
        return f"qualities of {_name(lane[0])} are Phred+64 (Illumina before 1.8); convert them (seqtk seq -Q64 -V)"
    return None


def _name(path):
    return str(path).rsplit("/", 1)[-1]


def _interleaved(records):
    """Whether every two records are mates, and each two of another name than the two before."""
    pairs = list(zip(records[::2], records[1::2], strict=False))
    names = [one.id for one, _ in pairs]
    return all(one.is_mate(two) for one, two in pairs) and all(
        name != after for name, after in itertools.pairwise(names)
    )


def _old_qualities(records):
    found = set().union(*(record.qualities for record in records))
    return (
        bool(found)
        and ord(min(found)) in OLD_QUALITIES
        and ABOVE_TODAYS < ord(max(found)) <= OLD_QUALITIES[-1]
    )
