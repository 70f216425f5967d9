"""Find libraries that are in the cohort under two names: in different folds, one would leak the label of the other.

Found are exact copies, log expression that is nearly the same, and, in counts, two lanes, halves or sequencings of one
library, at any depths: they differ by counting noise alone (counting_noise.py). In TPM and logarithms the depth is
lost, and with it the counting noise: there only the first two are found.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import counting_noise
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from rna2model.cohort.cohort import Cohort

SAME = 0.999  # correlation of log expression; between libraries of different cultures it stays below (measured: 0.998)
FEWEST_GENES = 100  # of fewer, unrelated samples may agree so well
GENES, ROWS = 2000, 1000  # looked at first, at a time
SHOWN = 10  # pairs in a message
COUNTED = ("counts", "expected_counts")
COLUMNS = ["sample", "other", "variation", "upper", "ordinary"]
REMEDY = (
    "in different folds one would give the other away. Fill `exclude` for one of them in the sheet, name what they share as"
    " design.group, or sum them (of reads, rows with the same sample name are lanes of one library)."
)


def check(
    data: Cohort, groups: NDArray[Any] | None = None, unit: str = "counts"
) -> list[tuple[str, str, float, float, float]]:
    """InputProblem when samples of a Cohort are one library, unless they are of one group (donor).

    groups : (n,) or None; unit : counts_unit. Returns the pairs that may be one library, where the counts are too few to
    tell: a list of (sample, other, and of counting_noise.Pair: variation, upper, ordinary), the most alike first.
    """
    likeness_of_pair = {
        pair: "have exactly the same counts" for pair in _copies(data.counts) if _apart(*pair, groups)
    }
    for first, second, r in _alike(data.counts):
        if _apart(first, second, groups):
            likeness_of_pair.setdefault((first, second), f"correlate by {r:.5f}")
    doubtful = []
    if unit in COUNTED:
        for pair in counting_noise.pairs(data.counts, groups):
            if pair.is_same:
                likeness_of_pair.setdefault(
                    (pair.first, pair.second), f"differ by counting noise alone ({_noise(pair)})"
                )
            else:
                names = data.samples[pair.first], data.samples[pair.second]
                doubtful.append((*names, pair.variation, pair.upper, pair.ordinary))
    if likeness_of_pair:
        raise InputProblem(_message(data, likeness_of_pair))
    return sorted(doubtful, key=lambda row: row[3])


def table(doubtful: Sequence[tuple[str, str, float, float, float]]) -> pd.DataFrame:
    """DataFrame of COLUMNS of what `check` returns."""
    import pandas as pd

    return pd.DataFrame(doubtful, columns=COLUMNS).round(4)


def doubt(sample: str, other: str, variation: float | str, upper: float | str, ordinary: float | str) -> str:
    """Warning about a pair that may be one library."""
    return (
        f"samples {sample} and {other} may be lanes or halves of one library: beyond counting noise they differ by at most"
        f" {float(upper):.1%}, an ordinary pair by {float(ordinary):.0%}. If they are, {REMEDY}"
    )


def _copies(counts: NDArray[Any]) -> list[tuple[int, int]]:
    """Pairs of rows with the same values, each row with the one before it."""
    seen: dict[bytes, list[int]] = {}
    for row, values in enumerate(counts):
        seen.setdefault(values.tobytes(), []).append(row)
    return [pair for rows in seen.values() for pair in pairwise(rows)]


def _apart(first: int, second: int, groups: NDArray[Any] | None) -> bool:
    return groups is None or groups[first] != groups[second]


def _noise(pair):
    return f"beyond it at most {pair.upper:.1%}, an ordinary pair {pair.ordinary:.0%}"


def _message(data, likeness_of_pair):
    pairs = [
        f"samples {data.samples[first]} and {data.samples[second]} {how}"
        for (first, second), how in list(likeness_of_pair.items())[:SHOWN]
    ]
    more = f"; and {len(likeness_of_pair) - SHOWN} more pairs" if len(likeness_of_pair) > SHOWN else ""
    return f"{'; '.join(pairs)}{more}: they are one library, and {REMEDY}"


def _alike(counts):
    """(row, row, r) of pairs above SAME; a part of the genes first, all of them for what is left."""
    expressed = np.flatnonzero((counts != 0).mean(axis=0) >= 0.5)
    if len(expressed) < FEWEST_GENES:
        return
    logged = counts.max() <= 50 or counts.min() < 0  # logarithms come as they are
    part = _standardised(counts[:, expressed[:: -(-len(expressed) // GENES)]], logged)
    for start in range(0, len(part), ROWS):
        r = part[start : start + ROWS] @ part.T
        for first, second in zip(*np.nonzero(r > 1 - 2 * (1 - SAME)), strict=True):
            if start + first < second:
                pair = _standardised(counts[np.ix_([start + first, second], expressed)], logged)
                whole = float(pair[0] @ pair[1])
                if whole > SAME:
                    yield start + int(first), int(second), whole


def _standardised(counts, logged):
    """(n, g) float32 rows of mean 0 and length 1."""
    values = counts.astype(np.float32) if logged else np.log2(counts.astype(np.float32) + 1)
    values -= values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(length > 0, length, 1)
