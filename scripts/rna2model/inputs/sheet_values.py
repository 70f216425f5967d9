"""What cells of the design's columns must not leave open: one value written in two ways, numbers as classes, words that
say neither yes nor no. Cells that may mean no value: placeholders.py."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rna2model.cohort import placeholders
from rna2model.core import numerals
from rna2model.core.missing import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rna2model.inputs.sheet import Sample

NO = {"no", "n", "false", "f", "0", "keep", "include", "included", "none", "null", "na", "n/a", "nan", "-"}
NUMBER = re.compile(r"\d+(\.\d+)?")
MOST_NUMBERS = 10  # classes that are numbers; more of them are measurements


def problems(path: str | Path, samples: Sequence[Sample], design: Mapping[str, Any]) -> list[str]:
    """Problems (list of str) of the cells of batch, group and the classes to predict; samples: list of Sample."""
    columns = [design["batch"], design["group"]]
    if design["task"] == "classification":
        columns.insert(0, design["target"])
    problems = []
    for column in columns:
        if column:
            problems += _alike(path, samples, column)
    if design["task"] == "classification" and not problems:
        problems += _measurements(path, samples, design["target"])
    return problems


def marks(path: str | Path, samples: Iterable[Sample], columns: Mapping[str, str]) -> list[str]:
    """Problems of columns in which any text counts as yes, so that `no` would, too. columns : {name: what a mark does}"""
    return [
        f"{path} row {sample.row}, column {column}: {cell!r} would {does}, as any text does; empty the cell, or say why"
        for sample in samples
        for column, does in columns.items()
        if (cell := sample.metadata.get(column, "")).lower() in NO
        and (column == "exclude" or not is_missing(cell))
    ]


def covariate_problems(path: str | Path, samples: Sequence[Sample], column: str) -> list[str]:
    """Problems of a clinical covariate whose cells are ambiguous: number or category, or two spellings of one category."""
    known = [sample for sample in samples if not is_missing(sample.metadata[column])]
    known = [sample for sample in known if not placeholders.is_word(sample.metadata[column])]
    words = [sample for sample in known if numerals.plain(sample.metadata[column]) is None]
    cells = [sample.metadata[column] for sample in known]
    if words and (len(words) < len(known) / 2 or all(map(numerals.is_separated, cells))):
        return [
            f"{path} row {sample.row}, column {column}: {sample.metadata[column]!r} is not a number, as most of this covariate"
            f" are; {numerals.advice(sample.metadata[column], cells) or 'leave the cell empty where nothing is known'}"
            for sample in words
        ]
    if not words:
        return []
    if len({sample.metadata[column] for sample in known}) == len(known) > MOST_NUMBERS:
        return [
            f"{path}, column {column}: every sample has a value of its own: dates or names are no covariate; write numbers or"
            " categories, or leave it out of design.covariates"
        ]
    return _alike(path, known, column)


def _alike(path, samples, column):
    """Problems of values that differ only in case, spaces, encoding of accents, number format or invisible characters."""
    written = defaultdict(dict)
    for sample in samples:
        cell = sample.metadata[column]
        if not is_missing(cell) and not placeholders.is_word(cell):
            text = "".join(letter for letter in cell if unicodedata.category(letter) != "Cf")
            key = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
            if NUMBER.fullmatch(key):
                key = re.sub(r"^0+(?=\d)|\.0+$", "", key)
            written[key].setdefault(cell, sample.row)
    return [
        f"{path}, column {column}: "
        + " and ".join(f"{cell!r} (row {row})" for cell, row in cells.items())
        + " differ only in how they are written (case, spaces, leading zeros); write one"
        for cells in written.values()
        if len(cells) > 1
    ]


def _measurements(path, samples, column):
    """Problem of a class column with many different numbers."""
    cells = [sample.metadata[column] for sample in samples if not is_missing(sample.metadata[column])]
    numbers = {number for number in map(numerals.plain, cells) if number is not None}
    classes = set(cells)
    if len(classes) <= MOST_NUMBERS or len(numbers) < len(classes) or len(classes) < len(cells) / 3:
        return []
    return [
        f"{path}, column {column}: {len(classes)} different numbers in {len(cells)} samples are no classes; set design.task:"
        " regression, or make classes of them"
    ]
