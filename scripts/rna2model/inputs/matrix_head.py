"""Check the first rows of a count matrix before any job: whether it is a matrix, has all samples, and has numbers only.

Checks that need the whole file are left to the job that reads it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rna2model.cohort import sample_names
from rna2model.cohort.tables import layout, opening

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 5  # samples of which a wrong cell is told


def problems(path: str | Path, samples: Sequence[str]) -> list[str]:
    """Problems (list of str) of the text file at `path` that is to hold `samples`; none of files in another format."""
    from rna2model.cohort import count_matrix_file  # pandas takes long to import
    from rna2model.cohort.tables import text_file

    name = Path(path).name.lower()
    try:
        if not os.path.isfile(path) or opening.kind(path) in ("hdf5", "parquet", "xlsx"):
            return []
        if name.endswith((".h5ad", ".h5", ".parquet", ".xlsx", ".xls", ".ods")):
            return []
        seen = layout.read(path, name)
        table_format = text_file.check_start(seen, samples)
    except count_matrix_file.UNREADABLE as error:
        return [count_matrix_file.unreadable(path, error)]
    if table_format and table_format.name == "a table of DepMap":  # its samples are rows
        return []
    rows = [row for row in seen.rows[seen.below :] if len(row) == len(seen.columns)]
    return _names(path, seen, rows, samples, text_file.titles(seen)) or _words(
        path, seen, rows, samples, text_file.MISSING
    )


def _names(path, seen, rows, samples, titles):
    """A problem if samples have no column."""
    from rna2model.cohort.tables import columns

    wanted = set(samples)
    names = [
        name
        for place, name in enumerate(seen.columns)
        if name in wanted
        or (
            place >= seen.beside
            and name
            and columns.plain(name) not in columns.OF_GENES
            and _has_number(rows, place)
        )
    ]
    column_of_sample, _, suggested = sample_names.match(names, samples, titles)
    missing = [name for name in samples if name not in column_of_sample]
    if not missing:
        return []
    if any(row[0].strip() in wanted for row in rows):
        return [f"{path} is transposed: samples are its rows; give genes as rows, samples as columns."]
    free = [name for name in names if name not in set(column_of_sample.values())]
    return [f"{path} {sample_names.message(missing, free, suggested, path)}"]


def _has_number(rows, place):
    cells = [row[place].strip().replace(",", "") for row in rows]
    return not any(cells) or any(layout.NUMBER.fullmatch(cell) for cell in cells if cell)


def _words(path, seen, rows, samples, missing):
    """A problem for each of the first samples with a cell that is not a number; cells with a comma are left to the job,
    which sees what the others look like."""
    problems, wanted = [], set(samples)
    for place, name in enumerate(seen.columns):
        for row in rows if name in wanted else ():
            cell = row[place].strip()
            if cell not in missing and "," not in cell and not _is_number(cell):
                problems.append(f"{path}: gene {row[0].strip()}, sample {name}: {cell!r} is not a number.")
                break
    return problems[:SHOWN]


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True
