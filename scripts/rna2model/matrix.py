"""Read a genes x samples matrix that came from elsewhere, and refuse what is not what it is said to be."""

import re

import numpy as np
import pandas as pd

from rna2model import samplenames
from rna2model.errors import InputProblem
from rna2model.matrixfile import SUMMARY, read
from rna2model.sheetfile import SPREADSHEET_ERROR
from rna2model.tables import numbers

VERSIONED = re.compile(r"^(ENS[A-Z]*G\d+)\.\d+(_PAR_Y)?$")
MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mär|Mrz|Mai|Okt|Dez"
EXCEL_DATE = re.compile(  # Mar-01, not mar-1: worms have genes of such names
    rf"\d{{1,2}}[-. ](?i:{MONTH})([-. ]\d{{2,4}})?|({MONTH})-\d\d|\d{{4}}-\d\d-\d\d.*|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}"
)
SERIAL = re.compile(r"[34]\d{4}")  # a date as a spreadsheet keeps it: days since 1900
ROUNDED = re.compile(r"\d([.,]\d+)?E\+\d+")  # 2310009E13 was a gene
TOTALS = {"total", "totals", "sum", "grand total"}
ENSEMBL = re.compile(r"^ENS[A-Z]*G\d{11}(\.|$)")
NO_GENE = ("ERCC-", "__", "N_")  # spike-ins, and what htseq and STAR write below their genes
MIXED = 0.1  # share of either kind of ids from which they are a mixture
WHOLE = 2.0**53  # beyond it a float64 is no longer every integer
MILLION, TOLERANCE = 1e6, 0.01  # what TPM of a sample add up to, and how well
FEWEST_OF_TOTAL = 10  # genes, of which one is the sum of the others by chance no longer
LOG_CEILING = 60  # log2 of anything countable is below this; raw counts and TPM are not


def load(path, samples, unit, missing="refuse", layer=None):
    """(values (n_genes, n_samples) float64, genes, notes) of `samples` in the matrix at `path`: read, checked, rows of one
    gene added up. `layer`: counts_layer, for h5ad. InputProblem says what is wrong with it and where."""
    table, notes = read(path, unit, samples, layer)
    table, names = samplenames.choose(table, samples, path)
    table, commas = numbers.read(table, path)
    values = check_values(table, unit, path, missing)
    values, genes, more = unify_genes(values, list(table.index), unit, path)
    return values, genes, [*notes, *names, *commas, *more]


def select(table, samples, path):
    """The columns of `samples`, in their order; InputProblem shows the names of both sides where some are not there."""
    return samplenames.choose(table, samples, path)[0]


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
        _refuse(values >= WHOLE, table, path, "is more than can be counted")
    elif values.max() < LOG_CEILING:
        raise InputProblem(
            f"{path}: the largest value is {values.max():g}; this looks like logarithms, not {unit}."
        )
    _refuse_other_unit(values, unit, path)
    return values


def _refuse_other_unit(values, unit, path):
    """Transcripts per million tell themselves by what they add up to."""
    sums = values.sum(axis=0)
    per_million = np.abs(sums - MILLION) < TOLERANCE * MILLION
    if unit == "expected_counts" and len(sums) > 1 and per_million.all():
        raise InputProblem(
            f"{path}: every sample adds up to a million; these are TPM or CPM, not {unit}. Set counts_unit: tpm for TPM."
        )
    if unit == "tpm" and sums.max() > (1 + TOLERANCE) * MILLION:
        raise InputProblem(
            f"{path}: a sample adds up to {sums.max():.3g}; TPM add up to a million at most. Set counts_unit to what the"
            " matrix holds."
        )
    if unit == "tpm" and (values == np.round(values)).all() and not per_million.all():
        raise InputProblem(
            f"{path}: all values are whole numbers; these are counts, not TPM. Set counts_unit: counts."
        )


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
    _refuse_spreadsheet(genes, path)
    totals = [row for row, gene in enumerate(genes) if SUMMARY.match(gene)]
    if totals:
        values = np.delete(values, totals, axis=0)
        genes = [gene for gene in genes if not SUMMARY.match(gene)]
    _refuse_mixture([gene for gene in genes if not gene.startswith(NO_GENE)], path)
    for row, gene in enumerate(genes, start=1):
        if not gene:
            raise InputProblem(f"{path}: gene row {row} has no gene id.")
        if not gene.isprintable():
            raise InputProblem(
                f"{path}: gene row {row}: {gene[:40]!r} is no gene id; is a quote mark not closed?"
            )
    _refuse_total(values, genes, unit, path)
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


def _refuse_spreadsheet(genes, path):
    """InputProblem for gene ids that a spreadsheet took for dates or numbers, or could not compute."""
    changed = [gene for gene in genes if EXCEL_DATE.fullmatch(gene) or ROUNDED.fullmatch(gene)]
    serial = [gene for gene in genes if SERIAL.fullmatch(gene)]
    if len(serial) < MIXED * len(genes) and not any(map(str.isdigit, set(genes) - set(serial))):
        changed += serial  # other ids are no numbers
    if changed:
        kind = "number" if ROUNDED.fullmatch(changed[0]) else "date"
        raise InputProblem(
            f"{path}: gene {changed[0]!r} is a {kind}: a spreadsheet changed {len(changed)} gene symbols; take them from a"
            " file that it never saved."
        )
    if wrong := [gene for gene in genes if SPREADSHEET_ERROR.match(gene)]:
        raise InputProblem(f"{path}: gene {wrong[0]!r} is an error of a spreadsheet; correct it.")


def _refuse_total(values, genes, unit, path):
    """InputProblem for a row that is the sum of the others; as a gene it would be half of every library."""
    total = [gene for gene in genes if gene.lower() in TOTALS]
    if not total and unit != "log" and len(genes) >= FEWEST_OF_TOTAL:
        is_half = np.isclose(2 * values, values.sum(axis=0), rtol=1e-9, atol=0).all(axis=1)
        total = [genes[row] for row in np.flatnonzero(is_half)]
    if total:
        raise InputProblem(f"{path}: row {total[0]!r} is the sum of the others, no gene; remove it.")


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
