"""Read and check the sample sheet: one record per sample, all problems at once with row and column."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from rna2model.core import seen_files
from rna2model.core.files import first_read
from rna2model.core.paths import locate
from rna2model.inputs import sheet_text
from rna2model.inputs.config import schema, unreadable
from rna2model.inputs.sheet_text import COUNTS_FILE, SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FILE_COLUMNS = ("fastq_1", "fastq_2", "bam")
ACCESSION = re.compile(r"[SED]RR[0-9]{5,}")
TECHNICAL = {"sample", *FILE_COLUMNS, "strandedness", COUNTS_FILE}


@dataclass
class Sample:
    """One sample of the sheet: where its reads come from, and its metadata (text cells).

    Reads are FASTQ lanes (paths), accessions of the Sequence Read Archive, or one BAM file.
    `layout`: paired or single, which the sheet must say of accessions; a BAM file says it itself.
    """

    name: str
    row: int
    strandedness: str
    exclude: str
    metadata: dict[str, str]
    fastq_1: list[str] = field(default_factory=list)
    fastq_2: list[str] = field(default_factory=list)
    accessions: list[str] = field(default_factory=list)
    bam: str | None = None
    counts_file: str | None = None
    layout: str = "single"


def read(
    path: str | Path,
    folders: Sequence[str | Path] = (),
    matrix: bool = False,
    strandedness: str = "auto",
    store: Any = None,
    contents: bool = True,
    counted: Callable[[str], bool] | None = None,
) -> tuple[dict[str, Sample], list[str]]:
    """Return (samples: {name: Sample}, problems: list of str) of the sheet at `path`.

    `folders`: where relative paths are looked for after the sheet's own folder. With `matrix` the
    counts come from elsewhere and the file columns are not read. `store`: the object storage that has the files.
    `contents`: also open the lanes of samples that have several, and compare how they begin. `counted`: function that says
    of a sample's name whether its counts are there, so that its reads may be gone.
    """
    path = Path(path)
    rows, columns, problems = sheet_text.read(path)
    if problems:
        return {}, problems
    problems = _columns(path, columns, matrix)
    if problems:
        return {}, problems
    problems = [problem for number, row in rows for problem in _cells(path, number, row)]
    problems += [problem for number, row in rows for problem in _repetitive(path, number, row)]
    places = [] if store else [path.parent, *folders]
    samples, merge_problems = _merge(path, rows, places, matrix, strandedness)
    problems += merge_problems + _similar_names(path, samples)
    if not matrix:
        problems += _files(path, rows, places, store, counted or (lambda name: False))
        problems += _same_lanes(path, rows, places) if contents and not store else []
    return samples, problems


def _columns(path, columns, matrix):
    problems = [
        f"{path} row 1: column {c!r} is there twice" for c in set(columns) if c and columns.count(c) > 1
    ]
    if "sample" not in columns:
        near = [column for column in columns if column.lower() == "sample"]
        hint = f"; rename {near[0]!r}" if near else ""
        problems.append(f"{path} row 1: column 'sample' is missing (found: {', '.join(columns)}){hint}")
    elif not matrix and COUNTS_FILE in columns:
        problems.append(
            f"{path} row 1: columns of reads ({', '.join(sorted(set(SOURCES) & set(columns)))}) and of counts ({COUNTS_FILE}); which"
            " are to be used? Remove the other"
        )
    elif not matrix and not set(SOURCES) & set(columns):
        problems.append(
            f"{path} row 1: a column 'fastq_1', 'bam' or 'accession' is needed (found: {', '.join(columns)})"
        )
    return problems


def _cells(path, number, row):
    for error in Draft202012Validator(schema("samples")).iter_errors(row):
        column = error.absolute_path[0]
        why = error.schema.get("errorMessage", error.message)
        yield f"{path} row {number}, column {column}: {error.instance!r} {why}"


def _repetitive(path, number, row):
    """Problems of cells that become part of file names and that Snakemake would read as a rule that makes its own input."""
    for column in ("sample", "accession"):
        if sheet_text.is_periodic(row.get(column) or ""):
            yield (
                f"{path} row {number}, column {column}: {row[column]!r} ends with the same text 20 times or more, which"
                " Snakemake refuses in file names; shorten it"
            )


def _merge(path, rows, folders, matrix, strandedness):
    """Merge the rows of each sample, one per lane; their other cells must agree."""
    samples, problems = {}, []
    for number, row in rows:
        name = row["sample"]
        metadata = {column: cell for column, cell in row.items() if column and column not in TECHNICAL}
        strand = row.get("strandedness") or strandedness
        sample = Sample(name, number, strand, row.get("exclude", ""), metadata)
        if matrix and row.get(COUNTS_FILE):
            sample.counts_file = str(locate(row[COUNTS_FILE], folders))
        first = samples.setdefault(name, sample)
        if first is not sample:
            problems += _disagreements(path, first, sample)
            if matrix:
                problems.append(f"{path} row {number}, column sample: {name!r} is already in row {first.row}")
        if not matrix:
            problems += _add_lane(path, first, number, row, folders)
    return samples, problems


def _disagreements(path, first, other):
    cells = [("strandedness", first.strandedness, other.strandedness)]
    shared = [column for column in first.metadata if column not in ("accession", "layout")]
    cells += [(column, first.metadata[column], other.metadata[column]) for column in shared]
    return [
        f"{path} row {other.row}, column {column}: {theirs!r} differs from {ours!r} in row {first.row};"
        f" rows of sample {first.name!r} are lanes of one library and must agree"
        for column, ours, theirs in cells
        if ours != theirs
    ]


def _add_lane(path, sample, number, row, folders):
    """Add the row's reads to its sample; problems when it has none, or others than the rows before."""
    where, kinds = f"{path} row {number}", [column for column in SOURCES[:2] if row.get(column)]
    if len(kinds) == 2:
        return [f"{where}: has both fastq_1 and bam; give one of them"]
    if not kinds and not row.get("accession"):
        return [
            f"{where}, column fastq_1: is empty; a sample needs fastq_1 (and fastq_2 if paired), bam or accession"
        ]
    kind = kinds[0] if kinds else "accession"
    before = [
        k for k, seen in zip(SOURCES, (sample.fastq_1, sample.bam, sample.accessions), strict=True) if seen
    ]
    if before and (before != [kind] or kind == "bam"):
        return [
            f"{where}, column {kind}: sample {sample.name!r} already has {before[0]}; rows of one sample are lanes of"
            " the same kind, and BAM files must be merged first (samtools merge)"
        ]
    if kind == "bam":
        sample.bam = str(locate(row["bam"], folders))
        return []
    return (_add_fastq if kind == "fastq_1" else _add_accession)(where, sample, row, folders)


def _add_fastq(where, sample, row, folders):
    layout = "paired" if row.get("fastq_2") else "single"
    if sample.fastq_1 and layout != sample.layout:
        return [f"{where}, column fastq_2: sample {sample.name!r} mixes single-end and paired-end lanes"]
    sample.layout = layout
    sample.fastq_1.append(str(locate(row["fastq_1"], folders)))
    if layout == "paired":
        sample.fastq_2.append(str(locate(row["fastq_2"], folders)))
    return []


def _add_accession(where, sample, row, folders):
    accession, layout = row["accession"], row.get("layout", "").lower()
    if not ACCESSION.fullmatch(accession):
        return [
            f"{where}, column accession: {accession!r} is no run of the Sequence Read Archive (SRR, ERR or DRR and digits)"
        ]
    if layout not in ("paired", "single"):
        return [
            f"{where}, column layout: {layout!r} must be paired or single, as the archive says of {accession} (LibraryLayout)"
        ]
    if sample.accessions and layout != sample.layout:
        return [f"{where}, column layout: sample {sample.name!r} mixes single-end and paired-end runs"]
    if accession in sample.accessions:
        return [
            f"{where}, column accession: {accession} is there twice for sample {sample.name!r}; remove one of the rows"
        ]
    sample.layout = layout
    sample.accessions.append(accession)
    sample.metadata["accession"] = ",".join(sample.accessions)
    return []


def _files(path, rows, folders, store, counted):
    """Problems of missing files and of files named in two cells."""
    problems, seen = [], defaultdict(list)
    cells = [
        (number, row["sample"], column, row[column])
        for number, row in rows
        for column in FILE_COLUMNS
        if row.get(column)
    ]
    stored = store.unreadable([cell for *_, cell in cells]) if store else {}
    for number, name, column, cell in cells:
        file = locate(cell, folders)
        why = stored.get(cell) if store else unreadable(file)
        if why and (os.path.exists(file) or not counted(name)):
            problems.append(f"{path} row {number}, column {column}: {why}: {file}")
        naming = (file, f"row {number}, column {column}")
        seen[file if store else _identity(file)].append(naming)
    for named in seen.values():
        if len(named) > 1:
            places = " and ".join(place for _, place in named[:3])
            places += f" and {len(named) - 3} more" if len(named) > 3 else ""
            file = named[0][0] if store else named[0][0].resolve()
            problems.append(f"{path} {places}: the same file twice: {file}")
    return problems


def _same_lanes(path, rows, folders):
    """Problems of lanes of a sample that begin with the same read; prepare_reads compares their ends, too."""
    problems, lanes = [], defaultdict(list)
    for number, row in rows:
        if row.get("fastq_1"):
            lanes[row["sample"]].append((number, locate(row["fastq_1"], folders)))
    for name, files in lanes.items():
        seen = {}
        for number, file in files if len(files) > 1 else ():
            read = seen_files.answer("first read", file, _first_read)
            first, other = seen.setdefault(read, (number, file)) if read else (number, file)
            if file != other and not os.path.samefile(file, other):
                problems.append(
                    f"{path} rows {first} and {number}, column fastq_1: {other} and {file} begin with the same read; a lane of"
                    f" {name} must not be counted twice: remove one of the rows"
                )
    return problems


def _first_read(file):
    """files.first_read() as text."""
    read = first_read(file)
    return read and " ".join(part.decode(errors="replace") for part in read)


def _identity(file):
    """A key that is equal for all names (links) of one file."""
    try:
        status = file.stat()
    except OSError:
        return file.resolve()
    return status.st_dev, status.st_ino


def _similar_names(path, samples):
    """Problems of names that differ only in case or leading zeros: they are one sample typed twice, or will be
    mistaken for one."""
    alike = defaultdict(list)
    for name in samples:
        alike[sheet_text.alike(name)].append(name)
    return [
        f"{path} rows {', '.join(str(samples[n].row) for n in names)}, column sample: "
        f"{', '.join(names)} differ only by case or leading zeros; rename them"
        for names in alike.values()
        if len(names) > 1
    ]
