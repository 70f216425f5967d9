"""The cohort: counts of the included samples with their metadata and gene annotation, as AnnData.

Written with anndata. Read with h5py, since anndata takes a second to import and a run has hundreds
of jobs that need just the counts and three columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core import gene_table as genetable
from rna2model.core.errors import InputProblem
from rna2model.core.files import packing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import anndata
    import pandas as pd
    from numpy.typing import NDArray

ROWS_AT_ONCE = 64  # samples
GENES_AT_ONCE = 512


@dataclass
class Cohort:
    """Counts and what is known of samples and genes.

    counts : (n_samples, n_genes) array in the unit of the entry (counts unless the config says else)
    samples, genes : list of str; lengths : (n_genes,) exonic bases or None
    obs : {column: list of str}, the sheet's metadata
    symbols : list of str, the genes' names for people, or None
    """

    counts: NDArray[Any]
    samples: list[str]
    genes: list[str]
    lengths: NDArray[Any] | None
    obs: dict[str, list[str]]
    symbols: list[str] | None = None

    @cached_property
    def symbol_of(self) -> dict[str, str]:
        """{gene: symbol}; empty where the annotation has no names."""
        return dict(zip(self.genes, self.symbols, strict=True)) if self.symbols else {}

    def rows(self, samples: Iterable[str]) -> NDArray[np.int64]:
        """Row numbers of `samples`, in their order."""
        place = {name: row for row, name in enumerate(self.samples)}
        return np.array([place[name] for name in samples], dtype=int)

    def column(self, name: str, samples: Iterable[str]) -> NDArray[np.str_]:
        """Cells of metadata column `name` for `samples`, an array of str."""
        return np.array(self.obs[name], dtype=object)[self.rows(samples)].astype(str)


def build(
    counts: NDArray[Any] | None,
    samples: Sequence[str],
    gene_table: pd.DataFrame,
    metadata: Mapping[str, Mapping[str, str]],
    unit: str = "counts",
) -> anndata.AnnData:
    """AnnData of `counts` (n_samples, n_genes); `gene_table` is a DataFrame indexed by gene_id.

    Layers: `counts` (what was counted or given; None leaves the layers to be filled) and, where gene lengths are
    known, `tpm`.
    """
    import anndata
    import pandas as pd

    obs = pd.DataFrame([metadata[name] for name in samples], index=pd.Index(samples, name="sample")).astype(
        str
    )
    layers = {} if counts is None else {"counts": counts}
    if layers and "length" in gene_table and unit in ("counts", "expected_counts"):
        assert counts is not None  # there is a layer of them
        layers["tpm"] = tpm(counts, gene_table["length"].to_numpy())
    return anndata.AnnData(obs=obs, var=gene_table, layers=layers, uns={"unit": unit})


def tpm(counts: NDArray[Any], lengths: NDArray[Any]) -> NDArray[np.float32]:
    """Transcripts per million from counts (n, genes) and lengths in bases (Wagner et al. 2012); float32."""
    rate = counts / np.asarray(lengths, dtype=float)
    total = rate.sum(axis=1, keepdims=True)
    return (1e6 * np.divide(rate, total, out=np.zeros_like(rate), where=total > 0)).astype(np.float32)


def read(path: str | Path) -> Cohort:
    """The Cohort stored at `path` (cohort.h5ad)."""
    import h5py

    with h5py.File(path, "r") as file:
        var, obs = file["var"], file["obs"]
        return Cohort(
            counts=file["layers/counts"][:],
            samples=_strings(obs[obs.attrs["_index"]]),
            genes=_strings(var[var.attrs["_index"]]),
            lengths=var["length"][:] if "length" in var else None,
            obs={name: _strings(obs[name]) for name in obs.attrs["column-order"]},
            symbols=_strings(var["gene_name"]) if "gene_name" in var else None,
        )


def read_metadata(path: str | Path) -> tuple[list[str], dict[str, list[str]]]:
    """(samples, {column: list of str}) of the cohort at `path`, without its counts."""
    import h5py

    with h5py.File(path, "r") as file:
        obs = file["obs"]
        columns = {name: _strings(obs[name]) for name in obs.attrs["column-order"]}
        return _strings(obs[obs.attrs["_index"]]), columns


def _strings(node: Any) -> list[str]:
    """Text column of an AnnData file: plain, categorical, or nullable as with pandas 3; what is missing is empty."""
    encoding = node.attrs["encoding-type"]
    if encoding == "categorical":
        categories = np.array([*_strings(node["categories"]), ""], dtype=object)  # code -1: missing
        return list(categories[node["codes"][:]])
    if encoding == "nullable-string-array":
        values = np.array(_strings(node["values"]), dtype=object)
        values[node["mask"][:]] = ""
        return list(values)
    return list(node.asstr()[:])


def stream(
    files: Mapping[str, str | Path],
    gene_table: pd.DataFrame,
    metadata: Mapping[str, Mapping[str, str]],
    path: str | Path,
    left_out: Iterable[str] = (),
) -> NDArray[np.int64]:
    """Write the cohort of {sample: count file} to `path`, a few samples in memory at a time; counts are int32.

    left_out : ids of `gene_table` that the cohort does not have. Returned are their counts, (n_samples, n_left_out) int64
    """
    import h5py

    samples, counted = list(files), list(gene_table.index)
    is_out = gene_table.index.isin(list(left_out))
    others = np.zeros((len(samples), is_out.sum()), dtype=np.int64)
    gene_table = gene_table[~is_out]
    genes = list(gene_table.index)
    lengths = gene_table["length"].to_numpy()
    shape = len(samples), len(genes)
    build(None, samples, gene_table, metadata).write_h5ad(path)
    with h5py.File(path, "a") as file:
        layers = file.require_group("layers")
        chunks = (min(len(samples), ROWS_AT_ONCE), min(len(genes), 4096)) if samples else None
        counts, rates = (
            layers.create_dataset(name, shape, kind, chunks=chunks)
            for name, kind in (("counts", np.int32), ("tpm", np.float32))
        )
        for layer in (counts, rates):
            layer.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        for first in range(0, len(samples), ROWS_AT_ONCE):
            part = samples[first : first + ROWS_AT_ONCE]
            block = np.array([genetable.counts_in_order(files[name], counted) for name in part])
            if block.max(initial=0) > np.iinfo(np.int32).max:
                raise InputProblem(
                    f"a gene has more than two thousand million fragments in one of: {', '.join(part)}."
                )
            others[first : first + len(part)], block = block[:, is_out], block[:, ~is_out]
            counts[first : first + len(part)] = block
            rates[first : first + len(part)] = tpm(block, lengths)
    return others


def write_matrix(
    counts: Any,
    samples: Sequence[str],
    genes: Sequence[str],
    path: str | Path,
    more: tuple[NDArray[Any], Sequence[str]] | None = None,
) -> None:
    """Genes x samples as gzipped TSV with fixed bytes for fixed content (no time stamp).

    counts : (n_samples, n_genes), an array or a dataset on disk, of which some genes are read at a time
    more : (counts, ids) of rows to write below
    """
    with packing(path) as out:
        out.write(("\t".join(["gene_id", *samples]) + "\n").encode())
        for values, ids in filter(None, [(counts, genes), more]):
            for first in range(0, len(ids), GENES_AT_ONCE):
                block = values[:, first : first + GENES_AT_ONCE].T.tolist()
                for gene, row in zip(ids[first : first + GENES_AT_ONCE], block, strict=True):
                    out.write(("\t".join([gene, *map(repr, row)]) + "\n").encode())
