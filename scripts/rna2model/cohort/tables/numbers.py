"""Convert numbers that were read as text: decimal commas only where unambiguous; advice for all others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")  # commas between thousands
DECIMAL = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")  # a comma for the decimal point
SEVERAL = re.compile(r"[-+]?\d{1,3}(,\d{3}){2,}(\.\d+)?|[-+]?\d{1,3}(,\d{3})+\.\d+")  # nothing but thousands
USUAL = 0.5  # of the columns must have decimal commas before they are taken for the way of the whole table


def read(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """(table with decimal commas converted, notes); a cell that is not a number, or is ambiguous, stays text."""
    import pandas as pd

    text = [place for place in range(table.shape[1]) if table.dtypes.iloc[place].kind not in "iuf"]
    if not text:
        return table, []
    cells = {place: table.iloc[:, place].astype(str).str.strip() for place in text}
    kinds = {place: _kinds(column) for place, column in cells.items()}
    with_decimals = [place for place in text if kinds[place]["decimal"]]
    points = any(
        _has_fractions(table.iloc[:, place]) for place in range(table.shape[1]) if place not in cells
    )
    is_decimal = len(with_decimals) >= USUAL * table.shape[1] and not points
    if is_decimal and not any(kinds[place]["thousands"] or kinds[place]["point"] for place in text):
        converted = {place: column.str.replace(",", ".", regex=False) for place, column in cells.items()}
        pieces = [
            _numbers(table.iloc[:, place], converted[place]) if place in cells else table.iloc[:, place]
            for place in range(table.shape[1])
        ]
        return pd.concat(pieces, axis=1).set_axis(table.columns, axis=1), [
            "decimal commas read as decimal points"
        ]
    return table, []


def _numbers(column, converted):
    """The numbers of `converted`, a text column; cells that are not numbers keep their text in `column`."""
    import pandas as pd

    parsed = pd.to_numeric(converted, errors="coerce").where(column.notna())
    return (
        parsed
        if (parsed.notna() | column.isna()).all()
        else parsed.astype(object).where(parsed.notna(), column)
    )


def _kinds(column):
    """The number formats that occur in a text column."""
    with_comma = column[column.str.contains(",", regex=False)]
    is_thousands = with_comma.str.fullmatch(SEVERAL.pattern)
    is_decimal = with_comma.str.fullmatch(DECIMAL.pattern) & ~with_comma.str.fullmatch(GROUPED.pattern)
    return {
        "decimal": bool(is_decimal.any()),
        "thousands": bool(is_thousands.any()),
        "point": bool(column.str.fullmatch(r"[-+]?\d*\.\d+").any()),
    }


def _has_fractions(column):
    return column.dtype.kind == "f" and bool((column.dropna() % 1 != 0).any())


def advice(cell: str) -> str:
    """Advice for a cell that is ambiguous or in another number format; a full stop for any other."""
    plain = cell.replace(",", "")
    if SEVERAL.fullmatch(cell):
        return f": commas between thousands; write {plain}."
    if GROUPED.fullmatch(cell):
        point = cell.replace(",", ".", 1)
        return (
            f": {plain} with a comma between thousands, {point} with a decimal comma; which, the table does not say. Save it"
            " without separators between thousands and with a decimal point."
        )
    if DECIMAL.fullmatch(cell):
        return f": a decimal comma among decimal points or whole numbers? Write {cell.replace(',', '.')}."
    if re.fullmatch(r"\d{1,3}([ .'’]\d{3})+", cell):
        return ": a separator between thousands? Write digits only."
    return "."
