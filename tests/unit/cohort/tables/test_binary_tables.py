"""Matrices in workbooks and HDF5 files: read as they are, or the key that finds the values is named."""

import subprocess
import sys

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import count_matrix, count_matrix_file
from rna2model.core.errors import InputProblem
from rna2model.core.tool_failure import is_infrastructure

rng = np.random.default_rng(4)
GENES = [f"ENSG{i:011}" for i in range(30)]
NAMES = ["a", "b", "c"]
COUNTS = rng.negative_binomial(3, 0.01, (30, 3))
FRAME = pd.DataFrame(COUNTS, index=pd.Index(GENES, name="gene_id"), columns=NAMES)


def loaded(path, unit="counts", **more):
    values, genes, notes = count_matrix.load(path, NAMES, unit, **more)
    assert genes == GENES
    return values, "\n".join(notes)


@pytest.mark.parametrize("above", [0, 1])
def test_a_workbook_is_read_with_a_comment_above_and_an_annotation_beside(tmp_path, above):
    table = FRAME.assign(gene_name="TP53")
    with pd.ExcelWriter(tmp_path / "m.xlsx", engine="openpyxl") as book:
        table.to_excel(book, sheet_name="counts", startrow=above)
        pd.DataFrame({"x": [1]}).to_excel(book, sheet_name="notes")
        if above:
            book.sheets["counts"].cell(1, 1, "# made in March")
    values, notes = loaded(tmp_path / "m.xlsx")
    assert np.array_equal(values, COUNTS)
    assert "sheet counts; its other sheets are not read: notes" in notes and "gene_name" in notes


def annotated(X, raw=None, **layers):
    names = {"obs": pd.DataFrame(index=NAMES), "var": pd.DataFrame(index=GENES)}
    data = anndata.AnnData(np.asarray(X, dtype=float), **names)
    if raw is not None:
        data.raw = anndata.AnnData(np.asarray(raw, dtype=float), **names)
    data.layers.update({name: np.asarray(values, dtype=float) for name, values in layers.items()})
    return data


@pytest.mark.parametrize(
    ("data", "layer"),
    [
        (annotated(COUNTS.T), None),
        (annotated(COUNTS.T), "X"),
        (annotated(np.log1p(COUNTS.T), counts=COUNTS.T), None),
        (annotated(np.log1p(COUNTS.T), raw_counts=COUNTS.T), "raw_counts"),
        (annotated(np.log1p(COUNTS.T), raw=COUNTS.T), "raw"),
    ],
)
def test_counts_are_taken_from_x_a_layer_or_raw(tmp_path, data, layer):
    data.write_h5ad(tmp_path / "m.h5ad")
    assert np.array_equal(loaded(tmp_path / "m.h5ad", layer=layer)[0], COUNTS)


@pytest.mark.parametrize(("more", "key"), [({"raw": COUNTS.T}, "raw"), ({"umis": COUNTS.T}, "umis")])
def test_logarithms_beside_counts_name_the_key_that_finds_these(tmp_path, more, key):
    annotated(np.log1p(COUNTS.T), **more).write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(InputProblem, match=f"counts_layer: {key}"):
        loaded(tmp_path / "m.h5ad")


def test_a_layer_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    annotated(COUNTS.T, counts=COUNTS.T).write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(InputProblem, match=r"counts_layer: it has no spliced.*counts"):
        loaded(tmp_path / "m.h5ad", layer="spliced")


def test_of_archs4_only_the_samples_of_the_sheet_are_read(tmp_path):
    with h5py.File(tmp_path / "human.h5", "w") as file:
        file["data/expression"] = np.column_stack([COUNTS[:, ::-1], COUNTS])
        file["meta/samples/geo_accession"] = [*(f"GSM{i}" for i in range(3)), *NAMES]
        file["meta/genes/ensembl_gene"] = GENES
    values, notes = loaded(tmp_path / "human.h5")
    assert np.array_equal(values, COUNTS) and "3 of 6 samples" in notes
    table, _ = count_matrix_file.read(tmp_path / "human.h5", samples=["GSM1"])
    assert list(table.columns) == ["GSM1"] and np.array_equal(table["GSM1"], COUNTS[:, 1])
    with pytest.raises(InputProblem, match="none of the samples is in it"):
        count_matrix_file.read(tmp_path / "human.h5", samples=["elsewhere"])


@pytest.mark.parametrize(
    ("name", "package"), [("m.parquet", "pyarrow"), ("m.xlsx", "openpyxl"), ("m.h5ad", "h5py")]
)
def test_a_package_that_the_environment_lacks_is_named_and_the_matrix_not_blamed(tmp_path, name, package):
    path, table = tmp_path / name, pd.DataFrame({"gene": ["g1", "g2"], "s1": [1, 2], "s2": [3, 4]})
    if name == "m.parquet":
        table.to_parquet(path)
    elif name == "m.xlsx":
        table.to_excel(path, index=False)
    else:
        h5py = pytest.importorskip("h5py")
        h5py.File(path, "w").close()
    code = f"""
import sys
from rna2model.cohort import count_matrix_file as matrixfile
from rna2model.core.errors import InputProblem
sys.modules.update(dict.fromkeys([{package!r}, "fastparquet", "anndata"]))
try:
    matrixfile.read({str(path)!r})
except InputProblem as problem:
    print(problem)
"""
    message = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert (
        message.startswith(f"{path} cannot be read here: package ") and "is missing or broken in" in message
    ), message
    assert "cannot be read as a matrix" not in message
    assert name == "m.h5ad" or f"package {package} " in message
    assert is_infrastructure(message), "a job must not exclude a sample for it"
