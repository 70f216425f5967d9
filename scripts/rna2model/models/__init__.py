"""The models, by name. A new one is a class of `base.Model` in its own file and one line here.

Nothing is imported before a model is made or loaded, so the rules can read the names for free.

How classes are weighted (`training.imbalance: auto`): linear_svm and the torch models weigh the classes equally; all
others are fitted to the samples as they are. Either way probabilities are those of the classes as common as in training,
and one rule says what is predicted (class_adjustment.py, calibrators.py). `none`, `class_weights` and `smote` (synthetic
samples of the rarer classes, smote.py) say it for all models but dummy; `settings_["class_weight"]` says what
applies. Calibration and threshold are learned from inner held-out rows (class_adjustment.py) and stored in model.json.

The networks do every task: neural/tasks.py puts another loss and one output on those that classify.
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
    "ktsp": "rna2model.models.top_pairs:TopScoringPairs",
    "panel": "rna2model.models.panel:Panel",
    "decision_tree": "rna2model.models.trees.classifiers:DecisionTree",
    "random_forest": "rna2model.models.trees.classifiers:RandomForest",
    "gradient_boosting": "rna2model.models.trees.classifiers:GradientBoosting",
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
}
SURVIVAL = {
    "dummy": "rna2model.models.survival_base:DummySurvival",
    "cox_ridge": "rna2model.models.linear.cox:CoxRidge",
    "clinical": "rna2model.models.linear.cox:ClinicalCox",
    "genes_only": "rna2model.models.linear.cox:GenesOnlyCox",
}
# Classes of torch.nn.Module; each does every task (neural/tasks.py), and trains on a GPU where the config asks for one.
NETWORKS = {
    "mlp": "rna2model.models.neural.mlp:MLP",
    "autoencoder": "rna2model.models.neural.autoencoder:Autoencoder",
    "vae": "rna2model.models.neural.vae:VAE",
    "attention": "rna2model.models.neural.attention:Attention",
    "cnn": "rna2model.models.neural.cnn:CNN",
    "gru": "rna2model.models.neural.gru:GRU",
    "transformer": "rna2model.models.neural.transformer:Transformer",
}
NAMES |= NETWORKS
REGRESSION |= NETWORKS
SURVIVAL |= NETWORKS
# Made of the other models of a run.
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
OF_NETWORK = "rna2model.models.neural.tasks:model_of"  # makes a model of a network
MEMBERS = "members"  # folder of an ensemble's models in its own
TASKS = {"classification": NAMES, "regression": REGRESSION, "survival": SURVIVAL}
# Always run: dummy and the anchors that every model is compared with. Then the default models of a config without any.
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
WITHIN_SAMPLE = {
    "ktsp",
    "panel",
}  # compare genes of a sample with each other, and see no normalized expression
NEED_COVARIATES = {"clinical", "genes_only"}
TORCH = set(NETWORKS)
PRETRAINED = {"autoencoder", "vae"}  # learn to reconstruct expression before they look at labels


def modules(task: str, own: Iterable[str] = ()) -> dict[str, str]:
    """{model: names of the modules that it is made of}, for `task`; of a model that cannot do it, those for classification.

    own : names of users' models
    """
    places = NAMES | ENSEMBLES["classification"] | TASKS[task] | ENSEMBLES[task]
    made = {name: [place, OF_NETWORK] if name in TORCH else [place] for name, place in places.items()}
    made |= {name: [OWN] for name in own}
    return {name: " ".join(place.split(":")[0] for place in modules) for name, modules in made.items()}


def is_network(name: str, own: Mapping[str, Mapping[str, Any]] | None = None) -> bool:
    """Whether a model is trained with torch, and on a GPU where there is one. own : `own_models` of the checked config."""
    return name in TORCH or bool((own or {}).get(name, {}).get("network"))


def for_task(task: str) -> list[str]:
    """Names of the models that can do `task`, each by itself."""
    return list(TASKS[task])


def named(task: str) -> list[str]:
    """Names that a config may give for `task`: those models, and ensembles of them."""
    return [*TASKS[task], *ENSEMBLES[task]]


def members(task: str, names: Iterable[str], own: Mapping[str, Mapping[str, Any]] | None = None) -> list[str]:
    """Which of a run's models its ensembles are made of: all but `dummy` and what reads other expression than the others; numbers of
    networks have no held-out ones. own : as in is_network"""
    left_out = {"dummy", *WITHIN_SAMPLE, *ENSEMBLES[task]}
    if task == "regression":
        left_out |= {name for name in names if is_network(name, own)}
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
    kind = _named(known[name])
    return _named(OF_NETWORK)(kind, name, task) if name in TORCH else kind


def _named(place):
    """The class or function at "module:name"; scripts do not have the code of what is named so (planning/source_code.py)."""
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)
