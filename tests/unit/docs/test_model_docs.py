"""docs/models.md says of every model what the code does: its rows are made here from the models themselves."""

import numpy as np
import pytest

from rna2model import models
from rna2model.models.linear import rotation
from rna2model.models.trees import classifiers
from tests.unit.models.test_models import SEARCH, expression, quiet
from tests.unit.models.test_survival_base import cohort

MODELS = [(task, name) for task, names in models.TASKS.items() for name in names]


def searched(search):
    """The search as the page shows it: `name` values; a long list by its ends."""
    shown = []
    for name, values in search.items():
        listed = ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)
        if len(values) > 6:
            listed = f"{min(values):g} to {max(values):g} in {len(values)} steps"
        shown.append(f"`{name}` {listed}")
    return "; ".join(shown) or "nothing"


def row(task, name, monkeypatch):
    """| task | model | searched | scaled | classes weigh | calibrated | explained by |"""
    scaled, scale = [], rotation._pareto_scale
    monkeypatch.setattr(rotation, "_pareto_scale", lambda *args: scaled.append(1) or scale(*args))
    X, y = cohort(n=24, p=20) if task == "survival" else expression(n=24, p=20)
    y = X[:, 0] if task == "regression" else y
    quick = {**SEARCH.get(name, {}), **({"hidden": [4]} if name in ("mlp", "autoencoder", "vae") else {})}
    kind = type(models.make(name, task=task))
    model = models.make(name, task=task, search=quick or None, inner_folds=2).fit(X, y, log=quiet)
    explained = "nothing"
    if model.coefficients() is not None:
        explained = "coefficients"
    elif hasattr(model, "pair_votes"):
        explained = "pair votes"
    elif hasattr(model, "torch_logits"):
        explained = "integrated gradients"
    elif isinstance(model, classifiers.Trees):
        explained = "SHAP"
    weigh = {"none": "as they come", "balanced": "the same"}[kind.CLASS_WEIGHT]
    cells = [
        task,
        f"`{name}`",
        searched(kind.SEARCH),
        "yes" if scaled else "no",
        weigh if task == "classification" else "",
        "sigmoid" if "calibration_slope" in model.settings_ else "no",
        explained,
    ]
    return "| " + " | ".join(cells) + " |"


@pytest.mark.parametrize(("task", "name"), MODELS)
def test_the_page_says_what_the_model_does(task, name, repository, monkeypatch):
    lines = (repository / "docs/models.md").read_text().splitlines()
    assert row(task, name, monkeypatch) in lines


def test_the_page_has_no_other_models(repository):
    lines = (repository / "docs/models.md").read_text().splitlines()
    rows = [line.split("|")[1:3] for line in lines if line.startswith("| ") and "`" in line.split("|")[2]]
    assert [(task.strip(), name.strip(" `")) for task, name in rows] == MODELS


def test_a_search_replaces_that_of_the_page():
    X, y = expression(n=24, p=20)
    for name, search in {
        "knn": {"neighbours": [3]},
        "decision_tree": {"max_depth": [3], "min_samples_leaf": [4]},
        "lasso": {"l1_ratio": [1.0], "C_over_smallest": [4.0]},
    }.items():
        model = models.make(name, search=search, inner_folds=2).fit(X, y, log=quiet)
        if name == "lasso":
            assert len(model.settings_["candidates"]) == 1 and model.settings_["l1_ratio"] == 1.0
        else:
            assert {key: [model.settings_[key]] for key in search} == search
    numbers = models.make("lasso", task="regression", search={"alpha_over_largest": [0.3]}, inner_folds=2)
    assert numbers.fit(X, np.arange(24.0), log=quiet).settings_["alpha_over_largest"] == 0.3
