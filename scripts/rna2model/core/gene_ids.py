"""Unify gene ids, so that one gene has one id whatever version, name or number format a program wrote.

`plain` is the only place where ids are made comparable; a matrix, an annotation, a bundle and gene sets are compared by it.
Untouched, since there the ending is part of the id: Arabidopsis' AT1G01010.1, Riken's 2310009E13, WormBase's 2L52.1,
transcripts, exons, and `SYMBOL|number` of TCGA.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core import spike_ins
from rna2model.core.errors import InputProblem
from rna2model.core.spreadsheet import SPREADSHEET_ERROR

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

# ENSG00000000003.15, .15_6 (lifted over), .15_PAR_Y, ENSGR0000000003 (PAR_Y of old), gene:ENSG..., ENSG...|NAME
ENSEMBL_ID = re.compile(
    r"(?:gene:)?(?:(ENS[A-Z]{0,6}G)(\d+)|ENSG(R)(\d{10}))(\.\d+(?:_\d+)?)?(_PAR_Y)?(\|[^|]*)?"
)
STRINGTIE = re.compile(r"M?STRG\.\d+\|([^|]+)")  # its own number differs between runs, the name does not
INTEGER = re.compile(r"\d+")
FLOAT = re.compile(r"(\d+)\.0")  # Entrez ids that went through a column with a gap
R_NUMBER = re.compile(r"\d(\.\d+)?e\+\d\d")  # R writes 100000 as 1e+05, exactly
MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mär|Mrz|Mai|Okt|Dez"
EXCEL_DATE = re.compile(  # Mar-01, not mar-1: worms have genes of such names
    rf"\d{{1,2}}[-. ](?i:{MONTH})([-. ]\d{{2,4}})?|({MONTH})-\d\d|\d{{4}}-\d\d-\d\d.*|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}"
)
SERIAL = re.compile(r"[34]\d{4}")  # a date as a spreadsheet keeps it: days since 1900
ROUNDED = re.compile(r"\d([.,]\d+)?[Ee]\+\d+")  # 2310009E13 was a gene
TOTALS = {"total", "totals", "sum", "grand total"}
NO_NAME = re.compile(
    r"\W+|(?i:na|nan|n/a|null|none|unknown)"
)  # alone it is a gene (nanchung of flies), repeated it is a gap
STANDARD = re.compile(r"ENS[A-Z]*G\d{11}(\.|$)")
MIXED = 0.1  # share of either kind of ids from which they are a mixture
FEWEST_OF_TOTAL = 10  # genes, of which one is the sum of the others by chance no longer
SHOWN = 3


def plain(genes: Collection[str]) -> list[str]:
    """The ids (list of str) in the form used for comparison: Ensembl ids without version, _PAR_Y and name; StringTie's
    by gene name; integers without decimals if all ids are integers."""
    number = _as_numbers(genes)
    return [number.get(gene) or _plain(gene) for gene in genes]


def _plain(gene):
    if parsed := ENSEMBL_ID.fullmatch(gene):
        return f"{parsed[1]}{parsed[2]}" if parsed[1] else f"ENSG0{parsed[4]}"
    if parsed := STRINGTIE.fullmatch(gene):
        return _plain(parsed[1])
    return gene


def as_known(genes: Collection[str], known: Collection[str]) -> list[str]:
    """Ids as `known` has them, where they are the same but for what `plain` takes away: a matrix loses the versions of its
    Ensembl ids, reads keep them. An id of which there are several without its version stays."""
    of_plain = [dict(_alone(plain(names), names)) for names in (known, list(genes))]
    same = {of_plain[1][name]: of_plain[0][name] for name in of_plain[0].keys() & of_plain[1].keys()}
    there = set(known)
    return [gene if gene in there else same.get(gene, gene) for gene in genes]


def _alone(plain, names):
    """(plain id, id) of the ids that are the only one of their plain id."""
    counted = Counter(plain)
    return [(short, name) for short, name in zip(plain, names, strict=True) if counted[short] == 1]


def _as_numbers(genes):
    """{id: integer as text} of the ids that became 7105.0 or 1e+05; empty unless all are numbers."""
    own = [gene for gene in genes if not spike_ins.of_counter(gene)]
    odd = {gene for gene in own if not INTEGER.fullmatch(gene)} - spike_ins.find(own).keys()
    if any(not (FLOAT.fullmatch(gene) or R_NUMBER.fullmatch(gene)) for gene in odd):
        return {}
    exact = {gene: Decimal(gene) for gene in odd}
    rounded = sum(bool(R_NUMBER.fullmatch(gene)) for gene in own)
    if any(value != int(value) for value in exact.values()) or rounded > len(own) / 2:
        return {}
    return {gene: str(int(value)) for gene, value in exact.items()}


def problems(values: NDArray[np.float64], genes: Sequence[str], unit: str, path: str | Path) -> list[str]:
    """What is wrong with the ids of a matrix' rows (list of str), one entry for each kind of fault.

    values : (n_genes, n_samples), NaN where a cell is missing; unit : of the values
    """
    numbers = _as_numbers(genes)
    own = [gene for gene in genes if not spike_ins.of_counter(gene)]
    faults = _spreadsheet([gene for gene in own if gene not in numbers], own, path) + _unnamed(genes, path)
    none = spike_ins.find(own)
    faults += _mixture([gene for gene in own if gene not in none], path) + _total(values, genes, unit, path)
    if unit == "log" and (twice := _repeated(_without_empty_par_y(values, genes)[1])):
        faults.append(
            f"{path}: {sum(twice.values())} gene ids repeat ({_some(twice)}); logarithms cannot be added up: keep one row of"
            " each gene."
        )
    return faults


def unify(
    values: NDArray[np.float64], genes: Sequence[str], unit: str, path: str | Path
) -> tuple[NDArray[np.float64], list[str], list[str]]:
    """(values, genes, notes): ids made plain, rows of one gene added up, rows of a counter and empty PAR_Y rows left out.

    InputProblem for what `problems` finds.
    """
    if faults := problems(values, genes, unit, path):
        raise InputProblem("\n".join(faults))
    counter = np.array([spike_ins.of_counter(gene) for gene in genes], dtype=bool)
    notes = [f"{counter.sum()} rows of what a counter could not assign left out"] if counter.any() else []
    values, genes = values[~counter], [gene for gene, out in zip(genes, counter, strict=True) if not out]
    before = len(genes)
    values, genes = _without_empty_par_y(values, genes)
    if before > len(genes):
        notes.append(f"{before - len(genes)} rows _PAR_Y without any expression left out")
    names = plain(genes)
    notes += _changes(genes, names)
    order = list(dict.fromkeys(names))
    if len(order) == len(names):
        return values, names, notes
    twice = _repeated(genes)
    place = {gene: row for row, gene in enumerate(order)}
    summed = np.zeros((len(order), values.shape[1]))
    np.add.at(summed, [place[gene] for gene in names], values)
    return (
        summed,
        order,
        [*notes, f"{len(names) - len(order)} repeated rows added to their gene ({_some(twice)})"],
    )


def _without_empty_par_y(values, genes):
    """Drop rows of PAR_Y copies that have the matrix' lowest value in every sample, if the gene itself is in the matrix."""
    present, least = Counter(plain(genes)), np.nanmin(values, initial=np.inf)
    keep = []
    for row, gene in enumerate(genes):
        ensembl = ENSEMBL_ID.fullmatch(gene) if "ENSG" in gene else None
        is_copy = ensembl and (ensembl[3] or ensembl[6]) and present[_plain(gene)] > 1
        keep.append(not is_copy or bool((values[row] > least).any()))
    return values[keep], [gene for gene, kept in zip(genes, keep, strict=True) if kept]


def _changes(genes, names):
    """Notes on ids that were changed."""
    kinds = {}
    for gene, name in zip(genes, names, strict=True):
        if gene != name:
            ensembl = ENSEMBL_ID.fullmatch(gene)
            kind = "version stripped" if ensembl and not ensembl[7] else "taken from an id with a name"
            if INTEGER.fullmatch(name) and not STRINGTIE.fullmatch(gene):
                kind = "a number as R or a column with gaps writes it, read as the integer"
            kinds.setdefault(kind, []).append(f"{gene} is {name}")
    return [f"{len(changes)} gene ids: {kind} (first: {changes[0]})" for kind, changes in kinds.items()]


def _repeated(genes):
    """{plain id: rows beyond its first}."""
    return {gene: n - 1 for gene, n in Counter(plain(genes)).items() if n > 1}


def _some(genes):
    shown = list(genes)[:SHOWN]
    return f"first: {', '.join(shown)}{' ...' if len(genes) > SHOWN else ''}"


def _spreadsheet(genes, own, path):
    """Problems of ids that a spreadsheet turned into dates, numbers or errors; own : all ids of the matrix."""
    dates = [gene for gene in genes if EXCEL_DATE.fullmatch(gene)]
    serial = [gene for gene in own if SERIAL.fullmatch(gene)]
    if len(serial) < MIXED * len(own) and not any(map(str.isdigit, set(own) - set(serial))):
        dates += serial  # other ids are no numbers
    changed_ids = {
        "is a date": dates,
        "is a number": [gene for gene in genes if ROUNDED.fullmatch(gene)],
    }
    problems = [
        f"{path}: gene {changed[0]!r} {kind}: a spreadsheet changed {len(changed)} gene symbols; take them from a file that it"
        " never saved."
        for kind, changed in changed_ids.items()
        if changed
    ]
    wrong = [gene for gene in own if SPREADSHEET_ERROR.match(gene)]
    return problems + [
        f"{path}: gene {gene!r} is an error of a spreadsheet; correct it." for gene in wrong[:1]
    ]


def _unnamed(genes, path):
    """Problems of rows whose id is empty, unprintable, or a placeholder such as NA."""
    problems = []
    empty = [row for row, gene in enumerate(genes, start=1) if not gene]
    odd = [row for row, gene in enumerate(genes, start=1) if not gene.isprintable()]
    if empty:
        more = f" ({len(empty)} such rows)" if len(empty) > 1 else ""
        problems.append(f"{path}: gene row {empty[0]} has no gene id{more}; give it one, or remove the row.")
    if odd:
        problems.append(
            f"{path}: gene row {odd[0]}: {genes[odd[0] - 1][:40]!r} is no gene id; is a quote mark not closed?"
        )
    counted = Counter(gene for gene in genes if gene and NO_NAME.fullmatch(gene))
    return problems + [
        f"{path}: {n} rows are called {gene!r}, which stands for a missing name; remove them, or give ids that all rows have."
        for gene, n in counted.items()
        if n > 1
    ]


def _total(values, genes, unit, path):
    """Problem of a row that is the sum of the others: as a gene it would be half of every library."""
    total = [gene for gene in genes if gene.lower() in TOTALS]
    for left_out in (False, True):  # with and without what is no gene
        none = spike_ins.find(genes) if left_out else {}
        rows = [
            row
            for row, gene in enumerate(genes)
            if gene not in none and not (left_out and spike_ins.of_counter(gene))
        ]
        if not total and unit != "log" and len(rows) >= FEWEST_OF_TOTAL:
            part = values[rows]
            is_half = np.isclose(2 * part, part.sum(axis=0), rtol=1e-9, atol=0).all(axis=1)
            total = [genes[rows[row]] for row in np.flatnonzero(is_half & part.any(axis=1))]
    return [f"{path}: row {total[0]!r} is the sum of the others, no gene; remove it."] if total else []


def _mixture(genes, path):
    """Problem of Ensembl ids mixed with gene names: one gene may be in the matrix under both."""
    other = [gene for gene in genes if not STANDARD.match(_plain(gene))]
    if MIXED * len(genes) < len(other) < (1 - MIXED) * len(genes):
        return [
            f"{path}: {len(genes) - len(other)} genes have Ensembl ids and {len(other)} other names (first: {other[0]});"
            " one gene may be there under both. Give all genes ids of one kind."
        ]
    return []


def annotate(gene_table: pd.DataFrame, records: Sequence[Mapping[str, Any]]) -> tuple[pd.DataFrame, int]:
    """(gene_table with annotation columns, number of genes not annotated); lengths only if all are known.

    InputProblem when the annotation has not half of the genes.
    """
    import pandas as pd

    known = pd.DataFrame(records).set_index("gene_id")
    known.index = plain(list(known.index))
    known = (
        known[~known.index.duplicated()].reindex(plain(list(gene_table.index))).set_index(gene_table.index)
    )
    absent = known.index[known["length"].isna()]
    unknown = len(absent)
    if unknown > len(known) / 2:
        raise InputProblem(
            f"{unknown} of the {len(known)} genes of the matrix are not in reference.gtf (first: {', '.join(absent[:3])});"
            " is it of the same species, and are its ids of the same kind (quantification.attribute)?"
        )
    text = known.drop(columns=["start", "end", "length"]).fillna("")
    return (text if unknown else text.assign(length=known["length"].astype(int))), unknown
