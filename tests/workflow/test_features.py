"""Covariates, gene sets and selection through the whole workflow, on a matrix that was made for it."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow.conftest import Run

SAMPLES, NEW, GENES = 40, 4, 200
MORE = {"explanation": {"lime": 2, "shuffles": 20}, "expression": {"gene_sets": "sets.gmt"}}


def make(folder, signal):
    """Counts of no biology but in genes 0 ... `signal`; age says the label, sex nothing. Four samples have no label."""
    rng = np.random.default_rng(4)
    names = [f"s{number:02d}" for number in range(SAMPLES + NEW)]
    label = np.arange(SAMPLES + NEW) % 2
    means = rng.lognormal(5, 1, GENES) * np.exp(rng.normal(0, 0.2, (SAMPLES + NEW, GENES)))
    means[:, :signal] *= np.exp(1.2 * label[:, None])
    genes = [f"gene{number}" for number in range(GENES)]
    counts = pd.DataFrame(rng.poisson(means).T, index=pd.Index(genes, name="gene_id"), columns=names)
    counts.to_csv(folder / "counts.tsv", sep="\t")
    sheet = pd.DataFrame({"sample": names, "condition": np.array(["ill", "well"])[label]})
    sheet["age"] = np.round(50 + 15 * label + rng.normal(0, 4, len(names)), 1).astype(str)
    sheet["sex"] = rng.choice(["m", "f"], len(names))
    sheet.loc[[3, 8], "age"] = ""
    sheet.loc[SAMPLES:, "condition"] = ""
    sheet.loc[SAMPLES, "sex"] = "unknown to training"
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    sets = [["module", "", *genes[:20]]] + [
        [f"set{k}", "", *genes[20 * k : 20 * k + 20]] for k in range(1, 9)
    ]
    (folder / "sets.gmt").write_text("".join("\t".join(one) + "\n" for one in sets))
    return label[SAMPLES:]


def run(folder, covariates, models=("logistic_l2",), more=MORE, **features):
    config = {
        "samples": "samples.tsv",
        "counts": "counts.tsv",
        "design": {"target": "condition", "covariates": covariates},
        "features": features,
        "models": list(models),
        "evaluation": {"folds": 3, "inner_folds": 3, "permutations": 10},
        **more,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    snakemake(folder, *LOCAL, check=True)
    return Run(folder, folder / "results")


def scores(done, metric="auroc"):
    table = done.table("models/comparison.tsv").set_index(["metric", "model"])["estimate"]
    return table.loc[metric].astype(float)


@pytest.fixture(scope="module")
def clinical(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clinical")
    make(folder, signal=0)
    models = ["logistic_l2", "clinical", "genes_only", "random_forest"]
    return run(folder, ["age", "sex"], models, selection="moderated_f", count=30, impute="knn")


def test_a_covariate_that_says_the_label_is_heard_among_genes_that_do_not(clinical):
    auroc_by_model = scores(clinical)
    assert auroc_by_model["logistic_l2"] > 0.9 and auroc_by_model["random_forest"] > 0.8
    assert auroc_by_model["clinical"] > 0.9 and auroc_by_model["genes_only"] < 0.75


def test_new_samples_are_served_with_their_covariates_and_flags(clinical):
    predictions = clinical.table("predictions.tsv").set_index("sample")
    assert list(predictions["predicted"]) == ["ill", "well", "ill", "well"]
    assert predictions.loc["s40", "flags"] == "sex 'unknown to training' was not in training"
    manifest = json.loads((clinical.results / "bundle/manifest.json").read_text())
    assert manifest["covariates"] == ["age", "sex"] and "features.safetensors" in manifest["files"]


def test_the_covariate_is_what_the_models_use_in_every_fold(clinical):
    features = clinical.table("models/logistic_l2/features.tsv")
    assert features["feature"][0] == "age" and float(features["folds_chosen"][0]) == 1
    assert float(features["effect"][0]) > 0  # towards `well`, the older
    stability = json.loads((clinical.results / "models/logistic_l2/stability.json").read_text())
    assert stability["note"] is None and stability["stability"] < 0.7  # the 30 genes beside it are noise
    assert str(features["above_control"][0]) == "True" and stability["shuffled_labels"]["n"] == 20
    differences = clinical.table("models/differences.tsv").set_index(["model", "against", "metric"])
    assert float(differences.loc[("logistic_l2", "dummy", "balanced_accuracy"), "lower"]) > 0.2


def test_gene_sets_of_noise_are_not_enriched_and_new_samples_are_explained_by_the_covariate(clinical):
    sets = clinical.table("models/logistic_l2/gene_sets.tsv")
    assert len(sets) == 9 and (sets["fdr"].astype(float) > 0.05).all()
    lime = clinical.table("models/logistic_l2/lime.tsv")
    assert list(lime["sample"].unique()) == ["s40", "s41"] and set(lime["split"]) == {"full"}
    first = lime.drop_duplicates("sample")
    assert list(first["feature"]) == ["age", "age"] and list(first["explained"]) == ["ill", "well"]
    assert (lime["fidelity"].astype(float) > 0.9).all()


def test_permutations_choose_columns_by_themselves(clinical):
    permutation = json.loads((clinical.results / "models/logistic_l2/permutation.json").read_text())
    assert permutation["statistic"] > 0.9 and 0.3 < permutation["mean"] < 0.7


def test_gene_set_scores_stand_for_genes(tmp_path):
    truth = make(tmp_path, signal=20)
    done = run(tmp_path, [], gene_sets="sets.gmt", score="mean_z")
    assert scores(done)["logistic_l2"] > 0.95
    model = json.loads((done.results / "bundle/model/model.json").read_text())
    assert model["n_genes"] == 9
    assert list(done.table("predictions.tsv")["predicted"]) == list(np.array(["ill", "well"])[truth])
    assert not (done.results / "report.html").read_text().count("Traceback")
    assert done.table("models/logistic_l2/features.tsv")["feature"][0] == "module"
    assert not (done.results / "models/logistic_l2/gene_sets.tsv").exists()  # the features are sets


def test_a_covariate_that_the_sheet_lacks_is_named_before_any_job(tmp_path):
    make(tmp_path, signal=0)
    config = {
        "samples": "samples.tsv",
        "counts": "counts.tsv",
        "design": {"covariates": ["bmi", "condition"]},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    failed = snakemake(tmp_path, *LOCAL, check=False)
    assert "design.covariates names column 'bmi', which the sheet does not have" in failed.text
    assert "no job was started" in failed.text
