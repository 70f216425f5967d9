"""Detect the layout of a text table from its first rows: comments, separator, header, and R's header with one cell less."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rna2model.cohort.tables import opening

if TYPE_CHECKING:
    from pathlib import Path

COMMENTS = ("#", "!", "%", "^")  # of R and most programs, of GEO, of MATLAB, of GEO's SOFT
HEAD = 50  # rows of the table that are looked at
MOST_COMMENTS = 5000  # lines; GEO writes a few hundred
GENES = re.compile(
    r"(?i)|.*(gene|ensembl|entrez|symbol|feature).*|#?ids?|names?|id_ref|probe.*|tx|transcript.*|target_id"
)
NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?|NA|NaN|nan|")
DIMENSIONS = re.compile(r"\d+(\t\d+){1,3}\t*")
GCT = re.compile(r"#1\.[23]\t*")
GEO_BEGIN, GEO_END = "!series_matrix_table_begin", "!series_matrix_table_end"


@dataclass
class Layout:
    """The beginning of a table: `header` and `rows` are cells as text, `skip` the lines above the header."""

    separator: str
    header: list[str]
    rows: list[list[str]]
    skip: int = 0
    comments: list[str] = field(default_factory=list)
    is_short: bool = False  # the header has no cell above the ids, as R writes it
    below: int = 0  # rows of metadata between header and genes (GCT 1.3)
    beside: int = 1  # columns before the samples, where the file says it (GCT)
    is_gct: bool = False

    @property
    def columns(self) -> list[str]:
        """Names of all columns, with an empty one above the ids where the header has none."""
        return ["", *self.header] if self.is_short else self.header


def read(path: str | Path, name: str = "") -> Layout:
    """The Layout of the text file at `path`; ValueError says what is wrong with its first rows.

    name : the file's name; a .csv is read with commas if its content is ambiguous
    """
    with opening.text(path) as file:
        comments, lines = _start(file)
    if not lines:
        raise ValueError("it has no line that is not a comment" if comments else "it is empty")
    dimensions = _dimensions(comments, lines)
    skip = len(comments) + (dimensions is not None)
    lines = lines[1:] if dimensions else lines
    lines = [line for line in lines if line.strip()]
    lines = list(itertools.takewhile(lambda line: line.strip() != GEO_END, lines))
    if not lines:
        raise ValueError("it has no table below its first lines")
    if dimensions is None and _is_header(comments[-1:], lines[0], name):
        lines, skip = [comments.pop().lstrip("#% "), *lines], skip - 1
    separator = _separator(lines, name)
    cells = [_cells(line, separator) for line in lines]
    layout = Layout(separator, [cell.strip() for cell in cells[0]], cells[1:], skip, comments)
    if dimensions:
        layout.is_gct, layout.beside = True, max(len(layout.header) - dimensions[1], 1)
        layout.below = dimensions[3] if len(dimensions) > 3 else 0
    _settle_header(layout)
    return layout


def _start(file):
    """(comment and blank lines above the table, lines of the table)."""
    comments = []
    for line in itertools.islice(file, MOST_COMMENTS):
        line = line.rstrip("\n")
        if "\0" in line:
            raise ValueError("it is no text")
        if line.strip().strip('"') and not line.lstrip('"').startswith(COMMENTS):
            return comments, [line, *(more.rstrip("\n") for more in itertools.islice(file, HEAD))]
        comments.append(line)
    return comments, []


def _dimensions(comments, lines):
    """Numbers of the second line of a GCT file, [genes, samples] and of 1.3 also the columns and rows of metadata; or None.

    Without its first line a GCT file is known by two numbers above a header of so many samples.
    """
    if not DIMENSIONS.fullmatch(lines[0].strip()):
        return None
    numbers = [int(cell) for cell in lines[0].split("\t") if cell.strip()]
    width = len(lines[1].split("\t")) if len(lines) > 1 else 0
    beside = 1 + (numbers[2] if len(numbers) > 2 else 1)
    is_marked = any(GCT.fullmatch(line.strip()) for line in comments)
    return numbers if is_marked or width == numbers[1] + beside else None


def _is_header(comment, first, name):
    """Whether the last comment names the columns: it has as many cells as the row below, which are numbers."""
    if not comment or not comment[0].startswith("#"):
        return False
    separator = _separator([comment[0], first], name)
    names, row = _cells(comment[0], separator), _cells(first, separator)
    return len(names) == len(row) > 1 and bool(NUMBER.fullmatch(row[-1].strip()))


def _separator(lines, name):
    """The separator under which most rows are as long as the header; tabs before others, commas first in a .csv."""
    order = [",", "\t", ";", " "] if ".csv" in name.lower() else ["\t", ",", ";", " "]
    best, most = order[0], (0.0, 0)
    for separator in order:
        widths = [len(_cells(line, separator)) for line in lines]
        if widths[0] < 2 and max(widths) < 3:
            continue
        fit = sum(width - widths[0] in (0, 1) for width in widths[1:]) / max(len(widths) - 1, 1)
        usual = Counter(widths[1:]).most_common(1)[0][0] if widths[1:] else widths[0]
        score = (fit * (widths[0] > 1 or usual == 2), min(widths[0], 2))
        if separator == " " and most[0] > 0:
            continue  # names and descriptions have spaces, too
        if score > most:
            best, most = separator, score
    return best


def _cells(line, separator):
    if separator == " ":
        line = re.sub(" +", " ", line.strip(" "))
    return next(csv.reader([line], delimiter=separator), [])


def _settle_header(layout):
    """Drop empty cells behind the last name of the header; ValueError if header and first row do not fit.

    A header a cell short is R's only if it has nothing above the ids: otherwise all values would be those of a neighbour.
    """
    header, first = layout.header, layout.rows[0] if layout.rows else []
    while header and len(header) > len(first) and not header[-1]:
        header.pop()
    if not first:
        return
    short = len(first) == len(header) + 1 and bool(first[-1].strip())
    if short and not GENES.fullmatch(header[0]):
        layout.is_short = True
    elif len(first) != len(header):
        raise ValueError(
            f"its header has {len(header)} cells, its first row {len(first)}: a separator too many, or decimal commas?"
        )
