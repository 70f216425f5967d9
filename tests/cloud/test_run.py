"""Whole runs on a bucket, each job in a folder of its own that shares nothing else: the same results as on one machine."""

import gzip

import anndata
import pandas as pd
import yaml

from tests.cloud.bucket import APART
from tests.cloud.conftest import REFERENCE
from tests.command import LOCAL
from tests.conftest import snakemake

# how it ran, and where: not what came out
OTHERWISE = ("logs/", "benchmarks/", "versions", "report.html", "multiqc/", "bundle/manifest.json", "reads/")

TABLES = "multiqc/multiqc_report_data/"  # MultiQC's, which no rule names


def test_a_matrix_gives_the_same_results_as_on_one_machine(bucket, matrix, tmp_path):
    bucket.put("whole/counts.tsv", matrix / "counts.tsv")
    bucket.snakemake(matrix, *APART, run="whole", check=True)
    for name in ("config.yaml", "samples.tsv", "counts.tsv"):
        (tmp_path / name).write_bytes((matrix / name).read_bytes())
    snakemake(tmp_path, *LOCAL, check=True)
    compare(bucket, "whole", tmp_path)
    again = bucket.snakemake(matrix, *APART, "-n", run="whole", check=True)
    assert "Nothing to be done" in again.text


def test_reads_give_the_same_counts_and_a_broken_library_is_excluded(bucket, reads, tmp_path):
    made = reads[1]
    sheet = pd.read_csv(made / "samples.tsv", sep="\t", dtype=str).drop_duplicates("condition")
    broken = sheet.iloc[:1].assign(sample="broken", fastq_2="reads/broken_R2.fastq.gz")
    broken["fastq_1"] = "reads/broken_R1.fastq.gz"
    for mate in (1, 2):
        content = (made / sheet[f"fastq_{mate}"].iloc[0]).read_bytes()
        (made / f"reads/broken_R{mate}.fastq.gz").write_bytes(content[: len(content) // mate])
    sheet = pd.concat([sheet, broken])
    for file in (*REFERENCE.values(), *sheet["fastq_1"], *sheet["fastq_2"]):
        bucket.put(f"few/{file}", made / file)

    few = {"alignment": {"tool": "hisat2"}, "models": ["logistic_l2"], "evaluation": {"folds": 2}}
    few |= {"qc": {"min_reads": 100, "fastqc_reads": 0, "rseqc_fragments": 0}, "samples": "samples.tsv"}
    few["reference"] = REFERENCE
    for place in (tmp_path / "there", made):
        place.mkdir(exist_ok=True)
        sheet.to_csv(place / "samples.tsv", sep="\t", index=False)
        (place / "config.yaml").write_text(yaml.safe_dump(few))
    bucket.snakemake(tmp_path / "there", *APART, "counts", run="few", check=True)
    snakemake(made, *LOCAL, "counts", check=True)
    counts = [f"counts/{name}.tsv" for name in sheet["sample"]]  # alignments and logs hold paths
    compare(bucket, "few", made, {"samples.tsv", "cohort.h5ad", "counts/matrix.tsv.gz", *counts})
    table = pd.read_csv(made / "results/samples.tsv", sep="\t").set_index("sample")
    assert list(table["status"]) == ["included"] * (len(sheet) - 1) + ["excluded"]
    assert table.loc["broken", "reason"]


def compare(bucket, run, folder, same=None):
    """Every file of a run on one machine is in the bucket; those in `same` (else all that hold no path) alike."""
    results = folder / "results"
    here = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    there = {key.removeprefix(f"{run}/results/") for key in bucket.keys(f"{run}/results/")}
    here, there = (
        {name for name in names if not name.endswith(".snakemake_timestamp")} for names in (here, there)
    )
    assert {name for name in here if not name.startswith(TABLES)} == there
    assert (same or here) <= here
    for name in sorted(same or here):
        if name.startswith(OTHERWISE):
            continue
        mine, theirs = (results / name).read_bytes(), bucket.get(f"{run}/results/{name}")
        if name.endswith(".h5ad"):
            (folder / "theirs.h5ad").write_bytes(theirs)
            one, other = anndata.read_h5ad(results / name), anndata.read_h5ad(folder / "theirs.h5ad")
            assert one.layers.keys() == other.layers.keys() and (one.X is None) == (other.X is None)
            for layer in [*one.layers, *([None] if one.X is not None else [])]:
                pd.testing.assert_frame_equal(one.to_df(layer), other.to_df(layer))
            pd.testing.assert_frame_equal(one.obs, other.obs)
        else:
            mine, theirs = (gzip.decompress(x) if name.endswith(".gz") else x for x in (mine, theirs))
            assert mine == theirs, name
