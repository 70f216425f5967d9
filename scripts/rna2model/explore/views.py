"""Views of the whole cohort for people; nothing here feeds a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rna2model.cohort import cohort, outcome
from rna2model.core import files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def write(values: NDArray[Any], samples: Sequence[str], genes: Sequence[str], path: str | Path) -> None:
    """Genes x samples of log2 expression as gzipped TSV, four decimals, no time stamp."""
    text = pd.DataFrame(values.T, index=pd.Index(genes, name="gene_id"), columns=samples).to_csv(
        sep="\t", float_format="%.4f", lineterminator="\n"
    )
    with files.packing(path) as out:
        out.write(text.encode())


def read(
    normalized: str | Path, corrected: str | Path
) -> tuple[dict[str, NDArray[Any]], list[str], list[str]]:
    """({view: (n, g) log2 expression}, samples, genes) of the two matrices; one view where nothing was corrected."""
    tables = [
        pd.read_csv(path, sep="\t", index_col=0, dtype={0: str}, float_precision="high")
        for path in (normalized, corrected)
    ]
    views = {"normalized": tables[0].to_numpy().T}
    if not np.array_equal(*(table.to_numpy() for table in tables)):
        views["batch_corrected"] = tables[1].to_numpy().T
    return views, [str(name) for name in tables[0].columns], [str(gene) for gene in tables[0].index]


def roles(
    path: str | Path, design: Mapping[str, Any], samples: Sequence[str]
) -> tuple[NDArray[np.str_], NDArray[np.str_] | None]:
    """((n,) labels, empty for samples without one; (n,) batches or None) of the cohort at `path`."""
    names, columns = cohort.read_metadata(path)
    place = {name: row for row, name in enumerate(names)}
    rows = [place[name] for name in samples]
    labels = outcome.labels(design, columns)[rows]
    batches = np.array(columns[design["batch"]], dtype=object).astype(str)[rows] if design["batch"] else None
    return labels, batches


def conclude(table: pd.DataFrame, path: str | Path, note: str | None = None, **details: Any) -> None:
    """Write a table, and beside it the JSON of the same name: `note` is the reason why the table is empty, or null."""
    table.to_csv(path, sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    beside(path, note, **details)


def beside(path: str | Path, note: str | None = None, **details: Any) -> None:
    """Write the JSON that stands beside the table at `path`, with its `note` and how the table was made."""
    path = Path(path)
    target = path.with_name(f"{path.name.split('.')[0]}.json")
    target.write_text(json.dumps({"note": note, **details}, indent=1) + "\n")
