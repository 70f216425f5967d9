"""Read a genes x samples matrix that the user provides, and reject one that does not match its declared unit or samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rna2model.cohort import log_counts, sample_names, units
from rna2model.cohort.count_matrix_file import read
from rna2model.cohort.tables import numbers
from rna2model.core import gene_ids
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def load(
    path: str | Path,
    samples: Sequence[str],
    unit: str,
    missing: str = "refuse",
    layer: str | None = None,
    joined: tuple[pd.DataFrame, list[str]] | None = None,
) -> tuple[NDArray[np.float64], list[str], list[str]]:
    """(values (n_genes, n_samples) float64, genes, notes) of `samples` in the matrix at `path`: read, checked, rows of one
    gene added up, in the unit `units.of_cohort`. `layer`: counts_layer, for h5ad. `joined`: (table, notes) of
    sample_count_files.read, in place of a matrix. InputProblem lists every problem and its place."""
    table, notes = joined or read(path, unit, samples, layer)
    table, names = sample_names.choose(table, samples, path)
    table, commas = numbers.read(table)
    genes = list(table.index)
    values, wrong = units.check(table, unit, path, missing)
    undone = log_counts.note(table) if unit == "log_counts" and not wrong else []
    unit = units.of_cohort(unit)
    wrong += gene_ids.problems(values, genes, unit, path)
    if wrong:
        raise InputProblem("\n".join(wrong))
    notes = [*notes, *names, *commas, *undone, *units.notes(values, unit, path)]
    values, genes, more = gene_ids.unify(values, genes, unit, path)
    return values, genes, notes + more
