"""Read a genes x samples matrix that came from elsewhere, and refuse what is not what it is said to be."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from rna2model.errors import InputProblem

VERSIONED = re.compile(r"^(ENS[A-Z]*G\d+)\.\d+(_PAR_Y)?$")
EXCEL_DATE = re.compile(r"^\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)$|^\d{4}-\d\d-\d\d")
LOG_CEILING = 60  # log2 of anything countable is below this; raw counts and TPM are not


def read(path):
    """DataFrame genes x samples (index gene id, columns sample names, both str) of tsv/csv[.gz], parquet or h5ad."""
    name = Path(path).name.lower()
    try:
        if name.endswith(".h5ad"):
            return _from_h5ad(path)
        if name.endswith(".parquet"):
            table = pd.read_parquet(path)
            if table.index.dtype.kind == "i":  # the ids were saved as a column
                table = table.set_index(table.columns[0])
        else:
            separator = "," if name.removesuffix(".gz").endswith(".csv") else "\t"
            table = pd.read_csv(path, sep=separator, index_col=0, dtype={0: str}, encoding="utf-8-sig")
    except (ValueError, OSError, EOFError, KeyError, ImportError) as error:
        raise InputProblem(f"{path} cannot be read as a matrix ({error}).") from None
    table.index, table.columns = table.index.astype(str), table.columns.astype(str)
    return table


def _from_h5ad(path):
    import anndata

    data = anndata.read_h5ad(path)
    values = data.layers.get("counts", data.X)
    values = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    return pd.DataFrame(values.T, index=data.var_names.astype(str), columns=data.obs_names.astype(str))


def select(table, samples, path):
    """The columns of `samples`, in their order; InputProblem naming those that are not there."""
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputProblem(f"{path}: sample column {twice[0]!r} is there twice.")
    missing = [name for name in samples if name not in table.columns]
    if missing:
        turned = sum(name in table.index for name in samples)
        if turned > len(samples) / 2:
            raise InputProblem(
                f"{path} is transposed: samples are its rows; give genes as rows, samples as columns."
            )
        raise InputProblem(
            f"{path} has no column for {len(missing)} samples of the sheet: {', '.join(missing[:10])}"
            f"{' …' if len(missing) > 10 else ''}; correct the names, or fill `exclude` for them in the sheet."
        )
    return table[list(samples)]


def check_values(table, unit, path, missing="refuse"):
    """InputProblem, with gene and sample, for values that cannot be what `unit` says; returns float64 values.

    Among logarithms, NaN is let through when `missing` is not refuse.
    """
    text = [column for column in table.columns if table[column].dtype.kind not in "iufb"]
    if text:
        cell = pd.to_numeric(table[text[0]], errors="coerce").isna().idxmax()
        raise InputProblem(
            f"{path}: gene {cell}, sample {text[0]}: {table.loc[cell, text[0]]!r} is not a number."
        )
    values = table.to_numpy(dtype=float)
    if unit == "log" and missing != "refuse":
        _refuse(np.isinf(values), table, path, "is not finite")
    else:
        advice = "; to fill it in, set expression.missing" if unit == "log" else ""
        _refuse(~np.isfinite(values), table, path, f"is missing or not finite{advice}")
    if unit == "log":
        if np.nanmax(values, initial=0) > LOG_CEILING:
            raise InputProblem(
                f"{path}: values reach {np.nanmax(values):g}; these are not logarithms. Set counts_unit."
            )
        return values
    _refuse(
        values < 0,
        table,
        path,
        f"is negative, which {unit} cannot be (logarithms? then set counts_unit: log)",
    )
    if unit == "counts":
        _refuse(
            values != np.round(values),
            table,
            path,
            "is not an integer; set counts_unit to what the matrix holds",
        )
    elif values.max() < LOG_CEILING:
        raise InputProblem(
            f"{path}: the largest value is {values.max():g}; this looks like logarithms, not {unit}."
        )
    return values


def empty_samples(samples, values, unit):
    """Samples without a single count, or logarithm, in values (n_genes, n_samples)."""
    nothing = np.isnan(values).all(axis=0) if unit == "log" else values.sum(axis=0) == 0
    return [name for name, empty in zip(samples, nothing, strict=True) if empty]


def _refuse(bad, table, path, why):
    if bad.any():
        gene, sample = np.argwhere(bad)[0]
        raise InputProblem(
            f"{path}: gene {table.index[gene]}, sample {table.columns[sample]}: {table.iat[gene, sample]} {why}"
            f" ({int(bad.sum())} such cells)."
        )


def unify_genes(values, genes, unit, path):
    """(values, genes, notes) with Ensembl versions stripped and rows of one gene added up.

    InputProblem for dates that a spreadsheet made of gene symbols, and for repeated rows that cannot be
    added because they are logarithms.
    """
    dates = [gene for gene in genes if EXCEL_DATE.match(gene)]
    if dates:
        raise InputProblem(
            f"{path}: gene {dates[0]!r} is a date: a spreadsheet changed {len(dates)} gene symbols."
        )
    if any(not gene or gene == "nan" for gene in genes):
        raise InputProblem(f"{path}: a row has no gene id.")
    plain = [VERSIONED.sub(r"\1", gene) for gene in genes]
    notes = (
        [f"{sum(a != b for a, b in zip(genes, plain, strict=True))} gene ids: version stripped"]
        if plain != list(genes)
        else []
    )
    order = list(dict.fromkeys(plain))
    if len(order) == len(plain):
        return values, plain, notes
    if unit == "log":
        raise InputProblem(
            f"{path}: {len(plain) - len(order)} gene ids repeat; logarithms cannot be added up."
        )
    place = {gene: row for row, gene in enumerate(order)}
    summed = np.zeros((len(order), values.shape[1]))
    np.add.at(summed, [place[gene] for gene in plain], values)
    return summed, order, [*notes, f"{len(plain) - len(order)} repeated rows added to their gene"]


def annotate(gene_table, records):
    """(gene_table with annotation columns, number of genes not annotated); lengths only if all are known."""
    known = pd.DataFrame(records).set_index("gene_id").reindex(gene_table.index)
    unknown = int(known["length"].isna().sum())
    text = known.drop(columns=["start", "end", "length"]).fillna("")
    return (text if unknown else text.assign(length=known["length"].astype(int))), unknown
