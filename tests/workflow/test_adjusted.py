"""SMOTE, calibration, a tuned threshold, a learning curve and permutations of another model, through the workflow."""

import json

import numpy as np
import pytest
import yaml

from rna2model.cohort import cohort
from rna2model.serving import bundle
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow import cohorts
from tests.workflow.conftest import Run

MODEL = "elastic_net"


@pytest.fixture(scope="module")
def adjusted(tmp_path_factory):
    """60 samples of 30 donors, a quarter of them `rare`; two without a class."""
    folder = tmp_path_factory.mktemp("adjusted")
    sheet = cohorts.write(folder, 0.5)
    score = sheet["score"].replace("", "nan").astype(float)
    sheet["kind"] = np.where(score.isna(), "", np.where(score > score.quantile(0.75), "rare", "usual"))
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    config = {
        "samples": "samples.tsv",
        "counts": "counts.tsv",
        "design": {"target": "kind", "group": "donor"},
        "models": [MODEL],
        "evaluation": {"folds": 3, "inner_folds": 3, "permutations": 9, "permuted_models": [MODEL]},
        "training": {"imbalance": "smote", "calibration": "isotonic", "threshold": "tuned"},
    }
    config["evaluation"]["learning_curve"] = [0.5]
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    wanted = [f"models/{MODEL}/metrics.json", f"models/{MODEL}/learning_curve.tsv", "predictions.tsv"]
    snakemake(folder, *LOCAL, *(f"results/{name}" for name in wanted), check=True)
    return Run(folder, folder / "results")


def test_the_rare_class_is_found_by_a_threshold_that_is_part_of_each_model(adjusted):
    table = adjusted.table(f"models/{MODEL}/predictions.tsv")
    for split, part in table.groupby("split"):
        described = json.loads((adjusted.results / f"splits/{split}/models/{MODEL}/model.json").read_text())
        assert (
            described["calibrator"]["kind"] == "isotonic" and described["settings"]["synthetic"]["rare"] > 10
        )
        called = np.where(part["prob_usual"] >= described["threshold"], "usual", "rare")
        assert part["predicted"].tolist() == called.tolist()
    scores = json.loads((adjusted.results / f"models/{MODEL}/metrics.json").read_text())
    recall = [(table[table["truth"] == k]["predicted"] == k).mean() for k in ("rare", "usual")]
    assert scores["balanced_accuracy"]["estimate"] == pytest.approx(np.mean(recall)) and np.mean(recall) > 0.6


def test_another_model_than_the_default_has_its_chance_level(adjusted):
    permutation = json.loads((adjusted.results / f"models/{MODEL}/metrics.json").read_text())["permutation"]
    assert (
        permutation["n"] == 9 and permutation["metric"] == "auroc" and permutation["p"] == pytest.approx(0.1)
    )
    assert permutation["statistic"] > permutation["mean"]


def test_bins_and_learning_curve_are_written(adjusted):
    bins = adjusted.table(f"models/{MODEL}/calibration.tsv")
    assert set(bins["outcome"]) == {"usual"} and bins["n"].sum() == 60
    assert ((bins["lower"] <= bins["observed"]) & (bins["observed"] <= bins["upper"])).all()
    curve = adjusted.table(f"models/{MODEL}/learning_curve.tsv")
    assert set(curve["fraction"]) == {0.5, 1.0} and set(curve["folds"]) == {3}
    assert curve.set_index("fraction")["n_train"].groupby(level=0).first().tolist() == pytest.approx(
        [20, 40], abs=3
    )
    whole = curve[curve["fraction"] == 1].set_index("metric")["estimate"]
    scores = json.loads((adjusted.results / f"models/{MODEL}/metrics.json").read_text())
    assert whole["auroc"] == pytest.approx(scores["auroc"]["estimate"])


def test_the_bundle_predicts_with_the_stored_threshold_and_calibration(adjusted):
    data = cohort.read(adjusted.results / "cohort.h5ad")
    serve = bundle.Bundle(adjusted.results / "bundle")
    new = adjusted.table("predictions.tsv")
    served = serve.predict(
        data.samples, data.counts, data.genes, np.full(len(data.samples), "", dtype=object)
    ).set_index("sample")
    called = np.where(served["prob_usual"] >= serve.model.threshold_, "usual", "rare")
    assert served["predicted"].tolist() == called.tolist()
    assert served.loc[new["sample"], "predicted"].tolist() == new["predicted"].tolist()
