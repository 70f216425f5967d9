"""Matrices that pandas reads as a table at once: parquet, and the first sheet of a workbook (xlsx)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from rna2model.cohort.tables import columns, layout

if TYPE_CHECKING:
    from pathlib import Path


def read_parquet(path: str | Path) -> pd.DataFrame:
    """DataFrame of a parquet file with the gene ids as index."""
    table = pd.read_parquet(path)
    if table.index.nlevels > 1:
        raise ValueError("its rows are named by several columns; keep the gene ids only")
    if table.shape[1] and list(table.index) == list(range(len(table))):  # the ids were saved as a column
        texts = [name for name in table.columns if table[name].dtype.kind not in "iufbM"]
        best = [name for name in texts if columns.plain(name) in columns.IDS]
        ids = (best or texts or list(table.columns))[0]
        if not texts and not layout.GENES.fullmatch(str(ids)):
            raise ValueError("it has no column of gene ids")
        table = table.set_index(ids)
    return table


def read_workbook(path: str | Path) -> tuple[pd.DataFrame, list[str]]:
    """(DataFrame with all cells under the header, notes) of the first sheet of an xlsx; gene ids are its first column."""
    with pd.ExcelFile(path, engine="openpyxl") as book:
        names = book.sheet_names
        cells = book.parse(names[0], header=None, dtype=object, keep_default_na=False, na_values=[""])
    cells = cells.dropna(how="all").dropna(how="all", axis=1)
    while len(cells) and _is_comment(cells.iloc[0]):
        cells = cells.iloc[1:]
    if len(cells) < 2:
        raise ValueError(f"its first sheet, {names[0]}, holds no table")
    header = ["" if pd.isna(name) else str(name).strip() for name in cells.iloc[0]]
    twice = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if twice:
        raise ValueError(f"sample column {twice[0]!r} is there twice")
    table = cells.iloc[1:].set_axis(header, axis=1).infer_objects()
    table.isetitem(0, ["" if pd.isna(one) else str(one).strip() for one in table.iloc[:, 0]])
    more = f"; its other sheets are not read: {', '.join(names[1:])}" if len(names) > 1 else ""
    return table, [f"read as a workbook, sheet {names[0]}{more}"]


def _is_comment(row):
    return str(row.iloc[0]).startswith("#") and row.iloc[1:].isna().all()
