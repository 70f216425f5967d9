"""Readers of reference/genes.tsv and counts/<sample>.tsv, which every step from reads to the cohort takes."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def read(path: str | Path) -> list[dict[str, str]]:
    """Rows (dicts of text) of reference/genes.tsv."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def as_frame(path: str | Path) -> pd.DataFrame:
    """DataFrame of reference/genes.tsv indexed by gene_id."""
    import pandas as pd

    table = pd.read_csv(path, sep="\t", dtype={"gene_id": str, "chromosome": str}, keep_default_na=False)
    return table.set_index("gene_id")


def read_counts(path: str | Path) -> dict[str, int]:
    """{gene_id: fragments} of counts/<sample>.tsv."""
    with open(path) as file:
        next(file)
        return {gene: int(count) for gene, count in (line.rstrip("\n").split("\t") for line in file)}


def counts_in_order(path: str | Path, genes: list[str]) -> NDArray[np.int64]:
    """Counts of one sample (counts/<sample>.tsv) in the order of `genes`, a list; int64."""
    import numpy as np  # here, as pandas above: what works on reads has neither

    with open(path) as file:
        cells = file.read().split()  # at once: a cohort has many
    names, values = cells[2::2], cells[3::2]
    if names != genes:  # another order, or other genes
        count_of_gene = dict(zip(names, values, strict=False))
        if len(count_of_gene) != len(names) or set(count_of_gene) != set(genes):
            raise InputProblem(
                f"{path} does not hold the genes of the reference, each once; delete it and run again."
            )
        values = [count_of_gene[gene] for gene in genes]
    return np.array(values, dtype=np.int64)
