"""Read and check the sample sheet: one record per sample, all problems at once with row and column."""

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jsonschema import Draft202012Validator

from rna2model import batch, splits
from rna2model.config import locate, schema
from rna2model.errors import InputProblem

MISSING = {"", "NA", "N/A", "n/a", "NaN", "nan", "None", "none", "NULL"}
FILE_COLUMNS = ("fastq_1", "fastq_2", "bam")
TECHNICAL = {"sample", *FILE_COLUMNS, "strandedness"}


@dataclass
class Sample:
    """One sample of the sheet: its lanes (paths) and its metadata (text cells)."""

    name: str
    row: int
    strandedness: str
    exclude: str
    metadata: dict
    fastq_1: list = field(default_factory=list)
    fastq_2: list = field(default_factory=list)

    @property
    def paired(self):
        return bool(self.fastq_2)


def is_missing(cell):
    """Whether a metadata cell counts as not given."""
    return cell is None or cell.strip() in MISSING


def read(path, folders=(), matrix=False, strandedness="auto"):
    """Return (samples: {name: Sample}, problems: list of str) of the sheet at `path`.

    `folders`: where relative paths are looked for after the sheet's own folder. With `matrix` the
    counts come from elsewhere and the file columns are not read.
    """
    path = Path(path)
    rows, columns, problems = _rows(path)
    if problems:
        return {}, problems
    problems = _columns(path, columns, matrix)
    if problems:
        return {}, problems
    problems = [problem for number, row in rows for problem in _cells(path, number, row)]
    samples, merge_problems = _merge(path, rows, [path.parent, *folders], matrix, strandedness)
    problems += merge_problems + _similar_names(path, samples)
    if not matrix:
        problems += _files(path, rows, [path.parent, *folders])
    return samples, problems


def _rows(path):
    """([(row number, {column: cell})], columns, problems); row 1 is the header."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return [], [], [f"{path}: is not UTF-8 text; save the sheet as UTF-8 (CSV or TSV)"]
    except OSError as error:
        return [], [], [f"{path}: cannot be read ({error.strerror})"]
    lines = text.splitlines()
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    table = list(csv.reader(lines, delimiter=delimiter))
    if not table or not any(cell.strip() for cell in table[0]):
        return [], [], [f"{path}: is empty; the first row must name the columns"]
    columns = [cell.strip() for cell in table[0]]
    rows, problems = [], []
    for number, cells in enumerate(table[1:], start=2):
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            problems.append(f"{path} row {number}: has {len(cells)} cells, the header has {len(columns)}")
        rows.append((number, dict(zip(columns, cells + [""] * len(columns), strict=False))))
    if not rows:
        problems.append(f"{path}: has no sample rows")
    return rows, columns, problems


def _columns(path, columns, matrix):
    problems = [
        f"{path} row 1: column {c!r} is there twice" for c in set(columns) if c and columns.count(c) > 1
    ]
    if "sample" not in columns:
        problems.append(f"{path} row 1: column 'sample' is missing (found: {', '.join(columns)})")
    elif not matrix and "fastq_1" not in columns:
        problems.append(f"{path} row 1: a column 'fastq_1' is needed (found: {', '.join(columns)})")
    return problems


def _cells(path, number, row):
    for error in Draft202012Validator(schema("samples")).iter_errors(row):
        column = error.absolute_path[0]
        why = error.schema.get("errorMessage", error.message)
        yield f"{path} row {number}, column {column}: {error.instance!r} {why}"


def _merge(path, rows, folders, matrix, strandedness):
    """Rows with the same sample are its lanes; their other cells must agree."""
    samples, problems = {}, []
    for number, row in rows:
        name = row["sample"]
        metadata = {column: cell for column, cell in row.items() if column and column not in TECHNICAL}
        strand = row.get("strandedness") or strandedness
        sample = Sample(name, number, strand, row.get("exclude", ""), metadata)
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
    cells += [(column, first.metadata[column], other.metadata[column]) for column in first.metadata]
    return [
        f"{path} row {other.row}, column {column}: {theirs!r} differs from {ours!r} in row {first.row};"
        f" rows of sample {first.name!r} are lanes of one library and must agree"
        for column, ours, theirs in cells
        if ours != theirs
    ]


def _add_lane(path, sample, number, row, folders):
    """Add the row's files to its sample; problems when the row has none or mixes layouts."""
    one, two, bam = (row.get(column, "") for column in FILE_COLUMNS)
    where = f"{path} row {number}"
    if bam:
        return [
            f"{where}, column bam: this version starts from FASTQ files or a count matrix; give fastq_1 instead"
        ]
    if not one:
        return [f"{where}, column fastq_1: is empty; a sample needs fastq_1 (and fastq_2 if paired)"]
    if sample.fastq_1 and bool(two) != sample.paired:
        return [f"{where}, column fastq_2: sample {sample.name!r} mixes single-end and paired-end lanes"]
    sample.fastq_1.append(str(locate(one, folders)))
    if two:
        sample.fastq_2.append(str(locate(two, folders)))
    return []


def _files(path, rows, folders):
    """Files that are not there, or that two cells name."""
    problems, seen = [], defaultdict(list)
    for number, row in rows:
        for column in FILE_COLUMNS:
            if not row.get(column):
                continue
            file = locate(row[column], folders)
            if not file.is_file():
                kind = "is a folder" if file.is_dir() else "no such file"
                problems.append(f"{path} row {number}, column {column}: {kind}: {file}")
            seen[file.resolve()].append(f"row {number}, column {column}")
    for file, places in seen.items():
        if len(places) > 1:
            problems.append(f"{path} {' and '.join(places)}: the same file twice: {file}")
    return problems


def _similar_names(path, samples):
    """Names that differ only in case or leading zeros are one sample typed twice, or soon mistaken for one."""
    alike = defaultdict(list)
    for name in samples:
        alike[name.lower().lstrip("0") or "0"].append(name)
    return [
        f"{path} rows {', '.join(str(samples[n].row) for n in names)}, column sample: "
        f"{', '.join(names)} differ only by case or leading zeros; rename them"
        for names in alike.values()
        if len(names) > 1
    ]


def check_design(path, samples, config):
    """Problems of the target, batch and group columns (a list of str)."""
    design, problems = config["design"], []
    columns = next(iter(samples.values())).metadata if samples else {}
    for role in ("target", "batch", "group"):
        column = design[role]
        if column and column not in columns:
            problems.append(
                f"{path}: design.{role} names column {column!r}, which the sheet does not have"
                f" (metadata columns: {', '.join(columns) or 'none'})"
            )
    if problems:
        return problems
    used = [sample for sample in samples.values() if not sample.exclude]
    labelled = [sample for sample in used if not is_missing(sample.metadata[design["target"]])]
    classes = sorted({sample.metadata[design["target"]] for sample in labelled})
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if classes else "no value"
        problems.append(
            f"{path}, column {design['target']}: classification needs at least two classes, found {found}"
        )
    for role, among in (("batch", used), ("group", labelled)):
        column = design[role]
        problems += [
            f"{path} row {sample.row}, column {column}: is empty; every "
            + ("sample needs its batch" if role == "batch" else "labelled sample needs its group")
            for sample in among
            if column and is_missing(sample.metadata[column])
        ]
    if not problems:
        problems += _confounded(path, labelled, config)
    if config["evaluation"]["leave_one_batch_out"] and not problems:
        problems += _batch_names(path, labelled, design["batch"])
    return problems


def _confounded(path, labelled, config):
    """Correcting a batch that is the target: the sheet alone rules it out."""
    design = config["design"]
    if config["expression"]["batch_correction"] == "none":
        return []
    try:
        batch.check_confounding(
            *([s.metadata[design[role]] for s in labelled] for role in ("batch", "target"))
        )
    except InputProblem as problem:
        return [f"{path}, column {design['batch']}: {problem}"]
    return []


def too_few_to_train(samples, config):
    """Why the labelled samples cannot be split into the folds, or an empty text. Counting needs no folds, so
    this is a warning at the start; the rule that assigns the folds refuses, after quality control."""
    design = config["design"]
    labelled = [s for s in samples.values() if not s.exclude and not is_missing(s.metadata[design["target"]])]
    groups = [s.metadata[design["group"]] if design["group"] else s.name for s in labelled]
    try:
        labels = np.array([s.metadata[design["target"]] for s in labelled])
        splits.check_enough(labels, np.array(groups), config["evaluation"]["folds"])
    except InputProblem as problem:
        return f"no model can be trained on this sheet: {problem}"
    return ""


def _batch_names(path, labelled, column):
    names = sorted({sample.metadata[column] for sample in labelled})
    pattern = schema("samples")["properties"]["sample"]["pattern"]
    bad = [n for n in names if list(Draft202012Validator({"pattern": pattern}).iter_errors(n))]
    problems = [
        f"{path}, column {column}: batch {name!r} becomes a file name for leave_one_batch_out;"
        " use letters, digits, '.', '_' or '-'"
        for name in bad
    ]
    if len(names) < 2:
        problems.append(f"{path}, column {column}: leave_one_batch_out needs at least two batches")
    return problems
