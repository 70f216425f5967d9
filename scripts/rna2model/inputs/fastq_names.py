"""Parse names of FASTQ files into sample, mate, lane and flowcell, as sequencers, archives and people write them.

The family: Illumina (bcl2fastq, bcl-convert, with and without lanes), the Sequence Read Archive, MGI, Novogene, and plain
names (A_R1, A.read2, A_forward, A_1), also after trimming (A_R1_val_1, A_1.clean).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rna2model.inputs import sheet_text

if TYPE_CHECKING:
    from collections.abc import Collection

ENDING = re.compile(r"\.(fastq|fq)(\.gz)?$")
TRIMMED = r"(?:[._-](?:clean|trimmed|paired|raw|filtered))?"
NOT_A_SAMPLE = re.compile(r"(undetermined|undecoded)([._-].*)?", re.IGNORECASE)
INDEX_READ = re.compile(r"(.*[._-])?I[12](_\d{3})?")
GENERIC = {"", "reads", "read", "sample", "fastq", "raw", "data"}  # such files are named by their folder
BARCODE = re.compile(r"(UDB|BC|barcode)?[-_]?\d+", re.IGNORECASE)
# Tried in this order.
SCHEMES = {
    "sra": re.compile(r"(?P<sample>[SED]RR\d+)(?:_(?P<mate>\d))?"),
    "mgi": re.compile(r"(?P<flowcell>[A-Z]+\d{3,})_L(?P<lane>\d{2})_(?P<sample>.+)_(?P<mate>[12])" + TRIMMED),
    "novogene": re.compile(
        r"(?P<sample>.+)_(?P<library>[A-Z]{3}[A-Za-z0-9-]*\d[A-Za-z0-9-]*)_(?P<flowcell>[A-Z0-9]{4,})"
        r"_L(?P<lane>\d+)_(?P<mate>[12])" + TRIMMED
    ),
    "illumina": re.compile(
        r"(?:(?P<sample>.*?)(?:_S\d+)?_)??(?:L(?P<lane>\d{3})_)?R(?P<mate>\d)_(?P<chunk>\d{3})"
    ),
    "lanes": re.compile(  # L1 may be a sample: liver_L1_R1
        r"(?:(?P<sample>.+?)(?:_S\d+)?_)?(?:L(?=\d{3}_)|lane_?)(?P<lane>\d{1,3})_(?:R|read)?(?P<mate>[12])"
        + TRIMMED,
        re.IGNORECASE,
    ),
    "plain": re.compile(
        r"(?:(?P<sample>.*?)[._-]+)?(?:R|read_?|(?P<forward>forward|fwd)|(?P<reverse>reverse|rev))"
        r"(?(forward)|(?(reverse)|(?P<mate>[1-9])))(?:_val_[12])?" + TRIMMED,
        re.IGNORECASE,
    ),
    "lane last": re.compile(
        r"(?P<sample>.+?)[._-]R(?P<mate>[12])_(?:L(?=\d{3}$)|lane_?)(?P<lane>\d{1,3})", re.IGNORECASE
    ),
    "numbered": re.compile(r"(?:(?P<sample>.*?)[._]+)?(?P<mate>\d+)(?:_val_[12])?" + TRIMMED),
    # R1 may be replicate 1
    "middle": re.compile(r"(?P<sample>.+?)[._-](?:R|read_?)(?P<mate>[12])[._-](?P<rest>.+)", re.IGNORECASE),
}
# Such numbers are those of mates only where the files beside it say so.
ONLY_TOGETHER = {"numbered", "middle"}
# Several files of a sample and mate are its lanes.
WITH_LANES = {"mgi", "novogene", "illumina", "lanes", "lane last"}
INVALID = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST = 100


@dataclass(frozen=True)
class Name:
    """A parsed file name. `mate`: 1, 2, ..., or 0 if not given; `lane`: distinguishes files of the same mate."""

    scheme: str
    sample: str
    mate: int
    flowcell: str = ""
    lane: str = ""
    part: str = ""  # library and chunk, which tell files of a lane apart
    is_barcode: bool = False  # the sample is known by flowcell and barcode only


def read(stem: str) -> Name:
    """The Name of a file without its ending; any text has one."""
    for scheme, pattern in SCHEMES.items():
        if fields := pattern.fullmatch(stem):
            return _named(scheme, stem, fields.groupdict())
    return Name("single", "" if stem.lower() in GENERIC else stem, 0)


def _named(scheme, stem, parts):
    sample, flowcell = parts["sample"] or "", parts.get("flowcell") or ""
    if scheme == "numbered" and (parts["mate"].startswith("0") or (not sample and stem not in "12")):
        return Name("single", stem, 0)
    sample = "_".join(filter(None, [sample, parts.get("rest")]))
    mate = 2 if parts.get("reverse") else 1 if parts.get("forward") else int(parts["mate"] or 0)
    if barcode := scheme == "mgi" and bool(BARCODE.fullmatch(sample)):
        sample = f"{flowcell}_{sample}"  # the barcode of another flowcell is another sample
    if sample.lower() in GENERIC:
        sample = ""
    part = "_".join(filter(None, [parts.get("library"), parts.get("chunk")]))
    return Name(scheme, sample, mate, flowcell, parts.get("lane") or "", part, barcode)


def not_reads(stem: str) -> str:
    """Why a file has no reads of a sample (index reads, undetermined reads), or an empty text."""
    if NOT_A_SAMPLE.fullmatch(stem):
        return "reads of no sample (undetermined)"
    return "index reads" if INDEX_READ.fullmatch(stem) else ""


def mended(text: str, taken: Collection[str] = ()) -> str:
    """`text` as a name that the sheet takes and that differs from those `taken` by more than case and leading zeros."""
    name = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = INVALID.sub("_", name if name.strip("._- ") else text) or "_"
    if not re.match(r"[A-Za-z0-9_]", name):
        name = "_" + name[1:]
    if sheet_text.DATE.fullmatch(name):
        name = f"s_{name}"
    if len(name) > LONGEST - 4:  # room for a number
        name = f"{name[: LONGEST - 13]}_{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"
    if sheet_text.is_periodic(name):
        name += "_s"
    number, first = 1, name
    while sheet_text.alike(name) in taken:
        number += 1
        name = f"{first}_{number}"
    return name
