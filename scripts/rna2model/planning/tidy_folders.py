"""Move quality files of earlier versions, which had a folder for each kind of file, into a folder for each sample.

Without this every sample would be aligned again for the new names of its files, and none whose reads are archived could be.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rna2model.core import tool_failure
from rna2model.qc import fastqc_archive

if TYPE_CHECKING:
    from collections.abc import Iterable

LAYOUTS = ("paired", "single", "bam")
RENAMED = {  # {where a file was below qc: how it ends now}; {} is the sample
    "samples/{}.json": ".json",
    "deduplicated/{}.json": ".deduplicated.json",
    "star/{}.Log.final.out": ".Log.final.out",
    "star/{}.SJ.out.tab": ".SJ.out.tab",
    "star/{}.ReadsPerGene.out.tab": ".ReadsPerGene.out.tab",
    "hisat2/{}.txt": ".hisat2.txt",
    "samtools/{}.stats.txt": ".stats.txt",
    "featurecounts/{}.txt.summary": ".featurecounts.txt.summary",
    "htseq/{}.htseq.txt": ".htseq.txt",
    "salmon/{}.json": ".salmon.json",
}
for kind in LAYOUTS:
    RENAMED |= {
        f"reads/{kind}/{{}}.json": f".{kind}.reads.json",
        f"umi/{kind}/{{}}.json": f".{kind}.umi.json",
        f"rrna/{kind}/{{}}.json": f".{kind}.rrna.json",
        f"trimming/{kind}/{{}}.fastp.json": f".{kind}.fastp.json",
        f"trimming/{kind}/{{}}.cutadapt.json": f".{kind}.cutadapt.json",
    }
    for mate in ("_R1", "_R2"):
        end = "fastq.gz_trimming_report.txt"
        RENAMED[f"trimming/{kind}/{{}}{mate}.{end}"] = f"{mate}.{kind}.{end}"
RSEQC = [f"rseqc/{{}}.{part}.txt" for part in ("geneBodyCoverage", "read_distribution", "junctions")]
LIBRARY = ["strandedness/{}.json", "library/{}.txt", "flagstat/{}.json"]
REPORTS = [
    f"fastqc/{stage}/{kind}/{{}}_{mate}_fastqc"
    for stage in ("raw", "trimmed")
    for kind in LAYOUTS[:2]
    for mate in ("R1", "R2")
]
KINDS = {path.split("/")[0] for path in [*RENAMED, *RSEQC, *LIBRARY, *REPORTS]}


def tidy(results: str | Path, samples: Iterable[str]) -> int:
    """Rename and join the quality files of these samples, where they lie as they did; dates stay. Returns the number of samples."""
    qc = Path(results, "qc")
    there = {path.relative_to(qc).as_posix() for kind in KINDS for path in (qc / kind).rglob("*")}
    if not there:
        return 0
    changed = sum([_tidy(qc, name, there) for name in samples])
    for kind in KINDS:
        _remove_empty(qc / kind)
    return changed


def _tidy(qc, name, there):
    folder = qc / name

    def present(paths):
        return [qc / path for path in (path.format(name) for path in paths) if path in there]

    new_places = {
        qc / old.format(name): folder / f"{name}{new}"
        for old, new in RENAMED.items()
        if old.format(name) in there
    }
    new_places = {old: new for old, new in new_places.items() if old != new}
    rseqc, library = present(RSEQC), present(LIBRARY)
    reports = {f"{path.parts[-3]}/{path.name}": path for path in present(f"{path}.zip" for path in REPORTS)}
    if not (new_places or rseqc or library or reports):
        return False
    folder.mkdir(exist_ok=True)
    for old, new in new_places.items():
        os.replace(old, new)
    if len(rseqc) == len(RSEQC):
        _join(rseqc, folder / f"{name}.rseqc.txt", _text)
    if library:
        _join(library, folder / f"{name}.library.json", _facts)
    benchmark = qc.parent / f"benchmarks/alignment_stats/{name}.tsv"
    for path in (folder / f"{name}.stats.txt", benchmark):
        _date_after(path, folder / f"{name}.library.json")
    if reports:
        _join(
            list(reports.values()),
            folder / f"{name}{fastqc_archive.ENDING}",
            lambda paths, target: fastqc_archive.pack(reports, target),
        )
    for path in present([*(f"{path}.html" for path in REPORTS), "star/{}.Log.std.out"]):
        path.unlink()  # the pages are in the zip files
    return True


def _join(paths, target, write):
    """Make one file of several, unless one is the mark of a failure, which stands for all."""
    times = max(path.stat().st_mtime_ns for path in paths)
    part = target.with_name(f"{target.name}.part")
    if failed := tool_failure.first(paths):
        failed.mark([part])
    else:
        write(paths, part)
    os.utime(part, ns=(times, times))
    os.replace(part, target)
    for path in paths:
        path.unlink()


def _date_after(path, other):
    """One job makes `path` (or has it for a benchmark, which Snakemake looks at as well) of `other` now."""
    if path.is_file() and other.is_file():
        times = max(path.stat().st_mtime_ns, other.stat().st_mtime_ns + 1_000_000)
        os.utime(path, ns=(times, times))


def _text(paths, target):
    target.write_text("".join(path.read_text() for path in paths))


def _facts(paths, target):
    """Join strandedness, layout with fragments, and flagstat, as far as they exist (Salmon writes only the first),
    into `target`."""
    facts = {}
    for path in paths:
        if path.suffix == ".txt":
            library = dict(line.split("=") for line in path.read_text().splitlines())
            facts |= {"layout": library["layout"], "fragments": int(library["fragments"])}
        else:
            read = json.loads(path.read_text())
            facts |= {"flagstat": read} if path.parent.name == "flagstat" else read
    target.write_text(json.dumps(facts, indent=1) + "\n")


def _remove_empty(folder):
    for path in sorted(folder.rglob("*"), reverse=True) if folder.is_dir() else ():
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
