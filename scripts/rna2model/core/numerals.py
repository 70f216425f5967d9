"""Read numbers as people and spreadsheets write them; all cells of a column decide whether a comma, space or
apostrophe is a decimal or thousands separator."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

THOUSANDS = r"[-+]?\d{1,3}(%s\d{3})+"
SPACED = re.compile(THOUSANDS % "[ \u00a0\u2009\u202f'\u2019_]" + r"([.,]\d+)?")
COMMAS = re.compile(THOUSANDS % "," + r"(\.\d+)?")  # 8,866 or 1,234,567.8
POINTS = re.compile(THOUSANDS % r"\." + r",\d+")  # 1.234,5
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
SURELY = re.compile(r"[-+]?0*,\d+|[-+]?0\d*,\d+|[-+]?\d{4,},\d+")  # no thousands: 0,866 and 1234,5


def plain(cell: str) -> float | None:
    """A cell as a finite float, or None."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def is_separated(cell: str) -> bool:
    """Whether a cell is a number, with or without separators."""
    patterns = (SPACED, COMMAS, POINTS, DECIMAL_COMMA)
    return plain(cell) is not None or any(pattern.fullmatch(cell) for pattern in patterns)


def advice(cell: str, cells: Sequence[str]) -> str:
    """Advice on how to write a cell that is not a plain number, or an empty text; cells : all cells of its column.

    A comma separates decimals where a cell of the column has other than three digits behind it (0,5), thousands where one
    has two commas, or a point as well, or where other cells have a decimal point, or are whole numbers to 999. Otherwise
    both are said.
    """
    if SPACED.fullmatch(cell):
        return (
            f"write {re.sub('[^-+0-9.,]', '', cell).replace(',', '.')}, without separators between thousands"
        )
    if POINTS.fullmatch(cell):
        return f"write {cell.replace('.', '').replace(',', '.')}, decimals with a point and nothing between thousands"
    if not (COMMAS.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell)):
        return "write decimals with a point, and nothing between thousands" if "," in cell else ""
    thousands, decimal = cell.replace(",", ""), cell.replace(",", ".")
    commas = [other for other in cells if "," in other]
    if any(_only_decimal(other) for other in commas) and not any(_only_thousands(other) for other in commas):
        return f"write {decimal}: decimals with a point"
    if any(_only_thousands(other) for other in commas) or _points_or_hundreds(cells):
        return f"write {thousands}: the comma separates thousands"
    return f"write {thousands} if the comma separates thousands, {decimal} if it separates decimals"


def _only_decimal(cell):
    return bool(SURELY.fullmatch(cell)) or (
        bool(DECIMAL_COMMA.fullmatch(cell)) and not COMMAS.fullmatch(cell)
    )


def _only_thousands(cell):
    return bool(COMMAS.fullmatch(cell)) and (cell.count(",") > 1 or "." in cell)


def _points_or_hundreds(cells):
    """Whether the cells without a comma have decimal points, or are whole numbers of which one is 100 to 999."""
    others = [cell for cell in cells if plain(cell) is not None]
    whole = [abs(int(cell)) for cell in others if re.fullmatch(r"[-+]?\d+", cell)]
    return any("." in cell for cell in others) or (len(whole) == len(others) > 0 and 100 <= max(whole) <= 999)
