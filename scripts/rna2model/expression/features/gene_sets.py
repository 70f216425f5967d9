"""Gene sets of a GMT file, and one score for each set instead of its genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core import files
from rna2model.core import gene_ids as geneids
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

LEAST = 5  # genes of a set that have to be in the data
WEIGHT = 0.25  # of ranks in ssGSEA


def read_gmt(path: str | Path) -> dict[str, list[str]]:
    """{set name: list of genes} of a GMT file: name, description and genes, between tabs; gzipped or not."""
    sets = {}
    for number, line in enumerate(files.lines(path), 1):
        if not line.strip():
            continue
        name, *rest = (cell.strip() for cell in line.split("\t"))
        genes = list(dict.fromkeys(cell for cell in rest[1:] if cell))
        if not name or not genes or "\ufffd" in line:
            raise InputProblem(
                f"{path} line {number}: a gene set is a name, a description and genes, with tabs between them."
            )
        if name in sets:
            raise InputProblem(f"{path} line {number}: gene set {name!r} is there twice.")
        sets[name] = genes
    if not sets:
        raise InputProblem(f"{path}: has no gene sets.")
    return sets


def members(
    sets: Mapping[str, Collection[str]], gene_ids: Sequence[str], symbols: Iterable[str] | None = None
) -> dict[str, NDArray[np.int64]]:
    """{set name: (k,) int columns} of the sets with at least LEAST genes in the data, matched by id or else by symbol.

    Ids are compared as `gene_ids.plain` has them, without versions.
    gene_ids, symbols : two names of each column. The one that matches more genes is used for all sets.
    """
    gene_ids = geneids.plain(list(gene_ids))
    sets = {name: list(dict.fromkeys(geneids.plain(genes))) for name, genes in sets.items()}
    namings = [gene_ids] + ([list(symbols)] if symbols is not None else [])
    wanted = {gene for genes in sets.values() for gene in genes}
    naming = max(namings, key=lambda names: len(wanted.intersection(names)))
    places: dict[str, list[int]] = {}
    for column, name in enumerate(naming):
        places.setdefault(name, []).append(column)
    columns_of_set: dict[str, NDArray[Any]] = {
        name: np.array(sorted(column for gene in genes for column in places.get(gene, [])), dtype=int)
        for name, genes in sets.items()
    }
    used = {name: columns for name, columns in columns_of_set.items() if len(columns) >= LEAST}
    if not used:
        raise InputProblem(
            f"none of {len(sets)} gene sets has {LEAST} genes in the data (genes there: {', '.join(gene_ids[:3])} ...;"
            f" in the sets: {', '.join(sorted(wanted)[:3])} ...); use the same kind of gene names."
        )
    return used


def ssgsea(row: NDArray[Any], sets: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """(number of sets,) enrichment scores of one sample's expression `row` (p,), not normalised by other samples.

    Barbie et al. 2009: genes in falling order, the running difference of the set's genes (weighted by rank to the power
    0.25) and the others, summed up; gseapy's `ES` of ranks out of 10,000. Of equal genes the first comes first.
    sets : list of (k,) columns
    """
    n = len(row)
    falling = np.argsort(-row, kind="stable")
    ranks = np.empty(n)
    ranks[falling] = _average_ranks(row[falling])
    weights = (10_000 * ranks / n) ** WEIGHT
    scores = np.empty(len(sets))
    for number, columns in enumerate(sets):
        hit = np.zeros(n, dtype=bool)
        hit[columns] = True
        inside, outside = np.where(hit, weights, 0.0)[falling], (~hit)[falling]
        scores[number] = (inside.cumsum() / inside.sum() - outside.cumsum() / max(outside.sum(), 1)).sum()
    return scores


def _average_ranks(falling: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) ranks of values in falling order, the largest n; equal values share their mean rank."""
    n = len(falling)
    starts = np.flatnonzero(np.r_[True, np.diff(falling) != 0])
    sizes = np.diff(np.r_[starts, n])
    return np.repeat(n - starts - (sizes - 1) / 2, sizes)
