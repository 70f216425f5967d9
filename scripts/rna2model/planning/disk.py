"""Estimate of the disk space that a run needs, reported before it starts. Factors were measured on simulated and
published reads."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import seen_files
from rna2model.core.files import is_gzip
from rna2model.planning import quota

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rna2model.inputs.sheet import Sample

BAM = 1.1  # sorted BAM, relative to the gzipped FASTQ
QUICK = 1.25  # packed by gzip -1, as temporary files are, relative to gzip -6
ACCESSION = (
    4e9  # bytes of packed FASTQ of a run of the archive, whose size nobody knows yet: 30 million pairs
)
PACKED = 4  # gzip packs FASTQ about four to one
REPORTS = 5e6  # bytes of quality reports of a sample
FULL = 20e6  # bytes; with less a job that died probably died of it
INDEX = {"star": 12, "hisat2": 5, "none": 0}  # index, relative to the genome


def estimate(
    samples: Mapping[str, Sample],
    config: Mapping[str, Any],
    at_once: int | None = None,
    downloads: int | None = None,
) -> dict[str, Any]:
    """{reads, kept, working, free} in bytes: what comes in, stays, is there at most while it runs, and is free now;
    `quota` says whose quota leaves only that, and `guessed` counts accessions, each taken for 4 GB.

    samples : {name: Sample} that are used
    at_once : number of samples that are worked on at the same time, the largest ones; None: all
    downloads : number of accessions that are fetched at the same time; None: all
    """
    aligned = config["alignment"]["tool"] != "none"
    given_alignments = sum(Path(sample.bam).stat().st_size for sample in samples.values() if sample.bam)
    packed = {name: packed_reads(sample) for name, sample in samples.items()}
    reads = sum(packed.values())
    joined = sum(packed[name] for name, each in samples.items() if len(each.fastq_1) > 1 or each.accessions)
    alignments = given_alignments + (BAM * reads if aligned else 0)
    steps = sum(bool(config["trimming"][key]) for key in ("umi", "rrna")) + (
        config["trimming"]["tool"] != "none"
    )
    fasta = Path(config["reference"]["fasta"])
    genome = fasta.stat().st_size * (PACKED if is_packed(fasta) else 1)
    index = 0 if config["reference"]["index"] else INDEX[config["alignment"]["tool"]] * genome
    index += 8 * genome if config["quantification"]["tool"] == "salmon" else 0

    kept = genome + index + REPORTS * len(samples)
    kept += alignments if config["keep"]["alignments"] else 0
    kept += reads if config["keep"]["trimmed"] and steps else 0
    scratch = sorted(
        (_scratch(sample, packed[name], aligned) for name, sample in samples.items()), reverse=True
    )
    working = kept + joined + QUICK * reads * steps + (0 if config["keep"]["alignments"] else alignments)
    guessed = sum(len(sample.accessions) for sample in samples.values())
    fetched = min(number for number in (guessed, at_once, downloads) if number is not None)
    working += sum(scratch[:at_once]) + 2 * PACKED * ACCESSION * fetched
    free, whose = _free(config["results"])
    return {
        "reads": reads + given_alignments,
        "kept": kept,
        "working": working,
        "free": free,
        "quota": whose,
        "guessed": guessed,
    }


def packed_reads(sample: Sample) -> float:
    """Compressed size of a sample's FASTQ in bytes; a missing file counts as 0."""
    paths = [path for path in (*sample.fastq_1, *sample.fastq_2) if Path(path).is_file()]
    return sum(map(_packed_size, paths)) + ACCESSION * len(sample.accessions)


def _scratch(sample: Sample, packed: float, aligned: bool) -> float:
    """Bytes of files that are there only while the alignments of a sample are made.

    A sort: its chunks, packed quickly. A given BAM file: with equal names of mates, by name, in form, and the chunks of its
    sort. (A download has the FASTQ and fasterq-dump's temporary files, both unpacked.)
    """
    if sample.bam:
        return (2 + 2 * QUICK) * Path(sample.bam).stat().st_size
    return QUICK * BAM * packed if aligned else 0


def message(sizes: Mapping[str, Any]) -> tuple[str, bool]:
    """(text, whether it is a warning) about an estimate."""
    guessed = sizes.get("guessed")
    guess = f" ({guessed} accession{'s' if guessed > 1 else ''} taken for 4 GB each)" if guessed else ""
    whose = f" ({sizes['quota']})" if sizes.get("quota") else ""
    text = (
        f"disk: {_size(sizes['reads'])} of reads come in{guess}; the results keep about {_size(sizes['kept'])}, with up to"
        f" {_size(sizes['working'])} while it runs; {_size(sizes['free'])} are free{whose}"
    )
    if sizes["working"] <= sizes["free"]:
        return text, False
    return (
        text
        + ". That may not be enough: keep.alignments: false saves the most, or point `results` elsewhere",
        True,
    )


def shortage(results: str | Path) -> str:
    """Message for a failed run if the disk of `results` is full; an empty text if it is not."""
    free, whose = _free(results)
    if free > FULL:
        return ""
    return (
        f"The disk of {results} is full ({_size(free)} are free{f' by the {whose}' if whose else ''}): make room, or point `results` elsewhere;"
        " what is done stays, and the same command goes on from there."
    )


def unwritable(results: str | Path) -> str:
    """Why an output folder cannot be written, or an empty text if it can."""
    place = _existing(results)
    if os.access(place, os.W_OK):
        return ""
    return (
        f"config: results: {place} cannot be written (a read-only disk, or not yours); choose another folder"
    )


def is_packed(path: str | Path) -> bool:
    """Whether a file is gzipped; a file checked by an earlier start is not opened again."""
    return seen_files.answer("gzip", path, is_gzip)


def _packed_size(path: str | Path) -> float:
    path = Path(path)
    return path.stat().st_size / (1 if is_packed(path) else PACKED)


def _existing(results: str | Path) -> Path:
    """The folder, or its nearest parent that exists."""
    place = Path(results).absolute()
    while not place.exists():
        place = place.parent
    return place


def _free(results: str | Path) -> tuple[int, str]:
    """(free bytes, whose quota limits them, or an empty text)."""
    place = _existing(results)
    on_disk = shutil.disk_usage(place).free
    return min((on_disk, ""), quota.left(place) or (on_disk, ""))


def _size(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"
