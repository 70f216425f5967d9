"""How much disk a run will take, said before it starts. Factors were measured on simulated and published reads."""

import os
import shutil
from pathlib import Path

from rna2model.files import is_gzip

BAM = 1.1  # sorted BAM, relative to the gzipped FASTQ
PACKED = 4  # gzip packs FASTQ about four to one
REPORTS = 5e6  # bytes of quality reports of a sample
FULL = 20e6  # bytes; with less a job that died probably died of it
INDEX = {"star": 12, "hisat2": 5, "none": 0}  # index, relative to the genome


def estimate(samples, config):
    """{reads, kept, working, free} in bytes: what comes in, stays, is there at most while it runs, and is free now.

    samples : {name: Sample} that are used; accessions, whose size nobody knows yet, count as nothing
    """
    paths = [path for sample in samples.values() for path in (*sample.fastq_1, *sample.fastq_2)]
    reads = sum(_packed_size(path) for path in paths)
    lanes = sum(
        _packed_size(p) for s in samples.values() if len(s.fastq_1) > 1 for p in (*s.fastq_1, *s.fastq_2)
    )
    given = sum(Path(sample.bam).stat().st_size for sample in samples.values() if sample.bam)
    alignments = given + (BAM * reads if config["alignment"]["tool"] != "none" else 0)
    steps = sum(bool(config["trimming"][key]) for key in ("umi", "rrna")) + (
        config["trimming"]["tool"] != "none"
    )
    fasta = Path(config["reference"]["fasta"])
    genome = fasta.stat().st_size * (PACKED if is_gzip(fasta) else 1)
    index = 0 if config["reference"]["index"] else INDEX[config["alignment"]["tool"]] * genome
    index += 8 * genome if config["quantification"]["tool"] == "salmon" else 0

    kept = genome + index + REPORTS * len(samples)
    kept += alignments if config["keep"]["alignments"] else 0
    kept += reads if config["keep"]["trimmed"] and steps else 0
    working = kept + lanes + reads * steps + (0 if config["keep"]["alignments"] else alignments)
    return {"reads": reads + given, "kept": kept, "working": working, "free": _free(config["results"])}


def message(found):
    """(text, whether it is a warning) about an estimate."""
    text = (
        f"disk: {_size(found['reads'])} of reads come in; the results keep about {_size(found['kept'])}, with up to"
        f" {_size(found['working'])} while it runs; {_size(found['free'])} are free"
    )
    if found["working"] <= found["free"]:
        return text, False
    return (
        text
        + ". That may not be enough: keep.alignments: false saves the most, or point `results` elsewhere",
        True,
    )


def shortage(results):
    """What to tell after a failure when the disk of `results` is full; an empty text when it is not."""
    free = _free(results)
    if free > FULL:
        return ""
    return (
        f"The disk of {results} is full ({_size(free)} are free): make room, or point `results` elsewhere;"
        " what is done stays, and the same command goes on from there."
    )


def unwritable(results):
    """Problem of an output folder that cannot be written, before any job finds out; an empty text when it can."""
    place = _existing(results)
    if os.access(place, os.W_OK):
        return ""
    return (
        f"config: results: {place} cannot be written (a read-only disk, or not yours); choose another folder"
    )


def _packed_size(path):
    path = Path(path)
    return path.stat().st_size / (1 if is_gzip(path) else PACKED)


def _existing(results):
    """The folder, or the nearest one above it that is there."""
    place = Path(results).absolute()
    while not place.exists():
        place = place.parent
    return place


def _free(results):
    return shutil.disk_usage(_existing(results)).free


def _size(number):
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"
