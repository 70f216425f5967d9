"""A user's own file: one line in the config takes its estimator through the whole workflow, and a bundle carries it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow import cohorts, faked
from tests.workflow.conftest import Run
from tests.workflow.test_incremental import planned
from tests.workflow.test_serving import predict

FILE = '''"""Gradient boosting as XGBoost has it, in a class that skops has never heard of."""
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

SEARCH = {"boosted": {"rounds": [5, 30]}}


class Boosted(ClassifierMixin, BaseEstimator):
    def __init__(self, rounds=30, random_state=None):
        self.rounds, self.random_state = rounds, random_state

    def fit(self, X, y, sample_weight=None):
        booster = HistGradientBoostingClassifier(
            max_iter=self.rounds, min_samples_leaf=3, max_leaf_nodes=4, random_state=self.random_state
        )
        self.booster_ = booster.fit(X, y, sample_weight)
        self.classes_ = self.booster_.classes_
        return self

    def predict_proba(self, X):
        return self.booster_.predict_proba(X)


def boosted(rounds=30):
    return Boosted(rounds)
'''


NETWORK = '''"""A network whose hidden units are groups of genes, by their ids."""
import torch
from torch import nn

SEARCH = {"GroupNet": {"learning_rate": [0.01], "weight_decay": [0.1], "dropout": [0.1]}}
GROUPS = [range(0, 20), range(20, 60), range(60, 200)]


class GroupNet(nn.Module):
    def __init__(self, n_features, n_outputs, genes, dropout=0.1):
        super().__init__()
        member = [[gene == f"ENSG{i:011}" for gene in genes] for i in range(200)]
        mask = torch.tensor(member).float()
        self.register_buffer("mask", torch.stack([mask[list(group)].sum(dim=0) for group in GROUPS]))
        self.groups = nn.Linear(n_features, len(GROUPS))
        self.drop = nn.Dropout(dropout)
        self.output = nn.Linear(len(GROUPS), n_outputs)

    def forward(self, x):
        hidden = nn.functional.linear(x, self.groups.weight * self.mask, self.groups.bias)
        return self.output(self.drop(hidden.tanh()))
'''


CONFIG = {
    "samples": "samples.tsv",
    "counts": "counts.tsv",
    "design": {"target": "kind", "group": "donor"},
    "models": ["models/my_models.py:boosted", "models/my_networks.py:GroupNet", "stack"],
    "evaluation": {"folds": 2, "inner_folds": 2, "permutations": 0},
    "training": {"calibration": "sigmoid"},
}


def write_project(folder):
    """32 samples of 16 donors and two new ones, on 200 genes; the shipped model is the user's, with a network of theirs beside it."""
    sheet = cohorts.write(folder, 2.0, n=32, genes=200)
    score = sheet["score"].replace("", "nan").astype(float)
    sheet["kind"] = np.where(score.isna(), "", np.where(score > score.median(), "high", "low"))
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    (folder / "models").mkdir()
    (folder / "models/my_models.py").write_text(FILE)
    (folder / "models/my_networks.py").write_text(NETWORK)
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    write_project(folder)
    run = snakemake(folder, *LOCAL, check=True)
    return Run(folder, folder / "results", run.text)


def test_it_is_tuned_scored_explained_and_reported_as_any_model(own):
    described = json.loads((own.results / "splits/r1f1/models/boosted/model.json").read_text())
    assert [one["rounds"] for one in described["settings"]["candidates"]] == [5, 30]
    assert described["calibrator"]["kind"] == "sigmoid"
    table = own.table("models/comparison.tsv").set_index(["model", "metric"])
    assert table.loc[("boosted", "auroc"), "estimate"] > 0.8
    assert {"stack", "average"} <= {model for model, _ in table.index}
    members = own.results / "splits/r1f1/models/stack/members"
    assert sorted(path.name for path in members.iterdir()) == [
        "GroupNet",
        "boosted",
        "linear_svm",
        "logistic_l2",
    ]
    features = own.table("models/boosted/features.tsv")
    assert features["feature"][0] in {f"ENSG{i:011}" for i in range(30)}  # one of those that the truth moves
    assert "exchanged" in json.loads((own.results / "models/boosted/stability.json").read_text())["effect"]
    page = (own.results / "report.html").read_text()
    assert "models/my_models.py" in page and "class Boosted" not in page
    assert "model/my_models.py" in (own.results / "bundle/MODEL_CARD.md").read_text()


def test_a_network_is_tuned_scored_and_reported_as_any_model(own):
    described = json.loads((own.results / "splits/r1f1/models/GroupNet/model.json").read_text())
    assert described["settings"]["network"]["dropout"] == 0.1 and len(described["names"]) == 200
    assert (own.results / "splits/r1f1/models/GroupNet/my_networks.py").read_text() == NETWORK
    table = own.table("models/comparison.tsv").set_index(["model", "metric"])
    assert table.loc[("GroupNet", "auroc"), "estimate"] > 0.7
    lines = (own.results / "logs/train_GroupNet/r1f1.jsonl").read_text().splitlines()
    assert {json.loads(line)["program"].split()[0] for line in lines} == {"GroupNet"}


def test_the_bundle_carries_the_file_and_serves_only_where_it_may_be_imported(own, tmp_path):
    shutil.copytree(own.results / "bundle", tmp_path / "bundle")
    made = json.loads((tmp_path / "bundle/manifest.json").read_text())
    assert made["files"]["model/my_models.py"] == made["code"][0]["sha256"]
    assert (tmp_path / "bundle/model/my_models.py").read_text() == FILE
    counts = pd.read_csv(own.folder / "counts.tsv", sep="\t", index_col=0)
    counts[["s032", "s033"]].to_csv(tmp_path / "new.tsv", sep="\t")
    refused = predict(tmp_path, check=False, BUNDLE="bundle", COUNTS="new.tsv")
    for text in (
        "bundle/model/my_models.py",
        made["code"][0]["sha256"],
        "own_code.my_models.Boosted",
        "ALLOW_CODE=1",
    ):
        assert text in refused.text
    assert not (tmp_path / "results").exists()
    predict(tmp_path, BUNDLE="bundle", COUNTS="new.tsv", ALLOW_CODE="1")
    served = Run(tmp_path, tmp_path / "results").table("predictions.tsv").set_index("sample")
    first = own.table("predictions.tsv").set_index("sample")
    assert served["prob_low"].tolist() == first["prob_low"].tolist()
    (tmp_path / "bundle/model/my_models.py").write_text(FILE + "\n# another line\n")
    changed = predict(tmp_path, check=False, BUNDLE="bundle", COUNTS="new.tsv", ALLOW_CODE="1")
    assert "differs from the bundle's manifest" in changed.text


def test_an_edit_trains_this_model_and_what_is_made_of_it_again_and_no_other(tmp_path):
    """Planned only, in a run that looks done."""
    write_project(tmp_path)
    faked.finish(tmp_path)
    assert planned(tmp_path) == {}
    path = tmp_path / "models/my_models.py"
    path.write_text(FILE.replace("max_leaf_nodes=4", "max_leaf_nodes=5"))
    jobs = planned(tmp_path)
    # the user's in both folds and in `full`, the two that are made of it in the folds; of seven models
    assert (jobs["train"], jobs["score"], jobs["evaluate"]) == (7, 6, 3)
    assert not {"fit_normalizer", "fit_batch_model", "assign_folds"} & jobs.keys()


def test_everything_wrong_with_files_is_said_before_any_job(tmp_path):
    write_project(tmp_path)
    (tmp_path / "broken.py").write_text("import numpy\n\nx = undefined\n")
    (tmp_path / "fine.py").write_text("def boosted():\n    return 3\n")
    entries = ["broken.py:one", "nowhere.py:two", "fine.py:boosted", "fine.py:boostd"]
    config = {**CONFIG, "models": entries}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    said = snakemake(tmp_path, *LOCAL, check=False).text
    assert "4 problems" in said and "no job was started" in said
    for text in (
        "broken.py, line 3 (x = undefined): it does not import: NameError",
        "nowhere.py",
        "returned int, which has no fit and no predict_proba",
        "there is no 'boostd' in it (did you mean 'boosted'?)",
    ):
        assert text in said
