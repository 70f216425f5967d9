"""Cells that may mean "not given": words, signs and codes such as 999 that registries and spreadsheets write.

As a class they would be trained and scored, as a donor they would group unrelated samples, as a number they would be a
measurement. They are refused, unless design.missing names them: then they are empty cells.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from rna2model.cohort import outcome
from rna2model.core import numerals
from rna2model.core.missing import is_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

WORDS = {
    *("none", "null", "nil", "nan", "nat", "na", "n a", "n.a.", "n.a", "n/a", "n/d", "n.d.", "tbd", "tba"),
    *("unknown", "unk", "unspecified", "undetermined", "undefined", "missing", "discrepancy", "restricted access"),
    *("no data", "no value", "no information", "data missing", "unavailable", "unreported", "withheld"),
}  # fmt: skip
NOT = re.compile(
    r"(value )?(not|un) ?(available|applicable|reported|provided|collected|determined|known|specified|evaluated|recorded|given"
    r"|stated|done|assessed|allowed to collect)"
)
MISSING = re.compile(r"missing ?[:,;(-].*")  # INSDC: "missing: control sample"
AROUND = " \t'\"`*[](){}<>#"
SIGNS = set(AROUND + ".?!-–—_/\\|~:;,")
CODES = {sign * float("9" * n) for n in range(1, 7) for sign in (1, -1)} | {-1.0}
FEWEST = 5  # numbers that say what is usual of a column


def empty(samples: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Empty the cells of the design's columns that design.missing names; samples : {name: Sample}."""
    named = config["design"]["missing"]
    words, numbers = (
        {str(value).strip() for value in named},
        {numerals.plain(str(value)) for value in named} - {None},
    )
    columns = [*_columns(config["design"]), ("holdout", config["evaluation"]["holdout"])]
    columns += [("subgroup", column) for column in config["evaluation"]["subgroups"]]
    for sample in samples.values() if named else ():
        for _, column in columns:
            cell = sample.metadata.get(column) if column else None
            if cell is not None and (cell.strip() in words or numerals.plain(cell) in numbers):
                sample.metadata[column] = ""


def suspect_cells(samples: Sequence[Any], design: Mapping[str, Any]) -> dict[str, tuple[str, Counter[str]]]:
    """{column: (role, Counter of the cells that may mean no value)} of samples that take part (a list of Sample)."""
    columns = {}
    for role, column in _columns(design):
        cells = [sample.metadata[column] for sample in samples if column in sample.metadata]
        if role != "class":  # what is missing by the sheet's rules; a class may be called none
            cells = [cell for cell in cells if not is_missing(cell)]
        cells = [cell for cell in cells if cell]
        which = {cell for cell in cells if is_word(cell) and not _is_sign(cell, cells)}
        which -= {cell for cell in which if role == "class" and cell in ("NA", "N/A", "n/a", "NaN", "nan")}
        which |= _codes(role, [cell for cell in cells if cell not in which])
        if which:
            columns[column] = role, Counter(cell for cell in cells if cell in which)
    return columns


def without(
    samples: Sequence[Any], unclear: Mapping[str, tuple[str, Counter[str]]], design: Mapping[str, Any]
) -> list[Any]:
    """Those of `samples` whose outcome is none of the cells that `suspect_cells` names."""
    columns = [(column, unclear[column][1]) for column in outcome.columns(design) if column in unclear]
    return [
        sample for sample in samples if all(sample.metadata[column] not in cells for column, cells in columns)
    ]


def problems(path: str | Path, samples: Sequence[Any], design: Mapping[str, Any]) -> list[str]:
    """Problems (list of str), one for a column, of cells that may mean no value."""
    problems = []
    for column, (role, counts) in suspect_cells(samples, design).items():
        rows: dict[str | None, int] = {}
        for sample in samples:
            rows.setdefault(sample.metadata.get(column), sample.row)
        values = ", ".join(
            f"{cell!r} ({number} cell{'s' if number > 1 else ''}, {'first ' if number > 1 else ''}row {rows[cell]})"
            for cell, number in counts.items()
        )
        may = "a class or no value" if role == "class" else "no value"
        if len(counts) > 1:
            values += ", each of which"
        named = ", ".join(repr(cell) if "'" not in cell else f'"{cell}"' for cell in counts)
        problems.append(
            f"{path}, column {column}: {values} may mean {may}; if it is none, {_remedy(role)} (design.missing: [{named}] takes"
            f" such cells as empty), otherwise write another {'word (untreated, healthy)' if role == 'class' else 'value'}"
        )
    return problems


def is_word(cell: str) -> bool:
    """Whether a cell is a word or sign for no value, in brackets or quotes or none."""
    if set(cell) <= SIGNS:
        return bool(cell.strip())
    word = " ".join(re.sub(r"[_\s]+", " ", cell.casefold().strip(AROUND)).split())
    return word in WORDS or bool(NOT.fullmatch(word) or MISSING.fullmatch(word))


def _is_sign(cell, cells):
    """Whether a - is the opposite of a + in the same column."""
    return set(cell) <= SIGNS and any(set(other) <= {"+"} for other in cells)


def _columns(design):
    """(role, column) of the design: class, number, event, batch, group, covariate."""
    kinds = {"classification": ["class"], "regression": ["number"], "survival": ["number", "event"]}[
        design["task"]
    ]
    named = list(zip(kinds, outcome.columns(design), strict=True))
    named += [(role, design[role]) for role in ("batch", "group")]
    return [
        (role, column)
        for role, column in [*named, *(("covariate", c) for c in design["covariates"])]
        if column
    ]


def _codes(role, cells):
    """Cells that are numbers which stand for no value: among classes, or far from all other numbers of the column."""
    values = {cell: number for cell in set(cells) if (number := numerals.plain(cell)) in CODES}
    rest = [cell for cell in cells if cell not in values]
    if not values or not rest or role in ("batch", "group"):
        return set()
    if role == "event":
        return set(values)
    numbers = [numerals.plain(cell) for cell in rest]
    if all(number is None for number in numbers):
        return {cell for cell, value in values.items() if value != 9}
    if None in numbers:
        return set()
    if role == "class":
        return {cell for cell, value in values.items() if _is_class_code(value, numbers)}
    times = Counter(cells)
    return {cell for cell, value in values.items() if _is_far(value, numbers, times[cell])}


def _is_class_code(value, others):
    """Beside classes coded 0, 1, 2 (SEER's grade 9, PLINK's -9); -1 and 1 are classes, and so are days 0, 3 and 9."""
    if len(set(others)) < 2 or any(other != int(other) or not 0 <= other < 9 for other in others):
        return False
    return value not in (-1, 9) or (
        value == 9 and max(others) <= 4 and len(set(others)) > max(others) - min(others)
    )


def _is_far(value, others, times):
    """Below a column without any negative number, or farther from the others than they are from each other."""
    low, high = min(others), max(others)
    if len(others) < FEWEST or low == high or value in (9, -1):
        return False
    if value < 0 <= low:
        return times > 1 or low - value > (high - low) / 4
    return max(value - high, low - value) > (high - low) * (1 if times > 1 else 3)


def _remedy(role: str) -> str:
    return {
        "class": "leave the cells empty: they are new samples, which are predicted only",
        "number": "leave the cells empty: they are new samples, which are predicted only",
        "event": "leave the cells empty: they are new samples, which are predicted only",
        "covariate": "leave the cells empty: features.impute fills them",
        "batch": "write the batch of each, or fill `exclude`",
        "group": "write whose sample each is (its own name, if it shares a donor with none), or fill `exclude`",
    }[role]
