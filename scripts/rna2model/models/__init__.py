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
    from collections.abc import Iterable, Mapping

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
# Made of the other models of a run, or of a package that not every environment has: not in every run's reach.
ENSEMBLES = {
    "classification": {
        "stack": "rna2model.models.ensemble:Stack",
        "average": "rna2model.models.ensemble:Average",
    },
    "regression": {
        "stack": "rna2model.models.ensemble:StackRegression",
        "average": "rna2model.models.ensemble:AverageRegression",
    },
    "survival": {},
}
OWN = "rna2model.models.own.kinds:class_of"  # makes the class of a model in a user's file
MEMBERS = "members"  # folder of an ensemble's models in its own
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
NEED_COVARIATES = {"clinical", "genes_only"}
TORCH = {
    "mlp",
    "autoencoder",
    "vae",
    "attention",
    "cnn",
}  # trained with torch, and on a GPU where the config asks for one

PRETRAINED = {"autoencoder", "vae"}  # learn to reconstruct expression before they look at labels


def modules(task: str, own: Iterable[str] = ()) -> dict[str, str]:
    """{model: name of the module that it is in}, for `task`; of a model that cannot do it, its module for classification.

    own : names of users' models
    """
    places = NAMES | ENSEMBLES["classification"] | TASKS[task] | ENSEMBLES[task]
    known = {name: place.split(":")[0] for name, place in places.items()}
    return known | dict.fromkeys(own, OWN.split(":")[0])


def for_task(task: str) -> list[str]:
    """Names of the models that can do `task`, each by itself."""
    return list(TASKS[task])


def named(task: str) -> list[str]:
    """Names that a config may give for `task`: those models, and ensembles of them."""
    return [*TASKS[task], *ENSEMBLES[task]]


def members(task: str, names: Iterable[str]) -> list[str]:
    """Which of a run's models its ensembles are made of: all but `dummy`; numbers of networks have no held-out ones."""
    left_out = {"dummy", *ENSEMBLES[task], *(TORCH if task == "regression" else ())}
    return [name for name in names if name not in left_out]


def make(
    name: str,
    seed: int = 1,
    inner_folds: int = 5,
    search: Mapping[str, Any] | None = None,
    device: str = "cpu",
    threads: int | None = None,
    task: str = "classification",
    own: Mapping[str, str] | None = None,
    **more: Any,
) -> Any:
    """An unfitted model; `search` replaces candidates of its search, {hyperparameter: list of values}.

    own : {"file", "text"} of a user's file that the model is in (own/), or None
    `more`: imbalance, calibration, threshold of a classifier (base.Model), and what only torch models take
    (neural.base.TorchModel): seeds, pretrained, unlabelled, journal, checkpoint ...
    """
    kind = class_of(name, task, own)
    return kind(seed=seed, inner_folds=inner_folds, search=search, device=device, threads=threads, **more)


def load(folder: str | Path, allow_code: bool = False) -> Any:
    """The fitted model that `Model.save` wrote to `folder`. Never unpickles.

    allow_code : whether code that a user's model brings may be imported; otherwise InputProblem with its file's name
    """
    path = Path(folder) / DESCRIPTION
    try:
        description, own = json.loads(path.read_text()), None
        if "own" in description and description["name"]:
            from rna2model.models.own import carried

            own = carried.code_in(path.parent, description, allow_code)
        kind = class_of(description["name"], description.get("task", "classification"), own)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputProblem(
            f"{path} is not a readable model description ({error}); train the model again."
        ) from None
    model = kind.restore(description, Path(folder))
    if inside := description.get("members"):
        if any(Path(name).name != name for name in inside):
            raise InputProblem(f"{path} names members outside of its folder; get it again.")
        model.join([load(path.parent / MEMBERS / name, allow_code) for name in inside])
    return model


def class_of(name: str, task: str, own: Mapping[str, str] | None = None) -> Any:
    """The class of model `name` for `task`; InputProblem for a name that is none. own : as in `make`."""
    if own:
        return _named(OWN)(name, task, own)
    known = TASKS.get(task, {}) | ENSEMBLES.get(task, {})
    if name not in known:
        raise InputProblem(f"{name!r} is not a model for {task}. Models: {', '.join(known)}.")
    return _named(known[name])


def _named(place):
    """The class or function at "module:name"; scripts do not have the code of what is named so (planning/source_code.py)."""
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)
