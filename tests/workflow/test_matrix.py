"""Published count matrices through everything right of the cohort."""

import pytest
import yaml

from tests.command import LOCAL
from tests.conftest import snakemake
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
    folder, more = tmp_path_factory.mktemp("hapmap"), {"expression": expression, "models": ["logistic_l2"]}
    return run_on(real_data / "matrices/hapmap_tsi_gender", folder, design=design, **more)


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

    published = pd.read_csv(real_data / "matrices/hapmap_tsi_gender/counts.tsv.gz", sep="\t", index_col=0)
    assert hapmap.matrix().equals(
        published.loc[hapmap.matrix().index, hapmap.matrix().columns].rename_axis("gene_id")
    )


def test_logarithms_with_gaps_go_through_a_filter_and_neighbours_to_the_artefacts(tmp_path):
    import numpy as np
    import pandas as pd

    from rna2model.expression.normalization import methods

    rng = np.random.default_rng(4)
    values = rng.normal(6, 1, (40, 1)) + rng.normal(0, 1, (40, 12))
    values[5, 3], values[7, :] = np.nan, np.nan
    names = [f"s{i}" for i in range(12)]
    table = pd.DataFrame(values, [f"g{i}" for i in range(40)], names)
    table.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene_id")
    rows = "".join(f"{name}\t{'ab'[i % 2]}\n" for i, name in enumerate(names))
    (tmp_path / "samples.tsv").write_text(f"sample\tcondition\n{rows}")
    settings = {"samples": "samples.tsv", "counts": "m.tsv", "counts_unit": "log", "evaluation": {"folds": 2}}
    settings["expression"] = {"missing": "knn", "filter": {"top_variance": 15}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    artefact = "results/splits/full/normalizer.safetensors"
    snakemake(tmp_path, *LOCAL, artefact, "results/expression/diagnostics.json", check=True)
    fitted = methods.load(tmp_path / artefact)
    assert fitted.missing == "knn" and len(fitted.genes_) == 15 and "g7" not in fitted.genes_
    flags = Run(tmp_path, tmp_path / "results").table("samples.tsv").set_index("sample")["flags"]
    assert flags["s3"] == "5.0 % of its values are missing and imputed" and "2.5 %" in flags["s0"]
