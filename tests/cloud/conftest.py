"""Projects of a cloud user: config and sheet in a folder, the data in a bucket."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
import yaml

PLUGINS = [
    "moto",
    "snakemake_storage_plugin_s3",
    *(
        f"snakemake_executor_plugin_{name}"
        for name in ("kubernetes", "aws_batch", "googlebatch", "cluster_generic")
    ),
]
REFERENCE = {"fasta": "genome.fa", "gtf": "annotation.gtf"}
MISSING = [name for name in PLUGINS if importlib.util.find_spec(name) is None]


def pytest_collection_modifyitems(items):
    for item in items:
        if MISSING and item.path.parent.name == "cloud":
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(MISSING)} (make clouds)"))


@pytest.fixture(scope="session")
def bucket():
    from tests.cloud.bucket import Bucket

    with Bucket() as running:
        yield running


def write(folder, sheet, **config):
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    settings = {"samples": "samples.tsv", "models": ["logistic_l2"]}
    settings["evaluation"] = {"folds": 2, "inner_folds": 2, "permutations": 10}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings | config))


@pytest.fixture(scope="session")
def matrix(bucket, tmp_path_factory):
    """Folder of a small count matrix with a signal, which is in the bucket as run/counts.tsv; two samples are new."""
    folder, rng = tmp_path_factory.mktemp("matrix"), np.random.default_rng(1)
    names = [f"s{i:02}" for i in range(20)]
    shift = np.r_[np.full(10, 6), np.ones(50)][:, None]
    means = rng.lognormal(4, 1, 60)[:, None] * np.where(np.arange(20) % 2, shift, 1)
    counts = pd.DataFrame(rng.poisson(means), index=[f"g{i}" for i in range(60)], columns=names)
    counts.rename_axis("gene_id").to_csv(folder / "counts.tsv", sep="\t")
    bucket.put("run/counts.tsv", folder / "counts.tsv")
    write(
        folder,
        pd.DataFrame({"sample": names, "condition": ["a", "b"] * 9 + ["", ""]}),
        counts="counts.tsv",
    )
    return folder


@pytest.fixture(scope="session")
def reads(bucket, tmp_path_factory):
    """(folder, where it was simulated) of four small samples: reads of two below the prefix, all else by its address."""
    from tests.workflow.conftest import make_demo

    made, folder = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("reads")
    make_demo(made, "--pairs", "400")
    sheet = pd.read_csv(made / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet = sheet[sheet["sample"].isin(["d02_b1", "d02_b2", "d08_b1", "d08_b2"])].copy()
    for number, row in sheet.iterrows():
        for column in ("fastq_1", "fastq_2"):
            key, elsewhere = row[column], row["sample"].startswith("d08")
            bucket.put(f"{'sequenced' if elsewhere else 'run'}/{key}", made / key)
            sheet.loc[number, column] = f"s3://bucket/sequenced/{key}" if elsewhere else key
    for name in ("genome.fa", "annotation.gtf", "gene_sets.gmt"):
        bucket.put(f"references/{name}", made / name)
    bucket.put("run/gene_sets.gmt", made / "gene_sets.gmt")
    reference = {key: f"s3://bucket/references/{name}" for key, name in REFERENCE.items()}
    write(
        folder,
        sheet,
        reference=reference,
        qc={"min_reads": 100},
        design={"target": "condition", "batch": "batch"},
        expression={"gene_sets": "gene_sets.gmt"},
        evaluation={"folds": 2, "inner_folds": 2, "permutations": 0},
    )
    return folder, made
