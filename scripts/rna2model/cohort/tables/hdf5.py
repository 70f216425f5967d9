"""Matrices in HDF5 files: AnnData (h5ad), and ARCHS4, of which only the samples of the sheet are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

GENE_IDS = ("ensembl_gene", "ensembl_gene_id", "ensembl_id", "symbol", "gene_symbol", "genes")
MOST_UNNAMED = 5000  # samples of ARCHS4 that are read without a sheet
LOOKED_AT = 100  # samples in which whole numbers are looked for


def is_archs4(path: str | Path) -> bool:
    """Whether an HDF5 file is laid out as those of ARCHS4."""
    with h5py.File(path) as file:
        return "data/expression" in file and "meta/samples/geo_accession" in file


def read_archs4(path: str | Path, samples: Collection[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """(DataFrame genes x samples, notes) of the wanted samples (GSM) of an ARCHS4 file; without `samples`, of all
    samples if the file is small."""
    with h5py.File(path) as file:
        names = [_text(name) for name in file["meta/samples/geo_accession"][()]]
        if not samples and len(names) > MOST_UNNAMED:
            raise ValueError(
                f"it holds {len(names)} samples of ARCHS4; give a sheet with those that are wanted (GSM)"
            )
        place = {name: at for at, name in enumerate(names)}
        wanted = sorted(place[name] for name in set(samples or names) if name in place)
        if not wanted:
            raise ValueError(f"none of the samples is in it; ARCHS4 names them {', '.join(names[:3])} …")
        key = next((key for key in GENE_IDS if f"meta/genes/{key}" in file), None)
        if key is None:
            raise ValueError(f"it has no gene ids (meta/genes holds {', '.join(file['meta/genes'])})")
        genes = [_text(gene) for gene in file[f"meta/genes/{key}"][()]]
        data = file["data/expression"]
        if data.shape != (len(genes), len(names)):
            raise ValueError(
                f"data/expression is {data.shape}, for {len(genes)} genes and {len(names)} samples"
            )
        values = data[:, wanted]
    table = pd.DataFrame(values, index=genes, columns=[names[at] for at in wanted])
    return table, [f"read as ARCHS4: {len(wanted)} of {len(names)} samples, genes by {key}"]


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def read_h5ad(
    path: str | Path, unit: str = "counts", layer: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """(DataFrame genes x samples, notes) of an h5ad.

    layer : counts_layer: the name of a layer, X or raw. Without it the layer `counts` or `tpm` as the unit says, else X.
    """
    import anndata

    data = anndata.read_h5ad(path)
    if layer:
        values, names = _named(data, layer)
        return _frame(values, names, data), [f"counts taken from {layer} of the h5ad"]
    values = _by_unit(data, unit)
    if values is None:
        raise ValueError(
            f"it has neither a layer for {unit} nor X; name what holds them with counts_layer{_places(data)}"
        )
    if unit == "counts" and not _is_whole(values) and (others := _whole(data)):
        raise ValueError(
            f"its X holds no whole numbers, but {' and '.join(others)} {'does' if len(others) == 1 else 'do'};"
            f" set counts_layer: {others[0]}"
        )
    return _frame(values, data.var_names, data), []


def _by_unit(data, unit):
    held = data.uns.get("unit")
    if unit == "tpm" and "tpm" in data.layers:
        return data.layers["tpm"]
    if isinstance(held, str) and "counts" in data.layers:  # cohort.h5ad of a run
        if held != unit:
            raise ValueError(f"its layer 'counts' holds {held}, counts_unit says {unit}")
        return data.layers["counts"]
    if unit in ("counts", "expected_counts"):
        return data.layers.get("counts", data.X)
    return data.layers.get("counts") if data.X is None else data.X


def _named(data, layer):
    """(values, gene ids) of what counts_layer names."""
    if layer == "raw" and data.raw is not None:
        return data.raw.X, data.raw.var_names
    if layer == "X" and data.X is not None:
        return data.X, data.var_names
    if layer in data.layers:
        return data.layers[layer], data.var_names
    raise ValueError(f"counts_layer: it has no {layer}{_places(data)}")


def _places(data):
    """What counts_layer can name, as the end of a sentence."""
    held = ["X"] if data.X is not None else []
    held += ["raw"] if data.raw is not None else []
    held += _layers(data)
    return f" (it holds {', '.join(held)})" if held else ""


def _whole(data):
    """Names of the layers (and `raw`) that hold whole numbers."""
    raw = ["raw"] if data.raw is not None and _is_whole(data.raw.X) else []
    return [*raw, *(name for name in _layers(data) if _is_whole(data.layers[name]))]


def _is_whole(values):
    start = _dense(values[:LOOKED_AT])
    return start.dtype.kind in "iuf" and bool((np.nan_to_num(start) == np.round(np.nan_to_num(start))).all())


def _dense(values):
    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def _frame(values, genes, data):
    return pd.DataFrame(_dense(values).T, index=genes.astype(str), columns=data.obs_names.astype(str))


def _layers(data):
    """Names of the layers; since anndata 0.13 X is one of them, without a name."""
    return [name for name in data.layers if name is not None]
