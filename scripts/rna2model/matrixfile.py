"""The file of a count matrix as a table of genes x samples: what programs and spreadsheets make of one is named."""

import csv
import gzip
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from rna2model.errors import InputProblem

SUMMARY = re.compile(
    r"^(__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)|N_(unmapped|multimapping|noFeature|ambiguous))$"
)
GENES = re.compile(r"(?i)|.*(gene|ensembl|entrez|symbol|feature).*|ids?|names?|probe.*")  # heading of the ids
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", " ": "spaces"}
UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    LookupError,
    ImportError,
    TypeError,
    AttributeError,
    zlib.error,
    csv.Error,
)


def read(path, unit="counts"):
    """DataFrame genes x samples (index gene id, columns sample names, both str) of tsv/csv[.gz], parquet or h5ad.

    unit : what is wanted of an h5ad that holds several: its layer `counts`, its layer `tpm`, or X
    """
    name = Path(path).name.lower()
    try:
        if name.endswith(".h5ad"):
            table = _from_h5ad(path, unit)
        elif name.endswith(".parquet"):
            table = _from_parquet(path)
        else:
            table = _from_text(path, "," if name.removesuffix(".gz").endswith(".csv") else "\t")
    except UNREADABLE as error:
        raise InputProblem(
            f"{path} cannot be read as a matrix ({str(error).strip()}). It must be UTF-8 text with tabs (commas in .csv),"
            " gzipped where the name ends in .gz, or parquet, or h5ad."
        ) from None
    if not table.shape[0] or not table.shape[1]:
        raise InputProblem(f"{path} holds {table.shape[0]} genes x {table.shape[1]} samples; it needs both.")
    table.index = table.index.where(table.index.notna(), "").astype(str).str.strip()
    table.columns = table.columns.astype(str).str.strip()
    if len(table) > 9 and list(table.index) in (
        [str(i + first) for i in range(len(table))] for first in (0, 1)
    ):
        raise InputProblem(
            f"{path}: its gene ids are row numbers; give the ids of the genes in the first column."
        )
    return table


def _from_text(path, separator):
    _check_start(path, separator)
    table = pd.read_csv(path, sep=separator, index_col=0, dtype={0: str}, encoding="utf-8-sig")
    return table[~(table.index.isna() & table.isna().all(axis=1))]  # rows of separators only


def _check_start(path, separator):
    """pandas renames a column that is there twice, takes a file with other separators for one of a single column, and
    shifts all values by a sample when the rows have a cell more than the header."""
    opened = gzip.open if str(path).lower().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        start = csv.reader(file, delimiter=separator)
        header, first = next(start, []), next(start, [])
    if (header and header[0].startswith("#") and len(header) < len(first)) or header[:1] == ["#1.2"]:
        raise ValueError(
            "its first line is a comment; remove it, so that the names of the samples come first"
        )
    if header and SUMMARY.match(header[0]):
        raise ValueError(
            "it has no names of samples: STAR's table of one sample? Join those of all, with a header"
        )
    names = [name for name in header if name]
    others = [word for mark, word in SEPARATORS.items() if len(header) == 1 and mark in header[0].strip()]
    if others:
        raise ValueError(f"its cells are separated by {others[0]}")
    while len(header) > len(first) and not header[-1]:
        header.pop()
    if first and (
        len(first) < len(header) or (len(first) == len(header) + 1 and not _is_of_r(header, first))
    ):
        raise ValueError(
            f"its header has {len(header)} cells, its first row {len(first)}: a separator too many, or decimal commas?"
        )
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputProblem(f"{path}: sample column {twice[0]!r} is there twice.")


def _is_of_r(header, first):
    """Whether the header has no cell above the gene ids, as R writes it; without one above a sample all values would be
    those of its neighbour."""
    return not GENES.fullmatch(header[0]) and bool(first[-1])


def _from_parquet(path):
    table = pd.read_parquet(path)
    if table.index.nlevels > 1:
        raise ValueError("its rows are named by several columns; keep the gene ids only")
    if table.shape[1] and list(table.index) == list(range(len(table))):  # the ids were saved as a column
        texts = [name for name in table.columns if table[name].dtype.kind not in "iufbM"]
        ids = texts[0] if texts else table.columns[0]
        if not texts and not GENES.fullmatch(str(ids)):
            raise ValueError("it has no column of gene ids")
        table = table.set_index(ids)
    return table


def _from_h5ad(path, unit):
    import anndata

    data = anndata.read_h5ad(path)
    values = data.layers.get("counts") if data.X is None else data.X
    held = data.uns.get("unit")
    if unit == "tpm" and "tpm" in data.layers:
        values = data.layers["tpm"]
    elif isinstance(held, str) and "counts" in data.layers:  # cohort.h5ad of a run
        if held != unit:
            raise ValueError(f"its layer 'counts' holds {held}, counts_unit says {unit}")
        values = data.layers["counts"]
    elif unit in ("counts", "expected_counts"):
        values = data.layers.get("counts", data.X)
    if values is None:
        raise ValueError(f"it has neither a layer for {unit} nor X")
    values = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    return pd.DataFrame(values.T, index=data.var_names.astype(str), columns=data.obs_names.astype(str))
