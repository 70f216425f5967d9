"""How much two libraries differ beyond counting noise: the coefficient of variation of a gene's expression between them.

Two lanes of one library are two draws from it: given its total t in both, a gene's count in one is binomial with the share
p of the depth that this one has, the same for all genes. Other samples vary as much again as biology makes them: about
0.4 between people, 0.1 between animals of one strain or cultures of one cell line, and 0.01 between technical replicates
(edgeR User's Guide, section 2.12). That is what is estimated here, so that neither depth nor its share decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ONE_LIBRARY = (
    0.03  # variation below which samples are one library: biological replicates were not seen below 0.036
)
CLEARLY = 2.0  # times as much as a pair at most varies, an ordinary pair has to vary
NEAR = 0.25  # variation at a first look, above which a pair is not looked at closely
NEAREST = 5  # pairs of each sample that are
ORDINARY_PAIRS = 200  # drawn to say what is ordinary
MOST_GENES, FEWEST_GENES = 4000, 100  # the most expressed say most
LEAST_COUNT = 5  # expected in both of a pair
MEDIAN_CHI_SQUARE = 0.45493642  # of one degree of freedom
Z = 2.33  # 99 % on one side
ROWS = 500  # at a time


@dataclass(frozen=True)
class Pair:
    """Two rows of counts: variation between them beyond counting noise with its upper 99 % limit, and of an ordinary pair.

    is_same: certainly one library; otherwise the counts are too few to decide.
    """

    first: int
    second: int
    variation: float
    upper: float
    ordinary: float
    is_same: bool


def pairs(counts: NDArray[Any], groups: NDArray[Any] | None = None) -> list[Pair]:
    """List of Pair of rows of counts (n, genes) that are, or may be, one library; none of one group (groups (n,) or None).

    A pair is one library where its upper limit is below ONE_LIBRARY and an ordinary pair of the cohort is CLEARLY above
    it: if all libraries look alike, since they are shallow or artificial, no pair is reported.
    """
    n = len(counts)
    codes = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    genes = np.sort(np.argsort(-counts.mean(axis=0), kind="stable")[:MOST_GENES])
    values = np.asarray(counts[:, genes], dtype=np.float64)
    ordinary = _ordinary(values, codes) if n > 2 and len(genes) >= FEWEST_GENES else None
    if ordinary is None:
        return []
    suspects = []
    for first, second in _near(values, codes):
        estimate, lower, upper = variation(values[first], values[second])
        if lower < ONE_LIBRARY and CLEARLY * max(upper, ONE_LIBRARY) < ordinary:
            suspects.append(Pair(first, second, estimate, upper, ordinary, upper < ONE_LIBRARY))
    return suspects


def variation(first: NDArray[Any], second: NDArray[Any]) -> tuple[float, ...]:
    """(estimate, lower, upper 99 % limit) of the coefficient of variation between two libraries (g,) of counts.

    The squared distance z² from the binomial expectation is on average 1 + 2 p (1 - p) t cv²; cv² is the median over genes
    of what each says, so that a few that differ (a ribosomal RNA) do not decide, and its limits are order statistics. NaN
    and infinite limits with fewer than FEWEST_GENES genes.
    """
    total = first + second
    p = first.sum() / max(total.sum(), 1)
    enough = total * min(p, 1 - p) >= LEAST_COUNT
    if enough.sum() < FEWEST_GENES:
        return np.nan, -np.inf, np.inf
    first, total = first[enough], total[enough]
    expected = p * (1 - p) * total
    square = (first - p * total) ** 2 / expected
    each = (square / MEDIAN_CHI_SQUARE - 1) / (2 * expected)
    away = Z * 0.5 / np.sqrt(len(each))
    estimate, lower, upper = np.quantile(each, [0.5, max(0, 0.5 - away), min(1, 0.5 + away)])
    return tuple(float(np.sign(v) * np.sqrt(abs(v))) for v in (max(estimate, 0), lower, max(upper, 0)))


def _ordinary(values: NDArray[Any], codes: NDArray[Any]) -> float | None:
    """Median variation of pairs of samples from different groups; None if there is no such pair."""
    rng = np.random.default_rng(1)
    n = len(values)
    if n * (n - 1) // 2 <= ORDINARY_PAIRS:
        first, second = np.triu_indices(n, 1)
    else:
        first = rng.integers(0, n, ORDINARY_PAIRS)
        second = (first + rng.integers(1, n, ORDINARY_PAIRS)) % n
    variations = [
        variation(values[i], values[j])[0] for i, j in zip(first, second, strict=True) if codes[i] != codes[j]
    ]
    variations = [value for value in variations if not np.isnan(value)]
    return float(np.median(variations)) if variations else None


def _near(values, codes):
    """Pairs of rows that look most alike, of different groups: (first, second), sorted.

    Square roots of counts have a Poisson variance of 1/4 whatever the count, so that one matrix product compares all pairs.
    """
    depth = values.sum(axis=1)
    root = np.sqrt(values / np.maximum(depth, 1)[:, None])
    rows, close_pairs = np.flatnonzero(depth > 0), set()
    for start in range(0, len(rows), ROWS):
        own = rows[start : start + ROWS]
        apart = 2.0 - 2.0 * root[own] @ root.T  # rows have length 1
        noise = values.shape[1] / 4 * (1 / depth[own][:, None] + 1 / np.maximum(depth, 1))
        away = 2 * (apart - noise)  # squared variation, weighted by expression
        away[(codes[own][:, None] == codes) | (depth == 0)] = np.inf
        nearest = np.argpartition(away, min(NEAREST, len(values) - 1) - 1, axis=1)[:, :NEAREST]
        for i, others, distances in zip(own.tolist(), nearest, away, strict=True):
            close = others[distances[others] < NEAR**2].tolist()
            close_pairs |= {(min(i, j), max(i, j)) for j in close}
    return sorted(close_pairs)
