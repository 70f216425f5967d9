"""When a metadata cell of the sheet counts as empty. Not in the sheet's reader, which is slow to import."""

from __future__ import annotations

MISSING = {"", "NA", "N/A", "n/a", "NaN", "nan", "None", "none", "NULL"}


def is_missing(cell: str | None) -> bool:
    """Whether a metadata cell counts as not given."""
    return cell is None or cell.strip() in MISSING
