"""Read the text of a sample sheet into rows of cells; damage by spreadsheets is reported, never repaired by guessing."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from rna2model.core.spreadsheet import SPREADSHEET_ERROR

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ("fastq_1", "bam", "accession")  # columns that name reads, or where they are
COUNTS_FILE = "counts_file"  # the column with the counts of one sample, see samplefiles
DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
DATE = re.compile(r"\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(-\d+)?", re.IGNORECASE)
RESERVED = {"_index"}  # cohort.h5ad keeps the samples' names under it
PERIODIC = re.compile(r"(.+)\1{19}$")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def read(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str], list[str]]:
    """([(row number, {column: cell})], columns, problems); row 1 is the header, cells are stripped."""
    text, problem = _text(path)
    if problem:
        return [], [], [problem]
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    table, problems = _table(path, text, delimiter)
    if problems:
        return [], [], problems
    if not table or not any(table[0][1]):
        return [], [], [f"{path}: is empty; the first row must name the columns"]
    columns = table[0][1]
    problems, rows = _header(path, columns, delimiter), []
    if problems:
        return [], columns, problems
    for number, cells in table[1:]:
        if not any(cells):
            continue
        if len(cells) < len(columns):
            problems.append(
                f"{path} row {number}: has {len(cells)} cells, the header has {len(columns)}; what is in which column? An empty"
                " cell needs its separator, too"
            )
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            problems.append(f"{path} row {number}: has {len(cells)} cells, the header has {len(columns)}")
        row = dict(zip(columns, cells + [""] * len(columns), strict=False))
        problems += _cells(path, number, row)
        rows.append((number, row))
    if not rows:
        problems.append(f"{path}: has no sample rows")
    return rows, columns, problems


def _text(path):
    """(text, None), or ("", why the file cannot be read)."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return "", f"{path}: is not UTF-8 text; save the sheet as UTF-8 (CSV or TSV)"
    except OSError as error:
        return "", f"{path}: cannot be read ({error.strerror})"
    if "\0" in text:
        return "", f"{path}: is not UTF-8 text (UTF-16?); save the sheet as UTF-8 (CSV or TSV)"
    return text, None


def _table(path, text, delimiter):
    """([(row number, cells)], problems). A quote that is not closed in its row would swallow the rows after it."""
    reader, table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), []
    first = 1
    try:
        for cells in reader:
            if reader.line_num > first:
                return [], [_quote(path, first, f"a quoted cell goes on to line {reader.line_num}")]
            table.append((first, [cell.strip() for cell in cells]))
            first = reader.line_num + 1
    except csv.Error as error:
        return [], [_quote(path, first, str(error))]
    return table, []


def _quote(path, row, why):
    return f'{path} row {row}: {why}; a cell must end in its row: close or remove the quote mark (")'


def _header(path, columns, delimiter):
    """Problems of the column names."""
    if columns[0].startswith(("#", "sep=")):
        return [
            f"{path} row 1: {columns[0]!r} is no header; remove this line, the first row must name the columns"
        ]
    if len(columns) == 1:
        others = [mark for mark in DELIMITERS if mark != delimiter and mark in columns[0]]
        if others:
            return [
                f"{path} row 1: cells are separated by {DELIMITERS[others[0]]}, not by {DELIMITERS[delimiter]}; a name in"
                " .csv means commas, any other tabs: save it so"
            ]
    if "sample" not in columns:
        return []  # no header at all, which is reported with the columns that are wanted
    return [
        f"{path} row 1: column {name!r} cannot be stored: rename it, without '/' and control characters"
        for name in columns
        if "/" in name or name in RESERVED or CONTROL.search(name)
    ]


def _cells(path, number, row):
    """Problems of cells with spreadsheet errors or invisible characters."""
    for column, cell in row.items():
        if SPREADSHEET_ERROR.match(cell):
            yield (
                f"{path} row {number}, column {column}: {cell!r} is an error of a spreadsheet; correct it, or empty the cell"
            )
        elif column == "sample" and DATE.fullmatch(cell):
            yield f"{path} row {number}, column sample: {cell!r} is a date that a spreadsheet made of a name; type it as text"
        elif column != "sample" and CONTROL.search(cell):  # names of samples have a rule of their own
            yield f"{path} row {number}, column {column}: {cell!r} holds invisible characters; type it again"


def is_periodic(name: str) -> bool:
    """Whether a name ends with the same text 20 times or more, which Snakemake reports as a cyclic rule."""
    return bool(PERIODIC.search(name))


def alike(name: str) -> str:
    """A key that is equal for names that differ only in case or leading zeros."""
    return name.lower().lstrip("0") or "0"
