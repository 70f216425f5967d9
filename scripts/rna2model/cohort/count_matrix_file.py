"""Read a file with a count matrix, in the formats of programs and spreadsheets, as a table of genes x samples."""

from __future__ import annotations

import csv
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from rna2model.cohort.tables import columns, frames, hdf5, opening, text_file
from rna2model.core import software
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    csv.Error,
)
SHOWN = 10  # names in a note


def read(
    path: str | Path, unit: str = "counts", samples: Collection[str] = (), layer: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """(DataFrame genes x samples, notes) of the file at `path`, in any format of docs/inputs.md.

    The index are the gene ids as they are written ("" for an empty one), the columns those that can be samples; both str.
    `table.attrs["titles"]`: other names that the file gives its columns ({column: title}).

    unit : what is wanted of an h5ad that holds several: its layer `counts`, its layer `tpm`, or X
    samples : names of the sheet; a column that it names is a sample whatever it is called. Of ARCHS4 no others are read
    layer : counts_layer of the config, for h5ad
    InputProblem says what is wrong with the file, and where.
    """
    try:
        table, notes, titles = _table(path, unit, samples, layer)
    except InputProblem:
        raise
    except ImportError as error:  # says nothing of the file
        raise InputProblem(f"{path} cannot be read here: {software.problem(error)}") from None
    except UNREADABLE as error:
        raise InputProblem(unreadable(path, error)) from None
    table.index = table.index.where(table.index.notna(), "").astype(str).str.strip()
    table.columns = table.columns.astype(str).str.strip()
    if text_file.is_numbered(list(table.index)):
        raise InputProblem(
            f"{path}: its gene ids are row numbers; give the ids of the genes in the first column."
        )
    kept, described = columns.split(table, samples)
    left_out = [name for name in table.columns[described] if name]
    if left_out:
        notes.append(f"columns that describe genes left out ({len(left_out)}): {shown(left_out)}")
    table = table.iloc[:, kept]
    if not table.shape[0] or not table.shape[1]:
        raise InputProblem(f"{path} holds {table.shape[0]} genes x {table.shape[1]} samples; it needs both.")
    table.attrs["titles"] = titles
    return table, notes


def unreadable(path: str | Path, error: Exception) -> str:
    """Message for a file that is not a matrix, from the error that reading it raised."""
    return (
        f"{path} cannot be read as a matrix ({str(error).strip()}). It must be text (UTF-8 or UTF-16) with tabs, commas,"
        " semicolons or spaces, plain or packed (gzip, bzip2, xz, zip), or parquet, h5ad, xlsx or ARCHS4's h5."
    )


def shown(names: Sequence[str]) -> str:
    """The first names, and a mark if there are more."""
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")


def _table(path, unit, samples, layer):
    """(DataFrame with ids as index, notes, titles) by what the file is."""
    kind, name = opening.kind(path), Path(path).name.lower()
    if kind == "hdf5":
        archs4 = hdf5.is_archs4(path)
        return *(hdf5.read_archs4(path, samples) if archs4 else hdf5.read_h5ad(path, unit, layer)), {}
    if name.endswith((".h5ad", ".h5")):
        raise ValueError("it is no HDF5 file, as its name says")
    if kind == "parquet" or name.endswith(".parquet"):
        return frames.read_parquet(path), [], {}
    if kind == "xlsx":
        table, notes = frames.read_workbook(path)
        table, more = text_file.with_ids(table)
        return table, notes + more, {}
    if name.endswith((".xlsx", ".xls", ".ods")):
        raise ValueError("it is no workbook (xlsx), as its name says; save it as .xlsx, or as text with tabs")
    return text_file.read(path, name, samples)
