"""A user's torch module as a model: it gets genes by name, and is tuned, explained, stored and served as any network."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.explain import importance, null_models
from tests.unit.models import test_regressor, test_survival_base
from tests.unit.models.test_models import expression, quiet

FILE = '''
"""A network whose hidden units are pathways."""
import torch
from torch import nn

PATHWAYS = {"rise": [f"g{i}" for i in range(15)], "fall": [f"g{i}" for i in range(15, 30)], "other": ["g40", "g41", "nowhere"]}
SEARCH = {"PathwayNet": {"dropout": [0.1], "learning_rate": [0.01, 0.03]}}


class PathwayNet(nn.Module):
    def __init__(self, n_features, n_outputs, genes, dropout=0.1):
        super().__init__()
        mask = torch.tensor([[gene in members for gene in genes] for members in PATHWAYS.values()])
        self.register_buffer("mask", mask.float())
        self.pathways = nn.Linear(n_features, len(PATHWAYS))
        self.norm = nn.BatchNorm1d(len(PATHWAYS))
        self.drop = nn.Dropout(dropout)
        self.output = nn.Linear(len(PATHWAYS), n_outputs)

    def forward(self, x):
        hidden = nn.functional.linear(x, self.pathways.weight * self.mask, self.pathways.bias)
        return self.output(self.drop(self.norm(hidden).tanh()))


class Bare(nn.Module):
    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.layer = nn.Linear(n_features, n_outputs)

    def forward(self, x):
        return self.layer(x)


class NoOutputs(Bare):
    def __init__(self, n_features):
        super().__init__(n_features, 2)


class Wide(Bare):
    def forward(self, x):
        return torch.cat([self.layer(x), x], dim=1)


class Neighbours(Bare):
    def forward(self, x):
        return self.layer(x - x.mean(dim=0))


class Broken(Bare):
    def forward(self, x):
        return self.layer(x[:, :3])
'''
CODE = {"file": "lab/nets.py", "text": FILE}
COHORTS = {
    "classification": expression,
    "regression": test_regressor.expression,
    "survival": test_survival_base.cohort,
}


def make(name="PathwayNet", task="classification", **options):
    return models.make(name, task=task, own=CODE, inner_folds=3, **options)


@pytest.mark.parametrize("task", COHORTS)
def test_it_is_tuned_stored_and_served(task, tmp_path):
    X, y = COHORTS[task](n=48, p=60)
    new, _ = COHORTS[task](n=20, p=60, seed=1)
    names = [f"g{i}" for i in range(60)]
    model = make(task=task, names=names).fit(X, y, log=quiet)
    assert [one["learning_rate"] for one in model.settings_["candidates"]] == [0.01, 0.03]
    model.save(tmp_path)
    assert (tmp_path / "nets.py").read_text() == FILE
    assert json.loads((tmp_path / "model.json").read_text())["own"]["types"] == []
    with pytest.raises(InputProblem, match=r"nets\.py is Python code.*--allow-code"):
        models.load(tmp_path)
    again = models.load(tmp_path, allow_code=True)
    assert_array_equal(again.predict(new), model.predict(new))
    assert again.predict(new[3:4])[0] == model.predict(new)[3]
    assert again.names == names
    repeated = make(task=task, names=names).fit(X, y, log=quiet)
    assert_array_equal(repeated.predict(new), model.predict(new))


def test_genes_of_no_pathway_have_no_part_and_those_of_pathways_explain_it():
    X, y = expression(n=48, p=60)
    model = make(names=[f"g{i}" for i in range(60)]).fit(X, y, log=quiet)
    effect, how = importance.effects(model, X, X.mean(axis=0))
    assert how == "integrated gradients"
    assert_allclose(effect[0, 42:], 0.0, atol=1e-12)
    assert np.abs(effect[0, :30]).sum() > 5 * np.abs(effect[0, 40:42]).sum()
    for other in null_models.of_other_seeds(model, X, y, X[:4]):
        assert np.abs(other[0, :30]).max() > 0
        assert_allclose(other[0, 42:], 0.0, atol=1e-12)


def test_a_module_without_any_settings_has_those_of_training():
    X, y = expression(n=36, p=40)
    model = make("Bare").fit(X, y, log=quiet)
    assert set(model.SEARCH) == {"learning_rate", "weight_decay"}
    new, truth = expression(n=60, p=40, seed=1)
    assert (model.predict(new) == truth).mean() > 0.8


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "Wide",
            r"lab/nets\.py: forward of Wide has to give a tensor of \(3, 2\) for 3 samples; it gave \(3, 42\)",
        ),
        ("Neighbours", "predicts a sample otherwise alone than among others"),
        (
            "Broken",
            r"lab/nets\.py, line \d+ \(return self\.layer\(x\[:, :3\]\)\): Broken cannot be trained on 36 samples with 40",
        ),
    ],
)
def test_what_a_module_does_wrong_is_told_by_its_file(name, message):
    X, y = expression(n=36, p=40)
    with pytest.raises(InputProblem, match=message):
        make(name).fit(X, y, log=quiet)


def test_a_constructor_that_cannot_be_called_is_found_before_any_training():
    make().check()
    with pytest.raises(InputProblem, match="the constructor of NoOutputs takes no n_outputs"):
        make("NoOutputs").check()
    text = FILE.replace('"dropout": [0.1]', '"depth": [2]')
    with pytest.raises(InputProblem, match="names depth, which its constructor does not take"):
        models.make("PathwayNet", own={"file": "lab/nets.py", "text": text}).check()


def test_a_file_that_was_changed_after_training_is_refused(tmp_path):
    X, y = expression(n=24, p=40)
    make("Bare").fit(X, y, log=quiet).save(tmp_path)
    (tmp_path / "nets.py").write_text(FILE + "\n")
    with pytest.raises(InputProblem, match="differs from the file that Bare was trained with"):
        models.load(tmp_path, allow_code=True)
