"""Published count matrices through everything right of the cohort."""

import pytest
import yaml

from tests.conftest import LOCAL, snakemake
from tests.workflow.conftest import Run


def run_on(data, folder, **config):
    settings = {
        "samples": str(data / "samples.tsv"),
        "counts": str(data / "counts.tsv.gz"),
        "models": ["logistic_l2", "random_forest", "mlp"],
        "evaluation": {"folds": 3, "inner_folds": 3, "permutations": 20},
        **config,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    snakemake(folder, *LOCAL, check=True)
    return Run(folder, folder / "results")


@pytest.fixture(scope="module")
def cervical(real_data, tmp_path_factory):
    design = {"target": "label", "group": "pair"}
    return run_on(real_data / "matrices/cervical_mirna", tmp_path_factory.mktemp("cervical"), design=design)


@pytest.fixture(scope="module")
def hapmap(real_data, tmp_path_factory):
    design = {"target": "label"}
    expression = {"normalization": "deseq2"}
    folder = tmp_path_factory.mktemp("hapmap")
    return run_on(real_data / "matrices/hapmap_tsi_gender", folder, design=design, expression=expression)


def test_matched_tumours_are_told_from_normals_without_splitting_a_patient(cervical):
    manifest = cervical.table("splits/manifest.tsv")
    pairs = cervical.table("samples.tsv").set_index("sample")["pair"]
    assert (
        manifest.assign(pair=manifest["sample"].map(pairs)).groupby(["fold", "pair"])["role"].nunique() == 1
    ).all()
    scores = cervical.table("models/comparison.tsv").set_index(["model", "metric"])
    assert scores.loc[("logistic_l2", "balanced_accuracy"), "estimate"] > 0.85


def test_sex_is_predictable_from_lymphoblastoid_lines(hapmap):
    scores = hapmap.table("models/comparison.tsv").set_index(["model", "metric"])
    assert scores.loc[("logistic_l2", "auroc"), "estimate"] > 0.9


def test_the_matrix_comes_out_as_it_went_in(hapmap, real_data):
    import pandas as pd

    given = pd.read_csv(real_data / "matrices/hapmap_tsi_gender/counts.tsv.gz", sep="\t", index_col=0)
    assert hapmap.matrix().equals(
        given.loc[hapmap.matrix().index, hapmap.matrix().columns].rename_axis("gene_id")
    )
