"""The models, by name. A new one is a class of `base.Model` in its own file and one line here.

Nothing is imported before a model is made or loaded, so the rules can read the names for free.

How classes are weighted (`training.imbalance: auto`): linear_svm and the torch models weigh the classes equally; all
others are fitted to the samples as they are. Either way probabilities are those of the classes as common as in training,
and one rule says what is predicted (class_adjustment.py, calibrators.py). `none`, `class_weights` and `smote` (synthetic
samples of the rarer classes, smote.py) say it for all models but dummy; `settings_["class_weight"]` says what
applies. Calibration and threshold are learned from inner held-out rows (class_adjustment.py) and stored in model.json.

The torch models do every task: tasks.py puts another loss and one output on the networks that classify.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTION = "model.json"  # of a fitted model, in its folder
NAMES = {
    "dummy": "rna2model.models.dummy:Dummy",
    "logistic_l2": "rna2model.models.linear.logistic:LogisticL2",
    "linear_svm": "rna2model.models.linear.logistic:LinearSVM",
    "clinical": "rna2model.models.linear.logistic:Clinical",
    "genes_only": "rna2model.models.linear.logistic:GenesOnly",
    "elastic_net": "rna2model.models.linear.elastic_net:ElasticNet",
    "lasso": "rna2model.models.linear.elastic_net:Lasso",
    "knn": "rna2model.models.neighbours:NearestNeighbours",
    "ktsp": "rna2model.models.top_pairs:TopScoringPairs",
    "panel": "rna2model.models.panel:Panel",
    "decision_tree": "rna2model.models.trees.classifiers:DecisionTree",
    "random_forest": "rna2model.models.trees.classifiers:RandomForest",
    "gradient_boosting": "rna2model.models.trees.classifiers:GradientBoosting",
    "mlp": "rna2model.models.neural.mlp:MLP",
    "autoencoder": "rna2model.models.neural.autoencoder:Autoencoder",
    "vae": "rna2model.models.neural.vae:VAE",
    "attention": "rna2model.models.neural.attention:Attention",
    "cnn": "rna2model.models.neural.cnn:CNN",
}
REGRESSION = {
    "dummy": "rna2model.models.regressor:DummyRegression",
    "ridge": "rna2model.models.linear.ridge:Ridge",
    "clinical": "rna2model.models.linear.ridge:ClinicalRidge",
    "genes_only": "rna2model.models.linear.ridge:GenesOnlyRidge",
    "elastic_net": "rna2model.models.linear.elastic_net_regression:ElasticNetRegression",
    "lasso": "rna2model.models.linear.elastic_net_regression:Lasso",
    "random_forest": "rna2model.models.trees.regressors:RandomForestRegression",
    "gradient_boosting": "rna2model.models.trees.regressors:GradientBoostingRegression",
    "mlp": "rna2model.models.neural.tasks:MLPRegression",
    "autoencoder": "rna2model.models.neural.tasks:AutoencoderRegression",
    "vae": "rna2model.models.neural.tasks:VAERegression",
    "attention": "rna2model.models.neural.tasks:AttentionRegression",
    "cnn": "rna2model.models.neural.tasks:CNNRegression",
}
SURVIVAL = {
    "dummy": "rna2model.models.survival_base:DummySurvival",
    "cox_ridge": "rna2model.models.linear.cox:CoxRidge",
    "clinical": "rna2model.models.linear.cox:ClinicalCox",
    "genes_only": "rna2model.models.linear.cox:GenesOnlyCox",
    "mlp": "rna2model.models.neural.tasks:MLPSurvival",
    "autoencoder": "rna2model.models.neural.tasks:AutoencoderSurvival",
    "vae": "rna2model.models.neural.tasks:VAESurvival",
    "attention": "rna2model.models.neural.tasks:AttentionSurvival",
    "cnn": "rna2model.models.neural.tasks:CNNSurvival",
}
TASKS = {"classification": NAMES, "regression": REGRESSION, "survival": SURVIVAL}
# Always run: the floor and the anchors every model is compared with. Then what runs where the config names no models.
ALWAYS = {
    "classification": ["dummy", "logistic_l2", "linear_svm"],
    "regression": ["dummy", "ridge"],
    "survival": ["dummy", "cox_ridge"],
}
DEFAULT = {
    "classification": [
        "logistic_l2",
        "linear_svm",
        "elastic_net",
        "random_forest",
        "gradient_boosting",
        "mlp",
    ],
    "regression": ["ridge", "elastic_net", "random_forest", "gradient_boosting"],
    "survival": ["cox_ridge"],
}
SIGNATURES = {
    "ktsp",
    "panel",
    "logistic_l2",
    "linear_svm",
    "elastic_net",
    "lasso",
}  # classifiers with Model.signature
NEED_COVARIATES = {"clinical", "genes_only"}
TORCH = {
    "mlp",
    "autoencoder",
    "vae",
    "attention",
    "cnn",
}  # trained with torch, and on a GPU where the config asks for one

PRETRAINED = {"autoencoder", "vae"}  # learn to reconstruct expression before they look at labels


def modules(task: str) -> dict[str, str]:
    """{model: name of the module that it is in}, for `task`; of a model that cannot do it, its module for classification."""
    return {name: place.split(":")[0] for name, place in (NAMES | TASKS[task]).items()}


def for_task(task: str) -> list[str]:
    """Names of the models that can do `task`."""
    return list(TASKS[task])


def make(
    name: str,
    seed: int = 1,
    inner_folds: int = 5,
    search: Mapping[str, Any] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    task: str = "classification",
    **more: Any,
) -> Any:
    """An unfitted model; `search` replaces candidates of its search, {hyperparameter: list of values}.

    `more`: imbalance, calibration, threshold of a classifier (base.Model), and what only torch models take
    (neural.base.TorchModel): seeds, pretrained, unlabelled, journal, checkpoint ...
    """
    kind = class_of(name, task)
    return kind(seed=seed, inner_folds=inner_folds, search=search, device=device, threads=threads, **more)


def load(folder: str | Path) -> Any:
    """The fitted model that `Model.save` wrote to `folder`. Never unpickles."""
    path = Path(folder) / DESCRIPTION
    try:
        description = json.loads(path.read_text())
        kind = class_of(description["name"], description.get("task", "classification"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputProblem(
            f"{path} is not a readable model description ({error}); train the model again."
        ) from None
    return kind.restore(description, Path(folder))


def class_of(name: str, task: str) -> Any:
    """The class of model `name` for `task`; InputProblem for a name that is none."""
    known = TASKS.get(task, {})
    if name not in known:
        raise InputProblem(f"{name!r} is not a model for {task}. Models: {', '.join(known)}.")
    module, kind = known[name].split(":")
    return getattr(importlib.import_module(module), kind)
