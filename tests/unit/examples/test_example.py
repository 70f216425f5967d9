"""The example's preparation, on a package that looks like the real one."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from rna2model.expression.features import gene_sets
from rna2model.inputs import config


@pytest.fixture(scope="module")
def prepare(repository):
    """The modules of resources/example."""
    sys.path.insert(0, str(repository / "resources" / "example"))
    import prepare
    import summarize

    yield prepare, summarize
    sys.path.pop(0)


def package(folder, samples=8, genes=6):
    """The files that pymodulon ships, small: the last sample has the values of the first."""
    values = np.random.default_rng(1).normal(8, 2, (genes, samples)).round(3)
    values[:, -1] = values[:, 0]
    names = [f"s{i}" for i in range(samples)]
    rows = [f"b{i:04}" for i in range(genes)]
    pd.DataFrame(values, index=rows, columns=names).to_csv(folder / "log_tpm.csv")
    kinds = np.resize(["No", "Endpoint", "Midpoint", "No"], samples)
    table = {"Study": "A", "Strain": "K-12", "Base Media": "M9", "GEO": np.nan, "project": "p"}
    table |= {"condition": [f"c{i // 2}" for i in range(samples)], "Evolved Sample": kinds}
    pd.DataFrame(table, index=names).to_csv(folder / "sample_table.csv")
    trn = {"regulator": ["fur", "fur", "crp"], "gene_id": ["b0000", "b0001", "b0002"], "effect": "+"}
    pd.DataFrame(trn).to_csv(folder / "trn.csv")
    (folder / "genome.gff3").write_text("##gff-version 3\n")
    return values


def test_the_sheet_says_which_samples_are_the_same_and_who_is_evolved(prepare, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    out.mkdir()
    values = package(data)
    prepare[0].write(data, out)
    sheet = pd.read_csv(out / "samples.tsv", sep="\t", keep_default_na=False)
    assert list(sheet["exclude"]) == [""] * 7 + ["same values as s0"]
    assert list(sheet["evolved"][:4]) == ["not_evolved", "evolved", "evolved", "not_evolved"]
    assert list(sheet["culture"][:3]) == ["p.c0", "p.c0", "p.c1"] and not (sheet["geo"] != "").any()
    matrix = pd.read_csv(out / "log_tpm.tsv.gz", sep="\t", index_col="gene_id")
    assert (matrix.to_numpy() == values).all()
    assert gene_sets.read_gmt(out / "regulons.gmt") == {"crp": ["b0002"], "fur": ["b0000", "b0001"]}
    for name, group in prepare[0].FOLDS.items():
        settings = yaml.safe_load((out / f"{name}.yaml").read_text())
        full, problems = config.complete(settings)
        assert not problems and full["results"] == name and full["design"]["group"] == group


def test_the_summary_puts_the_kinds_of_folds_side_by_side(prepare, tmp_path):
    for place, name in enumerate(prepare[0].FOLDS):
        (tmp_path / name / "models").mkdir(parents=True)
        score = 0.9 - place / 10
        table = {"model": ["m", "m"], "metric": ["balanced_accuracy", "auroc"], "estimate": [score, 1]}
        table |= {"lower": [score - 0.1, 1], "upper": [score + 0.1, 1]}
        pd.DataFrame(table).to_csv(tmp_path / name / "models" / "comparison.tsv", sep="\t", index=False)
    summary = prepare[1].summary(tmp_path)
    assert list(summary.columns) == list(prepare[0].FOLDS)
    assert summary.loc["m", "by_study"] == "0.70 (0.60 to 0.80)"


def test_without_a_network_the_example_says_what_it_needs(repository, tmp_path):
    script = repository / "resources" / "example" / "prepare.py"
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(
        [sys.executable, str(script), "--out", str(tmp_path / "out")],
        env=offline,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1 and "could not get the package with the data" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_real_data_have_the_documented_shape(prepare, real_data, tmp_path):
    """The same values as in the package, which is too large to be fetched for a test."""
    folder = real_data / "matrices" / "ecoli_precise"
    values = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)
    table = pd.read_csv(folder / "samples.tsv", sep="\t", index_col=0, dtype=str)
    sheet = prepare[0].sheet(values, table.loc[values.columns])
    assert values.shape == (3923, 278) and (sheet["exclude"] != "").sum() == 2
    used = sheet[sheet["exclude"] == ""]
    assert used["study"].nunique() == 21 and used["evolved"].value_counts().to_dict() == EVOLVED


EVOLVED = {"not_evolved": 193, "evolved": 83}
