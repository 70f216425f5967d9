"""What cells of the design's columns must not leave open: one value written in two ways, numbers as classes."""

import math
import unicodedata
from collections import defaultdict

from rna2model.cells import is_missing

UNCLEAR = ("none", "null")  # no value, or a class of that name?
MOST_NUMBERS = 10  # classes that are numbers; more of them are measurements


def problems(path, samples, design):
    """Problems (list of str) of the cells of batch, group and the classes to predict; samples: list of Sample."""
    columns = [("batch", design["batch"]), ("group", design["group"])]
    if design["task"] == "classification":
        columns.insert(0, ("target", design["target"]))
    found = []
    for role, column in columns:
        if column:
            found += _unclear(path, samples, column) if role == "target" else []
            found += _alike(path, samples, column, zeros=role == "group")
    if design["task"] == "classification" and not found:
        found += _measurements(path, samples, design["target"])
    return found


def _unclear(path, samples, column):
    """A class called none would make its samples new ones, without a word."""
    return [
        f"{path} row {sample.row}, column {column}: {sample.metadata[column]!r} may mean a class or no value; leave the cell"
        " empty for a new sample, or write another word (untreated, healthy)"
        for sample in samples
        if sample.metadata[column].lower() in UNCLEAR
    ]


def _alike(path, samples, column, zeros):
    """Values that only case, spaces or the way of writing an accent (and leading zeros of a number) tell apart."""
    written = defaultdict(dict)
    for sample in samples:
        cell = sample.metadata[column]
        if not is_missing(cell):
            key = " ".join(unicodedata.normalize("NFKC", cell).casefold().split())
            key = (key.lstrip("0") or "0") if zeros and key.isdigit() else key
            written[key].setdefault(cell, sample.row)
    return [
        f"{path}, column {column}: "
        + " and ".join(f"{cell!r} (row {row})" for cell, row in cells.items())
        + f" differ only in how they are written{' (case, spaces, leading zeros)' if zeros else ' (case, spaces)'}; write one"
        for cells in written.values()
        if len(cells) > 1
    ]


def _measurements(path, samples, column):
    """Many different numbers are no classes."""
    cells = [sample.metadata[column] for sample in samples if not is_missing(sample.metadata[column])]
    numbers = {number for number in map(_number, cells) if number is not None}
    classes = set(cells)
    if len(classes) <= MOST_NUMBERS or len(numbers) < len(classes) or len(classes) < len(cells) / 3:
        return []
    return [
        f"{path}, column {column}: {len(classes)} different numbers in {len(cells)} samples are no classes; set design.task:"
        " regression, or make classes of them"
    ]


def _number(cell):
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
