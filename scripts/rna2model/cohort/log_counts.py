"""Recognise logarithms of count + 1, as UCSC Xena provides them, and convert them back to counts.

Counts are whole numbers, so all values are logarithms of whole numbers within the precision of their decimals; of
logarithms of normalised values, fewer than one in five are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LOG_CEILING = 60  # log2 of anything countable is below this; raw counts and TPM are not
BASES = {"2": 2.0, "e": np.e, "10": 10.0}  # of logarithms of count + 1
LOOKED_AT = 400_000  # cells by which logarithms are recognised
ENOUGH = 20  # cells between the logarithms of two counts, of which a fifth would be whole by chance
SHARP = 10  # times the precision of a value that two counts' logarithms must lie apart
FLOAT32 = 2e-6  # precision of logarithms kept as single floats


def from_logarithms(values: NDArray[Any]) -> NDArray[np.float64]:
    """Counts (whole float64) of logarithms of count + 1, (n_genes, n_samples)."""
    return np.round(BASES[base_of(values)] ** values - 1)


def note(table: pd.DataFrame) -> list[str]:
    """Log lines about a table of logarithms that `from_logarithms` converts."""
    values = table.to_numpy(dtype=float)
    base = base_of(values)
    doubt = precision_of(values) * np.log(BASES[base]) * BASES[base] ** values
    line = f"logarithms (base {base}) of count + 1 undone"
    if doubt.max() > 0.5:
        sure = (BASES[base] ** values - 1)[doubt > 0.5].min()
        line += f"; from {sure:.0f} on their decimals tell a count to {100 * (doubt / BASES[base] ** values).max():.2g} % only"
    return [line]


def base_of(values: NDArray[Any]) -> str:
    """Base of logarithms of counts; 2 if there are too few values to tell."""
    return counts_in(values) or counts_in(values, enough=1) or "2"


def counts_in(values: NDArray[Any], enough: int = ENOUGH) -> str | None:
    """Base ("2", "e" or "10") for which values (n_genes, n_samples) are logarithms of whole numbers + 1, or None.

    Looked at are values that lie between the logarithms of small counts, where those are far apart; at least `enough` of
    them have to be there, and all be right.
    """
    step = max(values.size // LOOKED_AT, 1)
    some = values[::step]
    if not some.size or some.min() < 0 or some.max() > LOG_CEILING:
        return None
    some = some[some > 0]
    if not len(some) or (some == np.round(some)).all():
        return None
    precision = precision_of(some)
    for name, base in BASES.items():
        counts = np.round(base**some - 1)
        sharp = (counts > 0) & ((counts + 1) * np.log(base) * SHARP * precision < 1)
        right = np.abs(some - np.log1p(counts) / np.log(base)) <= precision
        telling = sharp & (some != np.round(some))
        small = (counts == 0) & (some > precision)  # between no count and one
        if telling.sum() >= enough and right[sharp].all() and not small.any():
            return name
    return None


def precision_of(values: NDArray[Any]) -> NDArray[np.float64]:
    """Rounding error of each value: half a unit in the last decimal of values of its size."""
    precision = np.full(values.shape, FLOAT32)
    sizes = np.where(values >= 10, 2, np.where(values >= 1, 1, 0))
    for size in range(3):
        own = values[sizes == size]
        own = own[own > 0][:: max(len(own) // LOOKED_AT, 1)]
        for decimals in range(7) if len(own) else ():
            scaled = own * 10.0**decimals
            if (np.abs(scaled - np.round(scaled)) < 1e-5 * 10.0 ** max(decimals - 4, 0)).all():
                precision[sizes == size] = max(0.501 * 10.0**-decimals, FLOAT32)
                break
    return precision
