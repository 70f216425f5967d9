"""Gene sets of a GMT file, and one score for each set instead of its genes."""

import numpy as np

from rna2model import files
from rna2model.errors import InputProblem

LEAST = 5  # genes of a set that have to be in the data


def read_gmt(path):
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


def members(sets, gene_ids, symbols=None):
    """{set name: (k,) int columns} of the sets with at least LEAST genes in the data, matched by id or else by symbol.

    gene_ids, symbols : what each column is called. The naming that finds more genes is used for all sets.
    """
    namings = [gene_ids] + ([symbols] if symbols is not None else [])
    wanted = {gene for genes in sets.values() for gene in genes}
    naming = max(namings, key=lambda names: len(wanted.intersection(names)))
    places = {}
    for column, name in enumerate(naming):
        places.setdefault(name, []).append(column)
    found = {
        name: np.array(sorted(column for gene in genes for column in places.get(gene, [])), dtype=int)
        for name, genes in sets.items()
    }
    used = {name: columns for name, columns in found.items() if len(columns) >= LEAST}
    if not used:
        raise InputProblem(
            f"none of {len(sets)} gene sets has {LEAST} genes in the data (genes there: {', '.join(gene_ids[:3])} ...;"
            f" in the sets: {', '.join(sorted(wanted)[:3])} ...); use the same kind of gene names."
        )
    return used


def ssgsea(row, sets):
    """(number of sets,) enrichment scores of one sample's expression `row` (p,), not normalised by other samples.

    Barbie et al. 2009, by gseapy; sets : list of (k,) columns.
    """
    import gseapy
    import pandas as pd

    named = {str(number): [f"g{column}" for column in columns] for number, columns in enumerate(sets)}
    data = pd.DataFrame({"sample": row}, index=[f"g{column}" for column in range(len(row))])
    result = gseapy.ssgsea(
        data,
        named,
        sample_norm_method="rank",
        min_size=1,
        max_size=len(row),
        no_plot=True,
        outdir=None,
        threads=1,
    )
    scores = dict(zip(result.res2d["Term"], result.res2d["ES"], strict=True))
    return np.array([float(scores[str(number)]) for number in range(len(sets))])
