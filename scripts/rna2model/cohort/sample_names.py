"""Match the samples of a sheet with the columns of a matrix: exact names are taken, likely ones are only suggested.

What stands between the two: paths and endings of alignments, R's make.names (an X before digits, `.` for other characters), case,
barcodes of TCGA that one side cuts off, titles of GEO, and what pipelines put before or behind a name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

ALIGNMENT = re.compile(  # what aligners and tools append to a sample's name
    r"(?i)[._-]?(Aligned\.(sortedByCoord\.)?(toTranscriptome\.)?out|sorted(ByCoord)?|sort|markdup(licates)?|dedup(licated)?|umi_dedup|md|"
    r"primary|unique|filtered|hisat2|star|accepted_hits)$"
)
ENDING = re.compile(
    r"(?i)\.(bam|sam|cram|tsv|txt|tab|csv|counts?|gz|results|genes|isoforms|sf|htseq|featureCounts|ReadsPerGene\.out)$"
)
LEGAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")  # names that a sheet takes
SHOWN = 10


def stem(column: str) -> str:
    """A column's name without folders, .bam, and what tools append to it: /x/A.Aligned.sortedByCoord.out.bam is A."""
    name = re.split(r"[/\\]", column.rstrip("/\\"))[-1]
    while (shorter := ALIGNMENT.sub("", ENDING.sub("", name))) not in (name, ""):
        name = shorter
    return name


def is_file(column: str) -> bool:
    """Whether a column is named after a file of alignments or counts."""
    return "/" in column or "\\" in column or bool(re.search(r"(?i)\.(bam|sam|cram)$", column))


def for_sheet(column: str) -> str:
    """Name for a column's sample in a sheet: the column's name, or a valid one that `match` accepts for it."""
    name = stem(column) if is_file(column) else column
    return name if LEGAL.fullmatch(name) else re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".-")[:100]


def match(
    columns: Sequence[str], samples: Sequence[str], titles: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[str], dict[str, tuple[str, str]]]:
    """({sample: column}, notes, {sample: (column, why)}) of the samples that are columns, and of those that might be.

    Taken as they are: equal names, and stems of files that exactly one sample has. All else is only a suggestion, and only
    where one sample has one column and the column no other sample.
    """
    exact = {name: name for name in samples if name in set(columns)}
    free = [column for column in columns if column not in exact]
    open_names = [name for name in samples if name not in exact]
    files = one_to_one(_candidates(open_names, [c for c in free if is_file(c)], stem, str))
    spelled = [c for c in free if not is_file(c) and not LEGAL.fullmatch(c)]  # the sheet cannot write them so
    respelled = one_to_one(_candidates([n for n in open_names if n not in files], spelled, _r, _r))
    notes = []
    for kind, pairs in (
        ("named by their files", files),
        ("with characters that a sheet does not take", respelled),
    ):
        if pairs:
            first = next(iter(pairs))
            notes.append(f"columns {kind} ({len(pairs)}): {pairs[first]} is sample {first}")
    files |= respelled
    free = [column for column in free if column not in files.values()]
    open_names = [name for name in open_names if name not in files]
    return exact | files, notes, _suggestions(open_names, free, titles or {})


def _candidates(names, columns, key, of_name):
    """{name: columns whose key is the name's}."""
    keys = defaultdict(list)
    for column in columns:
        keys[key(column)].append(column)
    return {name: keys.get(of_name(name), []) for name in names}


def one_to_one(candidates: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """{name: column} of the names with one candidate that no other name has."""
    uses = Counter(column for columns in candidates.values() for column in columns)
    return {
        name: columns[0]
        for name, columns in candidates.items()
        if len(columns) == 1 and uses[columns[0]] == 1
    }


def _r(name: str) -> str:
    """A name in lower case, as R's make.names would write it."""
    return re.sub(r"^x(?=[.\d])", "", re.sub(r"[^a-z0-9.]", ".", name.lower())).strip(".")


def _goes_on(short: str, long: str) -> bool:
    """Whether `long` is `short` with more fields, or of TCGA with the letter of its vial (01 and 01A)."""
    rest = long[len(short) :]
    return (
        bool(short)
        and long.startswith(short)
        and bool(re.match(r"\.|[a-z](\.|$)" if long.startswith("tcga.") else r"\.", rest))
    )


def _is_part(short: str, long: str) -> bool:
    """Whether one name is a complete part of another, between two separators."""
    return re.search(rf"(^|\.){re.escape(short)}($|\.)", long) is not None


RULES = [  # (why, key of a name; equal keys match), the surest first
    ("differs by case only", str.lower),
    ("R writes . for other characters, and X before a digit", _r),
    ("named by its file", lambda name: _r(stem(name))),
]


def _suggestions(names, columns, titles):
    column_of_name = {}

    def take(candidates, why):
        for name, column in one_to_one(candidates).items():
            column_of_name.setdefault(name, (column, why))

    def left():
        taken = {column for column, _ in column_of_name.values()}
        return [name for name in names if name not in column_of_name], [c for c in columns if c not in taken]

    for why, key in [*RULES, ("its title in GEO", None)]:
        open_names, free = left()
        if key is None:
            take(_candidates(open_names, [c for c in free if c in titles], lambda c: _r(titles[c]), _r), why)
        else:
            take(_candidates(open_names, free, key, key), why)
    open_names, free = left()
    if len(open_names) * len(free) < 10**7:
        plain = {column: _r(column) for column in free}
        longer = {n: [c for c in free if _goes_on(_r(n), plain[c])] for n in open_names}
        take(longer, "the column's name goes on, as longer barcodes of TCGA do")
        open_names, free = left()
        shorter = {n: [c for c in free if _goes_on(plain[c], _r(n))] for n in open_names}
        take(shorter, "the sheet's name goes on, as longer barcodes of TCGA do")
        open_names, free = left()
        within = {n: [c for c in free if _is_part(_r(n), plain[c])] for n in open_names}
        take(within, "the column's name contains it")
    return column_of_name


def ambiguous(names: Sequence[str], columns: Sequence[str]) -> dict[str, list[str]]:
    """{sample: columns} of samples that several columns begin with, as the barcodes of several TCGA samples of a patient."""
    columns_of_name = {
        name: [column for column in columns if _goes_on(_r(name), _r(column))] for name in names[:1000]
    }
    return {name: several for name, several in columns_of_name.items() if len(several) > 1}


def choose(table: pd.DataFrame, samples: Sequence[str], path: str | Path) -> tuple[pd.DataFrame, list[str]]:
    """(the columns of `samples` in their order, under the sheet's names; notes). InputProblem lists unmatched samples,
    free columns and suggestions."""
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputProblem(f"{path}: sample column {twice[0]!r} is there twice.")
    columns = list(table.columns)
    column_of_sample, notes, suggested = match(columns, samples, table.attrs.get("titles"))
    missing = [name for name in samples if name not in column_of_sample]
    if missing:
        if sum(name in table.index for name in samples) > len(samples) / 2:
            raise InputProblem(
                f"{path} is transposed: samples are its rows; give genes as rows, samples as columns."
            )
        free = [column for column in columns if column not in set(column_of_sample.values())]
        raise InputProblem(f"{path} {message(missing, free, suggested, path)}")
    used = set(column_of_sample.values())
    others = [column for column in columns if column not in used]
    if others:
        notes.append(f"columns of no sample that is read here ({len(others)}): {_listed(others)}")
    return table[[column_of_sample[name] for name in samples]].set_axis(list(samples), axis=1), notes


def message(
    missing: Sequence[str], free: Sequence[str], suggested: Mapping[str, tuple[str, str]], path: str | Path
) -> str:
    """Message on samples without a column: their names, the unused columns, and suggested matches."""
    text = [f"has no column for {len(missing)} samples of the sheet: {_listed(missing)}."]
    text.append(
        f"Columns that no sample of the sheet has: {_listed(free)} ({len(free)})."
        if free
        else "All its columns are of other samples."
    )
    if suggested:
        reasons = Counter(why for _, why in suggested.values())
        for why, number in reasons.items():
            name, column = next((n, c) for n, (c, w) in suggested.items() if w == why)
            text.append(f"{name} may be {column} ({why}; {number} of {len(missing)} one to one).")
        text.append(
            f"If that is right, `make sheet FIX_NAMES=<the sheet> COUNTS={path}` writes a sheet with the matrix's names."
        )
    several = ambiguous([name for name in missing if name not in suggested], free)
    if several:
        name, places = next(iter(several.items()))
        text.append(
            f"{name} could be {' or '.join(places[:3])}{' …' if len(places) > 3 else ''}: write which in the sheet."
        )
    text.append("Otherwise correct the names, or fill `exclude` for them in the sheet.")
    return " ".join(text)


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names[:SHOWN])) + (" …" if len(names) > SHOWN else "")
