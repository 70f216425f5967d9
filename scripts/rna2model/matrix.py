"""Read a genes x samples matrix that came from elsewhere, and refuse what is not what it is said to be."""

import csv
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from rna2model.errors import InputProblem

VERSIONED = re.compile(r"^(ENS[A-Z]*G\d+)\.\d+(_PAR_Y)?$")
EXCEL_DATE = re.compile(r"^\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)$|^\d{4}-\d\d-\d\d")
ENSEMBL = re.compile(r"^ENS[A-Z]*G\d{11}(\.|$)")
SUMMARY = re.compile(
    r"^(__(no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)|N_(unmapped|multimapping|noFeature|ambiguous))$"
)
NO_GENE = ("ERCC-", "__", "N_")  # spike-ins, and what htseq and STAR write below their genes
MIXED = 0.1  # share of either kind of ids from which they are a mixture
WHOLE = 2.0**53  # beyond it a float64 is no longer every integer
LOG_CEILING = 60  # log2 of anything countable is below this; raw counts and TPM are not


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


def read(path):
    """DataFrame genes x samples (index gene id, columns sample names, both str) of tsv/csv[.gz], parquet or h5ad."""
    name = Path(path).name.lower()
    try:
        if name.endswith(".h5ad"):
            return _from_h5ad(path)
        if name.endswith(".parquet"):
            table = pd.read_parquet(path)
            if table.index.dtype.kind == "i" and table.shape[1]:  # the ids were saved as a column
                table = table.set_index(table.columns[0])
        else:
            separator = "," if name.removesuffix(".gz").endswith(".csv") else "\t"
            table = pd.read_csv(path, sep=separator, index_col=0, dtype={0: str}, encoding="utf-8-sig")
            _check_header(path, separator, table)
    except UNREADABLE as error:
        raise InputProblem(
            f"{path} cannot be read as a matrix ({str(error).strip()}). It must be UTF-8 text with tabs (commas in .csv),"
            " gzipped where the name ends in .gz, or parquet, or h5ad."
        ) from None
    if not table.shape[0] or not table.shape[1]:
        raise InputProblem(f"{path} holds {table.shape[0]} genes x {table.shape[1]} samples; it needs both.")
    table.index, table.columns = table.index.astype(str), table.columns.astype(str)
    return table


def load(path, samples, unit, missing="refuse"):
    """(values (n_genes, n_samples) float64, genes, notes) of `samples` in the matrix at `path`: read, checked, rows of one
    gene added up. InputProblem says what is wrong with it and where."""
    table = select(read(path), samples, path)
    values = check_values(table, unit, path, missing)
    return unify_genes(values, list(table.index), unit, path)


def _check_header(path, separator, table):
    """pandas renames a column that is there twice, and takes a file with other separators for one of a single column."""
    import gzip

    opened = gzip.open if str(path).lower().endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        names = [name for name in next(csv.reader(file, delimiter=separator), []) if name]
    if not table.shape[1] and names:
        others = [
            word for mark, word in ((",", "commas"), (";", "semicolons"), ("\t", "tabs")) if mark in names[0]
        ]
        if others:
            raise ValueError(f"its cells are separated by {others[0]}")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputProblem(f"{path}: sample column {twice[0]!r} is there twice.")


def _from_h5ad(path):
    import anndata

    data = anndata.read_h5ad(path)
    values = data.layers.get("counts", data.X)
    if values is None:
        raise ValueError("it has neither a layer 'counts' nor X")
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
    text = [column for column in table.columns if table[column].dtype.kind not in "iuf"]
    if text:
        bad = pd.to_numeric(table[text[0]].astype(str), errors="coerce").isna()
        cell = bad.idxmax()
        if not bad.any():
            raise InputProblem(
                f"{path}: sample {text[0]}: its numbers are stored as text; store them as numbers."
            )
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
        _refuse(values > WHOLE, table, path, "is more than can be counted")
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

    InputProblem for dates that a spreadsheet made of gene symbols, for Ensembl ids mixed with other names, and for
    repeated rows that cannot be added because they are logarithms.
    """
    dates = [gene for gene in genes if EXCEL_DATE.match(gene)]
    if dates:
        raise InputProblem(
            f"{path}: gene {dates[0]!r} is a date: a spreadsheet changed {len(dates)} gene symbols."
        )
    totals = [row for row, gene in enumerate(genes) if SUMMARY.match(gene)]
    if totals:
        values = np.delete(values, totals, axis=0)
        genes = [gene for gene in genes if not SUMMARY.match(gene)]
    _refuse_mixture([gene for gene in genes if not gene.startswith(NO_GENE)], path)
    for row, gene in enumerate(genes, start=1):
        if not gene or gene == "nan":
            raise InputProblem(
                f"{path}: gene row {row} has no gene id (or one that reads as missing, as NA does)."
            )
        if not gene.isprintable():
            raise InputProblem(
                f"{path}: gene row {row}: {gene[:40]!r} is no gene id; is a quote mark not closed?"
            )
    plain = [VERSIONED.sub(r"\1", gene) for gene in genes]
    left_out = [f"{len(totals)} rows of what a counter could not assign left out"] if totals else []
    notes = left_out + (
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


def _refuse_mixture(genes, path):
    other = [gene for gene in genes if not ENSEMBL.match(gene)]
    if MIXED * len(genes) < len(other) < (1 - MIXED) * len(genes):
        raise InputProblem(
            f"{path}: {len(genes) - len(other)} genes have Ensembl ids and {len(other)} other names (first: {other[0]});"
            " one gene may be there under both. Give all genes ids of one kind."
        )


def annotate(gene_table, records):
    """(gene_table with annotation columns, number of genes not annotated); lengths only if all are known.

    InputProblem when the annotation has not half of the genes.
    """
    known = pd.DataFrame(records).set_index("gene_id")
    known.index = [
        VERSIONED.sub(r"\1", gene) for gene in known.index
    ]  # as `unify_genes` does with the matrix's
    known = known[~known.index.duplicated()].reindex(gene_table.index)
    absent = known.index[known["length"].isna()]
    unknown = len(absent)
    if unknown > len(known) / 2:
        raise InputProblem(
            f"{unknown} of the {len(known)} genes of the matrix are not in reference.gtf (first: {', '.join(absent[:3])});"
            " is it of the same species, and are its ids of the same kind (quantification.attribute)?"
        )
    text = known.drop(columns=["start", "end", "length"]).fillna("")
    return (text if unknown else text.assign(length=known["length"].astype(int))), unknown
