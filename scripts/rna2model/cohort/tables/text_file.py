"""Read a text table by its layout: ids verbatim, numeric cells as numbers, with the conversions that its format needs."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from rna2model.cohort.tables import columns, formats, layout, opening

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from rna2model.cohort.tables.layout import Layout

MISSING = [
    "",
    "NA",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "-nan",
    "-NaN",
    "null",
    "NULL",
    "None",
    "<NA>",
    "#N/A",
    "#NA",
]
UNSTABLE = re.compile(r"(?:MSTRG|STRG)\.\d+\|(.+)")  # StringTie's own number, and the gene's name
IN_SHEET = "leave counts out of the config and name the file of each sample in the sheet's column counts_file"


def read(
    path: str | Path, name: str, samples: Collection[str] = ()
) -> tuple[pd.DataFrame, list[str], dict[str, str]]:
    """(DataFrame of ids x columns as in the file, notes, other names of columns) of the text file at `path`.

    ValueError if it is not a table, or a table of one sample. Columns that describe genes may still be among them.
    """
    seen = layout.read(path, name)
    table_format = check_start(seen, samples)
    table = frame(path, seen, samples)
    notes = (
        []
        if not table_format
        else [f"read as {table_format.name}" + (f"; {table_format.note}" if table_format.note else "")]
    )
    if seen.comments and not table_format:
        notes.append(f"{_counted(len(seen.comments), 'line')} above the header skipped")
    if table_format and table_format.name == "a table of DepMap":
        table, more = _turned(table)
    else:
        metadata = [name for name in seen.columns[1 : seen.beside] if name not in samples]
        table, more = with_ids(table.drop(columns=metadata))
        more += (
            [f"columns that describe genes left out ({len(metadata)}): {', '.join(metadata)}"]
            if metadata
            else []
        )
    return table, notes + more, titles(seen)


def check_start(seen: Layout, samples: Collection[str] = ()) -> formats.Format | None:
    """The Format of a table, or None; ValueError if the first rows show a table of one sample, a repeated name, or a
    series without values."""
    table_format = formats.recognise(seen)
    if table_format and table_format.single and not set(samples) & set(seen.columns):
        what = (
            "STAR's table of one sample"
            if table_format.name.startswith("STAR's")
            else f"{table_format.name}, of one sample"
        )
        raise ValueError(f"it is {what}; {IN_SHEET}")
    _check_header(seen)
    if table_format and table_format.name == "a series matrix of GEO":
        _check_series(seen)
    return table_format


def _counted(number, what):
    return f"{number} {what}{'s' if number != 1 else ''}"


def _check_header(seen):
    """ValueError for repeated column names, which pandas would rename."""
    names = [name for name in seen.header if name]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ValueError(f"sample column {twice[0]!r} is there twice")


def _check_series(seen):
    if seen.rows:
        return
    files = [
        cell.strip().strip('"')
        for line in seen.comments
        if "supplementary_file" in line.split("\t")[0]
        for cell in line.split("\t")[1:]
    ]
    where = f": {', '.join(files[:3])}{' …' if len(files) > 3 else ''}" if files else " of the series"
    raise ValueError(
        f"it is a series matrix of GEO with an empty table, as for most RNA-seq; take the counts from the supplementary files{where},"
        " or from the counts that NCBI made (GSE..._raw_counts_..._NCBI.tsv.gz)"
    )


def frame(path: str | Path, seen: Layout, samples: Collection[str] = ()) -> pd.DataFrame:
    """All cells of the table under its header; ids and other words stay as they are written, an empty cell too."""
    names, texts = seen.columns, _texts(seen, set(samples))
    with opening.text(path) as file:
        for _ in range(seen.skip):
            next(file)
        table = pd.read_csv(
            file,
            sep=r"\s+" if seen.separator == " " else seen.separator,
            header=None,
            skiprows=_header_and_metadata(seen),
            names=range(len(names)),
            index_col=False,
            dtype=dict.fromkeys(texts, str),
            na_values={place: MISSING for place in range(len(names)) if place not in texts},
            keep_default_na=False,
            low_memory=False,
            on_bad_lines="error",
        )
    table.columns = names
    for place in texts:
        table.isetitem(place, table.iloc[:, place].fillna("").astype(str).str.strip())
    table = table[table.iloc[:, 0] != layout.GEO_END]
    rest = table.iloc[:, [place for place in range(len(names)) if place not in texts]]
    return table[~((table.iloc[:, 0] == "") & rest.isna().all(axis=1))]  # rows of separators only


def _header_and_metadata(seen):
    """Lines between the comments and the first gene."""
    return 1 + seen.below


def _texts(seen, samples):
    """Positions of the columns with ids or words, by their names, or by the header of a GCT file."""
    places = [0]
    for place, name in enumerate(seen.columns[1:], start=1):
        named = columns.plain(name) in columns.IDS | columns.OF_TRANSCRIPTS
        if name not in samples and (place < seen.beside or named):
            places.append(place)
    return places


def with_ids(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """(table with the genes' ids as index, notes): the first column, or a better one where that numbers rows or transcripts."""
    names, notes = list(table.columns), []
    first, place = columns.plain(names[0]), 0
    better = [
        at
        for at, name in enumerate(names[1:], start=1)
        if columns.plain(name) in columns.IDS and _is_named(table.iloc[:, at])
    ]
    if better and first in columns.OF_TRANSCRIPTS:
        place = better[0]
        notes.append(f"rows are transcripts; they are those of genes by column {names[place]}")
    elif better and is_numbered(list(table.iloc[:, 0])):
        place = better[0]
        notes.append(f"gene ids taken from column {names[place]}; the first column numbers the rows")
        table, names, place = table.iloc[:, 1:], names[1:], place - 1
    ids = table.iloc[:, place].astype(str).str.strip()
    rest = table.iloc[:, [at for at in range(len(names)) if at != place]]
    if first == "hugosymbol" and "Entrez_Gene_Id" in names:
        entrez = table["Entrez_Gene_Id"].astype(str).str.strip().str.removesuffix(".0")
        without = ids.isin(["", "NA"]) & ~entrez.isin(["", "NA"])
        nothing = ids.isin(["", "NA"]) & ~without
        ids = ids.where(~without, entrez)
        rest, ids = rest[~nothing], ids[~nothing]
        notes += (
            [f"{_counted(int(without.sum()), 'gene')} without symbol named by Entrez id"]
            if without.any()
            else []
        )
        notes += (
            [f"{_counted(int(nothing.sum()), 'row')} without symbol and Entrez id left out"]
            if nothing.any()
            else []
        )
    if place == 0 and first == "geneid" and ids.str.contains("|", regex=False).any():
        ids = ids.map(_of_prepde)
        notes.append(
            "gene ids `id|name`: the id kept, or the name where the id is StringTie's own number (MSTRG)"
        )
    return rest.set_axis(pd.Index(ids, name=names[place]), axis=0), notes


def _of_prepde(label):
    parsed = UNSTABLE.fullmatch(label)
    return parsed[1] if parsed else label.split("|")[0]


def _is_named(column):
    return bool((column.astype(str).str.strip() != "").any())


def is_numbered(ids: Iterable[Any]) -> bool:
    """Whether ten ids or more are row numbers, from 0 or 1."""
    ids = [str(one) for one in ids]
    return len(ids) > 9 and any(ids == [str(i + first) for i in range(len(ids))] for first in (0, 1))


def _turned(table):
    """DepMap's table, samples x `SYMBOL (id)`, as genes x samples: Ensembl ids where it has them, else symbols."""
    labels = {name: formats.DEPMAP_GENE.fullmatch(name) for name in table.columns}
    genes = [name for name, parsed in labels.items() if parsed]
    others = [name for name in table.columns if not labels[name]]
    notes, ids = (
        [f"samples were rows and genes columns; turned, {len(genes)} genes"],
        table[others[0]].astype(str),
    )
    if "ModelID" in others:
        ids = table["ModelID"].astype(str)
        if "IsDefaultEntryForModel" in others and ids.duplicated().any():
            kept = table["IsDefaultEntryForModel"].astype(str).isin(["Yes", "True", "1"])
            notes.append(f"{int((~kept).sum())} rows that are not the default entry of their model left out")
            table, ids = table[kept], ids[kept]
    symbols = [labels[name][1] for name in genes]
    count = Counter(symbols)
    names = [
        labels[name][2] if labels[name][2].startswith("ENS") else symbol if count[symbol] == 1 else name
        for name, symbol in zip(genes, symbols, strict=True)
    ]
    turned = table[genes].T.set_axis(names, axis=0).set_axis(list(ids), axis=1)
    return turned.infer_objects(), notes


def titles(seen: Layout) -> dict[str, str]:
    """{GSM accession: title} of a series matrix, by which a sheet may call its samples."""
    rows = {}
    for line in seen.comments:
        cells = next(csv.reader([line], delimiter="\t"), [])
        if cells and cells[0] in ("!Sample_title", "!Sample_geo_accession"):
            rows[cells[0]] = cells[1:]
    titles, accessions = rows.get("!Sample_title", []), rows.get("!Sample_geo_accession", [])
    names = accessions or seen.columns[1:]
    return dict(zip(names, titles, strict=False)) if titles else {}
