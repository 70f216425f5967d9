"""What the first rows of a count matrix show before any job: that it is none, whose samples it lacks, words among its numbers.

Everything else needs the whole file, and the job that reads it says it. What is only likely from here is left to it.
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
        found = text_file.check_start(seen, samples)
    except count_matrix_file.UNREADABLE as error:
        return [count_matrix_file.unreadable(path, error)]
    if found and found.name == "a table of DepMap":  # its samples are rows
        return []
    rows = [row for row in seen.rows[seen.below :] if len(row) == len(seen.columns)]
    return _names(path, seen, rows, samples, text_file.titles(seen)) or _words(
        path, seen, rows, samples, text_file.MISSING
    )


def _names(path, seen, rows, samples, titles):
    """A problem where samples have no column."""
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
    found, _, suggested = sample_names.match(names, samples, titles)
    missing = [name for name in samples if name not in found]
    if not missing:
        return []
    if any(row[0].strip() in wanted for row in rows):
        return [f"{path} is transposed: samples are its rows; give genes as rows, samples as columns."]
    free = [name for name in names if name not in set(found.values())]
    return [f"{path} {sample_names.message(missing, free, suggested, path)}"]


def _has_number(rows, place):
    cells = [row[place].strip().replace(",", "") for row in rows]
    return not any(cells) or any(layout.NUMBER.fullmatch(cell) for cell in cells if cell)


def _words(path, seen, rows, samples, missing):
    """A problem for each of the first samples that has a word among its numbers; cells with a comma are left to the job,
    which sees what the others look like."""
    told, wanted = [], set(samples)
    for place, name in enumerate(seen.columns):
        for row in rows if name in wanted else ():
            cell = row[place].strip()
            if cell not in missing and "," not in cell and not _is_number(cell):
                told.append(f"{path}: gene {row[0].strip()}, sample {name}: {cell!r} is not a number.")
                break
    return told[:SHOWN]


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True
